/* qgraphcheck.c - checks everything that the device's forward pass relies on, once: shapes, indices, packing,
 * scales, the width of sums. Also: a tensor is complete before it is read, and tensors that are needed at the same
 * time do not overlap. */
#include <math.h>

#include "qgraphplan.h"

enum { MAX_POSITIONS = 1 << 23, MAX_BYTES = 1 << 30, MAX_CODES = 1 << 28 };

static const char *const op_names[QC_Q_OP_COUNT] = {"convolution", "maximum pool", "average pool", "global average",
                                                    "sum",         "copy",         "logits",       "standard deviation",
                                                    "table",       "product",      "reordering"};

static int wrong(QcErr *err, const QcQGraph *g, uint32_t node, const char *what)
{
    return qc_fail(err, QC_EFORMAT, "node %u (%s) %s", node, op_names[g->nodes[node].op], what);
}

static int is_weighted(const QcQNode *n) { return n->op == QC_Q_CONV || n->op == QC_Q_LOGITS; }
static int is_windowed(const QcQNode *n) { return is_weighted(n) || n->op == QC_Q_MAXPOOL || n->op == QC_Q_AVGPOOL; }

/* --- counts and tensors --------------------------------------------------------------------- */

static int check_counts(const QcQGraph *g, QcErr *err)
{
    if (g->bits != 2 && g->bits != 4 && g->bits != 8)
        return qc_fail(err, QC_EFORMAT, "weights of %d bits are not possible (2, 4 or 8)", g->bits);
    if (!g->n_tensors || g->n_tensors > QC_Q_MAX_TENSORS)
        return qc_fail(err, QC_EFORMAT, "%u tensors are not possible", g->n_tensors);
    if (!g->n_nodes || g->n_nodes > QC_Q_MAX_NODES)
        return qc_fail(err, QC_EFORMAT, "%u nodes are not possible", g->n_nodes);
    if (!g->classes || g->classes > QC_Q_MAX_CLASSES)
        return qc_fail(err, QC_EFORMAT, "%u classes are not possible", g->classes);
    if (g->n_codes > MAX_CODES || g->n_code_bytes > MAX_CODES || g->n_channels > MAX_CODES ||
        g->activation_bytes > MAX_BYTES)
        return qc_fail(err, QC_EFORMAT, "the graph is too large for this version");
    return 0;
}

static int check_tensor(const QcQGraph *g, uint32_t i, QcErr *err)
{
    const QcQTensor *t = &g->tensors[i];
    if (!t->height || !t->width || !t->channels || (uint64_t)t->height * t->width > MAX_POSITIONS ||
        qc_qtensor_bytes(t) > MAX_BYTES)
        return qc_fail(err, QC_EFORMAT, "tensor %u cannot be %u x %u x %u", i, t->height, t->width, t->channels);
    if (t->bits < 2 || t->bits > 8)
        return qc_fail(err, QC_EFORMAT, "tensor %u cannot have %d bits (2 to 8)", i, t->bits);
    if (t->zero >= 1 << t->bits)
        return qc_fail(err, QC_EFORMAT, "tensor %u cannot have the zero point %d", i, t->zero);
    if (!isfinite(t->scale) || t->scale <= 0)
        return qc_fail(err, QC_EFORMAT, "the scale of tensor %u is not a finite number above 0", i);
    return 0;
}

/* --- one node ------------------------------------------------------------------------------- */

static int check_indices(const QcQGraph *g, uint32_t i, QcErr *err)
{
    const QcQNode *n = &g->nodes[i];
    if (n->op >= QC_Q_OP_COUNT) return qc_fail(err, QC_EFORMAT, "node %u has an unknown operation (%d)", i, n->op);
    if ((n->op == QC_Q_LOGITS) != (i + 1 == g->n_nodes))
        return wrong(err, g, i, "is not where it belongs: the logits are the last node and only there");
    if (n->in[0] >= g->n_tensors || (qc_reads_two(n) && n->in[1] >= g->n_tensors))
        return wrong(err, g, i, "reads a tensor that does not exist");
    if (n->relu > 1 || n->count_padding > 1 || n->role > QC_ROLE_LINEAR)
        return wrong(err, g, i, "has a flag or role that does not exist");
    if (n->code_bits && n->code_bits != 2 && n->code_bits != 4 && n->code_bits != 8)
        return wrong(err, g, i, "has weights of bits that are not 2, 4 or 8");
    if (!n->channels) return wrong(err, g, i, "writes no channels");
    if (n->op == QC_Q_LOGITS)
        return n->channels == g->classes ? 0 : wrong(err, g, i, "does not write one value a class");
    if (!n->out || n->out >= g->n_tensors) return wrong(err, g, i, "writes a tensor that does not exist, or the input");
    const QcQTensor *out = &g->tensors[n->out];
    if ((uint32_t)n->out_channel + n->channels > out->channels)
        return wrong(err, g, i, "writes channels that its output does not have");
    /* the clamp of a ReLU is the zero point, which must leave something above it: always true of 2 bits and more */
    return 0;
}

/* Positions of a window along one side; 0 if it does not fit. */
static uint64_t positions(uint32_t size, uint32_t kernel, uint32_t stride, uint32_t dilation, uint32_t before,
                          uint32_t after)
{
    uint64_t padded = (uint64_t)size + before + after, reach = (uint64_t)dilation * (kernel - 1) + 1;
    return reach > padded ? 0 : (padded - reach) / stride + 1;
}

/* Each position of a pool sees at least one element of its input (along one side). */
static int pool_sees_input(uint32_t size, uint32_t kernel, uint32_t stride, uint32_t dilation, uint32_t before,
                           uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        int64_t at = (int64_t)(i * stride) - before;
        int64_t first = at >= 0 ? 0 : (-at + dilation - 1) / dilation; /* tap */
        if (first >= kernel || at + first * dilation >= size) return 0;
    }
    return 1;
}

static int check_window(const QcQGraph *g, uint32_t i, QcErr *err)
{
    const QcQNode *n = &g->nodes[i];
    const QcQTensor *in = &g->tensors[n->in[0]];
    if (!n->kernel_h || !n->kernel_w || !n->stride_h || !n->stride_w || !n->dilation_h || !n->dilation_w)
        return wrong(err, g, i, "has a kernel, stride or dilation of 0");
    uint64_t h = positions(in->height, n->kernel_h, n->stride_h, n->dilation_h, n->pad_top, n->pad_bottom);
    uint64_t w = positions(in->width, n->kernel_w, n->stride_w, n->dilation_w, n->pad_left, n->pad_right);
    uint64_t out_h = 1, out_w = 1;
    if (n->op != QC_Q_LOGITS) out_h = g->tensors[n->out].height, out_w = g->tensors[n->out].width;
    if (h != out_h || w != out_w) return wrong(err, g, i, "has a window that does not make the shape of its output");
    uint64_t padded =
        ((uint64_t)in->height + n->pad_top + n->pad_bottom) * ((uint64_t)in->width + n->pad_left + n->pad_right);
    if (padded > MAX_BYTES / in->channels) return wrong(err, g, i, "pads its input beyond all measure");
    if (!is_weighted(n) && (!pool_sees_input(in->height, n->kernel_h, n->stride_h, n->dilation_h, n->pad_top, h) ||
                            !pool_sees_input(in->width, n->kernel_w, n->stride_w, n->dilation_w, n->pad_left, w)))
        return wrong(err, g, i, "has windows that see nothing but padding");
    return 0;
}

/* Shapes of what is neither convolution nor logits: channels go straight through. */
static int check_straight(const QcQGraph *g, uint32_t i, QcErr *err)
{
    const QcQNode *n = &g->nodes[i];
    const QcQTensor *in = &g->tensors[n->in[0]], *out = &g->tensors[n->out];
    if (n->relu && (n->op == QC_Q_TABLE || n->op == QC_Q_TURN))
        return wrong(err, g, i, "has a ReLU, which it does not need");
    if (n->op == QC_Q_TURN)
        return n->groups && n->groups <= QC_Q_MAX_LOOPS ? 0 : wrong(err, g, i, "has not 1 to 6 loops");
    if (in->channels != n->channels) return wrong(err, g, i, "does not write as many channels as it reads");
    if (n->op == QC_Q_MAXPOOL &&
        (in->bits != out->bits || in->zero != out->zero || memcmp(&in->scale, &out->scale, sizeof in->scale)))
        return wrong(err, g, i, "must read and write with the same scale");
    if ((n->op == QC_Q_GAP || n->op == QC_Q_STD) && (out->height != 1 || out->width != 1))
        return wrong(err, g, i, "does not write 1 x 1");
    if (n->op == QC_Q_STD && (uint32_t)in->height * in->width > QC_Q_STD_PIXELS)
        return wrong(err, g, i, "reads more than 65536 positions");
    if ((n->op == QC_Q_ADD || n->op == QC_Q_COPY || n->op == QC_Q_TABLE || n->op == QC_Q_MUL) &&
        (in->height != out->height || in->width != out->width))
        return wrong(err, g, i, "does not write the shape that it reads");
    if (!qc_reads_two(n)) return 0;
    const QcQTensor *other = &g->tensors[n->in[1]];
    if (n->op == QC_Q_MUL && other->height == 1 && other->width == 1 && other->channels == in->channels) return 0;
    if (other->height != in->height || other->width != in->width || other->channels != in->channels)
        return wrong(err, g, i, "joins tensors of different shapes");
    return 0;
}

/* Loops of a TURN: they stay inside the input and make as many codes as the output has. Their entries are there
 * (check_rescale). */
static int check_loops(const QcQGraph *g, uint32_t i, QcErr *err)
{
    const QcQNode *n = &g->nodes[i];
    const QcQTensor *in = &g->tensors[n->in[0]], *out = &g->tensors[n->out];
    uint64_t last = n->code, values = 1;
    if (in->bits != out->bits || in->zero != out->zero || memcmp(&in->scale, &out->scale, sizeof in->scale))
        return wrong(err, g, i, "must read and write with the same scale");
    if (n->out_channel || n->channels != out->channels)
        return wrong(err, g, i, "does not write the whole of its output");
    for (uint32_t k = n->channel; k < n->channel + n->groups; k++) {
        if (g->bias[k] < 1 || (values *= (uint32_t)g->bias[k]) > MAX_BYTES)
            return wrong(err, g, i, "has a loop of no or too many codes");
        last += (uint64_t)(g->bias[k] - 1) * (uint32_t)g->multiplier[k];
        if (last >= qc_qtensor_bytes(in)) return wrong(err, g, i, "reads codes that its input does not have");
    }
    return values == qc_qtensor_bytes(out) && last < qc_qtensor_bytes(in)
               ? 0
               : wrong(err, g, i, "does not read as many codes as it writes");
}

/* A table after the codes before it, whose entries the output can hold. */
static int check_table(const QcQGraph *g, uint32_t i, uint64_t *byte, QcErr *err)
{
    const QcQNode *n = &g->nodes[i];
    uint32_t most = (1u << g->tensors[n->out].bits) - 1;
    if (n->code_byte != *byte || *byte + QC_Q_TABLE_BYTES > g->n_code_bytes)
        return wrong(err, g, i, "has a table that is not where it must be");
    for (uint32_t k = 0; k < QC_Q_TABLE_BYTES; k++)
        if (g->codes[*byte + k] > most) return wrong(err, g, i, "has a code that its output cannot hold");
    *byte += QC_Q_TABLE_BYTES;
    return 0;
}

/* How many entries of the per-channel arrays belong to a node. */
static uint32_t entries(const QcQNode *n)
{
    return is_weighted(n)                                 ? n->channels
           : n->op == QC_Q_ADD                            ? 2
           : n->op == QC_Q_MAXPOOL || n->op == QC_Q_TABLE ? 0
           : n->op == QC_Q_TURN                           ? n->groups
                                                          : 1;
}

static int check_rescale(const QcQGraph *g, uint32_t i, QcErr *err)
{
    const QcQNode *n = &g->nodes[i];
    uint32_t count = entries(n);
    if (!count) return 0;
    if (n->channel > g->n_channels || count > g->n_channels - n->channel)
        return wrong(err, g, i, "uses multipliers that do not exist");
    for (uint32_t c = n->channel; c < n->channel + count; c++) {
        if (!isfinite(g->scale[c]) || g->scale[c] <= 0)
            return wrong(err, g, i, "has a scale that is not a finite number above 0");
        if (n->op == QC_Q_LOGITS) { /* sums become floats by their scale alone */
            if (!(g->scale[c] < QC_LAST_SCALE_MOST && g->tensors[n->in[0]].scale * g->scale[c] < QC_LOGIT_STEP_MOST))
                return wrong(err, g, i, "has scales that make logits too large");
            continue;
        }
        if (g->multiplier[c] < 0) return wrong(err, g, i, "has a negative multiplier");
        if (g->shift[c] < 1 || g->shift[c] > 62) return wrong(err, g, i, "has a shift that is not 1 to 62");
    }
    if (n->op == QC_Q_ADD && g->shift[n->channel] != g->shift[n->channel + 1])
        return wrong(err, g, i, "has two shifts; both inputs need the same");
    return 0;
}

/* Codes follow each other without a hole, each layer on a byte of its own, and no sum leaves 32 bits, whatever the
 * codes become. */
static int check_codes(const QcQGraph *g, uint32_t i, uint64_t *code, uint64_t *byte, QcErr *err)
{
    const QcQNode *n = &g->nodes[i];
    const QcQTensor *in = &g->tensors[n->in[0]];
    uint32_t bits = qc_code_bits(g, n);
    if (!n->groups || n->channels % n->groups || in->channels % n->groups)
        return wrong(err, g, i, "has groups that do not divide its channels");
    uint64_t taps = (uint64_t)n->kernel_h * n->kernel_w * (in->channels / n->groups), codes;
    if (taps > MAX_CODES || (codes = taps * n->channels) > MAX_CODES) return wrong(err, g, i, "has too many weights");
    if (n->n_codes != codes) return wrong(err, g, i, "does not have as many weights as its shape asks for");
    if (n->code != *code || n->code_byte != *byte)
        return wrong(err, g, i, "does not begin where the weights before it end");
    uint64_t bytes = (codes * bits + 7) / 8;
    if (*byte + bytes > g->n_code_bytes) return wrong(err, g, i, "has more weights than the file holds");
    uint32_t spare = (uint32_t)(bytes * 8 - codes * bits);
    if (spare && g->codes[*byte + bytes - 1] >> (8 - spare))
        return wrong(err, g, i, "has bits behind its last weight that are not zero");
    *code += codes;
    *byte += bytes;
    uint64_t widest = taps * ((1u << in->bits) - 1 + in->zero) << (bits - 1);
    for (uint32_t c = n->channel; c < (uint32_t)n->channel + n->channels; c++) {
        int64_t bias = g->bias[c];
        if (widest + (uint64_t)(bias < 0 ? -bias : bias) > INT32_MAX)
            return wrong(err, g, i, "can make sums that do not fit 32 bits");
    }
    return 0;
}

/* --- order of writes and reads ---------------------------------------------------------------------- */

/* Each slice of a tensor is written once, and all slices before the tensor is read. */
static int check_flow(const QcQGraph *g, QcErr *err)
{
    uint32_t written[QC_Q_MAX_TENSORS] = {g->tensors[0].channels};
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcQNode *n = &g->nodes[i];
        for (uint32_t k = 0; k < (qc_reads_two(n) ? 2u : 1u); k++)
            if (written[n->in[k]] != g->tensors[n->in[k]].channels)
                return wrong(err, g, i, "reads a tensor before all of it is written");
        if (n->op == QC_Q_LOGITS) continue;
        for (uint32_t j = 0; j < i; j++) {
            const QcQNode *other = &g->nodes[j];
            if (other->out == n->out && other->out_channel < n->out_channel + n->channels &&
                n->out_channel < other->out_channel + other->channels)
                return wrong(err, g, i, "writes channels that are written already");
        }
        written[n->out] += n->channels;
    }
    for (uint32_t t = 0; t < g->n_tensors; t++)
        if (written[t] != g->tensors[t].channels)
            return qc_fail(err, QC_EFORMAT, "tensor %u is never written as a whole", t);
    return 0;
}

static int check_memory(const QcQGraph *g, QcErr *err)
{
    QcQLiveness life[QC_Q_MAX_TENSORS];
    qc_qgraphplan_liveness(g, life, 0);
    for (uint32_t a = 0; a < g->n_tensors; a++) {
        const QcQTensor *t = &g->tensors[a];
        uint64_t end = t->offset + qc_qtensor_bytes(t);
        if (end > g->activation_bytes)
            return qc_fail(err, QC_EFORMAT, "tensor %u reaches beyond the activation memory", a);
        for (uint32_t b = 0; b < a; b++) {
            const QcQTensor *u = &g->tensors[b];
            int shared =
                qc_qlife_together(life[a], life[b]) && u->offset < end && t->offset < u->offset + qc_qtensor_bytes(u);
            int replaced =
                t->offset == u->offset &&
                (qc_qgraphplan_replaces(g, life, a, b) || qc_qgraphplan_replaces(g, life, b, a));
            if (shared && !replaced)
                return qc_fail(err, QC_EFORMAT, "tensors %u and %u live at the same time in the same memory", b, a);
        }
    }
    return 0;
}

int qc_qgraphfile_check(const QcQGraph *g, QcErr *err)
{
    uint64_t code = 0, byte = 0;
    if (check_counts(g, err)) return -1;
    for (uint32_t i = 0; i < g->n_tensors; i++)
        if (check_tensor(g, i, err)) return -1;
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcQNode *n = &g->nodes[i];
        if (check_indices(g, i, err)) return -1;
        if (!is_weighted(n) && n->n_codes) return wrong(err, g, i, "has weights, which it cannot have");
        if (is_windowed(n) && check_window(g, i, err)) return -1;
        if (!is_weighted(n) && check_straight(g, i, err)) return -1;
        if (check_rescale(g, i, err)) return -1;
        if (is_weighted(n) && check_codes(g, i, &code, &byte, err)) return -1;
        if (n->op == QC_Q_TABLE && check_table(g, i, &byte, err)) return -1;
        if (n->op == QC_Q_TURN && check_loops(g, i, err)) return -1;
    }
    if (code != g->n_codes || byte != g->n_code_bytes)
        return qc_fail(err, QC_EFORMAT, "the packed weights are longer than the layers that use them");
    return check_flow(g, err) || check_memory(g, err) ? -1 : 0;
}
