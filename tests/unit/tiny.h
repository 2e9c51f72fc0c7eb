/* tiny.h - small float graphs with realistic parameters, random windows, and their quantized graphs. Include after
 * check.h. */
#ifndef QC_TESTS_TINY_H
#define QC_TESTS_TINY_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/base/rng.h"
#include "../../lib/device/flip.h"
#include "../../lib/format/flipfile.h"
#include "../../lib/nn/graph.h"
#include "../../lib/nn/run.h"
#include "../../lib/quant/emit.h"

enum { TINY_CHANNELS = 3, TINY_LENGTH = 24, TINY_VALUES = TINY_CHANNELS * TINY_LENGTH, TINY_CLASSES = 4 };

/* Kinds of graphs: each has something the others do not. */
typedef enum TinyKind {
    TINY_PLAIN,     /* conv relu conv relu gap linear */
    TINY_RESIDUAL,  /* a convolution and a shortcut, summed, ReLU, gap */
    TINY_INCEPTION, /* bottleneck, three branches, concat-bn-relu, twice; the last concat before gap */
    TINY_MIXED,     /* bn on the input, grouped and strided convs, a shared relu, pools, a concat with copies, two
                       residual sums */
    TINY_MLP,       /* flatten linear relu linear */
    TINY_IMAGE,     /* 4 x 6 pixels: 3 x 3 convolutions, one of them strided and in groups, a 2 x 2 pool, gap */
    TINY_STD,       /* conv relu conv relu, gap and std, concat, linear */
    TINY_JOINED,    /* a module of three branches and a shortcut, summed, ReLU, gap: the end of InceptionTime */
    TINY_KINDS
} TinyKind;

static inline uint32_t tiny_ok(int node)
{
    ck_assert_int_ge(node, 0);
    return (uint32_t)node;
}

static inline uint32_t tiny_conv(QcGraph *g, const char *name, uint32_t in, uint32_t out, uint32_t kernel, int bias)
{
    return tiny_ok(qc_graph_conv(g, name, in, out, qc_window_same_1d(kernel), 1, bias, NULL));
}

static inline uint32_t tiny_op(QcGraph *g, const char *name, QcOp op, uint32_t in)
{
    return tiny_ok(qc_graph_simple(g, name, op, in, NULL));
}

static inline uint32_t tiny_bn_relu(QcGraph *g, const char *name, uint32_t in)
{
    char text[2][64];
    snprintf(text[0], sizeof text[0], "%s.bn", name);
    snprintf(text[1], sizeof text[1], "%s.relu", name);
    return tiny_op(g, text[1], QC_OP_RELU, tiny_op(g, text[0], QC_OP_BATCHNORM, in));
}

static inline uint32_t tiny_module(QcGraph *g, const char *name, uint32_t in, uint32_t filters)
{
    char text[6][64];
    static const char *const parts[6] = {"squeeze", "a", "b", "pool", "c", "join"};
    for (int i = 0; i < 6; i++) snprintf(text[i], sizeof text[i], "%s.%s", name, parts[i]);
    uint32_t squeeze = tiny_conv(g, text[0], in, filters, 1, 0), branch[3];
    branch[0] = tiny_conv(g, text[1], squeeze, filters, 7, 0);
    branch[1] = tiny_conv(g, text[2], squeeze, filters, 3, 0);
    branch[2] =
        tiny_conv(g, text[4], tiny_ok(qc_graph_pool(g, text[3], QC_OP_MAXPOOL, in, qc_window_same_1d(3), 0, NULL)),
                  filters, 1, 0);
    return tiny_bn_relu(g, name, tiny_ok(qc_graph_concat(g, text[5], branch, 3, NULL)));
}

static inline uint32_t tiny_mixed(QcGraph *g)
{
    uint32_t norm = tiny_op(g, "norm", QC_OP_BATCHNORM, 0);
    /* 12 positions */
    uint32_t wide = tiny_ok(qc_graph_conv(g, "wide", norm, 6, qc_window_1d(5, 2, 2, 4, 4), 3, 1, NULL));
    uint32_t shared = tiny_op(g, "shared", QC_OP_RELU, wide);
    uint32_t even = tiny_ok(qc_graph_pool(g, "even", QC_OP_AVGPOOL, shared, qc_window_1d(3, 1, 1, 1, 1), 0, NULL));
    uint32_t deep = tiny_bn_relu(g, "deep", tiny_conv(g, "deep", shared, 5, 3, 0));
    uint32_t parts[4] = {shared, deep, even, shared};
    uint32_t join = tiny_ok(qc_graph_concat(g, "join", parts, 4, NULL)); /* 23 channels */
    uint32_t body = tiny_conv(g, "body", join, 6, 3, 1), sum = tiny_ok(qc_graph_add(g, "sum", body, shared, NULL));
    uint32_t first = tiny_op(g, "first", QC_OP_RELU, sum);
    /* no ReLU after it */
    uint32_t second = tiny_ok(qc_graph_add(g, "second", tiny_conv(g, "tail", first, 6, 5, 1), first, NULL));
    return second;
}

static inline void tiny_settle(QcGraph *g, uint64_t seed)
{
    QcRng rng = qc_rng_seed(seed, 7);
    qc_graph_reset(g, seed);
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcNode *node = &g->nodes[i];
        for (size_t k = 0; k < node->n_bias; k++) g->params[node->bias + k] = (float)(0.2 * qc_rng_normal(&rng));
        if (node->op != QC_OP_BATCHNORM) continue;
        for (uint32_t c = 0; c < node->channels; c++) {
            g->params[node->weight + c] = (float)(1 + 0.3 * qc_rng_normal(&rng));
            g->stats[node->stat + c] = (float)(0.3 * qc_rng_normal(&rng));
            g->stats[node->stat + node->channels + c] = 0.5f + qc_rng_unit(&rng);
        }
    }
}

static inline void tiny_graph(QcGraph *g, TinyKind kind, uint64_t seed)
{
    ck_assert_int_eq(qc_graph_init(g, TINY_CHANNELS, kind == TINY_IMAGE ? 4 : 1,
                                   kind == TINY_IMAGE ? TINY_LENGTH / 4 : TINY_LENGTH, NULL),
                     0);
    uint32_t at = 0;
    if (kind == TINY_PLAIN || kind == TINY_STD) {
        at = tiny_op(g, "r1", QC_OP_RELU, tiny_conv(g, "c1", at, 8, 5, 1));
        at = tiny_op(g, "r2", QC_OP_RELU, tiny_conv(g, "c2", at, 6, 3, 1));
    } else if (kind == TINY_RESIDUAL) {
        uint32_t a = tiny_bn_relu(g, "c1", tiny_conv(g, "c1", 0, 8, 5, 0));
        a = tiny_op(g, "c2.bn", QC_OP_BATCHNORM, tiny_conv(g, "c2", a, 7, 3, 0));
        uint32_t b = tiny_op(g, "short.bn", QC_OP_BATCHNORM, tiny_conv(g, "short", 0, 7, 1, 0));
        at = tiny_op(g, "r2", QC_OP_RELU, tiny_ok(qc_graph_add(g, "sum", a, b, NULL)));
    } else if (kind == TINY_INCEPTION) {
        at = tiny_module(g, "m2", tiny_module(g, "m1", at, 4), 5);
    } else if (kind == TINY_JOINED) {
        uint32_t short_cut = tiny_op(g, "short.bn", QC_OP_BATCHNORM, tiny_conv(g, "short", at, 6, 1, 0));
        uint32_t sum = tiny_ok(qc_graph_add(g, "sum", tiny_module(g, "m1", at, 2), short_cut, NULL));
        at = tiny_op(g, "r", QC_OP_RELU, sum);
    } else if (kind == TINY_MIXED) {
        at = tiny_mixed(g);
    } else if (kind == TINY_IMAGE) {
        QcWindow same = {3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, half = {2, 2, 2, 2, 1, 1, 0, 0, 0, 0},
                 strided = {3, 3, 1, 2, 1, 1, 1, 1, 1, 1};
        at = tiny_op(g, "r1", QC_OP_RELU, tiny_ok(qc_graph_conv(g, "c1", 0, 6, same, 1, 1, NULL)));
        at = tiny_op(g, "r2", QC_OP_RELU, tiny_ok(qc_graph_conv(g, "c2", at, 10, strided, 2, 1, NULL)));
        at = tiny_ok(qc_graph_pool(g, "half", QC_OP_MAXPOOL, tiny_conv(g, "c3", at, 9, 1, 1), half, 0, NULL));
        at = tiny_op(g, "r4", QC_OP_RELU, tiny_ok(qc_graph_conv(g, "c4", at, 5, same, 1, 1, NULL)));
    } else {
        at = tiny_op(g, "flat", QC_OP_FLATTEN, at);
        at = tiny_op(g, "r1", QC_OP_RELU, tiny_ok(qc_graph_linear(g, "l1", at, 9, 1, NULL)));
    }
    uint32_t body = at;
    if (kind != TINY_MLP) at = tiny_op(g, "gap", QC_OP_GAP, body);
    if (kind == TINY_STD) {
        uint32_t both[2] = {at, tiny_op(g, "std", QC_OP_STD, body)};
        at = tiny_ok(qc_graph_concat(g, "both", both, 2, NULL));
    }
    tiny_ok(qc_graph_linear(g, "last", at, TINY_CLASSES, 1, NULL));
    ck_assert_int_eq(qc_graph_finish(g, NULL), 0);
    tiny_settle(g, seed);
}

/* n windows: each channel a slow random walk, so that neighbours look alike as in a recording. */
static inline void tiny_windows(float *x, uint32_t n, double size, uint64_t seed)
{
    QcRng rng = qc_rng_seed(seed, 11);
    for (uint32_t i = 0; i < n; i++) {
        double level[TINY_CHANNELS];
        for (int c = 0; c < TINY_CHANNELS; c++) level[c] = qc_rng_normal(&rng);
        for (int v = 0; v < TINY_VALUES; v++) {
            double *l = &level[v % TINY_CHANNELS];
            *l = 0.8 * *l + 0.6 * qc_rng_normal(&rng);
            x[(size_t)i * TINY_VALUES + (size_t)v] = (float)(size * *l);
        }
    }
}

/* A float model and its quantized form. */
typedef struct Tiny {
    QcArena arena;
    QcGraph model;
    QcQGraph g;
    float *master;
    void *memory; /* of `run` */
    QcQRun run;
} Tiny;

enum { TINY_RANGE_WINDOWS = 64 };

static inline void tiny_place(Tiny *t, const QcKernels *kernels)
{
    free(t->memory);
    t->memory = aligned_alloc(64, (qc_qgraph_bytes(&t->g) + 63) / 64 * 64);
    ck_assert_ptr_nonnull(t->memory);
    qc_qrun_place(&t->run, &t->g, kernels, t->memory);
}

static inline void tiny_make(Tiny *t, TinyKind kind, int bits, int activation_bits, uint64_t seed)
{
    QcErr err;
    float *x = malloc(sizeof *x * TINY_RANGE_WINDOWS * TINY_VALUES);
    *t = (Tiny){0};
    tiny_graph(&t->model, kind, seed);
    tiny_windows(x, TINY_RANGE_WINDOWS, 1, seed + 1);
    /* a kind whose last layer has bits of its own */
    const int last_bits = kind != TINY_STD || bits == 8 ? 0 : bits == 2 ? 8 : 2;
    ck_assert_msg(!qc_emit(&t->g, &t->master, &t->model, x, TINY_RANGE_WINDOWS, bits, last_bits, activation_bits, 1,
                           &t->arena, &err),
                  "%s", err.text);
    free(x);
    tiny_place(t, &qc_kernels_scalar);
}

/* The same graph in a plan where no two tensors share memory: after a forward pass all are still there. tensors
 * [g->n_tensors] */
static inline QcQGraph tiny_apart(const QcQGraph *g, QcQTensor *tensors)
{
    QcQGraph apart = *g;
    memcpy(tensors, g->tensors, g->n_tensors * sizeof *tensors);
    apart.activation_bytes = 0;
    for (uint32_t i = 0; i < g->n_tensors; i++) {
        tensors[i].offset = apart.activation_bytes;
        apart.activation_bytes += ((uint32_t)tensors[i].height * tensors[i].width * tensors[i].channels + 63) / 64 * 64;
    }
    apart.tensors = tensors;
    return apart;
}

static inline void tiny_release(Tiny *t)
{
    free(t->memory);
    qc_graph_release(&t->model);
    qc_arena_release(&t->arena);
}

/* A flip network of the graph's shape with random feedback and weights; arrays live in t->arena. */
static inline void tiny_flip(QcFlip *flip, Tiny *t, uint64_t seed)
{
    int8_t *feedback;
    float *scale;
    QcRng rng = qc_rng_seed(seed, 13);
    ck_assert_int_eq(qc_flipfile_allocate(flip, &t->g, &feedback, &scale, &t->arena, NULL), 0);
    for (uint32_t i = 0; i < flip->n_feedback; i++) feedback[i] = (int8_t)((int)qc_rng_below(&rng, 255) - 127);
    for (uint32_t l = 0; l < flip->n_layers; l++) scale[l] = 0.0005f + 0.001f * qc_rng_unit(&rng);
    for (int f = 0; f < QC_FLIP_FEATURES; f++) flip->mean[f] = 0, flip->inverse[f] = 0.5f;
    for (int o = 0; o < QC_FLIP_HIDDEN; o++) {
        for (int i = 0; i < QC_FLIP_FEATURES; i++) flip->w1[o][i] = (int8_t)((int)qc_rng_below(&rng, 255) - 127);
        for (int i = 0; i < QC_FLIP_HIDDEN; i++) flip->w2[o][i] = (int8_t)((int)qc_rng_below(&rng, 255) - 127);
        flip->s1[o] = flip->s2[o] = 0.005f;
        flip->b1[o] = flip->b2[o] = 0.1f;
    }
    for (int o = 0; o < 3; o++) {
        for (int i = 0; i < QC_FLIP_HIDDEN; i++) flip->w3[o][i] = (int8_t)((int)qc_rng_below(&rng, 255) - 127);
        flip->s3[o] = 0.005f;
        flip->b3[o] = o == 2 ? 1 : 0; /* leans to stepping with the statistic */
    }
}

#endif
