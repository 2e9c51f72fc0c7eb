/* pseudo.c - self-training: the answers that the learner is sure of become labels (pseudo-labels: Lee, 2013).
 *
 * The learner is the product's with labels alone (live/labelsonly.h). A batch has two steps: the learner learns the
 * labelled windows, then the other windows whose largest softmax is at least `threshold`, with its answers as labels.
 * A pseudo-label counts as much as a label and is never taken back.
 */
#include "../device/head.h"
#include "../live/labelsonly.h"
#include "rivaltable.h"
#include "softmax.h"

static const QcSetting settings[] = {
    {"threshold", 0.95, 0, 1, "least probability of an answer that becomes a label", 0},
    {0},
};

static int open_pseudo(QcMethodRun *l, QcErr *err)
{
    QcMethodRun *learner = l->state = qc_method_take(l, 1, sizeof *learner, err);
    if (!learner || qc_labels_only_open(learner, l, l->g, err)) return -1;
    qc_method_count(l, learner->bytes);
    return 0;
}

/* Labels the windows that it is sure of; returns how many. */
static uint32_t label_surely(QcMethodRun *learner, const QcMethodRun *l, float *logits, const QcBatch *batch)
{
    uint32_t n = 0, classes = l->g->classes;
    for (uint32_t i = batch->n; i < batch->n + l->n_unlabelled; i++) {
        const uint8_t *window = batch->windows + (size_t)i * l->window;
        qc_method_logits(learner, logits, window);
        uint32_t answer = qc_largest(logits, classes);
        qc_softmax(logits, classes);
        if ((double)logits[answer] < l->setting[0]) continue;
        qc_method_observe(learner, window, (int32_t)answer, batch->ids[i]);
        n++;
    }
    return n;
}

static int next(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    QcMethodRun *learner = l->state;
    QcMethodReport pseudo;
    QcArena scratch = {0};
    uint32_t n = 0;
    float *logits = qc_arena_take(&scratch, l->g->classes, sizeof *logits, err);
    int status = logits ? qc_labels_only_learn(learner, batch, err) : -1;
    if (!status) {
        n = label_surely(learner, l, logits, batch);
        status = qc_method_next(learner, &pseudo, NULL, NULL, err);
        report->operations = pseudo.step.operations;
    }
    report->set = batch->n + n;
    report->forwards = batch->n + l->n_unlabelled + n;
    report->operations += report->forwards * l->macs;
    qc_arena_release(&scratch);
    return status;
}

static void logits_of(QcMethodRun *l, float *to, const uint8_t *x) { qc_method_logits(l->state, to, x); }

static void close_pseudo(QcMethodRun *l) { qc_method_close(l->state); }

static const char *unsaved(const double *setting)
{
    (void)setting;
    return "it is measured, not made for use";
}

const QcMethod qc_method_pseudo = {.name = "pseudo",
                                   .summary = "the learner with sure answers as labels (self-training)",
                                   .settings = settings,
                                   .unlabelled = 1,
                                   .unsaved = unsaved,
                                   .open = open_pseudo,
                                   .next = next,
                                   .logits = logits_of,
                                   .close = close_pseudo};
