#include "state.h"

#include "../base/crc32.h"
#include "../kernels/mem.h"
#include "qmath.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "states are written as they lie in memory, which must be little-endian"
#endif

enum { MAGIC = 0x53434351, FORMAT = 3 }; /* "QCCS" */

typedef struct Header {
    uint32_t magic, format, identity[2], sequence, bytes, content_crc, crc;
} Header;

/* ---- what is in a state ---- */

/* Numbers that have no array of their own. */
typedef struct Numbers {
    uint32_t batches, phi, seen[2], heads, lead, waited;
} Numbers;

typedef struct Piece {
    void *bytes;
    uint32_t n;
} Piece;

enum { PIECES = 16 };

static void list_pieces(Piece *pieces, const QcCalibrator *c, Numbers *numbers)
{
    const QcSlots *s = &c->slots;
    const QcScatter *lda = &c->lda.stream;
    uint32_t n = s->capacity, classes = c->g->classes, features = c->lda.n; /* 0 without the last layer's statistic */
    uint32_t first = c->g->nodes[c->g->n_nodes - 1].channel;
    const Piece all[PIECES] = {{numbers, sizeof *numbers}, {c->g->codes, c->g->n_code_bytes},
                               {s->x, n * s->window}, {s->label, n * (uint32_t)sizeof *s->label}, {s->misses, n * (uint32_t)sizeof *s->misses},
                               {s->flags, n}, {s->id, n * (uint32_t)sizeof *s->id},
                               {c->hebb.mean_square, c->flip->n_layers * (uint32_t)sizeof(float)},
                               {c->g->scale + first, classes * (uint32_t)sizeof(float)}, {c->g->bias + first, classes * (uint32_t)sizeof(int32_t)},
                               {lda->count, features ? classes * (uint32_t)sizeof(uint32_t) : 0}, {lda->mean, features * classes * (uint32_t)sizeof(float)},
                               {lda->scatter, features * (features + 1) / 2 * (uint32_t)sizeof(float)},
                               {c->lda.other_codes, features ? qc_lda_code_bytes(&c->lda) : 0},
                               {c->lda.other_scale, features ? classes * (uint32_t)sizeof(float) : 0},
                               {c->lda.other_bias, features ? classes * (uint32_t)sizeof(int32_t) : 0}};
    memcpy(pieces, all, sizeof all);
}

static uint64_t content_bytes(const QcCalibrator *c)
{
    Numbers numbers;
    Piece pieces[PIECES];
    uint64_t sum = 0;
    list_pieces(pieces, c, &numbers);
    for (int i = 0; i < PIECES; i++) sum += pieces[i].n;
    return sum;
}

static Numbers numbers_of(const QcCalibrator *c)
{
    return (Numbers){c->batches, qc_float_bits(c->phi), {(uint32_t)c->seen, (uint32_t)(c->seen >> 32)}, (uint32_t)c->heads, qc_float_bits(c->lead), c->waited};
}

static void set_numbers(QcCalibrator *c, const Numbers *n)
{
    c->batches = n->batches;
    c->phi = qc_bits_float(n->phi);
    c->seen = n->seen[0] | (uint64_t)n->seen[1] << 32;
    c->heads = (QcHeads)n->heads;
    c->lead = qc_bits_float(n->lead);
    c->waited = n->waited;
}

static int is_last_layer(const QcCalibrator *c, const float *scale, const int32_t *bias)
{
    int32_t most = qc_largest_bias(c->g, &c->g->nodes[c->g->n_nodes - 1]);
    for (uint32_t k = 0; k < c->g->classes; k++)
        if (!(scale[k] > 0 && scale[k] < 1e20f) || bias[k] < -most || bias[k] > most) return 0;
    return 1;
}

/* Checksums tell chance from intent: what could lead the step astray is looked at. */
static int makes_sense(const QcCalibrator *c)
{
    const QcSlots *s = &c->slots;
    if (!(c->phi > 0 && c->phi < 1e6f)) return 0;
    for (uint32_t i = 0; i < s->capacity; i++)
        if (!(s->flags[i] & QC_SLOT_EMPTY) && s->label[i] >= c->g->classes) return 0;
    for (uint32_t l = 0; l < c->flip->n_layers; l++)
        if (!(c->hebb.mean_square[l] >= 0)) return 0;
    const QcQNode *last = &c->g->nodes[c->g->n_nodes - 1];
    if (!is_last_layer(c, c->g->scale + last->channel, c->g->bias + last->channel)) return 0;
    if (!c->lda.n) return c->heads == QC_HEADS_ONE;
    if (c->heads != QC_HEADS_ONE && !(c->heads < QC_HEADS_COUNT && is_last_layer(c, c->lda.other_scale, c->lda.other_bias))) return 0;
    return c->lead > -1e9f && c->lead < 1e9f && qc_lda_is_sound(&c->lda);
}

/* ---- where it lies ---- */

static uint32_t header_room(uint32_t page) { return page > QC_STATE_HEADER ? page : QC_STATE_HEADER; }

static uint64_t whole_pages(uint64_t bytes, uint32_t page) { return (bytes + page - 1) / page * page; }

uint64_t qc_state_bytes(const QcCalibrator *c, uint32_t page_bytes)
{
    return header_room(page_bytes) + whole_pages(content_bytes(c), page_bytes);
}

static int fits(const QcFlash *f, const QcCalibrator *c)
{
    uint32_t page = f->page_bytes, sector = f->sector_bytes;
    if (!page || page > QC_STATE_PAGE_MAX || (page & (page - 1)) || !sector || sector % page || f->slot_bytes % sector) return 0;
    return f->slot_bytes <= UINT32_MAX / 2 && qc_state_bytes(c, page) <= f->slot_bytes;
}

static uint32_t slot_start(const QcFlash *f, int slot) { return slot ? f->slot_bytes : 0; }

static uint32_t header_crc(const Header *h) { return qc_crc32_add(0, h, sizeof *h - sizeof h->crc); }

/* ---- looking ---- */

typedef enum Slot { SLOT_UNREADABLE = -1, SLOT_TORN, SLOT_FOREIGN, SLOT_WHOLE } Slot;

static Slot look_at(const QcState *s, const QcCalibrator *c, int slot, Header *h)
{
    const QcFlash *f = s->flash;
    uint32_t at = slot_start(f, slot), crc = 0, left;
    uint8_t bytes[64];
    if (f->read(f->ctx, at, h, sizeof *h)) return SLOT_UNREADABLE;
    if (h->magic != MAGIC || h->crc != header_crc(h)) return SLOT_TORN;
    if (h->format != FORMAT || h->identity[0] != (uint32_t)s->identity || h->identity[1] != (uint32_t)(s->identity >> 32) || h->bytes != content_bytes(c))
        return SLOT_FOREIGN;
    at += header_room(f->page_bytes);
    for (left = h->bytes; left > 0;) {
        uint32_t n = left < sizeof bytes ? left : (uint32_t)sizeof bytes;
        if (f->read(f->ctx, at, bytes, n)) return SLOT_UNREADABLE;
        crc = qc_crc32_add(crc, bytes, n);
        at += n;
        left -= n;
    }
    return crc == h->content_crc ? SLOT_WHOLE : SLOT_TORN;
}

/* Which slots are whole, the newest first: order [2]; returns how many. */
static int sort_slots(QcState *s, const QcCalibrator *c, int order[2], uint32_t sequence[2], int *foreign, int *unreadable)
{
    int n = 0;
    *foreign = *unreadable = 0;
    for (int slot = 0; slot < 2; slot++) {
        Header h;
        Slot found = look_at(s, c, slot, &h);
        *foreign |= found == SLOT_FOREIGN;
        *unreadable |= found == SLOT_UNREADABLE;
        if (found != SLOT_WHOLE) continue;
        int first = n == 1 && (int32_t)(h.sequence - sequence[0]) > 0; /* numbers go round */
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

static int read_content(const QcFlash *f, QcCalibrator *c, int slot)
{
    Numbers numbers;
    Piece pieces[PIECES];
    uint32_t at = slot_start(f, slot) + header_room(f->page_bytes);
    list_pieces(pieces, c, &numbers);
    for (int i = 0; i < PIECES; i++) {
        if (pieces[i].n && f->read(f->ctx, at, pieces[i].bytes, pieces[i].n)) return -1;
        at += pieces[i].n;
    }
    set_numbers(c, &numbers);
    return makes_sense(c) ? 0 : -1;
}

void qc_state_init(QcState *s, const QcFlash *flash, uint64_t identity) { *s = (QcState){.flash = flash, .identity = identity, .newest = -1}; }

QcStateFound qc_state_load(QcState *s, QcCalibrator *c)
{
    int order[2], foreign, unreadable;
    uint32_t sequence[2];
    if (!fits(s->flash, c)) return QC_STATE_BROKEN;
    int n = sort_slots(s, c, order, sequence, &foreign, &unreadable);
    for (int i = 0; i < n; i++) {
        s->newest = (int8_t)order[i];
        s->sequence = sequence[i];
        if (!read_content(s->flash, c, order[i])) return QC_STATE_LOADED;
    }
    if (n || unreadable) return QC_STATE_BROKEN;
    return foreign ? QC_STATE_FOREIGN : QC_STATE_NONE;
}

/* ---- writing ---- */

/* Bytes on their way into pages. */
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

static int write_content(const QcFlash *f, const QcCalibrator *c, int slot, uint32_t *crc)
{
    Numbers numbers = numbers_of(c);
    Piece pieces[PIECES];
    Pages p = {.f = f, .at = slot_start(f, slot) + header_room(f->page_bytes)};
    list_pieces(pieces, c, &numbers);
    for (int i = 0; i < PIECES; i++) add(&p, pieces[i].bytes, pieces[i].n);
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

int qc_state_save(QcState *s, const QcCalibrator *c)
{
    const QcFlash *f = s->flash;
    if (!fits(f, c)) return -1;
    if (!s->known) {
        int order[2], foreign, unreadable;
        uint32_t sequence[2];
        sort_slots(s, c, order, sequence, &foreign, &unreadable);
    }
    int slot = s->newest == 0;
    Header h = {MAGIC, FORMAT, {(uint32_t)s->identity, (uint32_t)(s->identity >> 32)}, s->sequence + 1, (uint32_t)content_bytes(c), 0, 0}, there;
    if (erase_slot(f, slot, qc_state_bytes(c, f->page_bytes)) || write_content(f, c, slot, &h.content_crc)) return -1;
    h.crc = header_crc(&h);
    if (write_header(f, &h, slot)) return -1;
    if (look_at(s, c, slot, &there) != SLOT_WHOLE) return -1; /* worn out: the next save tries this slot again, and the other one stays */
    s->newest = (int8_t)slot;
    s->sequence = h.sequence;
    return 0;
}
