/* streaming.h - a learner on a tiny graph, windows that their ids determine, and adaptation on a batch of windows.
 * Include after suite.h and tiny.h.
 *
 * Class k has a larger mean in channel k; the last class has it in no channel. Ids below SOURCE_IDS are the source's.
 * The stream's windows are shifted: channels have other offsets, so that the last layer of the source is often wrong.
 */
#ifndef QC_TESTS_STREAMING_H
#define QC_TESTS_STREAMING_H

#include "guarded.h"

#include "../../lib/device/learner.h"

enum { CAPACITY = 12, RESERVED = 6, BATCH = 12, SOURCE_IDS = 1000 };

typedef struct Device {
    Tiny t;
    QcFlip flip;
    QcLearnerSetup setup;
    QcLearner l;
    Guarded memory;
} Device;

static inline uint16_t label_of(uint64_t id) { return (uint16_t)(id % TINY_CLASSES); }

static inline void window_of(uint8_t *q, const QcQGraph *g, uint64_t id)
{
    static const float shift[TINY_CHANNELS] = {-0.9f, 0.9f, 0};
    float x[TINY_VALUES];
    tiny_windows(x, 1, id < SOURCE_IDS ? 0.3 : 0.6, 7000 + id);
    for (int v = 0; v < TINY_VALUES; v++)
        x[v] += (v % TINY_CHANNELS == label_of(id) ? 1.2f : -0.2f) + (id < SOURCE_IDS ? 0 : shift[v % TINY_CHANNELS]);
    qc_q_input(q, x, TINY_VALUES, &g->tensors[0]);
}

/* The setup is d->setup but for graph and flip network. */
static inline void device_place(Device *d, const QcKernels *kernels, int at_end)
{
    d->setup.graph = &d->t.g;
    d->setup.flip = d->setup.flips ? &d->flip : NULL;
    qc_learner_place(&d->l, &d->setup, kernels, guarded_take(&d->memory, qc_learner_bytes(&d->setup), at_end));
}

static inline QcLearnerSetup setup_of(int bits, int flips)
{
    QcLearnerSetup s = {.flips = flips ? &qc_flip_rounds : NULL,
                        .parameters = qc_parameters_default(bits),
                        .seed = 1,
                        .capacity = CAPACITY,
                        .ring = BATCH};
    s.parameters.rounds = 4;
    return s;
}

static inline void device_make(Device *d, TinyKind kind, int bits)
{
    tiny_make(&d->t, kind, bits, 8, 8);
    tiny_flip(&d->flip, &d->t, 4);
}

/* n slots with source examples, some of them reserved. */
static inline void device_fill(Device *d, uint32_t n)
{
    for (uint32_t slot = 0; slot < n; slot++) {
        uint8_t q[TINY_VALUES];
        window_of(q, &d->t.g, slot);
        qc_learner_fill(&d->l, slot, q, NULL, label_of(slot), 0,
                        slot < RESERVED ? QC_SLOT_RESERVED : QC_SLOT_NEVER_RIGHT, slot);
    }
}

static inline void device_begin(Device *d, TinyKind kind, int bits, int flips)
{
    device_make(d, kind, bits);
    d->setup = setup_of(bits, flips);
    device_place(d, &qc_kernels_scalar, (int)kind % 2);
    device_fill(d, CAPACITY);
}

static inline void device_end(Device *d)
{
    guarded_release(&d->memory);
    tiny_release(&d->t);
}

static inline QcAnswer predict(Device *d, uint64_t id, int *lost)
{
    uint8_t q[TINY_VALUES];
    QcAnswer a;
    window_of(q, &d->t.g, id);
    int left = qc_learner_predict(&d->l, &a, q, id);
    if (lost) *lost = left;
    return a;
}

/* n windows are predicted and labelled; `off` is added to their labels. */
static inline void observe(Device *d, const uint64_t *ids, uint32_t n, uint32_t off)
{
    for (uint32_t i = 0; i < n; i++) {
        QcAnswer a = predict(d, ids[i], NULL);
        ck_assert_int_eq(qc_learner_label(&d->l, a.number, (uint16_t)((label_of(ids[i]) + off) % TINY_CLASSES)), 0);
    }
}

/* Ids of batch `number`, whose windows are of `classes` classes from `first` on. */
static inline void ids_of_batch(uint64_t ids[BATCH], uint32_t number, uint32_t first, uint32_t classes)
{
    for (uint32_t i = 0; i < BATCH; i++)
        ids[i] = SOURCE_IDS + 4 * (number * BATCH + i) + (first + i % classes) % TINY_CLASSES;
}

static inline QcAdaptReport learn(Device *d, uint32_t number, uint32_t first, uint32_t classes)
{
    QcAdaptReport r;
    uint64_t ids[BATCH];
    ids_of_batch(ids, number, first, classes);
    observe(d, ids, BATCH, 0);
    qc_learner_adapt(&d->l, &r);
    return r;
}

static inline void *copy_of(const void *bytes, size_t n)
{
    void *copy = malloc(n ? n : 1);
    ck_assert_ptr_nonnull(copy);
    return memcpy(copy, bytes, n);
}

/* ---- from outside: whole windows through a graph of the test's own ---- */

/* The logits of a window by the last layer that answers, and the class with the largest. */
static inline uint32_t logits_outside(Device *d, float *logits, const uint8_t *q)
{
    QcQGraph g = d->t.g;
    g.codes = d->l.graph.codes;
    g.last = &d->l.layers[d->l.counters->active];
    d->t.run.g = &g;
    qc_qrun_forward(&d->t.run, logits, q);
    d->t.run.g = &d->t.g;
    uint32_t best = 0;
    for (uint32_t k = 1; k < TINY_CLASSES; k++) best = logits[k] > logits[best] ? k : best;
    return best;
}

static inline uint32_t class_outside(Device *d, uint64_t id)
{
    uint8_t q[TINY_VALUES];
    float logits[TINY_CLASSES];
    window_of(q, &d->t.g, id);
    return logits_outside(d, logits, q);
}

enum { OUTSIDE_MOST = CAPACITY + BATCH };

/* The set of an adapt: filled slots of the coreset, then labelled windows. */
typedef struct Outside {
    uint32_t n, kept, source; /* examples; of the coreset; of the source, which are among them */
    uint64_t id[OUTSIDE_MOST];
    uint8_t is_source[OUTSIDE_MOST];
} Outside;

static inline void outside_take(Outside *o, const Device *d, const uint64_t *ids, uint32_t n)
{
    const QcSlots *s = &d->l.coreset;
    *o = (Outside){0};
    for (uint32_t slot = 0; slot < s->capacity; slot++) {
        if (s->flags[slot] & QC_SLOT_EMPTY) continue;
        ck_assert_uint_eq(s->label[slot], label_of(s->id[slot]));
        o->is_source[o->n] = s->id[slot] < SOURCE_IDS;
        o->source += o->is_source[o->n];
        o->id[o->n++] = s->id[slot];
    }
    o->kept = o->n;
    for (uint32_t i = 0; i < n; i++) o->id[o->n++] = ids[i];
}

/* The loss on the set, classes balanced, by libm; how many of the batch and of the source are right. */
static inline double outside_loss(const Outside *o, Device *d, uint32_t *right_of_batch, uint32_t *right_of_source)
{
    double loss = 0, count[TINY_CLASSES] = {0}, present = 0;
    *right_of_batch = *right_of_source = 0;
    for (uint32_t i = 0; i < o->n; i++) present += count[label_of(o->id[i])]++ == 0;
    for (uint32_t i = 0; i < o->n; i++) {
        uint8_t q[TINY_VALUES];
        float y[TINY_CLASSES];
        double sum = 0;
        uint16_t label = label_of(o->id[i]);
        window_of(q, &d->t.g, o->id[i]);
        uint32_t right = logits_outside(d, y, q) == label;
        for (uint32_t k = 0; k < TINY_CLASSES; k++) sum += exp((double)y[k]);
        loss += (log(sum) - (double)y[label]) / (present * count[label]);
        *right_of_batch += i >= o->kept && right;
        *right_of_source += o->is_source[i] && right;
    }
    return loss;
}

#endif
