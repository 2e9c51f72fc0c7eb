/* mem.h - the three functions that freestanding C still needs; compilers also insert calls of them. lib/kernels and
 * lib/device include this header and not <string.h>, which a bare-metal toolchain may lack.
 */
#ifndef QC_KERNELS_MEM_H
#define QC_KERNELS_MEM_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);

#endif
