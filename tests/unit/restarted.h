/* restarted.h - a small learner that learns, loses its memory and resumes from its state. Include after suite.h, tiny.h
 * and flashcells.h. */
#ifndef QC_TESTS_RESTARTED_H
#define QC_TESTS_RESTARTED_H

#include "../../lib/device/state.h"

enum { CAPACITY = 5, BATCH = 6, WINDOW = TINY_VALUES };

typedef struct Device {
    Tiny tiny;
    QcFlip flip;
    QcLearnerSetup setup;
    QcLearner l;
    void *memory;
    size_t bytes;
} Device;

static inline void place(Device *d, uint32_t capacity)
{
    memset(d->memory, 0xa5, d->bytes); /* RAM after a power cut */
    d->setup.capacity = capacity;
    qc_learner_place(&d->l, &d->setup, &qc_kernels_scalar, d->memory);
}

static inline void *copy_of(const void *bytes, size_t n)
{
    void *copy = malloc(n);
    ck_assert_ptr_nonnull(copy);
    return memcpy(copy, bytes, n);
}

static inline void device_init(Device *d, int bits, int flips)
{
    *d = (Device){0};
    tiny_make(&d->tiny, TINY_INCEPTION, bits, 8, 3);
    tiny_flip(&d->flip, &d->tiny, 4);
    d->setup = (QcLearnerSetup){.graph = &d->tiny.g,
                                .flips = flips ? &qc_flip_rounds : NULL,
                                .flip = flips ? &d->flip : NULL,
                                .parameters = qc_parameters_default(bits),
                                .seed = 1,
                                .capacity = CAPACITY + 1,
                                .ring = BATCH};
    d->setup.parameters.rounds = 4;
    d->setup.parameters.guard = 1;
    d->setup.parameters.block_sample = 1; /* as little as possible: layers are then weighed by what was last known of
                                             others */
    d->bytes = qc_learner_bytes(&d->setup);
    d->memory = aligned_alloc(64, d->bytes);
    ck_assert_ptr_nonnull(d->memory);
    place(d, CAPACITY);
}

static inline void device_release(Device *d)
{
    free(d->memory);
    tiny_release(&d->tiny);
}

/* Returns 1 if a new last layer answers. */
static inline uint32_t learn(Device *d, uint32_t batch)
{
    float x[BATCH * WINDOW];
    uint8_t q[BATCH * WINDOW];
    QcAdaptReport r;
    tiny_windows(x, BATCH, 1, 100 + batch);
    qc_q_input(q, x, BATCH * WINDOW, &d->tiny.g.tensors[0]);
    for (uint32_t i = 0; i < BATCH; i++) {
        QcAnswer a;
        qc_learner_predict(&d->l, &a, q + i * WINDOW, batch * 100 + i);
        /* the third lacks half of the classes */
        uint32_t label = (i % (batch == 2 ? 2 : TINY_CLASSES) + batch) % TINY_CLASSES;
        ck_assert_int_eq(qc_learner_label(&d->l, a.number, (uint16_t)label), 0);
    }
    qc_learner_adapt(&d->l, &r);
    return r.solved;
}

/* All that a restart must bring back: the state, and what the learner says. */
typedef struct Snapshot {
    uint8_t bytes[8192];
    float logits[TINY_CLASSES];
    uint32_t n;
} Snapshot;

static inline Snapshot snapshot(Device *d)
{
    Snapshot s = {.n = d->l.state_bytes};
    uint8_t window[WINDOW];
    if (s.n > sizeof s.bytes) ck_abort_msg("a snapshot has no room for %u bytes", s.n);
    memcpy(s.bytes, d->l.state, s.n);
    for (int v = 0; v < WINDOW; v++) window[v] = (uint8_t)(100 + v * 37 % 60);
    qc_learner_logits(&d->l, s.logits, window);
    return s;
}

static inline int same(const Snapshot *a, const Snapshot *b)
{
    return a->n == b->n && !memcmp(a->bytes, b->bytes, a->n) && !memcmp(a->logits, b->logits, sizeof a->logits);
}

static inline QcStateFound restart(Device *d, const QcFlash *f, uint64_t identity)
{
    QcState s;
    place(d, CAPACITY);
    qc_state_init(&s, f, identity);
    return qc_state_load(&s, &d->l);
}

static inline void save(Device *d, const QcFlash *f)
{
    QcState s;
    qc_state_init(&s, f, 1);
    ck_assert_int_eq(qc_state_save(&s, &d->l), 0);
}

#endif
