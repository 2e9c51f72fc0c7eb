#include "keep.h"

#include <string.h>

#include "../nn/graphshape.h"
#include "emit.h"

typedef struct Keep {
    const QcGraph *g;
    QcGraph *plain; /* the same graph without its QUANT nodes */
    uint32_t *to; /* [g->n_nodes] node of plain that has the value */
    float *scale; /* [g->n_nodes] by node of plain */
    uint8_t *zero;
    uint32_t *first;
    QcErr *err;
} Keep;

/* The node of plain that has the quantized value. */
static int note_scale(Keep *k, const QcNode *quant)
{
    uint32_t at = k->to[quant->inputs[0]];
    int same = k->scale[at] >= quant->scale && k->scale[at] <= quant->scale && k->zero[at] == quant->zero;
    if (k->scale[at] > 0 && !same) { /* a concat of one value is a copy with another scale */
        int copy = qc_graph_concat(k->plain, quant->name, &at, 1, k->err);
        if (copy < 0) return -1;
        at = (uint32_t)copy;
    }
    k->scale[at] = quant->scale;
    k->zero[at] = (uint8_t)quant->zero;
    return (int)at;
}

/* A node that only changes the layout of its input has the scale of its input. */
static void pass_scale(Keep *k, uint32_t at)
{
    const QcNode *n = &k->plain->nodes[at];
    if (n->op != QC_OP_TURN && n->op != QC_OP_FLATTEN && n->op != QC_OP_MAXPOOL) return;
    k->scale[at] = k->scale[n->inputs[0]];
    k->zero[at] = k->zero[n->inputs[0]];
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
    return 0;
}

int qc_keep(QcQGraph *g, const QcGraph *model, const float *step, QcArena *arena, QcErr *err)
{
    QcGraph plain = {0};
    Keep k = {.g = model, .plain = &plain, .err = err};
    uint32_t n = model->n_nodes;
    if (!(k.to = qc_arena_take(arena, n, sizeof *k.to, err)) ||
        !(k.scale = qc_arena_take(arena, n, sizeof *k.scale, err)) || !(k.zero = qc_arena_take(arena, n, 1, err)) ||
        !(k.first = qc_arena_take(arena, n, sizeof *k.first, err)))
        return -1;
    int status = copy_nodes(&k) || qc_graph_finish(&plain, err) ? -1 : 0;
    if (!status) {
        memcpy(plain.params, model->params, model->n_params * sizeof *plain.params); /* QUANT nodes have none */
        const QcGiven given = {.scale = k.scale, .zero = k.zero, .first = k.first, .step = step};
        status = qc_emit_given(g, &plain, &given, arena, err);
    }
    qc_graph_release(&plain);
    return status;
}
