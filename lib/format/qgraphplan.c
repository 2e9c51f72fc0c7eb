#include "qgraphplan.h"

#include "../device/flip.h"

enum { ALIGN = 64 };

static void touch(QcQLife *life, uint32_t node)
{
    if (node < life->first) life->first = node;
    life->last = node; /* nodes come in order */
}

void qc_qgraph_lives(const QcQGraph *g, QcQLife *lives)
{
    for (uint32_t t = 0; t < g->n_tensors; t++) lives[t] = (QcQLife){UINT32_MAX, 0};
    lives[0].first = 0;
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcQNode *n = &g->nodes[i];
        touch(&lives[n->in[0]], i);
        if (n->op == QC_Q_ADD) touch(&lives[n->in[1]], i);
        if (n->op != QC_Q_LOGITS) touch(&lives[n->out], i);
    }
    /* the flipper looks at some layers once a later ReLU is known */
    QcFlipLayer layers[QC_FLIP_MAX_LAYERS];
    uint32_t n_feedback, n_layers = qc_flip_describe(g, layers, &n_feedback);
    for (uint32_t t = 0; t < g->n_tensors; t++) {
        uint32_t until = qc_flip_keep_until(g, layers, n_layers, t);
        if (until > lives[t].last) lives[t].last = until;
    }
}

/* The lowest aligned place where t meets none of the tensors already placed that live when it does. */
static uint64_t lowest_place(const QcQTensor *tensors, const QcQLife *lives, const uint16_t *placed, uint32_t n_placed, uint32_t t)
{
    uint64_t at = 0, bytes = qc_qtensor_bytes(&tensors[t]);
    for (uint32_t i = 0; i < n_placed;) {
        const QcQTensor *u = &tensors[placed[i]];
        uint64_t end = u->offset + qc_qtensor_bytes(u);
        if (qc_qlife_together(lives[t], lives[placed[i]]) && u->offset < at + bytes && at < end) {
            at = (end + ALIGN - 1) / ALIGN * ALIGN;
            i = 0; /* `at` only grows, so this ends */
        } else {
            i++;
        }
    }
    return at;
}

int qc_qgraph_plan(QcQGraph *g, QcQTensor *tensors, QcErr *err)
{
    QcQLife lives[QC_Q_MAX_TENSORS];
    uint16_t order[QC_Q_MAX_TENSORS];
    if (!g->n_tensors || g->n_tensors > QC_Q_MAX_TENSORS || g->n_nodes > QC_Q_MAX_NODES)
        return qc_fail(err, QC_EUNSUPPORTED, "a graph of %u tensors and %u nodes is too large for the device", g->n_tensors, g->n_nodes);
    qc_qgraph_lives(g, lives);
    /* largest first, the earlier one of equals: a small insertion sort */
    for (uint32_t t = 0; t < g->n_tensors; t++) {
        uint32_t i = t;
        for (; i > 0 && qc_qtensor_bytes(&tensors[order[i - 1]]) < qc_qtensor_bytes(&tensors[t]); i--) order[i] = order[i - 1];
        order[i] = (uint16_t)t;
    }
    uint64_t peak = 0;
    for (uint32_t i = 0; i < g->n_tensors; i++) {
        QcQTensor *t = &tensors[order[i]];
        uint64_t at = lowest_place(tensors, lives, order, i, order[i]), end = at + qc_qtensor_bytes(t);
        if (end > UINT32_MAX / 4) return qc_fail(err, QC_EUNSUPPORTED, "the activations of one window would take more than 1 GiB");
        t->offset = (uint32_t)at;
        if (end > peak) peak = end;
    }
    g->activation_bytes = (uint32_t)((peak + ALIGN - 1) / ALIGN * ALIGN);
    return 0;
}
