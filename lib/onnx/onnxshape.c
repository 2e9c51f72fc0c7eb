/* Operators that only give axes other names, places and bounds: they change the view, and no node comes of them. */
#include <string.h>

#include "onnxparts.h"

/* ---- shapes ---- */

int qc_onnx_flatten(QcOnnxImport *im)
{
    QcValue v;
    if (qc_onnx_take(im, &v, 0, QC_TAKE_SETTLED)) return -1;
    int axis = (int)qc_onnx_int(im, "axis", 1);
    if (axis < 0) axis += (int)v.rank;
    if (axis < 1 || axis > (int)v.rank)
        return qc_onnx_refuse(im, "axis %d is not supported: it moves values from one window to another", axis);
    int64_t dims[2] = {1, 1};
    for (uint32_t k = 0; k < v.rank; k++) dims[k >= (uint32_t)axis] *= qc_view_dim(im, &v, k);
    return qc_view_reshape(im, &v, dims, 2) ? -1 : qc_onnx_put(im, &v);
}

int qc_onnx_reshape(QcOnnxImport *im)
{
    QcValue v;
    const int64_t *list;
    size_t n;
    if (qc_onnx_take(im, &v, 0, QC_TAKE_SETTLED) || qc_onnx_list(im, &list, &n, "shape", 1)) return -1;
    if (!list || n > QC_ONNX_RANK)
        return qc_onnx_refuse(im, "its shape has %zu dimensions; at most %d are supported", n, QC_ONNX_RANK);
    int64_t dims[QC_ONNX_RANK], total = im->batch * qc_view_values(&v), known = 1;
    uint32_t rank = (uint32_t)n, open = rank;
    int literal = qc_onnx_int(im, "allowzero", 0) != 0;
    for (uint32_t k = 0; k < rank; k++) {
        dims[k] = list[k] == 0 && !literal && k < v.rank ? qc_view_dim(im, &v, k) : list[k];
        if (dims[k] == -1 && open == rank) open = k;
        else if (dims[k] < 1 || dims[k] > total / known)
            return qc_onnx_wrong(im, "%lld values cannot take the shape it asks for", (long long)total);
        else known *= dims[k];
    }
    if (open < rank) dims[open] = total / known, known *= dims[open];
    if (known != total) return qc_onnx_wrong(im, "%lld values cannot take the shape it asks for", (long long)total);
    return qc_view_reshape(im, &v, dims, rank) ? -1 : qc_onnx_put(im, &v);
}

/* Gives axis k of v the place to[k] among `rank`. */
static void move_axes(QcValue *v, const uint32_t *to, uint32_t rank)
{
    uint32_t pads[QC_ONNX_RANK][2] = {{0}};
    for (uint32_t k = 0; k < v->rank; k++)
        if (to[k] < rank) memcpy(pads[to[k]], v->pads[k], sizeof *pads);
    memcpy(v->pads, pads, sizeof pads);
    for (uint32_t i = 0; i < v->n_atoms; i++) v->atoms[i].axis = to[v->atoms[i].axis];
    v->rank = rank;
    qc_view_clean(v);
}

int qc_onnx_squeeze(QcOnnxImport *im)
{
    QcValue v;
    const int64_t *list;
    uint8_t mark[QC_ONNX_RANK];
    uint32_t to[QC_ONNX_RANK] = {0}, rank = 0;
    size_t n;
    if (qc_onnx_take(im, &v, 0, QC_TAKE_VIEW) || qc_onnx_list(im, &list, &n, "axes", 1) ||
        qc_onnx_mark(im, mark, list, n, v.rank))
        return -1;
    for (uint32_t k = 0; k < v.rank; k++) {
        int drop = list ? mark[k] : k && qc_view_dim(im, &v, k) == 1;
        if (drop && !k) return qc_onnx_refuse(im, "it drops the axis of the batch");
        if (drop && qc_view_dim(im, &v, k) != 1) return qc_onnx_wrong(im, "axis %u is not of size 1", k);
        to[k] = drop ? QC_ONNX_RANK : rank++; /* an axis of size 1 has no atoms */
    }
    move_axes(&v, to, rank);
    return qc_onnx_put(im, &v);
}

int qc_onnx_unsqueeze(QcOnnxImport *im)
{
    QcValue v;
    const int64_t *list;
    uint8_t mark[QC_ONNX_RANK];
    uint32_t to[QC_ONNX_RANK] = {0}, from = 0;
    size_t n;
    if (qc_onnx_take(im, &v, 0, QC_TAKE_VIEW) || qc_onnx_list(im, &list, &n, "axes", 1)) return -1;
    if (!list || v.rank + n > QC_ONNX_RANK)
        return qc_onnx_refuse(im, "it makes more than %d axes, or does not say which", QC_ONNX_RANK);
    uint32_t rank = v.rank + (uint32_t)n;
    if (qc_onnx_mark(im, mark, list, n, rank)) return -1;
    if (mark[0]) return qc_onnx_refuse(im, "it puts an axis before the batch axis");
    for (uint32_t k = 0; k < rank; k++) {
        if (mark[k]) continue;
        if (from == v.rank) return qc_onnx_wrong(im, "it names an axis twice");
        to[from++] = k;
    }
    move_axes(&v, to, rank);
    return qc_onnx_put(im, &v);
}

int qc_onnx_transpose(QcOnnxImport *im)
{
    QcValue v;
    if (qc_onnx_take(im, &v, 0, QC_TAKE_VIEW)) return -1;
    const Onnx__AttributeProto *perm = qc_onnx_attribute(im, "perm");
    uint32_t seen = 0, to[QC_ONNX_RANK] = {0};
    if (perm && perm->n_ints != v.rank) return qc_onnx_wrong(im, "it orders %zu axes of %u", perm->n_ints, v.rank);
    for (uint32_t k = 0; k < v.rank; k++) {
        int64_t from = perm ? perm->ints[k] : v.rank - 1 - k;
        if (from < 0 || from >= v.rank || seen >> from & 1) return qc_onnx_wrong(im, "its order of axes is none");
        seen |= 1u << from;
        to[from] = k;
    }
    if (v.rank && to[0]) return qc_onnx_refuse(im, "it moves the axis of the batch");
    move_axes(&v, to, v.rank);
    return qc_onnx_put(im, &v);
}

int qc_onnx_shape(QcOnnxImport *im)
{
    const QcValue *x = qc_onnx_input(im, 0);
    if (!x) return -1;
    uint32_t rank = x->kind == QC_VALUE_CONSTANT ? x->constant.rank : x->rank;
    int64_t start = qc_onnx_int(im, "start", 0), end = qc_onnx_int(im, "end", rank), *dims;
    if (start < 0) start = start < -(int64_t)rank ? 0 : start + rank;
    if (end < 0) end += rank;
    if (end > rank) end = rank;
    if (start > end) return qc_onnx_refuse(im, "it starts after its end");
    int64_t n = end - start;
    QcTensor t;
    if (qc_tensor_ints(im, &t, &dims, 1, &n)) return -1;
    for (int64_t k = 0; k < n; k++)
        dims[k] = x->kind == QC_VALUE_CONSTANT ? x->constant.dims[start + k]
                                               : qc_view_dim(im, x, (uint32_t)(start + k));
    return qc_onnx_put_tensor(im, t);
}

int qc_onnx_pad(QcOnnxImport *im)
{
    QcValue v;
    const int64_t *pads, *axes = NULL;
    size_t n, n_axes = 0;
    float value = qc_onnx_float(im, "value", 0);
    if (qc_onnx_take(im, &v, 0, QC_TAKE_APPLIED) || qc_onnx_list(im, &pads, &n, "pads", 1)) return -1;
    if (qc_onnx_attribute(im, "mode") && !qc_onnx_is_text(im, "mode", "constant"))
        return qc_onnx_refuse(im, "only padding with a constant is supported");
    if (qc_onnx_has(im, 2)) {
        const QcTensor *t = qc_onnx_floats(im, 2);
        if (!t) return -1;
        if (t->n != 1) return qc_onnx_wrong(im, "its value is not one number");
        value = t->f[0];
    }
    if (qc_onnx_has(im, 3) && qc_onnx_list(im, &axes, &n_axes, "", 3)) return -1;
    if (!axes) n_axes = v.rank;
    if (!pads || n != 2 * n_axes) return qc_onnx_wrong(im, "it has %zu paddings for %zu axes", n, n_axes);
    if (!(value <= -3.4e38f) && !(value >= 0 && value <= 0))
        return qc_onnx_refuse(im, "padding with %g is not supported, only with 0 or minus infinity", (double)value);
    if (v.padding < value || v.padding > value) {
        if (qc_wait_settle(im, &v)) return -1;
        v.padding = value;
    }
    for (size_t i = 0; i < n_axes; i++) {
        int64_t before = pads[i], after = pads[n_axes + i];
        int k = qc_onnx_axis(im, axes ? axes[i] : (int64_t)i, v.rank);
        if (k < 0) return -1;
        if (before < 0 || after < 0 || before > QC_MAX_DIM || after > QC_MAX_DIM)
            return qc_onnx_refuse(im, "padding by %lld and %lld is not supported", (long long)before, (long long)after);
        if ((before || after) && !k) return qc_onnx_refuse(im, "it pads the axis of the batch");
        v.pads[k][0] += (uint32_t)before;
        v.pads[k][1] += (uint32_t)after;
        if (v.pads[k][0] > QC_MAX_DIM || v.pads[k][1] > QC_MAX_DIM)
            return qc_onnx_refuse(im, "the paddings are too large");
    }
    if (value < 0 && v.n_steps) return qc_onnx_refuse(im, "its input is padded with minus infinity after a function");
    return qc_onnx_put(im, &v);
}

/* ---- parts ---- */

/* Numbers start, start + step, ... of the axis, `count` of them. */
static int cut(QcOnnxImport *im, QcValue *v, uint32_t axis, int64_t start, int64_t count, int64_t step)
{
    uint32_t at;
    if (!axis) return qc_onnx_refuse(im, "it takes some windows of a batch");
    if (count == qc_view_size(v, axis)) return 0;
    if (qc_view_join(im, v, axis, &at)) return -1;
    v->offset += (uint32_t)start * v->atoms[at].stride;
    v->atoms[at].stride *= (uint32_t)step;
    v->atoms[at].size = (uint32_t)count;
    v->alone = 0; /* its node may be read elsewhere, too */
    qc_view_clean(v);
    return 0;
}

static int64_t bounded(int64_t at, int64_t size)
{
    return at < 0 ? (at < -size ? 0 : at + size) : at > size ? size : at;
}

int qc_onnx_slice(QcOnnxImport *im)
{
    QcValue v;
    const int64_t *starts, *ends, *axes, *steps;
    size_t n, n_ends, n_axes, n_steps;
    if (qc_onnx_take(im, &v, 0, QC_TAKE_SETTLED) || qc_onnx_list(im, &starts, &n, "starts", 1) ||
        qc_onnx_list(im, &ends, &n_ends, "ends", 2) || qc_onnx_list(im, &axes, &n_axes, "axes", 3) ||
        qc_onnx_list(im, &steps, &n_steps, "", 4))
        return -1;
    if (!starts || !ends || n != n_ends || (axes && n_axes != n) || (steps && n_steps != n) || n > v.rank)
        return qc_onnx_wrong(im, "its lists of starts, ends, axes and steps differ in length");
    for (size_t i = 0; i < n; i++) {
        int k = qc_onnx_axis(im, axes ? axes[i] : (int64_t)i, v.rank);
        if (k < 0) return -1;
        int64_t size = qc_view_dim(im, &v, (uint32_t)k), step = steps ? steps[i] : 1, start = bounded(starts[i], size),
                end = bounded(ends[i], size);
        if (step < 1 || step > QC_MAX_DIM)
            return qc_onnx_refuse(im, "a step of %lld is not supported", (long long)step);
        if (end <= start) return qc_onnx_refuse(im, "it takes nothing of axis %d", k);
        if (!k && start == 0 && end == size && step == 1) continue;
        if (cut(im, &v, (uint32_t)k, start, (end - start + step - 1) / step, step)) return -1;
    }
    return qc_onnx_put(im, &v);
}

/* Sizes of the parts of a Split: given, or equal (the last one smaller). */
int qc_onnx_split_sizes(QcOnnxImport *im, int64_t *sizes, uint32_t n, int64_t size)
{
    const int64_t *list;
    size_t given;
    int64_t sum = 0;
    if (qc_onnx_int(im, "num_outputs", n) != n)
        return qc_onnx_wrong(im, "its num_outputs is not the number of its outputs");
    if (qc_onnx_list(im, &list, &given, "split", 1)) return -1;
    if (list && given != n) return qc_onnx_wrong(im, "it has %zu sizes for %u outputs", given, n);
    int64_t each = (size + n - 1) / n;
    for (uint32_t k = 0; k < n; k++) {
        sizes[k] = list ? list[k] : each < size - sum ? each : size - sum;
        if (sizes[k] < 1 || sizes[k] > size - sum)
            return qc_onnx_wrong(im, "its parts do not make up the %lld values of its axis", (long long)size);
        sum += sizes[k];
    }
    return sum == size ? 0 : qc_onnx_wrong(im, "its parts do not make up the %lld values of its axis", (long long)size);
}

int qc_onnx_split(QcOnnxImport *im)
{
    QcValue v;
    uint32_t n = (uint32_t)im->at->n_output;
    if (qc_onnx_take(im, &v, 0, QC_TAKE_SETTLED)) return -1;
    int axis = qc_onnx_axis(im, qc_onnx_int(im, "axis", 0), v.rank);
    int64_t *sizes = axis < 0 ? NULL : qc_onnx_room(im, n, sizeof *sizes), start = 0;
    if (!sizes) return -1;
    if (!axis) return qc_onnx_refuse(im, "it takes some windows of a batch");
    if (qc_onnx_split_sizes(im, sizes, n, qc_view_size(&v, (uint32_t)axis))) return -1;
    for (uint32_t k = 0; k < n; start += sizes[k++]) {
        QcValue part = v;
        if (cut(im, &part, (uint32_t)axis, start, sizes[k], 1) || qc_onnx_put_output(im, k, &part)) return -1;
    }
    return 0;
}

/* One place of an axis (then the axis goes), or several that loops count. */
int qc_onnx_gather(QcOnnxImport *im)
{
    QcValue v;
    const QcValue *from = qc_onnx_input(im, 0);
    if (from && from->kind == QC_VALUE_CONSTANT) return qc_onnx_table(im);
    const QcTensor *index = from ? qc_onnx_ints(im, 1) : NULL;
    if (!index || qc_onnx_take(im, &v, 0, QC_TAKE_SETTLED)) return -1;
    int axis = qc_onnx_axis(im, qc_onnx_int(im, "axis", 0), v.rank);
    if (axis < 0) return -1;
    if (!axis) return qc_onnx_refuse(im, "it takes some windows of a batch");
    if (index->rank > 1 || !index->n) return qc_onnx_refuse(im, "its places are no list");
    if (qc_view_pick(im, &v, (uint32_t)axis, index->i, index->n)) return -1;
    if (index->rank) return qc_onnx_put(im, &v);
    uint32_t to[QC_ONNX_RANK] = {0};
    for (uint32_t k = 0; k < v.rank; k++) to[k] = k < (uint32_t)axis ? k : k == (uint32_t)axis ? QC_ONNX_RANK : k - 1;
    move_axes(&v, to, v.rank - 1);
    return qc_onnx_put(im, &v);
}
