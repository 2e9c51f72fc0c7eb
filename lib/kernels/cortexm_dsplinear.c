/* cortexm_dsplinear.c - dense layers on Cortex-M4, M7 and M33, straight from packed codes: two rows share their inputs,
 * which are widened to pairs of 16 bits once. */
#include "cortexm_dsp.h"

#if defined __ARM_FEATURE_DSP && __ARM_ARCH_PROFILE == 'M'

#include "cortexm_dspconv.h"

/* Inputs in the order in which a word of codes gives them: the k-th pair of a word is the codes k and k + half a
 * word's, of 8 bits 0, 2 and 1, 3. Returns their sum. */
static int32_t widen_linear(uint32_t *to, const uint8_t *x, uint32_t n, int32_t zero_in, uint32_t bits)
{
    const uint32_t less = (uint32_t)-zero_in << 16 | ((uint32_t)-zero_in & 0xffffu), half = 16 / bits,
                   ones = 0x00010001u;
    int32_t sum = 0;
    for (uint32_t i = 0; i < n; i += 2 * half, x += 2 * half) {
        if (bits == 8) {
            uint32_t four = dsp_load(x);
            *to++ = dsp_uxtab16(less, four), *to++ = dsp_uxtab16_odd(less, four);
            continue;
        }
        for (uint32_t k = 0; k < half; k += 4, to += 4) {
            uint32_t a = dsp_load(x + k), b = dsp_load(x + half + k);
            uint32_t even = dsp_uxtab16(less, a), odd = dsp_uxtab16_odd(less, a), even_b = dsp_uxtab16(less, b),
                     odd_b = dsp_uxtab16_odd(less, b);
            to[0] = dsp_lower_halves(even, even_b);
            to[1] = dsp_lower_halves(odd, odd_b);
            to[2] = dsp_upper_halves(even, even_b);
            to[3] = dsp_upper_halves(odd, odd_b);
            sum = dsp_smlad(even, ones, dsp_smlad(odd, ones, dsp_smlad(even_b, ones, dsp_smlad(odd_b, ones, sum))));
        }
    }
    return sum;
}

/* Two words of inputs by the words of two rows: 8 bits, then a pair of smaller codes. */
#define EIGHTS(P, A)                                                                                  \
    "sxtb16 %[t], %[" P "]\n\tsxtb16 %[" P "], %[" P "], ror #8\n\tsmlad %[" A "], %[xa], %[t], %[" A \
    "]\n\tsmlad %[" A "], %[xb], %[" P "], %[" A "]\n\t"
#define TWO(P, A, FROM, TO)                                                                                          \
    "and %[t], %[mask], %[" P "], lsr #" FROM "\n\tsmlad %[" A "], %[xa], %[t], %[" A "]\n\tand %[t], %[mask], %[" P \
    "], lsr #" TO "\n\tsmlad %[" A "], %[xb], %[t], %[" A "]\n\t"
#define INPUTS "ldrd %[xa], %[xb], [%[x]], #8\n\t"
#define MULTIPLY_WORDS(TEXT)                                                                            \
    __asm__ volatile(TEXT                                                                               \
                     : [a] "+r"(a), [b] "+r"(b), [x] "+r"(x), [p] "+r"(p), [q] "+r"(q), [xa] "=&r"(xa), \
                       [xb] "=&r"(xb), [t] "=&r"(t)                                                     \
                     : [mask] "r"(mask)                                                                 \
                     : "memory")

/* Two rows of n codes, whole words. Of 4 and 2 bits the codes count 2^(bits-1) too much. is_even: the rows begin with
 * bytes. */
DSP_INLINE void multiply_rows(int32_t sum[2], const uint32_t *x, const QcKCodes *c, uint32_t j0, uint32_t j1,
                              uint32_t n, uint32_t bits, int is_even)
{
    const uint32_t in_byte = 8 / bits, at0 = is_even ? 0 : j0 % in_byte * bits, at1 = is_even ? 0 : j1 % in_byte * bits;
    const uint32_t mask = bits == 4 ? 0x000f000fu : 0x00030003u, sign = bits == 4 ? 0x88888888u : 0xaaaaaaaau;
    const uint8_t *w0 = c->bytes + j0 / in_byte, *w1 = c->bytes + j1 / in_byte;
    int32_t a = sum[0], b = sum[1];
#pragma GCC unroll 4
    for (const uint8_t *end = w0 + n / in_byte; w0 < end; w0 += 4, w1 += 4) {
        uint32_t p = dsp_load_bits(w0, at0), q = dsp_load_bits(w1, at1), xa, xb, t;
        if (bits < 8) p ^= sign, q ^= sign;
        if (bits == 8)
            MULTIPLY_WORDS(INPUTS EIGHTS("p", "a") EIGHTS("q", "b"));
        else if (bits == 4)
            MULTIPLY_WORDS(INPUTS "and %[t], %[mask], %[p]\n\tsmlad %[a], %[xa], %[t], %[a]\n\tand %[t], %[mask], "
                                  "%[p], lsr #4\n\tsmlad %[a], %[xb], %[t], %[a]\n\t"
                                  "and %[t], %[mask], %[q]\n\tsmlad %[b], %[xa], %[t], %[b]\n\tand %[t], %[mask], "
                                  "%[q], lsr #4\n\tsmlad %[b], %[xb], %[t], %[b]\n\t" INPUTS TWO("p", "a", "8", "12")
                                      TWO("q", "b", "8", "12"));
        else
            MULTIPLY_WORDS(INPUTS "and %[t], %[mask], %[p]\n\tsmlad %[a], %[xa], %[t], %[a]\n\tand %[t], %[mask], "
                                  "%[p], lsr #2\n\tsmlad %[a], %[xb], %[t], %[a]\n\t"
                                  "and %[t], %[mask], %[q]\n\tsmlad %[b], %[xa], %[t], %[b]\n\tand %[t], %[mask], "
                                  "%[q], lsr #2\n\tsmlad %[b], %[xb], %[t], %[b]\n\t" INPUTS TWO("p", "a", "4", "6")
                                      TWO("q", "b", "4", "6") INPUTS TWO("p", "a", "8", "10") TWO("q", "b", "8", "10")
                                          INPUTS TWO("p", "a", "12", "14") TWO("q", "b", "12", "14"));
    }
    sum[0] = a, sum[1] = b;
}

DSP_INLINE void linear_rows(int32_t sum[2], const uint32_t *x, const QcKCodes *c, uint32_t j0, uint32_t j1, uint32_t n,
                            uint32_t bits)
{
    if (bits == 8 || (j0 | j1) % (8 / bits) == 0)
        multiply_rows(sum, x, c, j0, j1, n, bits, 1);
    else
        multiply_rows(sum, x, c, j0, j1, n, bits, 0);
}

int qc_dsp_linear(int32_t *sums, const QcKConv *how)
{
    const QcKCodes *c = &how->codes;
    const uint32_t bits = (uint32_t)c->bits, length = c->segments * c->length, whole = length & ~(32 / bits - 1);
    if (length * (c->segments > 1 ? 3 : 2) + 4 > how->scratch_bytes) return 0;
    uint32_t *wide = how->scratch;
    const uint8_t *x = how->x + how->segment[0];
    if (c->segments > 1) {
        uint8_t *bytes = (uint8_t *)(wide + (length + 1) / 2);
        for (uint32_t s = 0; s < c->segments; s++) dsp_copy(bytes + s * c->length, how->x + how->segment[s], c->length);
        x = bytes;
    }
    const int32_t more = widen_linear(wide, x, whole, how->zero_in, bits) << (bits - 1);
    for (uint32_t o = 0; o < c->channels; o += 2) {
        uint32_t other = o + 1 < c->channels ? o + 1 : o, j0 = c->first + o * c->row, j1 = c->first + other * c->row;
        int32_t sum[2] = {0, 0};
        if (bits == 8)
            linear_rows(sum, wide, c, j0, j1, whole, 8);
        else if (bits == 4)
            linear_rows(sum, wide, c, j0, j1, whole, 4);
        else
            linear_rows(sum, wide, c, j0, j1, whole, 2);
        if (bits < 8) sum[0] -= more, sum[1] -= more;
        for (uint32_t k = 0; k < 2 && whole < length; k++) {
            uint32_t j = k ? j1 : j0, word = dsp_load_last(c->bytes, j + whole, length - whole, bits);
            for (uint32_t i = whole; i < length; i++, word >>= bits)
                sum[k] += (x[i] - how->zero_in) * ((int32_t)(word << (32 - bits)) >> (32 - bits));
        }
        sums[other] = sum[1];
        sums[o] = sum[0];
    }
    return 1;
}

#endif
