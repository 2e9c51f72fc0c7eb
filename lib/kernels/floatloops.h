/* floatloops.h - the flipper's float loops, for each kernel set to compile under its own flags: lanes are independent and each keeps one order of
 * operations, so that wider registers change no bit (-ffp-contract=off). See kernels.h for what they compute.
 */
#ifndef QC_KERNELS_FLOATLOOPS_H
#define QC_KERNELS_FLOATLOOPS_H

#include <stdint.h>

#include "kernels.h"
#include "mem.h"

typedef float Lanes __attribute__((vector_size(QC_K_LANES * sizeof(float)))); /* gcc and clang split it where registers are narrower */

/* `rows` (a constant at each call) outputs at a time: their sums do not wait for each other. */
static inline __attribute__((always_inline)) void dense_rows(float *out, const float *in, const float *w, const float *bias, uint32_t n_in, int relu, int rows)
{
    Lanes sum[4], x;
    for (int r = 0; r < rows; r++) sum[r] = bias[r] + (Lanes){0};
    for (uint32_t i = 0; i < n_in; i++) {
        memcpy(&x, in + i * QC_K_LANES, sizeof x);
        for (int r = 0; r < rows; r++) sum[r] += w[(uint32_t)r * n_in + i] * x;
    }
    for (int r = 0; r < rows; r++)
        for (int k = 0; k < QC_K_LANES; k++) out[r * QC_K_LANES + k] = relu && !(sum[r][k] > 0) ? 0 : sum[r][k];
}

static void dense(float *out, const float *in, const float *w, const float *bias, uint32_t n_out, uint32_t n_in, int relu)
{
    uint32_t o = 0;
    for (; o + 4 <= n_out; o += 4) dense_rows(out + o * QC_K_LANES, in, w + o * n_in, bias + o, n_in, relu, 4);
    for (; o < n_out; o++) dense_rows(out + o * QC_K_LANES, in, w + o * n_in, bias + o, n_in, relu, 1);
}

static void fold(float *restrict sum, float *restrict squares, const int32_t *restrict sums, int32_t less, float factor, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        float h = factor * (float)(sums[i] - less);
        sum[i] += h;
        squares[i] += h * h;
    }
}

#endif
