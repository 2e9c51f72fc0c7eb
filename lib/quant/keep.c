#include "keep.h"

#include <string.h>

#include "../nn/graphshape.h"
#include "emit.h"

typedef struct Keep {
    const QcGraph *g;
    QcGraph *plain; /* the same without its QUANT nodes */
    uint32_t *to; /* [g->n_nodes] node of plain that has the value */
    float *scale; /* [g->n_nodes] by node of plain */
    uint8_t *zero, *bits;
    uint32_t *first;
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

/* Values that are only laid out anew have the scale of what they read. */
static void pass_scale(Keep *k, uint32_t at)
{
    const QcNode *n = &k->plain->nodes[at];
    if (n->op != QC_OP_TURN && n->op != QC_OP_FLATTEN && n->op != QC_OP_MAXPOOL) return;
    k->scale[at] = k->scale[n->inputs[0]];
    k->zero[at] = k->zero[n->inputs[0]];
    k->bits[at] = k->bits[n->inputs[0]];
}

static int copy_nodes(Keep *k)
{
    uint32_t channels = 0;
    for (uint32_t i = 0; i < k->g->n_nodes; i++) {
        QcNode n = k->g->nodes[i];
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
        if (n.n_weight) channels += n.channels;
        pass_scale(k, (uint32_t)made);
    }
    drop_unread(k);
    return 0;
}

int qc_keep(QcQGraph *g, const QcGraph *model, const float *step, QcArena *arena, QcErr *err)
{
    QcGraph plain = {0};
    Keep k = {.g = model, .plain = &plain, .err = err};
    uint32_t n = model->n_nodes;
    if (!(k.to = qc_arena_take(arena, n, sizeof *k.to, err)) ||
        !(k.scale = qc_arena_take(arena, n, sizeof *k.scale, err)) || !(k.zero = qc_arena_take(arena, n, 1, err)) ||
        !(k.bits = qc_arena_take(arena, n, 1, err)) ||
        !(k.first = qc_arena_take(arena, n, sizeof *k.first, err)))
        return -1;
    int status = copy_nodes(&k) || qc_graph_finish(&plain, err) ? -1 : 0;
    if (!status) {
        memcpy(plain.params, model->params, model->n_params * sizeof *plain.params); /* QUANT nodes have none */
        const QcGiven given = {.scale = k.scale, .zero = k.zero, .bits = k.bits, .first = k.first, .step = step};
        status = qc_emit_given(g, &plain, &given, arena, err);
    }
    qc_graph_release(&plain);
    return status;
}
