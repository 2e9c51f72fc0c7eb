#include "ridge.h"

#include <math.h>
#include <string.h>

#include "../nn/cholesky.h"

uint64_t qc_ridge_doubles(uint32_t n, uint32_t m) { return (uint64_t)n * n + (uint64_t)n * m; }

void qc_ridge_place(QcRidge *r, uint32_t n, uint32_t m, double *memory)
{
    *r = (QcRidge){n, m, memory, memory + (size_t)n * n};
    qc_ridge_clear(r);
}

void qc_ridge_clear(QcRidge *r) { memset(r->a, 0, qc_ridge_doubles(r->n, r->m) * sizeof *r->a); }

void qc_ridge_scale(QcRidge *r, double factor)
{
    for (uint64_t i = 0; i < qc_ridge_doubles(r->n, r->m); i++) r->a[i] *= factor;
}

static void add_input(QcRidge *r, const float *x, double weight)
{
    uint32_t last = r->n - 1;
    for (uint32_t i = 0; i < last; i++) {
        double scaled = weight * (double)x[i], *row = r->a + (size_t)i * r->n;
        for (uint32_t j = 0; j <= i; j++) row[j] += scaled * (double)x[j];
    }
    double *row = r->a + (size_t)last * r->n;
    for (uint32_t j = 0; j < last; j++) row[j] += weight * (double)x[j];
    row[last] += weight;
}

static void add_output(QcRidge *r, const float *x, uint32_t k, double weight)
{
    double *b = r->b + (size_t)k * r->n;
    for (uint32_t j = 0; j + 1 < r->n; j++) b[j] += weight * (double)x[j];
    b[r->n - 1] += weight;
}

void qc_ridge_add(QcRidge *r, const float *x, uint32_t label, double weight)
{
    add_input(r, x, weight);
    add_output(r, x, label, weight);
}

void qc_ridge_add_targets(QcRidge *r, const float *x, const float *y, double weight)
{
    add_input(r, x, weight);
    for (uint32_t k = 0; k < r->m; k++) add_output(r, x, k, weight * (double)y[k]);
}

void qc_ridge_join(QcRidge *r, const QcRidge *other, double weight)
{
    for (uint64_t i = 0; i < qc_ridge_doubles(r->n, r->m); i++) r->a[i] += weight * other->a[i];
}

int qc_ridge_solve(QcRidge *r, float *w, double lambda)
{
    double trace = 0;
    for (uint32_t i = 0; i < r->n; i++) trace += r->a[(size_t)i * r->n + i];
    for (uint32_t i = 0; i < r->n; i++) r->a[(size_t)i * r->n + i] += lambda * trace / r->n;
    if (qc_cholesky(r->a, r->n)) return -1;
    for (uint32_t k = 0; k < r->m; k++) {
        double *b = r->b + (size_t)k * r->n;
        qc_cholesky_solve(r->a, b, r->n, 1);
        for (uint32_t i = 0; i < r->n; i++) w[(size_t)k * r->n + i] = (float)b[i];
    }
    return 0;
}
