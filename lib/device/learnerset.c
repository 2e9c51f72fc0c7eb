#include "learnerset.h"

#include "../kernels/mem.h"
#include "qmath.h"

#define FEW_UNTIL 2.0f   /* labelled windows per class at which labels are no longer few */
#define GUESS_UNTIL 1.5f /* labelled windows per class at which windows without a label no longer count */
#define TRUST_MEMORY 0.7f
#define LEAST_WINDOW 8u  /* labelled examples that the mean of a class follows, at least */

/* ---- the set, and how a last layer does on it ---- */

void qc_learner_gather(QcLearner *l)
{
    QcSet *set = &l->set;
    set->n = 0;
    for (uint32_t s = 0; s < l->coreset.capacity; s++)
        if (!(l->coreset.flags[s] & QC_SLOT_EMPTY)) set->row[set->n++] = s;
    set->n_kept = set->n;
    for (uint32_t age = l->ring.capacity; age >= 1; age--) { /* the oldest first */
        uint32_t row = qc_learner_row_of_age(l, age);
        if (l->ring.flags[row] == QC_RING_LABELLED) set->row[set->n++] = row;
    }
    set->n_unlabelled = 0;
    for (uint32_t age = l->ring.capacity; !l->setup.all_labelled && age >= 1; age--) {
        uint32_t row = qc_learner_row_of_age(l, age);
        if (l->ring.flags[row] == QC_RING_PREDICTED) set->row[set->n + set->n_unlabelled++] = row;
    }
    for (uint32_t i = 0; i < set->n; i++) {
        const QcSlots *from = qc_set_slots(set, i);
        l->misses[i] = i < set->n_kept ? from->misses[set->row[i]] : 0;
        l->ever[i] = i < set->n_kept && !(from->flags[set->row[i]] & QC_SLOT_NEVER_RIGHT);
    }
}

/* Logits of features by a last layer; codes: unpacked, NULL if no head fits. */
static void logits_by(QcLearner *l, const QcLastLayer *layer, const int8_t *codes, const uint8_t *features)
{
    if (codes) {
        qc_head_logits(l->logits, &l->shape, codes, layer->scale, layer->bias, features);
    } else {
        memcpy(qc_learner_features(l), features, l->coreset.features);
        l->graph.last = layer;
        qc_qrun_logits(&l->run, l->logits);
        qc_learner_use_active(l);
    }
}

uint32_t qc_learner_logits_of(QcLearner *l, uint32_t row)
{
    const QcLastLayer *active = &l->layers[l->counters->active];
    logits_by(l, active, l->moments.n ? qc_head_unpack(l->scratch.codes, active, &l->shape) : NULL,
              qc_slot_features(&l->ring, row));
    return qc_largest(l->logits, l->shape.classes);
}

/* right [set]: which examples a last layer has right, by their features. Returns its loss. */
float qc_learner_judge(QcLearner *l, uint8_t *right, const QcLastLayer *layer)
{
    const QcSet *set = &l->set;
    uint32_t classes = l->shape.classes;
    float loss = 0, present = (float)qc_set_count(set, 0, l->count, classes);
    const int8_t *codes = l->moments.n ? qc_head_unpack(l->scratch.codes, layer, &l->shape) : NULL;
    for (uint32_t i = 0; i < set->n; i++) {
        uint16_t label = qc_set_label(set, i);
        logits_by(l, layer, codes, qc_set_features(set, i));
        right[i] = qc_largest(l->logits, classes) == label;
        /* a spare row predicts no better than chance */
        float lost = qc_is_spare_row(layer, &l->shape, label) ? qc_ln((float)classes)
                                                                         : qc_cross_entropy(l->logits, label, classes);
        loss += lost / (present * (float)l->count[label]);
    }
    return loss;
}

/* ---- the task of a new head ---- */

/* A window without a label counts by its answer. */
static int has_few_classes(QcLearner *l)
{
    uint32_t classes = qc_set_count(&l->set, l->set.n_kept, l->count, l->shape.classes);
    for (uint32_t u = 0; u < l->set.n_unlabelled; u++)
        classes += (uint32_t)(l->count[l->answer[l->set.row[l->set.n + u]]]++ == 0);
    return (float)classes <= l->setup.parameters.few_class_threshold * (float)l->task_shape.classes;
}

/* Number of labelled windows since the last first example of a class, after the set is learned. */
static uint32_t waited_after(const QcLearner *l, const QcHeadTask *t)
{
    uint32_t waited = l->counters->waited;
    for (uint32_t i = 0; i < l->set.n; i++) {
        if (!qc_head_is_new(t, i)) continue;
        uint16_t label = qc_set_label(&l->set, i);
        int shown = l->moments.count[label] > 0;
        for (uint32_t j = 0; j < i && !shown; j++) shown = qc_head_is_new(t, j) && qc_set_label(&l->set, j) == label;
        waited = shown ? waited + 1 : 0;
    }
    return waited;
}

/* Spare rows without an example are excluded from the task. */
static void choose_rows(QcLearner *l, QcHeadTask *t)
{
    const QcLastLayer *active = &l->layers[l->counters->active];
    uint32_t classes = 0;
    for (uint32_t row = 0; row < l->shape.classes; row++) {
        l->class_of[row] = (uint16_t)classes;
        if (qc_task_has_example(t, row) || !qc_is_spare_row(active, &l->shape, row))
            l->rows[classes++] = (uint16_t)row;
    }
    l->task_shape.classes = classes;
    t->rows = l->rows;
    t->class_of = l->class_of;
}

/* 1 if the coreset has no source example of a class that was trained. */
static int lacks_source_example(const QcLearner *l)
{
    for (uint32_t row = 0; row < l->shape.classes - l->graph.spare; row++)
        if (!qc_set_has_source(&l->set, row)) return 1;
    return 0;
}

/* Labelled windows so far, per class. */
static float labels_per_class(const QcLearner *l, const QcHeadTask *t)
{
    return ((float)l->counters->seen + (float)(l->set.n - l->set.n_kept)) / (float)t->shape->classes;
}

/* Windows up to the latest that is labelled: later ones may get a label yet. */
static uint32_t windows_until_label(const QcLearner *l)
{
    uint32_t age = 1;
    while (age < l->ring.capacity && l->ring.flags[qc_learner_row_of_age(l, age)] != QC_RING_LABELLED) age++;
    return l->counters->next - (age - 1);
}

/* The window of a class's mean counts labelled examples. If only a part of the windows is labelled, the same time has
 * fewer of them. All is counted from the beginning, so that a restart changes nothing. */
static uint32_t average_window(const QcLearner *l)
{
    uint32_t most = l->setup.parameters.average_window, windows = windows_until_label(l);
    uint64_t labelled = l->counters->seen + l->set.n - l->set.n_kept;
    if (l->set.n == l->set.n_kept) return most; /* windows_until_label needs a labelled window */
    if (l->setup.all_labelled || most <= LEAST_WINDOW || labelled >= windows) return most;
    uint32_t window = (uint32_t)(most * labelled / windows);
    return window < LEAST_WINDOW ? LEAST_WINDOW : window;
}

QcHeadTask qc_learner_task(QcLearner *l)
{
    QcHeadTask t = {.shape = &l->task_shape, .parameters = &l->setup.parameters, .stream = &l->moments, .set = &l->set};
    t.n_rows = l->shape.classes;
    t.spare = l->graph.spare;
    t.takes_kept = l->counters->seen == 0;
    l->task_shape = l->shape;
    if (l->rows) choose_rows(l, &t);
    t.few_labels = l->set.n_unlabelled > 0 && labels_per_class(l, &t) < FEW_UNTIL;
    int needs_source = qc_task_has_new_class(&t) || (t.few_labels && !l->setup.flips);
    t.source_of_absent = l->setup.source.mean && !needs_source && !l->setup.flips && lacks_source_example(l);
    if (l->setup.source.mean && (needs_source || t.source_of_absent)) t.source = &l->setup.source;
    t.few_classes = t.expects_unseen = has_few_classes(l);
    t.average_window = average_window(l);
    t.waited = l->moments.n ? waited_after(l, &t) : 0;
    return t;
}

/* The same as qc_guess_score of the last layer that answers. */
static float answer_score(QcLearner *l)
{
    float sum = 0;
    for (uint32_t i = l->set.n_kept; i < l->set.n; i++) {
        qc_learner_logits_of(l, l->set.row[i]);
        float loss = qc_cross_entropy(l->logits, qc_set_label(&l->set, i), l->shape.classes);
        sum += qc_ln(qc_exp(-loss) + QC_LEAST_SHARE);
    }
    return sum;
}

/* Windows without a label count as long as labels confirm what is guessed of them. With GUESS_UNTIL labels per class,
 * labels alone are better. */
void qc_learner_choose_guesses(QcLearner *l, QcHeadTask *t)
{
    if (!l->moments.n || !t->few_labels || !(l->setup.parameters.guess_weight > 0)) return;
    if (l->set.n > l->set.n_kept) {
        float answered = answer_score(l); /* first, because guesses take the scratch */
        l->counters->trust = TRUST_MEMORY * l->counters->trust + (qc_guess_score(&l->scratch, t) - answered);
    }
    t->guesses = l->counters->trust > 0 && !t->few_classes && labels_per_class(l, t) < GUESS_UNTIL;
}
