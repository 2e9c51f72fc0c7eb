/* neondot.c - dot products on 64-bit ARM processors that have SDOT (ARMv8.2 dotprod), which adds four products of
 * signed bytes in 32 bits. x - 128 is signed; 128 times the sum of the weights is added again, by the same
 * instruction. */
#include "neon.h"

#include <arm_neon.h>

#include "depthloop.h"
#include "floatloops.h"
#include "momentloop.h"

#define INLINE static inline __attribute__((always_inline))

/* One step of four bytes of x (lane `L` of xs) in B blocks at P positions. */
#define STEP(L)                                                                                                       \
    for (int b = 0; b < B; b++) {                                                                                     \
        int8x16_t low = vld1q_s8(w + b * block), high = vld1q_s8(w + b * block + 16);                                 \
        for (int p = 0; p < P; p++) {                                                                                 \
            sum[p][2 * b] = vdotq_laneq_s32(sum[p][2 * b], low, xs[p], L);                                            \
            sum[p][2 * b + 1] = vdotq_laneq_s32(sum[p][2 * b + 1], high, xs[p], L);                                   \
        }                                                                                                             \
    }                                                                                                                 \
    w += 4 * QC_K_LANES

/* B blocks of channels at P positions, both constants at each call. Reads up to 12 bytes of x beyond a run. */
INLINE void dot_tile(int32_t *acc, const uint8_t *x, const int8_t *w, const int32x4_t *offset, const QcKDot *how,
                     const int B, const int P)
{
    size_t block = (size_t)how->segments * how->run * QC_K_LANES;
    int32x4_t sum[4][4];
    int8x16_t xs[4];
    for (int p = 0; p < P; p++)
        for (int k = 0; k < 2 * B; k++) sum[p][k] = offset[k];
    for (uint32_t s = 0; s < how->segments; s++) {
        const uint8_t *from = x + how->segment[s];
        for (uint32_t left = how->run / 4; left > 0; from += 16) {
            for (int p = 0; p < P; p++)
                xs[p] = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(from + (size_t)p * how->step), vdupq_n_u8(0x80)));
            STEP(0);
            if (--left == 0) break;
            STEP(1);
            if (--left == 0) break;
            STEP(2);
            if (--left == 0) break;
            STEP(3);
            left--;
        }
    }
    for (int p = 0; p < P; p++)
        for (int k = 0; k < 2 * B; k++) vst1q_s32(acc + (size_t)p * how->blocks * QC_K_LANES + 4 * k, sum[p][k]);
}

static void sum_weights(int32x4_t *offset, const int8_t *w, uint32_t steps)
{
    offset[0] = offset[1] = vdupq_n_s32(0);
    for (; steps > 0; steps--, w += 4 * QC_K_LANES) {
        offset[0] = vdotq_s32(offset[0], vld1q_s8(w), vdupq_n_s8(1));
        offset[1] = vdotq_s32(offset[1], vld1q_s8(w + 16), vdupq_n_s8(1));
    }
    offset[0] = vshlq_n_s32(offset[0], 7);
    offset[1] = vshlq_n_s32(offset[1], 7);
}

INLINE void dot_blocks(int32_t *acc, const uint8_t *x, const int8_t *w, const QcKDot *how, const int B)
{
    uint32_t steps = how->segments * (how->run / 4), t = 0;
    size_t acc_step = (size_t)how->blocks * QC_K_LANES;
    int32x4_t offset[4];
    for (int b = 0; b < B; b++) sum_weights(offset + 2 * b, w + (size_t)b * steps * 4 * QC_K_LANES, steps);
    for (; t + 4 <= how->positions; t += 4)
        dot_tile(acc + t * acc_step, x + (size_t)t * how->step, w, offset, how, B, 4);
    for (; t < how->positions; t++) dot_tile(acc + t * acc_step, x + (size_t)t * how->step, w, offset, how, B, 1);
}

static void dot(int32_t *acc, const uint8_t *x, const int8_t *w, const QcKDot *how, int bits)
{
    (void)bits;
    size_t block = (size_t)how->segments * how->run * QC_K_LANES;
    uint32_t b = 0;
    if (!how->positions) return;
    for (; b + 2 <= how->blocks; b += 2) dot_blocks(acc + b * QC_K_LANES, x, w + b * block, how, 2);
    if (b < how->blocks) dot_blocks(acc + b * QC_K_LANES, x, w + b * block, how, 1);
}

const QcKernels qc_kernels_neondot = {
    "neondot",        qc_neon_unpack, dot,  depthwise, qc_neon_rescale,   qc_neon_add, qc_neon_masked_sum,
    qc_neon_max_rows, dense,          fold, add_outer, multiply_triangle, add_scaled,  dot_floats,
    dot_codes,        NULL,           NULL, qc_neon_depthwise, moments};
