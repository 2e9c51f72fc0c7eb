/* head.h - the parts of method head that bn+head shares. */
#ifndef QC_LAB_RIDGEHEAD_H
#define QC_LAB_RIDGEHEAD_H

#include "floathead.h"
#include "ridge.h"

typedef struct QcRidgeHead {
    QcFloatHead head;
    QcRidge stream, source, solved; /* what the stream, what the coreset's source examples add up to; room to solve in */
    double seen;                    /* weight of all stream examples so far */
} QcRidgeHead;

/* Settings in this order, `first` being that of the first. */
#define QC_RIDGE_HEAD_SETTINGS                                                                             \
    QC_FLOAT_HEAD_FOLD, {"lambda", 0.001, 0, 1000, "ridge, in units of the mean square of a feature", 0},           \
        {"source", 0.2, 0, 0.99, "share of the coreset's source examples in the sum of all weights", 0},      \
        {"keep", 1, 0, 1, "what a batch leaves of the weight of those before it", 0},                         \
        {"sharp", 10, 0.001, 1000000, "logits are this many times the regression's answers (ECE, not accuracy)", 0}
enum { QC_RIDGE_FOLD, QC_RIDGE_LAMBDA, QC_RIDGE_SOURCE, QC_RIDGE_KEEP, QC_RIDGE_SHARP, QC_RIDGE_HEAD_COUNT };

int qc_ridge_head_init(QcRidgeHead *h, QcMethodRun *l, QcErr *err);
/* One batch, with the source examples in the slots looked at anew; adds to the counts of report. */
void qc_ridge_head_next(QcRidgeHead *h, QcMethodRun *l, QcMethodReport *report, const QcMethodBatch *batch);

#endif
