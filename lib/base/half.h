/* half.h - the two 16-bit floats that files of other tools hold: IEEE 754 binary16 and bfloat16, as float. Every value
 * is exact. */
#ifndef QC_BASE_HALF_H
#define QC_BASE_HALF_H

#include <stdint.h>

static inline float qc_float_of_bfloat(uint16_t bits)
{
    union { uint32_t u; float f; } v = {.u = (uint32_t)bits << 16};
    return v.f;
}

static inline float qc_float_of_half(uint16_t bits)
{
    uint32_t sign = (uint32_t)(bits >> 15) << 31, exponent = bits >> 10 & 31u, fraction = bits & 1023u;
    union { uint32_t u; float f; } v;
    if (exponent == 0) { /* zero and the subnormals: fraction x 2^-24 */
        v.f = (float)fraction * 0x1p-24f;
        v.u |= sign;
    } else {
        v.u = sign | (exponent == 31 ? 255u : exponent + 112u) << 23 | fraction << 13;
    }
    return v.f;
}

#endif
