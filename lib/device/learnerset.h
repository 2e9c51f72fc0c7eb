/* learnerset.h - what files of the learner share: the set of an adapt, the head's task, and the answers that kept
 * features give. */
#ifndef QC_DEVICE_LEARNERSET_H
#define QC_DEVICE_LEARNERSET_H

#include "learner.h"

/* Fills l->set: the coreset's examples, then labelled windows; behind them, if they count, windows without a label. */
void qc_learner_gather(QcLearner *l);
/* What a head for the gathered set would be solved from. */
QcHeadTask qc_learner_task(QcLearner *l);
/* l->logits of the ring's row by the last layer that answers, from its features; returns the class. */
uint32_t qc_learner_logits_of(QcLearner *l, uint32_t row);
/* The ring's row of window `number`, or -1: it has left the ring. */
int64_t qc_learner_row(const QcLearner *l, uint32_t number);

#endif
