/* daelm.h - a last layer in closed form, from source examples and labelled windows of the stream: what daelm-s, daelm-t
 * (daelm.c) and pseudo have in common.
 *
 *   W = argmin |W|^2 + source sum_S |y - W (x, 1)|^2 + target sum_T |y - W (x, 1)|^2 + ...
 *
 * |W|^2 counts in units of the mean square of a feature on the coreset's source examples S. T are all labelled windows
 * of the stream; y is 1 for the class, else 0.
 */
#ifndef QC_LAB_DAELM_H
#define QC_LAB_DAELM_H

#include "floathead.h"
#include "ridge.h"

typedef struct QcDaelm {
    QcFloatHead own, head;          /* the model's last layer, for features; the solved layer, once there is one */
    QcRidge source, target, solved; /* sums over S and T; what is solved */
    double unit;                    /* mean square of a feature */
    int is_solved;
} QcDaelm;

int qc_daelm_init(QcDaelm *d, QcMethodRun *l, QcErr *err);
/* Labelled windows join T; fills set, forwards and operations of the report for all windows of the batch. */
void qc_daelm_learn(QcDaelm *d, QcMethodRun *l, QcMethodReport *report, const QcBatch *batch);
/* d->solved: |W|^2 and these parts; more can be joined. */
void qc_daelm_begin(QcDaelm *d, double source, double target);
void qc_daelm_solve(QcDaelm *d); /* the head; it stays as it was if that fails */
/* Of the model as it was shipped until a head is solved. */
void qc_daelm_logits(QcDaelm *d, QcMethodRun *l, float *logits, const uint8_t *window);

#endif
