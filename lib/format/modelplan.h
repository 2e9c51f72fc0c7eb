/* modelplan.h - the memory that a quantized model takes once it is read, part by part: what qc_qgraphfile_decode and
 * qc_flipfile_decode take. */
#ifndef QC_FORMAT_MODELPLAN_H
#define QC_FORMAT_MODELPLAN_H

#include "../device/flip.h"

/* flip NULL, or without layers: a model without a bit-flip network. */
void qc_modelfile_plan(QcPlan *plan, const QcQGraph *g, const QcFlip *flip);

#endif
