/* daelm.c - domain adaptation of extreme learning machines (Zhang and Zhang, 2015), on the last features instead of
 * random ones: a last layer in closed form, from source and target.
 *
 *   daelm-s   min |W|^2 + source sum_S |y - W x|^2 + target sum_T |y - W x|^2
 *   daelm-t   min |W|^2 + target sum_T |y - W x|^2 + guess sum_U |p(x) - W x|^2
 *
 * x has the constant 1; y is 1 for the class, else 0. S are the coreset's source examples, T all labelled windows of
 * the stream, U the windows without a label of the latest batch, p the softmax of the model as it was shipped (the base
 * classifier). |W|^2 counts in units of the mean square of a feature on the source.
 */
#include <string.h>

#include "floathead.h"
#include "ridge.h"
#include "rivaltable.h"
#include "softmax.h"

typedef struct Daelm {
    QcFloatHead own, head; /* the model's last layer, for features and p; the solved layer, once there is one */
    QcRidge source, target, solved;
    double unit;           /* mean square of a feature */
    int is_solved;
} Daelm;

static int open_daelm(QcMethodRun *l, QcErr *err)
{
    const QcSlots *slots = l->slots;
    Daelm *d = l->state = qc_method_take(l, 1, sizeof *d, err);
    if (!d || qc_float_head_init(&d->own, l, 0, err) || qc_float_head_init(&d->head, l, 0, err)) return -1;
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
    d->unit = n ? d->unit / n / (d->own.n - 1) : 1;
    return 0;
}

/* solved = weight sum over examples of `from`, and |W|^2 */
static void begin(Daelm *d, const QcRidge *from, double weight)
{
    qc_ridge_clear(&d->solved);
    for (uint32_t i = 0; i < d->own.n; i++) d->solved.a[(size_t)i * d->own.n + i] = d->unit > 0 ? d->unit : 1;
    qc_ridge_join(&d->solved, from, weight);
}

static void learn_labels(Daelm *d, QcMethodRun *l, QcMethodReport *report, const QcBatch *batch)
{
    for (uint32_t i = 0; i < batch->n; i++) {
        qc_float_head_features(&d->own, l, batch->windows + (size_t)i * l->window);
        qc_ridge_add(&d->target, d->own.x, batch->labels[i], 1);
    }
    report->set = report->forwards = batch->n + l->n_unlabelled;
    report->operations = report->forwards * (l->macs + (uint64_t)d->own.n * d->own.n);
}

static int next_s(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    Daelm *d = l->state;
    (void)err;
    learn_labels(d, l, report, batch);
    begin(d, &d->source, l->setting[0]);
    qc_ridge_join(&d->solved, &d->target, l->setting[1]);
    d->is_solved |= !qc_ridge_solve(&d->solved, d->head.w, 0);
    return 0;
}

static int next_t(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    Daelm *d = l->state;
    (void)err;
    learn_labels(d, l, report, batch);
    begin(d, &d->target, l->setting[0]);
    for (uint32_t i = batch->n; i < batch->n + l->n_unlabelled; i++) {
        qc_float_head_features(&d->own, l, batch->windows + (size_t)i * l->window);
        qc_softmax(d->own.logits, l->g->classes);
        qc_ridge_add_targets(&d->solved, d->own.x, d->own.logits, l->setting[1]);
    }
    d->is_solved |= !qc_ridge_solve(&d->solved, d->head.w, 0);
    return 0;
}

static void logits_of(QcMethodRun *l, float *to, const uint8_t *x)
{
    Daelm *d = l->state;
    if (d->is_solved) qc_float_head_logits(&d->head, l, to, x);
    else qc_qrun_forward(&l->run, to, x);
}

static const char *unsaved(const double *setting)
{
    (void)setting;
    return "its last layer is not one of integers";
}

static const QcSetting settings_s[] = {
    {"source", 1, 0, 1e6, "weight of a source example", 0},
    {"target", 10, 0, 1e6, "weight of a labelled window of the stream", 0},
    {0},
};

static const QcSetting settings_t[] = {
    {"target", 10, 0, 1e6, "weight of a labelled window of the stream", 0},
    {"guess", 1, 0, 1e6, "weight of a window without a label", 0},
    {0},
};

const QcMethod qc_method_daelm_s = {.name = "daelm-s",
                                    .summary = "last layer by ridge regression on source and labels",
                                    .settings = settings_s,
                                    .unsaved = unsaved,
                                    .open = open_daelm,
                                    .next = next_s,
                                    .logits = logits_of};

const QcMethod qc_method_daelm_t = {.name = "daelm-t",
                                    .summary = "last layer by ridge regression on labels and the model's answers",
                                    .settings = settings_t,
                                    .unlabelled = 1,
                                    .unsaved = unsaved,
                                    .open = open_daelm,
                                    .next = next_t,
                                    .logits = logits_of};
