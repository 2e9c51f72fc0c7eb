/* Gemm and MatMul with constant weights, and Concat. */
#include <string.h>

#include "onnxparts.h"

static const char *weight_name(const QcOnnxImport *im, uint32_t k)
{
    return k < im->at->n_input ? im->at->input[k] : NULL;
}

/* ---- rows that are whole windows ---- */

/* Does the last axis have all numbers of the node? */
static int is_row(const QcOnnxImport *im, const QcValue *x)
{
    return qc_view_covers(im, x) && qc_view_size(x, x->rank - 1) == qc_view_values(x);
}

/* Where in its node number i of the last axis lies. */
static size_t place_of(const QcValue *x, size_t i)
{
    size_t at = 0;
    for (uint32_t k = x->n_atoms; k-- > 0; i /= x->atoms[k].size) at += i % x->atoms[k].size * x->atoms[k].stride;
    return at;
}

/* One weight of w [in][out], or [out][in] if turned. */
static float weight_at(const QcTensor *w, int turned, size_t in, size_t out)
{
    return turned ? w->f[out * (size_t)w->dims[1] + in] : w->f[in * (size_t)w->dims[1] + out];
}

/* Steps of weights that are multiplied by alpha; NULL: they have none. */
static const float *steps_of(QcOnnxImport *im, const QcTensor *w, int turned, size_t out, float alpha)
{
    const float *steps = alpha > 0 ? qc_fold_steps(im, w, turned ? 0 : 1, out) : NULL;
    float *scaled = steps ? qc_onnx_room(im, out, sizeof *scaled) : NULL;
    for (size_t o = 0; scaled && o < out; o++) scaled[o] = alpha * steps[o];
    return scaled;
}

static int linear(QcOnnxImport *im, QcValue *x, const QcTensor *w, int turned, float alpha, const float *bias)
{
    char name[QC_NAME_MAX + 1];
    size_t in = (size_t)w->dims[turned ? 1 : 0], out = (size_t)w->dims[turned ? 0 : 1];
    float *weight = qc_onnx_room(im, w->n, sizeof *weight);
    if (!weight) return -1;
    for (size_t i = 0; i < in; i++)
        for (size_t o = 0, at = place_of(x, i); o < out; o++) weight[o * in + at] = alpha * weight_at(w, turned, i, o);
    qc_onnx_name(im, name, weight_name(im, 1));
    int node = qc_graph_linear(im->g, name, x->node, (uint32_t)out, bias != NULL, im->err);
    if (node < 0) return -1;
    im->fills[node] = (QcFill){.weight = weight, .bias = bias, .step = steps_of(im, w, turned, out, alpha)};
    x->node = (uint32_t)node;
    x->alone = 1;
    x->offset = x->n_atoms = 0;
    if (out > 1) x->atoms[x->n_atoms++] = (QcAtom){(uint32_t)out, 1, x->rank - 1};
    return 0;
}

/* ---- rows at each position: a 1 x 1 convolution ---- */

static int pointwise(QcOnnxImport *im, QcValue *x, const QcTensor *w, int turned, float alpha, const float *bias)
{
    char name[QC_NAME_MAX + 1];
    QcWindow one = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
    uint32_t last = x->rank - 1;
    size_t in = (size_t)w->dims[turned ? 1 : 0], out = (size_t)w->dims[turned ? 0 : 1];
    QcAxes axes = qc_layout_of_channels(x, 1u << last);
    axes = qc_layout_find(im, x, qc_fit_channels_are, 1u << last, &axes);
    axes.of[last] = QC_AXIS_CHANNELS;
    if (qc_layout_arrange(im, x, &axes)) return -1;
    float *weight = qc_onnx_room(im, w->n, sizeof *weight);
    if (!weight) return -1;
    for (size_t o = 0; o < out; o++)
        for (size_t i = 0; i < in; i++) weight[o * in + i] = alpha * weight_at(w, turned, i, o);
    qc_onnx_name(im, name, weight_name(im, 1));
    int node = qc_graph_conv(im->g, name, x->node, (uint32_t)out, one, 1, bias != NULL, im->err);
    if (node < 0) return -1;
    im->fills[node] = (QcFill){.weight = weight, .bias = bias, .step = steps_of(im, w, turned, out, alpha)};
    x->node = (uint32_t)node;
    x->alone = 1;
    for (uint32_t i = 0; i < x->n_atoms; i++)
        if (x->atoms[i].axis == last) x->atoms[i].size = 1;
    qc_view_clean(x);
    if (x->n_atoms == QC_ONNX_ATOMS) return qc_onnx_refuse(im, "its input has too many axes");
    if (out > 1) x->atoms[x->n_atoms++] = (QcAtom){(uint32_t)out, 1, last};
    qc_layout_restride(x, &axes);
    qc_view_clean(x);
    return 0;
}

static int multiply(QcOnnxImport *im, QcValue *x, const QcTensor *w, int turned, float alpha, const float *bias)
{
    if (w->rank != 2 || !w->n) return qc_onnx_refuse(im, "its second factor is no matrix");
    int64_t rows = w->dims[turned ? 1 : 0], out = w->dims[turned ? 0 : 1];
    if (x->rank < 2) return qc_onnx_refuse(im, "its input has no axis of features");
    if (rows != qc_view_size(x, x->rank - 1) || out > QC_MAX_DIM)
        return qc_onnx_wrong(im, "weights of %lld x %lld do not fit rows of %u", (long long)rows, (long long)out,
                             qc_view_size(x, x->rank - 1));
    return is_row(im, x) ? linear(im, x, w, turned, alpha, bias) : pointwise(im, x, w, turned, alpha, bias);
}

static const float *gemm_bias(QcOnnxImport *im, size_t n, float beta)
{
    const QcTensor *c = qc_onnx_floats(im, 2);
    float *bias = c ? qc_onnx_room(im, n, sizeof *bias) : NULL;
    if (!bias) return NULL;
    if (c->rank > 1 && c->dims[c->rank - 2] > 1) return qc_onnx_refuse(im, "its bias differs between windows"), NULL;
    if ((c->n != n && c->n != 1) || (c->rank && c->n == n && (size_t)c->dims[c->rank - 1] != n))
        return qc_onnx_wrong(im, "its bias has %zu values for %zu rows of weights", c->n, n), NULL;
    for (size_t i = 0; i < n; i++) bias[i] = beta * c->f[c->n == 1 ? 0 : i];
    return bias;
}

int qc_onnx_gemm(QcOnnxImport *im)
{
    const QcTensor *w = qc_onnx_floats(im, 1);
    int turned = qc_onnx_int(im, "transB", 0) != 0, has_bias = qc_onnx_has(im, 2);
    QcValue x;
    if (!w || qc_onnx_take(im, &x, 0, QC_TAKE_SETTLED)) return -1;
    if (qc_onnx_int(im, "transA", 0) || x.rank != 2)
        return qc_onnx_refuse(im, "only rows of shape [N, features] are supported");
    if (w->rank != 2 || !w->n) return qc_onnx_wrong(im, "its weights are no matrix");
    const float *bias = has_bias ? gemm_bias(im, (size_t)w->dims[turned ? 0 : 1], qc_onnx_float(im, "beta", 1)) : NULL;
    if (has_bias && !bias) return -1;
    return multiply(im, &x, w, turned, qc_onnx_float(im, "alpha", 1), bias) ? -1 : qc_onnx_put(im, &x);
}

int qc_onnx_matmul(QcOnnxImport *im)
{
    const QcTensor *w = qc_onnx_floats(im, 1);
    QcValue x;
    if (!w || qc_onnx_take(im, &x, 0, QC_TAKE_SETTLED)) return -1;
    return multiply(im, &x, w, 0, 1, NULL) ? -1 : qc_onnx_put(im, &x);
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

int qc_onnx_concat(QcOnnxImport *im)
{
    QcValue first, v;
    uint32_t n = (uint32_t)im->at->n_input, *nodes = qc_onnx_room(im, n, sizeof *nodes);
    if (!nodes || qc_onnx_take(im, &first, 0, QC_TAKE_SETTLED)) return -1;
    int axis = qc_onnx_axis(im, qc_onnx_int(im, "axis", 1), first.rank);
    if (axis < 0) return -1;
    if (!axis) return qc_onnx_refuse(im, "it joins windows of a batch");
    if (n > QC_MAX_NODES) return qc_onnx_refuse(im, "it joins %u values", n);
    QcAxes axes = qc_layout_of_channels(&first, 1u << axis);
    axes = qc_layout_find(im, &first, qc_fit_channels_are, 1u << axis, &axes);
    axes.of[axis] = QC_AXIS_CHANNELS;
    uint64_t size = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (qc_onnx_take(im, &v, i, QC_TAKE_SETTLED)) return -1;
        for (uint32_t k = 0; k < first.rank; k++)
            if (v.rank != first.rank || ((int)k != axis && qc_view_size(&v, k) != qc_view_size(&first, k)))
                return qc_onnx_wrong(im, "input %u differs from the first in more than axis %d", i, axis);
        if (qc_layout_arrange(im, &v, &axes)) return -1;
        nodes[i] = v.node;
        size += qc_view_size(&v, (uint32_t)axis);
    }
    if (size > QC_MAX_DIM) return qc_onnx_refuse(im, "it makes %llu channels", (unsigned long long)size);
    int node = n == 1 ? (int)nodes[0] : join(im, nodes, n);
    if (node < 0) return -1;
    v.node = (uint32_t)node;
    v.alone = n > 1;
    for (uint32_t i = 0; i < v.n_atoms; i++)
        if (v.atoms[i].axis == (uint32_t)axis) v.atoms[i].size = 1;
    qc_view_clean(&v);
    if (size > 1) v.atoms[v.n_atoms++] = (QcAtom){(uint32_t)size, 1, (uint32_t)axis};
    qc_layout_restride(&v, &axes);
    qc_view_clean(&v);
    return qc_onnx_put(im, &v);
}
