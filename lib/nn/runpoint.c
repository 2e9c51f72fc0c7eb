#include <math.h>
#include <string.h>

#include "runparts.h"

void qc_relu_forward(float *y, const float *x, float clip, size_t values)
{
    float top = clip > 0 ? clip : INFINITY;
    for (size_t i = 0; i < values; i++) {
        float v = x[i] < 0 ? 0 : x[i]; /* what is no number stays none */
        y[i] = v > top ? top : v;
    }
}

void qc_relu_backward(float *dx, const float *dy, const float *y, float clip, size_t values)
{
    float top = clip > 0 ? clip : INFINITY;
    for (size_t i = 0; i < values; i++) dx[i] = ((y[i] > 0) & (y[i] < top)) ? dy[i] : 0;
}

void qc_quant_forward(float *y, const float *x, const QcNode *node, size_t values)
{
    float scale = node->scale, zero = (float)node->zero, top = (float)((1u << node->bits) - 1);
    for (size_t i = 0; i < values; i++) {
        float q = roundf(x[i] / scale) + zero;
        q = q < 0 ? 0 : q > top ? top : q;
        y[i] = scale * (q - zero);
    }
}

void qc_quant_backward(float *dx, const float *dy, const float *x, const QcNode *node, size_t values)
{
    float scale = node->scale, zero = (float)node->zero, top = (float)((1u << node->bits) - 1);
    for (size_t i = 0; i < values; i++) {
        float q = roundf(x[i] / scale) + zero;
        dx[i] = ((q >= 0) & (q <= top)) ? dy[i] : 0;
    }
}

void qc_sum_forward(float *y, const float *a, const float *b, size_t values)
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
