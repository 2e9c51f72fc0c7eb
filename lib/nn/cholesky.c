#include "cholesky.h"

#include <math.h>

int qc_cholesky(double *a, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        double *row = a + (size_t)i * n;
        for (uint32_t j = 0; j <= i; j++) {
            const double *other = a + (size_t)j * n;
            double sum = row[j];
            for (uint32_t k = 0; k < j; k++) sum -= row[k] * other[k];
            if (j < i) row[j] = sum / other[j];
            else if (sum > 0) row[i] = sqrt(sum);
            else return -1;
        }
    }
    return 0;
}

void qc_cholesky_solve(const double *l, double *b, uint32_t n, size_t step)
{
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < i; k++) b[i * step] -= l[(size_t)i * n + k] * b[k * step];
        b[i * step] /= l[(size_t)i * n + i];
    }
    for (uint32_t i = n; i-- > 0;) {
        for (uint32_t k = i + 1; k < n; k++) b[i * step] -= l[(size_t)k * n + i] * b[k * step];
        b[i * step] /= l[(size_t)i * n + i];
    }
}
