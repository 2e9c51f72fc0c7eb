/* avx2tile.h - the inner loop of dot products in 16 bits, which 8-bit weights need: vpmaddwd does 16 products. Register
 * by register: six positions of eight channels are 12 sums; two vectors of weights, one of inputs and one of products
 * make 16.
 */
#ifndef QC_KERNELS_AVX2TILE_H
#define QC_KERNELS_AVX2TILE_H

#include <immintrin.h>

#include "avx2.h"
#include "mem.h"

#define INLINE static inline __attribute__((always_inline))

INLINE __m256i load(const void *at) { return _mm256_loadu_si256(at); }
INLINE void store(void *at, __m256i v) { _mm256_storeu_si256(at, v); }
INLINE uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* The next of nearly equal tiles of at most six positions. */
INLINE uint32_t tile_size(uint32_t left)
{
    uint32_t tiles = (left + 5) / 6;
    return (left + tiles - 1) / tiles;
}

/* The same work with a constant number of positions. */
#define WITH_POSITIONS(n, work) \
    switch (n) { \
    case 6: work(6); break; \
    case 5: work(5); break; \
    case 4: work(4); break; \
    case 3: work(3); break; \
    case 2: work(2); break; \
    default: work(1); break; \
    }

/* Sums are named, as gcc keeps arrays in memory, and positions are taken one after another, as it would load all inputs
 * first and then run out of registers: it must assume that x changes in between. */
#define EACH_POSITION(work) work(0) work(1) work(2) work(3) work(4) work(5)
#define ONE_AFTER_ANOTHER(x, sum, more) __asm__("" : "+r"(x), "+x"(sum), "+x"(more))

INLINE __m256i four_inputs(const int16_t *x)
{
    int64_t four;
    memcpy(&four, x, sizeof four);
    return _mm256_set1_epi64x(four);
}

/* The eight channels' sums; low and high hold two parts of each. */
INLINE void settle_tile(int32_t *sums, __m256i low, __m256i high, int also)
{
    __m256i sum = _mm256_permute4x64_epi64(_mm256_hadd_epi32(low, high), 0xd8);
    store(sums, also ? _mm256_add_epi32(sum, load(sums)) : sum);
}

#define TILE_DECLARE(p) __m256i low##p = _mm256_setzero_si256(), high##p = low##p;
#define TILE_ADD(p) \
    if (P > p) { \
        __m256i four = four_inputs(x + p * row); \
        low##p = _mm256_add_epi32(low##p, _mm256_madd_epi16(four, w0)); \
        high##p = _mm256_add_epi32(high##p, _mm256_madd_epi16(four, w1)); \
        ONE_AFTER_ANOTHER(x, low##p, high##p); \
    }
#define TILE_STEP \
    { \
        __m256i w0 = load(w), w1 = load(w + 16); \
        EACH_POSITION(TILE_ADD) \
        x += 4, w += 4 * QC_K_LANES; \
    }
#define TILE_SETTLE(p) \
    if (P > p) settle_tile(sums + p * sums_step, low##p, high##p, also);

/* sums[p * sums_step + 0..7], added to what is there where `also`, of P positions whose inputs lie `row` apart: a step
 * is four inputs and eight channels' weights for them, w [steps][8][4]. */
INLINE void tile_of(int32_t *sums, size_t sums_step, const int16_t *x, size_t row, const int16_t *w, uint32_t steps,
                    int also, const int P)
{
    EACH_POSITION(TILE_DECLARE)
    for (; steps >= 2; steps -= 2) {
        TILE_STEP
        TILE_STEP
    }
    if (steps) TILE_STEP
    EACH_POSITION(TILE_SETTLE)
}

INLINE void tile(int32_t *sums, size_t sums_step, const int16_t *x, size_t row, const int16_t *w, uint32_t steps,
                 int also, uint32_t positions)
{
#define TILE(P) tile_of(sums, sums_step, x, row, w, steps, also, P)
    WITH_POSITIONS(positions, TILE)
#undef TILE
}

#endif
