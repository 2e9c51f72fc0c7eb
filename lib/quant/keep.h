/* keep.h - a model that comes quantized (a float graph with QUANT nodes and the scales of its weights) -> a quantized
 * graph with the same codes and scales. */
#ifndef QC_QUANT_KEEP_H
#define QC_QUANT_KEEP_H

#include "../device/qgraph.h"
#include "../nn/graph.h"

/* step: scales of weights, [channels of all convolutions and linear layers, in order]. What has no scale, or a batch
 * norm, is refused by name. Weights may be codes of -256 to 255: beyond 8 bits they become sums of codes, and the layer
 * reads its input as many times; *wide counts these layers. All of g is from `arena`. */
int qc_keep(QcQGraph *g, const QcGraph *model, const float *step, uint32_t *wide, QcArena *arena, QcErr *err);

#endif
