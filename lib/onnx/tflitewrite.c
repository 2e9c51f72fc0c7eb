/* A quantized graph as TensorFlow Lite. Our codes are 0..255, theirs are smaller by 128; weights lie as theirs do.
 * Several nodes that write slices of one tensor become values that a CONCATENATION joins. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/file.h"
#include "../format/qgraphfile.h"
#include "tflitegraph.h"
#include "tfliteout.h"

enum { SAME = 0, VALID = 1 };
enum { NONE = 0, RELU = 1 };
enum { MOST_PARTS = 64 }; /* of a concat */

typedef struct Writer {
    QcTfliteGraph out;
    QcQGraph g;
    QcArena arena;
    uint32_t *value; /* [n_tensors] their tensor */
    uint32_t *made; /* [n_nodes] their tensor of what a node writes */
    uint32_t *written; /* [n_tensors] channels so far */
    QcErr *err;
} Writer;

typedef char Name[32];

/* Codes with the scale of our tensor `like`. */
static uint32_t add_value(Writer *w, const char *name, uint32_t height, uint32_t width, uint32_t channels,
                          uint32_t like)
{
    const QcQTensor *q = &w->g.tensors[like];
    const int64_t dims[4] = {1, height, width, channels};
    return qc_tflite_add(&w->out, name, dims, 4, &q->scale, q->zero - 128);
}

static QcTfliteCall *call_one(Writer *w, int32_t op, int options, uint32_t input, uint32_t output)
{
    return qc_tflite_call(&w->out, op, options, &input, 1, output);
}

static void *take(Writer *w, size_t n, size_t size)
{
    void *memory = qc_arena_take(&w->arena, n, size, NULL);
    if (!memory) w->out.bad = 1;
    return memory;
}

static void put_little(uint8_t *to, uint32_t bits)
{
    for (int k = 0; k < 4; k++) to[k] = (uint8_t)(bits >> 8 * k);
}

static uint32_t add_floats(Writer *w, const char *name, const int64_t *dims, uint32_t rank, const float *values)
{
    size_t n = 1;
    for (uint32_t k = 0; k < rank; k++) n *= (size_t)dims[k];
    uint8_t *data = take(w, n, 4);
    for (size_t i = 0; data && i < n; i++) {
        union { float f; uint32_t u; } v = {.f = values[i]};
        put_little(data + 4 * i, v.u);
    }
    return qc_tflite_add_constant(&w->out, name, dims, rank, QC_TFLITE_FLOAT32, data, 4 * n);
}

/* ---- windows ---- */

/* Zeros that TensorFlow's padding SAME puts before and after. */
static void same_pads(int64_t pads[2], uint32_t size, uint32_t out, uint32_t kernel, uint32_t stride, uint32_t dilation)
{
    int64_t missing = ((int64_t)out - 1) * stride + ((int64_t)kernel - 1) * dilation + 1 - size;
    pads[0] = missing > 0 ? missing / 2 : 0;
    pads[1] = missing > 0 ? missing - missing / 2 : 0;
}

/* SAME or VALID; if it is neither, *x becomes the padded input. -1: a maximum over padding that zeros would change, or
 * a mean that does not count it. */
static int padding_of(Writer *w, uint32_t i, uint32_t *x)
{
    const QcQNode *n = &w->g.nodes[i];
    const QcQTensor *in = &w->g.tensors[n->in[0]], *out = &w->g.tensors[n->out];
    int64_t rows[2], columns[2];
    int same = out->height == (in->height + n->stride_h - 1) / n->stride_h &&
               out->width == (in->width + n->stride_w - 1) / n->stride_w;
    same_pads(rows, in->height, out->height, n->kernel_h, n->stride_h, n->dilation_h);
    same_pads(columns, in->width, out->width, n->kernel_w, n->stride_w, n->dilation_w);
    same = same && rows[0] == n->pad_top && rows[1] == n->pad_bottom && columns[0] == n->pad_left &&
           columns[1] == n->pad_right;
    if (!qc_is_padded(n)) return VALID;
    if (same && (n->op != QC_Q_AVGPOOL || !n->count_padding)) return SAME;
    if ((n->op == QC_Q_MAXPOOL && in->zero) || (n->op == QC_Q_AVGPOOL && !n->count_padding)) return -1;
    const int64_t dims[2] = {4, 2}, pads[8] = {0, 0, n->pad_top, n->pad_bottom, n->pad_left, n->pad_right, 0, 0};
    Name name;
    snprintf(name, sizeof name, "n%u/pads", i);
    uint32_t inputs[2] = {*x, qc_tflite_add_ints(&w->out, name, dims, 2, pads)};
    snprintf(name, sizeof name, "n%u/padded", i);
    *x = add_value(w, name, (uint32_t)in->height + n->pad_top + n->pad_bottom,
                   (uint32_t)in->width + n->pad_left + n->pad_right, in->channels, n->in[0]);
    qc_tflite_call(&w->out, QC_TFLITE_PAD, 22, inputs, 2, *x);
    return VALID;
}

/* Codes [out][h][w][in / groups], as they are or as [1][h][w][out]. */
static uint32_t add_weights(Writer *w, uint32_t i, int by_channel)
{
    const QcQNode *n = &w->g.nodes[i];
    const uint32_t positions = (uint32_t)n->kernel_h * n->kernel_w, row = n->n_codes / n->channels;
    const int64_t dims[2][4] = {{n->channels, n->kernel_h, n->kernel_w, row / positions},
                                {1, n->kernel_h, n->kernel_w, n->channels}};
    uint8_t *data = take(w, n->n_codes, 1);
    for (uint32_t o = 0; data && o < n->channels; o++)
        for (uint32_t j = 0; j < row; j++)
            data[by_channel ? j * n->channels + o : o * row + j] = (uint8_t)qc_code_get(&w->g, n, o * row + j);
    Name name;
    snprintf(name, sizeof name, "n%u/weights", i);
    uint32_t k = qc_tflite_add_constant(&w->out, name, dims[by_channel], 4, QC_TFLITE_INT8, data, n->n_codes);
    if (w->out.bad) return 0;
    w->out.tensors[k].scale = w->g.scale + n->channel;
    w->out.tensors[k].n_scale = n->channels;
    w->out.tensors[k].axis = by_channel ? 3 : 0;
    return k;
}

static uint32_t add_bias(Writer *w, uint32_t i)
{
    const QcQNode *n = &w->g.nodes[i];
    const int64_t channels = n->channels;
    uint8_t *data = take(w, n->channels, 4);
    float *scales = take(w, n->channels, sizeof *scales);
    for (uint32_t o = 0; data && scales && o < n->channels; o++) {
        put_little(data + 4 * (size_t)o, (uint32_t)w->g.bias[n->channel + o]);
        scales[o] = w->g.tensors[n->in[0]].scale * w->g.scale[n->channel + o];
    }
    Name name;
    snprintf(name, sizeof name, "n%u/bias", i);
    uint32_t k = qc_tflite_add_constant(&w->out, name, &channels, 1, QC_TFLITE_INT32, data, 4 * (size_t)channels);
    if (w->out.bad) return 0;
    w->out.tensors[k].scale = scales;
    w->out.tensors[k].n_scale = n->channels;
    return k;
}

static void write_conv(Writer *w, uint32_t i, uint32_t x, uint32_t to)
{
    const QcQNode *n = &w->g.nodes[i];
    int by_channel = n->groups > 1 && n->groups == w->g.tensors[n->in[0]].channels;
    int padding = padding_of(w, i, &x);
    const uint32_t inputs[3] = {x, add_weights(w, i, by_channel), add_bias(w, i)};
    QcTfliteCall *c = by_channel ? qc_tflite_call(&w->out, QC_TFLITE_DEPTHWISE_CONV_2D, 2, inputs, 3, to)
                                 : qc_tflite_call(&w->out, QC_TFLITE_CONV_2D, 1, inputs, 3, to);
    uint32_t after = by_channel ? 4 : 3;
    qc_tflite_set(c, 0, 1, padding);
    qc_tflite_set(c, 1, 4, n->stride_w);
    qc_tflite_set(c, 2, 4, n->stride_h);
    if (by_channel) qc_tflite_set(c, 3, 4, n->channels / n->groups);
    qc_tflite_set(c, after, 1, n->relu ? RELU : NONE);
    qc_tflite_set(c, after + 1, 4, n->dilation_w);
    qc_tflite_set(c, after + 2, 4, n->dilation_h);
}

/* A mean has the scale of its input until a QUANTIZE changes that. */
static int write_pool(Writer *w, uint32_t i, uint32_t x, uint32_t to)
{
    const QcQNode *n = &w->g.nodes[i];
    const QcQTensor *in = &w->g.tensors[n->in[0]], *out = &w->g.tensors[n->out];
    int max = n->op == QC_Q_MAXPOOL, same_codes = in->zero == out->zero && in->scale >= out->scale &&
                                                  in->scale <= out->scale;
    if (n->dilation_h > 1 || n->dilation_w > 1)
        return qc_fail(w->err, QC_EUNSUPPORTED, "node %u: TensorFlow Lite's pools have no dilation", i);
    int padding = padding_of(w, i, &x);
    if (padding < 0)
        return qc_fail(w->err, QC_EUNSUPPORTED, "node %u: TensorFlow Lite's pools have no such padding", i);
    Name name;
    snprintf(name, sizeof name, "n%u/pool", i);
    uint32_t pooled = same_codes ? to : add_value(w, name, out->height, out->width, n->channels, n->in[0]);
    QcTfliteCall *c = call_one(w, max ? QC_TFLITE_MAX_POOL_2D : QC_TFLITE_AVERAGE_POOL_2D, 5, x, pooled);
    qc_tflite_set(c, 0, 1, padding);
    qc_tflite_set(c, 1, 4, n->stride_w);
    qc_tflite_set(c, 2, 4, n->stride_h);
    qc_tflite_set(c, 3, 4, n->kernel_w);
    qc_tflite_set(c, 4, 4, n->kernel_h);
    if (!same_codes) call_one(w, QC_TFLITE_QUANTIZE, 91, pooled, to);
    return 0;
}

/* ---- other nodes ---- */

static void write_mean(Writer *w, uint32_t i, uint32_t x, uint32_t to)
{
    const int64_t two = 2, axes[2] = {1, 2};
    Name name;
    snprintf(name, sizeof name, "n%u/axes", i);
    const uint32_t inputs[2] = {x, qc_tflite_add_ints(&w->out, name, &two, 1, axes)};
    qc_tflite_set(qc_tflite_call(&w->out, QC_TFLITE_MEAN, 27, inputs, 2, to), 0, 1, 1);
}

static void reshape(Writer *w, uint32_t i, const char *what, uint32_t x, uint32_t to)
{
    if (w->out.bad) return;
    const QcTfliteMade *t = &w->out.tensors[to];
    const int64_t rank = t->rank;
    int64_t dims[QC_TFLITE_RANK];
    Name name;
    memcpy(dims, t->dims, sizeof dims);
    snprintf(name, sizeof name, "n%u/%s.shape", i, what);
    const uint32_t inputs[2] = {x, qc_tflite_add_ints(&w->out, name, &rank, 1, dims)};
    qc_tflite_call(&w->out, QC_TFLITE_RESHAPE, 17, inputs, 2, to);
}

/* Loops that read every code once are a TRANSPOSE between two RESHAPEs. */
static int write_turn(Writer *w, uint32_t i, uint32_t x, uint32_t to)
{
    const QcQNode *n = &w->g.nodes[i];
    const QcQTensor *in = &w->g.tensors[n->in[0]];
    const int32_t *size = w->g.bias + n->channel, *stride = w->g.multiplier + n->channel;
    uint32_t loops[QC_Q_MAX_LOOPS], rank = 1;
    int64_t dims[2][QC_TFLITE_RANK] = {{1}, {1}}, order[QC_TFLITE_RANK] = {0}, expected = 1, total = 1;
    for (uint32_t k = 0; k < n->groups && k < QC_Q_MAX_LOOPS; k++)
        if (size[k] > 1) loops[rank++ - 1] = k;
    for (uint32_t k = 1; k < rank && rank <= QC_TFLITE_RANK; k++) { /* its place by stride, the largest first */
        int64_t at = 1;
        for (uint32_t other = 1; other < rank; other++) at += stride[loops[other - 1]] > stride[loops[k - 1]];
        order[k] = at;
        dims[0][at] = dims[1][k] = size[loops[k - 1]];
        total *= size[loops[k - 1]];
    }
    int whole = rank <= QC_TFLITE_RANK && !n->code && total == (int64_t)in->height * in->width * in->channels;
    for (uint32_t at = rank; whole && at-- > 1;) {
        uint32_t k = 1;
        while (k < rank && order[k] != at) k++;
        whole = k < rank && stride[loops[k - 1]] == expected;
        expected *= dims[0][at];
    }
    if (!whole)
        return qc_fail(w->err, QC_EUNSUPPORTED,
                       "node %u takes some of its values, or some twice, which is not supported as TensorFlow Lite", i);
    const int64_t length = rank;
    Name name;
    snprintf(name, sizeof name, "n%u/parts", i);
    uint32_t parts = qc_tflite_add(&w->out, name, dims[0], rank, &in->scale, in->zero - 128);
    snprintf(name, sizeof name, "n%u/turned", i);
    uint32_t turned = qc_tflite_add(&w->out, name, dims[1], rank, &in->scale, in->zero - 128);
    snprintf(name, sizeof name, "n%u/order", i);
    const uint32_t inputs[2] = {parts, qc_tflite_add_ints(&w->out, name, &length, 1, order)};
    reshape(w, i, "parts", x, parts);
    qc_tflite_call(&w->out, QC_TFLITE_TRANSPOSE, 26, inputs, 2, turned);
    reshape(w, i, "out", turned, to);
    return 0;
}

/* Real numbers: weights are their codes times their scales. (Runtimes differ in whether they take a DEQUANTIZE of
 * weights here.) */
static uint32_t write_logits(Writer *w, uint32_t i, uint32_t x)
{
    const QcQNode *n = &w->g.nodes[i];
    const QcQTensor *in = &w->g.tensors[n->in[0]];
    const uint32_t row = n->n_codes / n->channels;
    const int64_t flat[2] = {1, row}, dims[2] = {n->channels, row}, out[2] = {1, n->channels}, channels = n->channels;
    float *weights = take(w, n->n_codes, sizeof *weights), *bias = take(w, n->channels, sizeof *bias);
    if (!weights || !bias) return 0;
    for (uint32_t o = 0; o < n->channels; o++) {
        float scale = w->g.scale[n->channel + o];
        for (uint32_t j = 0; j < row; j++)
            weights[(size_t)o * row + j] = scale * (float)qc_code_get(&w->g, n, o * row + j);
        bias[o] = (float)w->g.bias[n->channel + o] * (in->scale * scale);
    }
    uint32_t codes = qc_tflite_add(&w->out, "features/codes", flat, 2, &in->scale, in->zero - 128),
             features = qc_tflite_add(&w->out, "features", flat, 2, NULL, 0),
             logits = qc_tflite_add(&w->out, "logits", out, 2, NULL, 0);
    reshape(w, i, "codes", x, codes);
    call_one(w, QC_TFLITE_DEQUANTIZE, 38, codes, features);
    const uint32_t inputs[3] = {features, add_floats(w, "logits/weights", dims, 2, weights),
                                add_floats(w, "logits/bias", &channels, 1, bias)};
    qc_tflite_set(qc_tflite_call(&w->out, QC_TFLITE_FULLY_CONNECTED, 8, inputs, 3, logits), 0, 1, NONE);
    return logits;
}

/* ---- all of them ---- */

/* Joins the slices of tensor t once all are there, in the order of channels. */
static void join(Writer *w, uint32_t i)
{
    const QcQNode *node = &w->g.nodes[i];
    uint32_t t = node->out, channels = w->g.tensors[t].channels, parts = 0, list[MOST_PARTS];
    if (node->channels == channels) {
        w->value[t] = w->made[i];
        return;
    }
    w->written[t] += node->channels;
    if (w->written[t] < channels) return;
    for (uint32_t from = 0; from < channels && parts < MOST_PARTS;) {
        uint32_t k = 0;
        while (k <= i && (w->g.nodes[k].op == QC_Q_LOGITS || w->g.nodes[k].out != t ||
                          w->g.nodes[k].out_channel != from))
            k++;
        if (k > i) break;
        list[parts++] = w->made[k];
        from += w->g.nodes[k].channels;
    }
    Name name;
    snprintf(name, sizeof name, "t%u", t);
    w->value[t] = add_value(w, name, w->g.tensors[t].height, w->g.tensors[t].width, channels, t);
    qc_tflite_set(qc_tflite_call(&w->out, QC_TFLITE_CONCATENATION, 10, list, parts, w->value[t]), 0, 4, 3);
}

static int write_node(Writer *w, uint32_t i)
{
    const QcQNode *n = &w->g.nodes[i];
    const QcQTensor *out = &w->g.tensors[n->out];
    int fused = n->op == QC_Q_CONV || n->op == QC_Q_ADD || n->op == QC_Q_MUL, status = 0;
    Name name;
    snprintf(name, sizeof name, "n%u", i);
    uint32_t x = w->value[n->in[0]];
    w->made[i] = add_value(w, name, out->height, out->width, n->channels, n->out);
    uint32_t to = w->made[i];
    if (n->relu && !fused && out->zero) { /* else the least code is 0 */
        snprintf(name, sizeof name, "n%u/relu", i);
        to = add_value(w, name, out->height, out->width, n->channels, n->out);
    }
    switch (n->op) {
    case QC_Q_CONV: write_conv(w, i, x, to); break;
    case QC_Q_MAXPOOL:
    case QC_Q_AVGPOOL: status = write_pool(w, i, x, to); break;
    case QC_Q_GAP: write_mean(w, i, x, to); break;
    case QC_Q_COPY: call_one(w, QC_TFLITE_QUANTIZE, 91, x, to); break;
    case QC_Q_TURN: status = write_turn(w, i, x, to); break;
    case QC_Q_ADD:
    case QC_Q_MUL: {
        const uint32_t inputs[2] = {x, w->value[n->in[1]]};
        int add = n->op == QC_Q_ADD;
        qc_tflite_set(
            qc_tflite_call(&w->out, add ? QC_TFLITE_ADD : QC_TFLITE_MUL, add ? 11 : 21, inputs, 2, to), 0, 1,
            n->relu ? RELU : NONE);
        break;
    }
    case QC_Q_STD:
        return qc_fail(w->err, QC_EUNSUPPORTED,
                       "the standard deviations of node %u have no operator in TensorFlow Lite; quantize with --no-std",
                       i);
    default:
        return qc_fail(w->err, QC_EUNSUPPORTED,
                       "the function of node %u is a table of codes, for which TensorFlow Lite has no operator", i);
    }
    if (to != w->made[i]) call_one(w, QC_TFLITE_RELU, 0, to, w->made[i]);
    join(w, i);
    return status;
}

/* Tensor 0 from raw windows; their tensor of the windows. */
static uint32_t write_input(Writer *w, const QcModelFile *m)
{
    const int64_t dims[4] = {1, m->height, m->length, m->channels}, channels = m->channels;
    uint32_t x = qc_tflite_add(&w->out, "x", dims, 4, NULL, 0), at = x;
    int plain = 1;
    for (uint32_t c = 0; c < m->channels; c++)
        plain = plain && !(m->norm.mean[c] < 0 || m->norm.mean[c] > 0) &&
                !(m->norm.deviation[c] < 1 || m->norm.deviation[c] > 1);
    if (!plain) {
        const uint32_t sub[2] = {x, add_floats(w, "x/mean", &channels, 1, m->norm.mean)};
        uint32_t centred = qc_tflite_add(&w->out, "x/centred", dims, 4, NULL, 0);
        qc_tflite_set(qc_tflite_call(&w->out, QC_TFLITE_SUB, 28, sub, 2, centred), 0, 1, NONE);
        const uint32_t div[2] = {centred, add_floats(w, "x/deviation", &channels, 1, m->norm.deviation)};
        at = qc_tflite_add(&w->out, "x/normalized", dims, 4, NULL, 0);
        qc_tflite_set(qc_tflite_call(&w->out, QC_TFLITE_DIV, 29, div, 2, at), 0, 1, NONE);
    }
    w->value[0] = add_value(w, "t0", m->height, m->length, m->channels, 0);
    call_one(w, QC_TFLITE_QUANTIZE, 91, at, w->value[0]);
    return x;
}

/* A label a line; NULL if a label has lines of its own or is empty. */
static char *join_labels(Writer *w, const QcModelFile *m)
{
    size_t length = 1;
    for (uint32_t i = 0; i < m->classes; i++) {
        if (strchr(m->labels[i], '\n') || !*m->labels[i]) return NULL;
        length += strlen(m->labels[i]) + 1;
    }
    char *lines = take(w, length, 1), *at = lines;
    for (uint32_t i = 0; lines && i < m->classes; i++) at += sprintf(at, "%s\n", m->labels[i]);
    return lines;
}

static int write_all(Writer *w, const QcModelFile *m, uint32_t *input, uint32_t *output)
{
    const QcQGraph *g = &w->g;
    w->value = take(w, g->n_tensors, sizeof *w->value);
    w->written = take(w, g->n_tensors, sizeof *w->written);
    w->made = take(w, g->n_nodes, sizeof *w->made);
    if (w->out.bad) return qc_fail_memory(w->err, "the model");
    for (uint32_t t = 0; t < g->n_tensors; t++)
        if (g->tensors[t].bits != 8)
            return qc_fail(w->err, QC_EUNSUPPORTED,
                           "activations of %u bits are not supported as TensorFlow Lite; quantize with -a 8",
                           g->tensors[t].bits);
    *input = write_input(w, m);
    for (uint32_t i = 0; i + 1 < g->n_nodes; i++)
        if (write_node(w, i)) return -1;
    *output = write_logits(w, g->n_nodes - 1, w->value[g->nodes[g->n_nodes - 1].in[0]]);
    return 0;
}

int qc_tflite_encode(uint8_t **bytes, size_t *length, const QcModelFile *m, QcErr *err)
{
    Writer w = {.err = err};
    uint32_t input = 0, output = 0;
    int status = -1;
    *bytes = NULL;
    if (!qc_qgraphfile_decode(&w.g, m, &w.arena, err) && !write_all(&w, m, &input, &output))
        status = qc_tflite_pack(bytes, length, &w.out, m->name, input, output, join_labels(&w, m), err);
    qc_arena_release(&w.out.arena);
    qc_arena_release(&w.arena);
    return status;
}

int qc_tflite_save(const QcModelFile *m, const char *path, QcErr *err)
{
    uint8_t *bytes;
    size_t length;
    if (qc_tflite_encode(&bytes, &length, m, err)) return -1;
    int status = qc_write_all(path, bytes, length, err);
    free(bytes);
    return status;
}
