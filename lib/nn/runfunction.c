/* Functions of one value, products, and values in another order. */
#include <math.h>
#include <string.h>

#include "runparts.h"

/* ---- functions ---- */

int qc_function_is_whole(const QcStep *steps, uint32_t n_steps)
{
    int depth = 0;
    if (!n_steps || n_steps > QC_MAX_STEPS) return 0;
    for (uint32_t k = 0; k < n_steps; k++) {
        uint8_t op = steps[k].op;
        int pushes = op <= QC_STEP_NUMBER, operands = pushes ? 0 : op <= QC_STEP_MAX ? 2 : 1;
        if (op >= QC_STEP_COUNT || depth < operands || (op == QC_STEP_NUMBER && !isfinite(steps[k].value))) return 0;
        depth += 1 - operands;
        if (depth > QC_MAX_STACK) return 0;
    }
    return depth == 1;
}

typedef struct Dual { /* a value and its derivative by x */
    float v, d;
} Dual;

static Dual binary(uint8_t op, Dual a, Dual b)
{
    switch (op) {
    case QC_STEP_ADD: return (Dual){a.v + b.v, a.d + b.d};
    case QC_STEP_SUB: return (Dual){a.v - b.v, a.d - b.d};
    case QC_STEP_MUL: return (Dual){a.v * b.v, a.d * b.v + a.v * b.d};
    case QC_STEP_DIV: return (Dual){a.v / b.v, (a.d - a.v / b.v * b.d) / b.v};
    case QC_STEP_MIN: return b.v < a.v ? b : a; /* what is no number stays none */
    default: return b.v > a.v ? b : a;
    }
}

static float sigmoid(float x) { return 1 / (1 + expf(-x)); }

static Dual unary(uint8_t op, Dual a)
{
    float v;
    switch (op) {
    case QC_STEP_ABS: return (Dual){fabsf(a.v), a.v < 0 ? -a.d : a.d};
    case QC_STEP_EXP: return v = expf(a.v), (Dual){v, v * a.d};
    case QC_STEP_EXPM1: return (Dual){expm1f(a.v), expf(a.v) * a.d};
    case QC_STEP_SIGMOID: return v = sigmoid(a.v), (Dual){v, v * (1 - v) * a.d};
    case QC_STEP_TANH: return v = tanhf(a.v), (Dual){v, (1 - v * v) * a.d};
    case QC_STEP_ERF: return (Dual){erff(a.v), 1.12837917f * expf(-a.v * a.v) * a.d}; /* 2 / sqrt(pi) */
    default: return (Dual){a.v > 0 ? a.v + log1pf(expf(-a.v)) : log1pf(expf(a.v)), sigmoid(a.v) * a.d};
    }
}

float qc_function_at(const QcStep *steps, uint32_t n_steps, float x, float *slope)
{
    Dual stack[QC_MAX_STACK + 1];
    uint32_t top = 0;
    for (uint32_t k = 0; k < n_steps; k++) {
        uint8_t op = steps[k].op;
        if (op == QC_STEP_X) stack[top++] = (Dual){x, 1};
        else if (op == QC_STEP_NUMBER) stack[top++] = (Dual){steps[k].value, 0};
        else if (op <= QC_STEP_MAX) top--, stack[top - 1] = binary(op, stack[top - 1], stack[top]);
        else stack[top - 1] = unary(op, stack[top - 1]);
    }
    if (slope) *slope = stack[0].d;
    return stack[0].v;
}

void qc_function_forward(float *y, const float *x, const QcNode *node, size_t values)
{
    for (size_t i = 0; i < values; i++) y[i] = qc_function_at(node->steps, node->n_steps, x[i], NULL);
}

void qc_function_backward(float *dx, const float *dy, const float *x, const QcNode *node, size_t values)
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

void qc_table_forward(float *y, const float *x, const QcNode *node, size_t values)
{
    for (size_t i = 0; i < values; i++) y[i] = node->levels[code_of(x[i], node)] + (x[i] - x[i]); /* what is no number stays none */
}

/* The slope between the codes on both sides. */
void qc_table_backward(float *dx, const float *dy, const float *x, const QcNode *node, size_t values)
{
    int32_t top = (int32_t)(1u << node->bits) - 1;
    for (size_t i = 0; i < values; i++) {
        int32_t code = code_of(x[i], node), low = code > 0 ? code - 1 : 0, high = code < top ? code + 1 : top;
        dx[i] = dy[i] * (node->levels[high] - node->levels[low]) / ((float)(high - low) * node->scale);
    }
}

/* ---- products ---- */

/* Does the input have one value a channel, for all positions of the node? */
static int is_gate(const QcNode *node, const QcNode *in) { return qc_node_positions(in) == 1 && qc_node_positions(node) > 1; }

void qc_mul_forward(float *y, const float *a, const float *b, const QcNode *node, const QcNode *in_b, uint32_t n)
{
    size_t values = qc_node_values(node), channels = node->channels, step = is_gate(node, in_b) ? channels : values;
    for (uint32_t w = 0; w < n; w++, b += step)
        for (size_t i = 0; i < values; i += step, y += step, a += step)
            for (size_t k = 0; k < step; k++) y[k] = a[k] * b[k];
}

void qc_mul_backward(float *dx, const float *dy, const float *x, const QcNode *node, const QcNode *in, const QcNode *in_x, uint32_t n)
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

void qc_turn_forward(float *y, const float *x, const QcNode *node, const QcNode *in, uint32_t n)
{
    size_t values = qc_node_values(node);
    for (uint32_t w = 0; w < n; w++, x += qc_node_values(in), y += values) {
        uint32_t index[QC_MAX_LOOPS] = {0};
        size_t at = node->loops.offset;
        for (size_t i = 0; i < values; i++, at = next_place(index, at, &node->loops)) y[i] = x[at];
    }
}

void qc_turn_backward(float *dx, const float *dy, const QcNode *node, const QcNode *in, uint32_t n)
{
    size_t values = qc_node_values(node);
    memset(dx, 0, n * qc_node_values(in) * sizeof *dx);
    for (uint32_t w = 0; w < n; w++, dx += qc_node_values(in), dy += values) {
        uint32_t index[QC_MAX_LOOPS] = {0};
        size_t at = node->loops.offset;
        for (size_t i = 0; i < values; i++, at = next_place(index, at, &node->loops)) dx[at] += dy[i];
    }
}
