/* qgraphplan.h - when the tensors of a quantized graph live, and so which of them may share memory: known to the plan
 * that places them and to the check that they lie apart. */
#ifndef QC_FORMAT_QGRAPHPLAN_H
#define QC_FORMAT_QGRAPHPLAN_H

#include <string.h>

#include "qgraphfile.h"

/* From the first node that writes a tensor to the last that touches it; the input tensor is live from the start. first
 * > last: never. */
typedef struct QcQLiveness {
    uint32_t first, last; /* node indices, both included */
    int held;             /* the flipper looks at it once the last one has run */
} QcQLiveness;

/* liveness [n_tensors]; indices of nodes must be valid. inference_only: only as long as a prediction needs them; else
 * until the flipper has looked at them. */
void qc_qgraphplan_liveness(const QcQGraph *g, QcQLiveness *liveness, int inference_only);

static inline int qc_qlife_together(QcQLiveness a, QcQLiveness b) { return a.first <= b.last && b.first <= a.last; }

/* Tensor t is made by one node, a sum or a pool over a series, out of u, which nobody needs any more: it may lie just
 * where u does. */
int qc_qgraphplan_replaces(const QcQGraph *g, const QcQLiveness *liveness, uint32_t t, uint32_t u);

static inline uint64_t qc_qtensor_bytes(const QcQTensor *t) { return (uint64_t)t->height * t->width * t->channels; }

#endif
