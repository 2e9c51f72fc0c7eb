/* avx512vnni.c - what 512-bit vectors and vpdpbusd do better than avx2.c. vpdpbusd multiplies u8 by s8 and adds four
 * products to a 32-bit sum, exactly: activations are u8 and weights s8, so nothing is widened and nothing saturates.
 */
#include "avx512.h"

#include "depthloop.h"
#include "floatloops.h"
#include "mem.h"
#include "momentloop.h"

INLINE int32_t four_bytes(const uint8_t *at)
{
    int32_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

/* ---- dot products ---- */

/* Weights of two blocks of channels for the same four inputs. */
INLINE __m512i two_blocks(const int8_t *w, size_t block)
{
    __m256i first = _mm256_loadu_si256((const void *)w), other = _mm256_loadu_si256((const void *)(w + block));
    return _mm512_inserti64x4(_mm512_castsi256_si512(first), other, 1);
}

/* P positions of 2 * V blocks. Sums have names, as compilers keep arrays in memory; where P or V is small, the rest is
 * not there. */
#define EACH_POSITION(work) work(0) work(1) work(2) work(3) work(4) work(5) work(6) work(7)
#define DECLARE(p) __m512i sum##p = _mm512_setzero_si512(), more##p = sum##p;
#define ADD_PRODUCTS(p) \
    if (P > p) { \
        __m512i four = _mm512_set1_epi32(four_bytes(from + (size_t)p * how->step)); \
        sum##p = _mm512_dpbusd_epi32(sum##p, four, w0); \
        if (V > 1) more##p = _mm512_dpbusd_epi32(more##p, four, w1); \
    }
#define STORE(p) \
    if (P > p) { \
        _mm512_storeu_si512(acc + p * acc_step, sum##p); \
        if (V > 1) _mm512_storeu_si512(acc + p * acc_step + 2 * QC_K_LANES, more##p); \
    }

INLINE void dot_tile(int32_t *acc, const uint8_t *x, const int8_t *w, const QcKDot *how, const int V, const int P)
{
    size_t block = (size_t)how->segments * how->run * QC_K_LANES, acc_step = (size_t)how->blocks * QC_K_LANES;
    EACH_POSITION(DECLARE)
    for (uint32_t s = 0; s < how->segments; s++) {
        const uint8_t *from = x + how->segment[s];
        for (uint32_t left = how->run / 4; left > 0; left--, from += 4, w += 4 * QC_K_LANES) {
            __m512i w0 = two_blocks(w, block), w1 = V > 1 ? two_blocks(w + 2 * block, block) : w0;
            EACH_POSITION(ADD_PRODUCTS)
        }
    }
    EACH_POSITION(STORE)
}

INLINE void dot_blocks(int32_t *acc, const uint8_t *x, const int8_t *w, const QcKDot *how, const int V)
{
    size_t acc_step = (size_t)how->blocks * QC_K_LANES;
    uint32_t t = 0;
    for (; t + 8 <= how->positions; t += 8, x += 8 * (size_t)how->step, acc += 8 * acc_step)
        dot_tile(acc, x, w, how, V, 8);
    for (; t + 3 <= how->positions; t += 3, x += 3 * (size_t)how->step, acc += 3 * acc_step)
        dot_tile(acc, x, w, how, V, 3);
    for (; t < how->positions; t++, x += how->step, acc += acc_step) dot_tile(acc, x, w, how, V, 1);
}

INLINE __m256i one_block(__m256i sum, const uint8_t *x, const int8_t *w)
{
    return _mm256_dpbusd_epi32(sum, _mm256_set1_epi32(four_bytes(x)), _mm256_loadu_si256((const void *)w));
}

/* The last block where their number is odd. */
static void dot_one_block(int32_t *acc, const uint8_t *x, const int8_t *w, const QcKDot *how)
{
    size_t acc_step = (size_t)how->blocks * QC_K_LANES;
    for (uint32_t t = 0; t < how->positions; t++, x += how->step, acc += acc_step) {
        const int8_t *at = w;
        __m256i sum = _mm256_setzero_si256(), more = sum; /* two chains */
        for (uint32_t s = 0; s < how->segments; s++) {
            const uint8_t *from = x + how->segment[s];
            uint32_t left = how->run / 4;
            for (; left >= 2; left -= 2, from += 8, at += 8 * QC_K_LANES) {
                sum = one_block(sum, from, at);
                more = one_block(more, from + 4, at + 4 * QC_K_LANES);
            }
            if (left) sum = one_block(sum, from, at), at += 4 * QC_K_LANES;
        }
        _mm256_storeu_si256((void *)acc, _mm256_add_epi32(sum, more));
    }
}

static void dot(int32_t *acc, const uint8_t *x, const int8_t *w, const QcKDot *how, int bits)
{
    (void)bits;
    size_t block = (size_t)how->segments * how->run * QC_K_LANES;
    uint32_t b = 0;
    for (; b + 4 <= how->blocks; b += 4) dot_blocks(acc + b * QC_K_LANES, x, w + b * block, how, 2);
    for (; b + 2 <= how->blocks; b += 2) dot_blocks(acc + b * QC_K_LANES, x, w + b * block, how, 1);
    if (b < how->blocks) dot_one_block(acc + b * QC_K_LANES, x, w + b * block, how);
}

/* ---- rescaling ---- */

/* Eight 64-bit lanes: the sums of every other channel. Truncated to 32 bits after clamping, so that any shift will
 * do. */
INLINE __m512i settle(__m512i v, __m512i multiplier, __m512i half, __m512i shift, __m512i least, __m512i most)
{
    __m512i q = _mm512_srav_epi64(_mm512_add_epi64(_mm512_mul_epi32(v, multiplier), half), shift);
    return _mm512_min_epi64(_mm512_max_epi64(q, least), most);
}

/* Sixteen channels at all positions. */
static void rescale_sixteen(uint8_t *out, const int32_t *acc, const int32_t *bias, const int32_t *multiplier,
                            const uint8_t *shift, uint32_t positions, uint32_t acc_step, uint32_t out_step,
                            int32_t zero, int32_t low, int32_t high)
{
    const __m512i one = _mm512_set1_epi64(1), least = _mm512_set1_epi64(low - zero),
                  most = _mm512_set1_epi64(high - zero);
    __m512i m = _mm512_loadu_si512(multiplier), add = _mm512_loadu_si512(bias), zeros = _mm512_set1_epi32(zero);
    __m512i shifts = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)shift)), m_odd = _mm512_srli_epi64(m, 32);
    __m512i even = _mm512_and_si512(shifts, _mm512_set1_epi64(0xffffffff)), odd = _mm512_srli_epi64(shifts, 32);
    __m512i half_even = _mm512_sllv_epi64(one, _mm512_sub_epi64(even, one)),
            half_odd = _mm512_sllv_epi64(one, _mm512_sub_epi64(odd, one));
    for (uint32_t t = 0; t < positions; t++, acc += acc_step, out += out_step) {
        __m512i v = _mm512_add_epi32(_mm512_loadu_si512(acc), add);
        __m512i q = settle(v, m, half_even, even, least, most),
                r = settle(_mm512_srli_epi64(v, 32), m_odd, half_odd, odd, least, most);
        q = _mm512_add_epi32(_mm512_mask_blend_epi32(0xaaaa, q, _mm512_slli_epi64(r, 32)), zeros);
        _mm_storeu_si128((void *)out, _mm512_cvtepi32_epi8(q));
    }
}

static void rescale(uint8_t *out, const int32_t *acc, const int32_t *bias, const int32_t *multiplier,
                    const uint8_t *shift, uint32_t positions, uint32_t channels, uint32_t acc_step, uint32_t out_step,
                    int32_t zero, int32_t low, int32_t high)
{
    uint32_t o = 0;
    for (; o + 16 <= channels; o += 16)
        rescale_sixteen(out + o, acc + o, bias + o, multiplier + o, shift + o, positions, acc_step, out_step, zero, low,
                        high);
    if (o < channels)
        qc_avx2_rescale(out + o, acc + o, bias + o, multiplier + o, shift + o, positions, channels - o, acc_step,
                        out_step, zero, low, high);
}

/* ---- masked sums ---- */

enum { MASK_CHANNELS = 4 };

/* Four rows' masks of one channel as bytes 0 and 1; those beyond the end are 0. */
INLINE int32_t four_masks(const uint8_t *mask, uint32_t step, uint32_t rows)
{
    uint32_t v = 0;
    for (uint32_t r = 0; r < rows; r++) v |= (uint32_t)(mask[(size_t)r * step] != 0) << 8 * r;
    return (int32_t)v;
}

/* Adds 64 columns of x (`columns` of them real) for `channels` masks: bytes of four rows side by side are four products
 * of a channel. */
static void add_masked(int32_t *sums, const uint8_t *x, const uint8_t *mask, uint32_t positions, uint32_t step,
                       uint32_t mask_step, uint32_t run, uint32_t columns, uint32_t channels)
{
    __mmask64 there = columns < 64 ? ((__mmask64)1 << columns) - 1 : ~(__mmask64)0;
    __m512i sum[MASK_CHANNELS][4];
    for (int c = 0; c < MASK_CHANNELS; c++)
        for (int v = 0; v < 4; v++) sum[c][v] = _mm512_setzero_si512();
    for (uint32_t t = 0; t < positions; t += 4, x += 4 * (size_t)step, mask += 4 * (size_t)mask_step) {
        uint32_t rows = positions - t < 4 ? positions - t : 4;
        __m512i row[4];
        for (uint32_t r = 0; r < 4; r++)
            row[r] = _mm512_maskz_loadu_epi8(r < rows ? there : 0, x + (r < rows ? r : 0) * (size_t)step);
        __m512i ab = _mm512_unpacklo_epi8(row[0], row[1]), cd = _mm512_unpacklo_epi8(row[2], row[3]);
        __m512i AB = _mm512_unpackhi_epi8(row[0], row[1]), CD = _mm512_unpackhi_epi8(row[2], row[3]);
        /* in each quarter of the register, columns 0-3, 4-7, 8-11 and 12-15 of that quarter's 16 */
        __m512i four[4] = {_mm512_unpacklo_epi16(ab, cd), _mm512_unpackhi_epi16(ab, cd), _mm512_unpacklo_epi16(AB, CD),
                           _mm512_unpackhi_epi16(AB, CD)};
        for (uint32_t c = 0; c < MASK_CHANNELS; c++) {
            __m512i m = _mm512_set1_epi32(c < channels ? four_masks(mask + c, mask_step, rows) : 0);
            for (int v = 0; v < 4; v++) sum[c][v] = _mm512_dpbusd_epi32(sum[c][v], four[v], m);
        }
    }
    for (uint32_t c = 0; c < channels; c++, sums += run)
        for (uint32_t i = 0; i < columns; i += 16) { /* quarter i / 16 of all four */
            int32_t part[4][16];
            for (int v = 0; v < 4; v++) _mm512_storeu_si512(part[v], sum[c][v]);
            for (uint32_t k = 0; k < 16 && i + k < columns; k++) sums[i + k] = part[k / 4][i / 4 + k % 4];
        }
}

static void masked_sum(int32_t *sums, const uint8_t *x, const uint8_t *mask, uint32_t positions, uint32_t step,
                       uint32_t mask_step, uint32_t run, uint32_t channels)
{
    for (uint32_t o = 0; o < channels; o += MASK_CHANNELS) {
        uint32_t some = channels - o < MASK_CHANNELS ? channels - o : MASK_CHANNELS;
        for (uint32_t i = 0; i < run; i += 64)
            add_masked(sums + (size_t)o * run + i, x + i, mask + o, positions, step, mask_step, run,
                       run - i < 64 ? run - i : 64, some);
    }
}

const QcKernels qc_kernels_avx512vnni = {
    "avx512vnni", qc_avx2_unpack,   dot,       depthwise,      rescale,   qc_avx2_add,
    masked_sum,   qc_avx2_max_rows, dense,     fold,           add_outer, multiply_triangle,
    add_scaled,   dot_floats,       dot_codes, qc_avx512_conv, NULL,      qc_avx512_depthwise, moments};
