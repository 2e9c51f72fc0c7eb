/* solving.h - a tiny device whose last layer is solved in closed form, batches for it, and a hash of all that it changes. */
#ifndef QC_TESTS_SOLVING_H
#define QC_TESTS_SOLVING_H

#include "suite.h"
#include "tiny.h"

#include "../../lib/device/calibrate.h"

enum { CAPACITY = 12, BATCH = 12, BATCHES = 8 };

typedef struct Device {
    Tiny t;
    QcFlip flip;
    QcCalibrator c;
    void *memory;
} Device;

typedef struct Batch {
    uint8_t x[BATCH * TINY_VALUES];
    uint16_t label[BATCH];
    uint64_t id[BATCH];
} Batch;

/* A class shows in the mean of a channel, the last one in none; classes: of which the batch has examples, one after another. */
static inline void make_batch(Batch *b, const Device *d, uint32_t number, double size, uint32_t first, uint32_t classes)
{
    float x[TINY_VALUES];
    for (uint32_t i = 0; i < BATCH; i++) {
        b->label[i] = (uint16_t)((first + i % classes) % TINY_CLASSES);
        b->id[i] = number * 100 + i;
        tiny_windows(x, 1, size, number * 100 + i);
        for (int v = 0; v < TINY_VALUES; v++) x[v] += v % TINY_CHANNELS == b->label[i] ? 1.2f : -0.2f;
        qc_q_input(b->x + i * TINY_VALUES, x, TINY_VALUES, &d->t.g.tensors[0]);
    }
}

static inline void device_begin_with(Device *d, TinyKind kind, const QcCalibrateOptions *o, int bits, const QcKernels *kernels, int flips)
{
    Batch source;
    tiny_make(&d->t, kind, bits, 8, 8);
    d->flip = (QcFlip){0};
    if (flips) tiny_flip(&d->flip, &d->t, 4);
    uint64_t bytes = qc_calibrator_bytes(&d->t.g, &d->flip, o, CAPACITY, BATCH);
    d->memory = aligned_alloc(64, bytes);
    qc_calibrator_place(&d->c, &d->t.g, &d->flip, kernels, o, CAPACITY, BATCH, d->memory);
    make_batch(&source, d, 90, 0.7, 0, TINY_CLASSES);
    QcSlots *s = &d->c.slots;
    memcpy(s->x, source.x, sizeof source.x);
    for (uint32_t i = 0; i < CAPACITY; i++) {
        s->label[i] = source.label[i];
        s->id[i] = source.id[i];
        s->flags[i] = i < CAPACITY / 2 ? QC_SLOT_RESERVED : 0;
        s->misses[i] = 0;
    }
}

static inline void device_begin(Device *d, TinyKind kind, const QcCalibrateOptions *o, int bits) { device_begin_with(d, kind, o, bits, &qc_kernels_scalar, 1); }

static inline void device_end(Device *d)
{
    free(d->memory);
    tiny_release(&d->t);
}

static inline uint32_t right_of(Device *d, const Batch *b)
{
    uint32_t right = 0;
    for (uint32_t i = 0; i < BATCH; i++) {
        float logits[TINY_CLASSES];
        uint32_t best = 0;
        qc_qrun_forward(&d->t.run, logits, b->x + i * TINY_VALUES);
        for (uint32_t k = 1; k < TINY_CLASSES; k++) best = logits[k] > logits[best] ? k : best;
        right += best == b->label[i];
    }
    return right;
}

static inline uint32_t right_of_other(Device *d, const Batch *b)
{
    qc_lda_swap(&d->c.lda);
    uint32_t right = right_of(d, b);
    qc_lda_swap(&d->c.lda);
    return right;
}

static inline uint64_t add_to_hash(uint64_t hash, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) hash = qc_hash64(hash, ((const uint8_t *)bytes)[i]);
    return hash;
}

static inline uint64_t hash_of_model(const QcQGraph *g)
{
    uint64_t hash = add_to_hash(0, g->codes, g->n_code_bytes);
    hash = add_to_hash(hash, g->scale, g->n_channels * sizeof *g->scale);
    return add_to_hash(hash, g->bias, g->n_channels * sizeof *g->bias);
}

/* All that a calibrator changes, as one hash. */
static inline uint64_t hash_of(const Device *d)
{
    const QcQGraph *g = &d->t.g;
    const QcLda *l = &d->c.lda;
    uint64_t hash = hash_of_model(g);
    hash = add_to_hash(hash, l->stream.count, TINY_CLASSES * sizeof *l->stream.count);
    hash = add_to_hash(hash, l->stream.mean, TINY_CLASSES * l->n * sizeof *l->stream.mean);
    hash = add_to_hash(hash, l->stream.scatter, l->n * (l->n + 1) / 2 * sizeof *l->stream.scatter);
    hash = add_to_hash(hash, &d->c.lead, sizeof d->c.lead);
    hash = add_to_hash(hash, &d->c.waited, sizeof d->c.waited);
    hash = add_to_hash(hash, d->c.slots.x, CAPACITY * TINY_VALUES);
    return add_to_hash(hash, d->c.slots.id, CAPACITY * sizeof *d->c.slots.id);
}

static inline int same_model(const QcQGraph *a, const QcQGraph *b)
{
    return !memcmp(a->codes, b->codes, a->n_code_bytes) && !memcmp(a->scale, b->scale, a->n_channels * sizeof *a->scale) &&
           !memcmp(a->bias, b->bias, a->n_channels * sizeof *a->bias);
}

static inline QcCalibrateOptions options(int bits, int second)
{
    QcCalibrateOptions o = qc_calibrate_defaults(bits);
    o.second = second;
    o.rest = 0;
    o.stop = o.temper; /* whether there is a second one or not */
    o.rounds = 6;
    return o;
}

#endif
