/* learning.h - runs a method: a tiny model, a coreset of the source and some batches of a stream of larger amplitude.
 * Include after tiny.h and after a definition of BATCH, the number of examples of a batch. */
#ifndef QC_TESTS_LEARNING_H
#define QC_TESTS_LEARNING_H

#include "../../lib/lab/rivaltable.h"

enum { CAPACITY = 12, SOURCE = CAPACITY - 2, RESERVED = 8, BATCHES = 3, FIRST_ID = 1000 };

typedef struct Bench {
    Tiny t;
    QcFlip flip;
    QcMethodRun l;
    uint8_t source[CAPACITY][TINY_VALUES], x[BATCHES * BATCH][TINY_VALUES];
    uint16_t label[BATCHES * BATCH];
    uint64_t id[BATCHES * BATCH];
    uint8_t *codes; /* as they were */
    float *scale;
    int32_t *bias;
} Bench;

static inline void make_window(uint8_t *q, const QcQGraph *g, uint32_t i, double loud)
{
    float x[TINY_VALUES];
    tiny_windows(x, 1, loud, 300 + i);
    for (int v = 0; v < TINY_VALUES; v++) x[v] += (uint32_t)(v % TINY_CHANNELS) == i % TINY_CLASSES ? 0.8f : -0.2f;
    qc_q_input(q, x, TINY_VALUES, &g->tensors[0]);
}

static inline void bench_open_seeded(Bench *b, const QcMethod *m, TinyKind kind, int bits, uint64_t seed,
                                     const char *const *settings, int n)
{
    QcErr err;
    tiny_make(&b->t, kind, bits, 8, 6);
    tiny_flip(&b->flip, &b->t, 6);
    QcQGraph *g = &b->t.g;
    for (uint32_t i = 0; i < BATCHES * BATCH; i++) {
        make_window(b->x[i], g, i, 1.2);
        b->label[i] = (uint16_t)(i % TINY_CLASSES);
        b->id[i] = FIRST_ID + i;
    }
    b->codes = qc_arena_take(&b->t.arena, g->n_code_bytes, 1, NULL);
    b->scale = qc_arena_take(&b->t.arena, g->n_channels, sizeof *b->scale, NULL);
    b->bias = qc_arena_take(&b->t.arena, g->n_channels, sizeof *b->bias, NULL);
    memcpy(b->codes, g->codes, g->n_code_bytes);
    memcpy(b->scale, g->scale, g->n_channels * sizeof *b->scale);
    memcpy(b->bias, g->bias, g->n_channels * sizeof *b->bias);
    b->l = (QcMethodRun){.method = m,
                         .g = g,
                         .flip = &b->flip,
                         .kernels = &qc_kernels_scalar,
                         .parameters = qc_parameters_default(bits),
                         .seed = seed,
                         .capacity = CAPACITY,
                         .batch_max = BATCH,
                         .threads = 1};
    b->l.parameters.rounds = 4;
    ck_assert_msg(!qc_method_settings(b->l.setting, m, settings, n, &err), "%s", err.text);
    ck_assert_msg(!qc_method_place(&b->l, &err), "%s", err.text);
    for (uint32_t i = 0; i < SOURCE; i++) { /* two stay empty */
        make_window(b->source[i], g, 1000 + i, 0.8);
        qc_method_fill(&b->l, i, b->source[i], (uint16_t)((1000 + i) % TINY_CLASSES), 0,
                       i < RESERVED ? QC_SLOT_RESERVED : 0, i);
    }
    ck_assert_msg(!qc_method_open(&b->l, &err), "%s", err.text);
}

static inline void bench_open(Bench *b, const QcMethod *m, TinyKind kind, int bits, const char *const *settings, int n)
{
    bench_open_seeded(b, m, kind, bits, 1, settings, n);
}

static inline QcBatch batch_of(Bench *b, uint32_t k)
{
    return (QcBatch){.n = BATCH, .windows = b->x[k * BATCH], .labels = b->label + k * BATCH, .ids = b->id + k * BATCH};
}

static inline void bench_learn(Bench *b, QcMethodReport *r, uint32_t k)
{
    QcErr err;
    QcBatch batch = batch_of(b, k);
    for (uint32_t i = 0; b->l.method->observe && i < BATCH; i++)
        qc_method_observe(&b->l, b->x[k * BATCH + i], b->label[k * BATCH + i], b->id[k * BATCH + i]);
    ck_assert_msg(!qc_method_next(&b->l, r, &batch, NULL, &err), "%s", err.text);
}

static inline void bench_close(Bench *b)
{
    qc_method_close(&b->l);
    tiny_release(&b->t);
}

#endif
