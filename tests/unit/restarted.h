/* restarted.h - a small device that learns, loses its memory and comes back with what its state holds. Include behind tiny.h. */
#ifndef QC_TESTS_RESTARTED_H
#define QC_TESTS_RESTARTED_H

#include "../../lib/device/state.h"

enum { CAPACITY = 5, BATCH = 6, WINDOW = TINY_VALUES };

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

static inline void place(Device *d, uint32_t capacity)
{
    memset(d->memory, 0xa5, d->bytes); /* RAM after a power cut */
    memcpy(d->tiny.g.codes, d->first_codes, d->tiny.g.n_code_bytes);
    memcpy(d->tiny.g.scale, d->first_scale, d->tiny.g.n_channels * sizeof *d->first_scale);
    memcpy(d->tiny.g.bias, d->first_bias, d->tiny.g.n_channels * sizeof *d->first_bias);
    qc_calibrator_place(&d->c, &d->tiny.g, &d->flip, &qc_kernels_scalar, &d->options, capacity, BATCH, d->memory);
}

static inline void *copy_of(const void *bytes, size_t n)
{
    void *copy = malloc(n);
    ck_assert_ptr_nonnull(copy);
    return memcpy(copy, bytes, n);
}

static inline void device_init(Device *d, int bits)
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

static inline void device_release(Device *d)
{
    free(d->memory);
    free(d->first_codes);
    free(d->first_scale);
    free(d->first_bias);
    tiny_release(&d->tiny);
}

/* Returns 1 where the last layer was solved instead of flips. */
static inline uint32_t learn(Device *d, uint32_t batch)
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

static inline void note(Snapshot *s, const void *bytes, size_t n)
{
    if (s->n + n > sizeof s->bytes) ck_abort_msg("the snapshot is too small");
    memcpy(s->bytes + s->n, bytes, n);
    s->n += (uint32_t)n;
}

static inline Snapshot snapshot(const Device *d)
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
    note(&s, &c->waited, sizeof c->waited);
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

static inline int same(const Snapshot *a, const Snapshot *b) { return a->n == b->n && !memcmp(a->bytes, b->bytes, a->n); }

static inline QcStateFound restart(Device *d, const QcFlash *f, uint64_t identity)
{
    QcState s;
    place(d, CAPACITY);
    qc_state_init(&s, f, identity);
    return qc_state_load(&s, &d->c);
}

static inline void save(Device *d, const QcFlash *f)
{
    QcState s;
    qc_state_init(&s, f, 1);
    ck_assert_int_eq(qc_state_save(&s, &d->c), 0);
}

#endif
