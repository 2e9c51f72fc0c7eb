/* floatloops.h - the float loops of the flipper and of the closed-form head. Each kernel set compiles them with its own
 * flags. Lanes are independent, and each has one order of operations, so wider registers change no bit
 * (-ffp-contract=off). See kernels.h for what they compute.
 */
#ifndef QC_KERNELS_FLOATLOOPS_H
#define QC_KERNELS_FLOATLOOPS_H

#include <stdint.h>

#include "kernels.h"
#include "mem.h"

typedef float Lanes __attribute__((vector_size(QC_K_LANES * sizeof(float)))); /* gcc and clang split it where registers
                                                                                 are narrower */

/* Outputs that dense_rows computes at a time, so that their sums do not depend on each other. A Cortex-M has registers
 * for one output. */
#if defined __ARM_ARCH_PROFILE && __ARM_ARCH_PROFILE == 'M'
enum { DENSE_ROWS = 1 };
#else
enum { DENSE_ROWS = 4 };
#endif

static inline __attribute__((always_inline)) void dense_rows(float *out, const float *in, const float *w,
                                                             const float *bias, uint32_t n_in, int relu, int rows)
{
    Lanes sum[4], x;
    for (int r = 0; r < rows; r++) sum[r] = bias[r] + (Lanes){0};
    for (uint32_t i = 0; i < n_in; i++) {
        memcpy(&x, in + i * QC_K_LANES, sizeof x);
        for (int r = 0; r < rows; r++) sum[r] += w[(uint32_t)r * n_in + i] * x;
    }
    for (int r = 0; r < rows; r++)
        for (int k = 0; k < QC_K_LANES; k++) out[r * QC_K_LANES + k] = relu && !(sum[r][k] > 0) ? 0 : sum[r][k];
}

static void dense(float *out, const float *in, const float *w, const float *bias, uint32_t n_out, uint32_t n_in,
                  int relu)
{
    uint32_t o = 0;
    for (; DENSE_ROWS > 1 && o + DENSE_ROWS <= n_out; o += DENSE_ROWS)
        dense_rows(out + o * QC_K_LANES, in, w + o * n_in, bias + o, n_in, relu, DENSE_ROWS);
    for (; o < n_out; o++) dense_rows(out + o * QC_K_LANES, in, w + o * n_in, bias + o, n_in, relu, 1);
}

static void fold(float *restrict sum, float *restrict squares, const int32_t *restrict sums, int32_t less, float factor,
                 uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        float h = factor * (float)(sums[i] - less);
        sum[i] += h;
        squares[i] += h * h;
    }
}

/* Elements of a row are counted from the diagonal, by pointers: an index that could wrap around keeps compilers from
 * vectors. */
static void add_outer(float *restrict triangle, const float *restrict rows, const float *weight, uint32_t n)
{
    const float *restrict a = rows, *restrict b = a + n, *restrict c = b + n, *restrict d = c + n;
    float *restrict row = triangle;
    for (uint32_t left = n; left; row += left--, a++, b++, c++, d++) {
        float of_a = weight[0] * *a, of_b = weight[1] * *b, of_c = weight[2] * *c, of_d = weight[3] * *d;
        for (uint32_t j = 0; j < left; j++) row[j] += (of_a * a[j] + of_b * b[j]) + (of_c * c[j] + of_d * d[j]);
    }
}

static inline float sum_of_lanes(const float part[QC_K_LANES])
{
    return ((part[0] + part[4]) + (part[2] + part[6])) + ((part[1] + part[5]) + (part[3] + part[7]));
}

/* part[l] += a[l] * b[l]. Processors without vectors of floats would keep a Lanes in memory. */
static inline __attribute__((always_inline)) void dot_step(float *part, const float *a, const float *b)
{
#if defined __SSE2__ || defined __aarch64__
    Lanes sum, x, y;
    memcpy(&sum, part, sizeof sum);
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    sum += x * y;
    memcpy(part, &sum, sizeof sum);
#else
    for (int l = 0; l < QC_K_LANES; l++) part[l] += a[l] * b[l];
#endif
}

static inline __attribute__((always_inline)) void add_step(float *y, const float *x, float factor)
{
#if defined __SSE2__ || defined __aarch64__
    Lanes sum, in;
    memcpy(&sum, y, sizeof sum);
    memcpy(&in, x, sizeof in);
    sum += factor * in;
    memcpy(y, &sum, sizeof sum);
#else
    for (int l = 0; l < QC_K_LANES; l++) y[l] += factor * x[l];
#endif
}

static float dot_floats(const float *a, const float *b, uint32_t n)
{
    float part[QC_K_LANES] = {0};
    const float *end = a + n;
    for (; end - a >= QC_K_LANES; a += QC_K_LANES, b += QC_K_LANES) dot_step(part, a, b);
    for (int l = 0; a < end; l++) part[l] += *a++ * *b++;
    return sum_of_lanes(part);
}

static float dot_codes(const int8_t *a, const float *b, uint32_t n)
{
    float part[QC_K_LANES] = {0}, x[QC_K_LANES];
    const int8_t *end = a + n;
    for (; end - a >= QC_K_LANES; a += QC_K_LANES, b += QC_K_LANES) {
        for (int l = 0; l < QC_K_LANES; l++) x[l] = (float)a[l];
        dot_step(part, x, b);
    }
    for (int l = 0; a < end; l++) part[l] += (float)*a++ * *b++;
    return sum_of_lanes(part);
}

static void multiply_triangle(float *restrict out, const float *restrict triangle, const float *restrict w, uint32_t n)
{
    const float *restrict row = triangle;
    memset(out, 0, n * sizeof *out);
    for (uint32_t left = n; left; row += left--, w++, out++) {
        float part[QC_K_LANES] = {0}, *y = out + 1;
        const float *x = row + 1, *v = w + 1, *end = row + left;
        for (; end - x >= QC_K_LANES; x += QC_K_LANES, v += QC_K_LANES, y += QC_K_LANES) {
            dot_step(part, x, v);
            add_step(y, x, *w);
        }
        for (int l = 0; x < end; l++) {
            part[l] += *x * *v++;
            *y++ += *w * *x++;
        }
        *out += *w * *row + sum_of_lanes(part);
    }
}

static void add_scaled(float *restrict y, const float *restrict x, float factor, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) y[i] += factor * x[i];
}

#endif
