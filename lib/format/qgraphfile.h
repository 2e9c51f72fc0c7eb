/* qgraphfile.h - the quantized graph as section "qgraph" of a model file (packed codes as in memory), and its checks.
 *
 * Reading trusts nothing: one pass validates every index, shape, offset, scale, multiplier and the overlap of tensors
 * that live together, so that the device's forward pass needs no check.
 */
#ifndef QC_FORMAT_QGRAPHFILE_H
#define QC_FORMAT_QGRAPHFILE_H

#include "../device/qgraph.h"
#include "modelfile.h"

int qc_qgraphfile_encode(QcModelFile *m, const QcQGraph *g, QcErr *err);
/* Arrays come from `arena`. A float model says so. */
int qc_qgraphfile_decode(QcQGraph *g, const QcModelFile *m, QcArena *arena, QcErr *err);
int qc_qgraphfile_check(const QcQGraph *g, QcErr *err);
/* Gives the tensors of g their offsets, by liveness, in place where a node can, greedily by size, and sets
 * activation_bytes and inference_bytes; used by the quantizer. The second does so for the inference-only plan alone,
 * which is not in files. */
int qc_qgraphfile_plan(QcQGraph *g, QcQTensor *tensors, QcErr *err);
int qc_qgraphfile_plan_inference(QcQGraph *g, QcQTensor *tensors, QcErr *err);

#endif
