/* depthloop.h - the loop of depthwise convolutions, for each kernel set to compile under its own flags. See kernels.h
 * for what it computes. */
#ifndef QC_KERNELS_DEPTHLOOP_H
#define QC_KERNELS_DEPTHLOOP_H

#include <stdint.h>

#include "kernels.h"
#include "mem.h"

/* gcc and clang split it if registers are narrower */
typedef int32_t DepthSums __attribute__((vector_size(QC_K_LANES * sizeof(int32_t))));
/* |x * w| <= 255 * 128 < 2^15 */
typedef int16_t DepthProducts __attribute__((vector_size(QC_K_LANES * sizeof(int16_t))));
typedef uint8_t DepthInputs __attribute__((vector_size(QC_K_LANES)));
typedef int8_t DepthWeights __attribute__((vector_size(QC_K_LANES)));

/* n (a constant at each call) positions at a time: they share the weights. */
static inline __attribute__((always_inline)) void depthwise_positions(int32_t *sums, const uint8_t *x, const int8_t *w,
                                                                      const QcKDot *how, int n)
{
    DepthSums sum[4] = {{0}};
    for (uint32_t s = 0; s < how->segments; s++, w += QC_K_LANES) {
        DepthWeights weights;
        memcpy(&weights, w, sizeof weights);
        DepthProducts wide = __builtin_convertvector(weights, DepthProducts);
        for (int p = 0; p < n; p++) {
            DepthInputs inputs;
            memcpy(&inputs, x + how->segment[s] + (uint32_t)p * how->step, sizeof inputs);
            sum[p] += __builtin_convertvector(__builtin_convertvector(inputs, DepthProducts) * wide, DepthSums);
        }
    }
    memcpy(sums, sum, (uint32_t)n * sizeof *sum);
}

static void depthwise(int32_t *sums, const uint8_t *x, const int8_t *w, const QcKDot *how)
{
    uint32_t t = 0;
    for (; t + 4 <= how->positions; t += 4)
        depthwise_positions(sums + t * QC_K_LANES, x + (size_t)t * how->step, w, how, 4);
    for (; t < how->positions; t++) depthwise_positions(sums + t * QC_K_LANES, x + (size_t)t * how->step, w, how, 1);
}

#endif
