/* daelm.c - domain adaptation of extreme learning machines (Zhang and Zhang, 2015), on the last features instead of
 * random ones. daelm-s uses source examples and labels (daelm.h). daelm-t uses labels and windows without a label:
 *
 *   W = argmin |W|^2 + target sum_T |y - W (x, 1)|^2 + guess sum_U |p(x) - W (x, 1)|^2
 *
 * U are the windows without a label of the latest batch, p the softmax of the model as it was shipped (the base
 * classifier, which has seen all of the source).
 */
#include "daelm.h"

#include "rivaltable.h"
#include "softmax.h"

int qc_daelm_init(QcDaelm *d, QcMethodRun *l, QcErr *err)
{
    const QcSlots *slots = l->slots;
    if (qc_float_head_init(&d->own, l, 0, err) || qc_float_head_init(&d->head, l, 0, err)) return -1;
    QcRidge *all[] = {&d->source, &d->target, &d->solved};
    for (int i = 0; i < 3; i++) {
        double *memory = qc_method_take(l, qc_ridge_doubles(d->own.n, l->g->classes), sizeof *memory, err);
        if (!memory) return -1;
        qc_ridge_place(all[i], d->own.n, l->g->classes, memory);
    }
    uint32_t n = 0;
    for (uint32_t s = 0; s < slots->capacity; s++) {
        if (slots->flags[s] & (QC_SLOT_EMPTY | QC_SLOT_STREAM)) continue;
        qc_float_head_features(&d->own, l, qc_slot_window(slots, s));
        qc_ridge_add(&d->source, d->own.x, slots->label[s], 1);
        n++;
    }
    for (uint32_t i = 0; i + 1 < d->own.n; i++) d->unit += d->source.a[(size_t)i * d->own.n + i];
    d->unit = d->unit > 0 ? d->unit / n / (d->own.n - 1) : 1;
    return 0;
}

void qc_daelm_learn(QcDaelm *d, QcMethodRun *l, QcMethodReport *report, const QcBatch *batch)
{
    uint64_t n = d->own.n;
    for (uint32_t i = 0; i < batch->n; i++) {
        qc_float_head_features(&d->own, l, batch->windows + (size_t)i * l->window);
        qc_ridge_add(&d->target, d->own.x, batch->labels[i], 1);
    }
    report->set = report->forwards = batch->n + l->n_unlabelled;
    report->operations = report->forwards * (l->macs + n * n / 2) + n * n * n / 6;
}

void qc_daelm_begin(QcDaelm *d, double source, double target)
{
    qc_ridge_clear(&d->solved);
    for (uint32_t i = 0; i < d->own.n; i++) d->solved.a[(size_t)i * d->own.n + i] = d->unit;
    qc_ridge_join(&d->solved, &d->source, source);
    qc_ridge_join(&d->solved, &d->target, target);
}

void qc_daelm_solve(QcDaelm *d) { d->is_solved |= !qc_ridge_solve(&d->solved, d->head.w, 0); }

void qc_daelm_logits(QcDaelm *d, QcMethodRun *l, float *logits, const uint8_t *window)
{
    if (d->is_solved) qc_float_head_logits(&d->head, l, logits, window);
    else qc_qrun_forward(&l->run, logits, window);
}

/* ---- the methods ---- */

static int open_daelm(QcMethodRun *l, QcErr *err)
{
    QcDaelm *d = l->state = qc_method_take(l, 1, sizeof *d, err);
    return d ? qc_daelm_init(d, l, err) : -1;
}

static int next_s(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    (void)err;
    qc_daelm_learn(l->state, l, report, batch);
    qc_daelm_begin(l->state, l->setting[0], l->setting[1]);
    qc_daelm_solve(l->state);
    return 0;
}

static int next_t(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    QcDaelm *d = l->state;
    (void)err;
    qc_daelm_learn(d, l, report, batch);
    qc_daelm_begin(d, 0, l->setting[0]);
    for (uint32_t i = batch->n; i < batch->n + l->n_unlabelled; i++) {
        qc_float_head_features(&d->own, l, batch->windows + (size_t)i * l->window);
        qc_softmax(d->own.logits, l->g->classes);
        qc_ridge_add_targets(&d->solved, d->own.x, d->own.logits, l->setting[1]);
    }
    qc_daelm_solve(d);
    return 0;
}

static void logits_of(QcMethodRun *l, float *to, const uint8_t *x) { qc_daelm_logits(l->state, l, to, x); }

static const QcSetting settings_s[] = {
    {"source", 1, 0, 1e6, "weight of a source example", 0},
    {"target", 10, 0, 1e6, "weight of a labelled window of the stream", 0},
    {0},
};

static const QcSetting settings_t[] = {
    {"target", 10, 0, 1e6, "weight of a labelled window of the stream", 0},
    {"guess", 0.1, 0, 1e6, "weight of a window without a label", 0},
    {0},
};

const QcMethod qc_method_daelm_s = {.name = "daelm-s",
                                    .summary = "last layer by ridge regression on source and labels",
                                    .settings = settings_s,
                                    .unsaved = qc_lab_unsaved,
                                    .open = open_daelm,
                                    .next = next_s,
                                    .logits = logits_of};

const QcMethod qc_method_daelm_t = {.name = "daelm-t",
                                    .summary = "last layer by ridge regression on labels and the model's answers",
                                    .settings = settings_t,
                                    .unlabelled = 1,
                                    .unsaved = qc_lab_unsaved,
                                    .open = open_daelm,
                                    .next = next_t,
                                    .logits = logits_of};
