/* Operators that work number by number: activations, Clip, and those that change nothing. */
#include <float.h>
#include <string.h>

#include "onnxsteps.h"

/* ---- values that stay ---- */

int qc_onnx_same(QcOnnxImport *im)
{
    const QcValue *x = qc_onnx_input(im, 0);
    QcValue v;
    if (!x) return -1;
    if (qc_onnx_has(im, 2)) { /* Dropout's training_mode */
        const QcTensor *t = qc_onnx_ints(im, 2);
        if (!t) return -1;
        if (t->n && t->i[0])
            return qc_onnx_refuse(im, "it drops values at inference, too: export the model in eval mode");
    }
    if (x->kind == QC_VALUE_CONSTANT) return qc_onnx_put(im, x);
    return qc_onnx_take(im, &v, 0, QC_TAKE_VIEW) ? -1 : qc_onnx_put(im, &v);
}

int qc_onnx_cast(QcOnnxImport *im)
{
    enum { FLOAT = 1, INT32 = 6, INT64 = 7, FLOAT16 = 10, DOUBLE = 11, BFLOAT16 = 16 };
    int64_t to = qc_onnx_int(im, "to", 0);
    const QcValue *x = qc_onnx_input(im, 0);
    QcValue v;
    if (x && x->step > 0 && (to == INT32 || to == INT64)) {
        if (qc_onnx_take(im, &v, 0, QC_TAKE_RAW)) return -1;
        v.index = 1;
        return qc_onnx_put(im, &v);
    }
    if (to != FLOAT && to != FLOAT16 && to != DOUBLE && to != BFLOAT16)
        return qc_onnx_refuse(im, "it turns computed values into element type %lld, which is not of real numbers",
                              (long long)to);
    return qc_onnx_take(im, &v, 0, QC_TAKE_VIEW) ? -1 : qc_onnx_put(im, &v);
}

int qc_onnx_softmax(QcOnnxImport *im)
{
    QcValue v;
    uint32_t others = 0;
    if (qc_onnx_take(im, &v, 0, QC_TAKE_SETTLED)) return -1;
    int old = im->opset < 13, axis = qc_onnx_axis(im, qc_onnx_int(im, "axis", old ? 1 : -1), v.rank);
    if (axis < 0) return -1;
    for (uint32_t k = 0; k < v.rank; k++) /* before operator set 13 it is over all axes from the given one on */
        if (old ? k < (uint32_t)axis : k != (uint32_t)axis) others += qc_view_size(&v, k) > 1;
    if (!axis || others)
        return qc_onnx_refuse(im, "only a softmax over the classes of each window is supported, not over axis %d",
                              axis);
    im->notes.softmax = v.ends = 1;
    return qc_onnx_put(im, &v);
}

/* ---- activations ---- */

/* max(x, 0) + outer * (e^(inner * min(x, 0)) - 1), times gain */
static int elu(QcOnnxImport *im, QcValue *v, float outer, float inner, float gain)
{
    return qc_wait_function(im, v,
                            STEPS(S(X), N(0), S(MIN), N(inner), S(MUL), S(QC_STEP_EXPM1), N(outer), S(MUL), S(X), N(0),
                                  S(MAX), S(ADD), N(gain), S(MUL)));
}

int qc_onnx_activation(QcOnnxImport *im)
{
    const char *op = im->at->op_type;
    QcValue v;
    if (qc_onnx_take_number(im, &v)) return -1;
    float alpha = qc_onnx_float(im, "alpha",
                                !strcmp(op, "LeakyRelu")     ? 0.01f
                                : !strcmp(op, "HardSigmoid") ? 0.2f
                                : !strcmp(op, "Selu")        ? 1.67326319f
                                                             : 1);
    if (!strcmp(op, "Relu")) return qc_wait_function(im, &v, STEPS(S(X), N(0), S(MAX)));
    if (!strcmp(op, "LeakyRelu"))
        return qc_wait_function(im, &v, STEPS(S(X), N(0), S(MAX), S(X), N(0), S(MIN), N(alpha), S(MUL), S(ADD)));
    if (!strcmp(op, "Elu")) return elu(im, &v, alpha, 1, 1);
    if (!strcmp(op, "Selu")) return elu(im, &v, alpha, 1, qc_onnx_float(im, "gamma", 1.05070102f));
    if (!strcmp(op, "Celu")) return elu(im, &v, alpha, 1 / alpha, 1);
    if (!strcmp(op, "HardSigmoid"))
        return qc_wait_function(
            im, &v,
            STEPS(S(X), N(alpha), S(MUL), N(qc_onnx_float(im, "beta", 0.5f)), S(ADD), N(0), S(MAX), N(1), S(MIN)));
    if (!strcmp(op, "HardSwish"))
        return qc_wait_function(
            im, &v, STEPS(S(X), N(1.0f / 6), S(MUL), N(0.5f), S(ADD), N(0), S(MAX), N(1), S(MIN), S(X), S(MUL)));
    if (!strcmp(op, "Swish"))
        return qc_wait_function(im, &v, STEPS(S(X), N(alpha), S(MUL), S(QC_STEP_SIGMOID), S(X), S(MUL)));
    if (!strcmp(op, "Mish"))
        return qc_wait_function(im, &v, STEPS(S(X), S(QC_STEP_SOFTPLUS), S(QC_STEP_TANH), S(X), S(MUL)));
    if (!strcmp(op, "Softsign"))
        return qc_wait_function(im, &v, STEPS(S(X), S(X), S(QC_STEP_ABS), N(1), S(ADD), S(DIV)));
    if (!strcmp(op, "Neg")) return qc_wait_function(im, &v, STEPS(S(X), N(-1), S(MUL)));
    if (!strcmp(op, "Reciprocal")) return qc_wait_function(im, &v, STEPS(N(1), S(X), S(DIV)));
    if (!strcmp(op, "Gelu") && qc_onnx_is_text(im, "approximate", "tanh"))
        return qc_wait_function(im, &v,
                                STEPS(S(X), S(X), S(MUL), N(0.044715f), S(MUL), N(1), S(ADD), S(X), S(MUL),
                                      N(0.79788456f), S(MUL), S(QC_STEP_TANH), N(1), S(ADD), S(X), S(MUL), N(0.5f),
                                      S(MUL)));
    if (!strcmp(op, "Gelu"))
        return qc_wait_function(
            im, &v, STEPS(S(X), N(0.70710678f), S(MUL), S(QC_STEP_ERF), N(1), S(ADD), S(X), S(MUL), N(0.5f), S(MUL)));
    static const struct {
        const char *name;
        uint8_t op;
    } plain[] = {{"Abs", QC_STEP_ABS},   {"Exp", QC_STEP_EXP}, {"Sigmoid", QC_STEP_SIGMOID},
                 {"Tanh", QC_STEP_TANH}, {"Erf", QC_STEP_ERF}, {"Softplus", QC_STEP_SOFTPLUS},
                 {"Log", QC_STEP_LOG}};
    for (size_t k = 0; k < sizeof plain / sizeof *plain; k++)
        if (!strcmp(op, plain[k].name)) return qc_wait_function(im, &v, STEPS(S(X), S(plain[k].op)));
    return qc_onnx_refuse(im, "this operator is not supported");
}

static int limit(QcOnnxImport *im, float *value, const char *attribute, uint32_t k)
{
    *value = qc_onnx_float(im, attribute, *value);
    if (!qc_onnx_has(im, k)) return 0;
    const QcTensor *t = qc_onnx_floats(im, k);
    if (!t) return -1;
    if (t->n != 1) return qc_onnx_wrong(im, "its %s is not one number", attribute);
    *value = t->f[0];
    return 0;
}

int qc_onnx_clip(QcOnnxImport *im)
{
    QcValue v;
    QcStep steps[5] = {S(X)};
    uint32_t n = 1;
    float low = -FLT_MAX, high = FLT_MAX;
    if (qc_onnx_take_number(im, &v) || limit(im, &low, "min", 1) || limit(im, &high, "max", 2)) return -1;
    if (!(low <= high)) return qc_onnx_refuse(im, "its limits %g and %g leave nothing", (double)low, (double)high);
    if (low > -FLT_MAX) steps[n++] = N(low), steps[n++] = S(MAX);
    if (high < FLT_MAX) steps[n++] = N(high), steps[n++] = S(MIN);
    return qc_wait_function(im, &v, steps, n);
}
