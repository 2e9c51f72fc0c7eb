/* avx2series.h - what avx2.c has in a file of its own. */
#ifndef QC_KERNELS_AVX2SERIES_H
#define QC_KERNELS_AVX2SERIES_H

#include "kernels.h"

int qc_avx2_series(uint8_t *out, const QcKSeries *how); /* QcKernels.series */

#endif
