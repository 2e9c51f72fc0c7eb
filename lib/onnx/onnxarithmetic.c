/* Arithmetic with constants along the axes (batch norms too), sums and products of computed values. */
#include <math.h>
#include <string.h>

#include "../nn/graphshape.h"
#include "onnxsteps.h"

/* ---- constants along the axes ---- */

/* Axis k of v, of size 1, has the same values `size` times. */
static int repeat(QcOnnxImport *im, QcValue *v, uint32_t k, int64_t size)
{
    if (v->pads[k][0] | v->pads[k][1] && qc_wait_settle(im, v)) return -1;
    if (size > QC_MAX_WINDOW_VALUES || qc_view_values(v) * (uint64_t)size > QC_MAX_WINDOW_VALUES)
        return qc_onnx_refuse(im, "it repeats a value %lld times", (long long)size);
    if (v->n_atoms == QC_ONNX_ATOMS) return qc_onnx_refuse(im, "its input has too many axes");
    v->atoms[v->n_atoms++] = (QcAtom){(uint32_t)size, 0, k};
    v->alone = 0; /* its node has the values once */
    qc_view_clean(v);
    return 0;
}

/* The constant's dimensions in the axes of v; -1 with a sentence. *set: axes along which it varies. Axes of v of size 1
 * grow to the constant's. */
static int align(QcOnnxImport *im, QcValue *v, const QcTensor *t, int64_t dims[QC_ONNX_RANK], uint32_t *set)
{
    *set = 0;
    if (t->rank > v->rank) return qc_onnx_refuse(im, "its constant has more axes than the value");
    for (uint32_t k = 0; k < v->rank; k++) {
        uint32_t missing = v->rank - t->rank;
        dims[k] = k < missing ? 1 : t->dims[k - missing];
        if (dims[k] == 1) continue;
        if (k && qc_view_dim(im, v, k) == 1 && repeat(im, v, k, dims[k])) return -1;
        if (!k || dims[k] != qc_view_dim(im, v, k))
            return qc_onnx_refuse(im, "its constant of %lld values along axis %u does not fit the value",
                                  (long long)dims[k], k);
        *set |= 1u << k;
    }
    return 0;
}

/* out[0..n-1][channels] from constants that vary along axes of v alike; v is arranged so that these are channels. */
static int by_channel(QcOnnxImport *im, QcValue *v, const float *const *values, uint32_t n, float **out,
                      const int64_t *dims, uint32_t set)
{
    if (qc_wait_settle(im, v)) return -1;
    QcAxes axes = qc_layout_of_channels(v, set);
    axes = qc_layout_find(im, v, qc_fit_channels_have, set, &axes);
    if (qc_layout_arrange(im, v, &axes)) return -1;
    uint32_t channels = im->g->nodes[v->node].channels;
    const size_t *map = qc_layout_channel_map(im, v, &axes, dims);
    for (uint32_t k = 0; map && k < n; k++) {
        if (!(out[k] = qc_onnx_room(im, channels, sizeof **out))) return -1;
        for (uint32_t c = 0; c < channels; c++) out[k][c] = values[k][map[c]];
    }
    return map ? 0 : -1;
}

int qc_onnx_batchnorm(QcOnnxImport *im)
{
    const float *values[4];
    float *out[4];
    uint32_t outputs = 0;
    int64_t dims[QC_ONNX_RANK];
    QcValue v;
    for (size_t k = 0; k < im->at->n_output; k++) outputs += *im->at->output[k] != 0;
    if (qc_onnx_int(im, "training_mode", 0) || outputs > 1)
        return qc_onnx_refuse(im, "it is in training mode: export the model in eval mode");
    if (!qc_onnx_int(im, "spatial", 1))
        return qc_onnx_refuse(im, "it has statistics for each position, which is not supported");
    if (qc_onnx_take(im, &v, 0, QC_TAKE_SETTLED)) return -1;
    if (v.rank < 2) return qc_onnx_refuse(im, "its input has no axis of channels");
    for (uint32_t k = 0; k < v.rank; k++) dims[k] = k == 1 ? qc_view_size(&v, 1) : 1;
    for (uint32_t k = 0; k < 4; k++) {
        const QcTensor *t = qc_onnx_floats(im, k + 1);
        if (!t) return -1;
        if (t->n != (size_t)dims[1])
            return qc_onnx_wrong(im, "input %u has %zu values for %lld channels", k + 1, t->n, (long long)dims[1]);
        values[k] = t->f;
    }
    float eps = qc_onnx_float(im, "epsilon", 1e-5f);
    if (!(eps > 0 && eps < 1)) return qc_onnx_refuse(im, "an epsilon of %g is not supported", (double)eps);
    if (by_channel(im, &v, values, 4, out, dims, 2)) return -1;
    if (!im->plain && (qc_onnx_codes_of(im, v.node) || im->fills[v.node].step)) {
        for (uint32_t c = 0; c < im->g->nodes[v.node].channels; c++) {
            out[0][c] /= sqrtf(out[3][c] + eps);
            out[1][c] -= out[0][c] * out[2][c];
        }
        return qc_wait_affine(im, &v, out[0], out[1]) ? -1 : qc_onnx_put(im, &v);
    }
    if (qc_wait_simple(im, &v, QC_OP_BATCHNORM, im->at->input[1])) return -1;
    im->g->nodes[v.node].eps = eps;
    im->fills[v.node] = (QcFill){.weight = out[0], .bias = out[1], .mean = out[2], .variance = out[3]};
    return qc_onnx_put(im, &v);
}

/* max(x, 0) - slope * max(-x, 0), the slope by channel. */
int qc_onnx_prelu(QcOnnxImport *im)
{
    const QcTensor *t = qc_onnx_floats(im, 1);
    QcValue v;
    uint32_t set;
    int64_t dims[QC_ONNX_RANK];
    float *slope, *zeros;
    char name[QC_NAME_MAX + 1];
    if (!t || qc_onnx_take(im, &v, 0, QC_TAKE_RAW) || align(im, &v, t, dims, &set)) return -1;
    if (!set)
        return qc_wait_function(im, &v, STEPS(S(X), N(0), S(MAX), S(X), N(0), S(MIN), N(t->f[0]), S(MUL), S(ADD)));
    if (by_channel(im, &v, &t->f, 1, &slope, dims, set)) return -1;
    uint32_t channels = im->g->nodes[v.node].channels;
    if (!(zeros = qc_onnx_room(im, channels, sizeof *zeros))) return -1;
    QcValue low = v;
    v.alone = low.alone = 0;
    const QcStep under[] = {S(X), N(0), S(MIN)};
    memcpy(low.steps, under, sizeof under);
    low.n_steps = 3;
    if (qc_wait_apply(im, &low) || qc_wait_affine(im, &low, slope, zeros) || qc_wait_simple(im, &v, QC_OP_RELU, NULL))
        return -1;
    qc_onnx_name(im, name, NULL);
    int node = qc_graph_add(im->g, name, v.node, low.node, im->err);
    if (node < 0) return -1;
    v.node = (uint32_t)node;
    return qc_onnx_put(im, &v);
}

static int operation(const char *name)
{
    static const struct {
        const char *name;
        int op;
    } all[] = {{"Add", ADD}, {"Sum", ADD}, {"Sub", SUB}, {"Mul", MUL}, {"Div", DIV}, {"Min", MIN}, {"Max", MAX}};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        if (!strcmp(all[k].name, name)) return all[k].op;
    return -1;
}

static int power(QcOnnxImport *im, QcValue *v, float exponent)
{
    if (exponent >= 0.5f && exponent <= 0.5f) return qc_wait_function(im, v, STEPS(S(X), S(QC_STEP_SQRT)));
    if (exponent >= 1 && exponent <= 1) return qc_wait_function(im, v, STEPS(S(X)));
    if (exponent >= 2 && exponent <= 2) return qc_wait_function(im, v, STEPS(S(X), S(X), S(MUL)));
    if (exponent >= 3 && exponent <= 3) return qc_wait_function(im, v, STEPS(S(X), S(X), S(MUL), S(X), S(MUL)));
    return qc_onnx_refuse(im, "a power of %g is not supported, only .5, 1, 2 and 3", (double)exponent);
}

static int with_constant(QcOnnxImport *im, uint32_t k, const QcTensor *t)
{
    const char *name = im->at->op_type;
    int first = k == 1, op = operation(name);
    uint32_t set;
    int64_t dims[QC_ONNX_RANK];
    float *c, *gain, *shift;
    QcValue v;
    if (!t->n) return qc_onnx_refuse(im, "its constant is empty");
    if (!t->f && (op >= 0 || first)) return qc_onnx_refuse(im, "its constant holds integers");
    if (qc_onnx_take(im, &v, k, QC_TAKE_RAW) || align(im, &v, t, dims, &set)) return -1;
    if (op < 0)
        return first || set ? qc_onnx_refuse(im, "only powers with one constant exponent are supported")
                            : power(im, &v, t->f ? t->f[0] : (float)t->i[0]);
    if (!set)
        return first ? qc_wait_function(im, &v, STEPS(N(t->f[0]), S(X), S(op)))
                     : qc_wait_function(im, &v, STEPS(S(X), N(t->f[0]), S(op)));
    if (op == MIN || op == MAX || (op == DIV && first))
        return qc_onnx_refuse(im, "a constant that differs between channels is not supported here");
    if (by_channel(im, &v, &t->f, 1, &c, dims, set)) return -1;
    uint32_t channels = im->g->nodes[v.node].channels;
    if (!(gain = qc_onnx_room(im, channels, sizeof *gain)) ||
        !(shift = qc_onnx_room(im, channels, sizeof *shift)))
        return -1;
    for (uint32_t i = 0; i < channels; i++) {
        gain[i] = op == MUL ? c[i] : op == DIV ? 1 / c[i] : op == SUB && first ? -1 : 1;
        shift[i] = op == ADD || (op == SUB && first) ? c[i] : op == SUB ? -c[i] : 0;
    }
    return qc_wait_affine(im, &v, gain, shift) ? -1 : qc_onnx_put(im, &v);
}

/* ---- two computed values ---- */

static int same_view(const QcValue *a, const QcValue *b)
{
    if (a->node != b->node || a->offset != b->offset || a->rank != b->rank || a->n_atoms != b->n_atoms ||
        qc_wait_padded(a) || qc_wait_padded(b))
        return 0;
    for (uint32_t i = 0; i < a->n_atoms; i++)
        if (a->atoms[i].size != b->atoms[i].size || a->atoms[i].stride != b->atoms[i].stride ||
            a->atoms[i].axis != b->atoms[i].axis)
            return 0;
    return 1;
}

/* Two functions of one value become one function: 1 if they do, -1 with a sentence. */
static int one_function(QcOnnxImport *im, QcValue *a, const QcValue *b, int op)
{
    QcStep steps[QC_MAX_STEPS];
    const QcStep x = S(X);
    const QcValue *const both[2] = {a, b};
    uint32_t n = 0;
    if (!same_view(a, b) || (a->n_steps ? a->n_steps : 1) + (b->n_steps ? b->n_steps : 1) + 1 > QC_MAX_STEPS) return 0;
    for (int k = 0; k < 2; k++) {
        uint32_t more = both[k]->n_steps ? both[k]->n_steps : 1;
        memcpy(steps + n, both[k]->n_steps ? both[k]->steps : &x, more * sizeof *steps);
        n += more;
    }
    steps[n++] = S(op);
    if (!qc_function_is_whole(steps, n)) return 0;
    a->n_steps = 0;
    return qc_wait_function(im, a, steps, n) ? -1 : 1;
}

/* Both in one layout; `small` may have axes of one value that are longer in `large` (the set): then those are
 * positions, and the others channels. */
static int fit_together(QcOnnxImport *im, QcValue *large, QcValue *small, uint32_t broadcast)
{
    uint32_t all = (1u << large->rank) - 1;
    QcAxes axes = qc_layout_of_channels(large, broadcast ? all & ~broadcast : 2);
    axes = qc_layout_find(im, large, broadcast ? qc_fit_channels_are : qc_fit_any, broadcast ? all & ~broadcast : 0,
                          &axes);
    return qc_layout_arrange(im, large, &axes) || qc_layout_arrange(im, small, &axes) ? -1 : 0;
}

/* Axes of size 1 grow to the other's; all but a gate, which stays `small` beside the value it multiplies: the set of
 * its axes that are repeated. */
static int broadcast(QcOnnxImport *im, int op, QcValue *a, QcValue *b, uint32_t *gate)
{
    uint32_t wide[2] = {0, 0};
    if (a->rank != b->rank) return qc_onnx_refuse(im, "its two inputs have %u and %u dimensions", a->rank, b->rank);
    for (uint32_t k = 0; k < a->rank; k++) {
        uint32_t x = qc_view_size(a, k), y = qc_view_size(b, k);
        if (x == y) continue;
        if ((x != 1 && y != 1) || !k) return qc_onnx_refuse(im, "its two inputs differ in size along axis %u", k);
        wide[x == 1] |= 1u << k;
    }
    *gate = op == MUL && !(wide[0] && wide[1]) ? wide[0] | wide[1] : 0;
    for (uint32_t k = 0; k < a->rank && !*gate; k++) {
        if ((wide[0] >> k & 1) && repeat(im, b, k, qc_view_size(a, k))) return -1;
        if ((wide[1] >> k & 1) && repeat(im, a, k, qc_view_size(b, k))) return -1;
    }
    return 0;
}

/* a = a + b, a - b or a * b, both with nothing that waits. */
static int merge(QcOnnxImport *im, int op, QcValue *a, QcValue *b)
{
    char name[QC_NAME_MAX + 1];
    uint32_t gate;
    if (op == SUB && !im->plain && qc_onnx_codes_of(im, b->node)) {
        if (qc_onnx_negate_codes(im, b)) return -1;
    } else if (op == SUB) {
        const QcStep minus[] = {S(X), N(-1), S(MUL)};
        memcpy(b->steps, minus, sizeof minus);
        b->n_steps = 3;
        b->alone = 0;
        if (qc_wait_apply(im, b)) return -1;
    }
    if (broadcast(im, op, a, b, &gate)) return -1;
    int turned = gate && qc_view_values(a) < qc_view_values(b);
    QcValue *large = turned ? b : a, *small = turned ? a : b;
    if (fit_together(im, large, small, gate)) return -1;
    qc_onnx_name(im, name, NULL);
    int node = op == MUL ? qc_graph_mul(im->g, name, large->node, small->node, im->err)
                         : qc_graph_add(im->g, name, a->node, b->node, im->err);
    if (node < 0) return -1;
    large->node = (uint32_t)node;
    large->alone = 1;
    *a = *large;
    return 0;
}

/* max(a, b) = a + max(b - a, 0), min(a, b) = a - max(a - b, 0) */
static int extreme(QcOnnxImport *im, int op, QcValue *a, QcValue *b)
{
    QcValue first = *a, difference = op == MAX ? *b : *a, *other = op == MAX ? a : b;
    const QcStep relu[] = {S(X), N(0), S(MAX)};
    if (merge(im, SUB, &difference, other)) return -1;
    memcpy(difference.steps, relu, sizeof relu);
    difference.n_steps = 3;
    if (qc_wait_apply(im, &difference)) return -1;
    if (merge(im, op == MAX ? ADD : SUB, &first, &difference)) return -1;
    *a = first;
    return 0;
}

static int combine(QcOnnxImport *im, int op)
{
    QcValue a, b;
    if (qc_onnx_take(im, &a, 0, QC_TAKE_RAW) || qc_onnx_take(im, &b, 1, QC_TAKE_RAW)) return -1;
    int one = op < 0 ? 0 : one_function(im, &a, &b, op);
    if (one) return one < 0 ? -1 : 0;
    if (op < 0) return qc_onnx_refuse(im, "a power with a computed exponent is not supported");
    if (qc_onnx_take(im, &a, 0, QC_TAKE_SETTLED) || qc_onnx_take(im, &b, 1, QC_TAKE_SETTLED)) return -1;
    if (op == DIV) { /* times the reciprocal */
        const QcStep reciprocal[] = {N(1), S(X), S(DIV)};
        memcpy(b.steps, reciprocal, sizeof reciprocal);
        b.n_steps = 3;
        b.alone = 0;
        if (qc_wait_apply(im, &b)) return -1;
        op = MUL;
    }
    if (op == MIN || op == MAX) return extreme(im, op, &a, &b) ? -1 : qc_onnx_put(im, &a);
    return merge(im, op, &a, &b) ? -1 : qc_onnx_put(im, &a);
}

static int sum_up(QcOnnxImport *im)
{
    QcValue sum, v;
    if (qc_onnx_take(im, &sum, 0, QC_TAKE_SETTLED)) return -1;
    for (uint32_t k = 1; k < im->at->n_input; k++)
        if (qc_onnx_take(im, &v, k, QC_TAKE_SETTLED) || merge(im, ADD, &sum, &v)) return -1;
    return qc_onnx_put(im, &sum);
}

/* Expand of a computed value: axes of size 1 are repeated. */
int qc_onnx_expand(QcOnnxImport *im)
{
    const int64_t *shape;
    size_t n;
    QcValue v;
    if (qc_onnx_take(im, &v, 0, QC_TAKE_SETTLED) || qc_onnx_list(im, &shape, &n, "", 1)) return -1;
    if (!shape || n > v.rank) return qc_onnx_refuse(im, "it makes more axes than its input has");
    for (uint32_t k = v.rank - (uint32_t)n; k < v.rank; k++) {
        int64_t size = shape[k + n - v.rank];
        if (size == 1 || size == qc_view_dim(im, &v, k)) continue;
        if (size < 1 || !k || qc_view_dim(im, &v, k) != 1)
            return qc_onnx_refuse(im, "it gives axis %u %lld values", k, (long long)size);
        if (repeat(im, &v, k, size)) return -1;
    }
    return qc_onnx_put(im, &v);
}

int qc_onnx_arithmetic(QcOnnxImport *im)
{
    int op = operation(im->at->op_type);
    if (im->at->n_input == 1 || (im->at->n_input > 2 && !strcmp(im->at->op_type, "Sum"))) return sum_up(im);
    if (im->at->n_input != 2) return qc_onnx_refuse(im, "it has %zu inputs; 2 are supported", im->at->n_input);
    const QcValue *a = qc_onnx_input(im, 0), *b = a ? qc_onnx_input(im, 1) : NULL;
    if (!b) return -1;
    if (a->kind == QC_VALUE_CONSTANT) return with_constant(im, 1, &a->constant);
    if (b->kind == QC_VALUE_CONSTANT) return with_constant(im, 0, &b->constant);
    return combine(im, op);
}
