/* der, der++ - dark experience replay (Buzzega et al., NeurIPS 2020): the memory holds the logits z that the model
 * answered when it was filled.
 *
 *     DER    L = L_ce(batch) + alpha MSE(h(x'), z')                       x', z' drawn from the memory
 *     DER++  L = L_ce(batch) + alpha MSE(h(x'), z') + beta L_ce(x'', y'')  x'', y'' drawn from it once more
 *
 * MSE is the mean over examples and classes, as in the authors' code. z are logits of the integer model: of the start
 * model for the source examples, of the model just calibrated for the examples of a batch. DER++ gives each of its two
 * draws half of the replayed examples, so that a step costs as much as another method's.
 */
#include "losses.h"
#include "rivaltable.h"
#include "replay.h"

#include <string.h>

enum { ALPHA = QC_REPLAY_OWN, BETA };

typedef struct Der {
    QcReplay replay;
    float *remembered; /* [capacity][classes] z */
    float *answers;    /* [batch_max][classes] of the batch, once it is learned */
    float *wanted;     /* [replay][classes] z of a step's rows */
} Der;

static int open(QcMethodRun *l, QcErr *err)
{
    uint32_t classes = l->g->classes;
    Der *der = l->state = qc_method_take(l, 1, sizeof *der, err);
    if (!der || qc_replay_open(&der->replay, l, 0, err)) return -1;
    der->remembered = qc_method_take(l, l->capacity, classes * sizeof(float), err);
    der->answers = qc_method_take(l, l->batch_max, classes * sizeof(float), err);
    der->wanted = qc_method_take(l, der->replay.replay, classes * sizeof(float), err);
    if (!der->remembered || !der->answers || !der->wanted) return -1;
    for (uint32_t s = 0; s < l->capacity; s++)
        if (!(l->slots->flags[s] & QC_SLOT_EMPTY))
            qc_qrun_forward(&l->run, der->remembered + (size_t)s * classes, l->slots->windows + (size_t)s * l->window);
    return 0;
}

static void scale(float *values, size_t n, double by)
{
    for (size_t i = 0; i < n; i++) values[i] *= (float)by;
}

/* Rows of the memory: the first n_recalled are to answer as remembered, those after them to be right. */
static void loss(QcReplay *r, QcMethodRun *l, const float *logits)
{
    const Der *der = l->state;
    uint32_t k = r->classes, n_right = l->method == &qc_method_der_pp ? r->n_old / 2 : 0,
             n_recalled = r->n_old - n_right;
    size_t recalled = (size_t)r->n_fresh * k, right = recalled + (size_t)n_recalled * k;
    for (uint32_t i = 0; i < n_recalled; i++)
        memcpy(der->wanted + (size_t)i * k, der->remembered + (size_t)r->from[r->n_fresh + i] * k, k * sizeof(float));
    qc_loss_among(r->dlogits, logits, r->label, NULL, NULL, r->n_fresh, k);
    qc_loss_recall(r->dlogits + recalled, logits + recalled, der->wanted, n_recalled, k);
    scale(r->dlogits + recalled, (size_t)n_recalled * k, l->setting[ALPHA]);
    qc_loss_among(r->dlogits + right, logits + right, r->label + r->n_fresh + n_recalled, NULL, NULL, n_right, k);
    scale(r->dlogits + right, (size_t)n_right * k, l->setting[BETA]);
}

/* The logits of the calibrated model for the batch, some of which are stored. */
static void answer(Der *der, QcMethodRun *l, const QcBatch *batch, QcMethodReport *report)
{
    for (uint32_t i = 0; i < batch->n; i++)
        qc_qrun_forward(&l->run, der->answers + (size_t)i * l->g->classes, batch->windows + (size_t)i * l->window);
    report->forwards += batch->n;
    report->operations += l->macs * batch->n;
}

static int next(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    Der *der = l->state;
    qc_replay_begin(&der->replay, l, batch);
    if (qc_replay_steps(&der->replay, l, der->replay.steps, loss, err)) return -1;
    qc_replay_end(&der->replay, l, report);
    answer(der, l, batch, report);
    return 0;
}

static void kept(QcMethodRun *l, uint32_t slot, uint32_t i)
{
    Der *der = l->state;
    size_t classes = l->g->classes;
    memcpy(der->remembered + slot * classes, der->answers + i * classes, classes * sizeof(float));
}

static void close(QcMethodRun *l) { qc_replay_release(l->state); }

static const QcSetting der_settings[] = {
    QC_REPLAY_SETTINGS, {"alpha", 0.5, 0, 1000, "weight of the distance to remembered logits", 0}, {0}};
static const QcSetting der_pp_settings[] = {
    QC_REPLAY_SETTINGS,
    {"alpha", 0.5, 0, 1000, "weight of the distance to remembered logits", 0},
    {"beta", 0.5, 0, 1000, "weight of the memory's cross-entropy", 0},
    {0},
};

const QcMethod qc_method_der = {
    .name = "der",
    .summary = "dark experience replay: the memory's logits are to stay",
    .settings = der_settings,
    .backward = 1,
    .open = open,
    .next = next,
    .kept = kept,
    .close = close,
};

const QcMethod qc_method_der_pp = {
    .name = "der++",
    .summary = "dark experience replay with the memory's labels too",
    .settings = der_pp_settings,
    .backward = 1,
    .open = open,
    .next = next,
    .kept = kept,
    .close = close,
};
