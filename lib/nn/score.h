/* score.h - logits of a float model on a data set, and figures of logits: accuracy, loss, calibration error, recall
 * of each class, confusion.
 *
 * Examples with label -1 are only counted, in `unlabelled`. A figure over no examples is NaN. The struct owns its
 * arrays.
 */
#ifndef QC_NN_SCORE_H
#define QC_NN_SCORE_H

#include <stdint.h>

#include "../base/arena.h"
#include "../data/dataset.h"
#include "graph.h"

/* Logits of every example, [n][classes]. */
int qc_predict(QcGraph *g, const QcDataset *d, const QcNorm *norm, int threads, float *logits, QcErr *err);

typedef struct QcScore {
    QcArena arena;
    uint32_t n, unlabelled, classes; /* n: examples that count */
    uint32_t right;
    double accuracy;     /* right / n */
    double loss;         /* mean of -ln softmax[label] */
    double ece;          /* expected calibration error (qc_ece, nn/loss.h) */
    double recall_mean;  /* over the classes that have examples: accuracy if all were as frequent */
    uint32_t *confusion; /* [classes][classes] true class, then predicted class */
    uint32_t *examples;  /* [classes] row sums of confusion */
    double *recall;      /* [classes] */
} QcScore;

/* logits [n][classes]; labels [n] in -1 .. classes-1. Fails only when memory is out. */
int qc_score(QcScore *s, const float *logits, const int32_t *labels, uint32_t n, uint32_t classes, QcErr *err);
void qc_score_release(QcScore *s);

#endif
