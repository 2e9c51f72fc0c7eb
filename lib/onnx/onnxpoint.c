/* Operators that work value by value or along channels, and those that join. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "onnxparts.h"

/* v through a node of one input and the same axes. */
static int simple(QcOnnxImport *im, QcValue v, QcOp op, const char *weight)
{
    char name[QC_NAME_MAX + 1];
    qc_onnx_name(im, name, weight);
    int node = qc_graph_simple(im->g, name, op, v.node, im->err);
    if (node < 0) return -1;
    v.node = (uint32_t)node;
    v.alone = 1;
    return qc_onnx_put(im, v);
}

int qc_onnx_same(QcOnnxImport *im)
{
    const QcValue *x = qc_onnx_input(im, 0);
    if (!x) return -1;
    if (qc_onnx_has(im, 2)) { /* Dropout's training_mode */
        const QcTensor *t = qc_onnx_ints(im, 2);
        if (!t) return -1;
        if (t->n && t->i[0]) return qc_onnx_refuse(im, "it drops values at inference, too: export the model in eval mode");
    }
    return qc_onnx_put(im, *x);
}

int qc_onnx_softmax(QcOnnxImport *im)
{
    const QcValue *x = qc_onnx_computed(im, 0);
    if (!x) return -1;
    if (im->graph->n_output != 1 || !im->at->n_output || strcmp(im->at->output[0], im->graph->output[0]->name))
        return qc_onnx_refuse(im, "it is supported only as the last node, where it is left out");
    if (x->rank != 2) return qc_onnx_refuse(im, "it is supported only for rows of logits");
    im->softmax = 1;
    return qc_onnx_put(im, *x);
}

int qc_onnx_relu(QcOnnxImport *im)
{
    const QcValue *x = qc_onnx_computed(im, 0);
    if (!x) return -1;
    QcValue v = *x;
    if (v.padding < 0 && qc_value_settle(im, &v)) return -1; /* zeros stay zeros: they can wait behind it */
    return simple(im, v, QC_OP_RELU, NULL);
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
    const QcValue *x = qc_onnx_computed(im, 0);
    float low = -INFINITY, high = INFINITY;
    if (!x || limit(im, &low, "min", 1) || limit(im, &high, "max", 2)) return -1;
    if (low < 0 || low > 0 || !(high > 0)) return qc_onnx_refuse(im, "only limits of 0 and a number above it are supported");
    QcValue v = *x;
    if (v.padding < 0 && qc_value_settle(im, &v)) return -1;
    if (simple(im, v, QC_OP_RELU, NULL)) return -1;
    if (high < FLT_MAX) im->g->nodes[im->g->n_nodes - 1].clip = high;
    return 0;
}

/* ---- gain and shift along the channels ---- */

int qc_onnx_batchnorm(QcOnnxImport *im)
{
    const QcValue *x = qc_onnx_computed(im, 0);
    const float *values[4];
    if (!x) return -1;
    QcValue v = *x;
    if (qc_value_settle(im, &v)) return -1;
    if (qc_onnx_int(im, "training_mode", 0)) return qc_onnx_refuse(im, "it is in training mode: export the model in eval mode");
    if (v.rank < 2 || v.axis[0] != QC_AXIS_BATCH || (v.axis[1] != QC_AXIS_CHANNEL && !(v.axis[1] == QC_AXIS_ONE && im->g->nodes[v.node].channels == 1)))
        return qc_onnx_refuse(im, "the second axis of its input is not that of the channels");
    for (uint32_t k = 0; k < 4; k++) {
        const QcTensor *t = qc_onnx_floats(im, k + 1);
        if (!t) return -1;
        if (t->n != im->g->nodes[v.node].channels) return qc_onnx_wrong(im, "input %u has %zu values for %u channels", k + 1, t->n, im->g->nodes[v.node].channels);
        values[k] = t->f;
    }
    if (simple(im, v, QC_OP_BATCHNORM, im->at->input[1])) return -1;
    uint32_t node = im->g->n_nodes - 1;
    im->g->nodes[node].eps = qc_onnx_float(im, "epsilon", 1e-5f);
    if (!(im->g->nodes[node].eps > 0 && im->g->nodes[node].eps < 1)) return qc_onnx_refuse(im, "an epsilon of %g is not supported", (double)im->g->nodes[node].eps);
    im->fills[node] = (QcFill){values[0], values[1], values[2], values[3]};
    return 0;
}

/* In front of everything: it becomes part of the model's normalisation. */
static int normalise(QcOnnxImport *im, const QcValue *v, const float *gain, const float *shift)
{
    uint32_t channels = im->g->nodes[0].channels;
    float *new_gain = qc_arena_take(&im->arena, channels, sizeof *new_gain, im->err), *new_shift = qc_arena_take(&im->arena, channels, sizeof *new_shift, im->err);
    if (!new_gain || !new_shift) return -1;
    for (uint32_t c = 0; c < channels; c++) {
        new_gain[c] = gain[c] * (im->gain ? im->gain[c] : 1);
        new_shift[c] = gain[c] * (im->shift ? im->shift[c] : 0) + shift[c];
    }
    im->gain = new_gain;
    im->shift = new_shift;
    return qc_onnx_put(im, *v);
}

static int all_are(const float *values, uint32_t n, float value)
{
    for (uint32_t i = 0; i < n; i++)
        if (values[i] < value || values[i] > value) return 0;
    return 1;
}

static int all_positive(const float *values, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!(values[i] > 0 && values[i] < 3e38f)) return 0;
    return 1;
}

/* y = gain * x + shift: the bias of what is before it, the model's normalisation, or a batch norm with nothing to subtract. */
static int affine(QcOnnxImport *im, QcValue v, const float *gain, const float *shift)
{
    QcNode *node = &im->g->nodes[v.node];
    uint32_t channels = node->channels;
    if (!v.node && v.alone && all_positive(gain, channels)) return normalise(im, &v, gain, shift);
    if ((node->op == QC_OP_CONV || node->op == QC_OP_LINEAR) && !node->has_bias && v.alone && all_are(gain, channels, 1)) {
        node->has_bias = 1;
        node->n_bias = channels;
        im->fills[v.node].bias = shift;
        return qc_onnx_put(im, v);
    }
    float *zeros = qc_arena_take(&im->arena, channels, sizeof *zeros, im->err), *ones = qc_arena_take(&im->arena, channels, sizeof *ones, im->err);
    if (!zeros || !ones || simple(im, v, QC_OP_BATCHNORM, NULL)) return -1;
    uint32_t norm = im->g->n_nodes - 1;
    for (uint32_t c = 0; c < channels; c++) ones[c] = 1 - im->g->nodes[norm].eps; /* with eps it is 1 */
    im->fills[norm] = (QcFill){gain, shift, zeros, ones};
    return 0;
}

static int with_constant(QcOnnxImport *im, const QcValue *x, const QcTensor *t, int first)
{
    QcValue v = *x;
    if (!t->f) return qc_onnx_refuse(im, "its constant holds integers");
    if (qc_value_settle(im, &v)) return -1;
    uint32_t channels = im->g->nodes[v.node].channels;
    const float *c = qc_value_channels(im, &v, t);
    float *gain = qc_arena_take(&im->arena, channels, sizeof *gain, im->err), *shift = qc_arena_take(&im->arena, channels, sizeof *shift, im->err);
    if (!c || !gain || !shift) return -1;
    char op = im->at->op_type[0]; /* Add, Sub, Mul, Div */
    if (op == 'D' && first) return qc_onnx_refuse(im, "a constant divided by data is not supported");
    for (uint32_t k = 0; k < channels; k++) {
        gain[k] = op == 'M' ? c[k] : op == 'D' ? 1 / c[k] : op == 'S' && first ? -1 : 1;
        shift[k] = op == 'A' || (op == 'S' && first) ? c[k] : op == 'S' ? -c[k] : 0;
    }
    return affine(im, v, gain, shift);
}

int qc_onnx_arithmetic(QcOnnxImport *im)
{
    const QcValue *a = qc_onnx_input(im, 0), *b = a ? qc_onnx_input(im, 1) : NULL;
    char name[QC_NAME_MAX + 1];
    if (!b) return -1;
    if (a->kind == QC_VALUE_CONSTANT) return with_constant(im, b, &a->constant, 1);
    if (b->kind == QC_VALUE_CONSTANT) return with_constant(im, a, &b->constant, 0);
    if (strcmp(im->at->op_type, "Add")) return qc_onnx_refuse(im, "two computed values can be added, not combined otherwise");
    QcValue x = *a, y = *b;
    if (qc_value_settle(im, &x) || qc_value_settle(im, &y)) return -1;
    if (!qc_value_same_axes(im, &x, &y)) return qc_onnx_refuse(im, "the two values it adds differ in shape");
    qc_onnx_name(im, name, NULL);
    int node = qc_graph_add(im->g, name, x.node, y.node, im->err);
    if (node < 0) return -1;
    x.node = (uint32_t)node;
    x.alone = 1;
    return qc_onnx_put(im, x);
}

/* ---- Concat ---- */

/* A node of ours joins so many at a time; what it made is then the first of the next. */
static int join(QcOnnxImport *im, const uint32_t *nodes, uint32_t n)
{
    char name[QC_NAME_MAX + 1];
    uint32_t inputs[QC_MAX_INPUTS], some = 0;
    int node = -1;
    for (uint32_t i = 0; i < n; i++) {
        inputs[some++] = nodes[i];
        if (some < QC_MAX_INPUTS && i + 1 < n) continue;
        qc_onnx_name(im, name, NULL);
        node = qc_graph_concat(im->g, name, inputs, some, im->err);
        if (node < 0) return -1;
        inputs[0] = (uint32_t)node;
        some = 1;
    }
    return node;
}

static int is_channel_axis(const QcOnnxImport *im, const QcValue *v, uint32_t axis)
{
    return v->axis[axis] == QC_AXIS_CHANNEL || (v->axis[axis] == QC_AXIS_ONE && im->g->nodes[v->node].channels == 1);
}

/* Do all axes but that one mean the same? */
static int alike(const QcOnnxImport *im, const QcValue *a, const QcValue *b, uint32_t axis)
{
    if (a->rank != b->rank) return 0;
    for (uint32_t k = 0; k < a->rank; k++)
        if (k != axis && (qc_value_dim(im, a, k) != qc_value_dim(im, b, k) || (a->axis[k] != b->axis[k] && qc_value_dim(im, a, k) > 1))) return 0;
    return 1;
}

int qc_onnx_concat(QcOnnxImport *im)
{
    const QcValue *first = qc_onnx_computed(im, 0);
    uint32_t n = (uint32_t)im->at->n_input, *nodes = qc_arena_take(&im->arena, n, sizeof *nodes, im->err);
    int axis = first ? qc_onnx_axis(im, qc_onnx_int(im, "axis", 1), first->rank) : -1;
    if (!nodes || axis < 0) return -1;
    if (n > QC_MAX_NODES) return qc_onnx_refuse(im, "it joins %u values", n);
    QcValue out = *first;
    for (uint32_t i = 0; i < n; i++) {
        const QcValue *x = qc_onnx_computed(im, i);
        if (!x) return -1;
        QcValue v = *x;
        if (qc_value_settle(im, &v)) return -1;
        if (!is_channel_axis(im, &v, (uint32_t)axis)) return qc_onnx_refuse(im, "only channels can be joined, and axis %d of input %u is not theirs", axis, i);
        if (!alike(im, first, &v, (uint32_t)axis)) return qc_onnx_refuse(im, "input %u differs from the first in more than its channels", i);
        nodes[i] = v.node;
        if (!i) out = v;
    }
    if (n == 1) return qc_onnx_put(im, out);
    int node = join(im, nodes, n);
    if (node < 0) return -1;
    out.node = (uint32_t)node;
    out.axis[axis] = QC_AXIS_CHANNEL;
    out.alone = 1;
    return qc_onnx_put(im, out);
}
