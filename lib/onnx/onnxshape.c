/* Operators that only give axes other names and places: no node comes of them. */
#include <string.h>

#include "onnxparts.h"

static int64_t values_of_window(const QcOnnxImport *im, const QcValue *v)
{
    const QcNode *node = &im->g->nodes[v->node];
    (void)v;
    return (int64_t)node->height * node->width * node->channels;
}

/* The axes order[0..n-1] as one. */
static uint8_t merged(QcValue *v, const uint8_t *order, uint32_t n)
{
    if (n == 0) return QC_AXIS_ONE;
    if (n == 1) return order[0];
    memcpy(v->flat, order, n);
    v->n_flat = (uint8_t)n;
    return QC_AXIS_FLAT;
}

/* Gives v the dimensions dims[1..rank-1] behind the batch by joining neighbouring axes and putting in ones; -1 where that is not all it takes. */
static int regroup(QcOnnxImport *im, QcValue *v, const int64_t *dims, uint32_t rank)
{
    uint8_t order[3], axis[QC_ONNX_RANK] = {QC_AXIS_BATCH};
    uint32_t n = qc_value_order(im, v, order), at = 0, joined = 0;
    QcValue out = *v;
    for (uint32_t k = 1; k < rank; k++) {
        uint32_t from = at;
        int64_t size = 1;
        while (size < dims[k] && at < n) size *= qc_value_axis_size(im, v, (QcAxis)order[at++]);
        if (size != dims[k]) return -1;
        axis[k] = merged(&out, order + from, at - from);
        joined += axis[k] == QC_AXIS_FLAT;
    }
    if (at < n || joined > 1) return -1;
    /* where nothing but the channels is left of a row, it is the channels even if there is only one */
    if (rank == 2 && !n) axis[1] = QC_AXIS_CHANNEL;
    if (!joined) out.n_flat = 0;
    out.rank = rank;
    memcpy(out.axis, axis, sizeof axis);
    *v = out;
    return 0;
}

static int to_shape(QcOnnxImport *im, QcValue *v, const int64_t *dims, uint32_t rank)
{
    if (qc_value_settle(im, v)) return -1;
    if (!rank || dims[0] != im->batch) return qc_onnx_refuse(im, "it moves values from one window to another");
    if (!regroup(im, v, dims, rank)) return qc_onnx_put(im, *v);
    return qc_onnx_refuse(im, "it takes axes apart or mixes them, which is more than joining neighbours%s",
                          v->node == 0 ? "; --shape can say what the axes of the input are" : "");
}

int qc_onnx_flatten(QcOnnxImport *im)
{
    const QcValue *x = qc_onnx_computed(im, 0);
    if (!x) return -1;
    QcValue v = *x;
    int axis = (int)qc_onnx_int(im, "axis", 1);
    if (axis < 0) axis += (int)v.rank;
    if (axis != 1) return qc_onnx_refuse(im, "axis %d is not supported, only 1", axis);
    if (qc_value_settle(im, &v)) return -1;
    const int64_t dims[2] = {im->batch, values_of_window(im, &v)};
    return to_shape(im, &v, dims, 2);
}

int qc_onnx_reshape(QcOnnxImport *im)
{
    const QcValue *x = qc_onnx_computed(im, 0);
    const QcTensor *t = x ? qc_onnx_ints(im, 1) : NULL;
    if (!t) return -1;
    if (t->n > QC_ONNX_RANK) return qc_onnx_refuse(im, "%zu dimensions are too many", t->n);
    QcValue v = *x;
    if (qc_value_settle(im, &v)) return -1;
    int64_t dims[QC_ONNX_RANK], total = im->batch * values_of_window(im, &v), known = 1;
    uint32_t rank = (uint32_t)t->n, open = rank;
    for (uint32_t k = 0; k < rank; k++) {
        dims[k] = t->i[k] == 0 && k < v.rank ? qc_value_dim(im, &v, k) : t->i[k];
        if (dims[k] == -1 && open == rank) open = k;
        else if (dims[k] < 1 || dims[k] > total / known) return qc_onnx_wrong(im, "%lld values cannot take the shape it asks for", (long long)total);
        else known *= dims[k];
    }
    if (open < rank) dims[open] = total / known, known *= dims[open];
    if (known != total) return qc_onnx_wrong(im, "%lld values cannot take the shape it asks for", (long long)total);
    return to_shape(im, &v, dims, rank);
}

/* Marks the axes that are listed, in a value that has `rank` of them. */
static int marked(QcOnnxImport *im, uint8_t mark[QC_ONNX_RANK], const int64_t *list, size_t n, uint32_t rank)
{
    memset(mark, 0, QC_ONNX_RANK);
    for (size_t i = 0; i < n; i++) {
        int axis = qc_onnx_axis(im, list[i], rank);
        if (axis < 0) return -1;
        mark[axis] = 1;
    }
    return 0;
}

int qc_onnx_squeeze(QcOnnxImport *im)
{
    const QcValue *x = qc_onnx_computed(im, 0);
    const int64_t *list;
    uint8_t mark[QC_ONNX_RANK];
    size_t n;
    if (!x || qc_onnx_list(im, &list, &n, "axes", 1)) return -1;
    QcValue v = *x;
    if (qc_value_settle(im, &v) || marked(im, mark, list, n, v.rank)) return -1;
    uint32_t rank = 0;
    for (uint32_t k = 0; k < x->rank; k++) {
        int drop = list ? mark[k] : k && qc_value_dim(im, x, k) == 1;
        if (drop && (!k || qc_value_dim(im, x, k) != 1)) return qc_onnx_wrong(im, "axis %u is not of size 1", k);
        if (!drop) v.axis[rank++] = x->axis[k];
    }
    v.rank = rank;
    return qc_onnx_put(im, v);
}

int qc_onnx_unsqueeze(QcOnnxImport *im)
{
    const QcValue *x = qc_onnx_computed(im, 0);
    const int64_t *list;
    uint8_t mark[QC_ONNX_RANK];
    size_t n;
    if (!x || qc_onnx_list(im, &list, &n, "axes", 1)) return -1;
    if (!list || x->rank + n > QC_ONNX_RANK) return qc_onnx_refuse(im, "it makes more than %d axes, or does not say which", QC_ONNX_RANK);
    QcValue v = *x;
    v.rank = x->rank + (uint32_t)n;
    if (qc_value_settle(im, &v) || marked(im, mark, list, n, v.rank)) return -1;
    if (mark[0]) return qc_onnx_refuse(im, "it puts an axis in front of the batch");
    uint32_t from = 0;
    for (uint32_t k = 0; k < v.rank; k++) {
        if (!mark[k] && from == x->rank) return qc_onnx_wrong(im, "it names an axis twice");
        v.axis[k] = mark[k] ? (uint8_t)QC_AXIS_ONE : x->axis[from++];
    }
    return qc_onnx_put(im, v);
}

int qc_onnx_transpose(QcOnnxImport *im)
{
    const QcValue *x = qc_onnx_computed(im, 0);
    if (!x) return -1;
    const Onnx__AttributeProto *perm = qc_onnx_attribute(im, "perm");
    QcValue v = *x;
    uint32_t seen = 0;
    if (qc_value_settle(im, &v)) return -1;
    if (perm && perm->n_ints != v.rank) return qc_onnx_wrong(im, "it orders %zu axes of %u", perm->n_ints, v.rank);
    for (uint32_t k = 0; k < v.rank; k++) {
        int64_t from = perm ? perm->ints[k] : v.rank - 1 - k;
        if (from < 0 || from >= v.rank || seen >> from & 1) return qc_onnx_wrong(im, "its order of axes is none");
        seen |= 1u << from;
        v.axis[k] = x->axis[from];
    }
    if (v.rank && v.axis[0] != QC_AXIS_BATCH) return qc_onnx_refuse(im, "it moves the axis of the batch");
    return qc_onnx_put(im, v);
}

int qc_onnx_shape(QcOnnxImport *im)
{
    const QcValue *x = qc_onnx_input(im, 0);
    if (!x) return -1;
    uint32_t rank = x->kind == QC_VALUE_CONSTANT ? x->constant.rank : x->rank;
    int64_t start = qc_onnx_int(im, "start", 0), end = qc_onnx_int(im, "end", rank), *dims;
    if (start < 0) start += rank;
    if (end < 0) end += rank;
    if (end > rank) end = rank;
    if (start < 0 || start > end) return qc_onnx_wrong(im, "it starts behind its end");
    int64_t n = end - start;
    QcTensor t;
    if (qc_tensor_ints(im, &t, &dims, 1, &n)) return -1;
    for (int64_t k = 0; k < n; k++) dims[k] = x->kind == QC_VALUE_CONSTANT ? x->constant.dims[start + k] : qc_value_dim(im, x, (uint32_t)(start + k));
    return qc_onnx_put_tensor(im, t);
}

int qc_onnx_pad(QcOnnxImport *im)
{
    const QcValue *x = qc_onnx_computed(im, 0);
    const int64_t *pads, *axes = NULL;
    size_t n, n_axes = 0;
    float value = qc_onnx_float(im, "value", 0);
    if (!x || qc_onnx_list(im, &pads, &n, "pads", 1)) return -1;
    if (qc_onnx_attribute(im, "mode") && !qc_onnx_is_text(im, "mode", "constant")) return qc_onnx_refuse(im, "only padding with a constant is supported");
    if (qc_onnx_has(im, 2)) {
        const QcTensor *t = qc_onnx_floats(im, 2);
        if (!t) return -1;
        if (t->n != 1) return qc_onnx_wrong(im, "its value is not one number");
        value = t->f[0];
    }
    if (qc_onnx_has(im, 3) && qc_onnx_list(im, &axes, &n_axes, "", 3)) return -1;
    if (!axes) n_axes = x->rank;
    if (!pads || n != 2 * n_axes) return qc_onnx_wrong(im, "it has %zu paddings for %zu axes", n, n_axes);
    if (value > -3.4e38f && !(value >= 0 && value <= 0)) return qc_onnx_refuse(im, "padding with %g is not supported, only with 0 or minus infinity", (double)value);
    QcValue v = *x;
    if (v.padding < value || v.padding > value) {
        if (qc_value_settle(im, &v)) return -1;
        v.padding = value;
    }
    for (size_t i = 0; i < n_axes; i++) {
        int64_t before = pads[i], after = pads[n_axes + i];
        int k = qc_onnx_axis(im, axes ? axes[i] : (int64_t)i, x->rank);
        if (k < 0) return -1;
        if (before < 0 || after < 0 || before > QC_MAX_DIM || after > QC_MAX_DIM) return qc_onnx_refuse(im, "padding by %lld and %lld is not supported", (long long)before, (long long)after);
        if (!before && !after) continue;
        if (v.axis[k] != QC_AXIS_HEIGHT && v.axis[k] != QC_AXIS_WIDTH) return qc_onnx_refuse(im, "it pads axis %d, which is not one of space or time", k);
        uint32_t *pad = v.pad + (v.axis[k] == QC_AXIS_HEIGHT ? 0 : 2);
        pad[0] += (uint32_t)before;
        pad[1] += (uint32_t)after;
        if (pad[0] > QC_MAX_DIM || pad[1] > QC_MAX_DIM) return qc_onnx_refuse(im, "the paddings are too large");
    }
    return qc_onnx_put(im, v);
}
