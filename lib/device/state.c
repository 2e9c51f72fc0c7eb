#include "state.h"

#include "../base/crc32.h"
#include "../kernels/mem.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "states are written as they lie in memory, which must be little-endian"
#endif

enum { MAGIC = 0x53434351, FORMAT = 5 }; /* "QCCS" */

typedef struct Header {
    uint32_t magic, format, identity[2], sequence, bytes, content_crc, crc;
} Header;

/* ---- where it lies ---- */

static uint32_t header_room(uint32_t page) { return page > QC_STATE_HEADER ? page : QC_STATE_HEADER; }

static uint64_t whole_pages(uint64_t bytes, uint32_t page) { return (bytes + page - 1) / page * page; }

uint64_t qc_state_bytes(uint32_t state_bytes, uint32_t page_bytes)
{
    return header_room(page_bytes) + whole_pages(state_bytes, page_bytes);
}

static int fits(const QcFlash *f, const QcLearner *l)
{
    uint32_t page = f->page_bytes, sector = f->sector_bytes;
    if (!page || page > QC_STATE_PAGE_MAX || (page & (page - 1)) || !sector || sector % page || f->slot_bytes % sector)
        return 0;
    return f->slot_bytes <= UINT32_MAX / 2 && qc_state_bytes(l->state_bytes, page) <= f->slot_bytes;
}

static uint32_t slot_start(const QcFlash *f, int slot) { return slot ? f->slot_bytes : 0; }

static uint32_t header_crc(const Header *h) { return qc_crc32_add(0, h, sizeof *h - sizeof h->crc); }

/* ---- looking ---- */

typedef enum Slot {
    SLOT_UNREADABLE = -1,
    SLOT_TORN, /* nothing, or a write that was cut off: the header comes last */
    SLOT_DAMAGED,
    SLOT_FOREIGN,
    SLOT_WHOLE
} Slot;

/* As erased memory is, or a file that nothing was written to. */
static int is_blank(const Header *h)
{
    const uint8_t *bytes = (const uint8_t *)h;
    for (uint32_t i = 1; i < sizeof *h; i++)
        if (bytes[i] != bytes[0]) return 0;
    return bytes[0] == 0 || bytes[0] == 0xff;
}

static Slot look_at(const QcState *s, const QcLearner *l, int slot, Header *h)
{
    const QcFlash *f = s->flash;
    uint32_t at = slot_start(f, slot), crc = 0, left;
    uint8_t bytes[64];
    if (f->read(f->ctx, at, h, sizeof *h)) return SLOT_UNREADABLE;
    if (h->magic != MAGIC || h->crc != header_crc(h)) return is_blank(h) ? SLOT_TORN : SLOT_DAMAGED;
    if (h->format != FORMAT || h->identity[0] != (uint32_t)s->identity ||
        h->identity[1] != (uint32_t)(s->identity >> 32) || h->bytes != l->state_bytes)
        return SLOT_FOREIGN;
    at += header_room(f->page_bytes);
    for (left = h->bytes; left > 0;) {
        uint32_t n = left < sizeof bytes ? left : (uint32_t)sizeof bytes;
        if (f->read(f->ctx, at, bytes, n)) return SLOT_UNREADABLE;
        crc = qc_crc32_add(crc, bytes, n);
        at += n;
        left -= n;
    }
    return crc == h->content_crc ? SLOT_WHOLE : SLOT_DAMAGED;
}

/* Finds the whole slots, the newest first: order [2]; returns how many. */
static int sort_slots(QcState *s, const QcLearner *l, int order[2], uint32_t sequence[2], int *foreign, int *unreadable)
{
    int n = 0;
    *foreign = *unreadable = s->damaged = 0;
    for (int slot = 0; slot < 2; slot++) {
        Header h;
        Slot found = look_at(s, l, slot, &h);
        *foreign |= found == SLOT_FOREIGN;
        *unreadable |= found == SLOT_UNREADABLE;
        s->damaged |= found == SLOT_DAMAGED;
        if (found != SLOT_WHOLE) continue;
        int first = n == 1 && (int32_t)(h.sequence - sequence[0]) > 0; /* sequence numbers wrap around */
        if (first) {
            order[1] = order[0];
            sequence[1] = sequence[0];
        }
        order[first ? 0 : n] = slot;
        sequence[first ? 0 : n] = h.sequence;
        n++;
    }
    s->known = 1;
    s->newest = (int8_t)(n ? order[0] : -1);
    s->sequence = n ? sequence[0] : 0;
    return n;
}

static int read_content(const QcFlash *f, QcLearner *l, int slot)
{
    if (f->read(f->ctx, slot_start(f, slot) + header_room(f->page_bytes), l->state, l->state_bytes)) return -1;
    if (!qc_learner_is_sound(l)) return -1; /* checksums do not detect intent: all values are checked */
    qc_learner_resume(l);
    return 0;
}

void qc_state_init(QcState *s, const QcFlash *flash, uint64_t identity)
{
    *s = (QcState){.flash = flash, .identity = identity, .newest = -1};
}

QcStateFound qc_state_load(QcState *s, QcLearner *l)
{
    int order[2], foreign, unreadable;
    uint32_t sequence[2];
    if (!fits(s->flash, l)) return QC_STATE_BROKEN;
    int n = sort_slots(s, l, order, sequence, &foreign, &unreadable);
    for (int i = 0; i < n; i++) {
        s->newest = (int8_t)order[i];
        s->sequence = sequence[i];
        if (!read_content(s->flash, l, order[i])) return QC_STATE_LOADED;
    }
    if (n || unreadable) return QC_STATE_BROKEN;
    return foreign ? QC_STATE_FOREIGN : QC_STATE_NONE;
}

/* ---- writing ---- */

/* Buffer that collects bytes into pages. */
typedef struct Pages {
    const QcFlash *f;
    uint32_t at, used, crc;
    int failed;
    uint8_t buffer[QC_STATE_PAGE_MAX];
} Pages;

static void flush(Pages *p)
{
    if (!p->used || p->failed) return;
    uint32_t n = (uint32_t)whole_pages(p->used, p->f->page_bytes);
    memset(p->buffer + p->used, 0xff, n - p->used);
    p->failed = p->f->program(p->f->ctx, p->at, p->buffer, n) != 0;
    p->at += n;
    p->used = 0;
}

static void add(Pages *p, const void *bytes, uint32_t n)
{
    const uint8_t *from = bytes;
    p->crc = qc_crc32_add(p->crc, bytes, n);
    while (n > 0 && !p->failed) {
        uint32_t room = QC_STATE_PAGE_MAX - p->used, part = n < room ? n : room;
        memcpy(p->buffer + p->used, from, part);
        p->used += part;
        from += part;
        n -= part;
        if (p->used == QC_STATE_PAGE_MAX) flush(p);
    }
}

static int sync(const QcFlash *f) { return f->sync && f->sync(f->ctx) ? -1 : 0; }

static int erase_slot(const QcFlash *f, int slot, uint64_t bytes)
{
    for (uint32_t at = 0; at < bytes; at += f->sector_bytes)
        if (f->erase(f->ctx, slot_start(f, slot) + at)) return -1;
    return sync(f);
}

static int write_content(const QcFlash *f, const QcLearner *l, int slot, uint32_t *crc)
{
    Pages p = {.f = f, .at = slot_start(f, slot) + header_room(f->page_bytes)};
    add(&p, l->state, l->state_bytes);
    flush(&p);
    *crc = p.crc;
    return p.failed ? -1 : sync(f);
}

static int write_header(const QcFlash *f, const Header *h, int slot)
{
    Pages p = {.f = f, .at = slot_start(f, slot)};
    add(&p, h, sizeof *h);
    flush(&p);
    return p.failed ? -1 : sync(f);
}

int qc_state_save(QcState *s, const QcLearner *l)
{
    const QcFlash *f = s->flash;
    if (!fits(f, l)) return -1;
    if (!s->known) {
        int order[2], foreign, unreadable;
        uint32_t sequence[2];
        sort_slots(s, l, order, sequence, &foreign, &unreadable);
    }
    int slot = s->newest == 0;
    Header h = {MAGIC, FORMAT, {(uint32_t)s->identity, (uint32_t)(s->identity >> 32)}, s->sequence + 1, l->state_bytes,
                0,     0},
           there;
    if (erase_slot(f, slot, qc_state_bytes(l->state_bytes, f->page_bytes)) || write_content(f, l, slot, &h.content_crc))
        return -1;
    h.crc = header_crc(&h);
    if (write_header(f, &h, slot)) return -1;
    if (look_at(s, l, slot, &there) != SLOT_WHOLE) return -1; /* a worn flash cell: the next save tries this slot
                                                               * again, and the other slot stays */
    s->newest = (int8_t)slot;
    s->sequence = h.sequence;
    return 0;
}
