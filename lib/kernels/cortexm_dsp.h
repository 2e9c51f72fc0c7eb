/* cortexm_dsp.h - the instructions for pairs of 16-bit halves that Cortex-M4, M7 and M33 have, by their names in the
 * ARM manuals, and packed weights as such pairs.
 *
 * Four values v0 .. v3 are two words, {v0, v2} and {v1, v3} (lower half first): UXTB16 and SXTB16 make them of four
 * bytes, and SMLAD multiplies and adds a word by a word.
 */
#ifndef QC_KERNELS_CORTEXM_DSP_H
#define QC_KERNELS_CORTEXM_DSP_H

#include "kernels.h"

#define DSP_INLINE static inline __attribute__((always_inline))

typedef uint32_t DspWord __attribute__((may_alias, aligned(1)));  /* anywhere: these cores load and store words at any
                                                                     address */
typedef uint16_t DspShort __attribute__((may_alias, aligned(1)));

DSP_INLINE uint32_t dsp_load(const void *from) { return *(const DspWord *)from; }

#define DSP_UNARY(name, text) \
    DSP_INLINE uint32_t name(uint32_t a) \
    { \
        uint32_t r; \
        __asm__(text : "=r"(r) : "r"(a)); \
        return r; \
    }
#define DSP_BINARY(name, text) \
    DSP_INLINE uint32_t name(uint32_t a, uint32_t b) \
    { \
        uint32_t r; \
        __asm__(text : "=r"(r) : "r"(a), "r"(b)); \
        return r; \
    }
#define DSP_ADDING(name, text) \
    DSP_INLINE int32_t name(uint32_t a, uint32_t b, int32_t c) \
    { \
        int32_t r; \
        __asm__(text : "=r"(r) : "r"(a), "r"(b), "r"(c)); \
        return r; \
    }

DSP_UNARY(dsp_uxtb16, "uxtb16 %0, %1")                   /* {a0, a2} */
DSP_UNARY(dsp_uxtb16_odd, "uxtb16 %0, %1, ror #8")       /* {a1, a3} */
DSP_UNARY(dsp_sxtb16, "sxtb16 %0, %1")
DSP_UNARY(dsp_sxtb16_odd, "sxtb16 %0, %1, ror #8")
DSP_BINARY(dsp_uxtab16, "uxtab16 %0, %1, %2")            /* a + {b0, b2}, half by half */
DSP_BINARY(dsp_uxtab16_odd, "uxtab16 %0, %1, %2, ror #8")
DSP_BINARY(dsp_ssub16, "ssub16 %0, %1, %2")
DSP_BINARY(dsp_lower_halves, "pkhbt %0, %1, %2, lsl #16")  /* {lower a, lower b} */
DSP_BINARY(dsp_upper_halves, "pkhtb %0, %2, %1, asr #16")  /* {upper a, upper b} */
DSP_BINARY(dsp_lower_lsl8, "pkhbt %0, %1, %2, lsl #8")     /* {lower a, upper b << 8} */
DSP_BINARY(dsp_lower_lsl12, "pkhbt %0, %1, %2, lsl #12")
DSP_ADDING(dsp_smlad, "smlad %0, %1, %2, %3")            /* c + both products of halves */
DSP_ADDING(dsp_smmla, "smmla %0, %1, %2, %3")            /* c + the upper word of a * b */

DSP_INLINE uint32_t dsp_larger_bytes(uint32_t a, uint32_t b)
{
    uint32_t r;
    __asm__("usub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(r) : "r"(a), "r"(b));
    return r;
}

DSP_INLINE uint32_t dsp_smaller_bytes(uint32_t a, uint32_t b)
{
    uint32_t r;
    __asm__("usub8 %0, %1, %2\n\tsel %0, %2, %1" : "=&r"(r) : "r"(a), "r"(b));
    return r;
}

DSP_INLINE uint32_t dsp_usat8(int32_t a)
{
    uint32_t r;
    __asm__("usat %0, #8, %1" : "=r"(r) : "r"(a));
    return r;
}

static inline void dsp_copy(uint8_t *to, const uint8_t *from, uint32_t n)
{
    for (; n >= 4; n -= 4, to += 4, from += 4) *(DspWord *)to = dsp_load(from);
    while (n--) *to++ = *from++;
}

/* Codes of 4 or 2 bits, the words of which may begin anywhere in a byte: all the bits of a word lie in the bytes that
 * its codes lie in. */
DSP_INLINE uint32_t dsp_load_bits(const uint8_t *from, uint32_t at)
{
    uint32_t word = dsp_load(from);
    return at ? word >> at | (uint32_t)from[4] << (32 - at) : word;
}

/* The last n codes, fewer than a word's, from code j on; zeros after them. */
static inline uint32_t dsp_load_last(const uint8_t *bytes, uint32_t j, uint32_t n, uint32_t bits)
{
    uint32_t word = 0, mask = (1u << bits) - 1;
    for (uint32_t k = 0; k < n; k++, j++) word |= (bytes[j / (8 / bits)] >> j % (8 / bits) * bits & mask) << k * bits;
    return word;
}

#endif
