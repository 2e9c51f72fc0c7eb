/* rangefit.h - at quantize time: which values each channel of the training data has (format/rangefile.h). */
#ifndef QC_QUANT_RANGEFIT_H
#define QC_QUANT_RANGEFIT_H

#include "../format/rangefile.h"
#include "windows.h"

/* Of windows that `norm` has normalized. Returns 1; 0 if fewer than 100 windows say too little; -1. Arrays come from
 * `arena`. */
int qc_range_fit(QcInputRange *r, const QcWindows *w, const QcNorm *norm, QcArena *arena, QcErr *err);

/* The same, into the model's file, where enough is known. */
int qc_range_add(QcModelFile *m, const QcWindows *w, QcArena *arena, QcErr *err);

#endif
