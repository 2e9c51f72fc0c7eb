/* avx512unpack.c - weights of 16 channels as vpdpbusd takes them. */
#include "avx512.h"

INLINE __m512i either_masked(__m512i a, __m512i b, __m512i mask)
{
    return _mm512_ternarylogic_epi32(a, b, mask, 0xa8);
} /* (a | b) & mask */

/* The v-th vector of [16 lanes][4] codes from 32 bits of each lane: the v-th two bytes, or the v-th, are spread over
 * four, and then signed. */
INLINE __m512i spread(__m512i packed, const int bits, const uint32_t v)
{
    if (bits == 8) return packed;
    const int32_t first = bits == 4 ? (int32_t)(0x80018000u + v * 0x00020002u) : (int32_t)(0x80808000u + v);
    const __m128i which =
        _mm_add_epi32(_mm_set1_epi32(first), _mm_setr_epi32(0, bits == 4 ? 0x00040004 : 4, bits == 4 ? 0x00080008 : 8,
                                                            bits == 4 ? 0x000c000c : 12));
    __m512i codes = _mm512_shuffle_epi8(packed, _mm512_broadcast_i32x4(which));
    if (bits == 4) {
        codes = either_masked(codes, _mm512_slli_epi32(codes, 4), _mm512_set1_epi32(0x0f0f0f0f));
        return _mm512_shuffle_epi8(
            _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1)), codes);
    }
    codes = _mm512_or_si512(codes, _mm512_slli_epi32(codes, 12));
    codes = either_masked(codes, _mm512_slli_epi32(codes, 6), _mm512_set1_epi32(0x03030303));
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, -2, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
                               codes);
}

/* Two sums of codes, in turns: each product waits for the one before it. */
typedef struct Total {
    __m512i sum, other;
} Total;

/* Writes `steps` vectors of codes, `next` bytes apart, out of 32 bits of each lane; their sums are added to total. */
INLINE void write_codes(int8_t *w, size_t next, __m512i packed, uint32_t steps, Total *total, uint32_t turn,
                        const int bits)
{
    for (uint32_t v = 0; v < 8u / (uint32_t)bits; v++) {
        if (v == steps) break;
        __m512i codes = spread(packed, bits, v), *sum = (v + turn) % 2 ? &total->other : &total->sum;
        _mm512_store_si512(w + v * next, codes);
        *sum = _mm512_dpbusd_epi32(*sum, _mm512_set1_epi8(1), codes);
    }
}

/* Up to 16 bytes of lanes l, l + 4, l + 8, l + 12 of those that there are. */
INLINE __m512i four_lanes(const uint8_t *at, uint64_t step, uint32_t l, uint32_t lanes, __mmask16 bytes)
{
#define LANE(n) _mm_maskz_loadu_epi8(l + n < lanes ? bytes : 0, at + (l + n < lanes ? l + n : 0) * step)
    __m512i v = _mm512_castsi128_si512(LANE(0));
    v = _mm512_inserti32x4(v, LANE(4), 1);
    v = _mm512_inserti32x4(v, LANE(8), 2);
    return _mm512_inserti32x4(v, LANE(12), 3);
#undef LANE
}

/* The same of all lanes as four vectors of 32 bits of each: a 4 x 4 transposition in each quarter. */
INLINE void sixteen_bytes(__m512i packed[4], const uint8_t *at, uint64_t step, uint32_t lanes, __mmask16 bytes)
{
    __m512i a = four_lanes(at, step, 0, lanes, bytes), b = four_lanes(at, step, 1, lanes, bytes);
    __m512i c = four_lanes(at, step, 2, lanes, bytes), d = four_lanes(at, step, 3, lanes, bytes);
    __m512i ab = _mm512_unpacklo_epi32(a, b), cd = _mm512_unpacklo_epi32(c, d);
    packed[0] = _mm512_unpacklo_epi64(ab, cd);
    packed[1] = _mm512_unpackhi_epi64(ab, cd);
    ab = _mm512_unpackhi_epi32(a, b), cd = _mm512_unpackhi_epi32(c, d);
    packed[2] = _mm512_unpacklo_epi64(ab, cd);
    packed[3] = _mm512_unpackhi_epi64(ab, cd);
}

/* A segment of up to 16 channels whose codes begin and end with whole bytes. */
INLINE void unpack_bytes(int8_t *w, size_t next, const uint8_t *at, uint64_t step, uint32_t lanes, uint32_t length,
                         Total *total, const int bits)
{
    const uint32_t per = 8u / (uint32_t)bits; /* steps in 32 bits */
    uint32_t steps = (length + 3) / 4, left = length * (uint32_t)bits / 8;
    __m512i packed[4];
    if (lanes == QC_512_LANES)
        for (; left >= 16; left -= 16, at += 16, steps -= 4 * per, w += 4 * per * next) {
            sixteen_bytes(packed, at, step, QC_512_LANES, 0xffff);
            for (uint32_t k = 0; k < 4; k++) write_codes(w + k * per * next, next, packed[k], per, total, k, bits);
        }
    for (uint32_t n; left > 0; left -= n, at += n) {
        n = left < 16 ? left : 16;
        sixteen_bytes(packed, at, step, lanes, (__mmask16)((1u << n) - 1));
        for (uint32_t k = 0; k < 4 && steps > 0; k++) {
            uint32_t some = steps < per ? steps : per;
            write_codes(w, next, packed[k], some, total, k, bits);
            w += some * next;
            steps -= some;
        }
    }
}

/* A segment whose codes begin or end anywhere. at: the first one's bit. */
INLINE void unpack_bits(int8_t *w, size_t next, const uint8_t *bytes, uint64_t end, uint64_t at, uint64_t step,
                        uint32_t lanes, uint32_t length, Total *total, const int bits)
{
    const uint32_t per = 32u / (uint32_t)bits; /* codes in 32 bits */
    for (uint32_t i = 0, n; i < length; i += n) {
        int32_t packed[QC_512_LANES] = {0};
        n = length - i < per ? length - i : per;
        for (uint32_t l = 0; l < lanes; l++)
            packed[l] = qc_bits_at(bytes, end, at + i * (uint64_t)bits + l * step, n * (uint32_t)bits);
        write_codes(w, next, _mm512_loadu_si512(packed), (n + 3) / 4, total, i / per, bits);
        w += (n + 3) / 4 * next;
    }
}

INLINE void unpack_lanes(int8_t *w, size_t next, int32_t *sum, const QcKCodes *codes, uint32_t channel, uint32_t lanes,
                         const int bits)
{
    uint32_t steps = (codes->length + 3) / 4;
    uint64_t row = codes->row * (uint64_t)bits, length = codes->length * (uint64_t)bits,
             at = codes->first * (uint64_t)bits + channel * row;
    uint64_t last = codes->first + (codes->channels - 1) * (uint64_t)codes->row + codes->segments * codes->length,
             end = (last * (uint32_t)bits + 7) / 8;
    Total total = {_mm512_setzero_si512(), _mm512_setzero_si512()};
    for (uint32_t s = 0; s < codes->segments; s++, at += length, w += steps * next) {
        if ((at | row | length) % 8 == 0)
            unpack_bytes(w, next, codes->bytes + at / 8, row / 8, lanes, codes->length, &total, bits);
        else unpack_bits(w, next, codes->bytes, end, at, row, lanes, codes->length, &total, bits);
    }
    _mm512_storeu_si512(sum, _mm512_add_epi32(total.sum, total.other));
}

void qc_avx512_unpack(int8_t *w, size_t next, int32_t sum[QC_512_LANES], const QcKCodes *codes, uint32_t channel,
                      uint32_t lanes)
{
    if (codes->bits == 2) unpack_lanes(w, next, sum, codes, channel, lanes, 2);
    else if (codes->bits == 4) unpack_lanes(w, next, sum, codes, channel, lanes, 4);
    else unpack_lanes(w, next, sum, codes, channel, lanes, 8);
}
