/* avx2rescale.h - eight sums at a time to rescaled ones, for the files of the x86 sets. */
#ifndef QC_KERNELS_AVX2RESCALE_H
#define QC_KERNELS_AVX2RESCALE_H

#include <immintrin.h>
#include <stdint.h>

#define RESCALE_INLINE static inline __attribute__((always_inline))

/* Even lanes' low halves and odd lanes' low halves, back in order. */
RESCALE_INLINE __m256i interleave(__m256i even, __m256i odd)
{
    return _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
}

/* Eight channels whose shifts are all >= 31, so that the shifted product fits 32 bits. */
typedef struct Rescale {
    __m256i bias, m, m_odd;
    __m256i shift, shift_odd, add, add_odd; /* 64 bits: the add is half and 2^62, a multiple of 2^shift, as AVX2 shifts
                                               right logically only */
    __m256i less;                           /* what 2^62 has become */
} Rescale;

static inline Rescale rescale_init(const int32_t *bias, const int32_t *multiplier, const uint8_t *shift)
{
    const __m256i one = _mm256_set1_epi64x(1), lift = _mm256_set1_epi64x((int64_t)1 << 62);
    __m256i shifts = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)shift));
    Rescale r = {.bias = _mm256_loadu_si256((const void *)bias), .m = _mm256_loadu_si256((const void *)multiplier)};
    r.m_odd = _mm256_srli_epi64(r.m, 32);
    r.shift = _mm256_and_si256(shifts, _mm256_set1_epi64x(0xffffffff));
    r.shift_odd = _mm256_srli_epi64(shifts, 32);
    r.add = _mm256_add_epi64(lift, _mm256_sllv_epi64(one, _mm256_sub_epi64(r.shift, one)));
    r.add_odd = _mm256_add_epi64(lift, _mm256_sllv_epi64(one, _mm256_sub_epi64(r.shift_odd, one)));
    r.less = interleave(_mm256_srlv_epi64(lift, r.shift), _mm256_srlv_epi64(lift, r.shift_odd));
    return r;
}

RESCALE_INLINE __m256i rescaled(const Rescale *r, __m256i sums)
{
    __m256i v = _mm256_add_epi32(sums, r->bias);
    __m256i even = _mm256_srlv_epi64(_mm256_add_epi64(_mm256_mul_epi32(v, r->m), r->add), r->shift);
    __m256i odd = _mm256_srlv_epi64(_mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(v, 32), r->m_odd), r->add_odd),
                                    r->shift_odd);
    return _mm256_sub_epi32(interleave(even, odd), r->less);
}

#endif
