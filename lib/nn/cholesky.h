/* cholesky.h - symmetric positive definite systems in double precision. */
#ifndef QC_NN_CHOLESKY_H
#define QC_NN_CHOLESKY_H

#include <stddef.h>
#include <stdint.h>

/* The lower triangle of a symmetric a [n][n] becomes its Cholesky factor; -1: not positive definite. */
int qc_cholesky(double *a, uint32_t n);

/* x = (L L')^-1 b, in place; l [n][n]: the factor; element i of b is b[i * step]. */
void qc_cholesky_solve(const double *l, double *b, uint32_t n, size_t step);

#endif
