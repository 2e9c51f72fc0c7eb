/* cortexm_dsp.c - kernels of Cortex-M4, M7 and M33, which multiply two pairs of 16-bit values at once. */
#include "cortexm_dsp.h"

#if defined __ARM_FEATURE_DSP && __ARM_ARCH_PROFILE == 'M'

#include "cortexm_dspconv.h"
#include "floatloops.h"
#include "scalar.h"

static void rescale(uint8_t *out, const int32_t *acc, const int32_t *bias, const int32_t *multiplier,
                    const uint8_t *shift, uint32_t positions, uint32_t channels, uint32_t acc_step, uint32_t out_step,
                    int32_t zero, int32_t low, int32_t high)
{
    for (uint32_t o = 0; o < channels; o++, out++, acc++) {
        const int32_t b = bias[o], m = multiplier[o], more = shift[o] - 32, *a = acc;
        uint8_t *q = out;
        if (more < 1) {
            qc_scalar_rescale(out, acc, bias + o, multiplier + o, shift + o, positions, 1, acc_step, out_step, zero,
                              low, high);
            continue;
        }
        const int32_t half = (int32_t)(1u << (more - 1));
        for (uint32_t t = positions; t; t--, a += acc_step,
                      q += out_step) { /* 2^(shift-1) is a multiple of 2^32: it rounds the upper word alone */
            int32_t value = (dsp_smmla((uint32_t)(*a + b), (uint32_t)m, half) >> more) + zero;
            value = value < low ? low : value;
            *q = (uint8_t)(value > high ? high : value);
        }
    }
}

static void max_rows(uint8_t *out, const uint8_t *x, uint32_t rows, uint32_t step, uint32_t n)
{
    uint32_t i = 0;
    for (; i + 4 <= n; i += 4) {
        uint32_t most = dsp_load(x + i);
        const uint8_t *row = x + i + step;
        for (uint32_t k = 1; k < rows; k++, row += step) most = dsp_larger_bytes(most, dsp_load(row));
        *(DspWord *)(out + i) = most;
    }
    for (; i < n; i++) {
        uint8_t most = x[i];
        for (uint32_t k = 1; k < rows; k++)
            if (x[(size_t)k * step + i] > most) most = x[(size_t)k * step + i];
        out[i] = most;
    }
}

const QcKernels qc_kernels_dsp = {"dsp",
                                  qc_scalar_unpack,
                                  qc_scalar_dot,
                                  qc_scalar_depthwise,
                                  rescale,
                                  qc_scalar_add,
                                  qc_scalar_masked_sum,
                                  max_rows,
                                  dense,
                                  fold,
                                  add_outer,
                                  multiply_triangle,
                                  add_scaled,
                                  dot_floats,
                                  dot_codes,
                                  qc_dsp_conv,
                                  qc_dsp_linear,
                                  qc_dsp_depthwise,
                                  qc_scalar_moments};

#endif
