/* A last layer that reads the standard deviation of each feature over a window, besides its mean. */
#include <stdio.h>
#include <string.h>

#include "graphshape.h"

/* The global average that the last layer reads, through what only flattens; NULL: none. */
static const QcNode *average_of(const QcGraph *g)
{
    const QcNode *node = &g->nodes[g->n_nodes - 1];
    if (node->op != QC_OP_LINEAR) return NULL;
    do node = &g->nodes[node->inputs[0]];
    while (node->op == QC_OP_FLATTEN);
    return node->op == QC_OP_GAP ? node : NULL;
}

static int add_std(QcGraph *out, const QcNode *average, const QcNode *last, QcErr *err)
{
    char name[QC_NAME_MAX + 1];
    snprintf(name, sizeof name, "%.50s.std", last->name);
    uint32_t both[2] = {last->inputs[0], 0};
    int std = qc_graph_simple(out, name, QC_OP_STD, average->inputs[0], err);
    if (std < 0) return -1;
    both[1] = (uint32_t)std;
    snprintf(name, sizeof name, "%.50s.both", last->name);
    int concat = qc_graph_concat(out, name, both, 2, err);
    return concat < 0 ? -1 : qc_graph_linear(out, last->name, (uint32_t)concat, last->channels, last->has_bias, err);
}

static void copy_parameters(QcGraph *out, const QcGraph *g)
{
    for (uint32_t i = 0; i + 1 < g->n_nodes; i++) { /* which have the same places */
        const QcNode *from = &g->nodes[i], *to = &out->nodes[i];
        memcpy(out->params + to->weight, g->params + from->weight, from->n_weight * sizeof *g->params);
        memcpy(out->params + to->bias, g->params + from->bias, from->n_bias * sizeof *g->params);
        if (from->op == QC_OP_BATCHNORM)
            memcpy(out->stats + to->stat, g->stats + from->stat, 2 * from->channels * sizeof *g->stats);
    }
    const QcNode *from = &g->nodes[g->n_nodes - 1], *to = &out->nodes[out->n_nodes - 1];
    size_t row = from->n_weight / from->channels;
    for (uint32_t k = 0; k < from->channels; k++)
        memcpy(out->params + to->weight + 2 * k * row, g->params + from->weight + k * row, row * sizeof *g->params);
    memcpy(out->params + to->bias, g->params + from->bias, from->n_bias * sizeof *g->params);
}

int qc_graph_with_std(QcGraph *out, const QcGraph *g, QcErr *err)
{
    const QcNode *average = average_of(g), *last = &g->nodes[g->n_nodes - 1], *input = &g->nodes[0];
    if (!average)
        return qc_fail(err, QC_EUNSUPPORTED,
                       "the last layer '%.63s' is not linear after a global average, so it cannot read standard "
                       "deviations too",
                       last->name);
    const QcNode *averaged = &g->nodes[average->inputs[0]];
    if (averaged->height * averaged->width == 1)
        return qc_fail(err, QC_EUNSUPPORTED,
                       "the last layer '%.63s' averages over one position, so it cannot read standard deviations",
                       last->name);
    if (qc_graph_init(out, input->channels, input->height, input->width, err)) return -1;
    for (const QcNode *node = input + 1; node < last; node++) {
        QcNode copy = *node;
        if (qc_graph_append(out, &copy, err) < 0) goto fail;
    }
    if (add_std(out, average, last, err) < 0 || qc_graph_finish(out, err)) goto fail;
    copy_parameters(out, g);
    return 0;
fail:
    qc_graph_release(out);
    return -1;
}
