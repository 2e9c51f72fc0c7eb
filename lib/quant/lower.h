/* lower.h - a float graph as the device will see it: batch norm folded into convolutions, ReLU and batch norm moved in
 * front of concats.
 *
 * The lowered graph computes the same logits (to float rounding) with CONV, LINEAR, RELU, pools, GAP, STD, CONCAT, ADD,
 * MUL, FUNCTION, TURN and FLATTEN only. A batch norm with no convolution before it becomes a depthwise 1 x 1
 * convolution.
 */
#ifndef QC_QUANT_LOWER_H
#define QC_QUANT_LOWER_H

#include "../nn/graph.h"

int qc_lower(QcGraph *out, const QcGraph *g, QcErr *err);

/* How often each node's output is read; readers [g->n_nodes]. */
void qc_count_readers(uint32_t *readers, const QcGraph *g);

#endif
