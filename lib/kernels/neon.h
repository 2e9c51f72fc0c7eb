/* neon.h - what the files of the ARM sets share: kernels of neon.c that neondot.c keeps. See kernels.h. */
#ifndef QC_KERNELS_NEON_H
#define QC_KERNELS_NEON_H

#include "kernels.h"

void qc_neon_unpack(int8_t *w, int32_t *sum, const QcKCodes *codes);
void qc_neon_rescale(uint8_t *out, const int32_t *acc, const int32_t *bias, const int32_t *multiplier,
                     const uint8_t *shift, uint32_t positions, uint32_t channels, uint32_t acc_step, uint32_t out_step,
                     int32_t zero, int32_t low, int32_t high);
void qc_neon_add(uint8_t *out, const uint8_t *a, const uint8_t *b, uint32_t n, const QcKAdd *how);
void qc_neon_masked_sum(int32_t *sums, const uint8_t *x, const uint8_t *mask, uint32_t positions, uint32_t step,
                        uint32_t mask_step, uint32_t run, uint32_t channels);
void qc_neon_max_rows(uint8_t *out, const uint8_t *x, uint32_t rows, uint32_t step, uint32_t n);
int qc_neon_depthwise(uint8_t *out, const QcKConv *how); /* neondepth.c */

#endif
