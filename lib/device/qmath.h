/* qmath.h - ln, exp, sqrt and rounding for the device: only + - * / on floats in a fixed order, so that every processor
 * makes the same bits.
 *
 * Needs IEEE 754 single precision without contraction (-ffp-contract=off). Relative error below 3e-7 over the ranges
 * that calibration uses; tests hold them against libm.
 */
#ifndef QC_DEVICE_QMATH_H
#define QC_DEVICE_QMATH_H

#include <stdint.h>

#if defined __FAST_MATH__ || (defined __FLT_EVAL_METHOD__ && __FLT_EVAL_METHOD__ != 0)
#error "floats must be single precision as written: no -ffast-math, no wider registers"
#endif

static inline uint32_t qc_float_bits(float x)
{
    union { float f; uint32_t u; } v = {.f = x};
    return v.u;
}

static inline float qc_bits_float(uint32_t u)
{
    union { uint32_t u; float f; } v = {.u = u};
    return v.f;
}

static inline float qc_abs(float x) { return x < 0 ? -x : x; }
static inline float qc_least(float a, float b) { return a < b ? a : b; }
static inline float qc_most(float a, float b) { return a > b ? a : b; }

/* Natural logarithm of a normal x > 0. x = 2^k m with m in [sqrt(1/2), sqrt(2)); ln m = 2 artanh((m-1)/(m+1)) by its
 * series. */
static inline float qc_ln(float x)
{
    uint32_t bits = qc_float_bits(x);
    int32_t k = (int32_t)(bits - 0x3f3504f3u) >> 23;
    float m = qc_bits_float(bits - ((uint32_t)k << 23));
    float s = (m - 1.0f) / (m + 1.0f), t = s * s;
    float series = 0.66666666f + t * (0.4f + t * (0.28571429f + t * (0.22222222f + t * 0.18181818f)));
    return (float)k * 0.69314718f + (2.0f * s + s * t * series);
}

/* e^x, 0 below -87, e^87 above 87. x = k ln 2 + r, |r| <= ln 2 / 2; Taylor series of degree 7. */
static inline float qc_exp(float x)
{
    if (x < -87.0f) return 0.0f;
    if (x > 87.0f) x = 87.0f;
    int32_t k = (int32_t)(x * 1.44269504f + (x < 0 ? -0.5f : 0.5f));
    float r = (x - (float)k * 0.693359375f) + (float)k * 2.12194440e-4f;
    float p = 1.0f + r * (1.0f / 7);
    p = 1.0f + r * (1.0f / 6) * p;
    p = 1.0f + r * 0.2f * p;
    p = 1.0f + r * 0.25f * p;
    p = 1.0f + r * (1.0f / 3) * p;
    p = 1.0f + r * 0.5f * p;
    p = 1.0f + r * p;
    return p * qc_bits_float((uint32_t)(k + 127) << 23);
}

/* Square root of x >= 0 (0 for anything below 1e-30): Newton's iteration, which needs no square-root instruction. */
static inline float qc_sqrt(float x)
{
    if (!(x > 1e-30f)) return 0.0f;
    float y = qc_bits_float((qc_float_bits(x) >> 1) + 0x1fbd1df5u);
    for (int i = 0; i < 4; i++) y = 0.5f * (y + x / y);
    return y;
}

#endif
