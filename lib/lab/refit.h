/* refit.h - one output channel's codes by least squares: coordinate descent on the integers themselves.
 *
 * E(v) = sum_i u_i (s x_i v + b - y_i)^2 + h sum_j (v_j - start_j)^2,  v_j whole, low <= v_j <= high
 *
 * E is a parabola in each code, so the best whole step of one code is the rounded real one, and no step ever raises E.
 */
#ifndef QC_LAB_REFIT_H
#define QC_LAB_REFIT_H

#include <stdint.h>

typedef struct QcRefit {
    uint32_t n, k;        /* examples, codes */
    const float *x;       /* [k][n] what each code is multiplied with */
    const float *square;  /* [k] sum over i of u x^2 */
    const float *weight;  /* [n] u */
    float scale, hold;    /* s > 0, h >= 0 */
    int32_t low, high;
} QcRefit;

/* residual [n]: s x v + b - y of the codes as they are, kept up to date; code [k], start [k]. Goes over all codes up to
 * `sweeps` times, until none moves. Returns how often one moved. */
uint32_t qc_refit_codes(const QcRefit *r, float *residual, int32_t *code, const int32_t *start, uint32_t sweeps);

#endif
