/* avx2.c - the kernels in 256-bit vectors. */
#include "kernels.h"

#include <immintrin.h>

static void max_rows(uint8_t *out, const uint8_t *x, uint32_t rows, uint32_t step, uint32_t n)
{
    uint32_t i = 0;
    for (; i + 32 <= n; i += 32) {
        __m256i top = _mm256_loadu_si256((const __m256i *)(const void *)(x + i));
        for (uint32_t k = 1; k < rows; k++)
            top = _mm256_max_epu8(top, _mm256_loadu_si256((const __m256i *)(const void *)(x + (size_t)k * step + i)));
        _mm256_storeu_si256((__m256i *)(void *)(out + i), top);
    }
    if (i < n) qc_kernels_scalar.max_rows(out + i, x + i, rows, step, n - i);
}

static void unpack(int8_t *w, int32_t *sum, const QcKCodes *codes) { qc_kernels_scalar.unpack(w, sum, codes); }

static void dot(int32_t *acc, const uint8_t *x, const int8_t *w, const QcKDot *how, int bits) { qc_kernels_scalar.dot(acc, x, w, how, bits); }

static void rescale(uint8_t *out, const int32_t *acc, const int32_t *bias, const int32_t *multiplier, const uint8_t *shift, uint32_t positions,
                    uint32_t channels, uint32_t acc_step, uint32_t out_step, int32_t zero, int32_t low, int32_t high)
{
    qc_kernels_scalar.rescale(out, acc, bias, multiplier, shift, positions, channels, acc_step, out_step, zero, low, high);
}

static void add(uint8_t *out, const uint8_t *a, const uint8_t *b, uint32_t n, const QcKAdd *how) { qc_kernels_scalar.add(out, a, b, n, how); }

static void masked_sum(int32_t *sums, const uint8_t *x, const uint8_t *mask, uint32_t positions, uint32_t step, uint32_t mask_step,
                       uint32_t run, uint32_t channels)
{
    qc_kernels_scalar.masked_sum(sums, x, mask, positions, step, mask_step, run, channels);
}

const QcKernels qc_kernels_avx2 = { "avx2", unpack, dot, rescale, add, masked_sum, max_rows };
