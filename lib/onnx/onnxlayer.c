/* Operators with windows: Conv and pools. */
#include <math.h>
#include <string.h>

#include "onnxparts.h"

/* ---- windows ---- */

typedef struct Sliding { /* along our height and width */
    uint32_t kernel[2], stride[2], dilation[2], before[2], after[2];
} Sliding;

/* A list of one number for each spatial axis, from `first` on; what is not given stays. */
static int read_list(QcOnnxImport *im, uint32_t out[2], const char *name, const int where[2], uint32_t axes,
                     uint32_t first, uint32_t of, int64_t least)
{
    const Onnx__AttributeProto *a = qc_onnx_attribute(im, name);
    if (!a || !a->n_ints) return 0;
    if (a->n_ints != of) return qc_onnx_wrong(im, "%s has %zu numbers, not %u", name, a->n_ints, of);
    for (uint32_t k = 0; k < axes; k++) {
        int64_t value = a->ints[first + k];
        if (value < least || value > QC_MAX_DIM)
            return qc_onnx_refuse(im, "%s of %lld is not supported", name, (long long)value);
        out[where[k]] = (uint32_t)value;
    }
    return 0;
}

/* auto_pad: as much padding as gives ceil(size / stride) positions; an odd one at the end (UPPER) or start (LOWER). */
static void pad_same(Sliding *s, const int64_t size[2], int upper)
{
    for (int d = 0; d < 2; d++) {
        int64_t positions = (size[d] + s->stride[d] - 1) / s->stride[d];
        int64_t reach = (int64_t)(s->kernel[d] - 1) * s->dilation[d] + 1,
                pad = (positions - 1) * s->stride[d] + reach - size[d];
        if (pad < 0) pad = 0;
        s->before[d] = (uint32_t)(upper ? pad / 2 : pad - pad / 2);
        s->after[d] = (uint32_t)pad - s->before[d];
    }
}

/* ceil_mode: one more position where the last window would not be whole, unless it would begin after the input.
 * Returns whether padding grew. */
static int pad_to_ceiling(Sliding *s, const int64_t size[2])
{
    int grew = 0;
    for (int d = 0; d < 2; d++) {
        int64_t reach = (int64_t)(s->kernel[d] - 1) * s->dilation[d] + 1,
                room = size[d] + s->before[d] + s->after[d] - reach;
        if (room < 0 || room % s->stride[d] == 0 || (room / s->stride[d] + 1) * s->stride[d] >= size[d] + s->before[d])
            continue;
        s->after[d] += (uint32_t)(s->stride[d] - room % s->stride[d]);
        grew = 1;
    }
    return grew;
}

/* Removes padding at the end that no window reads, which exporters without ceil_mode write. */
static void trim_padding(Sliding *s, const int64_t size[2])
{
    for (int d = 0; d < 2; d++) {
        int64_t reach = (int64_t)(s->kernel[d] - 1) * s->dilation[d] + 1,
                room = size[d] + s->before[d] + s->after[d] - reach;
        uint32_t unread = room < 0 ? 0 : (uint32_t)(room % s->stride[d]);
        s->after[d] -= unread < s->after[d] ? unread : s->after[d];
    }
}

/* Sizes along our height and width, padding that waits included. */
static void sizes_of(const QcOnnxImport *im, int64_t size[2], const QcValue *v, const int where[2])
{
    size[0] = size[1] = 1;
    for (uint32_t k = 2; k < v->rank; k++) size[where[k - 2]] = qc_view_dim(im, v, k);
}

/* Reads strides, dilations and paddings for the kernel that is set already. */
static int read_sliding(QcOnnxImport *im, Sliding *s, const QcValue *v, const int where[2])
{
    uint32_t axes = v->rank - 2;
    int64_t size[2];
    const Onnx__AttributeProto *pad = qc_onnx_attribute(im, "auto_pad");
    if (read_list(im, s->stride, "strides", where, axes, 0, axes, 1) ||
        read_list(im, s->dilation, "dilations", where, axes, 0, axes, 1))
        return -1;
    sizes_of(im, size, v, where);
    if (qc_onnx_is_text(im, "auto_pad", "SAME_UPPER") || qc_onnx_is_text(im, "auto_pad", "SAME_LOWER")) {
        pad_same(s, size, qc_onnx_is_text(im, "auto_pad", "SAME_UPPER"));
        return 0;
    }
    if (qc_onnx_is_text(im, "auto_pad", "VALID")) return 0;
    if (pad && !qc_onnx_is_text(im, "auto_pad", "NOTSET"))
        return qc_onnx_refuse(im, "its auto_pad is none of the standard's");
    return read_list(im, s->before, "pads", where, axes, 0, 2 * axes, 0) ||
                   read_list(im, s->after, "pads", where, axes, axes, 2 * axes, 0)
               ? -1
               : 0;
}

/* With the padding that waits at the value itself. */
static QcWindow window_of(const Sliding *s, const QcValue *v, const int where[2])
{
    uint32_t before[2] = {s->before[0], s->before[1]}, after[2] = {s->after[0], s->after[1]};
    for (uint32_t k = 2; k < v->rank; k++) before[where[k - 2]] += v->pads[k][0], after[where[k - 2]] += v->pads[k][1];
    return (QcWindow){s->kernel[0],   s->kernel[1], s->stride[0], s->stride[1], s->dilation[0],
                      s->dilation[1], before[0],    after[0],     before[1],    after[1]};
}

/* x is brought into [N][C][...] with its spatial axes along our height and width; where[k]: 0 height, 1 width. */
static int lay_spatial(QcOnnxImport *im, QcValue *x, QcAxes *axes, int where[2])
{
    if (qc_layout_spatial(im, x, axes) || qc_layout_arrange(im, x, axes)) return -1;
    for (uint32_t k = 2; k < x->rank; k++) where[k - 2] = axes->of[k] == QC_AXIS_WIDTH;
    return 0;
}

static int open_spatial(QcOnnxImport *im, QcValue *x, QcAxes *axes, int where[2])
{
    if (qc_onnx_take(im, x, 0, QC_TAKE_APPLIED)) return -1;
    if ((x->pads[0][0] | x->pads[0][1] | x->pads[1][0] | x->pads[1][1]) && qc_wait_settle(im, x)) return -1;
    return lay_spatial(im, x, axes, where);
}

static const char *weight_name(const QcOnnxImport *im, uint32_t k)
{
    return k < im->at->n_input ? im->at->input[k] : NULL;
}

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
    float *turned = qc_onnx_room(im, w->n, sizeof *turned), *to = turned;
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
    const QcTensor *w = qc_onnx_floats(im, 1);
    Sliding s = {{1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}};
    int where[2] = {1, 0}, has_bias = qc_onnx_has(im, 2);
    char name[QC_NAME_MAX + 1];
    QcAxes axes;
    QcValue x, y;
    if (!w || open_spatial(im, &x, &axes, where)) return -1;
    int64_t groups = qc_onnx_int(im, "group", 1), channels = im->g->nodes[x.node].channels;
    if (w->rank != x.rank || !w->n)
        return qc_onnx_wrong(im, "its weights have %u dimensions and its input %u", w->rank, x.rank);
    if (groups < 1 || groups > channels || w->dims[1] * groups != channels || w->dims[0] > QC_MAX_DIM)
        return qc_onnx_wrong(im,
                             "weights for %lld channels in each of %lld groups do not fit an input of %lld channels",
                             (long long)w->dims[1], (long long)groups, (long long)channels);
    if (read_list(im, s.kernel, "kernel_shape", where, x.rank - 2, 0, x.rank - 2, 1)) return -1;
    for (uint32_t k = 2; k < w->rank; k++) {
        if (w->dims[k] > QC_MAX_DIM) return qc_onnx_refuse(im, "a kernel of %lld is too large", (long long)w->dims[k]);
        if (qc_onnx_attribute(im, "kernel_shape") && s.kernel[where[k - 2]] != (uint32_t)w->dims[k])
            return qc_onnx_wrong(im, "its kernel_shape is not the shape of its weights");
        s.kernel[where[k - 2]] = (uint32_t)w->dims[k];
    }
    if (qc_wait_padded(&x) && x.padding < 0)
        return qc_onnx_refuse(im, "its input is padded with minus infinity, which only a MaxPool may read");
    if (read_sliding(im, &s, &x, where)) return -1;
    const float *weight = turn_kernel(im, w, where), *bias = has_bias ? bias_of(im, 2, (size_t)w->dims[0]) : NULL;
    if (!weight || (has_bias && !bias)) return -1;
    qc_onnx_name(im, name, weight_name(im, 1));
    int node = qc_graph_conv(im->g, name, x.node, (uint32_t)w->dims[0], window_of(&s, &x, where), (uint32_t)groups,
                             has_bias, im->err);
    if (node < 0) return -1;
    im->fills[node] = (QcFill){.weight = weight, .bias = bias, .step = qc_fold_steps(im, w, 0, (size_t)w->dims[0])};
    qc_view_of_node(im, &y, (uint32_t)node, x.rank, &axes);
    return qc_onnx_put(im, &y);
}

/* ---- pools ---- */

static int pool(QcOnnxImport *im, QcOp op, const QcValue *x, QcWindow window, int count_padding, const QcAxes *axes)
{
    char name[QC_NAME_MAX + 1];
    QcValue y;
    qc_onnx_name(im, name, NULL);
    int node = qc_graph_pool(im->g, name, op, x->node, window, count_padding, im->err);
    if (node < 0) return -1;
    qc_view_of_node(im, &y, (uint32_t)node, x->rank, axes);
    y.step = x->step;
    y.zero = x->zero;
    return qc_onnx_put(im, &y);
}

/* 1 if each window has values of the input, not only padding. */
static int sees_values(const QcWindow *w)
{
    return w->pad_top < w->kernel_h && w->pad_bottom < w->kernel_h && w->pad_left < w->kernel_w &&
           w->pad_right < w->kernel_w && w->dilation_h == 1 && w->dilation_w == 1;
}

/* 1 if the waiting padding of a Pad can become the pool's own padding. For a MaxPool, zeros change nothing if no value
 * is negative. An average counts the zeros of a Pad, and its own padding only with count_include_pad. */
static int may_pad(const QcOnnxImport *im, const QcValue *x, const Sliding *s, const QcWindow *w, int is_max,
                   int counts)
{
    int own = (s->before[0] | s->before[1] | s->after[0] | s->after[1]) != 0;
    if (!qc_wait_padded(x) || (is_max && x->padding < 0)) return 1;
    return sees_values(w) && (is_max ? im->g->nodes[x->node].op == QC_OP_RELU : x->padding >= 0 && (counts || !own));
}

static int read_pool(QcOnnxImport *im, Sliding *s, const QcValue *x, const int where[2])
{
    *s = (Sliding){{1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}};
    return read_list(im, s->kernel, "kernel_shape", where, x->rank - 2, 0, x->rank - 2, 1) ||
                   read_sliding(im, s, x, where)
               ? -1
               : 0;
}

int qc_onnx_pool(QcOnnxImport *im)
{
    int is_max = !strcmp(im->at->op_type, "MaxPool"), where[2] = {1, 0},
        counts = qc_onnx_int(im, "count_include_pad", 0) != 0;
    Sliding s;
    int64_t size[2];
    QcAxes axes;
    QcValue x;
    if (open_spatial(im, &x, &axes, where)) return -1;
    if (!qc_onnx_attribute(im, "kernel_shape")) return qc_onnx_wrong(im, "it has no kernel_shape");
    if (read_pool(im, &s, &x, where)) return -1;
    QcWindow window = window_of(&s, &x, where);
    if (!may_pad(im, &x, &s, &window, is_max, counts)) /* the zeros are values */
        if (qc_wait_settle(im, &x) || lay_spatial(im, &x, &axes, where) || read_pool(im, &s, &x, where)) return -1;
    sizes_of(im, size, &x, where);
    int grew = qc_onnx_int(im, "ceil_mode", 0) && pad_to_ceiling(&s, size), waits = qc_wait_padded(&x);
    trim_padding(&s, size);
    if (is_max) return pool(im, QC_OP_MAXPOOL, &x, window_of(&s, &x, where), 0, &axes);
    if (grew && (counts || waits))
        return qc_onnx_refuse(im, "ceil_mode together with counted padding is not supported");
    return pool(im, QC_OP_AVGPOOL, &x, window_of(&s, &x, where), counts || waits, &axes);
}

/* ---- over whole axes ---- */

/* Each of height and width is all of the set or none of it, and no channel is. */
static int fit_reduced(const QcAxes *axes, uint32_t rank, uint32_t set)
{
    int seen[4] = {0};
    for (uint32_t k = 0; k < rank; k++) {
        int in = 1 + (int)(set >> k & 1);
        if (axes->of[k] == QC_AXIS_NONE) continue;
        if (seen[axes->of[k]] && seen[axes->of[k]] != in) return 0;
        seen[axes->of[k]] = in;
    }
    return seen[QC_AXIS_CHANNELS] != 2;
}

/* A maximum or mean over the axes of the set, which stay with size 1. */
static int reduce(QcOnnxImport *im, QcValue *x, QcOp op, uint32_t set)
{
    char name[QC_NAME_MAX + 1];
    int over[2] = {0, 0};
    QcAxes axes;
    for (uint32_t k = 0; k < x->rank; k++) axes.of[k] = set >> k & 1 ? QC_AXIS_WIDTH : QC_AXIS_CHANNELS;
    axes = qc_layout_find(im, x, fit_reduced, set, &axes);
    if (qc_layout_arrange(im, x, &axes)) return -1;
    for (uint32_t i = 0; i < x->n_atoms; i++) {
        if (!(set >> x->atoms[i].axis & 1)) continue;
        over[axes.of[x->atoms[i].axis] == QC_AXIS_WIDTH] = 1;
        x->atoms[i].size = 1;
    }
    const QcNode *in = &im->g->nodes[x->node];
    qc_onnx_name(im, name, NULL);
    QcWindow window = {over[0] ? in->height : 1, over[1] ? in->width : 1, 1, 1, 1, 1, 0, 0, 0, 0};
    int all = (over[0] || in->height == 1) && (over[1] || in->width == 1);
    int node = op == QC_OP_AVGPOOL && all ? qc_graph_simple(im->g, name, QC_OP_GAP, x->node, im->err)
                                          : qc_graph_pool(im->g, name, op, x->node, window, 0, im->err);
    if (node < 0) return -1;
    x->node = (uint32_t)node;
    x->alone = 1;
    qc_layout_restride(x, &axes);
    qc_view_clean(x);
    return 0;
}

int qc_onnx_global_pool(QcOnnxImport *im)
{
    QcValue x;
    if (qc_onnx_take(im, &x, 0, QC_TAKE_SETTLED)) return -1;
    if (x.rank < 3) return qc_onnx_refuse(im, "its input has no axis of space or time");
    return reduce(im, &x, strcmp(im->at->op_type, "GlobalMaxPool") ? QC_OP_AVGPOOL : QC_OP_MAXPOOL,
                  ((1u << x.rank) - 1) & ~3u)
               ? -1
               : qc_onnx_put(im, &x);
}

/* What a reduction does to each value before it, and after it; NULL: nothing. */
static const QcStep *around(const char *op, int after, uint32_t *n)
{
    static const QcStep minus[] = {{QC_STEP_X, 0}, {QC_STEP_NUMBER, -1}, {QC_STEP_MUL, 0}},
                        square[] = {{QC_STEP_X, 0}, {QC_STEP_X, 0}, {QC_STEP_MUL, 0}},
                        root[] = {{QC_STEP_X, 0}, {QC_STEP_SQRT, 0}};
    *n = 3;
    if (!strcmp(op, "ReduceMin")) return minus;
    if (strcmp(op, "ReduceL2")) return NULL;
    if (after) *n = 2;
    return after ? root : square;
}

/* ReduceMean, ReduceMax, ReduceMin, ReduceSum, ReduceL2 */
int qc_onnx_reduce(QcOnnxImport *im)
{
    const char *op = im->at->op_type;
    int largest = !strcmp(op, "ReduceMax") || !strcmp(op, "ReduceMin"), mean = !strcmp(op, "ReduceMean");
    uint32_t n_steps;
    const int64_t *list;
    uint8_t mark[QC_ONNX_RANK];
    size_t n;
    QcValue x;
    uint32_t set = 0, count = 1, to[QC_ONNX_RANK] = {0}, rank = 0;
    int keep = qc_onnx_int(im, "keepdims", 1) != 0;
    if (qc_onnx_take(im, &x, 0, QC_TAKE_SETTLED) || qc_onnx_list(im, &list, &n, "axes", 1) ||
        qc_onnx_mark(im, mark, list, n, x.rank))
        return -1;
    if ((!list || !n) && qc_onnx_int(im, "noop_with_empty_axes", 0)) return qc_onnx_put(im, &x);
    if (!list || !n || mark[0]) return qc_onnx_refuse(im, "it goes over the axis of the batch");
    for (uint32_t k = 0; k < x.rank; k++) {
        set |= (uint32_t)mark[k] << k;
        count *= mark[k] ? qc_view_size(&x, k) : 1;
        to[k] = mark[k] && !keep ? QC_ONNX_RANK : rank++;
    }
    int backwards = !strcmp(op, "ReduceMin") && !im->plain && qc_onnx_codes_of(im, x.node); /* codes stay codes */
    const QcStep *steps = backwards ? NULL : around(op, 0, &n_steps);
    if (backwards && qc_onnx_negate_codes(im, &x)) return -1;
    if (steps && (qc_wait_function(im, &x, steps, n_steps) || qc_wait_apply(im, &x))) return -1;
    if (count > 1 && reduce(im, &x, largest ? QC_OP_MAXPOOL : QC_OP_AVGPOOL, set)) return -1;
    for (uint32_t i = 0; i < x.n_atoms; i++) x.atoms[i].axis = to[x.atoms[i].axis];
    x.rank = rank;
    qc_view_clean(&x);
    const QcStep times[] = {{QC_STEP_X, 0}, {QC_STEP_NUMBER, (float)count}, {QC_STEP_MUL, 0}};
    if (!largest && !mean && qc_wait_function(im, &x, times, 3)) return -1;
    if (backwards) return qc_onnx_negate_codes(im, &x) ? -1 : qc_onnx_put(im, &x);
    steps = around(op, 1, &n_steps);
    return steps ? qc_wait_function(im, &x, steps, n_steps) : qc_onnx_put(im, &x);
}
