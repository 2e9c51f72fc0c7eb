#include <math.h>
#include <string.h>

#include "../base/clones.h"
#include "runparts.h"

QC_CLONES void qc_run_relu_forward(float *y, const float *x, float clip, size_t values)
{
    float top = clip > 0 ? clip : INFINITY;
    for (size_t i = 0; i < values; i++) {
        float v = x[i] < 0 ? 0 : x[i]; /* what is no number stays none */
        y[i] = v > top ? top : v;
    }
}

/* What follows works on copies of a few values, because dx may be dy and y may be x: so compilers know that nothing
 * else changes, and make vectors of it. */
enum { BLOCK = 64 };

static size_t take(float *block, const float *from, size_t left)
{
    size_t n = left < BLOCK ? left : BLOCK;
    memcpy(block, from, n * sizeof *block);
    memset(block + n, 0, (BLOCK - n) * sizeof *block);
    return n;
}

QC_CLONES void qc_run_relu_backward(float *dx, const float *dy, const float *y, float clip, size_t values)
{
    float top = clip > 0 ? clip : INFINITY, gradient[BLOCK], value[BLOCK];
    for (size_t i = 0, n; i < values; i += n) {
        n = take(gradient, dy + i, values - i);
        take(value, y + i, n);
        for (size_t k = 0; k < BLOCK; k++) gradient[k] = ((value[k] > 0) & (value[k] < top)) ? gradient[k] : 0;
        memcpy(dx + i, gradient, n * sizeof *dx);
    }
}

typedef struct Levels {
    float scale, zero, top; /* 0 .. top, of which `zero` stands for 0 */
} Levels;

static Levels levels_of(const QcNode *node)
{
    return (Levels){node->scale, (float)node->zero, (float)((1u << node->bits) - 1)};
}

/* The level nearest to x, halves away from the level of 0; what lies beyond the levels is -1 or top + 1. This is roundf
 * within these bounds, without a call. */
static inline float level(float x, Levels l)
{
    float v = x / l.scale, low = -1 - l.zero, high = l.top + 1 - l.zero;
    v = v > low ? v : low; /* what is no number too */
    v = v < high ? v : high;
    float whole = (float)(int32_t)v, rest = v - whole;
    return whole + (float)((rest >= 0.5f) - (rest <= -0.5f)) + l.zero;
}

QC_CLONES void qc_run_quant_forward(float *y, const float *x, const QcNode *node, size_t values)
{
    const Levels l = levels_of(node);
    float value[BLOCK];
    for (size_t i = 0, n; i < values; i += n) {
        n = take(value, x + i, values - i);
        for (size_t k = 0; k < BLOCK; k++) {
            float q = level(value[k], l);
            q = q > 0 ? q : 0;
            q = q < l.top ? q : l.top;
            value[k] = l.scale * (q - l.zero) + (value[k] - value[k]); /* what is no number stays none */
        }
        memcpy(y + i, value, n * sizeof *y);
    }
}

QC_CLONES void qc_run_quant_backward(float *dx, const float *dy, const float *x, const QcNode *node, size_t values)
{
    const Levels l = levels_of(node);
    float gradient[BLOCK], value[BLOCK];
    for (size_t i = 0, n; i < values; i += n) {
        n = take(gradient, dy + i, values - i);
        take(value, x + i, n);
        for (size_t k = 0; k < BLOCK; k++) {
            float q = level(value[k], l);
            gradient[k] = ((q >= 0) & (q <= l.top)) ? gradient[k] : 0;
        }
        memcpy(dx + i, gradient, n * sizeof *dx);
    }
}

QC_CLONES void qc_run_sum_forward(float *y, const float *a, const float *b, size_t values)
{
    for (size_t i = 0; i < values; i++) y[i] = a[i] + b[i];
}

void qc_copy(float *y, const float *x, size_t values)
{
    if (y != x) memcpy(y, x, values * sizeof *y);
}

void qc_copy_rows(float *y, size_t y_step, const float *x, size_t x_step, size_t width, size_t rows)
{
    for (size_t r = 0; r < rows; r++) memcpy(y + r * y_step, x + r * x_step, width * sizeof *y);
}
