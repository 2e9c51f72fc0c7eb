/* run.h - forward and backward passes of a graph over a mini-batch (oneDNN does the convolutions).
 *
 * A QcRun borrows its graph (which must outlive it) and owns the memory for `batch` windows. Parameters are read from
 * graph->params at each forward, so a change of them (by an optimizer or a quantizer's snapshot) takes effect at once.
 * For the same inputs the result is the same to the bit, whatever the number of threads; more than four are of no
 * use.
 */
#ifndef QC_NN_RUN_H
#define QC_NN_RUN_H

#include "graph.h"

typedef enum QcRunMode {
    QC_RUN_EVAL,    /* batch norm by running statistics; no backward pass */
    QC_RUN_TRAIN,   /* batch norm by batch statistics (running ones updated: stats of the graph are written);
                       backward */
    QC_RUN_TUNE     /* backward pass too, but batch norm by running statistics: graphs without batch norm, oracles */
} QcRunMode;

typedef struct QcRun QcRun;

QcRun *qc_run_new(QcGraph *g, uint32_t batch, QcRunMode mode, int threads, QcErr *err);
void qc_run_free(QcRun *run);

/* x [n][h][w][c], n <= batch. Returns logits [n][classes], borrowed until the next call. */
const float *qc_run_forward(QcRun *run, const float *x, uint32_t n);
/* dlogits [n][classes] of the batch of the last forward; grads [n_params] are overwritten. */
void qc_run_backward(QcRun *run, float *grads, const float *dlogits);

/* Of the last pass, borrowed until the next: the output of a node, and (after qc_run_backward, for nodes kept by
 * qc_run_keep) the gradient with respect to it, both [n][h][w][c]. NULL if memory was shared away. */
const float *qc_run_value(const QcRun *run, uint32_t node);
const float *qc_run_gradient(const QcRun *run, uint32_t node);
/* Call before the first forward: this node's value and gradient must survive the pass. */
int qc_run_keep(QcRun *run, uint32_t node, QcErr *err);
size_t qc_run_bytes(const QcRun *run);

/* For tests and benches. Slices that a batch is cut into; 0, the default: as many as are worth it, at most four. */
extern int qc_run_parts;

#endif
