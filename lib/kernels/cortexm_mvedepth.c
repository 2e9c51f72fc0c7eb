/* cortexm_mvedepth.c - depthwise convolutions on Cortex-M55 and M85: eight channels at a time. */
#include "kernels.h"

#if defined __ARM_FEATURE_MVE && __ARM_ARCH_PROFILE == 'M'

#include "cortexm.h"
#include "cortexm_mve.h"

typedef struct Eight { /* channels: the even ones, then the odd ones */
    int32x4_t bias[2], multiplier[2], half[2], less[2], up[2];
    int is_up;
} Eight;

static int32_t code_at(const QcKCodes *c, uint32_t j)
{
    uint32_t bits = (uint32_t)c->bits, in_byte = 8 / bits;
    return (int32_t)((uint32_t)c->bytes[j / in_byte] << (32 - bits - j % in_byte * bits)) >> (32 - bits);
}

/* w [tap][8 channels]. Channels that are not there are zeros. */
static void eight_open(Eight *eight, int16_t *w, const QcKConv *how, uint32_t first)
{
    int32_t bias[2][4] = {{0}}, multiplier[2][4] = {{0}}, half[2][4] = {{0}}, less[2][4] = {{0}}, up[2][4] = {{0}};
    eight->is_up = 0;
    for (uint32_t k = 0; k < 8; k++) {
        uint32_t o = first + k, half_of = k % 2, lane = k / 2, is_there = o < how->codes.channels;
        int32_t sum = 0;
        for (uint32_t s = 0; s < how->codes.segments; s++) {
            int32_t code = is_there ? code_at(&how->codes, how->codes.first + o * how->codes.row + s) : 0;
            w[s * 8 + k] = (int16_t)code;
            sum += code;
        }
        if (!is_there) continue;
        uint32_t shift_up = cortexm_up(how, o);
        bias[half_of][lane] = how->bias[o] - how->zero_in * sum;
        multiplier[half_of][lane] = how->multiplier[o];
        up[half_of][lane] = (int32_t)shift_up;
        less[half_of][lane] = 32 - how->shift[o] - (int32_t)shift_up;
        half[half_of][lane] = (int32_t)(1u << (-less[half_of][lane] - 1));
        eight->is_up |= shift_up != 0;
    }
    for (int i = 0; i < 2; i++) {
        eight->bias[i] = vldrwq_s32(bias[i]), eight->multiplier[i] = vldrwq_s32(multiplier[i]),
        eight->half[i] = vldrwq_s32(half[i]);
        eight->less[i] = vldrwq_s32(less[i]), eight->up[i] = vldrwq_s32(up[i]);
    }
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
        eight_open(&eight, w, how, first);
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
