/* Functions of one value in reverse Polish notation. */
#include <math.h>

#include "graph.h"

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
    case QC_STEP_MIN: return b.v < a.v ? b : a; /* NaN stays NaN */
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
    case QC_STEP_SQRT: return v = sqrtf(a.v), (Dual){v, v > 0 ? a.d / (2 * v) : 0};
    case QC_STEP_LOG: return (Dual){logf(a.v), a.d / a.v};
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
