/* scale.h - scales and rounding: weights symmetric per output channel, activations per tensor, both by a grid search on
 * squared error.
 *
 * A code of b bits lies in [-2^(b-1), 2^(b-1) - 1] and stands for scale * code (qc-method(7)).
 */
#ifndef QC_QUANT_SCALE_H
#define QC_QUANT_SCALE_H

#include <stdint.h>

#include "../nn/graph.h"

static inline int32_t qc_code_low(int bits) { return -(1 << (bits - 1)); }
static inline int32_t qc_code_high(int bits) { return (1 << (bits - 1)) - 1; }

/* clamp(round-half-away(w / scale)) */
int32_t qc_scale_to_code(float w, float scale, int bits);

/* The scale > 0 of one output channel's n weights (all zero: 1) that loses least: of 80 candidates up to the one that
 * clips nothing. */
float qc_scale_of_weights(const float *w, uint32_t n, int bits);

/* How a tensor's values become unsigned codes: scale > 0 and zero point (0 if no value is negative, else 2^(bits-1)).
 * Grid search over fractions of the scale that clips nothing; values [n] are real activations. */
void qc_scale_of_values(float *scale, uint32_t *zero, const float *values, uint64_t n, int bits);

/* Puts every CONV's and LINEAR's weights in g on the b-bit grid: weights = scale * code. Batch norm needs no folding
 * for this: it scales whole output channels, as the grid does. Parameters as they were are copied to `saved`
 * [g->n_params] unless NULL. */
void qc_snap_weights(QcGraph *g, int bits, float *saved);

/* real = multiplier * 2^-shift, multiplier in [2^30, 2^31) where it fits, shift 1..62. -1: real is not in (0, 2^30). */
int qc_fixed_point(int32_t *multiplier, uint8_t *shift, double real);

#endif
