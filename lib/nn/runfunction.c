/* Functions of one value, products, and values in another order. */
#include <math.h>
#include <string.h>

#include "runparts.h"

/* ---- functions ---- */

void qc_run_function_forward(float *y, const float *x, const QcNode *node, size_t values)
{
    for (size_t i = 0; i < values; i++) y[i] = qc_function_at(node->steps, node->n_steps, x[i], NULL);
}

void qc_run_function_backward(float *dx, const float *dy, const float *x, const QcNode *node, size_t values)
{
    for (size_t i = 0; i < values; i++) {
        float slope;
        qc_function_at(node->steps, node->n_steps, x[i], &slope);
        dx[i] = dy[i] * slope;
    }
}

/* ---- tables ---- */

static int32_t code_of(float x, const QcNode *node)
{
    float q = roundf(x / node->scale) + (float)node->zero, top = (float)((1u << node->bits) - 1);
    return (int32_t)(q > 0 ? q < top ? q : top : 0);
}

void qc_run_table_forward(float *y, const float *x, const QcNode *node, size_t values)
{
    for (size_t i = 0; i < values; i++)
        y[i] = node->levels[code_of(x[i], node)] + (x[i] - x[i]); /* NaN stays NaN */
}

/* The slope between the codes on both sides. */
void qc_run_table_backward(float *dx, const float *dy, const float *x, const QcNode *node, size_t values)
{
    int32_t top = (int32_t)(1u << node->bits) - 1;
    for (size_t i = 0; i < values; i++) {
        int32_t code = code_of(x[i], node), low = code > 0 ? code - 1 : 0, high = code < top ? code + 1 : top;
        dx[i] = dy[i] * (node->levels[high] - node->levels[low]) / ((float)(high - low) * node->scale);
    }
}

/* ---- products ---- */

/* Does the input have one value per channel, for all positions of the node? */
static int is_gate(const QcNode *node, const QcNode *in)
{
    return qc_node_positions(in) == 1 && qc_node_positions(node) > 1;
}

void qc_run_mul_forward(float *y, const float *a, const float *b, const QcNode *node, const QcNode *in_b, uint32_t n)
{
    size_t values = qc_node_values(node), channels = node->channels, step = is_gate(node, in_b) ? channels : values;
    for (uint32_t w = 0; w < n; w++, b += step)
        for (size_t i = 0; i < values; i += step, y += step, a += step)
            for (size_t k = 0; k < step; k++) y[k] = a[k] * b[k];
}

void qc_run_mul_backward(float *dx, const float *dy, const float *x, const QcNode *node, const QcNode *in,
                         const QcNode *in_x, uint32_t n)
{
    size_t values = qc_node_values(node), channels = node->channels;
    int sums = is_gate(node, in), repeats = is_gate(node, in_x);
    if (sums) memset(dx, 0, n * channels * sizeof *dx);
    for (uint32_t w = 0; w < n; w++, dy += values, dx += sums ? channels : values, x += repeats ? channels : values)
        for (size_t i = 0; i < values; i++) {
            float d = dy[i] * x[repeats ? i % channels : i];
            if (sums) dx[i % channels] += d;
            else dx[i] = d;
        }
}

/* ---- order ---- */

/* Where in its input the next value of a TURN lies; counts `index` on. */
static size_t next_place(uint32_t *index, size_t at, const QcLoops *l)
{
    for (uint32_t k = l->n; k-- > 0;) {
        at += l->stride[k];
        if (++index[k] < l->size[k]) return at;
        at -= (size_t)l->stride[k] * l->size[k];
        index[k] = 0;
    }
    return at;
}

void qc_run_turn_forward(float *y, const float *x, const QcNode *node, const QcNode *in, uint32_t n)
{
    size_t values = qc_node_values(node);
    for (uint32_t w = 0; w < n; w++, x += qc_node_values(in), y += values) {
        uint32_t index[QC_MAX_LOOPS] = {0};
        size_t at = node->loops.offset;
        for (size_t i = 0; i < values; i++, at = next_place(index, at, &node->loops)) y[i] = x[at];
    }
}

void qc_run_turn_backward(float *dx, const float *dy, const QcNode *node, const QcNode *in, uint32_t n)
{
    size_t values = qc_node_values(node);
    memset(dx, 0, n * qc_node_values(in) * sizeof *dx);
    for (uint32_t w = 0; w < n; w++, dx += qc_node_values(in), dy += values) {
        uint32_t index[QC_MAX_LOOPS] = {0};
        size_t at = node->loops.offset;
        for (size_t i = 0; i < values; i++, at = next_place(index, at, &node->loops)) dx[at] += dy[i];
    }
}
