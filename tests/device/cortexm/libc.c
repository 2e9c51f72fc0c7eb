/* libc.c - what libc.h declares. Pages that may not be touched are regions of the processor's memory protection unit,
 * so that an array that ends at such a page ends at one here too: on ARMv7-M each is a region of its own; ARMv8-M has
 * no region that forbids, so all else has one. Touching a forbidden page is a fault, which ends the test.
 */
#include "libc.h"

#include <stdarg.h>

#include "board.h"
#include "kernels/kernels.h"

enum { PAGE = 4096, HEAP_BYTES = 2 << 20, MOST = 8 };

extern uint32_t stack_top[];
static uint8_t *const heap_start = (uint8_t *)POOL_BEGINS, *const maps_start = (uint8_t *)POOL_BEGINS + HEAP_BYTES,
                      *const maps_end = (uint8_t *)POOL_BEGINS + (12 << 20);

/* ---- the table of kernels that is tested ---- */

const QcKernels *const *qc_kernels_available(void)
{
    static const QcKernels *const all[] = {&qc_kernels_scalar, &QC_KERNELS_CORTEXM, NULL};
    return all;
}

const QcKernels *qc_kernels_choose(const char **wrong)
{
    (void)wrong;
    return &QC_KERNELS_CORTEXM;
}

/* ---- strings and words ---- */

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

static void print_number(uint32_t value)
{
    char text[12];
    int at = sizeof text - 1;
    text[at] = 0;
    do text[--at] = (char)('0' + value % 10), value /= 10;
    while (value);
    say(text + at);
}

int printf(const char *format, ...) /* %s, %u, %d */
{
    va_list args;
    va_start(args, format);
    for (; *format; format++) {
        if (*format != '%') {
            say((const char[2]){*format, 0});
        } else if (*++format == 's') {
            say(va_arg(args, const char *));
        } else {
            int32_t value = va_arg(args, int32_t);
            if (*format == 'd' && value < 0) say("-"), value = -value;
            print_number((uint32_t)value);
        }
    }
    va_end(args);
    return 0;
}

/* ---- memory ---- */

static uint32_t used, alive; /* bytes and pieces of the heap: without a piece it begins anew */

void *malloc(size_t n)
{
    void *piece = heap_start + used;
    used += (uint32_t)(n + 63) & ~63u;
    alive++;
    return used <= HEAP_BYTES ? piece : NULL;
}

void *calloc(size_t n, size_t size)
{
    return memset(malloc(n * size), 0, n * size);
}

void free(void *piece)
{
    if (piece && --alive == 0) used = 0;
}

#define MPU                                                                                                       \
    ((volatile uint32_t *)0xe000ed90) /* type, control, number, base, size or limit; the last two of the region \
                                         whose number was written */
enum { TYPE, CONTROL, NUMBER, BASE, SIZE, MAIR0 = 12 };
static struct Map {
    uint8_t *pages;
    size_t bytes;
} maps[MOST];

#if __ARM_ARCH >= 8
static void open_region(uint32_t number, const uint8_t *from, const uint8_t *end, uint32_t is_code)
{
    MPU[NUMBER] = number;
    MPU[BASE] =
        (uint32_t)from | (is_code ? 3u << 1 : 1u << 1 | 1); /* anyone reads; or reads and writes, and nobody executes */
    MPU[SIZE] = end > from ? ((uint32_t)end - 32) | 1 : 0;
}

static void protect(uint32_t i, uint8_t *page)
{
    MPU[MAIR0] = 0x44; /* plain memory */
    open_region(MOST, (const uint8_t *)CODE_BEGINS, (const uint8_t *)CODE_BEGINS + (512 << 10), 1);
    open_region(MOST + 1, (const uint8_t *)RAM_BEGINS, (const uint8_t *)stack_top, 0);
    open_region(MOST + 2, heap_start, maps_start, 0);
    open_region(i, maps[i].pages, page, 0);
    MPU[CONTROL] = 1; /* nothing else may be touched */
}
#else
static void protect(uint32_t i, uint8_t *page)
{
    MPU[NUMBER] = i;
    MPU[BASE] = (uint32_t)page;
    MPU[SIZE] = page ? 1u << 28 | 11u << 1 | 1 : 0; /* not even read: 2^12 bytes */
    MPU[CONTROL] = 5;                               /* all else as without the unit */
}
#endif

long sysconf(int name)
{
    (void)name;
    return PAGE;
}

void *mmap(void *where, size_t n, int protection, int flags, int file, long offset)
{
    (void)where, (void)protection, (void)flags, (void)file, (void)offset;
    static uint8_t *next;
    uint32_t i = 0;
    if (!next) next = maps_start;
    while (i < MOST && maps[i].pages) i++;
    if (i == MOST || n > (size_t)(maps_end - next)) return MAP_FAILED;
    maps[i] = (struct Map){next, n};
    next += n;
    return maps[i].pages;
}

int munmap(void *pages, size_t n)
{
    (void)n;
    for (uint32_t i = 0; i < MOST; i++)
        if (maps[i].pages == pages) maps[i].pages = NULL, protect(i, NULL);
    return 0;
}

int mprotect(void *page, size_t n, int protection) /* none, to the last page of what was mapped */
{
    (void)n, (void)protection;
    for (uint32_t i = 0; i < MOST; i++)
        if (maps[i].pages && maps[i].pages + maps[i].bytes == (uint8_t *)page + PAGE) return protect(i, page), 0;
    return -1;
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

double qc_rng_normal(void *rng);
double qc_rng_normal(void *rng) /* any numbers with a spread serve */
{
    static uint32_t state = 1;
    (void)rng;
    state = state * 1664525u + 1013904223u;
    return (double)(int32_t)state * 0x1p-30;
}

void exit(int status)
{
    board_exit(status);
}
