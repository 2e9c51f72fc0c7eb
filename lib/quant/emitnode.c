/* A node of the float graph -> nodes of the quantized graph, their codes, biases and multipliers. */
#include <math.h>

#include "../format/qgraphfile.h"
#include "emission.h"
#include "scale.h"

static QcQNode *add_node(QcEmission *e, QcQOp op, uint32_t channel_entries)
{
    QcQNode *n = &e->nodes[e->g->n_nodes++];
    *n = (QcQNode){.op = (uint8_t)op,
                   .groups = 1,
                   .kernel_h = 1,
                   .kernel_w = 1,
                   .stride_h = 1,
                   .stride_w = 1,
                   .dilation_h = 1,
                   .dilation_w = 1};
    n->channel = e->g->n_channels;
    for (uint32_t c = 0; c < channel_entries; c++) {
        e->scale[n->channel + c] = 1;
        e->shift[n->channel + c] = 1;
    }
    e->g->n_channels += channel_entries;
    return n;
}

static void set_window(QcQNode *n, const QcWindow *w)
{
    n->kernel_h = (uint16_t)w->kernel_h, n->kernel_w = (uint16_t)w->kernel_w;
    n->stride_h = (uint16_t)w->stride_h, n->stride_w = (uint16_t)w->stride_w;
    n->dilation_h = (uint16_t)w->dilation_h, n->dilation_w = (uint16_t)w->dilation_w;
    n->pad_top = (uint16_t)w->pad_top, n->pad_bottom = (uint16_t)w->pad_bottom;
    n->pad_left = (uint16_t)w->pad_left, n->pad_right = (uint16_t)w->pad_right;
}

static double gain_of(const QcEmission *e, const QcNode *node)
{
    return e->given ? (double)e->given->gain[qc_emission_index_of(e, node)] : 1;
}

static int rescale_entry(QcEmission *e, const QcNode *node, uint32_t entry, double real)
{
    if (!qc_fixed_point(&e->multiplier[entry], &e->shift[entry], real)) return 0;
    return qc_fail(e->err, QC_EUNSUPPORTED,
                   "node '%s' cannot be quantized: its output is %g times finer than its input", node->name, real);
}

static QcQRole role_of(const QcEmission *e, const QcNode *node, int relu)
{
    if (node->op == QC_OP_LINEAR) return QC_ROLE_LINEAR;
    uint32_t me = qc_emission_index_of(e, node);
    for (const QcNode *n = node + 1; n < e->f->nodes + e->f->n_nodes; n++)
        if (n->op == QC_OP_ADD && (n->inputs[0] == me || n->inputs[1] == me)) return QC_ROLE_SHORTCUT;
    return relu ? QC_ROLE_CONV : QC_ROLE_BOTTLENECK;
}

/* Weights, biases and multipliers of a convolution whose output tensor (or logits: -1) is `out`. */
static int quantize_channels(QcEmission *e, const QcNode *node, QcQNode *n, int out)
{
    const QcQTensor *in = &e->tensors[n->in[0]];
    uint32_t row = (uint32_t)(node->n_weight / node->channels);
    int bits = (int)qc_code_bits(e->g, n);
    double most = (double)row * 255 * (1 << (bits - 1)); /* of a sum */
    const float *given = e->given ? e->given->step + e->given->first[qc_emission_index_of(e, node)] : NULL;
    for (uint32_t o = 0; o < node->channels; o++) {
        const float *w = e->f->params + node->weight + (size_t)o * row;
        float scale = given ? given[o] : qc_scale_of_weights(w, row, bits);
        uint32_t c = n->channel + o;
        double real_bias = node->has_bias ? (double)e->f->params[node->bias + o] : 0;
        /* a dead channel: its weights are nearly zero, its bias is not */
        if (!given) scale = fmaxf(scale, (float)(fabs(real_bias) / ((double)in->scale * 0x1p29)));
        double step = (double)in->scale * (double)scale, bias = rint(real_bias / step);
        e->scale[c] = scale;
        for (uint32_t j = 0; j < row; j++) e->master[n->code + o * row + j] = w[j] / scale;
        if (fabs(bias) + most >= 0x1p31)
            return qc_fail(e->err, QC_EUNSUPPORTED, "node '%s' cannot be quantized: its sums do not fit 32 bits",
                           node->name);
        e->bias[c] = (int32_t)bias;
        if (out >= 0 && rescale_entry(e, node, c, step / (double)e->tensors[out].scale)) return -1;
    }
    return 0;
}

int qc_emit_conv(QcEmission *e, const QcNode *node, int relu, int out, uint32_t out_channel)
{
    int in = qc_emission_tensor_of(e, node->inputs[0]);
    QcQRole role = role_of(e, node, relu);
    QcQNode *n = add_node(e, out < 0 ? QC_Q_LOGITS : QC_Q_CONV, node->channels);
    n->in[0] = (uint16_t)in;
    n->out = (uint16_t)(out < 0 ? 0 : out);
    n->out_channel = (uint16_t)out_channel;
    n->channels = (uint16_t)node->channels;
    n->relu = (uint8_t)relu;
    n->role = (uint8_t)role;
    if (node->op == QC_OP_CONV) {
        set_window(n, &node->window);
        n->groups = (uint16_t)node->groups;
    } else { /* a linear layer is a convolution as large as its input */
        n->kernel_h = e->tensors[in].height;
        n->kernel_w = e->tensors[in].width;
    }
    n->code_bits = (uint8_t)(out < 0 && e->last_bits != e->bits ? e->last_bits : 0);
    n->n_codes = (uint32_t)node->n_weight;
    n->code = e->g->n_codes;
    n->code_byte = e->g->n_code_bytes;
    e->g->n_codes += n->n_codes;
    e->g->n_code_bytes += (uint32_t)(((uint64_t)n->n_codes * qc_code_bits(e->g, n) + 7) / 8);
    return quantize_channels(e, node, n, out);
}

/* Operators with one multiplier: real = scale_in / (scale_out * count). */
static int emit_rescaled(QcEmission *e, QcQOp op, const QcNode *node, int in, int out, uint32_t out_channel,
                         uint32_t channels, int relu, double count)
{
    QcQNode *n = add_node(e, op, 1);
    n->in[0] = (uint16_t)in;
    n->out = (uint16_t)out;
    n->out_channel = (uint16_t)out_channel;
    n->channels = (uint16_t)channels;
    n->relu = (uint8_t)relu;
    if (op == QC_Q_AVGPOOL) {
        set_window(n, &node->window);
        n->count_padding = (uint8_t)node->count_padding;
    }
    double gain = op == QC_Q_COPY ? 1 : gain_of(e, node);
    return rescale_entry(e, node, n->channel,
                         gain * (double)e->tensors[in].scale / ((double)e->tensors[out].scale * count));
}

static int emit_add(QcEmission *e, const QcNode *node, int relu, int out)
{
    QcQNode *n = add_node(e, QC_Q_ADD, 2);
    double real[2];
    for (int k = 0; k < 2; k++) {
        n->in[k] = (uint16_t)qc_emission_tensor_of(e, node->inputs[k]);
        real[k] = gain_of(e, node) * (double)e->tensors[n->in[k]].scale / (double)e->tensors[out].scale;
    }
    n->out = (uint16_t)out;
    n->channels = (uint16_t)node->channels;
    n->relu = (uint8_t)relu;
    int big = real[1] > real[0];
    if (rescale_entry(e, node, n->channel + (uint32_t)big, real[big])) return -1;
    uint8_t shift = e->shift[n->channel + (uint32_t)big];
    e->shift[n->channel + (uint32_t)!big] = shift; /* one shift for both */
    e->multiplier[n->channel + (uint32_t)!big] = (int32_t)llround(ldexp(real[!big], shift));
    return 0;
}

static int emit_maxpool(QcEmission *e, const QcNode *node)
{
    int in = qc_emission_tensor_of(e, node->inputs[0]), out = qc_emission_add_tensor(e, node, &e->tensors[in]);
    if (out < 0) return -1;
    QcQNode *n = add_node(e, QC_Q_MAXPOOL, 0);
    n->in[0] = (uint16_t)in;
    n->out = (uint16_t)out;
    n->channels = (uint16_t)node->channels;
    set_window(n, &node->window);
    return 0;
}

/* A node of a table, whose codes are to be filled in. */
static uint8_t *add_table(QcEmission *e, int in, int out)
{
    QcQNode *n = add_node(e, QC_Q_TABLE, 0);
    n->in[0] = (uint16_t)in;
    n->out = (uint16_t)out;
    n->channels = e->tensors[in].channels;
    n->code_byte = e->g->n_code_bytes;
    e->g->n_code_bytes += QC_Q_TABLE_BYTES;
    return e->g->codes + n->code_byte;
}

/* Ties go to the even code, as in ONNX Runtime. */
static uint8_t code_of(float value, const QcQTensor *t)
{
    float q = rintf(value / t->scale) + (float)t->zero, top = (float)((1 << t->bits) - 1);
    return (uint8_t)(q > 0 ? q < top ? q : top : 0); /* what is no number is 0 */
}

/* The function of every input code, as codes of its output. */
static int emit_steps(QcEmission *e, const QcStep *steps, uint32_t n_steps, int in, int out)
{
    const QcQTensor *from = &e->tensors[in], *to = &e->tensors[out];
    uint8_t *codes = add_table(e, in, out);
    for (int code = 0; code < QC_Q_TABLE_BYTES; code++)
        codes[code] = code_of(qc_function_at(steps, n_steps, from->scale * (float)(code - from->zero), NULL), to);
    return 0;
}

/* Levels by input code, as codes of the output. */
static int emit_levels(QcEmission *e, const QcNode *node, int in, int out)
{
    const QcQTensor *from = &e->tensors[in], *to = &e->tensors[out];
    uint8_t *codes = add_table(e, in, out);
    if (from->scale < node->scale || from->scale > node->scale || from->zero != node->zero || from->bits > node->bits)
        return qc_fail(e->err, QC_EUNSUPPORTED, "table '%s' is of other codes than its input has", node->name);
    for (int code = 0; code < 1 << from->bits; code++) codes[code] = code_of(node->levels[code], to);
    return 0;
}

static int emit_mul(QcEmission *e, const QcNode *node, int out)
{
    QcQNode *n = add_node(e, QC_Q_MUL, 1);
    for (int k = 0; k < 2; k++) n->in[k] = (uint16_t)qc_emission_tensor_of(e, node->inputs[k]);
    n->out = (uint16_t)out;
    n->channels = (uint16_t)node->channels;
    return rescale_entry(e, node, n->channel,
                         gain_of(e, node) * (double)e->tensors[n->in[0]].scale * (double)e->tensors[n->in[1]].scale /
                             (double)e->tensors[out].scale);
}

static int emit_turn(QcEmission *e, const QcNode *node)
{
    int in = qc_emission_tensor_of(e, node->inputs[0]), out = qc_emission_add_tensor(e, node, &e->tensors[in]);
    if (out < 0) return -1;
    QcQNode *n = add_node(e, QC_Q_TURN, node->loops.n);
    n->in[0] = (uint16_t)in;
    n->out = (uint16_t)out;
    n->channels = (uint16_t)node->channels;
    n->groups = (uint16_t)node->loops.n;
    n->code = node->loops.offset;
    for (uint32_t k = 0; k < node->loops.n; k++) {
        e->bias[n->channel + k] = (int32_t)node->loops.size[k];
        e->multiplier[n->channel + k] = (int32_t)node->loops.stride[k];
        e->shift[n->channel + k] = 1;
    }
    return 0;
}

static int emit_concat(QcEmission *e, const QcNode *node)
{
    int out = qc_emission_add_tensor(e, node, NULL);
    uint32_t channel = 0;
    for (uint32_t k = 0; out >= 0 && k < node->n_inputs; k++) {
        const QcNode *from = &e->f->nodes[node->inputs[k]], *writer = qc_emission_slice_writer(e, from);
        int status = writer ? qc_emit_conv(e, writer, writer != from, out, channel)
                            : emit_rescaled(e, QC_Q_COPY, node, qc_emission_tensor_of(e, node->inputs[k]), out, channel,
                                            from->channels, 0, 1);
        if (status) return -1;
        channel += from->channels;
    }
    return out < 0 ? -1 : 0;
}

/* Emits the node, together with the ReLU that follows it (if `relu` is set). */
static int emit_body(QcEmission *e, const QcNode *body, int relu, int out)
{
    const QcNode *input = qc_emission_input_of(e, body);
    int in = qc_emission_tensor_of(e, body->inputs[0]);
    uint32_t channels = body->channels;
    switch (body->op) {
    case QC_OP_CONV:
    case QC_OP_LINEAR: return qc_emit_conv(e, body, relu, out, 0);
    case QC_OP_ADD: return emit_add(e, body, relu, out);
    case QC_OP_FUNCTION: return emit_steps(e, body->steps, body->n_steps, in, out);
    case QC_OP_TABLE: return emit_levels(e, body, in, out);
    case QC_OP_MUL: return emit_mul(e, body, out);
    case QC_OP_GAP:
        return emit_rescaled(e, QC_Q_GAP, body, in, out, 0, channels, 0, (double)input->height * input->width);
    case QC_OP_STD:
        if ((uint64_t)input->height * input->width > QC_Q_STD_PIXELS)
            return qc_fail(e->err, QC_EUNSUPPORTED, "node '%s' reads more than %d positions", body->name,
                           QC_Q_STD_PIXELS);
        return emit_rescaled(e, QC_Q_STD, body, in, out, 0, channels, 0,
                             (double)QC_Q_STD_UNIT * input->height * input->width);
    case QC_OP_AVGPOOL:
        return emit_rescaled(e, QC_Q_AVGPOOL, body, in, out, 0, channels, 0,
                             (double)body->window.kernel_h * body->window.kernel_w);
    default:
        return qc_fail(e->err, QC_EUNSUPPORTED, "node '%s' (%s) cannot be quantized", body->name,
                       qc_op_names[body->op]);
    }
}

/* A clipped ReLU whose output codes could exceed the clip: clamps them. */
static int emit_clip(QcEmission *e, const QcNode *node, int in)
{
    const QcStep steps[] = {{QC_STEP_X, 0}, {QC_STEP_NUMBER, node->clip}, {QC_STEP_MIN, 0}};
    if (!qc_emission_is_above_clip(e, node)) return 0;
    int out = qc_emission_add_tensor(e, node, &e->tensors[in]);
    return out < 0 ? -1 : emit_steps(e, steps, sizeof steps / sizeof *steps, in, out);
}

int qc_emit_node(QcEmission *e, const QcNode *node)
{
    if (!qc_emission_has_tensor(e, node)) return 0;
    if (node->op == QC_OP_MAXPOOL) return emit_maxpool(e, node);
    if (node->op == QC_OP_TURN) return emit_turn(e, node);
    if (node->op == QC_OP_CONCAT) return emit_concat(e, node);
    int out = qc_emission_add_tensor(e, node, NULL);
    if (out < 0 || node->op == QC_OP_INPUT) return out < 0 ? -1 : 0;
    if (node->op != QC_OP_RELU) return emit_body(e, node, 0, out);
    const QcNode *before = qc_emission_input_of(e, node);
    int status = qc_emission_under_relu(e, before)
                     ? emit_body(e, before, 1, out)
                     : emit_rescaled(e, QC_Q_COPY, node, qc_emission_tensor_of(e, node->inputs[0]), out, 0,
                                     node->channels, 1, 1);
    return status ? -1 : emit_clip(e, node, out);
}
