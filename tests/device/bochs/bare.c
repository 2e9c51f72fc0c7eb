/* bare.c - under tests/unit/test_kernels.c and test_kernelconvs.c on a machine with nothing: the few functions of a C
 * library that they call. Output goes to bochs's port 0xe9. Pages are of 2 MB, so that an array that ends at an
 * unreadable page ends at one here too; touching it ends the machine, and with it the test.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

enum { PAGE = 2 << 20, HEAP = 2 << 20, MAPS = 16 << 20, END = 120 << 20 };

int test_main(void);
void bare_main(void);

static void out(uint16_t port, uint8_t byte) { __asm__ volatile("outb %0, %1" : : "a"(byte), "Nd"(port)); }

/* ---- strings and words ---- */

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    void *start = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
    return start;
}

void *memset(void *to, int value, size_t n)
{
    void *start = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(value) : "memory");
    return start;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;
    for (size_t i = 0; i < n; i++)
        if (x[i] != y[i]) return x[i] - y[i];
    return 0;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b) a++, b++;
    return (uint8_t)*a - (uint8_t)*b;
}

static void print_number(uint64_t value)
{
    if (value > 9) print_number(value / 10);
    out(0xe9, (uint8_t)('0' + value % 10));
}

int printf(const char *format, ...) /* %s, %u, %d */
{
    va_list args;
    va_start(args, format);
    for (; *format; format++) {
        if (*format != '%') {
            out(0xe9, (uint8_t)*format);
        } else if (*++format == 's') {
            for (const char *text = va_arg(args, const char *); *text; text++) out(0xe9, (uint8_t)*text);
        } else {
            int64_t value = *format == 'd' ? va_arg(args, int) : (int64_t)va_arg(args, unsigned);
            if (value < 0) out(0xe9, '-');
            print_number((uint64_t)(value < 0 ? -value : value));
        }
    }
    va_end(args);
    return 0;
}

/* ---- memory ---- */

static uintptr_t heap = HEAP, maps = MAPS;
static uint32_t alive; /* pieces of the heap: without any, it begins anew */

void *malloc(size_t n)
{
    void *piece = (void *)heap;
    heap += (n + 63) / 64 * 64;
    alive++;
    return heap <= MAPS ? piece : NULL;
}

void *calloc(size_t n, size_t size) { return memset(malloc(n * size), 0, n * size); }

void free(void *piece)
{
    if (piece && --alive == 0) heap = HEAP;
}

long sysconf(int name)
{
    (void)name;
    return PAGE;
}

void *mmap(void *where, size_t n, int protection, int flags, int file, long offset)
{
    (void)where, (void)protection, (void)flags, (void)file, (void)offset;
    void *pages = (void *)maps;
    maps += n;
    return maps <= END ? pages : (void *)-1;
}

int munmap(void *pages, size_t n)
{
    (void)pages, (void)n;
    return 0;
}

int mprotect(void *page, size_t n, int protection) /* none, to one page */
{
    (void)n, (void)protection;
    volatile uint64_t *directory = (void *)0x3000; /* boot.S */
    directory[(uintptr_t)page / PAGE] = 0;
    __asm__ volatile("invlpg (%0)" : : "r"(page) : "memory");
    return 0;
}

/* ---- the rest ---- */

char *getenv(const char *name)
{
    (void)name;
    return NULL;
}

int setenv(const char *name, const char *value, int overwrite)
{
    (void)name, (void)value, (void)overwrite;
    return -1;
}

int unsetenv(const char *name)
{
    (void)name;
    return -1;
}

double qc_rng_normal(void *rng) /* any numbers with a spread serve */
{
    static uint32_t state = 1;
    (void)rng;
    state = state * 1664525u + 1013904223u;
    return (double)(int32_t)state * 0x1p-30;
}

void exit(int status)
{
    printf("exit %d\n", status);
    for (const char *word = "Shutdown"; *word; word++) out(0x8900, (uint8_t)*word);
    for (;;) __asm__ volatile("hlt");
}

void bare_main(void)
{
    const struct QcKernels { const char *name; } *const *qc_kernels_available(void);
    __builtin_cpu_init();
    for (const struct QcKernels *const *k = qc_kernels_available(); *k; k++) printf("%s ", (*k)->name);
    exit(test_main());
}
