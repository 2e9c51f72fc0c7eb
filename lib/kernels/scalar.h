/* scalar.h - the functions of scalar.c that other tables of kernels take over as they are. kernels.h says what they
 * compute. */
#ifndef QC_KERNELS_SCALAR_H
#define QC_KERNELS_SCALAR_H

#include "kernels.h"

void qc_scalar_unpack(int8_t *w, int32_t *sum, const QcKCodes *codes);
void qc_scalar_dot(int32_t *acc, const uint8_t *x, const int8_t *w, const QcKDot *dot, int bits);
void qc_scalar_depthwise(int32_t *acc, const uint8_t *x, const int8_t *w, const QcKDot *dot);
void qc_scalar_rescale(uint8_t *out, const int32_t *acc, const int32_t *bias, const int32_t *multiplier,
                       const uint8_t *shift, uint32_t positions, uint32_t channels, uint32_t acc_step,
                       uint32_t out_step, int32_t zero, int32_t low, int32_t high);
void qc_scalar_add(uint8_t *out, const uint8_t *a, const uint8_t *b, uint32_t n, const QcKAdd *how);
void qc_scalar_masked_sum(int32_t *sums, const uint8_t *x, const uint8_t *mask, uint32_t positions, uint32_t step,
                          uint32_t mask_step, uint32_t run, uint32_t channels);
int qc_scalar_linear(int32_t *sums, const QcKConv *how);
void qc_scalar_moments(uint32_t *sum, uint32_t *squares, const uint8_t *x, uint32_t positions, uint32_t step,
                       uint32_t n);

#endif
