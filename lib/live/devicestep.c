/* devicestep.c - the on-device learner (lib/device/learner.h) as a method: with flips, without flips, and no
 * adaptation. */
#include "devicestep.h"

#include <string.h>

#include "methodtable.h"

int qc_devicestep_place(QcMethodRun *l, QcErr *err)
{
    QcLearnerSetup setup = {.graph = l->g,
                            .parameters = l->parameters,
                            .source = l->source,
                            .score = l->score,
                            .seed = l->seed,
                            .capacity = l->capacity,
                            .ring = l->batch_max,
                            .all_labelled = (uint32_t)l->all_labelled};
    if (l->flip) {
        setup.flips = &qc_flip_rounds;
        setup.flip = l->flip;
    } else if (!qc_head_fits(l->g)) {
        return qc_fail(err, QC_EUNSUPPORTED,
                       "the last layer is too large for a closed form (more than %d features or %d classes): without a "
                       "bit-flip network nothing would learn",
                       QC_HEAD_MAX_FEATURES, QC_HEAD_MAX_CLASSES);
    }
    uint64_t bytes = qc_learner_bytes(&setup);
    if (bytes > UINT32_MAX)
        return qc_fail(err, QC_EUNSUPPORTED, "the device would need %llu bytes", (unsigned long long)bytes);
    QcLearner *learner = l->state = qc_arena_take(&l->arena, 1, sizeof *learner, err);
    if (!learner) return -1;
    l->memory = qc_aligned_new(bytes, "the device's working memory", err);
    if (!l->memory) return -1;
    qc_learner_place(learner, &setup, l->kernels, l->memory);
    l->slots = &learner->coreset;
    l->run = learner->run;
    qc_method_count(l, bytes);
    return 0;
}

static int place_closed(QcMethodRun *l, QcErr *err)
{
    l->flip = NULL;
    return qc_devicestep_place(l, err);
}

QcLearner *qc_devicestep_learner(const QcMethodRun *l) { return l->state; }

int qc_devicestep_has(const QcMethodRun *l, uint32_t slot, const uint8_t *window)
{
    QcLearner *learner = l->state;
    const QcQNode *last = &l->g->nodes[l->g->n_nodes - 1];
    qc_learner_logits(learner, learner->logits, window);
    return !memcmp(qc_qrun_tensor(&learner->run, last->in[0]), qc_slot_features(&learner->coreset, slot),
                   learner->coreset.features);
}

void qc_devicestep_observe(QcMethodRun *l, const uint8_t *window, int32_t label, uint64_t id)
{
    QcAnswer answer;
    qc_learner_predict(l->state, &answer, window, id);
    if (label >= 0) qc_learner_label(l->state, answer.number, (uint16_t)label);
}

void qc_devicestep_fill(QcMethodRun *l, uint32_t slot, const uint8_t *window, uint16_t label, uint16_t misses,
                        uint8_t flags, uint64_t id)
{
    qc_learner_fill(l->state, slot, window, NULL, label, misses, flags, id);
}

int qc_devicestep_next(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    QcLearner *learner = l->state;
    (void)batch, (void)err;
    qc_learner_adapt(learner, &report->step);
    report->set = learner->set.n;
    report->forwards = l->observed + report->step.forwards; /* a prediction of each window, and what flips need */
    /* a Hebbian statistic sums a weight's inputs wherever its mask is on: at most as many additions as a pass has
     * multiply-adds */
    report->operations =
        l->macs * (report->forwards + (uint64_t)report->step.statistics * report->set) + report->step.operations;
    return 0;
}

const QcMethod qc_method_qcore = {.name = "qcore",
                                  .summary = "bit flips chosen by the bit-flip network, then the last layer",
                                  .needs_flip = 1,
                                  .place = qc_devicestep_place,
                                  QC_DEVICESTEP};

const QcMethod qc_method_closed = {.name = "closed",
                                   .summary = "no flips: the last layer in closed form, in the model's own codes",
                                   .place = place_closed,
                                   QC_DEVICESTEP};

/* ---- no adaptation ---- */

static int do_nothing(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    (void)l, (void)report, (void)batch, (void)err;
    return 0;
}

const QcMethod qc_method_none = {.name = "none", .summary = "no adaptation", .next = do_nothing};
