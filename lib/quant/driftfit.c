#include "driftfit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../base/rng.h"
#include "../device/head.h"
#include "../format/driftfile.h"

enum { WINDOWS = 4096, FOLDS = 5, ORDERS = 10, LEAST = 10, MEANS = 1 << 20 };

typedef struct Fit {
    uint32_t n, features, classes, spare;
    int32_t zero;
    double confidence; /* mean probability of the answers */
    uint8_t *x; /* [n][features] */
    uint16_t *label, *answer; /* [n] true; as predicted */
    uint8_t *fold; /* [n] */
    uint8_t *mean; /* [classes][features] */
    float *weight, *centre; /* of the base */
    float *nearest; /* [n] out of fold, to the nearest mean */
    double *sum; /* [classes][features] */
    uint32_t *count; /* [classes] */
    float *score; /* [n] */
    uint32_t *order; /* [n] */
} Fit;

static int take_memory(Fit *f, QcArena *arena, QcArena *scratch, QcErr *err)
{
    size_t means = (size_t)f->classes * f->features;
    f->mean = qc_arena_take(arena, means, 1, err);
    f->weight = qc_arena_take(arena, f->features, sizeof *f->weight, err);
    f->centre = qc_arena_take(arena, f->classes, sizeof *f->centre, err);
    f->x = qc_arena_take(scratch, (size_t)f->n * f->features, 1, err);
    f->label = qc_arena_take(scratch, f->n, sizeof *f->label, err);
    f->answer = qc_arena_take(scratch, f->n, sizeof *f->answer, err);
    f->fold = qc_arena_take(scratch, f->n, 1, err);
    f->sum = qc_arena_take(scratch, means, sizeof *f->sum, err);
    f->count = qc_arena_take(scratch, f->classes, sizeof *f->count, err);
    f->score = qc_arena_take(scratch, f->n, sizeof *f->score, err);
    f->order = qc_arena_take(scratch, f->n, sizeof *f->order, err);
    f->nearest = qc_arena_take(scratch, f->n, sizeof *f->nearest, err);
    return f->mean && f->weight && f->centre && f->x && f->label && f->answer && f->fold && f->sum && f->count &&
                   f->score && f->order && f->nearest
               ? 0
               : -1;
}

static double probability_of(const float *logits, uint32_t answer, uint32_t classes)
{
    double sum = 0;
    for (uint32_t k = 0; k < classes; k++) sum += exp((double)logits[k] - (double)logits[answer]);
    return 1 / sum;
}

static int compute_features(Fit *f, const QcQGraph *g, const QcWindows *w, QcArena *scratch, QcErr *err)
{
    QcQRun run;
    const QcKernels *kernels = qc_need_kernels(err);
    void *memory = kernels ? qc_arena_take(scratch, qc_qgraph_bytes(g), 1, err) : NULL;
    float *logits = qc_arena_take(scratch, f->classes, sizeof *logits, err);
    uint8_t *q = qc_arena_take(scratch, w->values, 1, err);
    if (!memory || !logits || !q) return -1;
    qc_qrun_place(&run, g, kernels, memory);
    for (uint32_t i = 0; i < f->n; i++) {
        uint32_t from = (uint32_t)((uint64_t)i * w->n / f->n);
        qc_q_input(q, w->x + from * w->values, (uint32_t)w->values, &g->tensors[0]);
        qc_qrun_forward(&run, logits, q);
        memcpy(f->x + (size_t)i * f->features, qc_qrun_tensor(&run, g->nodes[g->n_nodes - 1].in[0]), f->features);
        f->answer[i] = (uint16_t)qc_largest(logits, f->classes);
        f->confidence += probability_of(logits, f->answer[i], f->classes) / f->n;
        f->label[i] = (uint16_t)w->label[from];
    }
    return 0;
}

/* Means of the true classes and the variance within them, over all windows outside fold `without` (FOLDS: over all
 * windows). A tenth of the mean variance and the variance of rounded means are added to each variance. */
static void fit_means(Fit *f, uint32_t without)
{
    uint32_t used = 0;
    double all = 0;
    memset(f->sum, 0, (size_t)f->classes * f->features * sizeof *f->sum);
    memset(f->count, 0, f->classes * sizeof *f->count);
    for (uint32_t i = 0; i < f->n; i++) {
        if (f->fold[i] == without) continue;
        f->count[f->label[i]]++;
        used++;
        for (uint32_t j = 0; j < f->features; j++)
            f->sum[(size_t)f->label[i] * f->features + j] += f->x[(size_t)i * f->features + j];
    }
    for (uint32_t k = 0; k < f->classes; k++)
        for (uint32_t j = 0; j < f->features; j++)
            f->mean[(size_t)k * f->features + j] =
                (uint8_t)(f->count[k] ? lround(f->sum[(size_t)k * f->features + j] / f->count[k]) : f->zero);
    for (uint32_t j = 0; j < f->features; j++) {
        double variance = 0;
        for (uint32_t i = 0; i < f->n; i++) {
            if (f->fold[i] == without) continue;
            double difference = (double)f->x[(size_t)i * f->features + j] -
                                f->mean[(size_t)f->label[i] * f->features + j];
            variance += difference * difference;
        }
        f->weight[j] = (float)(variance / used);
        all += variance / used;
    }
    for (uint32_t j = 0; j < f->features; j++)
        f->weight[j] = (float)(1 / (f->weight[j] + 0.1 * all / f->features + 0.25));
}

static void score_fold(Fit *f, const QcDriftBase *b, uint32_t fold)
{
    fit_means(f, fold);
    for (uint32_t i = 0; i < f->n; i++) {
        const uint8_t *x = f->x + (size_t)i * f->features;
        if (f->fold[i] != fold) continue;
        f->score[i] = qc_driftwatch_distance(b, f->mean + (size_t)f->answer[i] * f->features, x);
        f->nearest[i] = qc_driftwatch_nearest(b, NULL, f->spare, x, f->zero);
    }
}

/* Fits the centre of each class. A class that was never predicted gets the mean score of all windows. */
static void fit_centres(Fit *f, QcDriftBase *b)
{
    double all = 0, squares = 0;
    memset(f->sum, 0, f->classes * sizeof *f->sum);
    memset(f->count, 0, f->classes * sizeof *f->count);
    for (uint32_t i = 0; i < f->n; i++) {
        f->sum[f->answer[i]] += (double)f->score[i];
        f->count[f->answer[i]]++;
        all += (double)f->score[i] / f->n;
    }
    for (uint32_t k = 0; k < f->classes; k++) f->centre[k] = (float)(f->count[k] ? f->sum[k] / f->count[k] : all);
    for (uint32_t i = 0; i < f->n; i++) {
        f->score[i] -= f->centre[f->answer[i]];
        squares += (double)f->score[i] * (double)f->score[i];
    }
    b->spread = (float)(sqrt(squares / f->n) + 1e-3);
}

static float largest_figure(const Fit *f, const QcDriftBase *b)
{
    float figure = 0, most = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        figure = qc_driftwatch_figure(figure, fmaxf(-3, fminf(3, f->score[f->order[i]] / b->spread)));
        most = fmaxf(most, figure);
    }
    return most;
}

/* Folds leave windows out of the means, but the network was trained on all of them. Unseen windows are the farther, the
 * closer the network fits its training windows: 0.8 if it answers with confidence 0.9 or less, 1.8 with confidence
 * 1. */
static float least_threshold(const Fit *f) { return (float)(0.8 + 10 * fmax(0, f->confidence - 0.9)); }

static void fit_threshold(Fit *f, QcDriftBase *b)
{
    QcRng rng = qc_rng_seed(1, 1);
    float most = 0;
    for (uint32_t i = 0; i < f->n; i++) f->order[i] = i;
    for (int k = 0; k <= ORDERS; k++) {
        most = fmaxf(most, largest_figure(f, b));
        qc_rng_shuffle(&rng, f->order, f->n);
    }
    b->threshold = fmaxf(least_threshold(f), 1.5f * most);
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* All but 1.5 % of the windows are at most as far. */
static void fit_farthest(Fit *f, QcDriftBase *b)
{
    qsort(f->nearest, f->n, sizeof *f->nearest, by_value);
    b->farthest = fmaxf(f->nearest[(uint64_t)(f->n - 1) * 985 / 1000], 1e-3f);
}

static void assign_folds(Fit *f)
{
    QcRng rng = qc_rng_seed(1, 0);
    for (uint32_t i = 0; i < f->n; i++) f->order[i] = i;
    qc_rng_shuffle(&rng, f->order, f->n);
    for (uint32_t i = 0; i < f->n; i++) f->fold[f->order[i]] = (uint8_t)(i % FOLDS);
}

int qc_fit_driftbase(QcDriftBase *b, const QcQGraph *g, const QcWindows *w, QcArena *arena, QcErr *err)
{
    Fit f = {.n = w->n < WINDOWS ? w->n : WINDOWS,
             .features = qc_driftbase_features(g),
             .classes = g->classes,
             .spare = g->spare,
             .zero = g->tensors[g->nodes[g->n_nodes - 1].in[0]].zero};
    QcArena scratch = {0};
    *b = (QcDriftBase){0};
    if (f.n < LEAST || (uint64_t)f.features * f.classes > MEANS) return 0;
    int status = take_memory(&f, arena, &scratch, err) || compute_features(&f, g, w, &scratch, err) ? -1 : 1;
    if (status > 0) {
        *b = (QcDriftBase){
            .features = f.features, .classes = f.classes, .mean = f.mean, .weight = f.weight, .centre = f.centre,
            .farthest = 1};
        assign_folds(&f);
        for (uint32_t fold = 0; fold < FOLDS; fold++) score_fold(&f, b, fold);
        fit_centres(&f, b);
        fit_threshold(&f, b);
        fit_farthest(&f, b);
        fit_means(&f, FOLDS);
    }
    qc_arena_release(&scratch);
    return status;
}

int qc_fit_add_driftbase(QcModelFile *m, const QcQGraph *g, const QcWindows *w, QcArena *arena, QcErr *err)
{
    QcDriftBase base;
    int fits = qc_fit_driftbase(&base, g, w, arena, err);
    return fits > 0 ? qc_driftbase_encode(m, &base, g, err) : fits;
}
