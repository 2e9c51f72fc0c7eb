/* waves.h - a small training problem: the class is the number of waves in the window, with noise and a random phase.
 * Include after check.h. */
#ifndef QC_TESTS_WAVES_H
#define QC_TESTS_WAVES_H

#include <math.h>
#include <string.h>

#include "../../lib/base/rng.h"
#include "../../lib/nn/train.h"

enum { CLASSES = 3, LENGTH = 24, CHANNELS = 2 };

static QcErr err;
static const int32_t map[CLASSES] = {0, 1, 2};
static float mean[CHANNELS] = {1, -2}, deviation[CHANNELS] = {.8f, .8f};
static const QcNorm norm = {CHANNELS, mean, deviation};

static inline void make_data(QcDataset *d, uint32_t n, uint64_t seed)
{
    ck_assert_int_eq(qc_dataset_init(d, n, CHANNELS, 1, LENGTH, 0, &err), 0);
    QcRng rng = qc_rng_seed(seed, 0);
    for (uint32_t i = 0; i < n; i++) {
        d->label[i] = (int32_t)(i % CLASSES);
        for (uint32_t c = 0; c < CHANNELS; c++) {
            double phase = 6.28 * (double)qc_rng_unit(&rng);
            for (uint32_t t = 0; t < LENGTH; t++)
                d->x[(i * CHANNELS + c) * LENGTH + t] =
                    (float)(sin(phase + 6.28 * (double)(t * (i % CLASSES + 1)) / LENGTH) + .3 * qc_rng_normal(&rng)) +
                    mean[c];
        }
    }
    const char *const names[] = {"one", "two", "three"};
    uint32_t index;
    for (int k = 0; k < CLASSES; k++) ck_assert_int_eq(qc_names_add(&d->labels, &d->arena, names[k], &index, &err), 0);
}

static inline void make_graph(QcGraph *g, uint64_t seed)
{
    ck_assert_int_eq(qc_graph_init(g, CHANNELS, 1, LENGTH, &err), 0);
    ck_assert_int_eq(qc_graph_conv(g, "conv", 0, 8, qc_window_same_1d(9), 1, 0, &err), 1);
    ck_assert_int_eq(qc_graph_simple(g, "norm", QC_OP_BATCHNORM, 1, &err), 2);
    ck_assert_int_eq(qc_graph_simple(g, "relu", QC_OP_RELU, 2, &err), 3);
    ck_assert_int_eq(qc_graph_simple(g, "gap", QC_OP_GAP, 3, &err), 4);
    ck_assert_int_eq(qc_graph_linear(g, "fc", 4, CLASSES, 1, &err), 5);
    ck_assert_int_eq(qc_graph_finish(g, &err), 0);
    qc_graph_reset(g, seed);
}

static inline QcTrainOptions small_options(void)
{
    QcTrainOptions o = qc_train_defaults;
    o.epochs = 8;
    o.batch = 16;
    o.rate = .02;
    o.threads = 2;
    return o;
}

static inline void train(QcGraph *g, const QcDataset *d, const QcTrainOptions *o)
{
    make_graph(g, o->seed);
    ck_assert_msg(qc_train(g, d, &norm, map, o, &err) == 0, "%s", err.text);
}

static inline int same_bytes(const QcGraph *a, const QcGraph *b)
{
    return !memcmp(a->params, b->params, a->n_params * sizeof *a->params) &&
           !memcmp(a->stats, b->stats, a->n_stats * sizeof *a->stats);
}

static inline void expect(int status, const char *words)
{
    ck_assert_int_eq(status, -1);
    ck_assert_msg(strstr(err.text, words) != NULL, "'%s' should say '%s'", err.text, words);
}

#endif
