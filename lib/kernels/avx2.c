/* avx2.c - the kernels in 256-bit vectors, except products: avx2dot.c, avx2series.c. */
#include "avx2.h"

#include <immintrin.h>

#include "avx2rescale.h"
#include "depthloop.h"
#include "floatloops.h"
#include "mem.h"
#include "momentloop.h"

#define INLINE static inline __attribute__((always_inline))

INLINE __m256i load(const void *at) { return _mm256_loadu_si256(at); }
INLINE void store(void *at, __m256i v) { _mm256_storeu_si256(at, v); }

INLINE int32_t four_bytes(const uint8_t *at)
{
    int32_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

INLINE __m256i widen_pairs(__m256i pairs) { return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)); }

/* ---- weights for use ---- */

/* How 32 bits of each of eight channels become vectors of [8 lanes][4] codes. */
typedef struct Spread {
    uint32_t codes;    /* in 32 bits: 16, 8 or 4 */
    __m256i which[4];  /* the byte that holds each code of a vector */
    __m256i mask, map; /* mask: the bits of the code in its byte; map: the value of each code */
} Spread;

static Spread spread_init(int bits)
{
    Spread s = { .codes = 32u / (uint32_t)bits };
    const __m256i lanes =
        _mm256_setr_epi32(0, 0x04040404, 0x08080808, 0x0c0c0c0c, 0, 0x04040404, 0x08080808, 0x0c0c0c0c);
    for (int v = 0; v < 4; v++)
        s.which[v] =
            _mm256_add_epi8(lanes, _mm256_set1_epi32(bits == 2 ? v * 0x01010101 : v * 0x02020202 + 0x01010000));
    if (bits == 2) {
        s.mask = _mm256_set1_epi32((int32_t)0xc0300c03);
        /* the code in bits 0, 1 or in bits 2, 3 */
        s.map = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, -2, -1, 1, 0, 0, 0, -2, 0, 0, 0, -1, 0, 0, 0));
    } else {
        s.mask = _mm256_set1_epi32((int32_t)0xf00ff00f);
        s.map = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1));
    }
    return s;
}

/* A masked byte has its code in its low or in its high four bits. One table look-up translates the low codes and one
 * the high codes; each gives zero for the others. */
INLINE __m256i spread_codes(__m256i packed, const Spread *s, uint32_t v)
{
    if (s->codes == 4) return packed;
    __m256i codes = _mm256_and_si256(_mm256_shuffle_epi8(packed, s->which[v]), s->mask);
    return _mm256_or_si256(_mm256_shuffle_epi8(s->map, codes),
                           _mm256_shuffle_epi8(s->map, _mm256_srli_epi16(codes, 4)));
}

static __m256i broken_lanes(const uint8_t *bytes, uint64_t end, uint64_t at, uint64_t step, uint32_t bits,
                            uint32_t lanes)
{
    int32_t lane[QC_K_LANES] = { 0 };
    for (uint32_t l = 0; l < lanes; l++) lane[l] = qc_bits_at(bytes, end, at + l * step, bits);
    return load(lane);
}

INLINE __m256i whole_lanes(const uint8_t *at, uint64_t step)
{
    const uint8_t *other = at + 4 * step;
    return _mm256_setr_epi32(four_bytes(at), four_bytes(at + step), four_bytes(at + 2 * step),
                             four_bytes(at + 3 * step), four_bytes(other), four_bytes(other + step),
                             four_bytes(other + 2 * step), four_bytes(other + 3 * step));
}

/* Sixteen bytes of each of channels c and c + 4. */
INLINE __m256i two_lanes(const uint8_t *at, uint64_t step)
{
    __m128i first = _mm_loadu_si128((const void *)at), other = _mm_loadu_si128((const void *)(at + 4 * step));
    return _mm256_inserti128_si256(_mm256_castsi128_si256(first), other, 1);
}

/* Sixteen bytes of each of eight channels, as four vectors of 32 bits each: a 4 x 4 transposition in both halves. */
INLINE void sixteen_of_lanes(__m256i packed[4], const uint8_t *at, uint64_t step)
{
    __m256i a = two_lanes(at, step), b = two_lanes(at + step, step), c = two_lanes(at + 2 * step, step),
            d = two_lanes(at + 3 * step, step);
    __m256i ab = _mm256_unpacklo_epi32(a, b), cd = _mm256_unpacklo_epi32(c, d);
    packed[0] = _mm256_unpacklo_epi64(ab, cd);
    packed[1] = _mm256_unpackhi_epi64(ab, cd);
    ab = _mm256_unpackhi_epi32(a, b), cd = _mm256_unpackhi_epi32(c, d);
    packed[2] = _mm256_unpacklo_epi64(ab, cd);
    packed[3] = _mm256_unpackhi_epi64(ab, cd);
}

INLINE __m256i sum_of_four(__m256i codes) { return widen_pairs(_mm256_maddubs_epi16(_mm256_set1_epi8(1), codes)); }

/* Writes the codes of `packed` (n of each channel, n <= s->codes); returns total and their sums. */
INLINE __m256i write_codes(int8_t *w, __m256i packed, uint32_t n, __m256i total, const Spread *s)
{
    for (uint32_t v = 0; v < n; v += 4, w += 32) {
        __m256i four = spread_codes(packed, s, v / 4);
        store(w, four);
        total = _mm256_add_epi32(total, sum_of_four(four));
    }
    return total;
}

/* Eight whole channels whose rows begin with whole bytes: 16 bytes of each at a time. Returns how many codes of each
 * were written. */
static uint32_t unpack_straight(int8_t *w, __m256i *total, const uint8_t *at, uint64_t step, uint32_t length,
                                const Spread *s)
{
    uint32_t i = 0;
    for (; i + 4 * s->codes <= length; i += 4 * s->codes, at += 16) {
        __m256i packed[4];
        sixteen_of_lanes(packed, at, step);
        for (uint32_t k = 0; k < 4; k++)
            *total = write_codes(w + (i + k * s->codes) * QC_K_LANES, packed[k], s->codes, *total, s);
    }
    return i;
}

/* Up to eight channels from channel o on; the lanes of missing ones are zero. */
static void unpack_block(int8_t *w, int32_t *sum, const QcKCodes *codes, uint32_t o, uint64_t end, const Spread *s)
{
    uint32_t lanes = codes->channels - o < QC_K_LANES ? codes->channels - o : QC_K_LANES, bits = (uint32_t)codes->bits;
    uint64_t lane_bits = (uint64_t)codes->row * bits, first = codes->first * (uint64_t)bits + o * lane_bits;
    int straight = lanes == QC_K_LANES && (first | lane_bits | codes->length * (uint64_t)bits) % 8 == 0;
    __m256i total = _mm256_setzero_si256();
    for (uint32_t segment = 0; segment < codes->segments; segment++, first += codes->length * (uint64_t)bits) {
        uint32_t i = straight ? unpack_straight(w, &total, codes->bytes + first / 8, lane_bits / 8, codes->length, s)
                              : 0,
                 n;
        for (w += (size_t)i * QC_K_LANES; i < codes->length; i += n, w += (size_t)((n + 3) & ~3u) * QC_K_LANES) {
            n = codes->length - i < s->codes ? codes->length - i : s->codes;
            uint64_t at = first + i * (uint64_t)bits;
            __m256i packed = straight && n == s->codes
                                 ? whole_lanes(codes->bytes + at / 8, lane_bits / 8)
                                 : broken_lanes(codes->bytes, end, at, lane_bits, n * bits, lanes);
            total = write_codes(w, packed, n, total, s);
        }
    }
    store(sum, total);
}

void qc_avx2_unpack(int8_t *w, int32_t *sum, const QcKCodes *codes)
{
    Spread s = spread_init(codes->bits);
    size_t block = (size_t)codes->segments * ((codes->length + 3) & ~3u) * QC_K_LANES;
    uint64_t last = codes->first + (codes->channels - 1) * (uint64_t)codes->row + codes->segments * codes->length;
    uint64_t end = (last * (uint32_t)codes->bits + 7) / 8;
    for (uint32_t o = 0; o < codes->channels; o += QC_K_LANES, w += block) unpack_block(w, sum + o, codes, o, end, &s);
}

/* ---- rescaling ---- */

/* Four vectors of eight as bytes side by side, zero added and clamped. Packing saturates, which changes only values
 * that are clamped anyway. */
INLINE __m256i packed_four(__m256i a, __m256i b, __m256i c, __m256i d, __m256i zero, __m256i low, __m256i high)
{
    __m256i ab = _mm256_adds_epi16(_mm256_packs_epi32(a, b), zero),
            cd = _mm256_adds_epi16(_mm256_packs_epi32(c, d), zero);
    __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(ab, cd), _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    return _mm256_min_epu8(_mm256_max_epu8(bytes, low), high);
}

static void rescale_eight(uint8_t *out, const int32_t *acc, const int32_t *bias, const int32_t *multiplier,
                          const uint8_t *shift, uint32_t positions, uint32_t acc_step, uint32_t out_step, int32_t zero,
                          int32_t low, int32_t high)
{
    const Rescale r = rescale_init(bias, multiplier, shift);
    const __m256i zeros = _mm256_set1_epi16((int16_t)zero), least = _mm256_set1_epi8((char)low),
                  most = _mm256_set1_epi8((char)high);
    for (uint32_t n; positions > 0; positions -= n, acc += (size_t)n * acc_step, out += (size_t)n * out_step) {
        n = positions < 4 ? 1 : 4;
        size_t next = n == 4 ? acc_step : 0;
        __m256i bytes =
            packed_four(rescaled(&r, load(acc)), rescaled(&r, load(acc + next)), rescaled(&r, load(acc + 2 * next)),
                        rescaled(&r, load(acc + 3 * next)), zeros, least, most);
        __m128i first = _mm256_castsi256_si128(bytes), other = _mm256_extracti128_si256(bytes, 1);
        _mm_storel_epi64((void *)out, first);
        if (n == 1) continue;
        _mm_storel_epi64((void *)(out + out_step), _mm_unpackhi_epi64(first, first));
        _mm_storel_epi64((void *)(out + 2 * (size_t)out_step), other);
        _mm_storel_epi64((void *)(out + 3 * (size_t)out_step), _mm_unpackhi_epi64(other, other));
    }
}

void qc_avx2_rescale(uint8_t *out, const int32_t *acc, const int32_t *bias, const int32_t *multiplier,
                     const uint8_t *shift, uint32_t positions, uint32_t channels, uint32_t acc_step, uint32_t out_step,
                     int32_t zero, int32_t low, int32_t high)
{
    for (uint32_t o = 0; o < channels; o += 8) {
        uint32_t n = channels - o < 8 ? channels - o : 8, long_shifts = 0;
        for (uint32_t i = 0; i < n; i++) long_shifts += shift[o + i] >= 31;
        if (n == 8 && long_shifts == 8)
            rescale_eight(out + o, acc + o, bias + o, multiplier + o, shift + o, positions, acc_step, out_step, zero,
                          low, high);
        else
            qc_kernels_scalar.rescale(out + o, acc + o, bias + o, multiplier + o, shift + o, positions, n, acc_step,
                                      out_step, zero, low, high);
    }
}

/* a * multiplier_a + b * multiplier_b + the constant part of both zeros and half, shifted. Each multiplier is high *
 * 2^16 + low, so that vpmaddwd adds both products exactly in 32 bits. Of the low sum only the carry into the high
 * sum counts. */
typedef struct Adder {
    __m256i high, low;         /* multipliers of a and b side by side */
    __m256i add_high, add_low; /* zeros and half */
    __m128i shift;             /* less 16 */
} Adder;

static int32_t pair_of(int64_t a, int64_t b) { return (int32_t)((uint32_t)(a & 0xffff) | (uint32_t)b << 16); }

/* 0 if this does not hold: high parts of 2^15, shifts that reach into the low sum or beyond 32 bits. */
static int adder_init(Adder *s, const QcKAdd *how)
{
    int64_t a = ((int64_t)how->multiplier_a + 0x8000) >> 16, b = ((int64_t)how->multiplier_b + 0x8000) >> 16;
    if (a > INT16_MAX || b > INT16_MAX || how->shift < 17 || how->shift > 46) return 0;
    int64_t add = ((int64_t)1 << (how->shift - 1)) - (int64_t)how->zero_a * how->multiplier_a -
                  (int64_t)how->zero_b * how->multiplier_b;
    s->high = _mm256_set1_epi32(pair_of(a, b));
    s->low = _mm256_set1_epi32(pair_of(how->multiplier_a - (a << 16), how->multiplier_b - (b << 16)));
    s->add_high = _mm256_set1_epi32((int32_t)(add >> 16));
    s->add_low = _mm256_set1_epi32((int32_t)(add & 0xffff));
    s->shift = _mm_cvtsi32_si128(how->shift - 16);
    return 1;
}

INLINE __m256i added(__m256i pairs, const Adder *s)
{
    __m256i low = _mm256_srai_epi32(_mm256_add_epi32(_mm256_madd_epi16(pairs, s->low), s->add_low), 16);
    return _mm256_sra_epi32(_mm256_add_epi32(_mm256_add_epi32(_mm256_madd_epi16(pairs, s->high), s->add_high), low),
                            s->shift);
}

/* The same for eight pairs of bytes in either half, as words. Packing saturates, which changes only values that are
 * clamped anyway. */
INLINE __m256i added_bytes(__m256i pairs, const Adder *s, __m256i zero)
{
    const __m256i none = _mm256_setzero_si256();
    return _mm256_adds_epi16(
        _mm256_packs_epi32(added(_mm256_unpacklo_epi8(pairs, none), s), added(_mm256_unpackhi_epi8(pairs, none), s)),
        zero);
}

void qc_avx2_add(uint8_t *out, const uint8_t *a, const uint8_t *b, uint32_t n, const QcKAdd *how)
{
    Adder s;
    uint32_t i = 0;
    const __m256i zero = _mm256_set1_epi16((int16_t)how->zero), least = _mm256_set1_epi8((char)how->low),
                  most = _mm256_set1_epi8((char)how->high);
    if (n >= 32 && adder_init(&s, how))
        for (; i + 32 <= n; i += 32) {
            __m256i va = load(a + i), vb = load(b + i);
            __m256i bytes = _mm256_packus_epi16(added_bytes(_mm256_unpacklo_epi8(va, vb), &s, zero),
                                                added_bytes(_mm256_unpackhi_epi8(va, vb), &s, zero));
            store(out + i, _mm256_min_epu8(_mm256_max_epu8(bytes, least), most));
        }
    if (i < n) qc_kernels_scalar.add(out + i, a + i, b + i, n - i, how);
}

/* ---- sums and maxima ---- */

INLINE int32_t some_bytes(const uint8_t *at, uint32_t n) /* up to four */
{
    uint32_t v = 0;
    for (uint32_t i = 0; i < n; i++) v |= (uint32_t)at[i] << 8 * i;
    return (int32_t)v;
}

/* Masks of up to 256 positions, two and two: a byte 0 or 1 each, twice, for four channels. */
enum { MASK_PAIRS = 128, MASK_CHANNELS = 4 };

static void pair_masks(int32_t pairs[][MASK_CHANNELS], const uint8_t *mask, uint32_t positions, uint32_t mask_step,
                       uint32_t channels)
{
    const __m128i one = _mm_set1_epi8(1), none = _mm_setzero_si128();
    for (uint32_t t = 0; t < positions; t += 2, mask += 2 * (size_t)mask_step) {
        __m128i first = _mm_cvtsi32_si128(channels == 4 ? four_bytes(mask) : some_bytes(mask, channels)), second = none;
        if (t + 1 < positions)
            second = _mm_cvtsi32_si128(channels == 4 ? four_bytes(mask + mask_step)
                                                     : some_bytes(mask + mask_step, channels));
        __m128i both = _mm_unpacklo_epi8(_mm_min_epu8(first, one), _mm_min_epu8(second, one));
        _mm_store_si128((void *)pairs[t / 2], _mm_unpacklo_epi16(both, both));
    }
}

/* Adds 32 columns of x: bytes of two rows side by side, times their two mask bytes, in 16 bits (128 pairs of 510 fit
 * without sign). */
static void add_masked(int32_t *sums, const uint8_t *x, const int32_t pairs[][MASK_CHANNELS], uint32_t positions,
                       uint32_t step, uint32_t run, uint32_t columns, uint32_t channels)
{
    __m256i low[MASK_CHANNELS], high[MASK_CHANNELS];
    for (int c = 0; c < MASK_CHANNELS; c++) low[c] = high[c] = _mm256_setzero_si256();
    for (uint32_t t = 0; t < positions; t += 2, x += 2 * (size_t)step) {
        __m256i first = load(x), second = t + 1 < positions ? load(x + step) : first;
        __m256i x_low = _mm256_unpacklo_epi8(first, second), x_high = _mm256_unpackhi_epi8(first, second);
        for (int c = 0; c < MASK_CHANNELS; c++) {
            __m256i m = _mm256_set1_epi32(pairs[t / 2][c]);
            low[c] = _mm256_add_epi16(low[c], _mm256_maddubs_epi16(x_low, m));
            high[c] = _mm256_add_epi16(high[c], _mm256_maddubs_epi16(x_high, m));
        }
    }
    for (uint32_t c = 0; c < channels; c++, sums += run) {
        int32_t part[32]; /* columns 0-7 and 16-23 lie in low, 8-15 and 24-31 in high */
        store(part, _mm256_cvtepu16_epi32(_mm256_castsi256_si128(low[c])));
        store(part + 8, _mm256_cvtepu16_epi32(_mm256_castsi256_si128(high[c])));
        store(part + 16, _mm256_cvtepu16_epi32(_mm256_extracti128_si256(low[c], 1)));
        store(part + 24, _mm256_cvtepu16_epi32(_mm256_extracti128_si256(high[c], 1)));
        for (uint32_t i = 0; i < columns; i++) sums[i] += part[i];
    }
}

static void masked_sum(int32_t *sums, const uint8_t *x, const uint8_t *mask, uint32_t positions, uint32_t step,
                       uint32_t mask_step, uint32_t run, uint32_t channels)
{
    _Alignas(32) int32_t pairs[MASK_PAIRS][MASK_CHANNELS];
    memset(sums, 0, (size_t)channels * run * sizeof *sums);
    for (uint32_t t = 0; t < positions; t += 2 * MASK_PAIRS)
        for (uint32_t o = 0; o < channels; o += MASK_CHANNELS) {
            uint32_t n = positions - t < 2 * MASK_PAIRS ? positions - t : 2 * MASK_PAIRS;
            uint32_t some = channels - o < MASK_CHANNELS ? channels - o : MASK_CHANNELS;
            pair_masks(pairs, mask + (size_t)t * mask_step + o, n, mask_step, some);
            for (uint32_t i = 0; i < run; i += 32)
                add_masked(sums + (size_t)o * run + i, x + (size_t)t * step + i, pairs, n, step, run,
                           run - i < 32 ? run - i : 32, some);
        }
}

void qc_avx2_max_rows(uint8_t *out, const uint8_t *x, uint32_t rows, uint32_t step, uint32_t n)
{
    uint32_t i = 0;
    for (; i + 32 <= n; i += 32) {
        __m256i top = load(x + i);
        for (uint32_t k = 1; k < rows; k++) top = _mm256_max_epu8(top, load(x + (size_t)k * step + i));
        store(out + i, top);
    }
    if (i < n) qc_kernels_scalar.max_rows(out + i, x + i, rows, step, n - i);
}

const QcKernels qc_kernels_avx2 = {
    "avx2",           qc_avx2_unpack, qc_avx2_dot, depthwise,        qc_avx2_rescale,   qc_avx2_add, masked_sum,
    qc_avx2_max_rows, dense,          fold,        add_outer,        multiply_triangle, add_scaled,  dot_floats,
    dot_codes,        qc_avx2_conv,   NULL,        qc_avx2_depthwise, moments};
