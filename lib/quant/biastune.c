#include "biastune.h"

#include <stdlib.h>
#include <string.h>

int qc_biastune_init(QcBiasTune *b, const QcQGraph *g, double rate, QcErr *err)
{
    *b = (QcBiasTune){.bias = calloc(g->n_channels + 1, sizeof *b->bias)};
    if (!b->bias) return qc_fail_memory(err, "the optimizer of biases");
    return qc_optim_init(&b->optim, QC_OPTIM_ADAM, g->n_channels, rate, 0, err);
}

void qc_biastune_release(QcBiasTune *b)
{
    if (!b) return;
    qc_optim_release(&b->optim);
    free(b->bias);
    *b = (QcBiasTune){0};
}

static float unit_of(const QcQGraph *g, const QcQNode *n)
{
    return n->op == QC_Q_LOGITS ? 0.1f : g->tensors[n->out].scale;
}

void qc_biastune_gradient(const QcFakeQuant *s, float *dbias, const float *grads)
{
    const QcQGraph *g = s->g;
    memset(dbias, 0, g->n_channels * sizeof *dbias);
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcQNode *n = &g->nodes[i];
        const float *db = n->n_codes ? grads + s->graph.nodes[s->node_of[i]].bias : NULL;
        for (uint32_t c = 0; db && c < n->channels; c++) dbias[n->channel + c] = db[c] * unit_of(g, n);
    }
}

/* Copies biases from the graph to b->bias, or back if `back` is set. */
static void carry(QcBiasTune *b, QcFakeQuant *s, int back)
{
    for (uint32_t i = 0; i < s->g->n_nodes; i++) {
        const QcQNode *n = &s->g->nodes[i];
        if (!n->n_codes) continue;
        float *bias = s->graph.params + s->graph.nodes[s->node_of[i]].bias, *own = b->bias + n->channel,
              unit = unit_of(s->g, n);
        for (uint32_t c = 0; c < n->channels; c++) {
            if (back) bias[c] = own[c] * unit;
            else own[c] = bias[c] / unit;
        }
    }
}

void qc_biastune_step(QcBiasTune *b, QcFakeQuant *s, const float *dbias, double scale)
{
    carry(b, s, 0);
    qc_optim_step(&b->optim, b->bias, dbias, scale, NULL);
    carry(b, s, 1);
}
