/* Operators on constants alone that exporters write for shapes with an open batch: Expand, Equal. */
#include <string.h>

#include "onnxparts.h"

static const QcTensor *constant_of(QcOnnxImport *im, uint32_t k)
{
    const QcValue *v = qc_onnx_input(im, k);
    return v ? &v->constant : NULL;
}

/* Expand: axes of size 1 are repeated. */
int qc_fold_expand(QcOnnxImport *im)
{
    const QcTensor *x = constant_of(im, 0), *shape = x ? qc_onnx_ints(im, 1) : NULL;
    QcTensor t, like = {0};
    float *f = NULL;
    int64_t *i = NULL, dims[QC_ONNX_RANK];
    uint32_t rank;
    if (!shape) return -1;
    if (shape->n > QC_ONNX_RANK) return qc_onnx_refuse(im, "%zu dimensions are too many", shape->n);
    like.rank = (uint32_t)shape->n;
    if (shape->n) memcpy(like.dims, shape->i, shape->n * sizeof *like.dims);
    if (qc_tensor_broadcast(&rank, dims, x, &like))
        return qc_onnx_wrong(im, "its input cannot take the shape it asks for");
    if (x->f ? qc_tensor_floats(im, &t, &f, rank, dims) : qc_tensor_ints(im, &t, &i, rank, dims)) return -1;
    for (size_t k = 0; k < t.n; k++) {
        size_t from = qc_tensor_place(x, rank, dims, k);
        if (f) f[k] = x->f[from];
        else i[k] = x->i[from];
    }
    return qc_onnx_put_tensor(im, t);
}

/* Equal of integers */
int qc_fold_equal(QcOnnxImport *im)
{
    const QcTensor *a = constant_of(im, 0), *b = a ? constant_of(im, 1) : NULL;
    int64_t *out, dims[QC_ONNX_RANK];
    uint32_t rank;
    QcTensor t;
    if (!b) return -1;
    if (!a->i || !b->i) return qc_onnx_refuse(im, "only integers are compared");
    if (qc_tensor_broadcast(&rank, dims, a, b)) return qc_onnx_wrong(im, "its constants do not fit");
    if (qc_tensor_ints(im, &t, &out, rank, dims)) return -1;
    for (size_t k = 0; k < t.n; k++)
        out[k] = a->i[qc_tensor_place(a, rank, dims, k)] == b->i[qc_tensor_place(b, rank, dims, k)];
    return qc_onnx_put_tensor(im, t);
}
