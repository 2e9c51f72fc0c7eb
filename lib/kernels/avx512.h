/* avx512.h - what the files of the AVX-512 set share, each of which has one function. See kernels.h. */
#ifndef QC_KERNELS_AVX512_H
#define QC_KERNELS_AVX512_H

#include <immintrin.h>

#include "avx2.h"

#define INLINE static inline __attribute__((always_inline))

enum { QC_512_LANES = 16 };

/* w [segments][steps][16][4], `next` bytes (a multiple of 64) from step to step, 64-byte aligned: the codes of `lanes`
 * channels from `channel` on; weights of missing channels are zero. sum: of each channel's. */
void qc_avx512_unpack(int8_t *w, size_t next, int32_t sum[QC_512_LANES], const QcKCodes *codes, uint32_t channel,
                      uint32_t lanes);

int qc_avx512_conv(uint8_t *out, const QcKConv *how);
int qc_avx512_depthwise(uint8_t *out, const QcKConv *how);

#endif
