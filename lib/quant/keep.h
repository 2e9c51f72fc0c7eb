/* keep.h - a model that comes quantized (a float graph with QUANT nodes and the scales of its weights) -> a quantized
 * graph with the same codes and scales. */
#ifndef QC_QUANT_KEEP_H
#define QC_QUANT_KEEP_H

#include "../device/qgraph.h"
#include "../nn/graph.h"

/* step: scales of weights, [channels of all convolutions and linear layers, in order]. A node without a scale, or a
 * batch norm, is refused by name. Weights are codes of -256 to 255. A weight beyond 8 bits becomes the sum of two or
 * three codes, and its layer reads as many copies of its input; *wide counts these layers. All of g is from `arena`.
 * -1 with a sentence. */
int qc_keep(QcQGraph *g, const QcGraph *model, const float *step, uint32_t *wide, QcArena *arena, QcErr *err);

#endif
