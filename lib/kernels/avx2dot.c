/* avx2dot.c - dot products in 256-bit vectors.
 *
 * Four bytes of x, repeated for eight output channels, are multiplied with eight channels' next four weights.
 * vpmaddubsw adds pairs of products in 16 bits, which saturate: at 2 bits a pair is at most 255 * 2 * 2 = 1020 and 32
 * of them fit, at 4 bits 4080 and 8 fit; then vpmaddwd by ones widens. At 8 bits even one pair overflows, so x and w
 * are widened first, some of them at a time, on the stack.
 */
#include "avx2tile.h"

/* ---- 2 and 4 bits ---- */

INLINE __m256i four_bytes(const uint8_t *x)
{
    int32_t v;
    memcpy(&v, x, sizeof v);
    return _mm256_set1_epi32(v);
}

INLINE void settle_pairs(int32_t *acc, __m256i pairs, int also)
{
    __m256i sum = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
    store(acc, also ? _mm256_add_epi32(sum, load(acc)) : sum);
}

#define CLEAR(p) a##p = b##p = _mm256_setzero_si256();
#define ADD_PAIRS(p) \
    if (P > p) { \
        __m256i four = four_bytes(x + p * step); \
        a##p = _mm256_add_epi16(a##p, _mm256_maddubs_epi16(four, w0)); \
        if (B > 1) b##p = _mm256_add_epi16(b##p, _mm256_maddubs_epi16(four, w1)); \
        ONE_AFTER_ANOTHER(x, a##p, b##p); \
    }
#define SETTLE(p) \
    if (P > p) { \
        settle_pairs(acc + p * acc_step, a##p, also); \
        if (B > 1) settle_pairs(acc + p * acc_step + QC_K_LANES, b##p, also); \
    }

/* B blocks of channels, `block` bytes of weights apart, at P positions: one segment. `patience` steps of four bytes fit
 * into 16 bits. */
INLINE void narrow_tile(int32_t *acc, size_t acc_step, const uint8_t *x, size_t step, const int8_t *w, size_t block,
                        uint32_t steps, uint32_t patience, int also, const int B, const int P)
{
    __m256i a0, a1, a2, a3, a4, a5, b0, b1, b2, b3, b4, b5;
    for (uint32_t n; steps > 0; steps -= n, also = 1) {
        n = least(steps, patience);
        EACH_POSITION(CLEAR)
        for (uint32_t s = 0; s < n; s++, x += 4, w += 4 * QC_K_LANES) {
            __m256i w0 = load(w), w1 = B > 1 ? load(w + block) : w0;
            EACH_POSITION(ADD_PAIRS)
        }
        EACH_POSITION(SETTLE)
    }
}

INLINE void narrow_blocks(int32_t *acc, const uint8_t *x, const int8_t *w, const QcKDot *how, uint32_t patience,
                          const int B)
{
    size_t block = (size_t)how->segments * how->run * QC_K_LANES, acc_step = (size_t)how->blocks * QC_K_LANES,
           step = how->step;
    for (uint32_t left = how->positions, n; left > 0; left -= n, x += n * step, acc += n * acc_step) {
        n = tile_size(left);
        for (uint32_t s = 0; s < how->segments; s++) {
            const int8_t *at = w + (size_t)s * how->run * QC_K_LANES;
#define NARROW(P) narrow_tile(acc, acc_step, x + how->segment[s], step, at, block, how->run / 4, patience, s > 0, B, P)
            WITH_POSITIONS(n, NARROW)
#undef NARROW
        }
    }
}

/* ---- 8 bits ---- */

enum { WIDE = 256 }; /* inputs of a channel that are widened at once */

static void widen_weights(int16_t *to, const int8_t *w, uint32_t run)
{
    for (uint32_t i = 0; i < run * QC_K_LANES; i += 16)
        store(to + i, _mm256_cvtepi8_epi16(_mm_loadu_si128((const void *)(w + i))));
}

/* Up to 16 bytes more of x are read than `run`, which QC_K_SLACK allows, and as many written. */
static void widen_inputs(int16_t *to, const uint8_t *x, size_t step, uint32_t run, uint32_t positions)
{
    for (uint32_t p = 0; p < positions; p++, x += step, to += WIDE)
        for (uint32_t i = 0; i < run; i += 16)
            store(to + i, _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)(x + i))));
}

/* One or two blocks of channels; some of a segment. */
static void wide_piece(int32_t *acc, const uint8_t *x, const int8_t *w, const QcKDot *how, uint32_t blocks,
                       uint32_t run, int also)
{
    _Alignas(32) int16_t weights[2][WIDE * QC_K_LANES], inputs[6 * WIDE + 16];
    size_t block = (size_t)how->segments * how->run * QC_K_LANES, acc_step = (size_t)how->blocks * QC_K_LANES;
    for (uint32_t b = 0; b < blocks; b++) widen_weights(weights[b], w + b * block, run);
    for (uint32_t left = how->positions, n; left > 0; left -= n, x += (size_t)n * how->step, acc += n * acc_step) {
        n = tile_size(left);
        widen_inputs(inputs, x, how->step, run, n);
        for (uint32_t b = 0; b < blocks; b++)
            tile(acc + b * QC_K_LANES, acc_step, inputs, WIDE, weights[b], run / 4, also, n);
    }
}

static void wide_blocks(int32_t *acc, const uint8_t *x, const int8_t *w, const QcKDot *how, uint32_t blocks)
{
    int also = 0;
    for (uint32_t s = 0; s < how->segments; s++)
        for (uint32_t i = 0, n; i < how->run; i += n, also = 1, w += (size_t)n * QC_K_LANES) {
            n = least(how->run - i, WIDE);
            wide_piece(acc, x + how->segment[s] + i, w, how, blocks, n, also);
        }
}

/* ---- all ---- */

void qc_avx2_dot(int32_t *acc, const uint8_t *x, const int8_t *w, const QcKDot *how, int bits)
{
    size_t block = (size_t)how->segments * how->run * QC_K_LANES;
    uint32_t patience = bits == 2 ? 32 : 8, n;
    for (uint32_t b = 0; b < how->blocks; b += n) {
        n = least(how->blocks - b, 2);
        if (bits == 8) wide_blocks(acc + b * QC_K_LANES, x, w + b * block, how, n);
        else if (n == 2) narrow_blocks(acc + b * QC_K_LANES, x, w + b * block, how, patience, 2);
        else narrow_blocks(acc + b * QC_K_LANES, x, w + b * block, how, patience, 1);
    }
}
