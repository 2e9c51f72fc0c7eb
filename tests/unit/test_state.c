/* A device's state against power cuts: on memory with the habits of flash, cut at every byte. */
#include <check.h>

#include "suite.h"
#include "tiny.h"

#include "../../lib/base/digest.h"
#include "../../lib/device/state.h"

enum { CAPACITY = 5, BATCH = 6, WINDOW = TINY_VALUES, ROOM = 1 << 15 };

/* ---- flash ---- */

typedef struct Cells {
    uint8_t bytes[ROOM];
    uint32_t sector, page;
    int64_t budget; /* bytes that still change before the power goes; < 0: it stays */
    int is_off;
    uint32_t changed; /* bytes, so far */
} Cells;

/* The byte under work when the power goes gets there in part. */
static int may_change(Cells *c, uint8_t *byte, uint8_t to)
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

static int cells_read(void *ctx, uint32_t at, void *to, uint32_t n)
{
    Cells *c = ctx;
    if (at + n > ROOM) ck_abort_msg("a read beyond the end"); /* an assertion at each call would take most of the time */
    memcpy(to, c->bytes + at, n);
    return c->is_off;
}

static int cells_erase(void *ctx, uint32_t at)
{
    Cells *c = ctx;
    if (at % c->sector) ck_abort_msg("no sector begins at %u", at);
    for (uint32_t i = 0; i < c->sector; i++) may_change(c, &c->bytes[at + i], 0xff);
    return c->is_off;
}

static int cells_program(void *ctx, uint32_t at, const void *from, uint32_t n)
{
    Cells *c = ctx;
    const uint8_t *bytes = from;
    uint32_t used = 0; /* a page is written once after an erase */
    for (uint32_t i = 0; i < n && !c->is_off; i++) used += c->bytes[at + i] != 0xff;
    if (used || at % c->page || n % c->page) ck_abort_msg("%u bytes at %u, %u of them written before", n, at, used);
    for (uint32_t i = 0; i < n; i++) may_change(c, &c->bytes[at + i], bytes[i]);
    return c->is_off;
}

static void cells_init(Cells *c, QcFlash *f, uint32_t sector, uint32_t page)
{
    QcRng rng = qc_rng_seed(7, 7);
    *c = (Cells){.sector = sector, .page = page, .budget = -1};
    for (uint32_t i = 0; i < ROOM; i++) c->bytes[i] = (uint8_t)qc_rng_next(&rng); /* whatever was there before */
    *f = (QcFlash){c, ROOM / 2, sector, page, cells_read, cells_erase, cells_program, NULL};
}

/* ---- a device ---- */

typedef struct Device {
    Tiny tiny;
    QcFlip flip;
    QcCalibrateOptions options;
    QcCalibrator c;
    void *memory;
    size_t bytes;
    uint8_t *first_codes;
    float *first_scale;
    int32_t *first_bias;
} Device;

static void place(Device *d, uint32_t capacity)
{
    memset(d->memory, 0xa5, d->bytes); /* RAM after a power cut */
    memcpy(d->tiny.g.codes, d->first_codes, d->tiny.g.n_code_bytes);
    memcpy(d->tiny.g.scale, d->first_scale, d->tiny.g.n_channels * sizeof *d->first_scale);
    memcpy(d->tiny.g.bias, d->first_bias, d->tiny.g.n_channels * sizeof *d->first_bias);
    qc_calibrator_place(&d->c, &d->tiny.g, &d->flip, &qc_kernels_scalar, &d->options, capacity, BATCH, d->memory);
}

static void *copy_of(const void *bytes, size_t n)
{
    void *copy = malloc(n);
    ck_assert_ptr_nonnull(copy);
    return memcpy(copy, bytes, n);
}

static void device_init(Device *d, int bits)
{
    *d = (Device){0};
    tiny_make(&d->tiny, TINY_INCEPTION, bits, 8, 3);
    tiny_flip(&d->flip, &d->tiny, 4);
    d->options = qc_calibrate_defaults(bits);
    d->options.rounds = 4;
    d->options.chunk = 1; /* as little as possible: layers are then weighed by what was last known of others */
    d->first_codes = copy_of(d->tiny.g.codes, d->tiny.g.n_code_bytes);
    d->first_scale = copy_of(d->tiny.g.scale, d->tiny.g.n_channels * sizeof *d->first_scale);
    d->first_bias = copy_of(d->tiny.g.bias, d->tiny.g.n_channels * sizeof *d->first_bias);
    d->bytes = (qc_calibrator_bytes(&d->tiny.g, &d->flip, &d->options, CAPACITY + 1, BATCH) + 63) / 64 * 64;
    d->memory = aligned_alloc(64, d->bytes);
    ck_assert_ptr_nonnull(d->memory);
    place(d, CAPACITY);
}

static void device_release(Device *d)
{
    free(d->memory);
    free(d->first_codes);
    free(d->first_scale);
    free(d->first_bias);
    tiny_release(&d->tiny);
}

/* Returns 1 where the last layer was solved instead of flips. */
static uint32_t learn(Device *d, uint32_t batch)
{
    float x[BATCH * WINDOW];
    uint8_t q[BATCH * WINDOW];
    uint16_t labels[BATCH];
    uint64_t ids[BATCH];
    QcCalibrateReport r;
    tiny_windows(x, BATCH, 1, 100 + batch);
    qc_q_input(q, x, BATCH * WINDOW, &d->tiny.g.tensors[0]);
    for (uint32_t i = 0; i < BATCH; i++) {
        labels[i] = (uint16_t)((i % (batch == 2 ? 2 : TINY_CLASSES) + batch) % TINY_CLASSES); /* the third lacks half of the classes */
        ids[i] = batch * 100 + i;
    }
    qc_calibrate_batch(&d->c, &r, q, labels, ids, BATCH);
    return r.solved;
}

/* All that a restart must bring back, as bytes. */
typedef struct Snapshot {
    uint8_t bytes[8192];
    uint32_t n;
} Snapshot;

static void note(Snapshot *s, const void *bytes, size_t n)
{
    if (s->n + n > sizeof s->bytes) ck_abort_msg("the snapshot is too small");
    memcpy(s->bytes + s->n, bytes, n);
    s->n += (uint32_t)n;
}

static Snapshot snapshot(const Device *d)
{
    Snapshot s = {.n = 0};
    const QcCalibrator *c = &d->c;
    note(&s, d->tiny.g.codes, d->tiny.g.n_code_bytes);
    note(&s, c->slots.x, (size_t)c->slots.capacity * c->slots.window);
    note(&s, c->slots.label, c->slots.capacity * sizeof(uint16_t));
    note(&s, c->slots.misses, c->slots.capacity * sizeof(uint16_t));
    note(&s, c->slots.flags, c->slots.capacity);
    note(&s, c->slots.id, c->slots.capacity * sizeof(uint64_t));
    note(&s, c->hebb.mean_square, d->flip.n_layers * sizeof(float));
    const QcScatter *stream = &c->lda.stream;
    size_t features = c->lda.n, classes = c->lda.classes;
    note(&s, d->tiny.g.scale, d->tiny.g.n_channels * sizeof(float));
    note(&s, d->tiny.g.bias, d->tiny.g.n_channels * sizeof(int32_t));
    note(&s, stream->count, classes * sizeof *stream->count);
    note(&s, stream->mean, features * classes * sizeof *stream->mean);
    note(&s, stream->scatter, features * (features + 1) / 2 * sizeof *stream->scatter);
    note(&s, &c->heads, sizeof c->heads);
    note(&s, &c->lead, sizeof c->lead);
    if (c->heads != QC_HEADS_ONE) {
        note(&s, c->lda.other_codes, qc_lda_code_bytes(&c->lda));
        note(&s, c->lda.other_scale, classes * sizeof *c->lda.other_scale);
        note(&s, c->lda.other_bias, classes * sizeof *c->lda.other_bias);
    }
    note(&s, &c->phi, sizeof c->phi);
    note(&s, &c->batches, sizeof c->batches);
    note(&s, &c->seen, sizeof c->seen);
    return s;
}

static int same(const Snapshot *a, const Snapshot *b) { return a->n == b->n && !memcmp(a->bytes, b->bytes, a->n); }

static QcStateFound restart(Device *d, const QcFlash *f, uint64_t identity)
{
    QcState s;
    place(d, CAPACITY);
    qc_state_init(&s, f, identity);
    return qc_state_load(&s, &d->c);
}

static void save(Device *d, const QcFlash *f)
{
    QcState s;
    qc_state_init(&s, f, 1);
    ck_assert_int_eq(qc_state_save(&s, &d->c), 0);
}

/* ---- tests ---- */

START_TEST(a_restart_goes_on_exactly)
{
    Device d;
    static Cells cells;
    QcFlash f;
    const int bits[] = {2, 4, 8};
    uint32_t solved = 0;
    device_init(&d, bits[_i]);
    for (uint32_t b = 0; b < 4; b++) solved += learn(&d, b);
    ck_assert_uint_gt(solved, 0); /* and so there is more than codes to bring back */
    Snapshot straight = snapshot(&d);
    for (uint32_t cut = 0; cut <= 4; cut++) {
        cells_init(&cells, &f, 1024, 8);
        place(&d, CAPACITY);
        for (uint32_t b = 0; b < cut; b++) learn(&d, b);
        save(&d, &f);
        ck_assert_int_eq(restart(&d, &f, 1), QC_STATE_LOADED);
        for (uint32_t b = cut; b < 4; b++) learn(&d, b);
        Snapshot now = snapshot(&d);
        ck_assert_msg(same(&now, &straight), "cut after batch %u", cut);
    }
    device_release(&d);
}
END_TEST

/* RAM as it is at a moment. */
typedef struct Ram {
    QcCalibrator c;
    uint8_t *memory, *codes;
    float *scale;
    int32_t *bias;
} Ram;

static Ram keep_ram(const Device *d)
{
    const QcQGraph *g = &d->tiny.g;
    return (Ram){d->c, copy_of(d->memory, d->bytes), copy_of(g->codes, g->n_code_bytes), copy_of(g->scale, g->n_channels * sizeof *g->scale),
                 copy_of(g->bias, g->n_channels * sizeof *g->bias)};
}

static void put_ram(Device *d, const Ram *ram)
{
    d->c = ram->c;
    memcpy(d->memory, ram->memory, d->bytes);
    memcpy(d->tiny.g.codes, ram->codes, d->tiny.g.n_code_bytes);
    memcpy(d->tiny.g.scale, ram->scale, d->tiny.g.n_channels * sizeof *ram->scale);
    memcpy(d->tiny.g.bias, ram->bias, d->tiny.g.n_channels * sizeof *ram->bias);
}

/* One save, cut after `budget` bytes: 1 when it got through. Afterwards there is the old state or the new one, and saving works again. */
static int cut_save(Device *d, Cells *cells, const QcFlash *f, int64_t budget, const Snapshot *old, const Snapshot *new, int has_old, int *is_new)
{
    QcState s;
    cells->budget = budget;
    qc_state_init(&s, f, 1);
    int status = qc_state_save(&s, &d->c), finished = !cells->is_off;
    ck_assert_int_eq(status, finished ? 0 : -1);
    cells->is_off = 0;
    cells->budget = -1;

    QcStateFound found = restart(d, f, 1);
    Snapshot now = snapshot(d);
    *is_new = same(&now, new);
    ck_assert_msg(*is_new || same(&now, old), "cut at byte %lld: neither the old state nor the new", (long long)budget);
    ck_assert_int_eq(found, has_old || *is_new ? QC_STATE_LOADED : QC_STATE_NONE);
    ck_assert(!finished || *is_new);

    save(d, f);
    ck_assert_int_eq(restart(d, f, 1), QC_STATE_LOADED);
    Snapshot saved = snapshot(d);
    ck_assert(same(&saved, &now));
    return finished;
}

/* _i: the page. before: saves that went well; 0: the first save of all, over garbage; then into either slot. */
START_TEST(cut_at_any_byte)
{
    const uint32_t pages[] = {1, 8, 64, 512}, page = pages[_i];
    Device d;
    static Cells cells, start;
    static Snapshot old, new;
    QcFlash f;
    device_init(&d, 4);
    for (uint32_t before = 0; before < 3; before++) {
        cells_init(&cells, &f, page > 256 ? page : 256, page);
        place(&d, CAPACITY);
        for (uint32_t b = 0; b < before; b++) {
            learn(&d, b);
            save(&d, &f);
        }
        old = snapshot(&d);
        start = cells;
        learn(&d, before);
        new = snapshot(&d);
        Ram ram = keep_ram(&d);
        uint32_t n_old = 0;
        int finished = 0, is_new = 0;
        for (int64_t budget = 0; !finished; budget++) {
            put_ram(&d, &ram);
            cells = start;
            finished = cut_save(&d, &cells, &f, budget, &old, &new, before > 0, &is_new);
            n_old += (uint32_t)!is_new;
        }
        ck_assert_uint_gt(n_old, new.n); /* it was cut that often before the new state was whole */
        free(ram.memory);
        free(ram.codes);
        free(ram.scale);
        free(ram.bias);
    }
    device_release(&d);
}
END_TEST

START_TEST(sequence_goes_round)
{
    Device d;
    static Cells cells;
    QcFlash f;
    QcState s;
    device_init(&d, 2);
    cells_init(&cells, &f, 4096, 64);
    qc_state_init(&s, &f, 1);
    ck_assert_int_eq(qc_state_load(&s, &d.c), QC_STATE_NONE);
    s.sequence = UINT32_MAX - 2;
    for (uint32_t b = 0; b < 6; b++) {
        learn(&d, b);
        ck_assert_int_eq(qc_state_save(&s, &d.c), 0);
        ck_assert_uint_eq(s.sequence, UINT32_MAX - 1 + b); /* wraps as it does */
        Snapshot saved = snapshot(&d);
        ck_assert_int_eq(restart(&d, &f, 1), QC_STATE_LOADED);
        Snapshot now = snapshot(&d);
        ck_assert_msg(same(&now, &saved), "save %u", b);
    }
    ck_assert_uint_lt(s.sequence, 6);
    device_release(&d);
}
END_TEST

/* A byte of either slot goes bad at rest. */
START_TEST(a_bad_byte_costs_one_state_at_most)
{
    Device d;
    static Cells cells;
    static Snapshot states[2];
    QcFlash f;
    device_init(&d, 4);
    cells_init(&cells, &f, 1024, 64);
    for (uint32_t b = 0; b < 2; b++) {
        learn(&d, b);
        save(&d, &f);
        states[b] = snapshot(&d);
    }
    uint32_t used = (uint32_t)qc_state_bytes(&d.c, 64), lost = 0;
    for (uint32_t slot = 0; slot < 2; slot++)
        for (uint32_t at = 0; at < used; at++) {
            uint8_t *byte = &cells.bytes[slot * (ROOM / 2) + at];
            *byte ^= (uint8_t)(1u << (at % 8));
            ck_assert_int_eq(restart(&d, &f, 1), QC_STATE_LOADED);
            Snapshot now = snapshot(&d);
            int is_new = same(&now, &states[1]);
            ck_assert(is_new || same(&now, &states[0]));
            ck_assert_msg(slot == 1 || is_new, "byte %u of the older slot took the newer one with it", at);
            lost += !is_new;
            *byte ^= (uint8_t)(1u << (at % 8));
        }
    uint32_t content;
    memcpy(&content, cells.bytes + ROOM / 2 + 20, sizeof content);
    ck_assert_uint_ge(lost, content + 32); /* the header's */
    device_release(&d);
}
END_TEST

START_TEST(states_of_others_are_refused)
{
    Device d;
    static Cells cells;
    QcFlash f;
    QcState s;
    device_init(&d, 4);
    cells_init(&cells, &f, 1024, 8);
    ck_assert_int_eq(restart(&d, &f, 1), QC_STATE_NONE);
    learn(&d, 0);
    save(&d, &f);
    for (uint64_t identity = 2; identity; identity <<= 1) {
        place(&d, CAPACITY);
        Snapshot before = snapshot(&d);
        ck_assert_int_eq(restart(&d, &f, identity), QC_STATE_FOREIGN);
        Snapshot now = snapshot(&d);
        ck_assert(same(&before, &now));
    }
    place(&d, CAPACITY + 1); /* the same name, another coreset */
    qc_state_init(&s, &f, 1);
    ck_assert_int_eq(qc_state_load(&s, &d.c), QC_STATE_FOREIGN);
    /* Saving over it is the caller's decision; the other's state is then still in the other slot. */
    ck_assert_int_eq(qc_state_save(&s, &d.c), 0);
    ck_assert_int_eq(qc_state_load(&s, &d.c), QC_STATE_LOADED);
    device_release(&d);
}
END_TEST

static void put_u32(uint8_t *at, uint32_t value) { memcpy(at, &value, sizeof value); }

/* A slot whose checksums are right, and that would lead the step astray. */
START_TEST(forged_states_are_refused)
{
    Device d;
    static Cells cells;
    QcFlash f;
    device_init(&d, 4);
    cells_init(&cells, &f, 1024, 8);
    learn(&d, 0);
    save(&d, &f);
    uint8_t *header = cells.bytes, *content = cells.bytes + QC_STATE_HEADER;
    uint32_t n;
    memcpy(&n, header + 20, sizeof n);
    const QcLda *l = &d.c.lda;
    uint32_t label = 24 + d.tiny.g.n_code_bytes + CAPACITY * WINDOW, squares = label + CAPACITY * 13, scale = squares + d.flip.n_layers * 4;
    uint32_t mean = scale + 3 * TINY_CLASSES * 4, other = n - TINY_CLASSES * 8; /* behind the first: biases and counts; of the other last layer, scales and biases */
    ck_assert(d.c.heads != QC_HEADS_ONE && other == mean + 4 * (l->n * TINY_CLASSES + l->n * (l->n + 1) / 2) + qc_lda_code_bytes(l));
    const uint32_t fields[] = {label, 4, squares, scale, scale + TINY_CLASSES * 4, mean, other - qc_lda_code_bytes(l) - 4, other, other + TINY_CLASSES * 4, 16, 20};
    const uint32_t nan = 0x7fc00000, minus_one = 0xbf800000, most = 0x7fffffff, all = 0xffffffff;
    const uint32_t values[] = {all, minus_one, nan, minus_one, most, nan, nan, nan, most, QC_HEADS_COUNT, nan};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        uint8_t was[4];
        memcpy(was, content + fields[i], 4);
        put_u32(content + fields[i], values[i]);
        put_u32(header + 24, qc_crc32(content, n));
        put_u32(header + 28, qc_crc32(header, 28));
        ck_assert_msg(restart(&d, &f, 1) == QC_STATE_BROKEN, "field %zu", i);
        memcpy(content + fields[i], was, 4);
        put_u32(header + 24, qc_crc32(content, n));
        put_u32(header + 28, qc_crc32(header, 28));
        ck_assert_int_eq(restart(&d, &f, 1), QC_STATE_LOADED);
    }
    device_release(&d);
}
END_TEST

START_TEST(memory_that_does_not_fit_is_refused)
{
    Device d;
    static Cells cells;
    QcFlash good, f;
    QcState s;
    device_init(&d, 4);
    cells_init(&cells, &good, 1024, 8);
    uint32_t bytes = (uint32_t)qc_state_bytes(&d.c, 8);
    const QcFlash wrong[] = {{.slot_bytes = bytes / 1024 * 1024, .sector_bytes = 1024, .page_bytes = 8},  {.slot_bytes = 8192, .sector_bytes = 1024, .page_bytes = 0},
                             {.slot_bytes = 8192, .sector_bytes = 1024, .page_bytes = 24},   {.slot_bytes = 8192, .sector_bytes = 1024, .page_bytes = 1024},
                             {.slot_bytes = 8192, .sector_bytes = 0, .page_bytes = 8},       {.slot_bytes = 8192, .sector_bytes = 3072, .page_bytes = 8},
                             {.slot_bytes = 1u << 31, .sector_bytes = 1024, .page_bytes = 8}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        f = good;
        f.slot_bytes = wrong[i].slot_bytes;
        f.sector_bytes = wrong[i].sector_bytes;
        f.page_bytes = wrong[i].page_bytes;
        qc_state_init(&s, &f, 1);
        ck_assert_msg(qc_state_load(&s, &d.c) == QC_STATE_BROKEN, "case %zu", i);
        ck_assert_int_eq(qc_state_save(&s, &d.c), -1);
    }
    ck_assert_uint_eq(cells.changed, 0);
    device_release(&d);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("state");
    TCase *t = tcase_create("state");
    tcase_add_loop_test(t, a_restart_goes_on_exactly, 0, 3);
    tcase_add_loop_test(t, cut_at_any_byte, 0, 4);
    tcase_add_test(t, sequence_goes_round);
    tcase_add_test(t, a_bad_byte_costs_one_state_at_most);
    tcase_add_test(t, states_of_others_are_refused);
    tcase_add_test(t, forged_states_are_refused);
    tcase_add_test(t, memory_that_does_not_fit_is_refused);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
