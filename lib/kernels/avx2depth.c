/* avx2depth.c - whole depthwise convolutions: sixteen channels at a time, two taps per product, and codes straight from
 * the sums. */
#include "avx2.h"

#include <immintrin.h>

#include "avx2rescale.h"

enum { CHANNELS = 16, MOST_TAPS = 64, PAIR = 2 * CHANNELS /* weights of two taps */ };

/* Interleaving two vectors of 16 words leaves the channels 0-3 and 8-11 in one vector, 4-7 and 12-15 in the other;
 * packing brings them back in order. */
typedef struct Sixteen {
    int16_t w[MOST_TAPS / 2][2]
             [CHANNELS]; /* pairs of taps of each channel, in that order; an odd last tap's other weight is 0 */
    Rescale rescale[2];
    uint32_t segment[MOST_TAPS];
    uint32_t pairs;
    __m256i zero;
    __m128i low, high;
} Sixteen;

static void sixteen_open(Sixteen *some, const QcKConv *how, uint32_t first)
{
    const QcKCodes *c = &how->codes;
    const uint32_t taps = c->segments, bits = (uint32_t)c->bits, up = 32 - bits;
    int32_t bias[2][8], multiplier[2][8];
    uint8_t shift[2][8];
    for (uint32_t k = 0; k < CHANNELS; k++) {
        uint32_t o = first + k % (c->channels < CHANNELS ? 8 : CHANNELS), part = k / 4 % 2, lane = k / 8 * 4 + k % 4;
        int16_t *w = &some->w[0][part][2 * lane];
        int32_t sum = 0;
        uint64_t at = (c->first + (uint64_t)o * c->row) * bits;
        for (uint32_t s = 0; s < taps; s++, at += bits) {
            int32_t code = (int32_t)((uint32_t)c->bytes[at / 8] << (up - at % 8)) >> up;
            w[s / 2 * PAIR + s % 2] = (int16_t)code;
            sum += code;
        }
        if (taps % 2) w[taps / 2 * PAIR + 1] = 0;
        bias[part][lane] = how->bias[o] - how->zero_in * sum;
        multiplier[part][lane] = how->multiplier[o];
        shift[part][lane] = how->shift[o];
    }
    for (int part = 0; part < 2; part++) some->rescale[part] = rescale_init(bias[part], multiplier[part], shift[part]);
}

static inline __attribute__((always_inline)) __m256i words_at(const uint8_t *x)
{
    return _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)x));
}

/* n positions, which share the weights; n is a constant at each call. */
static inline __attribute__((always_inline)) void positions_run(uint8_t *out, uint32_t out_step, const uint8_t *x,
                                                                uint32_t step, const Sixteen *some, int n)
{
    __m256i sum[2][2];
    for (int p = 0; p < n; p++) sum[p][0] = sum[p][1] = _mm256_setzero_si256();
    for (uint32_t s = 0; s < some->pairs; s++) {
        __m256i w0 = _mm256_loadu_si256((const void *)some->w[s][0]),
                w1 = _mm256_loadu_si256((const void *)some->w[s][1]);
        for (int p = 0; p < n; p++) {
            const uint8_t *at = x + (uint32_t)p * step;
            __m256i a = words_at(at + some->segment[2 * s]), b = words_at(at + some->segment[2 * s + 1]);
            sum[p][0] = _mm256_add_epi32(sum[p][0], _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), w0));
            sum[p][1] = _mm256_add_epi32(sum[p][1], _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), w1));
        }
    }
    for (int p = 0; p < n; p++) { /* packing saturates, which changes only values that are clamped anyway */
        __m256i words = _mm256_adds_epi16(
            _mm256_packs_epi32(rescaled(&some->rescale[0], sum[p][0]), rescaled(&some->rescale[1], sum[p][1])),
            some->zero);
        __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
        _mm_storeu_si128((void *)(out + (uint32_t)p * out_step),
                         _mm_min_epu8(_mm_max_epu8(bytes, some->low), some->high));
    }
}

/* One row. */
static void row_run(uint8_t *to, uint32_t out_step, const uint8_t *x, uint32_t step, uint32_t positions,
                    const Sixteen *some)
{
    uint32_t t = 0;
    for (; t + 2 <= positions; t += 2)
        positions_run(to + (size_t)t * out_step, out_step, x + (size_t)t * step, step, some, 2);
    if (t < positions) positions_run(to + (size_t)t * out_step, out_step, x + (size_t)t * step, step, some, 1);
}

/* Eight channels whose positions lie side by side, in and out: two positions are sixteen. */
static void eights_run(uint8_t *out, const QcKConv *how, Sixteen *some)
{
    const uint32_t positions = how->positions;
    sixteen_open(some, how, 0);
    for (uint32_t row = 0; row < how->rows; row++) {
        const uint8_t *x = how->x + (size_t)row * how->row_step;
        uint8_t *to = out + (size_t)row * positions * 8;
        row_run(to, 16, x, 16, positions / 2, some);
        if (positions % 2)
            positions_run(to + (positions - 2) * 8, 16, x + (positions - 2) * 8, 16, some,
                          1); /* the last but one once more */
    }
}

int qc_avx2_depthwise(uint8_t *out, const QcKConv *how)
{
    const uint32_t channels = how->codes.channels, taps = how->codes.segments;
    const int are_eights = channels == 8 && how->step == 8 && how->out_step == 8 && how->positions >= 2;
    Sixteen some = {.pairs = (taps + 1) / 2,
                    .zero = _mm256_set1_epi16((int16_t)how->zero),
                    .low = _mm_set1_epi8((char)how->low),
                    .high = _mm_set1_epi8((char)how->high)};
    if ((channels < CHANNELS && !are_eights) || taps > MOST_TAPS) return 0;
    for (uint32_t o = 0; o < channels; o++)
        if (how->shift[o] < 31) return 0;
    for (uint32_t s = 0; s < 2 * some.pairs; s++) some.segment[s] = how->segment[s < taps ? s : taps - 1];
    if (are_eights) {
        eights_run(out, how, &some);
        return 1;
    }
    for (uint32_t o = 0; o < channels; o += CHANNELS) {
        uint32_t first = o + CHANNELS <= channels ? o : channels - CHANNELS; /* some channels are computed twice */
        sixteen_open(&some, how, first);
        for (uint32_t row = 0; row < how->rows; row++) {
            const uint8_t *x = how->x + (size_t)row * how->row_step + first;
            row_run(out + (size_t)row * how->positions * how->out_step + first, how->out_step, x, how->step,
                    how->positions, &some);
        }
    }
    return 1;
}
