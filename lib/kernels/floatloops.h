/* floatloops.h - the flipper's float loops, for each kernel set to compile under its own flags: lanes are independent and each keeps one order of
 * operations, so that wider registers change no bit (-ffp-contract=off). See kernels.h for what they compute.
 */
#ifndef QC_KERNELS_FLOATLOOPS_H
#define QC_KERNELS_FLOATLOOPS_H

#include <stdint.h>

#include "kernels.h"

static void dense(float *out, const float *in, const float *w, const float *bias, uint32_t n_out, uint32_t n_in, int relu)
{
    for (uint32_t o = 0; o < n_out; o++, w += n_in, out += QC_K_LANES) {
        float sum[QC_K_LANES];
        for (int k = 0; k < QC_K_LANES; k++) sum[k] = bias[o];
        for (uint32_t i = 0; i < n_in; i++)
            for (int k = 0; k < QC_K_LANES; k++) sum[k] += w[i] * in[i * QC_K_LANES + k];
        for (int k = 0; k < QC_K_LANES; k++) out[k] = relu && !(sum[k] > 0) ? 0 : sum[k];
    }
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
