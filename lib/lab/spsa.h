/* spsa.h - simultaneous perturbation: a gradient's estimate from two losses, however many parameters there are (Spall,
 * 1992).
 *
 *   g = (L(theta + c d) - L(theta - c d)) / (2 c) d,   d_i = +1 or -1, fair and independent
 *
 * E[g] is the gradient up to O(c^2), and exactly where L is quadratic.
 */
#ifndef QC_LAB_SPSA_H
#define QC_LAB_SPSA_H

#include "../base/rng.h"

/* The loss at theta [n]. */
typedef double (*QcLossAt)(void *ctx, const float *theta);

/* Moves d into direction [n] (+1, -1) and returns the slope along it: the estimate is slope * direction. theta [n] is
 * as before when it returns; room [n]: scratch. */
double qc_spsa_slope(float *direction, float *room, const float *theta, uint32_t n, double c, QcLossAt loss, void *ctx,
                     QcRng *rng);

#endif
