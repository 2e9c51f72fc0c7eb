/* supports.h - the classifier of T3A (Iwasawa and Matsuo, 2021): each class has support features, and its weights are
 * their sum.
 *
 * Features have unit length in a support. The model's own last layer begins: row k of its weights supports the class
 * that the layer answers for it. A window then supports its class with the entropy of the model's answer. A class keeps
 * the `most` supports of least entropy; of equal ones the first stay. With c_k the sum of the supports of class k,
 *
 *   logit_k = x' c_k / |c_k|,   0 for a class without supports
 */
#ifndef QC_LAB_SUPPORTS_H
#define QC_LAB_SUPPORTS_H

#include "floathead.h"

typedef struct QcSupports {
    QcFloatHead own; /* the model's last layer */
    uint32_t features, classes, most;
    uint32_t *count; /* [classes] */
    float *x;        /* [classes][most][features] of unit length */
    double *entropy; /* [classes][most] */
    float *weights;  /* [classes][features] c_k / |c_k| */
} QcSupports;

int qc_supports_init(QcSupports *s, QcMethodRun *l, uint32_t most, QcErr *err);
/* One support more; x [features] of any length. Weights change with qc_supports_solve. */
void qc_supports_add(QcSupports *s, const float *x, uint32_t class_index, double entropy);
void qc_supports_solve(QcSupports *s);
/* The windows of a batch: labelled ones with entropy 0, the others under the answer of the model as it is. Solves, and
 * adds to the counts of report. */
void qc_supports_learn(QcSupports *s, QcMethodRun *l, QcMethodReport *report, const QcBatch *batch);
void qc_supports_logits(QcSupports *s, QcMethodRun *l, float *logits, const uint8_t *window);

#endif
