/* adapt.c - the adapt step: flips or not, then a new last layer, and whether it replaces the active one
 * (qc-method(7), "The learner").
 */
#include "../kernels/mem.h"
#include "learnerset.h"
#include "qmath.h"

/* ---- reports ---- */

static uint32_t right_of_source(const QcLearner *l, const uint8_t *right)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < l->set.n_kept; i++) n += qc_set_is_source(&l->set, i) && right[i];
    return n;
}

static void report_before(QcLearner *l, QcAdaptReport *report)
{
    report->n = l->set.n - l->set.n_kept;
    for (uint32_t i = l->set.n_kept; i < l->set.n; i++)
        report->right_before += l->answer[l->set.row[i]] == qc_set_label(&l->set, i);
    report->loss_before = report->loss_after = qc_learner_judge(l, l->right, &l->layers[l->counters->active]);
    for (uint32_t i = 0; i < l->set.n_kept; i++) report->source += (uint32_t)qc_set_is_source(&l->set, i);
    report->source_before = right_of_source(l, l->right);
    for (uint32_t i = 0; i < l->set.n; i++) l->ever[i] |= l->right[i];
}

static void report_after(QcLearner *l, QcAdaptReport *report)
{
    for (uint32_t i = l->set.n_kept; i < l->set.n; i++) report->right_after += l->after[i];
    report->source_after = right_of_source(l, l->after);
}

/* ---- the step ---- */

static QcAdaptMode choose_mode(const QcLearner *l, const QcHeadTask *t, const QcAdaptReport *report)
{
    const QcParameters *p = &l->setup.parameters;
    int can_solve = l->moments.n && qc_head_can_solve(t);
    if (!l->setup.flips || !p->rounds || !report->n) return QC_HEAD_ONLY;
    if (t->few_classes) return can_solve ? QC_HEAD_ONLY : QC_FLIPS_THEN_HEAD; /* flips would forget the classes that the
                                                                                 batch lacks */
    if (can_solve && p->skip_flips > 0 && (float)report->right_before >= p->skip_flips * (float)report->n)
        return QC_FLIPS_SKIPPED;
    return QC_FLIPS_THEN_HEAD;
}

static void observe_slot(QcLearner *l, const QcSlots *slots, uint32_t row, QcAdaptReport *report)
{
    qc_qrun_forward(&l->run, l->logits, qc_slot_window(slots, row));
    memcpy(qc_slot_features(slots, row), qc_learner_features(l), slots->features);
    report->forwards++;
}

/* Observes features of the set, and of windows that still wait for a label. */
static void observe_features(QcLearner *l, QcAdaptReport *report)
{
    for (uint32_t i = 0; i < l->set.n; i++) observe_slot(l, qc_set_slots(&l->set, i), l->set.row[i], report);
    for (uint32_t row = 0; row < l->ring.capacity; row++)
        if (l->ring.flags[row] == QC_RING_PREDICTED) observe_slot(l, &l->ring, row, report);
}

static void flip(QcLearner *l, QcRng *rng, QcAdaptReport *report)
{
    const QcParameters *p = &l->setup.parameters;
    QcFlipCounts counts;
    QcFlipTask task = {.set = &l->set,
                       .parameters = p,
                       .stop = l->moments.n ? p->stop_loss : p->temperature_loss,
                       .adapts = l->counters->adapts,
                       .right = l->after,
                       .ever = l->ever,
                       .misses = l->misses,
                       .share = &l->counters->share};
    l->setup.flips->run(&l->flipper, &counts, &task, rng);
    report->proposals = counts.proposals;
    report->accepted = counts.accepted;
    report->flips = counts.flips;
    report->forwards += counts.forwards;
    report->statistics = counts.statistics;
    if (counts.accepted) observe_features(l, report);
}

/* Does the set show a class without training data? Only labels describe such a class. */
static int shows_new_class(const QcLearner *l)
{
    for (uint32_t i = l->set.n_kept; i < l->set.n; i++)
        if (qc_set_label(&l->set, i) >= l->shape.classes - l->graph.spare) return 1;
    return 0;
}

/* Tries a new last layer. report->solved: 1 if it replaces the active layer. l->after: correct answers of the layer
 * that is active then. A batch of few classes, none of them new, gets a new head only if the head is better on the
 * set, because the batch lacks the other classes. */
static void refit(QcLearner *l, const QcHeadTask *t, QcAdaptReport *report)
{
    const QcLastLayer *active = &l->layers[l->counters->active];
    float solved, loss = report->flips ? qc_learner_judge(l, l->after, active) : report->loss_before;
    report->loss_after = loss;
    int must_gain = t->few_classes && !shows_new_class(l);
    int is_wanted = l->moments.n && qc_head_can_solve(t) && (!must_gain || loss > t->parameters->temperature_loss);
    if (!is_wanted) return;
    int is_solved = qc_head_solve(&l->trial, l->after, &solved, &l->scratch, t);
    report->operations += l->scratch.operations;
    if (!is_solved || (must_gain && !(solved < 0.9999f * loss))) { /* by more than the rounding error of a sum in
                                                                    * another order */
        qc_learner_judge(l, l->after, active);
        return;
    }
    report->loss_after = solved;
    report->solved = 1;
}

/* Solves the head; 1 if the guard allows the result. If the guard refuses a batch with a new class, solves again
 * without stacking (lower_shown_classes in head.c). Stacking may cost the shown classes so much that the guard would
 * refuse the new class for good. */
static int refit_within_guard(QcLearner *l, QcHeadTask *t, QcAdaptReport *report)
{
    refit(l, t, report);
    if (report->solved && t->expects_unseen && shows_new_class(l) && qc_learner_loses_too_much(l)) {
        t->expects_unseen = report->solved = 0;
        refit(l, t, report);
    }
    return !qc_learner_loses_too_much(l);
}

/* ---- commit or refuse ---- */

static void count_misses(QcLearner *l)
{
    for (uint32_t i = 0; i < l->set.n; i++) {
        if (l->right[i] && !l->after[i] && l->misses[i] < UINT16_MAX) l->misses[i]++;
        l->ever[i] |= l->after[i];
    }
}

static void learn_moments(QcLearner *l, const QcHeadTask *t)
{
    QcMoments *m = &l->moments;
    QcScatterQueue queue = {.kernels = l->scratch.kernels, .scatter = m->scatter, .rows = l->scratch.queue, .n = m->n};
    l->counters->waited = t->waited;
    for (uint32_t i = 0; m->n && i < l->set.n; i++)
        if (qc_head_is_new(t, i)) {
            uint16_t label = qc_set_label(&l->set, i);
            qc_mean_add(m->mean + (size_t)label * m->n, &m->count[label], &queue, qc_set_features(&l->set, i),
                        l->shape.zero, t->average_window);
        }
    qc_queue_flush(&queue);
}

/* Flips have changed the features: older examples say less of them. */
static void forget_moments(QcLearner *l)
{
    uint32_t window = l->setup.parameters.average_window;
    if (l->moments.n && window) qc_moments_forget(&l->moments, window);
}

static void count_origins(const QcLearner *l, QcAdaptReport *report)
{
    const QcSlots *s = &l->coreset;
    for (uint32_t slot = 0; slot < s->capacity; slot++) {
        int in_batch = 0;
        if (s->flags[slot] & QC_SLOT_EMPTY) continue;
        for (uint32_t i = l->set.n_kept; i < l->set.n && !in_batch; i++)
            in_batch = l->ring.id[l->set.row[i]] == s->id[slot];
        if (!(s->flags[slot] & QC_SLOT_STREAM)) report->from_source++;
        else if (in_batch) report->from_batch++;
        else report->from_stream++;
    }
}

static void update_coreset(QcLearner *l, QcRng *rng)
{
    QcSlots *s = &l->coreset;
    uint32_t kept = l->set.n_kept;
    for (uint32_t i = 0; i < kept; i++) {
        s->misses[l->set.row[i]] = l->misses[i];
        if (l->ever[i]) s->flags[l->set.row[i]] &= (uint8_t)~QC_SLOT_NEVER_RIGHT;
    }
    QcBatch batch = {l->set.n - kept, l->set.row + kept, l->ring.windows, l->ring.feature, l->ring.label, l->ring.id};
    qc_slots_update(s, &batch, l->misses + kept, l->ever + kept, l->counters->seen,
                    (QcUpdate)l->setup.parameters.update, rng, l->keys);
}

static void leave_ring(QcLearner *l)
{
    for (uint32_t i = l->set.n_kept; i < l->set.n; i++) l->ring.flags[l->set.row[i]] = QC_RING_LEARNED;
}

static void commit(QcLearner *l, const QcHeadTask *t, QcRng *rng, QcAdaptReport *report)
{
    report_after(l, report);
    count_misses(l);
    if (report->flips) forget_moments(l);
    if (report->n) learn_moments(l, t);
    if (report->solved) {
        l->counters->active = 1 - l->counters->active;
        qc_last_layer_copy(&l->shape, &l->layers[l->counters->active], &l->trial);
        l->counters->can_undo = 1;
    }
    if (report->flips) l->counters->can_undo = 0;
    qc_learner_use_active(l);
    update_coreset(l, rng);
    l->counters->seen += report->n;
}

static void refuse(QcLearner *l, const QcLearnerCounters *before, QcAdaptReport *report)
{
    uint32_t adapts = l->counters->adapts;
    float trust = l->counters->trust;
    *l->counters = *before;
    l->counters->adapts = adapts;
    l->counters->trust = trust;
    if (report->mode == QC_FLIPS_THEN_HEAD) l->setup.flips->restore(&l->flipper);
    if (report->flips) observe_features(l, report);
    report->refused = 1;
    report->solved = report->flips = 0;
    report->loss_after = qc_learner_judge(l, l->after, &l->layers[l->counters->active]);
    report_after(l, report);
}

void qc_learner_adapt(QcLearner *l, QcAdaptReport *report)
{
    const QcLearnerCounters before = *l->counters;
    QcRng rng = qc_rng_seed(l->setup.seed, QC_STREAM_BATCH0 + l->counters->adapts);
    *report = (QcAdaptReport){0};
    qc_learner_gather(l);
    QcHeadTask task = qc_learner_task(l);
    qc_learner_choose_guesses(l, &task);
    if (l->set.n == l->set.n_kept && !task.guesses) {
        count_origins(l, report);
        return;
    }
    l->counters->adapts++;
    report_before(l, report);
    memcpy(l->after, l->right, l->set.n);
    int is_refused = qc_learner_labels_are_random(l);
    if (!is_refused) {
        report->mode = choose_mode(l, &task, report);
        if (report->mode == QC_FLIPS_THEN_HEAD) flip(l, &rng, report);
        is_refused = !refit_within_guard(l, &task, report);
    }
    if (is_refused) refuse(l, &before, report);
    else commit(l, &task, &rng, report);
    leave_ring(l);
    count_origins(l, report);
}

int qc_learner_undo(QcLearner *l)
{
    if (!l->counters->can_undo) return -1;
    l->counters->active = 1 - l->counters->active;
    l->counters->can_undo = 0;
    qc_learner_use_active(l);
    return 0;
}
