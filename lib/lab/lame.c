/* lame.c - Laplacian adjusted maximum-likelihood estimation (Boudiaf et al., 2022): answers of windows that come
 * together are made to agree with their neighbours'. No weight changes.
 *
 * p_i is the softmax of window i, N(i) the k windows whose features are nearest, lengths normalized. The answers z_i
 * start at p_i and are iterated to the fixed point of
 *
 *   z_ik  ~  p_ik exp(sum_{j in N(i)} z_jk),   sum_k z_ik = 1,
 *
 * which bounds the Laplacian-regularized likelihood from above (concave-convex procedure). p comes from the product's
 * learner with labels alone; without labels this is the model as it was shipped.
 */
#include <math.h>
#include <string.h>

#include "../live/labelsonly.h"
#include "floathead.h"
#include "lame.h"
#include "rivaltable.h"
#include "softmax.h"

enum { ROUNDS = 100 };

static const QcSetting settings[] = {
    {"neighbours", 5, 1, 100, "nearest windows that an answer agrees with", 1},
    {0},
};

typedef struct Lame {
    QcMethodRun learner;
    QcFloatHead head; /* for the features */
} Lame;

/* near [n][k]: the k nearest of each window, itself excluded, by inner products of x [n][features]; k < n. */
static void find_neighbours(uint32_t *near, const float *x, uint32_t n, uint32_t features, uint32_t k, double *product)
{
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < n; j++) {
            product[j] = 0;
            for (uint32_t f = 0; f < features; f++)
                product[j] += (double)x[(size_t)i * features + f] * (double)x[(size_t)j * features + f];
        }
        product[i] = -INFINITY;
        for (uint32_t a = 0; a < k; a++) {
            uint32_t best = 0;
            for (uint32_t j = 1; j < n; j++)
                if (product[j] > product[best]) best = j;
            near[(size_t)i * k + a] = best;
            product[best] = -INFINITY;
        }
    }
}

int qc_lame(float *z, const float *logits, const float *x, uint32_t n, uint32_t features, uint32_t classes, uint32_t k,
            QcErr *err)
{
    QcArena scratch = {0};
    size_t values = (size_t)n * classes;
    double *product = qc_arena_take(&scratch, n, sizeof *product, err);
    float *old = qc_arena_take(&scratch, values, sizeof *old, err);
    if (n && k > n - 1) k = n - 1;
    uint32_t *near = qc_arena_take(&scratch, (size_t)n * k, sizeof *near, err);
    if (!product || !old || !near) {
        qc_arena_release(&scratch);
        return -1;
    }
    find_neighbours(near, x, n, features, k, product);
    memcpy(z, logits, values * sizeof *z);
    for (uint32_t i = 0; i < n; i++) qc_softmax(z + (size_t)i * classes, classes);
    double change = 1;
    for (int round = 0; round < ROUNDS && change > 1e-6; round++) {
        change = 0;
        memcpy(old, z, values * sizeof *old);
        memcpy(z, logits, values * sizeof *z); /* ln p, up to a constant of each window */
        for (uint32_t i = 0; i < n; i++) {
            float *own = z + (size_t)i * classes;
            for (uint32_t a = 0; a < k; a++)
                for (uint32_t c = 0; c < classes; c++) own[c] += old[(size_t)near[(size_t)i * k + a] * classes + c];
            qc_softmax(own, classes);
            for (uint32_t c = 0; c < classes; c++)
                change = fmax(change, fabs((double)own[c] - (double)old[(size_t)i * classes + c]));
        }
    }
    qc_arena_release(&scratch);
    return 0;
}

static int open_lame(QcMethodRun *l, QcErr *err)
{
    Lame *s = l->state = qc_method_take(l, 1, sizeof *s, err);
    if (!s || qc_float_head_init(&s->head, l, 0, err) || qc_labels_only_open(&s->learner, l, l->g, err)) return -1;
    qc_method_count(l, s->learner.bytes);
    return 0;
}

static int next(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    report->set = report->forwards = batch->n;
    report->operations = batch->n * l->macs;
    return qc_labels_only_learn(&((Lame *)l->state)->learner, batch, err);
}

static void logits_of(QcMethodRun *l, float *to, const uint8_t *x)
{
    qc_method_logits(&((Lame *)l->state)->learner, to, x);
}

static int logits_together(QcMethodRun *l, float *logits, const uint8_t *windows, uint32_t n, QcErr *err)
{
    Lame *s = l->state;
    QcArena scratch = {0};
    uint32_t features = s->head.n - 1, classes = l->g->classes;
    float *x = qc_arena_take(&scratch, (size_t)n * features, sizeof *x, err);
    float *z = qc_arena_take(&scratch, (size_t)n * classes, sizeof *z, err);
    int status = x && z ? 0 : -1;
    for (uint32_t i = 0; i < n && !status; i++) {
        double square = 1e-30;
        qc_method_logits(&s->learner, logits + (size_t)i * classes, windows + (size_t)i * l->window);
        qc_float_head_read(&s->head, &s->learner.run);
        for (uint32_t f = 0; f < features; f++) square += (double)s->head.x[f] * (double)s->head.x[f];
        for (uint32_t f = 0; f < features; f++)
            x[(size_t)i * features + f] = (float)((double)s->head.x[f] / sqrt(square));
    }
    if (!status) status = qc_lame(z, logits, x, n, features, classes, (uint32_t)l->setting[0], err);
    for (size_t i = 0; i < (size_t)n * classes && !status; i++) logits[i] = logf(z[i] + 1e-10f);
    qc_arena_release(&scratch);
    return status;
}

static void close_lame(QcMethodRun *l) { qc_method_close(&((Lame *)l->state)->learner); }

const QcMethod qc_method_lame = {.name = "lame",
                                 .summary = "answers that agree with their neighbours'",
                                 .settings = settings,
                                 .unsaved = qc_lab_unsaved,
                                 .open = open_lame,
                                 .next = next,
                                 .logits = logits_of,
                                 .logits_together = logits_together,
                                 .close = close_lame};
