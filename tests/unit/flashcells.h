/* flashcells.h - memory with flash semantics and a power cut after a given number of bytes. Include after check.h. */
#ifndef QC_TESTS_FLASHCELLS_H
#define QC_TESTS_FLASHCELLS_H

#include <string.h>

#include "../../lib/base/rng.h"
#include "../../lib/device/state.h"

enum { ROOM = 1 << 15 };

typedef struct Cells {
    uint8_t bytes[ROOM];
    uint32_t sector, page;
    int64_t budget; /* bytes that still change before the power goes; < 0: it stays */
    int is_off;
    uint32_t changed; /* bytes, so far */
} Cells;

/* The byte under work when the power goes gets there in part. */
static inline int may_change(Cells *c, uint8_t *byte, uint8_t to)
{
    if (c->is_off) return 0;
    if (c->budget == 0) {
        c->is_off = 1;
        *byte = (uint8_t)((*byte & 0x5a) | (to & 0xa5));
        return 0;
    }
    if (c->budget > 0) c->budget--;
    c->changed++;
    *byte = to;
    return 1;
}

static inline int cells_read(void *ctx, uint32_t at, void *to, uint32_t n)
{
    Cells *c = ctx;
    if (at + n > ROOM) ck_abort_msg("a read beyond the end"); /* an assertion at each call would take most of the
                                                                 time */
    memcpy(to, c->bytes + at, n);
    return c->is_off;
}

static inline int cells_erase(void *ctx, uint32_t at)
{
    Cells *c = ctx;
    if (at % c->sector) ck_abort_msg("no sector begins at %u", at);
    for (uint32_t i = 0; i < c->sector; i++) may_change(c, &c->bytes[at + i], 0xff);
    return c->is_off;
}

static inline int cells_program(void *ctx, uint32_t at, const void *from, uint32_t n)
{
    Cells *c = ctx;
    const uint8_t *bytes = from;
    uint32_t used = 0; /* a page is written once after an erase */
    for (uint32_t i = 0; i < n && !c->is_off; i++) used += c->bytes[at + i] != 0xff;
    if (used || at % c->page || n % c->page) ck_abort_msg("%u bytes at %u, %u of them written before", n, at, used);
    for (uint32_t i = 0; i < n; i++) may_change(c, &c->bytes[at + i], bytes[i]);
    return c->is_off;
}

static inline void cells_init(Cells *c, QcFlash *f, uint32_t sector, uint32_t page)
{
    QcRng rng = qc_rng_seed(7, 7);
    *c = (Cells){.sector = sector, .page = page, .budget = -1};
    for (uint32_t i = 0; i < ROOM; i++) c->bytes[i] = (uint8_t)qc_rng_next(&rng); /* whatever was there before */
    *f = (QcFlash){c, ROOM / 2, sector, page, cells_read, cells_erase, cells_program, NULL};
}

#endif
