/* driftfit.h - at quantize time: what a quantized model knows of its source's features, and from which drift figure on
 * a stream is too far from it (device/driftwatch.h). */
#ifndef QC_QUANT_DRIFTFIT_H
#define QC_QUANT_DRIFTFIT_H

#include "../device/driftwatch.h"
#include "../format/modelfile.h"
#include "windows.h"

/* Means and variances of all windows (at most 4096 of them). Centres and spread of distances are cross-validated in
 * five folds. The threshold is 0.8 plus 10 times the mean confidence above 0.9, and at least 1.5 times the largest
 * figure of these out-of-fold scores, in the order of the data and in ten random orders (share/experiments/drift.md).
 * Of distances to the nearest mean, the farthest 1.5 % count as unknown.
 * Returns 1; 0 if the windows or the last layer do not allow it (fewer than ten windows, more than 2^20 means); -1.
 * Arrays come from `arena`. */
int qc_fit_driftbase(QcDriftBase *b, const QcQGraph *g, const QcWindows *w, QcArena *arena, QcErr *err);

/* The same, into the model's file, where it is known. */
int qc_fit_add_driftbase(QcModelFile *m, const QcQGraph *g, const QcWindows *w, QcArena *arena, QcErr *err);

#endif
