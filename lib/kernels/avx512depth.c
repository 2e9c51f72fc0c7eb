/* avx512depth.c - whole depthwise convolutions: 64 sums at a time, which are 64 channels at one position, 32 at two
 * positions, 16 at four or 8 at eight.
 *
 * vpdpbusd adds four products to a sum: of four taps. So the bytes of four taps are interleaved, within each lane of 16
 * bytes: vector k of four then holds the sums 4 k .. 4 k + 3 of all lanes, which packing brings back in order.
 */
#include "avx512.h"
#include "avx512rescale.h"

enum { SUMS = 64, MOST_TAPS = 64 };

/* Weights and rescale of the channels of 64 sums. */
typedef struct Strip {
    /* [tap / 4][vector][lane] weights of four taps as bytes; missing taps are 0 */
    _Alignas(64) int32_t w[MOST_TAPS / 4][4][16];
    Rescale rescale[4];
} Strip;

/* Unpacks the four codes in the low bits of each 32-bit lane into the lane's four bytes. */
INLINE __m512i spread(__m512i v, uint32_t bits)
{
    if (bits == 8) return v;
    __m512i mask = _mm512_set1_epi8(bits == 4 ? 0x0f : 0x03), sign = _mm512_set1_epi8(bits == 4 ? 0x08 : 0x02);
    __m512i words = _mm512_or_si512(v, bits == 4 ? _mm512_slli_epi32(v, 8) : _mm512_slli_epi32(v, 12));
    words = _mm512_and_si512(words, _mm512_set1_epi32(bits == 4 ? 0x00ff00ff : 0x000f000f));
    words = _mm512_or_si512(words, bits == 4 ? _mm512_slli_epi32(words, 4) : _mm512_slli_epi32(words, 6));
    return _mm512_sub_epi8(_mm512_xor_si512(_mm512_and_si512(words, mask), sign), sign);
}

/* Fills *strip for the `wide` channels from `first` on; wide divides SUMS. */
static void strip_open(Strip *strip, const QcKConv *how, uint32_t first, uint32_t wide)
{
    const QcKCodes *c = &how->codes;
    const uint32_t bits = (uint32_t)c->bits, taps = c->segments;
    const uint64_t end = ((c->first + (uint64_t)(c->channels - 1) * c->row + taps) * bits + 7) / 8;
    int32_t shift[SUMS];
    for (uint32_t o = 0; o < wide; o++) {
        uint64_t at = (c->first + (uint64_t)(first + o) * c->row) * bits;
        shift[o] = how->shift[first + o];
        for (uint32_t s = 0; s < taps; s += 4, at += 4 * bits) {
            int32_t four = qc_bits_at(c->bytes, end, at, (taps - s < 4 ? taps - s : 4) * bits);
            for (uint32_t sum = o; sum < SUMS; sum += wide) strip->w[s / 4][sum / 4 % 4][sum / 16 * 4 + sum % 4] = four;
        }
    }
    for (uint32_t k = 0; k < 4; k++) {
        __m512i sum = _mm512_setzero_si512();
        for (uint32_t s = 0; s < taps; s += 4) {
            __m512i four = spread(_mm512_load_si512(strip->w[s / 4][k]), bits);
            _mm512_store_si512(strip->w[s / 4][k], four);
            sum = _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(1), four);
        }
        const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 32, 33, 34, 35, 48, 49, 50, 51);
        __m512i channel = _mm512_and_si512(_mm512_add_epi32(lanes, _mm512_set1_epi32((int32_t)(4 * k))),
                                           _mm512_set1_epi32((int32_t)wide - 1));
        __m512i share = _mm512_mullo_epi32(sum, _mm512_set1_epi32(how->zero_in));
        strip->rescale[k] = rescale_init(_mm512_sub_epi32(_mm512_i32gather_epi32(channel, how->bias + first, 4), share),
                                         _mm512_i32gather_epi32(channel, how->multiplier + first, 4),
                                         _mm512_i32gather_epi32(channel, shift, 4));
    }
}

INLINE __m128i bytes16(const uint8_t *x) { return _mm_loadu_si128((const void *)x); }

INLINE __m128i two_eights(const uint8_t *x, size_t step)
{
    return _mm_unpacklo_epi64(_mm_loadl_epi64((const void *)x), _mm_loadl_epi64((const void *)(x + step)));
}

/* The bytes of one tap for 64 sums at `apart` (a constant at each call) positions, `step` bytes apart. */
INLINE __m512i bytes_of(const uint8_t *x, size_t step, const int apart)
{
    if (apart == 1) return _mm512_loadu_si512(x);
    if (apart == 2)
        return _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256((const void *)x)),
                                  _mm256_loadu_si256((const void *)(x + step)), 1);
    __m256i low, high;
    if (apart == 4) {
        low = _mm256_inserti128_si256(_mm256_castsi128_si256(bytes16(x)), bytes16(x + step), 1);
        high = _mm256_inserti128_si256(_mm256_castsi128_si256(bytes16(x + 2 * step)), bytes16(x + 3 * step), 1);
    } else {
        low = _mm256_inserti128_si256(_mm256_castsi128_si256(two_eights(x, step)), two_eights(x + 2 * step, step), 1);
        x += 4 * step;
        high = _mm256_inserti128_si256(_mm256_castsi128_si256(two_eights(x, step)), two_eights(x + 2 * step, step), 1);
    }
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

INLINE __m512i weights(const Strip *strip, uint32_t four, int k) { return _mm512_load_si512(strip->w[four][k]); }

INLINE __m512i tile(const uint8_t *x, const QcKConv *how, const Strip *strip, const Clamp *to, const int apart)
{
    const size_t step = how->step;
    const uint32_t *segment = how->segment, taps = how->codes.segments;
    __m512i sum0 = _mm512_setzero_si512(), sum1 = sum0, sum2 = sum0, sum3 = sum0;
    uint32_t s = 0;
    for (; s + 1 < taps; s += 4) {
        uint32_t more = taps - s - 1; /* a missing tap reads an earlier tap's bytes: its weights are 0 */
        __m512i a = bytes_of(x + segment[s], step, apart), b = bytes_of(x + segment[s + 1], step, apart),
                c = bytes_of(x + segment[s + (more < 2 ? more : 2)], step, apart),
                d = bytes_of(x + segment[s + (more < 3 ? more : 3)], step, apart);
        __m512i ab = _mm512_unpacklo_epi8(a, b), cd = _mm512_unpacklo_epi8(c, d), AB = _mm512_unpackhi_epi8(a, b),
                CD = _mm512_unpackhi_epi8(c, d);
        sum0 = _mm512_dpbusd_epi32(sum0, _mm512_unpacklo_epi16(ab, cd), weights(strip, s / 4, 0));
        sum1 = _mm512_dpbusd_epi32(sum1, _mm512_unpackhi_epi16(ab, cd), weights(strip, s / 4, 1));
        sum2 = _mm512_dpbusd_epi32(sum2, _mm512_unpacklo_epi16(AB, CD), weights(strip, s / 4, 2));
        sum3 = _mm512_dpbusd_epi32(sum3, _mm512_unpackhi_epi16(AB, CD), weights(strip, s / 4, 3));
    }
    if (s < taps) { /* one tap is left */
        const __m512i spread = _mm512_broadcast_i32x4(_mm_setr_epi32(0, 1, 2, 3)), next = _mm512_set1_epi32(4);
        const __m512i second = _mm512_add_epi32(spread, next), third = _mm512_add_epi32(second, next),
                      fourth = _mm512_add_epi32(third, next);
        __m512i a = bytes_of(x + segment[s], step, apart);
        sum0 = _mm512_dpbusd_epi32(sum0, _mm512_shuffle_epi8(a, spread), weights(strip, s / 4, 0));
        sum1 = _mm512_dpbusd_epi32(sum1, _mm512_shuffle_epi8(a, second), weights(strip, s / 4, 1));
        sum2 = _mm512_dpbusd_epi32(sum2, _mm512_shuffle_epi8(a, third), weights(strip, s / 4, 2));
        sum3 = _mm512_dpbusd_epi32(sum3, _mm512_shuffle_epi8(a, fourth), weights(strip, s / 4, 3));
    }
    return packed_lanes(rescaled(sum0, &strip->rescale[0]), rescaled(sum1, &strip->rescale[1]),
                        rescaled(sum2, &strip->rescale[2]), rescaled(sum3, &strip->rescale[3]), to);
}

/* The codes of 64 sums at `at_once` positions. */
INLINE void store_tile(uint8_t *out, size_t out_step, __m512i codes, const uint32_t at_once)
{
    if (at_once == 1 || out_step * at_once == SUMS) {
        _mm512_storeu_si512(out, codes);
        return;
    }
    for (int half = 0; half < 2; half++, codes = _mm512_shuffle_i64x2(codes, codes, 0x4e)) {
        __m256i some = _mm512_castsi512_si256(codes);
        if (at_once == 2) {
            _mm256_storeu_si256((void *)out, some);
            out += out_step;
            continue;
        }
        for (int quarter = 0; quarter < 2; quarter++, some = _mm256_permute4x64_epi64(some, 0x4e)) {
            __m128i few = _mm256_castsi256_si128(some);
            if (at_once == 4) {
                _mm_storeu_si128((void *)out, few);
                out += out_step;
                continue;
            }
            _mm_storel_epi64((void *)out, few);
            _mm_storel_epi64((void *)(out + out_step), _mm_unpackhi_epi64(few, few));
            out += 2 * out_step;
        }
    }
}

/* A strip of channels at all positions. */
INLINE void strip_run(uint8_t *out, const QcKConv *how, const uint8_t *x, const Strip *strip, const Clamp *to,
                      const uint32_t at_once, const int apart)
{
    for (uint32_t row = 0; row < how->rows; row++, x += how->row_step) {
        uint8_t *q = out + (size_t)row * how->positions * how->out_step;
        for (uint32_t t = 0; t < how->positions; t += at_once) {
            uint32_t at = t + at_once <= how->positions ? t : how->positions - at_once; /* overlaps at the end */
            store_tile(q + (size_t)at * how->out_step, how->out_step,
                       tile(x + (size_t)at * how->step, how, strip, to, apart), at_once);
        }
    }
}

int qc_avx512_depthwise(uint8_t *out, const QcKConv *how)
{
    const uint32_t channels = how->codes.channels;
    const uint32_t wide = channels % 64 == 0 ? 64 : channels % 32 == 0 ? 32 : channels % 16 == 0 ? 16 : 8;
    const uint32_t at_once = SUMS / wide;
    uint32_t is_short = 0;
    for (uint32_t o = 0; o < channels; o++) is_short |= how->shift[o] < 32;
    if (is_short || channels % wide || how->positions < at_once || how->codes.segments > MOST_TAPS)
        return qc_avx2_depthwise(out, how);
    const Clamp to = clamp_of(how);
    Strip strip;
    for (uint32_t first = 0; first < channels; first += wide) {
        const uint8_t *x = how->x + first;
        strip_open(&strip, how, first, wide);
        if (at_once == 1) strip_run(out + first, how, x, &strip, &to, 1, 1);
        else if (how->step == wide) strip_run(out + first, how, x, &strip, &to, at_once, 1);
        else if (at_once == 2) strip_run(out + first, how, x, &strip, &to, 2, 2);
        else if (at_once == 4) strip_run(out + first, how, x, &strip, &to, 4, 4);
        else strip_run(out + first, how, x, &strip, &to, 8, 8);
    }
    return 1;
}
