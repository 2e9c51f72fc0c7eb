/* cortexm_dspconv.h - the parts of cortexm_dspconv.c, cortexm_dsplinear.c and cortexm_dspdepth.c in the table of
 * cortexm_dsp.c. */
#ifndef QC_KERNELS_CORTEXM_DSPCONV_H
#define QC_KERNELS_CORTEXM_DSPCONV_H

#include "kernels.h"

int qc_dsp_conv(uint8_t *out, const QcKConv *how);
int qc_dsp_linear(int32_t *sums, const QcKConv *how);
int qc_dsp_depthwise(uint8_t *out, const QcKConv *how);

#endif
