/* Models that are quantized already (QDQ): codes of weights become real numbers that remember their scale, quantized
 * activations QUANT nodes. */
#include <math.h>
#include <string.h>

#include "onnxparts.h"

enum { UINT8 = 2, INT8 = 3 };

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

/* Scales and zero points of a constant, by tensor or along one axis. */
typedef struct Steps {
    const QcTensor *scale, *zero; /* zero: NULL if all are 0 */
    uint32_t axis;
    size_t inner; /* values for one step along the axis */
} Steps;

static int read_steps(QcOnnxImport *im, Steps *s, const QcTensor *of)
{
    s->scale = qc_onnx_floats(im, 1);
    s->zero = s->scale && qc_onnx_has(im, 2) ? qc_onnx_ints(im, 2) : NULL;
    if (!s->scale || (qc_onnx_has(im, 2) && !s->zero)) return -1;
    if (qc_onnx_int(im, "block_size", 0)) return qc_onnx_refuse(im, "scales by blocks are not supported");
    size_t n = s->scale->n;
    if (!all_scales(s->scale) || (s->zero && s->zero->n != n))
        return qc_onnx_wrong(im, "its scales are not above 0, or there are not as many zero points");
    int axis = n == 1 ? 0 : qc_onnx_axis(im, qc_onnx_int(im, "axis", 1), of->rank);
    if (axis < 0) return -1;
    if (n > 1 && (int64_t)n != of->dims[axis])
        return qc_onnx_wrong(im, "it has %zu scales for %lld values along axis %d", n, (long long)of->dims[axis], axis);
    s->axis = (uint32_t)axis;
    s->inner = 1;
    for (uint32_t k = s->axis + 1; k < of->rank; k++) s->inner *= (size_t)of->dims[k];
    return 0;
}

static size_t channel_of(const Steps *s, size_t i) { return s->scale->n == 1 ? 0 : i / s->inner % s->scale->n; }

/* Codes that are constants: (code - zero) * scale. */
int qc_fold_dequantize(QcOnnxImport *im)
{
    const QcTensor *codes = qc_onnx_ints(im, 0);
    Steps s;
    QcTensor t;
    float *f;
    if (!codes || read_steps(im, &s, codes) || qc_tensor_floats(im, &t, &f, codes->rank, codes->dims)) return -1;
    int codes_of_weights = 1; /* codes of at most 9 bits, which qc_keep accepts as weights */
    for (size_t k = 0; k < t.n; k++) {
        size_t c = channel_of(&s, k);
        int64_t code = codes->i[k] - (s.zero ? s.zero->i[c] : 0);
        codes_of_weights &= code >= -256 && code <= 255;
        f[k] = (float)code * s.scale->f[c];
    }
    if (codes_of_weights) t.step = s.scale->f, t.n_step = (uint32_t)s.scale->n, t.step_axis = s.axis;
    return qc_onnx_put_tensor(im, t);
}

/* Real numbers that are constants: round(x / scale) + zero, within the range of the type. */
int qc_fold_quantize(QcOnnxImport *im)
{
    const QcValue *in = qc_onnx_input(im, 0);
    int64_t low, high, *codes;
    Steps s;
    QcTensor t;
    if (!in) return -1;
    const QcTensor *x = &in->constant;
    if (!x->f) return qc_onnx_refuse(im, "it quantizes a constant of integers");
    if (read_steps(im, &s, x)) return -1;
    int64_t type = s.zero ? s.zero->type : qc_onnx_int(im, "output_dtype", 0);
    if (!type) type = UINT8;
    if (!qc_tensor_range(type, &low, &high) || high > INT32_MAX)
        return qc_onnx_refuse(im, "codes of element type %lld are not supported", (long long)type);
    if (qc_tensor_ints(im, &t, &codes, x->rank, x->dims)) return -1;
    for (size_t k = 0; k < t.n; k++) {
        size_t c = channel_of(&s, k);
        double code = (double)rintf(x->f[k] / s.scale->f[c]) + (s.zero ? (double)s.zero->i[c] : 0);
        if (isnan(code)) return qc_onnx_wrong(im, "a value of its constant is not finite");
        codes[k] = (int64_t)fmin(fmax(code, (double)low), (double)high);
    }
    t.type = (int32_t)type;
    return qc_onnx_put_tensor(im, t);
}

/* Scale and zero point of codes, which are of the type that is given if they do not say it themselves: 0 if that is to
 * be what the standard says. */
static int read_step(QcOnnxImport *im, QcValue *v, int64_t type)
{
    const QcTensor *scale = qc_onnx_floats(im, 1), *point = scale && qc_onnx_has(im, 2) ? qc_onnx_ints(im, 2) : NULL;
    if (!scale || (qc_onnx_has(im, 2) && !point)) return -1;
    if (scale->n != 1 || (point && point->n != 1))
        return qc_onnx_refuse(im, "only one scale for all of a computed value is supported");
    if (!all_scales(scale)) return qc_onnx_wrong(im, "its scale is not above 0");
    if (point) type = point->type;
    int64_t at = (point ? point->i[0] : 0) + (type == INT8 ? 128 : 0);
    if (type && type != UINT8 && type != INT8)
        return qc_onnx_refuse(im, "only codes of 8 bits are supported for computed values");
    if (at < 0 || at > 255) return qc_onnx_wrong(im, "its zero point is none of 8 bits");
    v->step = scale->f[0];
    v->zero = (uint32_t)at; /* of codes 0..255 */
    v->signed_codes = type == INT8;
    return 0;
}

/* Puts a value as real numbers. If its zero point is code 0, it is clipped to the range of its codes, since quantizers
 * omit the ReLU before it. The input is not clipped, so that a normalization after it can become the model's. */
static int put_real(QcOnnxImport *im, QcValue *v)
{
    const QcStep relu[] = {{QC_STEP_X, 0},
                           {QC_STEP_NUMBER, 0},
                           {QC_STEP_MAX, 0},
                           {QC_STEP_NUMBER, 255 * v->step},
                           {QC_STEP_MIN, 0}};
    if (v->zero || !v->node) return im->notes.uncut++, qc_onnx_put(im, v);
    return qc_wait_function(im, v, relu, sizeof relu / sizeof *relu);
}

const QcNode *qc_onnx_codes_of(const QcOnnxImport *im, uint32_t node)
{
    const QcNode *n = &im->g->nodes[node];
    while (n->op == QC_OP_FLATTEN || n->op == QC_OP_TURN || n->op == QC_OP_MAXPOOL || im->fills[node].only_pads)
        node = n->inputs[0], n = &im->g->nodes[node];
    return n->op == QC_OP_QUANT ? n : NULL;
}

/* v = the function `steps` of v, quantized again with this step and zero point. v is of codes. */
static int codes_through(QcOnnxImport *im, QcValue *v, const QcStep *steps, uint32_t n_steps, float step, uint32_t zero,
                         uint32_t bits)
{
    char name[QC_NAME_MAX + 1];
    qc_onnx_name(im, name, NULL);
    int node = qc_graph_function(im->g, name, v->node, steps, n_steps, im->err);
    if (node < 0) return -1;
    qc_onnx_name(im, name, NULL);
    node = qc_graph_quant(im->g, name, (uint32_t)node, step, zero, bits, im->err);
    if (node < 0) return -1;
    v->node = (uint32_t)node;
    v->alone = 1;
    return 0;
}

/* -v, exactly: the order of the codes is reversed. */
int qc_onnx_negate_codes(QcOnnxImport *im, QcValue *v)
{
    const QcStep minus[] = {{QC_STEP_X, 0}, {QC_STEP_NUMBER, -1}, {QC_STEP_MUL, 0}};
    const QcNode *codes = qc_onnx_codes_of(im, v->node);
    return codes_through(im, v, minus, sizeof minus / sizeof *minus, codes->scale,
                         (1u << codes->bits) - 1 - codes->zero, codes->bits);
}

/* Codes of a maximum are the maximum of codes, which the device takes. */
static int quantize_before_pool(QcOnnxImport *im, QcValue *v, uint32_t bits)
{
    char name[QC_NAME_MAX + 1];
    QcNode pool = im->g->nodes[v->node];
    qc_onnx_name(im, name, NULL);
    int node = qc_graph_quant(im->g, name, pool.inputs[0], v->step, v->zero, bits, im->err);
    if (node < 0) return -1;
    qc_onnx_name(im, name, NULL);
    return qc_graph_pool(im->g, name, QC_OP_MAXPOOL, (uint32_t)node, pool.window, 0, im->err);
}

static int is_number(const QcStep *s, float value)
{
    return s->op == QC_STEP_NUMBER && s->value >= value && s->value <= value;
}

/* Removes limits (Min, Max) at the end of the steps that wait, since codes are clipped anyway; a ReLU stays. Limits
 * within the range of the codes become a function on_codes of the codes. Returns its number of steps, 0: none. */
static uint32_t take_limits(QcValue *v, uint32_t bits, QcStep on_codes[QC_MAX_STEPS])
{
    const QcStep *s = v->steps;
    const float top = (float)((1u << bits) - 1);
    uint32_t all = v->n_steps, kept = all;
    int within = 0;
    if (all >= 3 && is_number(&s[1], 0) && s[2].op == QC_STEP_MAX) return 0;
    for (; kept >= 3 && s[kept - 2].op == QC_STEP_NUMBER; kept -= 2) {
        float code = rintf(s[kept - 2].value / v->step) + (float)v->zero; /* as a runtime rounds it */
        uint8_t op = s[kept - 1].op;
        if (op != QC_STEP_MAX && op != QC_STEP_MIN) break;
        within |= op == QC_STEP_MAX ? code > 0 : code < top;
    }
    if (within) {
        on_codes[0] = (QcStep){QC_STEP_X, 0};
        memcpy(on_codes + 1, s + kept, (all - kept) * sizeof *s);
    }
    v->n_steps = kept;
    return within ? 1 + all - kept : 0;
}

/* A Clip to the codes of fewer bits, as our exports have it: the bits. 8: there is none, and it goes on waiting. */
static uint32_t take_bits(QcValue *v, float step, uint32_t zero)
{
    const QcStep *s = v->steps + v->n_steps - 4;
    if (v->n_steps < 5 || s[1].op != QC_STEP_MAX || s[3].op != QC_STEP_MIN) return 8;
    for (uint32_t bits = 2; bits < 8; bits++) {
        float low = -(float)zero * step, high = ((float)(1u << bits) - 1 - (float)zero) * step;
        if (zero >= 1u << bits || !is_number(&s[0], low) || !is_number(&s[2], high)) continue;
        v->n_steps -= 4;
        return bits;
    }
    return 8;
}

int qc_onnx_quantize(QcOnnxImport *im)
{
    char name[QC_NAME_MAX + 1];
    int64_t type = qc_onnx_int(im, "output_dtype", 0);
    uint32_t bits = 8;
    QcStep on_codes[QC_MAX_STEPS];
    QcValue v;
    im->notes.has_codes = 1;
    if (qc_onnx_take(im, &v, 0, QC_TAKE_RAW) || read_step(im, &v, type)) return -1;
    if (v.ends) return qc_onnx_put(im, &v); /* the logits before the Softmax need no codes */
    uint32_t waiting = v.n_steps;
    if (!im->plain) bits = take_bits(&v, v.step, v.zero);
    uint32_t limits = im->plain ? 0 : take_limits(&v, bits, on_codes);
    if (v.n_steps < waiting && qc_wait_apply(im, &v)) return -1;
    if (v.n_steps && (qc_onnx_take(im, &v, 0, QC_TAKE_APPLIED) || read_step(im, &v, type))) return -1;
    if (v.padding < 0 && qc_wait_settle(im, &v)) return -1; /* zeros go on waiting: they are codes, too */
    if (im->plain) return put_real(im, &v);
    const QcNode *from = &im->g->nodes[v.node];
    if (!limits && from->op == QC_OP_QUANT && from->scale >= v.step && from->scale <= v.step && from->zero == v.zero &&
        from->bits <= bits)
        return qc_onnx_put(im, &v); /* codes as they are */
    int node;
    if (from->op == QC_OP_MAXPOOL && !qc_onnx_codes_of(im, v.node)) {
        node = quantize_before_pool(im, &v, bits);
    } else {
        qc_onnx_name(im, name, NULL);
        node = qc_graph_quant(im->g, name, v.node, v.step, v.zero, bits, im->err);
    }
    if (node < 0) return -1;
    v.node = (uint32_t)node;
    v.alone = 1;
    if (limits && codes_through(im, &v, on_codes, limits, v.step, v.zero, bits)) return -1;
    return qc_onnx_put(im, &v);
}

int qc_onnx_dequantize(QcOnnxImport *im)
{
    QcValue v, own = {0};
    if (qc_onnx_take(im, &v, 0, QC_TAKE_RAW) || read_step(im, &own, v.signed_codes ? INT8 : UINT8)) return -1;
    if (!(v.step > 0)) return qc_onnx_refuse(im, "its input is not the result of a QuantizeLinear");
    if (own.step < v.step || own.step > v.step || own.zero != v.zero || own.signed_codes != v.signed_codes)
        return qc_onnx_refuse(im, "it has another scale or zero point than the QuantizeLinear before it");
    v.step = 0;
    return qc_onnx_put(im, &v);
}

/* ---- tables ---- */

/* Codes choose from 256 numbers: how our exports write a function of codes. */
int qc_onnx_table(QcOnnxImport *im)
{
    enum { SIZE = 256 };
    char name[QC_NAME_MAX + 1];
    const QcTensor *t = qc_onnx_floats(im, 0);
    QcValue v;
    if (!t || qc_onnx_take(im, &v, 1, QC_TAKE_RAW)) return -1;
    if (!(v.step > 0) || !v.index) return qc_onnx_refuse(im, "its places are computed from the data");
    if (t->rank != 1 || t->n != SIZE || qc_onnx_int(im, "axis", 0) || v.signed_codes)
        return qc_onnx_refuse(im, "only a table of %d numbers for unsigned codes of 8 bits is supported", SIZE);
    if (im->plain)
        return qc_onnx_refuse(im, "its table is of codes; a model that has one can only be read as a quantized model, "
                                  "all of whose weights and values are quantized");
    float *levels = qc_arena_take(&im->g->arena, SIZE, sizeof *levels, im->err);
    if (!levels) return -1;
    for (int k = 0; k < SIZE; k++)
        if (!isfinite(levels[k] = t->f[k])) return qc_onnx_wrong(im, "a number of its table is not finite");
    qc_onnx_name(im, name, NULL);
    int node = qc_graph_table(im->g, name, v.node, v.step, v.zero, 8, levels, im->err);
    if (node < 0) return -1;
    v.node = (uint32_t)node;
    v.alone = 1;
    v.step = 0;
    v.index = 0;
    return qc_onnx_put(im, &v);
}
