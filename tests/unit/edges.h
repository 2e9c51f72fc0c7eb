/* edges.h - helpers that tests of kernels share: arrays that end at an unreadable page, and random values with some
 * extreme values. Include after check.h. */
#ifndef QC_TESTS_EDGES_H
#define QC_TESTS_EDGES_H

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../lib/base/rng.h"
#include "../../lib/kernels/kernels.h"

/* ---- memory that ends where reading ends ---- */

typedef struct Edge {
    uint8_t *pages;
    size_t bytes;
} Edge;

static Edge edges[8]; /* one an argument */

/* `bytes` bytes whose next one cannot be touched. Lives until the same `slot` is asked again. */
static inline void *edge(int slot, size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), need = (bytes + page - 1) / page * page + page;
    Edge *e = &edges[slot];
    if (e->bytes < need) {
        if (e->pages) munmap(e->pages, e->bytes);
        e->bytes = need;
        e->pages = mmap(NULL, need, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ck_assert_ptr_ne(e->pages, MAP_FAILED);
        ck_assert_int_eq(mprotect(e->pages + need - page, page, PROT_NONE), 0);
    }
    return e->pages + e->bytes - page - bytes;
}

static inline void *edge_filled(int slot, size_t bytes, int fill) { return memset(edge(slot, bytes), fill, bytes); }

/* ---- values ---- */

static QcRng rng;

static inline void setup(void) { rng = qc_rng_seed(11, 3); }

static inline uint32_t pick(uint32_t low, uint32_t high) { return low + qc_rng_below(&rng, high - low + 1); }

/* fill 0: random; 1: all ones; 2: zeros and ones of all bits at random; 3: 0x80; others: random again */
static inline void fill_bytes(uint8_t *x, size_t n, uint32_t fill)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t random = (uint8_t)qc_rng_next(&rng);
        x[i] = fill == 1 ? 255 : fill == 2 ? (random & 1 ? 255 : 0) : fill == 3 ? 0x80 : random;
    }
}

static inline uint32_t round_up(uint32_t n, uint32_t to) { return (n + to - 1) / to * to; }

#endif
