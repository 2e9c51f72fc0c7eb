/* ridge.h - ridge regression from its normal equations, one example at a time.
 *
 * The weights W that minimize  sum_i u_i |y_i - W (x_i, 1)|^2 + lambda t |W|^2  solve  (A + lambda t I) W' = B  with A
 * = sum u x x', B = sum u x y' and t the mean of A's diagonal (Hoerl and Kennard, 1970). A and B take an example in, or
 * forget, without seeing old ones again: this is recursive least squares in its information form (the same W as the
 * form that keeps A's inverse), and it needs one Cholesky decomposition whenever W is asked for.
 */
#ifndef QC_LAB_RIDGE_H
#define QC_LAB_RIDGE_H

#include <stdint.h>

typedef struct QcRidge {
    uint32_t n, m; /* inputs, the constant 1 included; outputs */
    double *a;     /* [n][n], lower triangle */
    double *b;     /* [m][n] */
} QcRidge;

uint64_t qc_ridge_doubles(uint32_t n, uint32_t m); /* that a and b take together */
void qc_ridge_place(QcRidge *r, uint32_t n, uint32_t m, double *memory);
void qc_ridge_clear(QcRidge *r);
void qc_ridge_scale(QcRidge *r, double factor); /* forget */

/* x [n-1], the target one in output `label` and zero in the others. */
void qc_ridge_add(QcRidge *r, const float *x, uint32_t label, double weight);
void qc_ridge_add_targets(QcRidge *r, const float *x, const float *y, double weight); /* y [m] */
void qc_ridge_join(QcRidge *r, const QcRidge *other, double weight); /* all that `other` has seen */

/* w [m][n]: weights, then the constant's. Destroys what r has seen (make it of a copy); returns -1 if A + lambda t I
 * is not positive definite: w is then untouched. */
int qc_ridge_solve(QcRidge *r, float *w, double lambda);

#endif
