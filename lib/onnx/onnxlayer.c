/* Operators with windows and weights: Conv, pools, Gemm, MatMul. */
#include <math.h>
#include <string.h>

#include "onnxparts.h"

enum { TOP, BOTTOM, LEFT, RIGHT };

/* ---- windows ---- */

typedef struct Sliding { /* along our height and width */
    uint32_t kernel[2], stride[2], dilation[2], before[2], after[2];
} Sliding;

/* A list of one number for each spatial axis, from `first` on; what is not given stays. */
static int read_list(QcOnnxImport *im, uint32_t out[2], const char *name, const int where[2], uint32_t axes, uint32_t first, uint32_t of, int64_t least)
{
    const Onnx__AttributeProto *a = qc_onnx_attribute(im, name);
    if (!a || !a->n_ints) return 0;
    if (a->n_ints != of) return qc_onnx_wrong(im, "%s has %zu numbers, not %u", name, a->n_ints, of);
    for (uint32_t k = 0; k < axes; k++) {
        int64_t value = a->ints[first + k];
        if (value < least || value > QC_MAX_DIM) return qc_onnx_refuse(im, "%s of %lld is not supported", name, (long long)value);
        out[where[k]] = (uint32_t)value;
    }
    return 0;
}

/* auto_pad: as much padding as gives ceil(size / stride) positions; an odd one behind (UPPER) or in front (LOWER). */
static void pad_same(Sliding *s, const int64_t size[2], int upper)
{
    for (int d = 0; d < 2; d++) {
        int64_t positions = (size[d] + s->stride[d] - 1) / s->stride[d];
        int64_t reach = (int64_t)(s->kernel[d] - 1) * s->dilation[d] + 1, pad = (positions - 1) * s->stride[d] + reach - size[d];
        if (pad < 0) pad = 0;
        s->before[d] = (uint32_t)(upper ? pad / 2 : pad - pad / 2);
        s->after[d] = (uint32_t)pad - s->before[d];
    }
}

/* ceil_mode: one more position where the last window would not be whole, unless it would begin behind the input. Returns whether padding grew. */
static int pad_to_ceiling(Sliding *s, const int64_t size[2])
{
    int grew = 0;
    for (int d = 0; d < 2; d++) {
        int64_t reach = (int64_t)(s->kernel[d] - 1) * s->dilation[d] + 1, room = size[d] + s->before[d] + s->after[d] - reach;
        if (room < 0 || room % s->stride[d] == 0 || (room / s->stride[d] + 1) * s->stride[d] >= size[d] + s->before[d]) continue;
        s->after[d] += (uint32_t)(s->stride[d] - room % s->stride[d]);
        grew = 1;
    }
    return grew;
}

static void sizes_of(const QcOnnxImport *im, int64_t size[2], const QcValue *v)
{
    size[0] = qc_value_axis_size(im, v, QC_AXIS_HEIGHT);
    size[1] = qc_value_axis_size(im, v, QC_AXIS_WIDTH);
}

/* Reads strides, dilations and paddings for the kernel that is set already. */
static int read_sliding(QcOnnxImport *im, Sliding *s, const QcValue *v, const int where[2])
{
    uint32_t axes = v->rank - 2;
    int64_t size[2];
    if (read_list(im, s->stride, "strides", where, axes, 0, axes, 1) || read_list(im, s->dilation, "dilations", where, axes, 0, axes, 1)) return -1;
    sizes_of(im, size, v);
    if (qc_onnx_is_text(im, "auto_pad", "SAME_UPPER") || qc_onnx_is_text(im, "auto_pad", "SAME_LOWER")) {
        pad_same(s, size, qc_onnx_is_text(im, "auto_pad", "SAME_UPPER"));
        return 0;
    }
    if (qc_onnx_is_text(im, "auto_pad", "VALID")) return 0;
    return read_list(im, s->before, "pads", where, axes, 0, 2 * axes, 0) || read_list(im, s->after, "pads", where, axes, axes, 2 * axes, 0) ? -1 : 0;
}

/* With the padding that waits at the value itself. */
static QcWindow window_of(const Sliding *s, const QcValue *v)
{
    return (QcWindow){s->kernel[0],  s->kernel[1],  s->stride[0],  s->stride[1],  s->dilation[0],  s->dilation[1],
                      s->before[0] + v->pad[TOP], s->after[0] + v->pad[BOTTOM], s->before[1] + v->pad[LEFT], s->after[1] + v->pad[RIGHT]};
}

/* The value of a node that slid over x: [N][C][...] with nothing pending. */
static QcValue slid(const QcValue *x, int node, const int where[2])
{
    QcValue out = {.kind = QC_VALUE_COMPUTED, .node = (uint32_t)node, .rank = x->rank, .axis = {QC_AXIS_BATCH, QC_AXIS_CHANNEL}, .alone = 1};
    for (uint32_t k = 2; k < x->rank; k++) out.axis[k] = where[k - 2] ? QC_AXIS_WIDTH : QC_AXIS_HEIGHT;
    return out;
}

static const char *weight_name(const QcOnnxImport *im, uint32_t k) { return k < im->at->n_input ? im->at->input[k] : NULL; }

/* ---- Conv ---- */

/* [out][in][s0][s1] -> [out][height][width][in] */
static const float *turn_kernel(QcOnnxImport *im, const QcTensor *w, const int where[2])
{
    uint32_t axes = w->rank - 2;
    size_t size[2] = {1, 1}, step[2] = {0, 0}, in = (size_t)w->dims[1], positions = 1;
    for (uint32_t k = axes; k-- > 0;) {
        size[where[k]] = (size_t)w->dims[2 + k];
        step[where[k]] = positions;
        positions *= (size_t)w->dims[2 + k];
    }
    float *turned = qc_arena_take(&im->arena, w->n, sizeof *turned, im->err), *to = turned;
    for (size_t o = 0; turned && o < (size_t)w->dims[0]; o++)
        for (size_t h = 0; h < size[0]; h++)
            for (size_t x = 0; x < size[1]; x++)
                for (size_t i = 0; i < in; i++) *to++ = w->f[(o * in + i) * positions + h * step[0] + x * step[1]];
    return turned;
}

static const float *bias_of(QcOnnxImport *im, uint32_t k, size_t n)
{
    const QcTensor *b = qc_onnx_floats(im, k);
    if (b && b->n != n) return qc_onnx_wrong(im, "its bias has %zu values for %zu channels", b->n, n), NULL;
    return b ? b->f : NULL;
}

int qc_onnx_conv(QcOnnxImport *im)
{
    const QcValue *x = qc_onnx_computed(im, 0);
    const QcTensor *w = x ? qc_onnx_floats(im, 1) : NULL;
    Sliding s = {{1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}};
    int where[2] = {1, 0}, has_bias = qc_onnx_has(im, 2);
    char name[QC_NAME_MAX + 1];
    if (!w || qc_value_spatial(im, x, where)) return -1;
    int64_t groups = qc_onnx_int(im, "group", 1), channels = qc_value_axis_size(im, x, QC_AXIS_CHANNEL);
    if (w->rank != x->rank || !w->n) return qc_onnx_wrong(im, "its weights have %u dimensions and its input %u", w->rank, x->rank);
    if (groups < 1 || groups > channels || w->dims[1] * groups != channels || w->dims[0] > QC_MAX_DIM)
        return qc_onnx_wrong(im, "weights for %lld channels in each of %lld groups do not fit an input of %lld channels", (long long)w->dims[1], (long long)groups, (long long)channels);
    for (uint32_t k = 2; k < w->rank; k++) {
        if (w->dims[k] > QC_MAX_DIM) return qc_onnx_refuse(im, "a kernel of %lld is too large", (long long)w->dims[k]);
        s.kernel[where[k - 2]] = (uint32_t)w->dims[k];
    }
    if (x->padding < 0) return qc_onnx_refuse(im, "its input is padded with minus infinity, which only a MaxPool may read");
    if (read_sliding(im, &s, x, where)) return -1;
    const float *weight = turn_kernel(im, w, where), *bias = has_bias ? bias_of(im, 2, (size_t)w->dims[0]) : NULL;
    if (!weight || (has_bias && !bias)) return -1;
    qc_onnx_name(im, name, weight_name(im, 1));
    int node = qc_graph_conv(im->g, name, x->node, (uint32_t)w->dims[0], window_of(&s, x), (uint32_t)groups, has_bias, im->err);
    if (node < 0) return -1;
    im->fills[node] = (QcFill){.weight = weight, .bias = bias};
    return qc_onnx_put(im, slid(x, node, where));
}

/* ---- pools ---- */

static int pool(QcOnnxImport *im, QcOp op, const QcValue *x, const Sliding *s, int count_padding, QcValue out)
{
    char name[QC_NAME_MAX + 1];
    qc_onnx_name(im, name, NULL);
    int node = qc_graph_pool(im->g, name, op, x->node, window_of(s, x), count_padding, im->err);
    out.node = (uint32_t)node;
    return node < 0 ? -1 : qc_onnx_put(im, out);
}

/* Zeros in front of a MaxPool are as good as nothing where no value is negative. */
static int max_may_read(QcOnnxImport *im, const QcValue *x)
{
    int waits = (x->pad[TOP] | x->pad[BOTTOM] | x->pad[LEFT] | x->pad[RIGHT]) != 0;
    if (!waits || x->padding < 0 || im->g->nodes[x->node].op == QC_OP_RELU) return 0;
    return qc_onnx_refuse(im, "its input is padded with zeros, which is not the same as a MaxPool's own padding");
}

int qc_onnx_pool(QcOnnxImport *im)
{
    const QcValue *x = qc_onnx_computed(im, 0);
    int is_max = !strcmp(im->at->op_type, "MaxPool"), where[2] = {1, 0}, counts = qc_onnx_int(im, "count_include_pad", 0) != 0;
    Sliding s = {{1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}};
    int64_t size[2];
    if (!x || qc_value_spatial(im, x, where)) return -1;
    if (!qc_onnx_attribute(im, "kernel_shape")) return qc_onnx_wrong(im, "it has no kernel_shape");
    if (read_list(im, s.kernel, "kernel_shape", where, x->rank - 2, 0, x->rank - 2, 1) || read_sliding(im, &s, x, where)) return -1;
    sizes_of(im, size, x);
    int grew = qc_onnx_int(im, "ceil_mode", 0) && pad_to_ceiling(&s, size), own = (s.before[0] | s.before[1] | s.after[0] | s.after[1]) != 0;
    int waits = (x->pad[TOP] | x->pad[BOTTOM] | x->pad[LEFT] | x->pad[RIGHT]) != 0;
    if (is_max) return max_may_read(im, x) ? -1 : pool(im, QC_OP_MAXPOOL, x, &s, 0, slid(x, 0, where));
    if (waits && (x->padding < 0 || (own && !counts))) return qc_onnx_refuse(im, "its input is padded in a way that it cannot take over");
    if (grew && (counts || waits)) return qc_onnx_refuse(im, "ceil_mode together with counted padding is not supported");
    return pool(im, QC_OP_AVGPOOL, x, &s, counts || waits, slid(x, 0, where));
}

/* One window over all of the height, the width, or both. */
static int pool_whole(QcOnnxImport *im, QcOp op, const QcValue *x, const int over[2], QcValue out)
{
    int64_t size[2];
    char name[QC_NAME_MAX + 1];
    sizes_of(im, size, x);
    if (op == QC_OP_AVGPOOL && (over[0] || size[0] == 1) && (over[1] || size[1] == 1)) {
        qc_onnx_name(im, name, NULL);
        int node = qc_graph_simple(im->g, name, QC_OP_GAP, x->node, im->err);
        out.node = (uint32_t)node;
        return node < 0 ? -1 : qc_onnx_put(im, out);
    }
    Sliding s = {{over[0] ? (uint32_t)size[0] : 1, over[1] ? (uint32_t)size[1] : 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}};
    return pool(im, op, x, &s, 0, out);
}

int qc_onnx_global_pool(QcOnnxImport *im)
{
    const QcValue *input = qc_onnx_computed(im, 0);
    int where[2] = {1, 0}, both[2] = {1, 1};
    if (!input || qc_value_spatial(im, input, where)) return -1;
    QcValue x = *input;
    if (qc_value_settle(im, &x)) return -1;
    return pool_whole(im, strcmp(im->at->op_type, "GlobalMaxPool") ? QC_OP_AVGPOOL : QC_OP_MAXPOOL, &x, both, slid(&x, 0, where));
}

int qc_onnx_reduce_mean(QcOnnxImport *im)
{
    const QcValue *input = qc_onnx_computed(im, 0);
    const int64_t *list;
    size_t n;
    int over[2] = {0, 0}, keep = qc_onnx_int(im, "keepdims", 1) != 0;
    uint32_t drop = 0;
    if (!input || qc_onnx_list(im, &list, &n, "axes", 1)) return -1;
    QcValue x = *input;
    if (qc_value_settle(im, &x)) return -1;
    if (!list || !n) return qc_onnx_refuse(im, "only a mean over axes of space or time is supported");
    for (size_t i = 0; i < n; i++) {
        int k = qc_onnx_axis(im, list[i], x.rank);
        if (k < 0) return -1;
        if (x.axis[k] == QC_AXIS_HEIGHT) over[0] = 1;
        else if (x.axis[k] == QC_AXIS_WIDTH) over[1] = 1;
        else if (x.axis[k] != QC_AXIS_ONE) return qc_onnx_refuse(im, "only a mean over axes of space or time is supported, not over axis %d", k);
        drop |= 1u << k;
    }
    QcValue out = x;
    out.alone = 1;
    if (!keep) out.rank = 0;
    for (uint32_t k = 0; k < x.rank && !keep; k++)
        if (!(drop >> k & 1)) out.axis[out.rank++] = x.axis[k];
    return pool_whole(im, QC_OP_AVGPOOL, &x, over, out);
}

/* ---- Gemm and MatMul: values are rows ---- */

/* w [in][out] (or [out][in]: turned), in the order in which ONNX flattens x -> [out][h][w][c]. */
static const float *turn_matrix(QcOnnxImport *im, const QcValue *x, const QcTensor *w, int turned, float alpha)
{
    const QcNode *node = &im->g->nodes[x->node];
    size_t n_in = (size_t)w->dims[turned ? 1 : 0], n_out = (size_t)w->dims[turned ? 0 : 1], step[3] = {0, 0, 0}, size[3] = {node->channels, node->height, node->width}, all = 1;
    uint8_t order[3];
    for (uint32_t i = qc_value_order(im, x, order); i-- > 0;) {
        step[order[i]] = all;
        all *= size[order[i]];
    }
    float *out = qc_arena_take(&im->arena, w->n, sizeof *out, im->err), *to = out;
    for (size_t o = 0; out && o < n_out; o++)
        for (size_t h = 0; h < size[QC_AXIS_HEIGHT]; h++)
            for (size_t v = 0; v < size[QC_AXIS_WIDTH]; v++)
                for (size_t c = 0; c < size[QC_AXIS_CHANNEL]; c++) {
                    size_t in = h * step[QC_AXIS_HEIGHT] + v * step[QC_AXIS_WIDTH] + c * step[QC_AXIS_CHANNEL];
                    *to++ = alpha * (turned ? w->f[o * n_in + in] : w->f[in * n_out + o]);
                }
    return out;
}

static int linear(QcOnnxImport *im, const QcValue *x, const QcTensor *w, int turned, float alpha, const float *bias)
{
    char name[QC_NAME_MAX + 1];
    int64_t in = qc_value_dim(im, x, 1), rows = w->dims[turned ? 1 : 0], out = w->dims[turned ? 0 : 1];
    const QcNode *node = &im->g->nodes[x->node];
    if (x->axis[0] != QC_AXIS_BATCH || in != (int64_t)node->height * node->width * node->channels) return qc_onnx_refuse(im, "its input is not one row a window");
    if (rows != in || out < 1 || out > QC_MAX_DIM) return qc_onnx_wrong(im, "weights of %lld x %lld do not fit rows of %lld", (long long)rows, (long long)out, (long long)in);
    const float *weight = turn_matrix(im, x, w, turned, alpha);
    if (!weight) return -1;
    qc_onnx_name(im, name, weight_name(im, 1));
    int made = qc_graph_linear(im->g, name, x->node, (uint32_t)out, bias != NULL, im->err);
    if (made < 0) return -1;
    im->fills[made] = (QcFill){.weight = weight, .bias = bias};
    return qc_onnx_put(im, (QcValue){.kind = QC_VALUE_COMPUTED, .node = (uint32_t)made, .rank = 2, .axis = {QC_AXIS_BATCH, QC_AXIS_CHANNEL}, .alone = 1});
}

static const float *gemm_bias(QcOnnxImport *im, size_t n, float beta)
{
    const QcTensor *c = qc_onnx_floats(im, 2);
    float *bias = c ? qc_arena_take(&im->arena, n, sizeof *bias, im->err) : NULL;
    if (!bias) return NULL;
    if ((c->n != n && c->n != 1) || (c->rank && c->n == n && (size_t)c->dims[c->rank - 1] != n))
        return qc_onnx_wrong(im, "its bias has %zu values for %zu rows of weights", c->n, n), NULL;
    for (size_t i = 0; i < n; i++) bias[i] = beta * c->f[c->n == 1 ? 0 : i];
    return bias;
}

int qc_onnx_gemm(QcOnnxImport *im)
{
    const QcValue *input = qc_onnx_computed(im, 0);
    const QcTensor *w = input ? qc_onnx_floats(im, 1) : NULL;
    int turned = qc_onnx_int(im, "transB", 0) != 0;
    if (!w) return -1;
    QcValue x = *input;
    if (qc_value_settle(im, &x)) return -1;
    if (qc_onnx_int(im, "transA", 0) || x.rank != 2) return qc_onnx_refuse(im, "only rows of shape [N, features] are supported");
    if (w->rank != 2 || !w->n) return qc_onnx_wrong(im, "its weights are no matrix");
    const float *bias = qc_onnx_has(im, 2) ? gemm_bias(im, (size_t)w->dims[turned ? 0 : 1], qc_onnx_float(im, "beta", 1)) : NULL;
    if (qc_onnx_has(im, 2) && !bias) return -1;
    return linear(im, &x, w, turned, qc_onnx_float(im, "alpha", 1), bias);
}

/* A matrix along the channels of every position is a 1 x 1 convolution. */
static int pointwise(QcOnnxImport *im, const QcValue *x, const QcTensor *w)
{
    char name[QC_NAME_MAX + 1];
    QcWindow one = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
    size_t in = (size_t)w->dims[0], out = (size_t)w->dims[1];
    if ((int64_t)in != qc_value_axis_size(im, x, QC_AXIS_CHANNEL) || out > QC_MAX_DIM) return qc_onnx_wrong(im, "weights of %zu x %zu do not fit its input", in, out);
    float *weight = qc_arena_take(&im->arena, w->n, sizeof *weight, im->err);
    if (!weight) return -1;
    for (size_t o = 0; o < out; o++)
        for (size_t i = 0; i < in; i++) weight[o * in + i] = w->f[i * out + o];
    qc_onnx_name(im, name, weight_name(im, 1));
    int node = qc_graph_conv(im->g, name, x->node, (uint32_t)out, one, 1, 0, im->err);
    if (node < 0) return -1;
    im->fills[node].weight = weight;
    QcValue y = *x;
    y.node = (uint32_t)node;
    y.alone = 1;
    return qc_onnx_put(im, y);
}

int qc_onnx_matmul(QcOnnxImport *im)
{
    const QcValue *input = qc_onnx_computed(im, 0);
    const QcTensor *w = input ? qc_onnx_floats(im, 1) : NULL;
    if (!w) return -1;
    QcValue x = *input;
    if (qc_value_settle(im, &x)) return -1;
    if (w->rank != 2 || !w->n) return qc_onnx_refuse(im, "its second factor is no matrix");
    if (x.rank == 2) return linear(im, &x, w, 0, 1, NULL);
    if (x.rank > 2 && x.axis[x.rank - 1] == QC_AXIS_CHANNEL) return pointwise(im, &x, w);
    return qc_onnx_refuse(im, "only the last axis of [N, features] or [N, ..., channels] can be multiplied");
}
