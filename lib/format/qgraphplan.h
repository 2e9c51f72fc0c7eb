/* qgraphplan.h - when the tensors of a quantized graph live: shared by the plan that places them and the check that they lie apart. */
#ifndef QC_FORMAT_QGRAPHPLAN_H
#define QC_FORMAT_QGRAPHPLAN_H

#include <string.h>

#include "qgraphfile.h"

/* From the first node that writes a tensor to the last that touches it; the input lives from the start. first > last: never. */
typedef struct QcQLife {
    uint32_t first, last; /* node indices, both included */
} QcQLife;

void qc_qgraph_lives(const QcQGraph *g, QcQLife *lives); /* [n_tensors]; indices of nodes must be valid */

static inline int qc_qlife_together(QcQLife a, QcQLife b) { return a.first <= b.last && b.first <= a.last; }

static inline uint64_t qc_qtensor_bytes(const QcQTensor *t) { return (uint64_t)t->height * t->width * t->channels; }

#endif
