/* Operators on constants alone that take parts of them or join them: Concat, Gather, Slice, Split, Where. */
#include <string.h>

#include "onnxparts.h"

static const QcTensor *constant_of(QcOnnxImport *im, uint32_t k)
{
    const QcValue *v = qc_onnx_input(im, k);
    return v ? &v->constant : NULL;
}

/* A new constant of x's type: real numbers or integers. */
static int like(QcOnnxImport *im, QcTensor *t, char **values, const QcTensor *x, uint32_t rank, const int64_t *dims)
{
    float *f = NULL;
    int64_t *i = NULL;
    if (rank > QC_ONNX_RANK) return qc_onnx_refuse(im, "its result has %u dimensions", rank);
    if (x->f ? qc_tensor_floats(im, t, &f, rank, dims) : qc_tensor_ints(im, t, &i, rank, dims)) return -1;
    t->type = x->type;
    *values = f ? (char *)f : (char *)i;
    return 0;
}

static size_t size_of_value(const QcTensor *x) { return x->f ? sizeof *x->f : sizeof *x->i; }
static const char *values_of(const QcTensor *x) { return x->f ? (const char *)x->f : (const char *)x->i; }

/* Products of the dimensions before the axis (outer) and after it (inner). */
static void cut_at(const QcTensor *x, uint32_t axis, size_t *outer, size_t *inner)
{
    *outer = *inner = 1;
    for (uint32_t k = 0; k < x->rank; k++) {
        if (k < axis) *outer *= (size_t)x->dims[k];
        if (k > axis) *inner *= (size_t)x->dims[k];
    }
}

int qc_fold_concat(QcOnnxImport *im)
{
    const QcTensor *first = constant_of(im, 0);
    int64_t dims[QC_ONNX_RANK];
    size_t outer, inner, at = 0;
    char *to = NULL;
    QcTensor t;
    if (!first) return -1;
    int axis = qc_onnx_axis(im, qc_onnx_int(im, "axis", 0), first->rank);
    if (axis < 0) return -1;
    memcpy(dims, first->dims, sizeof dims);
    for (uint32_t k = 1; k < im->at->n_input; k++) {
        const QcTensor *part = constant_of(im, k);
        if (!part) return -1;
        if (!part->f != !first->f) return qc_onnx_refuse(im, "constants of two types are not combined");
        int fits = part->rank == first->rank;
        for (uint32_t d = 0; fits && d < part->rank; d++) fits = (int)d == axis || part->dims[d] == first->dims[d];
        if (!fits || __builtin_add_overflow(dims[axis], part->dims[axis], &dims[axis]))
            return qc_onnx_wrong(im, "input %u does not fit the others", k);
    }
    if (like(im, &t, &to, first, first->rank, dims)) return -1;
    cut_at(&t, (uint32_t)axis, &outer, &inner);
    size_t row = (size_t)dims[axis] * inner * size_of_value(first);
    for (uint32_t k = 0; k < im->at->n_input && t.n; k++) {
        const QcTensor *part = constant_of(im, k);
        size_t own = (size_t)part->dims[axis] * inner * size_of_value(part);
        for (size_t o = 0; o < outer && own; o++) memcpy(to + o * row + at, values_of(part) + o * own, own);
        at += own;
    }
    return qc_onnx_put_tensor(im, t);
}

/* t = x at these places of the axis, which becomes the axes of sizes mid[0..n_mid-1]. */
static int pick(QcOnnxImport *im, QcTensor *t, const QcTensor *x, uint32_t axis, const int64_t *places, uint32_t n_mid,
                const int64_t *mid)
{
    int64_t dims[2 * QC_ONNX_RANK] = {0};
    size_t outer, inner, n = 1;
    char *to = NULL;
    memcpy(dims, x->dims, axis * sizeof *dims);
    for (uint32_t k = 0; k < n_mid; k++) n *= (size_t)(dims[axis + k] = mid[k]);
    for (uint32_t k = axis + 1; k < x->rank; k++) dims[k + n_mid - 1] = x->dims[k];
    if (like(im, t, &to, x, x->rank + n_mid - 1, dims)) return -1;
    cut_at(x, axis, &outer, &inner);
    size_t one = inner * size_of_value(x), row = (size_t)x->dims[axis] * one;
    for (size_t o = 0; o < outer && one; o++)
        for (size_t k = 0; k < n; k++, to += one) memcpy(to, values_of(x) + o * row + (size_t)places[k] * one, one);
    return 0;
}

int qc_fold_gather(QcOnnxImport *im)
{
    const QcTensor *x = constant_of(im, 0), *index = x ? qc_onnx_ints(im, 1) : NULL;
    int axis = index ? qc_onnx_axis(im, qc_onnx_int(im, "axis", 0), x->rank) : -1;
    int64_t *places = axis < 0 ? NULL : qc_onnx_room(im, index->n, sizeof *places);
    QcTensor t;
    if (!places) return -1;
    for (size_t k = 0; k < index->n; k++) {
        places[k] = index->i[k] < 0 ? index->i[k] + x->dims[axis] : index->i[k];
        if (places[k] < 0 || places[k] >= x->dims[axis])
            return qc_onnx_wrong(im, "it picks number %lld of %lld", (long long)index->i[k], (long long)x->dims[axis]);
    }
    return pick(im, &t, x, (uint32_t)axis, places, index->rank, index->dims) ? -1 : qc_onnx_put_tensor(im, t);
}

/* Element `at` of a list of the Slice node (starts, ends, axes, steps), or `fallback` if the node has no such list. */
static int slice_number(QcOnnxImport *im, int64_t *value, const char *attribute, uint32_t k, size_t at, size_t count,
                        int64_t fallback)
{
    const int64_t *list;
    size_t n;
    if (qc_onnx_list(im, &list, &n, attribute, k)) return -1;
    if (list && n != count) return qc_onnx_wrong(im, "its lists are not of the same length");
    *value = list ? list[at] : fallback;
    return 0;
}

static int64_t bounded(int64_t value, int64_t size, int64_t low, int64_t high)
{
    if (value < 0) value = value < -size ? low : value + size;
    return value < low ? low : value > high ? high : value;
}

/* One axis after the other, forwards or backwards. */
int qc_fold_slice(QcOnnxImport *im)
{
    const QcTensor *x = constant_of(im, 0);
    const int64_t *starts;
    size_t n;
    QcTensor t;
    if (!x || qc_onnx_list(im, &starts, &n, "starts", 1)) return -1;
    t = *x;
    t.step = NULL;
    for (size_t k = 0; k < n; k++) {
        int64_t start = 0, end = 0, place = 0, step = 0, count = 0;
        if (slice_number(im, &start, "starts", 1, k, n, 0) || slice_number(im, &end, "ends", 2, k, n, INT64_MAX) ||
            slice_number(im, &place, "axes", 3, k, n, (int64_t)k) || slice_number(im, &step, "steps", 4, k, n, 1))
            return -1;
        int axis = qc_onnx_axis(im, place, x->rank);
        if (axis < 0) return -1;
        int64_t size = t.dims[axis];
        if (!step || step > INT32_MAX || step < -INT32_MAX) return qc_onnx_wrong(im, "its step is 0 or too large");
        start = step > 0 ? bounded(start, size, 0, size) : bounded(start, size, -1, size - 1);
        end = step > 0 ? bounded(end, size, 0, size) : bounded(end, size, -1, size - 1);
        if ((end - start) * (step > 0 ? 1 : -1) > 0) count = (end - start + step - (step > 0 ? 1 : -1)) / step;
        int64_t *places = qc_onnx_room(im, (uint64_t)count, sizeof *places);
        const QcTensor whole = t;
        if (!places) return -1;
        for (int64_t i = 0; i < count; i++) places[i] = start + i * step;
        if (pick(im, &t, &whole, (uint32_t)axis, places, 1, &count)) return -1;
    }
    return qc_onnx_put_tensor(im, t);
}

int qc_fold_split(QcOnnxImport *im)
{
    const QcTensor *x = constant_of(im, 0);
    int axis = x ? qc_onnx_axis(im, qc_onnx_int(im, "axis", 0), x->rank) : -1;
    uint32_t n = (uint32_t)im->at->n_output;
    int64_t *sizes = axis < 0 ? NULL : qc_onnx_room(im, n, sizeof *sizes), start = 0;
    if (!sizes || qc_onnx_split_sizes(im, sizes, n, x->dims[axis])) return -1;
    for (uint32_t k = 0; k < n; start += sizes[k++]) {
        int64_t *places = qc_onnx_room(im, (uint64_t)sizes[k], sizeof *places);
        QcTensor t;
        for (int64_t i = 0; places && i < sizes[k]; i++) places[i] = start + i;
        if (!places || pick(im, &t, x, (uint32_t)axis, places, 1, &sizes[k])) return -1;
        const QcValue part = {.kind = QC_VALUE_CONSTANT, .constant = t};
        if (qc_onnx_put_output(im, k, &part)) return -1;
    }
    return 0;
}

int qc_fold_where(QcOnnxImport *im)
{
    const QcTensor *in[3];
    int64_t dims[QC_ONNX_RANK];
    uint32_t rank;
    char *out = NULL;
    QcTensor t, both = {0};
    for (uint32_t k = 0; k < 3; k++)
        if (!(in[k] = k ? constant_of(im, k) : qc_onnx_ints(im, k))) return -1;
    if (!in[1]->f != !in[2]->f) return qc_onnx_refuse(im, "constants of two types are not combined");
    if (qc_tensor_broadcast(&both.rank, both.dims, in[0], in[1]) || qc_tensor_broadcast(&rank, dims, &both, in[2]))
        return qc_onnx_wrong(im, "its constants do not fit");
    if (like(im, &t, &out, in[1], rank, dims)) return -1;
    for (size_t k = 0, one = size_of_value(&t); k < t.n; k++) {
        const QcTensor *from = in[in[0]->i[qc_tensor_place(in[0], rank, dims, k)] ? 1 : 2];
        memcpy(out + k * one, values_of(from) + qc_tensor_place(from, rank, dims, k) * one, one);
    }
    return qc_onnx_put_tensor(im, t);
}
