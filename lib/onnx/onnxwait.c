/* Functions of single numbers and padding wait at a value: so that a chain of them becomes one node, and padding
 * becomes a convolution's own. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "onnxparts.h"

/* ---- functions ---- */

int qc_wait_simple(QcOnnxImport *im, QcValue *v, QcOp op, const char *weight)
{
    char name[QC_NAME_MAX + 1];
    qc_onnx_name(im, name, weight);
    int node = qc_graph_simple(im->g, name, op, v->node, im->err);
    if (node < 0) return -1;
    v->node = (uint32_t)node;
    v->alone = 1;
    return 0;
}

/* f of g; 0: too long. */
static uint32_t compose(QcStep out[QC_MAX_STEPS], const QcStep *f, uint32_t n_f, const QcStep *g, uint32_t n_g)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < n_f; k++) {
        int inner = f[k].op == QC_STEP_X && n_g;
        uint32_t more = inner ? n_g : 1;
        if (n + more > QC_MAX_STEPS) return 0;
        memcpy(out + n, inner ? g : f + k, more * sizeof *out);
        n += more;
    }
    return qc_function_is_whole(out, n) ? n : 0;
}

static int keeps_zero(const QcStep *steps, uint32_t n)
{
    float at = qc_function_at(steps, n, 0, NULL);
    return at >= 0 && at <= 0;
}

int qc_wait_function(QcOnnxImport *im, QcValue *v, const QcStep *steps, uint32_t n_steps)
{
    QcStep all[QC_MAX_STEPS];
    for (uint32_t k = 0; k < n_steps; k++)
        if (steps[k].op == QC_STEP_NUMBER && !isfinite(steps[k].value))
            return qc_onnx_refuse(im, "its constant is not finite");
    if (v->kind == QC_VALUE_CONSTANT) return qc_fold_function(im, &v->constant, steps, n_steps);
    if (qc_wait_padded(v) && (v->padding < 0 || !keeps_zero(steps, n_steps)) && qc_wait_settle(im, v)) return -1;
    uint32_t n = compose(all, steps, n_steps, v->steps, v->n_steps);
    if (!n && v->n_steps) {
        if (qc_wait_apply(im, v)) return -1;
        n = compose(all, steps, n_steps, NULL, 0);
    }
    if (!n) return qc_onnx_refuse(im, "its function has more than %d steps", QC_MAX_STEPS);
    memcpy(v->steps, all, n * sizeof *all);
    v->n_steps = n;
    return qc_onnx_put(im, v);
}

/* gain * x + shift, if that is all the steps do. */
static int is_affine(const QcStep *steps, uint32_t n, float *gain, float *shift)
{
    double g[QC_MAX_STACK + 1], s[QC_MAX_STACK + 1];
    uint32_t top = 0;
    for (uint32_t k = 0; k < n; k++) {
        uint8_t op = steps[k].op;
        if (op <= QC_STEP_NUMBER) {
            g[top] = op == QC_STEP_X;
            s[top++] = op == QC_STEP_X ? 0 : (double)steps[k].value;
            continue;
        }
        if (op > QC_STEP_DIV) return 0;
        int constant[2] = {g[top - 2] >= 0 && g[top - 2] <= 0, g[top - 1] >= 0 && g[top - 1] <= 0};
        double by = s[top - 1], first = s[top - 2];
        top--;
        if (op == QC_STEP_ADD || op == QC_STEP_SUB) {
            double sign = op == QC_STEP_ADD ? 1 : -1;
            g[top - 1] += sign * g[top];
            s[top - 1] += sign * by;
        } else if (constant[1]) {
            g[top - 1] = op == QC_STEP_MUL ? g[top - 1] * by : g[top - 1] / by;
            s[top - 1] = op == QC_STEP_MUL ? s[top - 1] * by : s[top - 1] / by;
        } else if (op == QC_STEP_MUL && constant[0]) {
            g[top - 1] = g[top] * first;
            s[top - 1] = by * first;
        } else {
            return 0;
        }
    }
    *gain = (float)g[0];
    *shift = (float)s[0];
    return isfinite(*gain) && isfinite(*shift);
}

/* max(x, 0), or min of that and a number above 0. */
static int is_relu(const QcStep *s, uint32_t n, float *clip)
{
    *clip = 0;
    int max = n >= 3 && s[0].op == QC_STEP_X && s[1].op == QC_STEP_NUMBER && s[1].value >= 0 && s[1].value <= 0 &&
              s[2].op == QC_STEP_MAX;
    if (max && n == 3) return 1;
    if (!max || n != 5 || s[3].op != QC_STEP_NUMBER || s[4].op != QC_STEP_MIN || !(s[3].value > 0)) return 0;
    *clip = s[3].value;
    return 1;
}

static int function_node(QcOnnxImport *im, QcValue *v)
{
    char name[QC_NAME_MAX + 1];
    qc_onnx_name(im, name, NULL);
    int node = qc_graph_function(im->g, name, v->node, v->steps, v->n_steps, im->err);
    if (node < 0) return -1;
    v->node = (uint32_t)node;
    v->alone = 1;
    return 0;
}

static float *same_values(QcOnnxImport *im, uint32_t n, float value)
{
    float *values = qc_onnx_room(im, n, sizeof *values);
    for (uint32_t i = 0; values && i < n; i++) values[i] = value;
    return values;
}

int qc_wait_apply(QcOnnxImport *im, QcValue *v)
{
    uint32_t n = v->n_steps, channels = im->g->nodes[v->node].channels;
    float gain, shift, clip;
    if (!n) return 0;
    v->n_steps = 0;
    int affine = is_affine(v->steps, n, &gain, &shift),
        table = !im->plain && qc_onnx_codes_of(im, v->node); /* a table of codes is exact */
    if (affine && gain >= 1 && gain <= 1 && shift >= 0 && shift <= 0) return 0;
    if (affine && !table) {
        float *gains = same_values(im, channels, gain), *shifts = same_values(im, channels, shift);
        return gains && shifts ? qc_wait_affine(im, v, gains, shifts) : -1;
    }
    if (is_relu(v->steps, n, &clip)) {
        if (qc_wait_simple(im, v, QC_OP_RELU, NULL)) return -1;
        im->g->nodes[v->node].clip = clip;
        return 0;
    }
    v->n_steps = n;
    int status = function_node(im, v);
    v->n_steps = 0;
    return status;
}

/* ---- gain and shift along the channels ---- */

/* Before everything else: it becomes part of the model's normalization. */
static int normalize(QcOnnxImport *im, const float *gain, const float *shift)
{
    uint32_t channels = im->g->nodes[0].channels;
    float *new_gain = same_values(im, channels, 0), *new_shift = same_values(im, channels, 0);
    if (!new_gain || !new_shift) return -1;
    for (uint32_t c = 0; c < channels; c++) {
        new_gain[c] = gain[c] * (im->gain ? im->gain[c] : 1);
        new_shift[c] = gain[c] * (im->shift ? im->shift[c] : 0) + shift[c];
    }
    im->gain = new_gain;
    im->shift = new_shift;
    return 0;
}

static int all_are(const float *values, uint32_t n, float value)
{
    for (uint32_t i = 0; i < n; i++)
        if (!(values[i] >= value && values[i] <= value)) return 0;
    return 1;
}

static int all_divide(const float *values, uint32_t n) /* a deviation can be made of them */
{
    for (uint32_t i = 0; i < n; i++)
        if (!(values[i] > 1e-30f && values[i] < 1e30f)) return 0;
    return 1;
}

static int all_scale(const float *values, uint32_t n) /* 1 if scales can be multiplied by all that are not 0 */
{
    for (uint32_t i = 0; i < n; i++)
        if (!(fabsf(values[i]) < 1e15f) || (fabsf(values[i]) > 0 && !(fabsf(values[i]) > 1e-15f))) return 0;
    return 1;
}

/* The new scale step / k of weights, which are at most `most` steps and must stay codes of 8 bits. A bias is rounded to
 * units of scale * in_scale: the whole number k is chosen for which the rounding error is least. */
static float best_step(float step, float most, float bias, float in_scale)
{
    uint32_t finest = most < 127 ? (uint32_t)(127 / fmaxf(most, 1)) : 1, best = finest;
    double least = INFINITY;
    for (uint32_t k = finest; in_scale > 0 && k > 0 && 2 * k >= finest; k--) {
        double units = (double)bias / ((double)step * (double)in_scale) * k, off = fabs(units - rint(units)) / k;
        if (off < least) least = off, best = k;
    }
    return step / (float)best;
}

static float scale_of(const QcOnnxImport *im, uint32_t node)
{
    const QcNode *codes = qc_onnx_codes_of(im, node);
    return codes ? codes->scale : 0;
}

/* Multiplies weights that are codes by the gains; they stay codes, with new scales. */
static int scale_steps(QcOnnxImport *im, uint32_t at, const float *gain, const float *shift)
{
    QcNode *node = &im->g->nodes[at];
    QcFill *f = &im->fills[at];
    size_t row = node->n_weight / node->channels;
    float *weight = qc_onnx_room(im, node->n_weight, sizeof *weight), *step = same_values(im, node->channels, 0),
          *bias = same_values(im, node->channels, 0);
    if (!weight || !step || !bias) return -1;
    for (uint32_t c = 0; c < node->channels; c++) {
        const float *w = f->weight + c * row, by = fabsf(gain[c]) > 0 ? fabsf(gain[c]) : 1;
        float most = 0;
        for (size_t j = 0; j < row; j++) {
            weight[c * row + j] = gain[c] * w[j];
            most = fmaxf(most, rintf(fabsf(w[j]) / f->step[c]));
        }
        bias[c] = gain[c] * (f->bias ? f->bias[c] : 0) + shift[c];
        step[c] = best_step(by * f->step[c], most, bias[c], scale_of(im, node->inputs[0]));
    }
    *f = (QcFill){.weight = weight, .bias = bias, .step = step};
    node->has_bias = 1;
    node->n_bias = node->channels;
    return 0;
}

/* Adds a depthwise convolution with one weight per channel; w may pad. */
static int by_itself(QcOnnxImport *im, QcValue *v, QcWindow w, int has_bias, const QcFill *fill)
{
    char name[QC_NAME_MAX + 1];
    uint32_t channels = im->g->nodes[v->node].channels;
    qc_onnx_name(im, name, NULL);
    int node = qc_graph_conv(im->g, name, v->node, channels, w, channels, has_bias, im->err);
    if (node < 0) return -1;
    im->fills[node] = *fill;
    v->node = (uint32_t)node;
    v->alone = 1;
    return 0;
}

/* Gain and shift of values that are codes, as a depthwise 1 x 1 convolution whose weights are the gains. */
static int scale_codes(QcOnnxImport *im, QcValue *v, const float *gain, const float *shift)
{
    const QcWindow one = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
    uint32_t channels = im->g->nodes[v->node].channels;
    float *step = same_values(im, channels, 1);
    for (uint32_t c = 0; step && c < channels; c++)
        step[c] = best_step(fabsf(gain[c]) > 0 ? fabsf(gain[c]) : 1, 1, shift[c], scale_of(im, v->node));
    const QcFill fill = {.weight = gain, .bias = shift, .step = step};
    return step ? by_itself(im, v, one, 1, &fill) : -1;
}

/* Gain and shift become part of the model's normalization, of weights and bias of the layer before, or a batch norm
 * with mean 0. */
int qc_wait_affine(QcOnnxImport *im, QcValue *v, const float *gain, const float *shift)
{
    QcNode *node = &im->g->nodes[v->node];
    uint32_t channels = node->channels;
    if (all_are(gain, channels, 1) && all_are(shift, channels, 0)) return 0;
    if (!v->node && v->alone && all_divide(gain, channels)) return normalize(im, gain, shift);
    if (!im->plain && v->alone && im->fills[v->node].step && all_scale(gain, channels))
        return scale_steps(im, v->node, gain, shift);
    if ((node->op == QC_OP_CONV || node->op == QC_OP_LINEAR) && !node->has_bias && v->alone &&
        all_are(gain, channels, 1)) {
        node->has_bias = 1;
        node->n_bias = channels;
        im->fills[v->node].bias = shift;
        return 0;
    }
    if (!im->plain && qc_onnx_codes_of(im, v->node)) return scale_codes(im, v, gain, shift);
    float *zeros = same_values(im, channels, 0), *ones = same_values(im, channels, 0);
    if (!zeros || !ones || qc_wait_simple(im, v, QC_OP_BATCHNORM, NULL)) return -1;
    for (uint32_t c = 0; c < channels; c++) ones[c] = 1 - im->g->nodes[v->node].eps; /* with eps it is 1 */
    im->fills[v->node] = (QcFill){.weight = gain, .bias = shift, .mean = zeros, .variance = ones};
    return 0;
}

/* ---- padding ---- */

int qc_wait_padded(const QcValue *v)
{
    uint32_t any = 0;
    for (uint32_t k = 0; k < v->rank; k++) any |= v->pads[k][0] | v->pads[k][1];
    return any != 0;
}

/* Every axis of the set is all of the height or all of the width. */
static int fit_padded(const QcAxes *axes, uint32_t rank, uint32_t set)
{
    uint32_t users[4] = {0}, channels = 0;
    for (uint32_t k = 0; k < rank; k++)
        users[axes->of[k]]++, channels += axes->of[k] == QC_AXIS_CHANNELS && (set >> k & 1);
    for (uint32_t k = 0; k < rank; k++)
        if ((set >> k & 1) && axes->of[k] != QC_AXIS_NONE && users[axes->of[k]] > 1) return 0;
    return !channels;
}

/* Zero padding by itself is a convolution that copies. */
static int pad_node(QcOnnxImport *im, QcValue *v, const QcAxes *axes)
{
    QcWindow w = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
    const float *ones = same_values(im, im->g->nodes[v->node].channels, 1);
    const QcFill fill = {.weight = ones, .step = ones, .only_pads = 1};
    for (uint32_t k = 0; k < v->rank; k++) {
        if (axes->of[k] == QC_AXIS_HEIGHT) w.pad_top += v->pads[k][0], w.pad_bottom += v->pads[k][1];
        if (axes->of[k] == QC_AXIS_WIDTH) w.pad_left += v->pads[k][0], w.pad_right += v->pads[k][1];
    }
    return ones ? by_itself(im, v, w, 0, &fill) : -1;
}

int qc_wait_settle(QcOnnxImport *im, QcValue *v)
{
    uint32_t set = 0, n = 0, taken[4] = {0};
    QcAxes axes;
    if (qc_wait_apply(im, v)) return -1;
    if (!qc_wait_padded(v)) return 0;
    if (v->padding < 0)
        return qc_onnx_refuse(im, "its input is padded with minus infinity, which only a MaxPool may read");
    for (uint32_t k = 0; k < v->rank; k++)
        if (v->pads[k][0] | v->pads[k][1]) set |= 1u << k, n++;
    if (n > 2) return qc_onnx_refuse(im, "its input is padded along more than two axes");
    memset(axes.of, QC_AXIS_CHANNELS, sizeof axes.of);
    for (uint32_t k = 0, seen = 0; k < v->rank; k++)
        if (set >> k & 1) axes.of[k] = n == 2 && !seen++ ? QC_AXIS_HEIGHT : QC_AXIS_WIDTH;
    axes = qc_layout_find(im, v, fit_padded, set, &axes);
    for (uint32_t k = 0; k < v->rank; k++) taken[axes.of[k]]++;
    for (uint32_t k = 0; k < v->rank; k++) {
        if (!(set >> k & 1) || axes.of[k] != QC_AXIS_NONE) continue; /* an axis of size 1 takes the free side */
        axes.of[k] = taken[QC_AXIS_WIDTH] ? QC_AXIS_HEIGHT : QC_AXIS_WIDTH;
        if (taken[axes.of[k]]++)
            return qc_onnx_refuse(im, "its input is padded along an axis of size 1, which is not supported here");
    }
    if (qc_layout_arrange(im, v, &axes) || pad_node(im, v, &axes)) return -1;
    for (uint32_t k = 0; k < v->rank; k++) {
        if (!(set >> k & 1)) continue;
        uint32_t size = qc_view_size(v, k) + v->pads[k][0] + v->pads[k][1];
        for (uint32_t i = 0; i < v->n_atoms; i++)
            if (v->atoms[i].axis == k) v->atoms[i].size = 1;
        v->pads[k][0] = v->pads[k][1] = 0;
        if (v->n_atoms == QC_ONNX_ATOMS) return qc_onnx_refuse(im, "its input has too many axes");
        v->atoms[v->n_atoms++] = (QcAtom){size, 0, k};
        qc_view_clean(v);
    }
    qc_layout_restride(v, &axes);
    qc_view_clean(v);
    return 0;
}
