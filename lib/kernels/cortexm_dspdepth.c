/* cortexm_dspdepth.c - depthwise convolutions on Cortex-M4, M7 and M33: four channels at a time, two taps per
 * multiplication. */
#include "cortexm_dsp.h"

#if defined __ARM_FEATURE_DSP && __ARM_ARCH_PROFILE == 'M'

#include "cortexm.h"
#include "cortexm_dspconv.h"

typedef struct Pair {    /* of taps */
    uint32_t at[2];      /* offsets of their bytes */
    uint32_t weights[4]; /* channels 0, 2, 1, 3; the halves are the taps */
} Pair;

typedef struct Four { /* channels */
    int32_t bias[4], multiplier[4], half[4], more[4];
    uint32_t up[4], is_up; /* is_up: one of them is not 0 */
} Four;

static void segments_open(Pair *pairs, const QcKConv *how)
{
    const uint32_t taps = how->codes.segments;
    for (uint32_t s = 0; s < taps; s += 2, pairs++) {
        pairs->at[0] = how->segment[s];
        pairs->at[1] = how->segment[s + 1 < taps ? s + 1 : s];
    }
}

enum { NEXT = sizeof(Pair) / sizeof(uint32_t) };

/* Unpacks the weights of a channel, which begin at bit `at` of bytes, in pairs into words NEXT apart. An odd last tap
 * has a pair whose other weight is 0. Returns the sum of the weights. bits is a constant at each call. */
DSP_INLINE int32_t channel_open(uint32_t *to, const uint8_t *bytes, uint32_t at, uint32_t bits, uint32_t taps)
{
    const uint32_t up = 32 - bits;
    int32_t sum = 0;
    bytes += at / 8;
    if (bits == 8) {
        for (; taps > 1; taps -= 2, bytes += 2, to += NEXT) {
            uint32_t two = *(const DspShort *)bytes;
            *to = dsp_sxtb16(two | two << 8);
            sum = dsp_smlad(*to, 0x00010001, sum);
        }
        if (taps) *to = (uint16_t)(int8_t)*bytes, sum += (int8_t)*bytes;
        return sum;
    }
    uint32_t left = 8 - at % 8, byte = (uint32_t)*bytes >> at % 8; /* left: bits of the byte that are not read yet */
    for (; taps; to += NEXT)
        for (uint32_t half = 0; half < 32 && taps; half += 16, taps--, byte >>= bits, left -= bits) {
            if (left == 0) byte = *++bytes, left = 8;
            int32_t code = (int32_t)(byte << up) >> up;
            sum += code;
            *to = half ? *to | (uint32_t)code << 16 : (uint16_t)code;
        }
    return sum;
}

static void four_open(Four *four, Pair *pairs, const QcKConv *how, uint32_t o)
{
    static const uint8_t place[4] = {0, 2, 1, 3};
    const uint32_t bits = (uint32_t)how->codes.bits;
    for (uint32_t k = 0; k < 4; k++, o++) {
        const uint32_t at = (how->codes.first + o * how->codes.row) * bits, taps = how->codes.segments;
        uint32_t *to = &pairs->weights[place[k]];
        int32_t sum = bits == 8   ? channel_open(to, how->codes.bytes, at, 8, taps)
                      : bits == 4 ? channel_open(to, how->codes.bytes, at, 4, taps)
                                  : channel_open(to, how->codes.bytes, at, 2, taps);
        four->bias[k] = how->bias[o] - how->zero_in * sum;
        four->multiplier[k] = how->multiplier[o];
        four->up[k] = cortexm_up(how, o);
        four->more[k] = how->shift[o] + (int32_t)four->up[k] - 32;
        four->half[k] = (int32_t)(1u << (four->more[k] - 1));
    }
    four->is_up = four->up[0] | four->up[1] | four->up[2] | four->up[3];
}

DSP_INLINE uint32_t code_of(int32_t sum, const Four *four, int k, int32_t zero)
{
    return dsp_usat8((dsp_smmla((uint32_t)sum, (uint32_t)four->multiplier[k], four->half[k]) >> four->more[k]) + zero);
}

/* One position. */
DSP_INLINE uint32_t four_codes(const uint8_t *x, const Pair *pair, const Pair *end, const Four *four, int32_t zero)
{
    int32_t a = four->bias[0], b = four->bias[1], c = four->bias[2], d = four->bias[3];
    uint32_t p, q, even_p, even_q, v, s0, s1;
    do
        __asm__ volatile(
            "ldrd %[s0], %[s1], [%[pair]], #8\n\tldr %[p], [%[x], %[s0]]\n\tldr %[q], [%[x], %[s1]]\n\tldrd %[s0], "
            "%[s1], [%[pair]], #8\n\t"
            "uxtb16 %[even_p], %[p]\n\tuxtb16 %[even_q], %[q]\n\tuxtb16 %[p], %[p], ror #8\n\tuxtb16 %[q], %[q], ror "
            "#8\n\t"
            "pkhbt %[v], %[even_p], %[even_q], lsl #16\n\tsmlad %[a], %[v], %[s0], %[a]\n\tpkhtb %[v], %[even_q], "
            "%[even_p], asr #16\n\tsmlad %[c], %[v], %[s1], %[c]\n\t"
            "ldrd %[s0], %[s1], [%[pair]], #8\n\t"
            "pkhbt %[v], %[p], %[q], lsl #16\n\tsmlad %[b], %[v], %[s0], %[b]\n\tpkhtb %[v], %[q], %[p], asr "
            "#16\n\tsmlad %[d], %[v], %[s1], %[d]"
            : [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d), [pair] "+r"(pair), [p] "=&r"(p), [q] "=&r"(q),
              [even_p] "=&r"(even_p), [even_q] "=&r"(even_q), [v] "=&r"(v), [s0] "=&r"(s0), [s1] "=&r"(s1)
            : [x] "r"(x)
            : "memory");
    while (pair < end);
    if (four->is_up) a <<= four->up[0], b <<= four->up[1], c <<= four->up[2], d <<= four->up[3];
    return code_of(a, four, 0, zero) | code_of(b, four, 1, zero) << 8 | code_of(c, four, 2, zero) << 16 |
           code_of(d, four, 3, zero) << 24;
}

int qc_dsp_depthwise(uint8_t *out, const QcKConv *how)
{
    const uint32_t channels = how->codes.channels, n_pairs = (how->codes.segments + 1) / 2,
                   low = (uint32_t)how->low * 0x01010101u, high = (uint32_t)how->high * 0x01010101u;
    Pair *pairs = how->scratch;
    if (channels < 4 || n_pairs * sizeof *pairs > how->scratch_bytes || !cortexm_takes(how)) return 0;
    segments_open(pairs, how);
    for (uint32_t o = 0; o < channels; o += 4) {
        Four four;
        uint32_t first = o + 4 <= channels ? o : channels - 4; /* some channels are computed twice */
        uint8_t *to = out + first;
        four_open(&four, pairs, how, first);
        for (uint32_t row = 0; row < how->rows; row++) {
            const uint8_t *x = how->x + row * how->row_step + first;
            for (uint32_t t = how->positions; t; t--, x += how->step, to += how->out_step)
                *(DspWord *)to = dsp_smaller_bytes(
                    dsp_larger_bytes(four_codes(x, pairs, pairs + n_pairs, &four, how->zero), low), high);
        }
    }
    return 1;
}

#endif
