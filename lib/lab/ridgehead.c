/* ridgehead.c - methods head and bn+head: the last layer refitted in closed form: ridge regression of one-hot labels on
 * the last features, recursively over the stream.
 *
 *   W = argmin  sum_stream keep^age |y - W (x, 1)|^2 + u sum_source |y - W (x, 1)|^2 + lambda t |W|^2
 *
 * Source examples are the source examples of the coreset; u is such that they carry the share `source` of all weight,
 * whatever the length of the stream. Ridge on frozen features, fitted recursively, is analytic continual learning
 * (Zhuang et al., ACIL, 2022); W from sums is independent of the order of the stream. */
#include <string.h>

#include "bn.h"
#include "floathead.h"
#include "ridge.h"
#include "rivaltable.h"

typedef struct RidgeHead {
    QcFloatHead head;
    QcRidge stream, source, solved; /* what the stream, what the coreset's source examples add up to; room to solve
                                       in */
    double seen;                    /* weight of all stream examples so far */
} RidgeHead;

/* Settings in this order, `first` is the first setting's value. */
#define HEAD_SETTINGS                                                                             \
    QC_FLOAT_HEAD_FOLD, {"lambda", 0.001, 0, 1000, "ridge, in units of the mean square of a feature", 0},           \
        {"source", 0.2, 0, 0.99, "share of the coreset's source examples in the sum of all weights", 0},      \
        {"keep", 1, 0, 1, "what a batch leaves of the weight of those before it", 0},                         \
        {"sharp", 10, 0.001, 1000000, "logits are this many times the regression's answers (ECE, not accuracy)", 0}
enum { HEAD_FOLD, HEAD_LAMBDA, HEAD_SOURCE, HEAD_KEEP, HEAD_SHARP, HEAD_COUNT };

static int init(RidgeHead *h, QcMethodRun *l, QcErr *err)
{
    QcRidge *all[] = {&h->stream, &h->source, &h->solved};
    if (qc_float_head_init(&h->head, l, l->setting[HEAD_FOLD] > 0, err)) return -1;
    for (int i = 0; i < 3; i++) {
        double *memory = qc_method_take(l, qc_ridge_doubles(h->head.n, l->g->classes), sizeof *memory, err);
        if (!memory) return -1;
        qc_ridge_place(all[i], h->head.n, l->g->classes, memory);
    }
    return 0;
}

static uint32_t look_at_source(RidgeHead *h, QcMethodRun *l)
{
    const QcSlots *slots = l->slots;
    uint32_t n = 0;
    qc_ridge_clear(&h->source);
    for (uint32_t s = 0; s < slots->capacity; s++) {
        if (slots->flags[s] & (QC_SLOT_EMPTY | QC_SLOT_STREAM)) continue;
        qc_float_head_features(&h->head, l, slots->windows + (size_t)s * slots->window);
        qc_ridge_add(&h->source, h->head.x, slots->label[s], 1);
        n++;
    }
    return n;
}

static void solve(RidgeHead *h, QcMethodRun *l, uint32_t n_source)
{
    double share = l->setting[HEAD_SOURCE], source = n_source ? share / (1 - share) * h->seen / n_source : 0;
    size_t n = (size_t)h->head.n * l->g->classes;
    memcpy(h->solved.a, h->stream.a, qc_ridge_doubles(h->head.n, l->g->classes) * sizeof *h->solved.a);
    qc_ridge_join(&h->solved, &h->source, source);
    /* lambda 0 and features that depend on each other: the old head stays */
    if (qc_ridge_solve(&h->solved, h->head.w, l->setting[HEAD_LAMBDA])) return;
    for (size_t i = 0; i < n; i++) h->head.w[i] *= (float)l->setting[HEAD_SHARP];
    qc_float_head_fold(&h->head, l);
}

static void learn(RidgeHead *h, QcMethodRun *l, QcMethodReport *report, const QcBatch *batch)
{
    uint64_t n = h->head.n, classes = l->g->classes;
    uint32_t n_source = look_at_source(h, l);
    qc_ridge_scale(&h->stream, l->setting[HEAD_KEEP]);
    h->seen = l->setting[HEAD_KEEP] * h->seen + batch->n;
    for (uint32_t i = 0; i < batch->n; i++) {
        qc_float_head_features(&h->head, l, batch->windows + (size_t)i * l->window);
        qc_ridge_add(&h->stream, h->head.x, batch->labels[i], 1);
    }
    solve(h, l, n_source);
    uint64_t passes = n_source + batch->n;
    report->set = passes;
    report->forwards += passes;
    report->operations += passes * (l->macs + n * (n + 1) / 2 + n) + 2 * qc_ridge_doubles(h->head.n, l->g->classes) +
                          n * n * n / 6 + classes * n * n;
}

static int open_head(QcMethodRun *l, QcErr *err)
{
    RidgeHead *h = l->state = qc_method_take(l, 1, sizeof *h, err);
    return h ? init(h, l, err) : -1;
}

static int next(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    (void)err;
    learn(l->state, l, report, batch);
    return 0;
}

static void logits(QcMethodRun *l, float *to, const uint8_t *x)
{
    RidgeHead *h = l->state;
    qc_float_head_logits(&h->head, l, to, x);
}

static const QcSetting settings[] = {HEAD_SETTINGS, {0}};

const QcMethod qc_method_head = {.name = "head",
                                 .summary = "last layer by recursive ridge regression",
                                 .settings = settings,
                                 .unsaved = qc_float_head_unsaved,
                                 .open = open_head,
                                 .next = next,
                                 .logits = logits};

/* ---- bn, then head on the features that it makes. What the head has seen of earlier batches were features of earlier
 * normalisations: `keep` fades them. ---- */

static const QcSetting both_settings[] = {HEAD_SETTINGS, QC_BN_SETTINGS, {0}};

typedef struct BnHead {
    QcBn bn;
    RidgeHead head;
} BnHead;

static int open_both(QcMethodRun *l, QcErr *err)
{
    BnHead *b = l->state = qc_method_take(l, 1, sizeof *b, err);
    return b && !qc_bn_init(&b->bn, l, l->setting + HEAD_COUNT, err) ? init(&b->head, l, err) : -1;
}

static int next_both(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    BnHead *b = l->state;
    (void)err;
    qc_bn_next(&b->bn, l, report, batch);
    learn(&b->head, l, report, batch);
    return 0;
}

static void logits_both(QcMethodRun *l, float *to, const uint8_t *x)
{
    BnHead *b = l->state;
    qc_float_head_logits(&b->head.head, l, to, x);
}

const QcMethod qc_method_bn_head = {.name = "bn+head",
                                    .summary = "bn, then head",
                                    .settings = both_settings,
                                    .unlabelled = 1,
                                    .unsaved = qc_float_head_unsaved,
                                    .open = open_both,
                                    .next = next_both,
                                    .logits = logits_both};
