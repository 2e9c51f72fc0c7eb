/* Operators on constants alone: worked out while the file is read. They are how exporters spell shapes and weights. */
#include <math.h>
#include <string.h>

#include "onnxparts.h"

static const QcTensor *constant(QcOnnxImport *im, uint32_t k)
{
    const QcValue *v = qc_onnx_input(im, k);
    return v ? &v->constant : NULL;
}

int qc_fold_constant(QcOnnxImport *im)
{
    QcTensor t;
    float *f;
    int64_t *i;
    const Onnx__AttributeProto *a = im->at->n_attribute ? im->at->attribute[0] : NULL;
    const char *name = a && a->name ? a->name : "";
    if (!strcmp(name, "value") && a->t) {
        if (qc_onnx_tensor(im, &t, a->t)) return -1;
    } else if (!strcmp(name, "value_float")) {
        if (qc_tensor_floats(im, &t, &f, 0, NULL)) return -1;
        f[0] = a->f;
    } else if (!strcmp(name, "value_int")) {
        if (qc_tensor_ints(im, &t, &i, 0, NULL)) return -1;
        i[0] = a->i;
    } else if (!strcmp(name, "value_floats")) {
        if (qc_tensor_floats(im, &t, &f, 1, (int64_t[]){(int64_t)a->n_floats})) return -1;
        if (a->n_floats) memcpy(f, a->floats, a->n_floats * sizeof *f);
    } else if (!strcmp(name, "value_ints")) {
        if (qc_tensor_ints(im, &t, &i, 1, (int64_t[]){(int64_t)a->n_ints})) return -1;
        if (a->n_ints) memcpy(i, a->ints, a->n_ints * sizeof *i);
    } else {
        return qc_onnx_refuse(im, "a constant given by '%.40s' is not supported", name);
    }
    return qc_onnx_put_tensor(im, t);
}

/* ConstantOfShape */
int qc_fold_filled(QcOnnxImport *im)
{
    const QcTensor *shape = qc_onnx_ints(im, 0);
    const Onnx__AttributeProto *a = qc_onnx_attribute(im, "value");
    QcTensor with = {.n = 1, .f = (const float[]){0}}, t;
    float *f = NULL;
    int64_t *i = NULL;
    if (!shape || (a && a->t && qc_onnx_tensor(im, &with, a->t))) return -1;
    if (with.n != 1 || shape->n > QC_ONNX_RANK)
        return qc_onnx_wrong(im, "its value is not one number, or its shape has too many axes");
    if (with.f ? qc_tensor_floats(im, &t, &f, (uint32_t)shape->n, shape->i)
               : qc_tensor_ints(im, &t, &i, (uint32_t)shape->n, shape->i))
        return -1;
    for (size_t k = 0; k < t.n; k++) {
        if (f) f[k] = with.f[0];
        else i[k] = with.i[0];
    }
    return qc_onnx_put_tensor(im, t);
}

int qc_tensor_broadcast(uint32_t *rank, int64_t dims[QC_ONNX_RANK], const QcTensor *a, const QcTensor *b)
{
    *rank = a->rank > b->rank ? a->rank : b->rank;
    for (uint32_t k = 0; k < *rank; k++) {
        int64_t x = k + a->rank < *rank ? 1 : a->dims[k + a->rank - *rank],
                y = k + b->rank < *rank ? 1 : b->dims[k + b->rank - *rank];
        if (x != y && x != 1 && y != 1) return -1;
        dims[k] = x == 1 ? y : x;
    }
    return 0;
}

size_t qc_tensor_place(const QcTensor *t, uint32_t rank, const int64_t *dims, size_t i)
{
    size_t at = 0, step = 1;
    for (uint32_t k = rank; k-- > rank - t->rank; i /= (size_t)dims[k]) {
        int64_t own = t->dims[k + t->rank - rank];
        if (own > 1) at += i % (size_t)dims[k] * step;
        step *= (size_t)own;
    }
    return at;
}

/* Reshape, Flatten, Squeeze, Unsqueeze of a constant: the same values under other dimensions. */
int qc_fold_reshape(QcOnnxImport *im)
{
    const QcTensor *x = constant(im, 0);
    const char *op = im->at->op_type;
    const int64_t *list = NULL;
    size_t n = 0, known = 1;
    if (!x || (strcmp(op, "Flatten") && qc_onnx_list(im, &list, &n, strcmp(op, "Reshape") ? "axes" : "shape", 1)))
        return -1;
    QcTensor t = *x;
    if (t.n_step > 1) t.step = NULL; /* its axis may be another now */
    if (!strcmp(op, "Reshape")) {
        int open = -1;
        if (n > QC_ONNX_RANK) return qc_onnx_refuse(im, "%zu dimensions are too many", n);
        t.rank = (uint32_t)n;
        for (uint32_t k = 0; k < n; k++) {
            t.dims[k] = k < x->rank && list[k] == 0 ? x->dims[k] : list[k];
            if (t.dims[k] == -1 && open < 0) open = (int)k;
            else if (t.dims[k] < 1 || (size_t)t.dims[k] > x->n / known)
                return qc_onnx_wrong(im, "%zu values cannot take the shape it asks for", x->n);
            else known *= (size_t)t.dims[k];
        }
        if (open >= 0) t.dims[open] = (int64_t)(x->n / known), known *= (size_t)t.dims[open];
        if (known != x->n) return qc_onnx_wrong(im, "%zu values cannot take the shape it asks for", x->n);
    } else if (!strcmp(op, "Unsqueeze") && n == 1 && x->rank < QC_ONNX_RANK) {
        int at = qc_onnx_axis(im, list[0], x->rank + 1);
        if (at < 0) return -1;
        t.rank = x->rank + 1;
        for (uint32_t k = x->rank; k > (uint32_t)at; k--) t.dims[k] = x->dims[k - 1];
        t.dims[at] = 1;
    } else if (!strcmp(op, "Squeeze") && (!list || n == 1)) {
        int at = list ? qc_onnx_axis(im, list[0], x->rank) : -1;
        if (list && (at < 0 || x->dims[at] != 1))
            return at < 0 ? -1 : qc_onnx_wrong(im, "axis %d is not of size 1", at);
        t.rank = 0;
        for (uint32_t k = 0; k < x->rank; k++)
            if (list ? (int)k != at : x->dims[k] != 1) t.dims[t.rank++] = x->dims[k];
    } else {
        return qc_onnx_refuse(im, "this way of reshaping a constant is not supported");
    }
    return qc_onnx_put_tensor(im, t);
}

int qc_fold_transpose(QcOnnxImport *im)
{
    const QcTensor *x = constant(im, 0);
    const Onnx__AttributeProto *perm = qc_onnx_attribute(im, "perm");
    QcTensor t;
    float *f = NULL;
    int64_t *i = NULL, dims[QC_ONNX_RANK];
    size_t stride[QC_ONNX_RANK], turned[QC_ONNX_RANK], all = 1;
    uint32_t seen = 0;
    if (!x) return -1;
    if (perm && perm->n_ints != x->rank) return qc_onnx_wrong(im, "it orders %zu axes of %u", perm->n_ints, x->rank);
    for (uint32_t k = x->rank; k-- > 0; all *= (size_t)x->dims[k]) stride[k] = all;
    for (uint32_t k = 0; k < x->rank; k++) {
        int64_t from = perm ? perm->ints[k] : x->rank - 1 - k;
        if (from < 0 || from >= x->rank || seen >> from & 1) return qc_onnx_wrong(im, "its order of axes is none");
        seen |= 1u << from;
        dims[k] = x->dims[from];
        turned[k] = stride[from];
    }
    if (x->f ? qc_tensor_floats(im, &t, &f, x->rank, dims) : qc_tensor_ints(im, &t, &i, x->rank, dims)) return -1;
    for (size_t n = 0; n < t.n; n++) {
        size_t at = 0, rest = n;
        for (uint32_t k = x->rank; k-- > 0; rest /= (size_t)dims[k]) at += rest % (size_t)dims[k] * turned[k];
        if (f) f[n] = x->f[at];
        else i[n] = x->i[at];
    }
    t.type = x->type;
    t.step = x->step, t.n_step = x->n_step;
    for (uint32_t k = 0; k < x->rank; k++)
        if ((perm ? perm->ints[k] : x->rank - 1 - k) == x->step_axis) t.step_axis = k;
    return qc_onnx_put_tensor(im, t);
}

/* x with so many significant bits, as float16 and bfloat16 have them, and no step finer than 2^least. */
static float rounded(float x, int bits, int least)
{
    int exponent;
    if (!isfinite(x)) return x;
    frexpf(x, &exponent);
    int step = exponent - bits > least ? exponent - bits : least;
    return ldexpf(rintf(ldexpf(x, -step)), step);
}

int qc_fold_cast(QcOnnxImport *im)
{
    enum { FLOAT = 1, FLOAT16 = 10, DOUBLE = 11, BFLOAT16 = 16, BOOL = 9 };
    const QcTensor *x = constant(im, 0);
    int64_t to = qc_onnx_int(im, "to", 0), low, high;
    int real = to == FLOAT || to == DOUBLE || to == FLOAT16 || to == BFLOAT16;
    QcTensor t;
    float *f;
    int64_t *i;
    if (!x) return -1;
    if (real && x->f && to != FLOAT16 && to != BFLOAT16) return qc_onnx_put_tensor(im, *x);
    if (real) {
        if (qc_tensor_floats(im, &t, &f, x->rank, x->dims)) return -1;
        for (size_t k = 0; k < t.n; k++) {
            f[k] = x->f ? x->f[k] : (float)x->i[k];
            if (to == FLOAT16) f[k] = rounded(f[k], 11, -24);
            if (to == BFLOAT16) f[k] = rounded(f[k], 8, -133);
        }
        return qc_onnx_put_tensor(im, t);
    }
    if (!qc_tensor_range(to, &low, &high) && to != BOOL)
        return qc_onnx_refuse(im, "element type %lld is not supported", (long long)to);
    if (qc_tensor_ints(im, &t, &i, x->rank, x->dims)) return -1;
    for (size_t k = 0; k < t.n; k++) {
        if (x->f && !(fabsf(x->f[k]) < 9e18f)) return qc_onnx_wrong(im, "%g is no integer of 64 bits", (double)x->f[k]);
        i[k] = x->f ? (int64_t)x->f[k] : x->i[k];
        if (to == BOOL) i[k] = x->f ? x->f[k] < 0 || x->f[k] > 0 : x->i[k] != 0;
        else if (i[k] < low || i[k] > high)
            return qc_onnx_refuse(im, "%lld does not fit element type %lld", (long long)i[k], (long long)to);
    }
    t.type = (int32_t)to;
    return qc_onnx_put_tensor(im, t);
}
