/* head.c - the last layer refitted in closed form: ridge regression of one-hot labels on the last features, recursively over the stream.
 *
 *   W = argmin  sum_stream keep^age |y - W (x, 1)|^2 + u sum_source |y - W (x, 1)|^2 + lambda t |W|^2
 *
 * Source examples are those of the coreset; u is such that they carry the share `source` of all weight, whatever the length of the stream. Ridge on frozen features, fitted
 * recursively, is analytic continual learning (Zhuang et al., ACIL, 2022); W from sums is independent of the order of the stream. */
#include "ridgehead.h"

#include <string.h>

#include "rivaltable.h"

int qc_ridge_head_init(QcRidgeHead *h, QcMethodRun *l, QcErr *err)
{
    QcRidge *all[] = {&h->stream, &h->source, &h->solved};
    if (qc_float_head_init(&h->head, l, l->setting[QC_RIDGE_FOLD] > 0, err)) return -1;
    for (int i = 0; i < 3; i++) {
        double *memory = qc_method_take(l, qc_ridge_doubles(h->head.n, l->g->classes), sizeof *memory, err);
        if (!memory) return -1;
        qc_ridge_place(all[i], h->head.n, l->g->classes, memory);
    }
    return 0;
}

static uint32_t look_at_source(QcRidgeHead *h, QcMethodRun *l)
{
    const QcSlots *slots = l->slots;
    uint32_t n = 0;
    qc_ridge_clear(&h->source);
    for (uint32_t s = 0; s < slots->capacity; s++) {
        if (slots->flags[s] & (QC_SLOT_EMPTY | QC_SLOT_STREAM)) continue;
        qc_float_head_features(&h->head, l, slots->x + (size_t)s * slots->window);
        qc_ridge_add(&h->source, h->head.x, slots->label[s], 1);
        n++;
    }
    return n;
}

static void solve(QcRidgeHead *h, QcMethodRun *l, uint32_t n_source)
{
    double share = l->setting[QC_RIDGE_SOURCE], source = n_source ? share / (1 - share) * h->seen / n_source : 0;
    size_t n = (size_t)h->head.n * l->g->classes;
    memcpy(h->solved.a, h->stream.a, qc_ridge_doubles(h->head.n, l->g->classes) * sizeof *h->solved.a);
    qc_ridge_join(&h->solved, &h->source, source);
    if (qc_ridge_solve(&h->solved, h->head.w, l->setting[QC_RIDGE_LAMBDA])) return; /* lambda 0 and features that depend on each other: the old head stays */
    for (size_t i = 0; i < n; i++) h->head.w[i] *= (float)l->setting[QC_RIDGE_SHARP];
    qc_float_head_fold(&h->head, l);
}

void qc_ridge_head_next(QcRidgeHead *h, QcMethodRun *l, QcMethodReport *report, const QcMethodBatch *batch)
{
    uint64_t n = h->head.n, classes = l->g->classes;
    uint32_t n_source = look_at_source(h, l);
    qc_ridge_scale(&h->stream, l->setting[QC_RIDGE_KEEP]);
    h->seen = l->setting[QC_RIDGE_KEEP] * h->seen + batch->n;
    for (uint32_t i = 0; i < batch->n; i++) {
        qc_float_head_features(&h->head, l, batch->x + (size_t)i * l->window);
        qc_ridge_add(&h->stream, h->head.x, batch->labels[i], 1);
    }
    solve(h, l, n_source);
    uint64_t passes = n_source + batch->n;
    report->set = passes;
    report->forwards += passes;
    report->operations += passes * (l->macs + n * (n + 1) / 2 + n) + 2 * qc_ridge_doubles(h->head.n, l->g->classes) + n * n * n / 6 + classes * n * n;
}

static int open_head(QcMethodRun *l, QcErr *err)
{
    QcRidgeHead *h = l->state = qc_method_take(l, 1, sizeof *h, err);
    return h ? qc_ridge_head_init(h, l, err) : -1;
}

static int next(QcMethodRun *l, QcMethodReport *report, const QcMethodBatch *batch, QcErr *err)
{
    (void)err;
    qc_ridge_head_next(l->state, l, report, batch);
    return 0;
}

static void logits(QcMethodRun *l, float *to, const uint8_t *x)
{
    QcRidgeHead *h = l->state;
    qc_float_head_logits(&h->head, l, to, x);
}

static const QcSetting settings[] = {QC_RIDGE_HEAD_SETTINGS, {0}};

const QcMethod qc_method_head = {.name = "head", .summary = "last layer by recursive ridge regression", .settings = settings, .unsaved = qc_float_head_unsaved,
                                 .open = open_head, .next = next, .logits = logits};
