/* qgraphplan.h - liveness of the tensors of a quantized graph, and so which of them may share memory. The plan that
 * places tensors and the check of a plan both use it. */
#ifndef QC_FORMAT_QGRAPHPLAN_H
#define QC_FORMAT_QGRAPHPLAN_H

#include <string.h>

#include "qgraphfile.h"

/* From the first node that writes a tensor to the last that touches it; the input tensor is live from the start. first
 * > last: never. */
typedef struct QcQLiveness {
    uint32_t first, last; /* node indices, both included */
    int held;             /* the flipper reads it after the last node has run */
} QcQLiveness;

/* liveness [n_tensors]; indices of nodes must be valid. inference_only: only as long as a prediction needs them; else
 * until the flipper has read them. */
void qc_qgraphplan_liveness(const QcQGraph *g, QcQLiveness *liveness, int inference_only);

static inline int qc_qlife_together(QcQLiveness a, QcQLiveness b) { return a.first <= b.last && b.first <= a.last; }

/* Tensor t is made by one node, a sum or a pool over a series, from u, which no other node needs any more: t may have
 * the same place as u. */
int qc_qgraphplan_replaces(const QcQGraph *g, const QcQLiveness *liveness, uint32_t t, uint32_t u);

static inline uint64_t qc_qtensor_bytes(const QcQTensor *t) { return (uint64_t)t->height * t->width * t->channels; }

#endif
