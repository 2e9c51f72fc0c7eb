#include "qgraphplan.h"

#include "../device/flip.h"

enum { ALIGN = 64 };

static void touch(QcQLiveness *life, uint32_t node)
{
    if (node < life->first) life->first = node;
    life->last = node; /* nodes come in order */
}

/* The flipper looks at some layers once a later ReLU is known. */
static void keep_for_flipper(const QcQGraph *g, QcQLiveness *liveness)
{
    QcFlipLayer layers[QC_FLIP_MAX_LAYERS];
    uint32_t n_feedback, n_layers = qc_flip_describe(g, layers, &n_feedback);
    for (uint32_t t = 0; t < g->n_tensors; t++) {
        uint32_t until = qc_flip_keep_until(g, layers, n_layers, t);
        if (!until || until < liveness[t].last) continue;
        liveness[t].last = until;
        liveness[t].held = 1;
    }
}

void qc_qgraphplan_liveness(const QcQGraph *g, QcQLiveness *liveness, int inference_only)
{
    for (uint32_t t = 0; t < g->n_tensors; t++) liveness[t] = (QcQLiveness){.first = UINT32_MAX};
    liveness[0].first = 0;
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcQNode *n = &g->nodes[i];
        touch(&liveness[n->in[0]], i);
        if (qc_reads_two(n)) touch(&liveness[n->in[1]], i);
        if (n->op != QC_Q_LOGITS) touch(&liveness[n->out], i);
    }
    if (!inference_only) keep_for_flipper(g, liveness);
}

/* The node works element by element, or keeps aside what it still needs (qforward.c), and writes all of its output. */
static int works_in_place(const QcQGraph *g, const QcQNode *n)
{
    const QcQTensor *in = &g->tensors[n->in[0]], *out = &g->tensors[n->out];
    if (n->op != QC_Q_ADD && n->op != QC_Q_TABLE && !qc_is_series_pool(g, n)) return 0;
    return n->channels == out->channels && in->channels == out->channels && in->height == out->height &&
           in->width == out->width;
}

int qc_qgraphplan_replaces(const QcQGraph *g, const QcQLiveness *liveness, uint32_t t, uint32_t u)
{
    uint32_t i = liveness[t].first;
    if (t == u || i >= g->n_nodes || liveness[u].last != i || liveness[u].held) return 0;
    const QcQNode *n = &g->nodes[i];
    return n->op != QC_Q_LOGITS && n->out == t && (n->in[0] == u || (qc_reads_two(n) && n->in[1] == u)) &&
           works_in_place(g, n);
}

/* Tensors that replace each other are one block; each has its first tensor as head. */
typedef struct Plan {
    QcQLiveness life[QC_Q_MAX_TENSORS]; /* of heads: of the whole block */
    uint16_t head[QC_Q_MAX_TENSORS];
    uint16_t order[QC_Q_MAX_TENSORS]; /* heads, in the order of placing */
    uint32_t offset[QC_Q_MAX_TENSORS]; /* of heads */
    uint32_t n;
} Plan;

static void join_blocks(Plan *plan, const QcQGraph *g, int inference_only)
{
    QcQLiveness liveness[QC_Q_MAX_TENSORS];
    qc_qgraphplan_liveness(g, liveness, inference_only);
    for (uint32_t t = 0; t < g->n_tensors; t++) plan->head[t] = (uint16_t)t;
    memcpy(plan->life, liveness, g->n_tensors * sizeof *liveness);
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcQNode *n = &g->nodes[i];
        for (uint32_t k = 0; k < (qc_reads_two(n) ? 2u : 1u); k++) {
            if (n->op == QC_Q_LOGITS || !qc_qgraphplan_replaces(g, liveness, n->out, n->in[k])) continue;
            plan->head[n->out] = plan->head[n->in[k]];
            plan->life[plan->head[n->out]].last = liveness[n->out].last;
            break;
        }
    }
}

/* Largest first, the earlier one of equals: a small insertion sort. */
static void order_blocks(Plan *plan, const QcQTensor *tensors, uint32_t n_tensors)
{
    plan->n = 0;
    for (uint32_t t = 0; t < n_tensors; t++) {
        if (plan->head[t] != t) continue;
        uint32_t i = plan->n++;
        for (; i > 0 && qc_qtensor_bytes(&tensors[plan->order[i - 1]]) < qc_qtensor_bytes(&tensors[t]); i--)
            plan->order[i] = plan->order[i - 1];
        plan->order[i] = (uint16_t)t;
    }
}

/* The lowest aligned place where t meets none of the first n_placed blocks that live when it does. */
static uint64_t lowest_place(const Plan *plan, const QcQTensor *tensors, uint32_t n_placed, uint32_t t)
{
    uint64_t at = 0, bytes = qc_qtensor_bytes(&tensors[t]);
    for (uint32_t i = 0; i < n_placed;) {
        uint32_t u = plan->order[i];
        uint64_t end = plan->offset[u] + qc_qtensor_bytes(&tensors[u]);
        if (qc_qlife_together(plan->life[t], plan->life[u]) && plan->offset[u] < at + bytes && at < end) {
            at = (end + ALIGN - 1) / ALIGN * ALIGN;
            i = 0; /* `at` only grows, so this ends */
        } else {
            i++;
        }
    }
    return at;
}

static int place_blocks(Plan *plan, uint32_t *bytes, const QcQGraph *g, int inference_only, QcErr *err)
{
    uint64_t peak = 0;
    join_blocks(plan, g, inference_only);
    order_blocks(plan, g->tensors, g->n_tensors);
    for (uint32_t i = 0; i < plan->n; i++) {
        uint32_t t = plan->order[i];
        uint64_t at = lowest_place(plan, g->tensors, i, t), end = at + qc_qtensor_bytes(&g->tensors[t]);
        if (end > UINT32_MAX / 4)
            return qc_fail(err, QC_EUNSUPPORTED, "the activations of one window would take more than 1 GiB");
        plan->offset[t] = (uint32_t)at;
        if (end > peak) peak = end;
    }
    *bytes = (uint32_t)((peak + ALIGN - 1) / ALIGN * ALIGN);
    return 0;
}

int qc_qgraphfile_plan(QcQGraph *g, QcQTensor *tensors, QcErr *err)
{
    Plan plan;
    if (!g->n_tensors || g->n_tensors > QC_Q_MAX_TENSORS || g->n_nodes > QC_Q_MAX_NODES)
        return qc_fail(err, QC_EUNSUPPORTED, "a graph of %u tensors and %u nodes is too large for the device",
                       g->n_tensors, g->n_nodes);
    if (place_blocks(&plan, &g->activation_bytes, g, 0, err)) return -1;
    for (uint32_t t = 0; t < g->n_tensors; t++) tensors[t].offset = plan.offset[plan.head[t]];
    return qc_qgraphfile_plan_inference(g, tensors, err);
}

int qc_qgraphfile_plan_inference(QcQGraph *g, QcQTensor *tensors, QcErr *err)
{
    Plan plan;
    if (place_blocks(&plan, &g->inference_bytes, g, 1, err)) return -1;
    for (uint32_t t = 0; t < g->n_tensors; t++) tensors[t].inference_offset = plan.offset[plan.head[t]];
    return 0;
}
