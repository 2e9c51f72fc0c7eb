/* cortexm_mve.c - kernels of Cortex-M55 and M85, which have vectors of 16 bytes. */
#include "kernels.h"

#if defined __ARM_FEATURE_MVE && __ARM_ARCH_PROFILE == 'M'

#include "cortexm_mve.h"
#include "floatloops.h"
#include "scalar.h"

static void rescale(uint8_t *out, const int32_t *acc, const int32_t *bias, const int32_t *multiplier,
                    const uint8_t *shift, uint32_t positions, uint32_t channels, uint32_t acc_step, uint32_t out_step,
                    int32_t zero, int32_t low, int32_t high)
{
    for (uint32_t o = 0; o < channels; o += 4) {
        const mve_pred16_t p = vctp32q(channels - o);
        const uint32x4_t s = vldrbq_z_u32(shift + o, p);
        if (vcmpcsq_m_n_u32(s, 33, p) != p) {
            uint32_t n = channels - o < 4 ? channels - o : 4;
            qc_scalar_rescale(out + o, acc + o, bias + o, multiplier + o, shift + o, positions, n, acc_step, out_step,
                              zero, low, high);
            continue;
        }
        const int32x4_t b = vldrwq_z_s32(bias + o, p), m = vldrwq_z_s32(multiplier + o, p),
                        less = vsubq_s32(vdupq_n_s32(32), vreinterpretq_s32_u32(s));
        const int32x4_t half = vshlq_s32(
            vdupq_n_s32(1),
            vsubq_s32(vdupq_n_s32(-1), less)); /* 2^(shift-1) is a multiple of 2^32: it rounds the upper word alone */
        const int32_t *a = acc + o;
        uint8_t *q = out + o;
        for (uint32_t t = positions; t; t--, a += acc_step, q += out_step) {
            int32x4_t v = vaddq_s32(vmulhq_s32(vaddq_s32(vldrwq_z_s32(a, p), b), m), half);
            v = vaddq_n_s32(vshlq_s32(v, less), zero);
            vstrbq_p_s32((int8_t *)q, vminq_s32(vmaxq_s32(v, vdupq_n_s32(low)), vdupq_n_s32(high)), p);
        }
    }
}

/* Multipliers are taken in halves, upper * 2^16 + lower: the sum of products is upper + lower / 2^16, and what lies
 * below does not reach a shift of 17 or more. */
static void add(uint8_t *out, const uint8_t *a, const uint8_t *b, uint32_t n, const QcKAdd *how)
{
    if (how->shift < 17) {
        qc_scalar_add(out, a, b, n, how);
        return;
    }
    const int32_t upper_a = how->multiplier_a >> 16, upper_b = how->multiplier_b >> 16,
                  lower_a = how->multiplier_a & 0xffff, lower_b = how->multiplier_b & 0xffff;
    const int32_t half = how->shift < 48 ? (int32_t)(1u << (how->shift - 17)) : 0, less = 16 - how->shift;
    const int32x4_t upper_from = vdupq_n_s32(half - how->zero_a * upper_a - how->zero_b * upper_b),
                    lower_from = vdupq_n_s32(-how->zero_a * lower_a - how->zero_b * lower_b);
    if (how->shift >= 48) { /* halves of 2^31 and more */
        qc_scalar_add(out, a, b, n, how);
        return;
    }
    for (uint32_t i = 0; i < n; i += 4) {
        const mve_pred16_t p = vctp32q(n - i);
        const int32x4_t va = vreinterpretq_s32_u32(vldrbq_z_u32(a + i, p)),
                        vb = vreinterpretq_s32_u32(vldrbq_z_u32(b + i, p));
        int32x4_t upper = vmlaq_n_s32(vmlaq_n_s32(upper_from, va, upper_a), vb, upper_b),
                  lower = vmlaq_n_s32(vmlaq_n_s32(lower_from, va, lower_a), vb, lower_b);
        int32x4_t v = vaddq_n_s32(vshlq_r_s32(vaddq_s32(upper, vshrq_n_s32(lower, 16)), less), how->zero);
        vstrbq_p_s32((int8_t *)out + i, vminq_s32(vmaxq_s32(v, vdupq_n_s32(how->low)), vdupq_n_s32(how->high)), p);
    }
}

static void masked_sum(int32_t *sums, const uint8_t *x, const uint8_t *mask, uint32_t positions, uint32_t step,
                       uint32_t mask_step, uint32_t run, uint32_t channels)
{
    for (uint32_t o = 0; o < channels; o++, sums += run)
        for (uint32_t i = 0; i < run; i += 8) { /* even ones, then odd ones */
            const mve_pred16_t p = vctp16q(run - i);
            uint16x8_t sum = vdupq_n_u16(0);
            uint32x4x2_t total = {{vdupq_n_u32(0), vdupq_n_u32(0)}};
            uint32_t n = 0;
            for (uint32_t t = 0; t < positions; t++) {
                if (mask[(size_t)t * mask_step + o])
                    sum = vaddq_u16(sum, vldrbq_z_u16(x + (size_t)t * step + i, p)), n++;
                if (n < 257 && t + 1 < positions) continue; /* 257 * 255 < 2^16 */
                total.val[0] = vaddq_u32(total.val[0], vmovlbq_u16(sum));
                total.val[1] = vaddq_u32(total.val[1], vmovltq_u16(sum));
                sum = vdupq_n_u16(0);
                n = 0;
            }
            uint32_t to[8], left = run - i < 8 ? run - i : 8;
            vst2q_u32(to, total);
            memcpy(sums + i, to, left * sizeof *sums);
        }
}

static void max_rows(uint8_t *out, const uint8_t *x, uint32_t rows, uint32_t step, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += 16) {
        const mve_pred16_t p = vctp8q(n - i);
        const uint8_t *row = x + i;
        uint8x16_t most = vldrbq_z_u8(row, p);
        for (uint32_t k = 1; k < rows; k++) most = vmaxq_u8(most, vldrbq_z_u8(row += step, p));
        vstrbq_p_u8(out + i, most, p);
    }
}

static void moments(uint32_t *sum, uint32_t *squares, const uint8_t *x, uint32_t positions, uint32_t step, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += 8) { /* val[0]: even columns, val[1]: odd columns */
        const mve_pred16_t p = vctp16q(n - i);
        const uint8_t *row = x + i;
        uint32x4x2_t first = {{vdupq_n_u32(0), vdupq_n_u32(0)}}, second = first;
        for (uint32_t t = positions; t; t--, row += step) {
            const uint16x8_t v = vldrbq_z_u16(row, p);
            first.val[0] = vaddq_u32(first.val[0], vmovlbq_u16(v));
            first.val[1] = vaddq_u32(first.val[1], vmovltq_u16(v));
            second.val[0] = vaddq_u32(second.val[0], vmullbq_int_u16(v, v));
            second.val[1] = vaddq_u32(second.val[1], vmulltq_int_u16(v, v));
        }
        uint32_t to[2][8], left = n - i < 8 ? n - i : 8;
        vst2q_u32(to[0], first);
        vst2q_u32(to[1], second);
        memcpy(sum + i, to[0], left * sizeof *sum);
        memcpy(squares + i, to[1], left * sizeof *squares);
    }
}

const QcKernels qc_kernels_mve = {"mve",         qc_scalar_unpack,
                                  qc_scalar_dot, qc_scalar_depthwise,
                                  rescale,       add,
                                  masked_sum,    max_rows,
                                  dense,         fold,
                                  add_outer,     multiply_triangle,
                                  add_scaled,    dot_floats,
                                  dot_codes,     qc_mve_conv,
                                  qc_mve_linear, qc_mve_depthwise,
                                  moments};

#endif
