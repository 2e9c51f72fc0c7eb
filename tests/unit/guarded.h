/* guarded.h - memory of exactly the promised size next to an inaccessible page, after it or before it. Include after
 * check.h. */
#ifndef QC_TESTS_GUARDED_H
#define QC_TESTS_GUARDED_H

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct Guarded {
    uint8_t *pages;
    size_t mapped;
} Guarded;

/* bytes: a multiple of 64, as placings are. */
static inline void *guarded_take(Guarded *g, size_t bytes, int at_end)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (bytes + page - 1) / page * page;
    g->mapped = room + 2 * page;
    g->pages = mmap(NULL, g->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(g->pages, MAP_FAILED);
    memset(g->pages, 0x5a, g->mapped);
    ck_assert_int_eq(mprotect(g->pages, page, PROT_NONE), 0);
    ck_assert_int_eq(mprotect(g->pages + page + room, page, PROT_NONE), 0);
    ck_assert_uint_eq(bytes % 64, 0);
    return g->pages + page + (at_end ? room - bytes : 0);
}

static inline void guarded_release(Guarded *g) { munmap(g->pages, g->mapped); }

#endif
