/* labelsonly.h - the product's learner with labels alone (guess_weight 0), beside a method off the device. A session
 * lets it choose the windows that get a label, so all rivals get the same labels; rivals also build on it.
 */
#ifndef QC_LIVE_LABELSONLY_H
#define QC_LIVE_LABELSONLY_H

#include "method.h"

/* Opens *to on graph g with the coreset, parameters and seed of `beside`, whose slots are filled. g is the graph of
 * `beside` or a copy of it; the learner does not change it. Release with qc_method_close. */
int qc_labels_only_open(QcMethodRun *to, const QcMethodRun *beside, QcQGraph *g, QcErr *err);

/* Predicts and labels the windows of a batch, then adapts. */
int qc_labels_only_learn(QcMethodRun *to, const QcBatch *batch, QcErr *err);

#endif
