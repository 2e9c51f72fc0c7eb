/* pseudo.c - self-training (pseudo-labels: Lee, 2013) of a last layer in closed form (daelm.h).
 *
 * A layer from source examples and labels answers the windows without a label; without a label so far, the model as it
 * was shipped answers. Answers whose softmax is at least `threshold` become labels with the weight `guess`, and the
 * layer is solved again, `rounds` times. Pseudo-labels of earlier batches count `keep` times as much as a batch
 * before.
 */
#include <string.h>

#include "../device/head.h"
#include "daelm.h"
#include "rivaltable.h"
#include "softmax.h"

enum { THRESHOLD, GUESS, ROUNDS, KEEP, SOURCE, TARGET, SHARP };

static const QcSetting settings[] = {
    {"threshold", 0.65, 0, 1, "least probability of an answer that becomes a label", 0},
    {"guess", 1, 0, 1e6, "weight of a pseudo-label", 0},
    {"rounds", 3, 1, 100, "answers per batch", 1},
    {"keep", 0, 0, 1, "what a batch leaves of the weight of earlier pseudo-labels", 0},
    {"source", 1, 0, 1e6, "weight of a source example", 0},
    {"target", 10, 0, 1e6, "weight of a labelled window of the stream", 0},
    {"sharp", 10, 0.001, 1e6, "logits are this many times the regression's answers", 0},
    {0},
};

typedef struct Pseudo {
    QcDaelm layer;
    QcRidge kept, now; /* sums over pseudo-labels of earlier batches and of this one */
    float *x, *logits; /* of the windows without a label: features, and logits of the model as it was shipped */
} Pseudo;

static int open_pseudo(QcMethodRun *l, QcErr *err)
{
    Pseudo *p = l->state = qc_method_take(l, 1, sizeof *p, err);
    if (!p || qc_daelm_init(&p->layer, l, err)) return -1;
    uint32_t n = p->layer.own.n, classes = l->g->classes;
    double *kept = qc_method_take(l, qc_ridge_doubles(n, classes), sizeof *kept, err);
    double *now = qc_method_take(l, qc_ridge_doubles(n, classes), sizeof *now, err);
    p->x = qc_method_take(l, (size_t)l->batch_max * n, sizeof *p->x, err);
    p->logits = qc_method_take(l, (size_t)l->batch_max * classes, sizeof *p->logits, err);
    if (!kept || !now || !p->x || !p->logits) return -1;
    qc_ridge_place(&p->kept, n, classes, kept);
    qc_ridge_place(&p->now, n, classes, now);
    return 0;
}

static void observe(Pseudo *p, QcMethodRun *l, const QcBatch *batch)
{
    const QcFloatHead *own = &p->layer.own;
    for (uint32_t i = 0; i < l->n_unlabelled; i++) {
        qc_float_head_features(&p->layer.own, l, batch->windows + (size_t)(batch->n + i) * l->window);
        memcpy(p->x + (size_t)i * own->n, own->x, own->n * sizeof *p->x);
        memcpy(p->logits + (size_t)i * l->g->classes, own->logits, l->g->classes * sizeof *p->logits);
    }
}

static void solve(Pseudo *p, const QcMethodRun *l)
{
    qc_daelm_begin(&p->layer, l->setting[SOURCE], l->setting[TARGET]);
    qc_ridge_join(&p->layer.solved, &p->kept, l->setting[GUESS]);
    qc_ridge_join(&p->layer.solved, &p->now, l->setting[GUESS]);
    qc_daelm_solve(&p->layer);
}

/* The answer to window i without a label; logits [classes] become probabilities. */
static uint32_t answer(Pseudo *p, const QcMethodRun *l, float *logits, uint32_t i)
{
    uint32_t classes = l->g->classes, n = p->layer.head.n;
    if (!p->layer.is_solved) memcpy(logits, p->logits + (size_t)i * classes, classes * sizeof *logits);
    for (uint32_t k = 0; p->layer.is_solved && k < classes; k++) {
        const float *w = p->layer.head.w + (size_t)k * n, *x = p->x + (size_t)i * n;
        double sum = (double)w[n - 1];
        for (uint32_t j = 0; j + 1 < n; j++) sum += (double)w[j] * (double)x[j];
        logits[k] = (float)(l->setting[SHARP] * sum);
    }
    qc_softmax(logits, classes);
    return qc_largest(logits, classes);
}

static int next(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    Pseudo *p = l->state;
    float *logits = p->layer.own.logits;
    (void)err;
    qc_daelm_learn(&p->layer, l, report, batch);
    observe(p, l, batch);
    qc_ridge_scale(&p->kept, l->setting[KEEP]);
    qc_ridge_clear(&p->now);
    if (batch->n || p->layer.is_solved) solve(p, l);
    for (int round = 0; round < (int)l->setting[ROUNDS]; round++) {
        qc_ridge_clear(&p->now);
        for (uint32_t i = 0; i < l->n_unlabelled; i++) {
            uint32_t best = answer(p, l, logits, i);
            if ((double)logits[best] >= l->setting[THRESHOLD])
                qc_ridge_add(&p->now, p->x + (size_t)i * p->layer.own.n, best, 1);
        }
        solve(p, l);
    }
    qc_ridge_join(&p->kept, &p->now, 1);
    qc_ridge_clear(&p->now);
    return 0;
}

static void logits_of(QcMethodRun *l, float *to, const uint8_t *x)
{
    Pseudo *p = l->state;
    qc_daelm_logits(&p->layer, l, to, x);
    for (uint32_t k = 0; p->layer.is_solved && k < l->g->classes; k++) to[k] *= (float)l->setting[SHARP];
}

const QcMethod qc_method_pseudo = {.name = "pseudo",
                                   .summary = "last layer by ridge regression, sure answers as labels (self-training)",
                                   .settings = settings,
                                   .unlabelled = 1,
                                   .unsaved = qc_lab_unsaved,
                                   .open = open_pseudo,
                                   .next = next,
                                   .logits = logits_of};
