/* flipfile.h - the bit-flip network as section "flip" of a quantized model file. Which layers there are follows from
 * the graph; reading checks that it all fits. */
#ifndef QC_FORMAT_FLIPFILE_H
#define QC_FORMAT_FLIPFILE_H

#include "../device/flip.h"
#include "modelfile.h"

int qc_flipfile_encode(QcModelFile *m, const QcFlip *flip, QcErr *err);
/* Arrays come from `arena`; g is the model's own graph. A model without a network says which program makes one. */
int qc_flipfile_decode(QcFlip *flip, const QcModelFile *m, const QcQGraph *g, QcArena *arena, QcErr *err);
/* Layers and room for feedback, from the graph alone: where a new network begins. */
int qc_flipfile_allocate(QcFlip *flip, const QcQGraph *g, int8_t **feedback, float **feedback_scale, QcArena *arena,
                         QcErr *err);

#endif
