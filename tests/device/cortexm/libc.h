/* libc.h - as much of a C library as tests/unit/test_kernels.c and test_kernelconvs.c ask for, on a Cortex-M that has
 * none (libc.c). The headers beside it, named as a C library's, include this one. */
#ifndef QC_TESTS_CORTEXM_LIBC_H
#define QC_TESTS_CORTEXM_LIBC_H

#include <stddef.h>
#include <stdint.h>

enum { PROT_NONE, PROT_READ, PROT_WRITE, MAP_PRIVATE = 0, MAP_ANONYMOUS = 0, _SC_PAGESIZE = 0 };
#define MAP_FAILED ((void *)-1)

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);
int strcmp(const char *a, const char *b);
int printf(const char *format, ...);
void *malloc(size_t n);
void *calloc(size_t n, size_t size);
void free(void *piece);
_Noreturn void exit(int status);
char *getenv(const char *name);
int setenv(const char *name, const char *value, int overwrite);
int unsetenv(const char *name);
long sysconf(int name);
void *mmap(void *where, size_t n, int protection, int flags, int file, long offset);
int munmap(void *pages, size_t n);
int mprotect(void *page, size_t n, int protection);

#endif
