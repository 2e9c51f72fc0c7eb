/* Models that are quantized already (QDQ): codes of weights become real numbers that remember their scale, quantized
 * activations QUANT nodes. */
#include <math.h>
#include <string.h>

#include "onnxparts.h"

enum { UINT8 = 2, INT8 = 3, INT32 = 6 };

const float *qc_fold_steps(QcOnnxImport *im, const QcTensor *w, uint32_t axis, size_t n)
{
    if (!w->step || (w->n_step != 1 && (w->n_step != n || w->step_axis != axis))) return NULL;
    float *steps = qc_onnx_room(im, n, sizeof *steps);
    for (size_t k = 0; steps && k < n; k++) steps[k] = w->step[w->n_step == 1 ? 0 : k];
    return steps;
}

static int all_scales(const QcTensor *t)
{
    for (size_t k = 0; k < t->n; k++)
        if (!(t->f[k] > 0 && isfinite(t->f[k]))) return 0;
    return t->n > 0;
}

/* Codes that are constants: (code - zero) * scale, by tensor or along one axis. */
int qc_fold_dequantize(QcOnnxImport *im)
{
    const QcTensor *codes = qc_onnx_ints(im, 0), *scale = codes ? qc_onnx_floats(im, 1) : NULL,
                   *zero = scale && qc_onnx_has(im, 2) ? qc_onnx_ints(im, 2) : NULL;
    QcTensor t;
    float *f;
    if (!scale || (qc_onnx_has(im, 2) && !zero)) return -1;
    if (qc_onnx_int(im, "block_size", 0)) return qc_onnx_refuse(im, "scales by blocks are not supported");
    if (!all_scales(scale) || (zero && zero->n != scale->n))
        return qc_onnx_wrong(im, "its scales are not above 0, or there are not as many zero points");
    int axis = scale->n == 1 ? 0 : qc_onnx_axis(im, qc_onnx_int(im, "axis", 1), codes->rank);
    if (axis < 0) return -1;
    if (scale->n > 1 && (int64_t)scale->n != codes->dims[axis])
        return qc_onnx_wrong(im, "it has %zu scales for %lld values along axis %d", scale->n,
                             (long long)codes->dims[axis], axis);
    if (qc_tensor_floats(im, &t, &f, codes->rank, codes->dims)) return -1;
    size_t inner = 1;
    for (uint32_t k = (uint32_t)axis + 1; k < codes->rank; k++) inner *= (size_t)codes->dims[k];
    int symmetric = 1;
    for (size_t k = 0; k < t.n; k++) {
        size_t c = scale->n == 1 ? 0 : k / inner % scale->n;
        int64_t code = codes->i[k] - (zero ? zero->i[c] : 0);
        symmetric &= code >= -128 && code <= 127;
        f[k] = (float)code * scale->f[c];
    }
    if (symmetric) t.step = scale->f, t.n_step = (uint32_t)scale->n, t.step_axis = (uint32_t)axis;
    return qc_onnx_put_tensor(im, t);
}

/* One scale, and the zero point for codes 0..255. */
static int read_step(QcOnnxImport *im, float *step, uint32_t *zero)
{
    const QcTensor *scale = qc_onnx_floats(im, 1), *point = scale && qc_onnx_has(im, 2) ? qc_onnx_ints(im, 2) : NULL;
    if (!scale || (qc_onnx_has(im, 2) && !point)) return -1;
    if (scale->n != 1 || (point && point->n != 1))
        return qc_onnx_refuse(im, "only one scale for all of a computed value is supported");
    if (!all_scales(scale)) return qc_onnx_wrong(im, "its scale is not above 0");
    int64_t type = point ? point->type : qc_onnx_int(im, "output_dtype", UINT8),
            at = (point ? point->i[0] : 0) + (type == INT8 ? 128 : 0);
    if (type != UINT8 && type != INT8)
        return qc_onnx_refuse(im, "only codes of 8 bits are supported for computed values");
    if (at < 0 || at > 255) return qc_onnx_wrong(im, "its zero point is none of 8 bits");
    *step = scale->f[0];
    *zero = (uint32_t)at;
    return 0;
}

/* As real numbers: codes of a value that begin at 0 are a ReLU, which quantizers leave out for them. */
static int put_real(QcOnnxImport *im, QcValue *v)
{
    const QcStep relu[] = {{QC_STEP_X, 0},
                           {QC_STEP_NUMBER, 0},
                           {QC_STEP_MAX, 0},
                           {QC_STEP_NUMBER, 255 * v->step},
                           {QC_STEP_MIN, 0}};
    if (v->zero || !v->node) return qc_onnx_put(im, v);
    return qc_wait_function(im, v, relu, sizeof relu / sizeof *relu);
}

int qc_onnx_quantize(QcOnnxImport *im)
{
    char name[QC_NAME_MAX + 1];
    QcValue v;
    if (qc_onnx_take(im, &v, 0, QC_TAKE_SETTLED) || read_step(im, &v.step, &v.zero)) return -1;
    if (im->plain) return put_real(im, &v);
    qc_onnx_name(im, name, NULL);
    int node = qc_graph_quant(im->g, name, v.node, v.step, v.zero, 8, im->err);
    if (node < 0) return -1;
    v.node = (uint32_t)node;
    v.alone = 1;
    return qc_onnx_put(im, &v);
}

int qc_onnx_dequantize(QcOnnxImport *im)
{
    QcValue v;
    float step;
    uint32_t zero;
    if (qc_onnx_take(im, &v, 0, QC_TAKE_RAW) || read_step(im, &step, &zero)) return -1;
    if (!(v.step > 0)) return qc_onnx_refuse(im, "its input is not the result of a QuantizeLinear");
    if (step < v.step || step > v.step || zero != v.zero)
        return qc_onnx_refuse(im, "it has another scale or zero point than the QuantizeLinear before it");
    v.step = 0;
    return qc_onnx_put(im, &v);
}
