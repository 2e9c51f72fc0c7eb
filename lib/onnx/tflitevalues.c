/* Tensors of a TensorFlow Lite file as ONNX values: constants with their scales, and codes of computed values. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tfliteparts.h"

enum { FLOAT = 1, UINT8 = 2, INT8 = 3, INT32 = 6, INT64 = 7, FLOAT16 = 10 }; /* ONNX element types */

int qc_tflite_refuse(QcTfliteRewrite *r, const char *format, ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!r->at) return qc_fail(r->err, QC_EUNSUPPORTED, "%s", text);
    const char *name = qc_tflite_op_name(r->at->op);
    const QcTfliteTensor *made = qc_tflite_output(r);
    if (!name)
        return qc_fail(r->err, QC_EUNSUPPORTED, "operator number %d (tensor '%.60s'): %s", r->at->op,
                       made ? made->name : "", text);
    return qc_fail(r->err, QC_EUNSUPPORTED, "operator %s%s%.40s (tensor '%.60s'): %s", name,
                   r->at->op == QC_TFLITE_CUSTOM ? " " : "", r->at->op == QC_TFLITE_CUSTOM ? r->at->custom : "",
                   made ? made->name : "", text);
}

const QcTfliteTensor *qc_tflite_input(QcTfliteRewrite *r, uint32_t k)
{
    int64_t tensor = k < r->at->inputs.n ? qc_flat_int_at(r->flat, r->at->inputs, k, 4) : -1;
    return tensor < 0 ? NULL : &r->t->tensors[tensor];
}

const QcTfliteTensor *qc_tflite_output(QcTfliteRewrite *r)
{
    return r->at->outputs.n ? &r->t->tensors[qc_flat_int_at(r->flat, r->at->outputs, 0, 4)] : NULL;
}

const QcTfliteTensor *qc_tflite_constant(QcTfliteRewrite *r, uint32_t k)
{
    const QcTfliteTensor *t = qc_tflite_input(r, k);
    if (!t || t->data || t->maker < 0) return t && t->data ? t : NULL;
    const QcTfliteNode *maker = &r->t->nodes[t->maker];
    int64_t from = maker->op == QC_TFLITE_DEQUANTIZE && maker->inputs.n
                       ? qc_flat_int_at(r->flat, maker->inputs, 0, 4)
                       : -1;
    return from >= 0 && r->t->tensors[from].data ? &r->t->tensors[from] : NULL;
}

static uint32_t index_of(const QcTfliteRewrite *r, const QcTfliteTensor *t) { return (uint32_t)(t - r->t->tensors); }

static size_t element_bytes(int32_t type)
{
    switch (type) {
    case QC_TFLITE_INT8:
    case QC_TFLITE_UINT8: return 1;
    case QC_TFLITE_FLOAT16: return 2;
    case QC_TFLITE_FLOAT32:
    case QC_TFLITE_INT32: return 4;
    case QC_TFLITE_INT64: return 8;
    default: return 0;
    }
}

static int32_t onnx_type(int32_t type)
{
    switch (type) {
    case QC_TFLITE_INT8: return INT8;
    case QC_TFLITE_UINT8: return UINT8;
    case QC_TFLITE_FLOAT16: return FLOAT16;
    case QC_TFLITE_INT32: return INT32;
    case QC_TFLITE_INT64: return INT64;
    default: return FLOAT;
    }
}

static int check_constant(QcTfliteRewrite *r, const QcTfliteTensor *t)
{
    size_t size = element_bytes(t->type);
    if (!size || t->sparse)
        return qc_tflite_refuse(r, "tensor '%.60s' is of element type %d%s, which is not supported", t->name, t->type,
                                t->sparse ? ", sparse" : "");
    if (t->bytes != t->n * size)
        return qc_fail(r->err, QC_EFORMAT, "tensor '%.100s' needs %llu bytes by its shape and has %zu", t->name,
                       (unsigned long long)(t->n * size), t->bytes);
    if (r->out->arena.bytes + 2 * (uint64_t)t->bytes > r->most)
        return qc_fail(r->err, QC_EFORMAT, "the constants of the model take more than %llu MB, far more than the file",
                       (unsigned long long)(r->most >> 20));
    return 0;
}

int qc_tflite_ints(QcTfliteRewrite *r, int64_t *values, uint32_t *n, uint32_t most, uint32_t k)
{
    const QcTfliteTensor *t = qc_tflite_input(r, k);
    if (!t || !t->data || (t->type != QC_TFLITE_INT32 && t->type != QC_TFLITE_INT64))
        return qc_tflite_refuse(r, "input %u is no constant of integers", k);
    if (check_constant(r, t)) return -1;
    if (t->n > most) return qc_tflite_refuse(r, "input %u has %llu numbers", k, (unsigned long long)t->n);
    int size = t->type == QC_TFLITE_INT32 ? 4 : 8;
    QcFlatVector v = {(size_t)(t->data - r->flat->bytes), (uint32_t)t->n};
    for (uint32_t i = 0; i < v.n; i++) values[i] = qc_flat_int_at(r->flat, v, i, size);
    *n = v.n;
    return 0;
}

/* ---- scales ---- */

/* Initializers NAME.scale and NAME.zero of a tensor of codes, and the names of both; zero is "" if every one is 0. */
static int put_scales(QcTfliteRewrite *r, const char *name, char scale[QC_ONNX_NAME], char zero[QC_ONNX_NAME],
                      const QcTfliteTensor *t)
{
    int64_t dims[1] = {t->scale.n};
    int32_t type = t->type;
    int64_t low = type == QC_TFLITE_INT8 ? -128 : 0, high = type == QC_TFLITE_INT8    ? 127
                                                            : type == QC_TFLITE_UINT8 ? 255
                                                                                      : 0;
    uint32_t rank = t->scale.n > 1;
    snprintf(scale, QC_ONNX_NAME, "%.80s.scale", name);
    uint8_t *to = qc_out_raw(r->out, scale, dims, rank, FLOAT, 4 * (size_t)t->scale.n);
    if (to) memcpy(to, r->flat->bytes + t->scale.at, 4 * (size_t)t->scale.n); /* little endian, both */
    *zero = 0;
    if (type == QC_TFLITE_INT32 && !t->zero.n) return 0;
    snprintf(zero, QC_ONNX_NAME, "%.80s.zero", name);
    uint8_t *zeros = qc_out_raw(r->out, zero, dims, rank, onnx_type(type), element_bytes(type) * t->scale.n);
    for (uint32_t k = 0; zeros && k < t->zero.n; k++) {
        int64_t point = qc_flat_int_at(r->flat, t->zero, k, 8);
        if (point < low || point > high)
            return qc_fail(r->err, QC_EFORMAT, "tensor '%.100s' has the zero point %lld", t->name, (long long)point);
        if (type != QC_TFLITE_INT32) zeros[k] = (uint8_t)point;
    }
    return 0;
}

/* ---- constants ---- */

/* to[] = the elements of t with its axes in the order `from`. */
static void turn(uint8_t *to, const QcTfliteTensor *t, const uint32_t from[4], size_t size)
{
    uint64_t stride[4] = {t->dims[1] * t->dims[2] * t->dims[3], t->dims[2] * t->dims[3], t->dims[3], 1};
    uint64_t n[4], step[4];
    for (int k = 0; k < 4; k++) n[k] = t->dims[from[k]], step[k] = stride[from[k]] * size;
    for (uint64_t a = 0; a < n[0]; a++)
        for (uint64_t b = 0; b < n[1]; b++)
            for (uint64_t c = 0; c < n[2]; c++)
                for (uint64_t d = 0; d < n[3]; d++, to += size)
                    memcpy(to, t->data + a * step[0] + b * step[1] + c * step[2] + d * step[3], size);
}

static int put_constant(QcTfliteRewrite *r, const char *name, const QcTfliteTensor *given, QcTfliteLayout layout)
{
    static const uint32_t orders[][4] = {{0, 1, 2, 3}, {0, 3, 1, 2}, {3, 0, 1, 2}, {0, 1, 3, 2}};
    char codes[QC_ONNX_NAME], scale[QC_ONNX_NAME], zero[QC_ONNX_NAME];
    QcTfliteTensor t = *given;
    int64_t dims[QC_TFLITE_RANK];
    uint32_t axis = t.quantized;
    if (check_constant(r, &t)) return -1;
    int is_codes = t.type == QC_TFLITE_INT8 || t.type == QC_TFLITE_UINT8 || (t.type == QC_TFLITE_INT32 && t.scale.n);
    if (is_codes && !t.scale.n) return qc_tflite_refuse(r, "tensor '%.60s' has codes and no scale", t.name);
    snprintf(codes, sizeof codes, "%.80s%s", name, is_codes ? ".codes" : "");
    memcpy(dims, t.dims, sizeof dims);
    if (layout == QC_TFLITE_TURNED) { /* two axes, as the last of four */
        t.dims[2] = t.dims[0], t.dims[3] = t.dims[1], t.dims[0] = t.dims[1] = 1;
        dims[0] = t.dims[3], dims[1] = t.dims[2];
        axis = !axis;
    } else if (layout) {
        for (uint32_t k = 0; k < 4; k++) dims[k] = t.dims[orders[layout][k]];
        for (axis = 0; axis < 3 && orders[layout][axis] != t.quantized;) axis++;
    }
    uint8_t *to = qc_out_raw(r->out, codes, dims, t.rank, onnx_type(t.type), t.bytes);
    if (to && layout) turn(to, &t, orders[layout], element_bytes(t.type));
    else if (to) memcpy(to, t.data, t.bytes);
    if (!is_codes) return 0;
    if (put_scales(r, name, scale, zero, &t)) return -1;
    Onnx__NodeProto *node = qc_out_node(r->out, "DequantizeLinear", name, codes, scale, *zero ? zero : NULL);
    if (t.scale.n > 1) qc_out_int(r->out, node, "axis", axis);
    return 0;
}

const char *qc_tflite_weight(QcTfliteRewrite *r, uint32_t k, QcTfliteLayout layout)
{
    const QcTfliteTensor *t = qc_tflite_constant(r, k);
    if (!t) return qc_tflite_refuse(r, "input %u, its weights, is not constant", k), NULL;
    uint32_t i = index_of(r, t), rank = layout == QC_TFLITE_TURNED ? 2 : 4;
    if (layout && t->rank != rank)
        return qc_tflite_refuse(r, "its weights have %u dimensions, not %u", t->rank, rank), NULL;
    char name[QC_ONNX_NAME];
    snprintf(name, sizeof name, "#%u.as%d", i, (int)layout);
    if (!(r->put[i] >> layout & 1) && put_constant(r, name, t, layout)) return NULL;
    r->put[i] |= (uint8_t)(1u << layout);
    return qc_arena_text(&r->out->arena, name, strlen(name), r->err);
}

/* Codes of a bias whose scale the file leaves out. By TensorFlow Lite's specification it is the scale of the input
 * times the scales of the weights, and the zero point is 0. */
static const char *put_bias(QcTfliteRewrite *r, const QcTfliteTensor *t, const QcTfliteTensor *x,
                            const QcTfliteTensor *w)
{
    char name[QC_ONNX_NAME], codes[QC_ONNX_NAME], scale[QC_ONNX_NAME];
    const int64_t dims[1] = {(int64_t)t->n}, scale_dims[1] = {w->scale.n};
    if (check_constant(r, t)) return NULL;
    if (t->rank != 1 || (w->scale.n > 1 && w->scale.n != t->n))
        return qc_tflite_refuse(r, "its bias does not fit the %u scales of its weights", w->scale.n), NULL;
    snprintf(name, sizeof name, "#%u.bias", index_of(r, qc_tflite_output(r)));
    snprintf(codes, sizeof codes, "%.80s.codes", name);
    snprintf(scale, sizeof scale, "%.80s.scale", name);
    uint8_t *to = qc_out_raw(r->out, codes, dims, 1, INT32, t->bytes);
    if (to) memcpy(to, t->data, t->bytes);
    float *scales = qc_arena_take(&r->out->arena, w->scale.n, sizeof *scales, r->err),
          input = qc_flat_float_at(r->flat, x->scale, 0);
    if (!scales) return NULL;
    for (uint32_t k = 0; k < w->scale.n; k++) scales[k] = input * qc_flat_float_at(r->flat, w->scale, k);
    qc_out_floats(r->out, scale, scale_dims, w->scale.n > 1, scales);
    Onnx__NodeProto *node = qc_out_node(r->out, "DequantizeLinear", name, codes, scale, NULL);
    if (w->scale.n > 1) qc_out_int(r->out, node, "axis", 0);
    return qc_arena_text(&r->out->arena, name, strlen(name), r->err);
}

const char *qc_tflite_bias(QcTfliteRewrite *r)
{
    const QcTfliteTensor *x = qc_tflite_input(r, 0), *w = qc_tflite_constant(r, 1), *t = qc_tflite_constant(r, 2);
    int is_bare = t && t->type == QC_TFLITE_INT32 && !t->scale.n && x && x->scale.n == 1 && w && w->scale.n;
    return is_bare ? put_bias(r, t, x, w) : qc_tflite_weight(r, 2, QC_TFLITE_AS_IS);
}

const char *qc_tflite_value(QcTfliteRewrite *r, uint32_t k)
{
    const QcTfliteTensor *t = qc_tflite_input(r, k);
    if (!t) return qc_tflite_refuse(r, "it has no input %u", k), NULL;
    return qc_tflite_constant(r, k) ? qc_tflite_weight(r, k, QC_TFLITE_AS_IS) : r->names[index_of(r, t)];
}

/* ---- computed values ---- */

int qc_tflite_is_quantized(QcTfliteRewrite *r, const QcTfliteTensor *t)
{
    if (t->type == QC_TFLITE_FLOAT32) return 0;
    if (t->type != QC_TFLITE_INT8 && t->type != QC_TFLITE_UINT8)
        return qc_tflite_refuse(r, "tensor '%.60s' is of element type %d; computed values may be float32, int8, uint8",
                                t->name, t->type);
    if (t->scale.n != 1)
        return qc_tflite_refuse(r, "tensor '%.60s' has %u scales; a computed value of codes has one", t->name,
                                t->scale.n);
    return !r->plain[index_of(r, t)];
}

int qc_tflite_requantize(QcTfliteRewrite *r, const char *to, const char *from, const QcTfliteTensor *t)
{
    char codes[QC_ONNX_NAME], scale[QC_ONNX_NAME], zero[QC_ONNX_NAME], name[QC_ONNX_NAME];
    snprintf(name, sizeof name, "#%u.step", index_of(r, t));
    snprintf(codes, sizeof codes, "#%u.codes", index_of(r, t));
    if (put_scales(r, name, scale, zero, t)) return -1;
    qc_out_node(r->out, "QuantizeLinear", codes, from, scale, zero);
    qc_out_node(r->out, "DequantizeLinear", to, codes, scale, zero);
    return 0;
}
