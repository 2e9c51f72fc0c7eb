/* gathering.h - a tiny graph with examples and their errors, and the Hebbian statistic gathered from them. Include
 * after tiny.h. */
#ifndef QC_TESTS_GATHERING_H
#define QC_TESTS_GATHERING_H

#include "../../lib/device/hebb.h"

enum { N = 240, FEW = 30, CODES = 4096 };

/* A graph, a set of examples with errors, and room for a statistic. */
typedef struct Case {
    Tiny t;
    QcFlip flip;
    float windows[N * TINY_VALUES], error[N * TINY_CLASSES];
    uint8_t q[N * TINY_VALUES];
    const uint8_t *x[N];
    QcExamples z;
} Case;

typedef struct Gathered {
    float sum[CODES], squares[CODES], rms_net;
    uint8_t seen[CODES];
    uint32_t codes, end;
} Gathered;

static Case c;
static Gathered got;

static inline void setup_case(TinyKind kind, int bits, uint64_t seed)
{
    QcRng rng = qc_rng_seed(seed, 31);
    tiny_make(&c.t, kind, bits, 8, seed);
    ck_assert_uint_le(c.t.g.n_codes, CODES);
    tiny_flip(&c.flip, &c.t, seed);
    tiny_windows(c.windows, N, 0.6, seed + 5); /* well inside the ranges: little is clipped */
    for (int i = 0; i < N * TINY_CLASSES; i++) c.error[i] = (float)(0.1 * qc_rng_normal(&rng));
    for (int i = 0; i < N; i++) {
        qc_q_input(c.q + i * TINY_VALUES, c.windows + i * TINY_VALUES, TINY_VALUES, &c.t.g.tensors[0]);
        c.x[i] = c.q + i * TINY_VALUES;
    }
    c.z = (QcExamples){FEW, c.x, c.error};
}

static inline void keep_piece(void *ctx, const QcBlock *block, const QcFlipStats *stats, const QcFlipScale *scale)
{
    Gathered *g = ctx;
    uint32_t at = c.t.g.nodes[c.flip.layers[block->layer].node].code + block->first;
    ck_assert_uint_eq(stats->n, c.z.n);
    ck_assert(at >= g->end); /* first to last, none twice */
    g->end = at + block->n;
    g->codes += block->n;
    memcpy(g->sum + at, stats->sum, block->n * sizeof *g->sum);
    memcpy(g->squares + at, stats->squares, block->n * sizeof *g->squares);
    memset(g->seen + at, 1, block->n);
    g->rms_net = scale->rms_net;
    float depth = c.flip.n_layers > 1 ? (float)block->layer / (float)(c.flip.n_layers - 1) : 0;
    ck_assert_float_eq_tol(scale->depth, depth, 1e-6f);
}

static inline void *place(QcHebb *hebb, const QcKernels *kernels, uint32_t chunk)
{
    QcPlacing count = {0};
    tiny_place(&c.t, kernels);
    qc_hebb_place_kept(hebb, &c.flip, &count);
    qc_hebb_place(hebb, &c.t.run, &c.flip, chunk, &count);
    QcPlacing p = {.memory = aligned_alloc(64, count.used)};
    qc_hebb_place_kept(hebb, &c.flip, &p);
    qc_hebb_place(hebb, &c.t.run, &c.flip, chunk, &p);
    ck_assert_uint_eq(p.used, count.used);
    return p.memory;
}

static inline void gather(Gathered *out, const QcKernels *kernels, uint32_t chunk, uint64_t seed)
{
    QcHebb hebb;
    void *memory = place(&hebb, kernels, chunk);
    memset(out, 0, sizeof *out);
    qc_hebb_gather(&hebb, &c.z, seed, keep_piece, out);
    ck_assert_uint_eq(out->codes, hebb.blocks.n);
    ck_assert_uint_le(out->codes, hebb.blocks.capacity);
    free(memory);
}

#endif
