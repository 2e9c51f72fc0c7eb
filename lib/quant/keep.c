#include "keep.h"

#include <math.h>
#include <string.h>

#include "../nn/graphshape.h"
#include "emit.h"

typedef struct Keep {
    const QcGraph *g;
    QcGraph *plain; /* the same graph without its QUANT nodes */
    uint32_t *to; /* [g->n_nodes] node of plain that has the value */
    float *scale; /* [g->n_nodes] by node of plain */
    uint8_t *zero, *bits;
    uint32_t *first, *from; /* [g->n_nodes] by node of plain: its weights' scales, its node of g */
    float *gain; /* [g->n_nodes] its value is multiplied by this before it is rounded */
    const float *step;
    QcErr *err;
} Keep;

static int is_copy(const QcNode *n) { return n->op == QC_OP_CONCAT && n->n_inputs == 1; }

static int same_codes(const Keep *k, uint32_t a, uint32_t b)
{
    return k->scale[a] >= k->scale[b] && k->scale[a] <= k->scale[b] && k->zero[a] == k->zero[b] &&
           k->bits[a] == k->bits[b];
}

/* A concat rounds what it copies: copies that have its scale already are not needed. */
static void skip_copies(Keep *k, uint32_t concat)
{
    QcNode *nodes = k->plain->nodes, *n = &nodes[concat];
    for (uint32_t j = 0; n->op == QC_OP_CONCAT && j < n->n_inputs; j++)
        if (is_copy(&nodes[n->inputs[j]]) && same_codes(k, n->inputs[j], concat))
            n->inputs[j] = nodes[n->inputs[j]].inputs[0];
}

/* Nodes that nothing reads any more go. */
static void drop_unread(Keep *k)
{
    QcGraph *g = k->plain;
    uint32_t n = 0, last = g->n_nodes - 1, *to = k->to; /* which is of use no longer */
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
        k->gain[n] = k->gain[i], k->from[n] = k->from[i];
        to[i] = n++;
    }
    g->n_nodes = n;
}

/* The node of plain that has the quantized value. */
static int note_scale(Keep *k, const QcNode *quant)
{
    uint32_t at = k->to[quant->inputs[0]];
    int same = k->scale[at] >= quant->scale && k->scale[at] <= quant->scale && k->zero[at] == quant->zero &&
               k->bits[at] == quant->bits;
    if (k->scale[at] > 0 && !same) { /* a concat of one value is a copy with another scale */
        int copy = qc_graph_concat(k->plain, quant->name, &at, 1, k->err);
        if (copy < 0) return -1;
        at = (uint32_t)copy;
    }
    k->scale[at] = quant->scale;
    k->zero[at] = (uint8_t)quant->zero;
    k->bits[at] = (uint8_t)quant->bits;
    skip_copies(k, at);
    return (int)at;
}

/* A convolution that only pads: each channel by itself, with a weight of 1. */
static int only_pads(const Keep *k, const QcNode *n, uint32_t at, uint32_t old)
{
    const QcWindow *w = &n->window;
    const QcNode *model = &k->g->nodes[old];
    if (n->op != QC_OP_CONV || n->has_bias || n->n_weight != n->channels || n->groups != n->channels ||
        w->stride_h > 1 || w->stride_w > 1)
        return 0;
    for (uint32_t c = 0; c < n->channels; c++)
        if (memcmp(&k->g->params[model->weight + c], &(float){1}, sizeof(float)) ||
            memcmp(&k->step[k->first[at] + c], &(float){1}, sizeof(float)))
            return 0;
    return 1;
}

/* A node that only changes the layout of its input has the scale of its input. */
static void pass_scale(Keep *k, uint32_t at, uint32_t old)
{
    const QcNode *n = &k->plain->nodes[at];
    if (n->op != QC_OP_TURN && n->op != QC_OP_FLATTEN && n->op != QC_OP_MAXPOOL && !only_pads(k, n, at, old)) return;
    k->scale[at] = k->scale[n->inputs[0]];
    k->zero[at] = k->zero[n->inputs[0]];
    k->bits[at] = k->bits[n->inputs[0]];
}

/* A gain for all channels, of a mean, sum or product that is not rounded yet, is its own; 0: it is not so. */
static int take_gain(Keep *k, uint32_t i)
{
    const QcNode *n = &k->g->nodes[i], *in = &k->g->nodes[n->inputs[0]];
    const float *gain = k->g->params + n->weight, *shift = k->g->params + n->bias, *mean = k->g->stats + n->stat;
    uint32_t at = k->to[n->inputs[0]], readers = 0;
    if ((in->op != QC_OP_GAP && in->op != QC_OP_AVGPOOL && in->op != QC_OP_ADD && in->op != QC_OP_MUL) ||
        k->scale[at] > 0)
        return 0;
    for (uint32_t j = 0; j < k->g->n_nodes; j++)
        for (uint32_t x = 0; x < k->g->nodes[j].n_inputs; x++) readers += k->g->nodes[j].inputs[x] == n->inputs[0];
    for (uint32_t c = 0; c < n->channels; c++)
        if (gain[c] < gain[0] || gain[c] > gain[0] || shift[c] < 0 || shift[c] > 0 || mean[c] < 0 || mean[c] > 0 ||
            fabsf(mean[n->channels + c] + n->eps - 1) > 1e-6f)
            return 0;
    if (readers > 1 || !(gain[0] > 0)) return 0;
    k->gain[at] *= gain[0];
    k->to[i] = at;
    return 1;
}

static int copy_nodes(Keep *k)
{
    uint32_t channels = 0;
    for (uint32_t i = 0; i < k->g->n_nodes; i++) k->gain[i] = 1;
    for (uint32_t i = 0; i < k->g->n_nodes; i++) {
        QcNode n = k->g->nodes[i];
        if (n.op == QC_OP_BATCHNORM && take_gain(k, i)) continue;
        if (n.op == QC_OP_QUANT) {
            int at = note_scale(k, &n);
            if (at < 0) return -1;
            k->to[i] = (uint32_t)at;
            continue;
        }
        if (n.op == QC_OP_BATCHNORM)
            return qc_fail(k->err, QC_EUNSUPPORTED,
                           "'%s' scales or shifts each channel, outside a quantized layer (--real reads the model as "
                           "float)",
                           n.name);
        for (uint32_t j = 0; j < n.n_inputs; j++) n.inputs[j] = k->to[n.inputs[j]];
        int made = i ? qc_graph_append(k->plain, &n, k->err)
                     : qc_graph_init(k->plain, n.channels, n.height, n.width, k->err);
        if (made < 0) return -1;
        k->to[i] = (uint32_t)made;
        k->first[made] = channels;
        k->from[made] = i;
        if (n.n_weight) channels += n.channels;
        pass_scale(k, (uint32_t)made, i);
    }
    drop_unread(k);
    return 0;
}

static void copy_params(Keep *k)
{
    for (uint32_t i = 0; i < k->plain->n_nodes; i++) {
        const QcNode *to = &k->plain->nodes[i], *from = &k->g->nodes[k->from[i]];
        memcpy(k->plain->params + to->weight, k->g->params + from->weight, to->n_weight * sizeof(float));
        memcpy(k->plain->params + to->bias, k->g->params + from->bias, to->n_bias * sizeof(float));
    }
}

int qc_keep(QcQGraph *g, const QcGraph *model, const float *step, QcArena *arena, QcErr *err)
{
    QcGraph plain = {0};
    Keep k = {.g = model, .plain = &plain, .step = step, .err = err};
    uint32_t n = model->n_nodes;
    if (!(k.to = qc_arena_take(arena, n, sizeof *k.to, err)) ||
        !(k.scale = qc_arena_take(arena, n, sizeof *k.scale, err)) || !(k.zero = qc_arena_take(arena, n, 1, err)) ||
        !(k.bits = qc_arena_take(arena, n, 1, err)) || !(k.gain = qc_arena_take(arena, n, sizeof *k.gain, err)) ||
        !(k.first = qc_arena_take(arena, n, sizeof *k.first, err)) ||
        !(k.from = qc_arena_take(arena, n, sizeof *k.from, err)))
        return -1;
    int status = copy_nodes(&k) || qc_graph_finish(&plain, err) ? -1 : 0;
    if (!status) {
        copy_params(&k);
        const QcGiven given = {.scale = k.scale,
                               .zero = k.zero,
                               .bits = k.bits,
                               .gain = k.gain,
                               .first = k.first,
                               .step = step};
        status = qc_emit_given(g, &plain, &given, arena, err);
    }
    qc_graph_release(&plain);
    return status;
}
