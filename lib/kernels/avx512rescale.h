/* avx512rescale.h - turns sixteen int32 sums at a time into codes, for the files of the AVX-512 set. */
#ifndef QC_KERNELS_AVX512RESCALE_H
#define QC_KERNELS_AVX512RESCALE_H

#include "avx512.h"

/* code = (sum * m + add) >> shift in 64 bits, with add = bias * m + 2^(shift - 1). Even channels (m, add, shift) and
 * odd channels have vectors of their own. */
typedef struct Rescale {
    __m512i m, m_odd, add, add_odd;
    __m512i shift, shift_odd; /* shift_odd is shift minus 32: the result is then in the upper half */
} Rescale;

INLINE __m512i odd(__m512i v) { return _mm512_srli_epi64(v, 32); }

INLINE Rescale rescale_init(__m512i bias, __m512i multiplier, __m512i shift)
{
    const __m512i one = _mm512_set1_epi64(1);
    Rescale r = {.m = multiplier,
                 .m_odd = odd(multiplier),
                 .shift = _mm512_and_si512(shift, _mm512_set1_epi64(0xffffffff)),
                 .shift_odd = odd(shift)};
    r.add = _mm512_add_epi64(_mm512_mul_epi32(bias, r.m), _mm512_sllv_epi64(one, _mm512_sub_epi64(r.shift, one)));
    r.add_odd = _mm512_add_epi64(_mm512_mul_epi32(odd(bias), r.m_odd),
                                 _mm512_sllv_epi64(one, _mm512_sub_epi64(r.shift_odd, one)));
    r.shift_odd = _mm512_sub_epi64(r.shift_odd, _mm512_set1_epi64(32));
    return r;
}

INLINE __m512i rescaled(__m512i sum, const Rescale *r)
{
    __m512i q = _mm512_srav_epi64(_mm512_add_epi64(_mm512_mul_epi32(sum, r->m), r->add), r->shift);
    __m512i other = _mm512_srav_epi64(_mm512_add_epi64(_mm512_mul_epi32(odd(sum), r->m_odd), r->add_odd), r->shift_odd);
    return _mm512_mask_blend_epi32(0xaaaa, q, other);
}

typedef struct Clamp {
    __m512i zero, low, high; /* 16, 8 and 8 bits */
} Clamp;

/* Four vectors as bytes, with zero added and clamped. The 16 bytes of a 128-bit lane are the lane's four sums of a,
 * then of b, c and d. Packing saturates, which changes only values that are clamped anyway. */
INLINE __m512i packed_lanes(__m512i a, __m512i b, __m512i c, __m512i d, const Clamp *to)
{
    __m512i ab = _mm512_adds_epi16(_mm512_packs_epi32(a, b), to->zero),
            cd = _mm512_adds_epi16(_mm512_packs_epi32(c, d), to->zero);
    return _mm512_min_epu8(_mm512_max_epu8(_mm512_packus_epi16(ab, cd), to->low), to->high);
}

/* The same, with the sums of each vector side by side. */
INLINE __m512i packed_four(__m512i a, __m512i b, __m512i c, __m512i d, const Clamp *to)
{
    return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
                                    packed_lanes(a, b, c, d, to));
}

INLINE Clamp clamp_of(const QcKConv *how)
{
    return (Clamp){_mm512_set1_epi16((int16_t)how->zero), _mm512_set1_epi8((char)how->low),
                   _mm512_set1_epi8((char)how->high)};
}

#endif
