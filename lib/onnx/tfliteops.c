/* The operators of TensorFlow Lite as ONNX nodes. Values keep TensorFlow's axes, [N][H][W][C]; layers that ONNX defines
 * channels-first stand between two Transposes, which cost nothing (onnxparts.h). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tfliteparts.h"

enum { SAME = 0, VALID = 1 };
enum { NONE = 0, RELU = 1, RELU_N1_TO_1 = 2, RELU6 = 3, TANH = 4 };
enum { MAX_SIZE = 65535 };

typedef char Name[QC_ONNX_NAME];

/* ---- the result of an operator ---- */

/* Operations that are still to be applied to the result of an operator before it is the value of its output. */
typedef struct Result {
    const QcTfliteTensor *tensor;
    int activation, quantized;
    const char *name; /* of the value */
    Name raw; /* what the operator itself makes */
} Result;

static int begin(QcTfliteRewrite *r, Result *result, int64_t activation)
{
    const QcTfliteTensor *t = result->tensor = qc_tflite_output(r);
    if (!t || r->at->outputs.n > 1) return qc_tflite_refuse(r, "it has %u outputs, not 1", r->at->outputs.n);
    if (activation < NONE || activation > TANH)
        return qc_tflite_refuse(r, "its fused activation %lld is not supported", (long long)activation);
    result->activation = (int)activation;
    result->quantized = qc_tflite_is_quantized(r, t);
    if (result->quantized < 0) return -1;
    result->name = r->names[t - r->t->tensors];
    snprintf(result->raw, sizeof result->raw, "%s", result->name);
    if (activation || result->quantized)
        snprintf(result->raw, sizeof result->raw, "#%u.raw", (uint32_t)(t - r->t->tensors));
    return 0;
}

/* A node that refusals and our graph call by the name of its tensor. */
static Onnx__NodeProto *node(QcTfliteRewrite *r, const Result *result, const char *op, const char *output,
                             const char *a, const char *b, const char *c)
{
    Onnx__NodeProto *made = qc_out_node(r->out, op, output, a, b, c);
    const char *name = result->tensor->name;
    char *copy = qc_arena_text(&r->out->arena, name, strlen(name), NULL);
    if (made && copy) made->name = copy;
    if (!copy) r->out->bad = 1;
    return made;
}

/* to = from between two limits. */
static void clip(QcTfliteRewrite *r, const Result *result, const char *to, const char *from, float low, float high)
{
    Name least, most;
    snprintf(least, sizeof least, "%.80s.low", to);
    snprintf(most, sizeof most, "%.80s.high", to);
    qc_out_floats(r->out, least, NULL, 0, &low);
    qc_out_floats(r->out, most, NULL, 0, &high);
    node(r, result, "Clip", to, from, least, most);
}

static int end(QcTfliteRewrite *r, const Result *result)
{
    Name active;
    const char *from = result->raw;
    snprintf(active, sizeof active, "%s", result->name);
    if (result->quantized) snprintf(active, sizeof active, "%.80s.active", result->raw);
    switch (result->activation) {
    case NONE: break;
    case RELU: node(r, result, "Relu", active, from, NULL, NULL); break;
    case TANH: node(r, result, "Tanh", active, from, NULL, NULL); break;
    default: clip(r, result, active, from, result->activation == RELU6 ? 0 : -1, result->activation == RELU6 ? 6 : 1);
    }
    if (result->activation) from = active;
    return result->quantized ? qc_tflite_requantize(r, result->name, from, result->tensor) : 0;
}

/* Do both hold the same numbers for the same codes? */
static int same_scale(QcTfliteRewrite *r, const QcTfliteTensor *a, const QcTfliteTensor *b)
{
    QcFlat *f = r->flat;
    if (a->type != b->type || a->scale.n != 1 || b->scale.n != 1) return 0;
    float x = qc_flat_float_at(f, a->scale, 0), y = qc_flat_float_at(f, b->scale, 0);
    int64_t p = a->zero.n ? qc_flat_int_at(f, a->zero, 0, 8) : 0, q = b->zero.n ? qc_flat_int_at(f, b->zero, 0, 8) : 0;
    return x >= y && x <= y && p == q;
}

/* Codes that only change places need no rounding. */
static int begin_moved(QcTfliteRewrite *r, Result *result, int64_t activation)
{
    const QcTfliteTensor *in = qc_tflite_input(r, 0);
    if (begin(r, result, activation)) return -1;
    if (activation || !result->quantized || !in || !same_scale(r, in, result->tensor)) return 0;
    result->quantized = 0;
    snprintf(result->raw, sizeof result->raw, "%s", result->name);
    return 0;
}

/* ---- windows ---- */

typedef struct Window {
    int64_t kernel[2], stride[2], dilation[2], pads[4];
} Window;

/* Padding as TensorFlow defines it: SAME has ceil(size / stride) results, and the odd zero is at the end. */
static int pad_window(QcTfliteRewrite *r, Window *w, const QcTfliteTensor *x, int64_t padding)
{
    if (!x || x->rank != 4) return qc_tflite_refuse(r, "its input has %u dimensions, not 4", x ? x->rank : 0);
    if (padding != SAME && padding != VALID)
        return qc_tflite_refuse(r, "its padding %lld is not supported", (long long)padding);
    for (int k = 0; k < 2; k++) {
        if (w->kernel[k] < 1 || w->kernel[k] > MAX_SIZE || w->stride[k] < 1 || w->stride[k] > MAX_SIZE ||
            w->dilation[k] < 1 || w->dilation[k] > MAX_SIZE)
            return qc_fail(r->err, QC_EFORMAT, "tensor '%.100s' is made by a window of size, stride or dilation 0",
                           qc_tflite_output(r) ? qc_tflite_output(r)->name : "");
        int64_t size = x->dims[1 + k], results = (size - 1) / w->stride[k],
                missing = padding == SAME
                              ? results * w->stride[k] + (w->kernel[k] - 1) * w->dilation[k] + 1 - size
                              : 0;
        w->pads[k] = missing > 0 ? missing / 2 : 0;
        w->pads[2 + k] = missing > 0 ? missing - missing / 2 : 0;
    }
    return 0;
}

/* raw = op of x and weights, channels-first in between. */
static Onnx__NodeProto *window_node(QcTfliteRewrite *r, const Result *result, const char *op, const char *x,
                                    const char *weight, const char *bias, const Window *w)
{
    static const int64_t to_first[4] = {0, 3, 1, 2}, to_last[4] = {0, 2, 3, 1};
    uint32_t i = (uint32_t)(result->tensor - r->t->tensors);
    Name first, made;
    snprintf(first, sizeof first, "#%u.first", i);
    snprintf(made, sizeof made, "#%u.made", i);
    qc_out_ints(r->out, node(r, result, "Transpose", first, x, NULL, NULL), "perm", to_first, 4);
    Onnx__NodeProto *layer = node(r, result, op, made, first, weight, bias);
    qc_out_ints(r->out, layer, "kernel_shape", w->kernel, 2);
    qc_out_ints(r->out, layer, "strides", w->stride, 2);
    if (w->dilation[0] > 1 || w->dilation[1] > 1) qc_out_ints(r->out, layer, "dilations", w->dilation, 2);
    qc_out_ints(r->out, layer, "pads", w->pads, 4);
    qc_out_ints(r->out, node(r, result, "Transpose", result->raw, made, NULL, NULL), "perm", to_last, 4);
    return layer;
}

static int64_t option(QcTfliteRewrite *r, uint32_t k, int bytes, int64_t absent)
{
    return qc_flat_int(r->flat, r->at->options, k, bytes, absent);
}

static int convolution(QcTfliteRewrite *r)
{
    int by_channel = r->at->op == QC_TFLITE_DEPTHWISE_CONV_2D;
    uint32_t after = by_channel ? 4 : 3; /* the fields after the strides and the depth multiplier */
    const QcTfliteTensor *x = qc_tflite_input(r, 0), *w = qc_tflite_constant(r, 1);
    const char *value = qc_tflite_value(r, 0), *bias = NULL,
               *weight = value ? qc_tflite_weight(r, 1, by_channel ? QC_TFLITE_DEPTHWISE : QC_TFLITE_OIHW) : NULL;
    if (!weight || (qc_tflite_input(r, 2) && !(bias = qc_tflite_bias(r)))) return -1;
    Window window = {.kernel = {w->dims[1], w->dims[2]},
                     .stride = {option(r, 2, 4, 0), option(r, 1, 4, 0)},
                     .dilation = {option(r, after + 2, 4, 1), option(r, after + 1, 4, 1)}};
    Result result;
    if (pad_window(r, &window, x, option(r, 0, 1, SAME)) || begin(r, &result, option(r, after, 1, NONE))) return -1;
    int64_t groups = by_channel ? x->dims[3] : x->dims[3] / w->dims[3];
    if ((by_channel && w->dims[0] != 1) || groups < 1 || (by_channel ? w->dims[3] : w->dims[0]) % groups ||
        (!by_channel && x->dims[3] % w->dims[3]))
        return qc_tflite_refuse(r, "its weights do not fit its %lld input channels", (long long)x->dims[3]);
    Onnx__NodeProto *layer = window_node(r, &result, "Conv", value, weight, bias, &window);
    if (groups > 1) qc_out_int(r->out, layer, "group", groups);
    return end(r, &result);
}

static int pool(QcTfliteRewrite *r)
{
    int max = r->at->op == QC_TFLITE_MAX_POOL_2D;
    const char *value = qc_tflite_value(r, 0);
    Window window = {.kernel = {option(r, 4, 4, 0), option(r, 3, 4, 0)},
                     .stride = {option(r, 2, 4, 0), option(r, 1, 4, 0)},
                     .dilation = {1, 1}};
    Result result;
    int64_t activation = option(r, 5, 1, NONE);
    if (!value || pad_window(r, &window, qc_tflite_input(r, 0), option(r, 0, 1, SAME)) ||
        (max ? begin_moved(r, &result, activation) : begin(r, &result, activation)))
        return -1;
    window_node(r, &result, max ? "MaxPool" : "AveragePool", value, NULL, NULL, &window);
    return end(r, &result);
}

/* ---- rows ---- */

static void reshape(QcTfliteRewrite *r, const Result *result, const char *to, const char *from, const int64_t *dims,
                    uint32_t rank)
{
    Name shape;
    const int64_t length = rank;
    snprintf(shape, sizeof shape, "%.80s.shape", to);
    qc_out_numbers(r->out, shape, &length, 1, dims);
    node(r, result, "Reshape", to, from, shape, NULL);
}

/* y = x W^T + b over the last axis; an input of more axes than two is rows of them, unless the axes are kept. */
static int fully_connected(QcTfliteRewrite *r)
{
    const QcTfliteTensor *x = qc_tflite_input(r, 0), *w = qc_tflite_constant(r, 1);
    const char *value = qc_tflite_value(r, 0), *bias = NULL;
    int keeps = option(r, 2, 1, 0) != 0 && x && x->rank > 2;
    const char *weight = value ? qc_tflite_weight(r, 1, keeps ? QC_TFLITE_TURNED : QC_TFLITE_AS_IS) : NULL;
    Name rows, product;
    Result result;
    if (!weight || (qc_tflite_input(r, 2) && !(bias = qc_tflite_bias(r))) ||
        begin(r, &result, option(r, 0, 1, NONE)))
        return -1;
    if (option(r, 1, 1, 0)) return qc_tflite_refuse(r, "its weights are shuffled, which is not supported");
    if (w->rank != 2 || x->n % (uint64_t)w->dims[1])
        return qc_tflite_refuse(r, "its weights do not fit its %llu input values", (unsigned long long)x->n);
    uint32_t i = (uint32_t)(result.tensor - r->t->tensors);
    snprintf(rows, sizeof rows, "#%u.rows", i);
    snprintf(product, sizeof product, "#%u.product", i);
    if (keeps) {
        node(r, &result, "MatMul", bias ? product : result.raw, value, weight, NULL);
        if (bias) node(r, &result, "Add", result.raw, product, bias, NULL);
        return end(r, &result);
    }
    const int64_t dims[2] = {(int64_t)x->n / w->dims[1], w->dims[1]};
    if (x->rank != 2) reshape(r, &result, rows, value, dims, 2), value = rows;
    qc_out_int(r->out, node(r, &result, "Gemm", result.raw, value, weight, bias), "transB", 1);
    return end(r, &result);
}

/* ---- axes ---- */

/* RESHAPE, SQUEEZE, EXPAND_DIMS: the output's own shape says all, also if the file computes the shape. */
static int shape_anew(QcTfliteRewrite *r)
{
    const char *value = qc_tflite_value(r, 0);
    Result result;
    if (!value || begin_moved(r, &result, NONE)) return -1;
    reshape(r, &result, result.raw, value, result.tensor->dims, result.tensor->rank);
    return end(r, &result);
}

static int transpose(QcTfliteRewrite *r)
{
    const char *value = qc_tflite_value(r, 0);
    int64_t order[QC_TFLITE_RANK];
    uint32_t n;
    Result result;
    if (!value || begin_moved(r, &result, NONE) || qc_tflite_ints(r, order, &n, QC_TFLITE_RANK, 1)) return -1;
    qc_out_ints(r->out, node(r, &result, "Transpose", result.raw, value, NULL, NULL), "perm", order, n);
    return end(r, &result);
}

static int pad(QcTfliteRewrite *r)
{
    const char *value = qc_tflite_value(r, 0);
    const QcTfliteTensor *x = qc_tflite_input(r, 0);
    int64_t pairs[2 * QC_TFLITE_RANK], pads[2 * QC_TFLITE_RANK];
    uint32_t n;
    Name list;
    Result result;
    if (!value || begin_moved(r, &result, NONE) || qc_tflite_ints(r, pairs, &n, 2 * QC_TFLITE_RANK, 1)) return -1;
    if (n != 2 * x->rank) return qc_tflite_refuse(r, "it has %u paddings for %u axes", n, x->rank);
    for (uint32_t k = 0; k < x->rank; k++) pads[k] = pairs[2 * k], pads[x->rank + k] = pairs[2 * k + 1];
    snprintf(list, sizeof list, "%.80s.pads", result.raw);
    const int64_t length = n;
    qc_out_numbers(r->out, list, &length, 1, pads);
    node(r, &result, "Pad", result.raw, value, list, NULL);
    return end(r, &result);
}

static int concatenation(QcTfliteRewrite *r)
{
    const char *values[64];
    Result result;
    if (begin(r, &result, option(r, 1, 1, NONE))) return -1;
    uint32_t n = r->at->inputs.n;
    for (uint32_t k = 0; k < n; k++)
        if (!(values[k] = qc_tflite_value(r, k))) return -1;
    Onnx__NodeProto *made = node(r, &result, "Concat", result.raw, NULL, NULL, NULL);
    qc_out_more(r->out, made, values, n);
    qc_out_int(r->out, made, "axis", option(r, 0, 4, 0));
    return end(r, &result);
}

static int reduce(QcTfliteRewrite *r)
{
    const char *value = qc_tflite_value(r, 0), *op = r->at->op == QC_TFLITE_MEAN  ? "ReduceMean"
                                                     : r->at->op == QC_TFLITE_SUM ? "ReduceSum"
                                                                                  : "ReduceMax";
    int64_t axes[QC_TFLITE_RANK];
    uint32_t n;
    Result result;
    if (!value || begin(r, &result, NONE) || qc_tflite_ints(r, axes, &n, QC_TFLITE_RANK, 1)) return -1;
    Onnx__NodeProto *made = node(r, &result, op, result.raw, value, NULL, NULL);
    qc_out_ints(r->out, made, "axes", axes, n);
    qc_out_int(r->out, made, "keepdims", option(r, 0, 1, 0) != 0);
    return end(r, &result);
}

/* ---- number by number ---- */

static const char *name_of(int32_t op)
{
    switch (op) {
    case QC_TFLITE_ADD: return "Add";
    case QC_TFLITE_SUB: return "Sub";
    case QC_TFLITE_DIV: return "Div";
    case QC_TFLITE_MUL: return "Mul";
    case QC_TFLITE_RELU: return "Relu";
    case QC_TFLITE_TANH: return "Tanh";
    case QC_TFLITE_LOGISTIC: return "Sigmoid";
    case QC_TFLITE_ELU: return "Elu";
    case QC_TFLITE_HARD_SWISH: return "HardSwish";
    case QC_TFLITE_LEAKY_RELU: return "LeakyRelu";
    case QC_TFLITE_LOG_SOFTMAX: return "LogSoftmax";
    case QC_TFLITE_SOFTMAX: return "Softmax";
    default: return "Identity";
    }
}

static int of_two(QcTfliteRewrite *r)
{
    const char *a = qc_tflite_value(r, 0), *b = a ? qc_tflite_value(r, 1) : NULL;
    Result result;
    if (!b || begin(r, &result, option(r, 0, 1, NONE))) return -1;
    node(r, &result, name_of(r->at->op), result.raw, a, b, NULL);
    return end(r, &result);
}

static int of_one(QcTfliteRewrite *r)
{
    const char *value = qc_tflite_value(r, 0);
    int32_t op = r->at->op;
    Result result;
    if (!value || begin(r, &result, NONE)) return -1;
    if (op == QC_TFLITE_RELU6) clip(r, &result, result.raw, value, 0, 6);
    else if (op == QC_TFLITE_RELU_N1_TO_1) clip(r, &result, result.raw, value, -1, 1);
    else {
        Onnx__NodeProto *made = node(r, &result, name_of(op), result.raw, value, NULL, NULL);
        if (op == QC_TFLITE_LEAKY_RELU)
            qc_out_float(r->out, made, "alpha", qc_flat_float(r->flat, r->at->options, 0, 0));
    }
    return end(r, &result);
}

static int softmax(QcTfliteRewrite *r)
{
    float beta = r->at->op == QC_TFLITE_SOFTMAX ? qc_flat_float(r->flat, r->at->options, 0, 0) : 1;
    if (beta < 1 || beta > 1 || isnan(beta)) return qc_tflite_refuse(r, "its beta is %g, not 1", (double)beta);
    return of_one(r);
}

/* ---- all of them ---- */

int qc_tflite_node(QcTfliteRewrite *r)
{
    static const struct {
        int32_t op;
        int options; /* number of their table in the schema's union; 0: none are read */
        int (*rewrite)(QcTfliteRewrite *r);
    } all[] = {
        {QC_TFLITE_ADD, 11, of_two},
        {QC_TFLITE_AVERAGE_POOL_2D, 5, pool},
        {QC_TFLITE_CONCATENATION, 10, concatenation},
        {QC_TFLITE_CONV_2D, 1, convolution},
        {QC_TFLITE_DEPTHWISE_CONV_2D, 2, convolution},
        {QC_TFLITE_DEQUANTIZE, 0, of_one},
        {QC_TFLITE_FULLY_CONNECTED, 8, fully_connected},
        {QC_TFLITE_LOGISTIC, 0, of_one},
        {QC_TFLITE_MAX_POOL_2D, 5, pool},
        {QC_TFLITE_MUL, 21, of_two},
        {QC_TFLITE_RELU, 0, of_one},
        {QC_TFLITE_RELU_N1_TO_1, 0, of_one},
        {QC_TFLITE_RELU6, 0, of_one},
        {QC_TFLITE_RESHAPE, 0, shape_anew},
        {QC_TFLITE_SOFTMAX, 9, softmax},
        {QC_TFLITE_TANH, 0, of_one},
        {QC_TFLITE_PAD, 0, pad},
        {QC_TFLITE_TRANSPOSE, 0, transpose},
        {QC_TFLITE_MEAN, 27, reduce},
        {QC_TFLITE_SUB, 28, of_two},
        {QC_TFLITE_DIV, 29, of_two},
        {QC_TFLITE_SQUEEZE, 0, shape_anew},
        {QC_TFLITE_LOG_SOFTMAX, 0, softmax},
        {QC_TFLITE_EXPAND_DIMS, 0, shape_anew},
        {QC_TFLITE_SUM, 27, reduce},
        {QC_TFLITE_REDUCE_MAX, 27, reduce},
        {QC_TFLITE_LEAKY_RELU, 75, of_one},
        {QC_TFLITE_ELU, 0, of_one},
        {QC_TFLITE_QUANTIZE, 0, of_one},
        {QC_TFLITE_HARD_SWISH, 0, of_one},
    };
    const char *name = qc_tflite_op_name(r->at->op);
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        if (all[k].op != r->at->op) continue;
        if (all[k].options && r->at->options_type && r->at->options_type != all[k].options)
            return qc_tflite_refuse(r, "its options belong to another operator");
        return all[k].rewrite(r);
    }
    if (name && (strstr(name, "LSTM") || strstr(name, "RNN")))
        return qc_tflite_refuse(r, "recurrent layers are not supported; train a convolutional network in its place "
                                   "(qc-train -a share/arch/inceptiontime.yaml, or a TCN)");
    return qc_tflite_refuse(r, "this operator is not supported");
}
