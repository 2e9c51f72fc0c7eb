/* avx2.h - what the files of the x86 sets share: kernels of avx2.c that avx512vnni.c keeps, and those that have files
 * of their own. See kernels.h.
 */
#ifndef QC_KERNELS_AVX2_H
#define QC_KERNELS_AVX2_H

#include "kernels.h"
#include "mem.h"

void qc_avx2_unpack(int8_t *w, int32_t *sum, const QcKCodes *codes);
void qc_avx2_rescale(uint8_t *out, const int32_t *acc, const int32_t *bias, const int32_t *multiplier,
                     const uint8_t *shift, uint32_t positions, uint32_t channels, uint32_t acc_step, uint32_t out_step,
                     int32_t zero, int32_t low, int32_t high);
void qc_avx2_add(uint8_t *out, const uint8_t *a, const uint8_t *b, uint32_t n, const QcKAdd *how);
void qc_avx2_max_rows(uint8_t *out, const uint8_t *x, uint32_t rows, uint32_t step, uint32_t n);
void qc_avx2_dot(int32_t *acc, const uint8_t *x, const int8_t *w, const QcKDot *how, int bits); /* avx2dot.c */
int qc_avx2_series(uint8_t *out, const QcKConv *how);                                           /* avx2series.c */
int qc_avx2_conv(uint8_t *out, const QcKConv *how);                                             /* avx2conv.c */
int qc_avx2_depthwise(uint8_t *out, const QcKConv *how);                                        /* avx2depth.c */

/* `bits` (1..32) bits from bit `at` of bytes[0..end-1]. */
static inline int32_t qc_bits_at(const uint8_t *bytes, uint64_t end, uint64_t at, uint32_t bits)
{
    uint64_t from = at / 8, v = 0;
    if (from + sizeof v <= end) memcpy(&v, bytes + from, sizeof v);
    else
        for (uint64_t i = 0; from + i < end; i++) v |= (uint64_t)bytes[from + i] << 8 * i;
    return (int32_t)(v >> at % 8 & 0xffffffffu >> (32 - bits));
}

#endif
