/* neondepth.c - whole depthwise convolutions on ARM processors with NEON: eight channels at four positions at a time.
 * The positions share the weights, and sums become codes without leaving the registers. */
#include "neon.h"
#include "neonrescale.h"

enum { CHANNELS = 8, MOST_TAPS = 64 };

typedef struct Eight { /* channels */
    int16_t w[MOST_TAPS][CHANNELS];
    Rescale rescale; /* bias: minus zero_in * sum of the weights */
} Eight;

static void eight_open(Eight *eight, const QcKConv *how, uint32_t first)
{
    const QcKCodes *c = &how->codes;
    const uint32_t taps = c->segments, bits = (uint32_t)c->bits, up = 32 - bits;
    int32_t bias[CHANNELS];
    for (uint32_t k = 0; k < CHANNELS; k++) {
        uint64_t at = (c->first + (uint64_t)(first + k) * c->row) * bits;
        int32_t sum = 0;
        for (uint32_t s = 0; s < taps; s++, at += bits) {
            int32_t code = (int32_t)((uint32_t)c->bytes[at / 8] << (up - at % 8)) >> up;
            eight->w[s][k] = (int16_t)code;
            sum += code;
        }
        bias[k] = how->bias[first + k] - how->zero_in * sum;
    }
    eight->rescale = rescale_init(bias, how->multiplier + first, how->shift + first);
}

/* The codes of eight channels at n positions; n is a constant at each call. */
INLINE void positions_run(uint8_t *out, const uint8_t *x, const QcKConv *how, const Eight *eight, const Range *range,
                          const int n)
{
    int32x4_t low[4], high[4];
    for (int p = 0; p < n; p++) low[p] = eight->rescale.bias[0], high[p] = eight->rescale.bias[1];
    for (uint32_t s = 0; s < how->codes.segments; s++) {
        const int16x8_t w = vld1q_s16(eight->w[s]);
        const uint8_t *at = x + how->segment[s];
        for (int p = 0; p < n; p++) {
            int16x8_t values = vreinterpretq_s16_u16(vmovl_u8(vld1_u8(at + (size_t)p * how->step)));
            low[p] = vmlal_s16(low[p], vget_low_s16(values), vget_low_s16(w));
            high[p] = vmlal_s16(high[p], vget_high_s16(values), vget_high_s16(w));
        }
    }
    for (int p = 0; p < n; p++, out += how->out_step)
        store_eight(out, settled(&eight->rescale, 0, low[p]), settled(&eight->rescale, 1, high[p]), range);
}

int qc_neon_depthwise(uint8_t *out, const QcKConv *how)
{
    const uint32_t channels = how->codes.channels, positions = how->positions;
    const Range range = range_of(how->zero, how->low, how->high);
    Eight eight;
    if (channels < CHANNELS || how->codes.segments > MOST_TAPS) return 0;
    for (uint32_t o = 0; o < channels; o += CHANNELS) {
        uint32_t first = o + CHANNELS <= channels ? o : channels - CHANNELS; /* some channels are computed twice */
        eight_open(&eight, how, first);
        for (uint32_t row = 0; row < how->rows; row++) {
            const uint8_t *x = how->x + (size_t)row * how->row_step + first;
            uint8_t *to = out + (size_t)row * positions * how->out_step + first;
            uint32_t t = 0;
            for (; t + 4 <= positions; t += 4)
                positions_run(to + (size_t)t * how->out_step, x + (size_t)t * how->step, how, &eight, &range, 4);
            for (; t < positions; t++)
                positions_run(to + (size_t)t * how->out_step, x + (size_t)t * how->step, how, &eight, &range, 1);
        }
    }
    return 1;
}
