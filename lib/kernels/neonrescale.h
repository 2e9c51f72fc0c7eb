/* neonrescale.h - turns eight int32 sums at a time into codes, for the files of the NEON sets. */
#ifndef QC_KERNELS_NEONRESCALE_H
#define QC_KERNELS_NEONRESCALE_H

#include <arm_neon.h>

#define INLINE static inline __attribute__((always_inline))

/* A rounding shift computes (product + 2^(shift-1)) >> shift. A result beyond 32 bits is also beyond every clamp. */
INLINE int32x4_t settle(int64x2_t a, int64x2_t b, int64x2_t shift_a, int64x2_t shift_b)
{
    return vcombine_s32(vqmovn_s64(vrshlq_s64(a, shift_a)), vqmovn_s64(vrshlq_s64(b, shift_b)));
}

typedef struct Range {
    int32x4_t zero, least, most; /* least, most: of codes minus zero */
} Range;

INLINE Range range_of(int32_t zero, int32_t low, int32_t high)
{
    return (Range){vdupq_n_s32(zero), vdupq_n_s32(low - zero), vdupq_n_s32(high - zero)};
}

INLINE void store_eight(uint8_t *out, int32x4_t a, int32x4_t b, const Range *r)
{
    a = vaddq_s32(vminq_s32(vmaxq_s32(a, r->least), r->most), r->zero); /* clamped first, so that the sum cannot wrap */
    b = vaddq_s32(vminq_s32(vmaxq_s32(b, r->least), r->most), r->zero);
    uint16x8_t words = vcombine_u16(vmovn_u32(vreinterpretq_u32_s32(a)), vmovn_u32(vreinterpretq_u32_s32(b)));
    vst1_u8(out, vmovn_u16(words));
}

/* Bias, multiplier and shift of eight channels. `rescaled` adds the bias; `settled` takes sums that have it already. */
typedef struct Rescale {
    int32x4_t bias[2], multiplier[2];
    int64x2_t shift[4]; /* negative */
} Rescale;

static inline Rescale rescale_init(const int32_t *bias, const int32_t *multiplier, const uint8_t *shift)
{
    Rescale r = {{vld1q_s32(bias), vld1q_s32(bias + 4)}, {vld1q_s32(multiplier), vld1q_s32(multiplier + 4)}, {{0}}};
    for (int k = 0; k < 4; k++)
        r.shift[k] = vcombine_s64(vdup_n_s64(-(int64_t)shift[2 * k]), vdup_n_s64(-(int64_t)shift[2 * k + 1]));
    return r;
}

/* Sums of the first or the last four channels (half: 0 or 1), with their biases. */
INLINE int32x4_t settled(const Rescale *r, int half, int32x4_t v)
{
    const int32x4_t m = r->multiplier[half];
    return settle(vmull_s32(vget_low_s32(v), vget_low_s32(m)), vmull_s32(vget_high_s32(v), vget_high_s32(m)),
                  r->shift[2 * half], r->shift[2 * half + 1]);
}

INLINE int32x4_t rescaled(const Rescale *r, int half, int32x4_t sums)
{
    return settled(r, half, vaddq_s32(sums, r->bias[half]));
}

#endif
