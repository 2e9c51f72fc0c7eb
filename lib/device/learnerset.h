/* learnerset.h - what files of the learner share: the set of an adapt, the head's task, and the answers that kept
 * features give. */
#ifndef QC_DEVICE_LEARNERSET_H
#define QC_DEVICE_LEARNERSET_H

#include "learner.h"

static inline void qc_learner_use_active(QcLearner *l) { l->graph.last = &l->layers[l->counters->active]; }

/* The ring's row of the window that is `age` windows old (1: the latest), age <= capacity. */
uint32_t qc_learner_row_of_age(const QcLearner *l, uint32_t age);

/* [features] of the window that went through the network last. */
static inline uint8_t *qc_learner_features(const QcLearner *l)
{
    return qc_qrun_tensor(&l->run, l->graph.nodes[l->graph.n_nodes - 1].in[0]);
}

/* Fills l->set: the coreset's examples, then labelled windows; after them, if they count, windows without a label. */
void qc_learner_gather(QcLearner *l);
/* What a head for the gathered set would be solved from. */
QcHeadTask qc_learner_task(QcLearner *l);
/* Decides whether windows without a label count in the task, and keeps l->counters->trust. Takes the head's scratch. */
void qc_learner_choose_guesses(QcLearner *l, QcHeadTask *t);
/* right [set]: which examples of the set a last layer has right, by their features. Returns its loss. */
float qc_learner_judge(QcLearner *l, uint8_t *right, const QcLastLayer *layer);
/* 1 if the gathered set's new labels agree with the answers, and with each other, no more than random labels
 * would, and there are enough of them to tell. Work: O(n^2 features) for the latest 256, and only if they do not
 * agree with the answers. */
int qc_learner_labels_are_random(const QcLearner *l);
/* 1 if l->after has fewer kept examples right than l->right, by more than the guard allows. */
int qc_learner_loses_too_much(const QcLearner *l);
/* l->logits of the ring's row by the last layer that answers, from its features; returns the class. */
uint32_t qc_learner_logits_of(QcLearner *l, uint32_t row);
/* The ring's row of window `number`, or -1: it has left the ring. */
int64_t qc_learner_row(const QcLearner *l, uint32_t number);

#endif
