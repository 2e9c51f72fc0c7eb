#include "fakequant.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scale.h"

/* State of a device tensor while the float copy is built. */
typedef struct Tensor {
    int node;                        /* of the graph, after its QUANT; -1: not complete */
    uint32_t n_slices, channels;     /* written so far */
    uint32_t slices[QC_MAX_INPUTS], first[QC_MAX_INPUTS];
} Tensor;

static QcWindow window_of(const QcQNode *n)
{
    return (QcWindow){n->kernel_h,   n->kernel_w, n->stride_h,   n->stride_w, n->dilation_h,
                      n->dilation_w, n->pad_top,  n->pad_bottom, n->pad_left, n->pad_right};
}

static int quantize(QcFakeQuant *s, uint32_t t, int node, QcErr *err)
{
    char name[32];
    const QcQTensor *q = &s->g->tensors[t];
    snprintf(name, sizeof name, "t%u", t);
    return node < 0 ? -1 : qc_graph_quant(&s->graph, name, (uint32_t)node, q->scale, q->zero, q->bits, err);
}

/* Adds a finished slice; once all channels are there, the tensor is their concat, quantized. */
static int add_slice(QcFakeQuant *s, Tensor *tensors, const QcQNode *n, int node, QcErr *err)
{
    Tensor *t = &tensors[n->out];
    if (node < 0) return -1;
    if (t->n_slices == QC_MAX_INPUTS)
        return qc_fail(err, QC_EUNSUPPORTED, "a tensor is written in more than %d slices", QC_MAX_INPUTS);
    uint32_t i = t->n_slices++; /* kept in order of channels */
    for (; i > 0 && t->first[i - 1] > n->out_channel; i--)
        t->first[i] = t->first[i - 1], t->slices[i] = t->slices[i - 1];
    t->first[i] = n->out_channel;
    t->slices[i] = (uint32_t)node;
    t->channels += n->channels;
    if (t->channels < s->g->tensors[n->out].channels) return 0;
    if (t->n_slices > 1) {
        char name[32];
        snprintf(name, sizeof name, "concat%u", n->out);
        node = qc_graph_concat(&s->graph, name, t->slices, t->n_slices, err);
    }
    t->node = quantize(s, n->out, node, err);
    return t->node < 0 ? -1 : 0;
}

/* The output of the table for each input code, as real numbers. */
static int add_table(QcFakeQuant *s, const char *name, uint32_t in, const QcQNode *n, QcErr *err)
{
    const QcQTensor *from = &s->g->tensors[n->in[0]], *to = &s->g->tensors[n->out];
    float *levels = qc_arena_take(&s->arena, QC_Q_TABLE_BYTES, sizeof *levels, err);
    if (!levels) return -1;
    for (int k = 0; k < QC_Q_TABLE_BYTES; k++)
        levels[k] = to->scale * (float)(s->g->codes[n->code_byte + (uint32_t)k] - to->zero);
    return qc_graph_table(&s->graph, name, in, from->scale, from->zero, from->bits, levels, err);
}

static int add_turn(QcFakeQuant *s, const char *name, uint32_t in, const QcQNode *n, QcErr *err)
{
    const QcQTensor *out = &s->g->tensors[n->out];
    QcLoops loops = {.n = n->groups, .offset = n->code};
    for (uint32_t k = 0; k < loops.n; k++)
        loops.size[k] = (uint32_t)s->g->bias[n->channel + k],
        loops.stride[k] = (uint32_t)s->g->multiplier[n->channel + k];
    return qc_graph_turn(&s->graph, name, in, out->height, out->width, out->channels, &loops, err);
}

static int add_body(QcFakeQuant *s, const Tensor *tensors, uint32_t i, QcErr *err)
{
    const QcQNode *n = &s->g->nodes[i];
    uint32_t in = (uint32_t)tensors[n->in[0]].node;
    char name[32];
    snprintf(name, sizeof name, "n%u", i);
    switch (n->op) {
    case QC_Q_CONV:
    case QC_Q_LOGITS: return qc_graph_conv(&s->graph, name, in, n->channels, window_of(n), n->groups, 1, err);
    case QC_Q_MAXPOOL: return qc_graph_pool(&s->graph, name, QC_OP_MAXPOOL, in, window_of(n), 0, err);
    case QC_Q_AVGPOOL: return qc_graph_pool(&s->graph, name, QC_OP_AVGPOOL, in, window_of(n), n->count_padding, err);
    case QC_Q_GAP: return qc_graph_simple(&s->graph, name, QC_OP_GAP, in, err);
    case QC_Q_STD: return qc_graph_simple(&s->graph, name, QC_OP_STD, in, err);
    case QC_Q_MUL: return qc_graph_mul(&s->graph, name, in, (uint32_t)tensors[n->in[1]].node, err);
    case QC_Q_TABLE: return add_table(s, name, in, n, err);
    case QC_Q_TURN: return add_turn(s, name, in, n, err);
    case QC_Q_ADD: return qc_graph_add(&s->graph, name, in, (uint32_t)tensors[n->in[1]].node, err);
    default: return (int)in; /* COPY: the QUANT node of the slice does it */
    }
}

static int add_node(QcFakeQuant *s, Tensor *tensors, uint32_t i, QcErr *err)
{
    const QcQNode *n = &s->g->nodes[i];
    int node = add_body(s, tensors, i, err);
    if (node < 0) return -1;
    s->node_of[i] = (uint32_t)node;
    if (n->op == QC_Q_LOGITS) return 0;
    if (n->relu) {
        char name[32];
        snprintf(name, sizeof name, "relu%u", i);
        node = qc_graph_simple(&s->graph, name, QC_OP_RELU, (uint32_t)node, err);
    }
    return add_slice(s, tensors, n, node, err);
}

int qc_fakequant_init(QcFakeQuant *s, const QcQGraph *g, QcErr *err)
{
    *s = (QcFakeQuant){.g = g};
    Tensor *tensors = qc_arena_take(&s->arena, g->n_tensors, sizeof *tensors, err);
    s->node_of = qc_arena_take(&s->arena, g->n_nodes, sizeof *s->node_of, err);
    s->master = qc_arena_take(&s->arena, g->n_codes, sizeof *s->master, err);
    if (!tensors || !s->node_of || !s->master) goto fail;
    if (qc_graph_init(&s->graph, g->tensors[0].channels, g->tensors[0].height, g->tensors[0].width, err) < 0) goto fail;
    tensors[0].node = quantize(s, 0, 0, err);
    for (uint32_t i = 0; i < g->n_nodes; i++)
        if (add_node(s, tensors, i, err)) goto fail;
    if (qc_graph_finish(&s->graph, err)) goto fail;
    qc_fakequant_reset(s);
    return 0;
fail:
    qc_fakequant_release(s);
    return -1;
}

void qc_fakequant_release(QcFakeQuant *s)
{
    if (!s) return;
    qc_graph_release(&s->graph);
    qc_arena_release(&s->arena);
    *s = (QcFakeQuant){0};
}

void qc_fakequant_reset(QcFakeQuant *s)
{
    const QcQGraph *g = s->g;
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcQNode *n = &g->nodes[i];
        if (!n->n_codes) continue;
        float *bias = s->graph.params + s->graph.nodes[s->node_of[i]].bias, in = g->tensors[n->in[0]].scale;
        for (uint32_t j = 0; j < n->n_codes; j++) s->master[n->code + j] = (float)qc_code_get(g, n, j);
        for (uint32_t o = 0; o < n->channels; o++)
            bias[o] = (float)g->bias[n->channel + o] * in * g->scale[n->channel + o];
    }
    qc_fakequant_round(s);
}

void qc_fakequant_round(QcFakeQuant *s)
{
    const QcQGraph *g = s->g;
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcQNode *n = &g->nodes[i];
        if (!n->n_codes) continue;
        int bits = (int)qc_code_bits(g, n);
        float low = (float)qc_code_low(bits), high = (float)qc_code_high(bits);
        float *w = s->graph.params + s->graph.nodes[s->node_of[i]].weight;
        const float *master = s->master + n->code;
        uint32_t row = n->n_codes / n->channels;
        for (uint32_t o = 0; o < n->channels; o++, w += row, master += row) {
            float scale = g->scale[n->channel + o];
            for (uint32_t j = 0; j < row; j++) {
                float q = roundf(master[j]);
                w[j] = scale * (q < low ? low : q > high ? high : q);
            }
        }
    }
}

void qc_fakequant_clamp(QcFakeQuant *s)
{
    for (uint32_t i = 0; i < s->g->n_nodes; i++) {
        const QcQNode *n = &s->g->nodes[i];
        int bits = (int)qc_code_bits(s->g, n);
        float low = (float)qc_code_low(bits) - 0.49f, high = (float)qc_code_high(bits) + 0.49f,
              *master = s->master + n->code;
        for (uint32_t j = 0; j < n->n_codes; j++)
            master[j] = master[j] < low ? low : master[j] > high ? high : master[j];
    }
}

void qc_fakequant_gradient(const QcFakeQuant *s, float *dmaster, const float *grads)
{
    const QcQGraph *g = s->g;
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcQNode *n = &g->nodes[i];
        if (!n->n_codes) continue;
        const float *dw = grads + s->graph.nodes[s->node_of[i]].weight;
        uint32_t row = n->n_codes / n->channels;
        for (uint32_t j = 0; j < n->n_codes; j++) dmaster[n->code + j] = dw[j] * g->scale[n->channel + j / row];
    }
}

void qc_fakequant_biases(const QcFakeQuant *s, int32_t *bias)
{
    const QcQGraph *g = s->g;
    memcpy(bias, g->bias, g->n_channels * sizeof *bias);
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcQNode *n = &g->nodes[i];
        if (!n->n_codes) continue;
        const float *b = s->graph.params + s->graph.nodes[s->node_of[i]].bias;
        for (uint32_t o = 0; o < n->channels; o++) {
            double q = rint((double)b[o] / ((double)g->tensors[n->in[0]].scale * (double)g->scale[n->channel + o]));
            bias[n->channel + o] = (int32_t)(q > 0x1p30 ? 0x1p30 : q < -0x1p30 ? -0x1p30 : q);
        }
    }
}
