/* A quantized graph as ONNX: every tensor goes through QuantizeLinear and DequantizeLinear with its scale and zero
 * point, weights are codes after a DequantizeLinear. Several nodes that write slices of one tensor become branches
 * that a Concat joins. */
#include <stdio.h>
#include <string.h>

#include "../format/qgraphfile.h"
#include "onnxwrite.h"

enum { MOST_PARTS = 64 }; /* of a concat */

typedef struct Writer {
    QcOnnxOut *out;
    const QcQGraph *g;
    uint32_t *written; /* [n_tensors] channels so far */
    QcOnnxCodes codes;
    QcArena arena;
} Writer;

typedef char Name[QC_ONNX_NAME];

static const char *tensor_name(Name name, uint32_t t, const char *ending)
{
    snprintf(name, QC_ONNX_NAME, "t%u%s", t, ending);
    return name;
}

/* Channels [from, from + n) of tensor t, dequantized: the tensor itself if these are all its channels. */
static const char *slice_name(const Writer *w, Name name, uint32_t t, uint32_t from, uint32_t n)
{
    if (n == w->g->tensors[t].channels) return tensor_name(name, t, "");
    snprintf(name, QC_ONNX_NAME, "t%u.from%u", t, from);
    return name;
}

/* ---- tensors ---- */

static void put_tensors(Writer *w)
{
    Name name;
    for (uint32_t t = 0; t < w->g->n_tensors; t++) {
        const QcQTensor *q = &w->g->tensors[t];
        float low = (float)-q->zero * q->scale, high = (float)((1 << q->bits) - 1 - q->zero) * q->scale;
        qc_out_floats(w->out, tensor_name(name, t, ".scale"), NULL, 0, &q->scale);
        uint8_t *zero =
            qc_out_raw(w->out, tensor_name(name, t, ".zero"), NULL, 0, ONNX__TENSOR_PROTO__DATA_TYPE__UINT8, 1);
        if (zero) *zero = q->zero;
        if (q->bits == 8) continue;
        qc_out_floats(w->out, tensor_name(name, t, ".low"), NULL, 0, &low);
        qc_out_floats(w->out, tensor_name(name, t, ".high"), NULL, 0, &high);
    }
}

/* output = dequantize(quantize(x)) in the terms of tensor t, whose codes end at 2^bits - 1. */
static void requantize(Writer *w, const char *output, const char *x, uint32_t t)
{
    Name scale, zero, low, high, clipped, codes;
    if (w->g->tensors[t].bits < 8) {
        snprintf(clipped, sizeof clipped, "%.80s.clipped", output);
        qc_out_node(w->out, "Clip", clipped, x, tensor_name(low, t, ".low"), tensor_name(high, t, ".high"));
        x = clipped;
    }
    snprintf(codes, sizeof codes, "%.80s.codes", output);
    qc_out_node(w->out, "QuantizeLinear", codes, x, tensor_name(scale, t, ".scale"), tensor_name(zero, t, ".zero"));
    qc_out_node(w->out, "DequantizeLinear", output, codes, scale, zero);
}

/* Stores `value` of the node as its slice of its tensor, and joins the slices after the last one. Slices are written
 * in the order of nodes and joined in the order of channels. */
static void finish(Writer *w, uint32_t i, const char *value)
{
    const QcQNode *node = &w->g->nodes[i];
    uint32_t t = node->out, channels = w->g->tensors[t].channels, parts = 0;
    Name relu, slice, joined, names[MOST_PARTS];
    const char *inputs[MOST_PARTS];
    if (node->relu) {
        snprintf(relu, sizeof relu, "n%u.relu", i);
        qc_out_node(w->out, "Relu", relu, value, NULL, NULL);
        value = relu;
    }
    requantize(w, slice_name(w, slice, t, node->out_channel, node->channels), value, t);
    w->written[t] += node->channels;
    if (node->channels == channels || w->written[t] < channels) return;
    for (uint32_t from = 0; from < channels && parts < MOST_PARTS; parts++) { /* the node that writes the next
                                                                               * channels */
        uint32_t k = 0;
        while (k <= i &&
               (w->g->nodes[k].op == QC_Q_LOGITS || w->g->nodes[k].out != t || w->g->nodes[k].out_channel != from))
            k++;
        if (k > i) break;
        inputs[parts] = slice_name(w, names[parts], t, from, w->g->nodes[k].channels);
        from += w->g->nodes[k].channels;
    }
    Onnx__NodeProto *made = qc_out_node(w->out, "Concat", tensor_name(joined, t, ".joined"), NULL, NULL, NULL);
    qc_out_more(w->out, made, inputs, parts);
    qc_out_int(w->out, made, "axis", 1);
    requantize(w, tensor_name(slice, t, ""), joined, t);
}

/* ---- weights ---- */

/* Code (o, c, p) of a layer whose codes lie [out][position][in / groups]. */
static int32_t code_at(const Writer *w, const QcQNode *node, uint32_t o, uint32_t c, uint32_t p)
{
    uint32_t row = node->n_codes / node->channels, positions = (uint32_t)node->kernel_h * node->kernel_w,
             in = row / positions;
    return qc_code_get(w->g, node, o * row + p * in + c);
}

/* Weights [out][in][h][w] as codes after a DequantizeLinear with a scale for each output channel. */
static void put_weights(Writer *w, const QcQNode *node, const char *weight, const int64_t *dims, uint32_t rank)
{
    Name codes, scale, zero;
    uint32_t positions = (uint32_t)node->kernel_h * node->kernel_w, in = node->n_codes / node->channels / positions;
    const int64_t channels = node->channels;
    int wide = qc_code_bits(w->g, node) == 8, nibbles = w->codes == QC_ONNX_INT4 && !wide,
        flipped = w->codes != QC_ONNX_INT8 && wide;
    /* 22: INT4, which older descriptions do not name */
    int32_t type = nibbles ? 22 : flipped ? ONNX__TENSOR_PROTO__DATA_TYPE__UINT8 : ONNX__TENSOR_PROTO__DATA_TYPE__INT8;
    size_t at = 0;
    snprintf(codes, sizeof codes, "%.80s.codes", weight);
    snprintf(scale, sizeof scale, "%.80s.scale", weight);
    snprintf(zero, sizeof zero, "%.80s.zero", weight);
    uint8_t *to = qc_out_raw(w->out, codes, dims, rank, type, nibbles ? (node->n_codes + 1) / 2 : node->n_codes);
    for (uint32_t o = 0; to && o < node->channels; o++)
        for (uint32_t c = 0; c < in; c++)
            for (uint32_t p = 0; p < positions; p++, at++) {
                uint8_t code = (uint8_t)code_at(w, node, o, c, p);
                if (nibbles) to[at / 2] |= (uint8_t)((code & 15) << (at % 2 ? 4 : 0));
                else to[at] = flipped ? code ^ 128 : code;
            }
    qc_out_floats(w->out, scale, &channels, 1, w->g->scale + node->channel);
    uint8_t *zeros =
        qc_out_raw(w->out, zero, &channels, 1, type, nibbles ? (size_t)(channels + 1) / 2 : (size_t)channels);
    if (zeros && flipped) memset(zeros, 128, (size_t)channels);
    qc_out_int(w->out, qc_out_node(w->out, "DequantizeLinear", weight, codes, scale, zero), "axis", 0);
}

/* Integers in units of the input's scale times the weight's. */
static void put_bias(Writer *w, const QcQNode *node, const char *bias)
{
    Name codes, scale;
    const int64_t channels = node->channels;
    snprintf(codes, sizeof codes, "%.80s.codes", bias);
    snprintf(scale, sizeof scale, "%.80s.scale", bias);
    uint8_t *to = qc_out_raw(w->out, codes, &channels, 1, ONNX__TENSOR_PROTO__DATA_TYPE__INT32, 4 * (size_t)channels);
    float *scales = qc_arena_take(&w->arena, node->channels, sizeof *scales, NULL);
    if (!to || !scales) {
        w->out->bad = 1;
        return;
    }
    for (uint32_t o = 0; o < node->channels; o++) {
        uint32_t b = (uint32_t)w->g->bias[node->channel + o];
        for (int k = 0; k < 4; k++) to[4 * o + (uint32_t)k] = (uint8_t)(b >> 8 * k);
        scales[o] = w->g->tensors[node->in[0]].scale * w->g->scale[node->channel + o];
    }
    qc_out_floats(w->out, scale, &channels, 1, scales);
    qc_out_int(w->out, qc_out_node(w->out, "DequantizeLinear", bias, codes, scale, NULL), "axis", 0);
}

/* ---- nodes ---- */

static QcOutWindow window_of(const QcQNode *n)
{
    return (QcOutWindow){{n->kernel_h, n->kernel_w},
                         {n->stride_h, n->stride_w},
                         {n->dilation_h, n->dilation_w},
                         {n->pad_top, n->pad_left},
                         {n->pad_bottom, n->pad_right}};
}

static void write_conv(Writer *w, const QcQNode *node, const char *value, const char *x)
{
    Name weight, bias;
    uint32_t in = node->n_codes / node->channels / ((uint32_t)node->kernel_h * node->kernel_w);
    const int64_t dims[4] = {node->channels, in, w->out->spatial == 2 ? node->kernel_h : node->kernel_w,
                             node->kernel_w};
    QcOutWindow window = window_of(node);
    snprintf(weight, sizeof weight, "%.80s.weight", value);
    snprintf(bias, sizeof bias, "%.80s.bias", value);
    put_weights(w, node, weight, dims, 2 + (uint32_t)w->out->spatial);
    put_bias(w, node, bias);
    Onnx__NodeProto *made = qc_out_node(w->out, "Conv", value, x, weight, bias);
    qc_out_window(w->out, made, &window);
    if (node->groups > 1) qc_out_int(w->out, made, "group", node->groups);
}

/* Rows of codes: flattened values are quantized again, which changes nothing, so that a runtime sees integers before
 * the product. */
static void write_logits(Writer *w, const QcQNode *node, const char *x)
{
    Name flat;
    const int64_t dims[2] = {node->channels, node->n_codes / node->channels};
    qc_out_node(w->out, "Flatten", "logits.flat", x, NULL, NULL);
    snprintf(flat, sizeof flat, "logits.row");
    requantize(w, flat, "logits.flat", node->in[0]);
    put_weights(w, node, "logits.weight", dims, 2);
    put_bias(w, node, "logits.bias");
    qc_out_int(w->out, qc_out_node(w->out, "Gemm", "logits", flat, "logits.weight", "logits.bias"), "transB", 1);
}

static void write_pool(Writer *w, const QcQNode *node, const char *value, const char *x)
{
    QcOutWindow window = window_of(node);
    Onnx__NodeProto *made =
        qc_out_node(w->out, node->op == QC_Q_MAXPOOL ? "MaxPool" : "AveragePool", value, x, NULL, NULL);
    qc_out_window(w->out, made, &window);
    if (node->op == QC_Q_MAXPOOL) return;
    if (node->count_padding) qc_out_int(w->out, made, "count_include_pad", 1);
    if ((node->dilation_h > 1 || node->dilation_w > 1) && w->out->opset < 19) w->out->opset = 19;
}

/* Codes are indices into the table, whose entries are stored as real numbers. */
static void write_table(Writer *w, const QcQNode *node, const char *value, const char *x)
{
    Name codes, index, table, scale, zero;
    const QcQTensor *out = &w->g->tensors[node->out];
    const int64_t size = QC_Q_TABLE_BYTES;
    float levels[QC_Q_TABLE_BYTES];
    for (int k = 0; k < QC_Q_TABLE_BYTES; k++)
        levels[k] = out->scale * (float)(w->g->codes[node->code_byte + (uint32_t)k] - out->zero);
    snprintf(codes, sizeof codes, "%.80s.in", value);
    snprintf(index, sizeof index, "%.80s.index", value);
    snprintf(table, sizeof table, "%.80s.table", value);
    qc_out_floats(w->out, table, &size, 1, levels);
    qc_out_node(w->out, "QuantizeLinear", codes, x, tensor_name(scale, node->in[0], ".scale"),
                tensor_name(zero, node->in[0], ".zero"));
    qc_out_int(w->out, qc_out_node(w->out, "Cast", index, codes, NULL, NULL), "to",
               ONNX__TENSOR_PROTO__DATA_TYPE__INT32);
    qc_out_int(w->out, qc_out_node(w->out, "Gather", value, table, index, NULL), "axis", 0);
}

static void write_turn(Writer *w, const QcQNode *node, const char *value, const char *x)
{
    const QcQTensor *out = &w->g->tensors[node->out];
    QcLoops loops = {.n = node->groups, .offset = node->code};
    for (uint32_t k = 0; k < loops.n; k++)
        loops.size[k] = (uint32_t)w->g->bias[node->channel + k],
        loops.stride[k] = (uint32_t)w->g->multiplier[node->channel + k];
    qc_out_turn(w->out, value, x, &loops, out->height, out->width, out->channels);
}

static void write_node(Writer *w, uint32_t i)
{
    const QcQNode *node = &w->g->nodes[i];
    Name a, b, value;
    tensor_name(a, node->in[0], "");
    snprintf(value, sizeof value, "n%u", i);
    switch (node->op) {
    case QC_Q_LOGITS: write_logits(w, node, a); return;
    case QC_Q_CONV: write_conv(w, node, value, a); break;
    case QC_Q_GAP: qc_out_node(w->out, "GlobalAveragePool", value, a, NULL, NULL); break;
    case QC_Q_STD: qc_out_std(w->out, value, a); break;
    case QC_Q_TABLE: write_table(w, node, value, a); break;
    case QC_Q_TURN: write_turn(w, node, value, a); break;
    case QC_Q_MUL: qc_out_node(w->out, "Mul", value, a, tensor_name(b, node->in[1], ""), NULL); break;
    case QC_Q_ADD: qc_out_node(w->out, "Add", value, a, tensor_name(b, node->in[1], ""), NULL); break;
    case QC_Q_COPY: snprintf(value, sizeof value, "%s", a); break;
    default: write_pool(w, node, value, a);
    }
    finish(w, i, value);
}

static int is_flat(const QcQGraph *g)
{
    for (uint32_t t = 0; t < g->n_tensors; t++)
        if (g->tensors[t].height > 1) return 0;
    for (uint32_t i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].kernel_h > 1 || g->nodes[i].pad_top || g->nodes[i].pad_bottom) return 0;
    return 1;
}

int qc_onnx_write_quantized(QcOnnxOut *out, const QcModelFile *m, QcOnnxCodes codes, QcErr *err)
{
    QcQGraph g;
    Name x;
    int status = -1;
    Writer w = {.out = out, .g = &g, .codes = codes};
    if (qc_qgraphfile_decode(&g, m, &w.arena, err) ||
        !(w.written = qc_arena_take(&w.arena, g.n_tensors, sizeof *w.written, err)))
        goto end;
    if (codes == QC_ONNX_INT4 && g.bits > 4) {
        qc_fail(err, QC_EUSAGE, "weights of %u bits do not fit 4", g.bits);
        goto end;
    }
    if (codes == QC_ONNX_INT4) out->opset = 21;
    out->spatial = is_flat(&g) ? 1 : 2;
    put_tensors(&w);
    qc_out_input(out, x, m);
    requantize(&w, "t0", x, 0);
    for (uint32_t i = 0; i < g.n_nodes; i++) write_node(&w, i);
    status = 0;
end:
    qc_arena_release(&w.arena);
    return status;
}
