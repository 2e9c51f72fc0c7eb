/* cortexm_mvedepth.c - depthwise convolutions on Cortex-M55 and M85: eight channels at a time. */
#include "kernels.h"

#if defined __ARM_FEATURE_MVE && __ARM_ARCH_PROFILE == 'M'

#include "cortexm.h"
#include "cortexm_mve.h"

typedef struct Eight { /* channels: the even ones, then the odd ones */
    int32x4_t bias[2], multiplier[2], half[2], less[2], up[2];
    int is_up;
} Eight;

/* w [tap][8 channels] = the codes of each channel, which begin at bit at[channel] of bytes; 0 for channels that p masks
 * out. sum: of the codes of each channel, even channels first. */
static void weights_open(int16_t *w, int32x4_t sum[2], const uint8_t *bytes, uint16x8_t at, uint32_t taps, int bits,
                         mve_pred16_t p)
{
    const int16x8_t down = vdupq_n_s16((int16_t)(bits - 16));
    sum[0] = sum[1] = vdupq_n_s32(0);
    for (; taps; taps--, w += 8, at = vaddq_n_u16(at, (uint16_t)bits)) {
        int16x8_t up = vsubq_s16(vnegq_s16(down), vreinterpretq_s16_u16(vandq_u16(at, vdupq_n_u16(7))));
        uint16x8_t byte = vldrbq_gather_offset_z_u16(bytes, vshrq_n_u16(at, 3), p);
        int16x8_t codes = vshlq_s16(vshlq_s16(vreinterpretq_s16_u16(byte), up), down);
        vstrhq_s16(w, codes);
        sum[0] = vaddq_s32(sum[0], vmovlbq_s16(codes));
        sum[1] = vaddq_s32(sum[1], vmovltq_s16(codes));
    }
}

/* Returns 0 if the codes lie too far apart. */
static int eight_open(Eight *eight, int16_t *w, const QcKConv *how, uint32_t first, mve_pred16_t p)
{
    const QcKCodes *c = &how->codes;
    const uint32_t bit = (c->first + first * c->row) * (uint32_t)c->bits, row = c->row * (uint32_t)c->bits;
    const uint32x4_t every_other = vidupq_n_u32(0, 2);
    int32x4_t sum[2];
    if (7 + 8 * row > UINT16_MAX) return 0;
    weights_open(w, sum, c->bytes + bit / 8, vmlaq_n_u16(vdupq_n_u16(bit % 8), vidupq_n_u16(0, 1), (uint16_t)row),
                 c->segments, c->bits, p);
    eight->is_up = 0;
    for (uint32_t half_of = 0; half_of < 2; half_of++) {
        const uint32_t from = first + half_of, left = c->channels > from ? (c->channels - from + 1) / 2 : 0;
        const mve_pred16_t there = vctp32q(left);
        int32x4_t shift = vreinterpretq_s32_u32(vldrbq_gather_offset_z_u32(how->shift + from, every_other, there));
        int32x4_t bias = vldrwq_gather_shifted_offset_z_s32(how->bias + from, every_other, there);
        shift = vpselq_s32(shift, vdupq_n_s32(33), there);
        eight->up[half_of] = vmaxq_s32(vsubq_s32(vdupq_n_s32(33), shift), vdupq_n_s32(0));
        eight->less[half_of] = vsubq_s32(vsubq_s32(vdupq_n_s32(32), shift), eight->up[half_of]);
        eight->half[half_of] =
            vshlq_s32(vdupq_n_s32(1), vsubq_s32(vnegq_s32(eight->less[half_of]), vdupq_n_s32(1)));
        eight->bias[half_of] = vmlaq_n_s32(bias, sum[half_of], -how->zero_in);
        eight->multiplier[half_of] = vldrwq_gather_shifted_offset_z_s32(how->multiplier + from, every_other, there);
        eight->is_up |= vmaxvq_s32(0, eight->up[half_of]) != 0;
    }
    return 1;
}

int qc_mve_depthwise(uint8_t *out, const QcKConv *how)
{
    const uint32_t channels = how->codes.channels, taps = how->codes.segments;
    int16_t *w = how->scratch;
    if (taps * 8 * sizeof *w > how->scratch_bytes || !cortexm_takes(how)) return 0;
    const int16x8_t low = vdupq_n_s16((int16_t)how->low), high = vdupq_n_s16((int16_t)how->high);
    for (uint32_t first = 0; first < channels; first += 8) {
        const mve_pred16_t p = vctp16q(channels - first);
        Eight eight;
        if (!eight_open(&eight, w, how, first, p)) return 0;
        for (uint32_t row = 0; row < how->rows; row++) {
            const uint8_t *x = how->x + row * how->row_step + first;
            uint8_t *to = out + row * how->positions * how->out_step + first;
            for (uint32_t t = how->positions; t; t--, x += how->step, to += how->out_step) {
                int32x4_t even = eight.bias[0], odd = eight.bias[1];
                const int16_t *v = w;
                for (const uint32_t *s = how->segment, *end = s + taps; s < end; s++, v += 8) {
                    int16x8_t bytes = vreinterpretq_s16_u16(vldrbq_z_u16(x + *s, p)), weights = vldrhq_s16(v);
                    even = vaddq_s32(even, vmullbq_int_s16(bytes, weights));
                    odd = vaddq_s32(odd, vmulltq_int_s16(bytes, weights));
                }
                if (eight.is_up) even = vshlq_s32(even, eight.up[0]), odd = vshlq_s32(odd, eight.up[1]);
                even = vshlq_s32(vaddq_s32(vmulhq_s32(even, eight.multiplier[0]), eight.half[0]), eight.less[0]);
                odd = vshlq_s32(vaddq_s32(vmulhq_s32(odd, eight.multiplier[1]), eight.half[1]), eight.less[1]);
                int16x8_t codes =
                    vqaddq_n_s16(vqmovntq_s32(vqmovnbq_s32(vdupq_n_s16(0), even), odd), (int16_t)how->zero);
                vstrbq_p_s16((int8_t *)to, vminq_s16(vmaxq_s16(codes, low), high), p);
            }
        }
    }
    return 1;
}

#endif
