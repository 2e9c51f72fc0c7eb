/* ask.h - which of the ring's windows deserve a label most: active learning on the device (qc-method(7), "Asking").
 *
 * The rule is a parameter (parameters.h: ask). A rule on distances needs a last layer that a head fits, and a learner
 * that is not set up for labelled windows alone; without them QC_ASK_MARGIN is used instead.
 */
#ifndef QC_DEVICE_ASK_H
#define QC_DEVICE_ASK_H

#include "learner.h"

typedef enum QcAskRule {
    QC_ASK_COVER,   /* the window that most shortens the distances of all windows to the nearest labelled one (facility
                       location); distances count more if the class is in doubt */
    QC_ASK_MARGIN,  /* the least difference of the two largest logits */
    QC_ASK_ENTROPY, /* the largest entropy of softmax */
    QC_ASK_RANDOM,
    QC_ASK_CENTER,  /* the window that is farthest from the nearest labelled one (k-center) */
    QC_ASK_COUNT
} QcAskRule;

/* Chooses among the `latest` windows those without a label whose labels would help most. numbers [n]: their window
 * numbers, the most useful first. Returns how many, at most n. Changes nothing that is learned. Call between
 * predictions, since scratch shares memory with the activations. Work grows with latest^2. */
uint32_t qc_learner_ask(QcLearner *l, uint32_t *numbers, uint32_t n, uint32_t latest);

#endif
