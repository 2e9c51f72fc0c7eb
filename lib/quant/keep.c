#include "keep.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../nn/graphshape.h"
#include "emit.h"

enum { DEEPEST = 8 }; /* most operators in a chain without QUANT nodes between them */

/* The device quantizes the result of an operator with one scale. So a value that is not quantized yet may have only one
 * reader: `plain` has a copy of its node for each reader. */
typedef struct Keep {
    const QcGraph *g;
    QcGraph *plain; /* the same graph without its QUANT nodes */
    uint32_t *to; /* [g->n_nodes] node of plain that has the value, if `once`; 0: not made yet */
    uint8_t *once; /* [g->n_nodes] 1: the value is codes or the input, and is made once for all readers */
    uint32_t *first_of; /* [g->n_nodes] where in `step` the scales of its weights begin */
    float *scale; /* [QC_MAX_NODES] by node of plain, as all arrays below */
    uint8_t *zero, *bits;
    uint32_t *first, *from; /* where in `step` the scales of its weights begin; its node of g */
    uint32_t *copies; /* codes that each weight is the sum of, and copies of the input that the layer reads */
    float *gain; /* factor of the value before it is rounded */
    const float *step;
    QcErr *err;
} Keep;

static int is_weighted(const QcNode *n) { return n->op == QC_OP_CONV || n->op == QC_OP_LINEAR; }
static int is_copy(const QcNode *n) { return n->op == QC_OP_CONCAT && n->n_inputs == 1; }

static int has_codes(const Keep *k, uint32_t at, float scale, uint32_t zero, uint32_t bits)
{
    return k->scale[at] >= scale && k->scale[at] <= scale && k->zero[at] == zero && k->bits[at] == bits;
}

/* A concat rounds what it copies: copies that have its scale already are not needed. */
static void skip_copies(Keep *k, uint32_t concat)
{
    QcNode *nodes = k->plain->nodes, *n = &nodes[concat];
    for (uint32_t j = 0; n->op == QC_OP_CONCAT && j < n->n_inputs; j++) {
        uint32_t in = n->inputs[j];
        if (is_copy(&nodes[in]) && has_codes(k, in, k->scale[concat], k->zero[concat], k->bits[concat]))
            n->inputs[j] = nodes[in].inputs[0];
    }
}

/* Nodes that nothing reads any more go. */
static void drop_unread(Keep *k, uint32_t *to)
{
    QcGraph *g = k->plain;
    uint32_t n = 0, last = g->n_nodes - 1;
    for (uint32_t i = 0; i < last; i++) to[i] = 0;
    to[last] = 1;
    for (uint32_t i = last; i > 0; i--)
        for (uint32_t j = 0; to[i] && j < g->nodes[i].n_inputs; j++) to[g->nodes[i].inputs[j]] = 1;
    to[0] = 1; /* the input */
    for (uint32_t i = 0; i <= last; i++) {
        if (!to[i]) continue;
        for (uint32_t j = 0; j < g->nodes[i].n_inputs; j++) g->nodes[i].inputs[j] = to[g->nodes[i].inputs[j]];
        g->nodes[n] = g->nodes[i];
        k->scale[n] = k->scale[i], k->zero[n] = k->zero[i], k->bits[n] = k->bits[i], k->first[n] = k->first[i];
        k->gain[n] = k->gain[i], k->from[n] = k->from[i], k->copies[n] = k->copies[i];
        to[i] = n++;
    }
    g->n_nodes = n;
}

/* ---- nodes of plain ---- */

/* A name that no node of plain has. */
static void rename_node(const Keep *k, char name[QC_NAME_MAX + 1])
{
    char base[QC_NAME_MAX + 1];
    memcpy(base, name, sizeof base);
    for (uint32_t i = 2; qc_graph_find(k->plain, name) >= 0; i++)
        snprintf(name, QC_NAME_MAX + 1, "%.*s~%u", QC_NAME_MAX - 8, base, i);
}

static int note_node(Keep *k, int made, uint32_t old)
{
    if (made < 0) return -1;
    k->gain[made] = 1;
    k->copies[made] = 1;
    k->from[made] = old;
    k->first[made] = k->first_of[old];
    return made;
}

/* A convolution that only pads: each channel by itself, with a weight of 1. */
static int only_pads(const Keep *k, uint32_t old)
{
    const QcNode *n = &k->g->nodes[old];
    const QcWindow *w = &n->window;
    if (n->op != QC_OP_CONV || n->has_bias || n->n_weight != n->channels || n->groups != n->channels ||
        w->stride_h > 1 || w->stride_w > 1)
        return 0;
    for (uint32_t c = 0; c < n->channels; c++)
        if (memcmp(&k->g->params[n->weight + c], &(float){1}, sizeof(float)) ||
            memcmp(&k->step[k->first_of[old] + c], &(float){1}, sizeof(float)))
            return 0;
    return 1;
}

/* A node that only changes the layout of its input has the scale of its input. */
static int keeps_codes(const Keep *k, uint32_t old)
{
    QcOp op = k->g->nodes[old].op;
    return op == QC_OP_TURN || op == QC_OP_FLATTEN || op == QC_OP_MAXPOOL || only_pads(k, old);
}

/* How many codes of 8 bits the largest weight of the node needs as a sum. */
static uint32_t copies_of(const Keep *k, uint32_t old)
{
    const QcNode *n = &k->g->nodes[old];
    uint32_t most = 1;
    size_t row = n->n_weight / n->channels;
    for (size_t i = 0; i < n->n_weight; i++) {
        float code = rintf(k->g->params[n->weight + i] / k->step[k->first_of[old] + i / row]);
        uint32_t copies = 1 + (code < -128) + (code < -256) + (code > 127) + (code > 254);
        if (copies > most) most = copies;
    }
    return most;
}

/* A node that has each group of channels of node `at` `copies` times, as `reader` needs it. */
static int repeat_channels(Keep *k, uint32_t at, const QcNode *reader, uint32_t copies)
{
    const QcNode *n = &k->plain->nodes[at];
    int linear = reader->op == QC_OP_LINEAR;
    uint32_t h = linear ? 1 : n->height, w = linear ? 1 : n->width, groups = linear ? 1 : reader->groups,
             all = n->height * n->width * n->channels, channels = all / (h * w), part = channels / groups;
    const QcLoops loops = {.n = 3, .size = {h * w * groups, copies, part}, .stride = {part, 0, 1}};
    char name[QC_NAME_MAX + 1];
    snprintf(name, sizeof name, "%.*s.in", QC_NAME_MAX - 8, reader->name);
    rename_node(k, name);
    int made = qc_graph_turn(k->plain, name, at, h, w, channels * copies, &loops, k->err);
    if (made < 0) return -1;
    k->scale[made] = k->scale[at], k->zero[made] = k->zero[at], k->bits[made] = k->bits[at];
    return made;
}

/* ---- values of g ---- */

static int make_value(Keep *k, uint32_t i, int depth);

/* The node of plain that has the quantized value i, whose raw value is node `at`. */
static int make_quantized(Keep *k, uint32_t i, uint32_t at)
{
    const QcNode *quant = &k->g->nodes[i];
    uint32_t in = quant->inputs[0];
    if (k->scale[at] > 0 && !has_codes(k, at, quant->scale, quant->zero, quant->bits)) {
        if (!in) return qc_fail(k->err, QC_EUNSUPPORTED, "its input is quantized by two scales, and the device has one "
                                                         "(--real reads the model as float)");
        char name[QC_NAME_MAX + 1]; /* a concat of one value is a copy with another scale */
        memcpy(name, quant->name, sizeof name);
        rename_node(k, name);
        int copy = note_node(k, qc_graph_concat(k->plain, name, &at, 1, k->err), i);
        if (copy < 0) return -1;
        at = (uint32_t)copy;
    }
    k->scale[at] = quant->scale;
    k->zero[at] = (uint8_t)quant->zero;
    k->bits[at] = (uint8_t)quant->bits;
    skip_copies(k, at);
    return (int)at;
}

/* 1 if another layer than a linear one reads value i, or its codes. */
static int has_other_readers(const QcGraph *g, uint32_t i, int depth)
{
    for (uint32_t j = i + 1; j < g->n_nodes; j++)
        for (uint32_t m = 0; m < g->nodes[j].n_inputs; m++) {
            if (g->nodes[j].inputs[m] != i || g->nodes[j].op == QC_OP_LINEAR) continue;
            if (g->nodes[j].op != QC_OP_QUANT || depth > 1 || has_other_readers(g, j, depth + 1)) return 1;
        }
    return 0;
}

/* A row has the tensor of its input, which linear layers read as a row. Other layers need the shape of a row. */
static int append(Keep *k, uint32_t i, QcNode *n)
{
    const QcNode *from = &k->plain->nodes[n->inputs[0]];
    const QcLoops whole = {.n = 1, .size = {n->channels}, .stride = {1}};
    if (n->op != QC_OP_FLATTEN || (from->height == 1 && from->width == 1) || !has_other_readers(k->g, i, 0))
        return qc_graph_append(k->plain, n, k->err);
    return qc_graph_turn(k->plain, n->name, n->inputs[0], 1, 1, n->channels, &whole, k->err);
}

/* Moves one gain of all channels into the mean, sum or product before it, whose value is not rounded yet. 0: not
 * possible. */
static int take_gain(Keep *k, const QcNode *n, uint32_t at)
{
    const QcOp in = k->plain->nodes[at].op;
    const float *gain = k->g->params + n->weight, *shift = k->g->params + n->bias, *mean = k->g->stats + n->stat;
    if ((in != QC_OP_GAP && in != QC_OP_AVGPOOL && in != QC_OP_ADD && in != QC_OP_MUL) || k->scale[at] > 0) return 0;
    for (uint32_t c = 0; c < n->channels; c++)
        if (gain[c] < gain[0] || gain[c] > gain[0] || shift[c] < 0 || shift[c] > 0 || mean[c] < 0 || mean[c] > 0 ||
            fabsf(mean[n->channels + c] + n->eps - 1) > 1e-6f)
            return 0;
    if (!(gain[0] > 0)) return 0;
    k->gain[at] *= gain[0];
    return 1;
}

static int make_layer(Keep *k, uint32_t i, QcNode *n)
{
    uint32_t copies = is_weighted(n) ? copies_of(k, i) : 1;
    if (copies > 1) {
        int in = repeat_channels(k, n->inputs[0], n, copies);
        if (in < 0) return -1;
        n->inputs[0] = (uint32_t)in;
    }
    rename_node(k, n->name);
    int made = note_node(k, append(k, i, n), i);
    if (made >= 0) k->copies[made] = copies;
    return made;
}

static int make_node(Keep *k, uint32_t i, int depth)
{
    QcNode n = k->g->nodes[i];
    int made;
    if (!i) return note_node(k, qc_graph_init(k->plain, n.channels, n.height, n.width, k->err), 0);
    if (depth > DEEPEST)
        return qc_fail(k->err, QC_EUNSUPPORTED,
                       "'%s' reads or makes a value that the file does not quantize; a whole quantized model is needed "
                       "(--real reads it as float)",
                       n.name);
    for (uint32_t j = 0; j < n.n_inputs; j++) {
        if ((made = make_value(k, n.inputs[j], depth + 1)) < 0) return -1;
        n.inputs[j] = (uint32_t)made;
    }
    if (n.op == QC_OP_QUANT) return make_quantized(k, i, n.inputs[0]);
    if (n.op == QC_OP_BATCHNORM && take_gain(k, &n, n.inputs[0])) return (int)n.inputs[0];
    if (n.op == QC_OP_BATCHNORM)
        return qc_fail(k->err, QC_EUNSUPPORTED,
                       "'%s' scales or shifts each channel, outside a quantized layer (--real reads the model as "
                       "float)",
                       n.name);
    if ((made = make_layer(k, i, &n)) < 0 || !keeps_codes(k, i)) return made;
    k->scale[made] = k->scale[n.inputs[0]];
    k->zero[made] = k->zero[n.inputs[0]];
    k->bits[made] = k->bits[n.inputs[0]];
    return made;
}

/* The node of plain that has value i, or -1. */
static int make_value(Keep *k, uint32_t i, int depth)
{
    if (k->once[i] && i && k->to[i]) return (int)k->to[i];
    if (!i && k->plain->n_nodes) return 0;
    int made = make_node(k, i, depth);
    if (made > 0) k->to[i] = (uint32_t)made;
    return made;
}

/* An earlier QUANT node that makes the same codes of the same value; i: none. */
static uint32_t same_quant(const QcGraph *g, uint32_t i)
{
    const QcNode *n = &g->nodes[i];
    for (uint32_t j = 0; j < i; j++) {
        const QcNode *m = &g->nodes[j];
        if (m->op == QC_OP_QUANT && m->inputs[0] == n->inputs[0] && m->scale >= n->scale && m->scale <= n->scale &&
            m->zero == n->zero && m->bits == n->bits)
            return j;
    }
    return i;
}

static int copy_nodes(Keep *k)
{
    const QcGraph *g = k->g;
    uint32_t channels = 0;
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        k->first_of[i] = channels;
        if (is_weighted(&g->nodes[i])) channels += g->nodes[i].channels;
        k->once[i] = !i || g->nodes[i].op == QC_OP_QUANT || (keeps_codes(k, i) && k->once[g->nodes[i].inputs[0]]);
    }
    if (make_value(k, 0, 0) < 0) return -1;
    for (uint32_t i = 1; i < g->n_nodes; i++) {
        uint32_t same = g->nodes[i].op == QC_OP_QUANT ? same_quant(g, i) : i;
        if (same != i) k->to[i] = k->to[same];
        else if ((k->once[i] || i + 1 == g->n_nodes) && make_value(k, i, 0) < 0) return -1;
    }
    return 0;
}

/* Splits each weight into a sum of as many codes as the layer reads copies of its input. */
static void copy_weights(const Keep *k, uint32_t i)
{
    const QcNode *to = &k->plain->nodes[i], *from = &k->g->nodes[k->from[i]];
    const float *weight = k->g->params + from->weight;
    float *out = k->plain->params + to->weight;
    uint32_t copies = k->copies[i];
    size_t part = from->op == QC_OP_LINEAR ? from->n_weight / from->channels
                                           : from->n_weight / from->channels / from->window.kernel_h /
                                                 from->window.kernel_w,
           row = from->n_weight / from->channels;
    for (size_t j = 0; j < from->n_weight; j++) {
        float step = k->step[k->first[i] + j / row], rest = rintf(weight[j] / step);
        for (uint32_t c = 0; c < copies; c++) {
            float code = fminf(fmaxf(rest, -128), 127);
            out[(j / part * copies + c) * part + j % part] = code * step;
            rest -= code;
        }
    }
}

static void copy_params(const Keep *k)
{
    for (uint32_t i = 0; i < k->plain->n_nodes; i++) {
        const QcNode *to = &k->plain->nodes[i], *from = &k->g->nodes[k->from[i]];
        if (!is_weighted(to)) continue;
        if (k->copies[i] > 1) copy_weights(k, i);
        else memcpy(k->plain->params + to->weight, k->g->params + from->weight, to->n_weight * sizeof(float));
        memcpy(k->plain->params + to->bias, k->g->params + from->bias, to->n_bias * sizeof(float));
    }
}

static uint32_t wide_layers(const Keep *k)
{
    uint32_t wide = 0;
    for (uint32_t i = 0; i < k->plain->n_nodes; i++) wide += k->copies[i] > 1;
    return wide;
}

int qc_keep(QcQGraph *g, const QcGraph *model, const float *step, uint32_t *wide, QcArena *arena, QcErr *err)
{
    QcGraph plain = {0};
    Keep k = {.g = model, .plain = &plain, .step = step, .err = err};
    uint32_t n = model->n_nodes, *unread;
    if (!(k.to = qc_arena_take(arena, n, sizeof *k.to, err)) || !(k.once = qc_arena_take(arena, n, 1, err)) ||
        !(k.first_of = qc_arena_take(arena, n, sizeof *k.first_of, err)) ||
        !(k.scale = qc_arena_take(arena, QC_MAX_NODES, sizeof *k.scale, err)) ||
        !(k.zero = qc_arena_take(arena, QC_MAX_NODES, 1, err)) ||
        !(k.bits = qc_arena_take(arena, QC_MAX_NODES, 1, err)) ||
        !(k.gain = qc_arena_take(arena, QC_MAX_NODES, sizeof *k.gain, err)) ||
        !(k.first = qc_arena_take(arena, QC_MAX_NODES, sizeof *k.first, err)) ||
        !(k.from = qc_arena_take(arena, QC_MAX_NODES, sizeof *k.from, err)) ||
        !(k.copies = qc_arena_take(arena, QC_MAX_NODES, sizeof *k.copies, err)) ||
        !(unread = qc_arena_take(arena, QC_MAX_NODES, sizeof *unread, err)))
        return -1;
    int status = copy_nodes(&k);
    if (!status) drop_unread(&k, unread);
    if (!status && !(status = qc_graph_finish(&plain, err))) {
        copy_params(&k);
        const QcGiven given = {.scale = k.scale,
                               .zero = k.zero,
                               .bits = k.bits,
                               .gain = k.gain,
                               .first = k.first,
                               .step = step};
        *wide = wide_layers(&k);
        status = qc_emit_given(g, &plain, &given, arena, err);
    }
    qc_graph_release(&plain);
    return status;
}
