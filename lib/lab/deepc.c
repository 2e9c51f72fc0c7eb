/* deepc - deep compression (Han, Mao and Dally, ICLR 2016) on a model that is quantized already: prune, fine-tune,
 * cluster, fine-tune the shared values.
 *
 * Pruning, once: of every layer the share `prune` of the weights |scale code| that are smallest become 0 and stay it.
 * Then for each batch
 *     half of the steps   the weights left over are fine-tuned one by one (the gradient of a pruned one is dropped);
 *     clustering          of every layer they are drawn together to 2^cluster values (one of them 0 if weights were
 *                         pruned) by k-means in code steps, from evenly spread centres; scales differ from channel to
 *                         channel, so what is shared is the code;
 *     the other half      the shared values are fine-tuned: the gradient of one is the sum over its weights.
 * Where 2^cluster is not below the number of codes, the codes are the shared values and all steps are of the first
 * kind. The loss is the loss of er.
 */
#include "cluster.h"
#include "losses.h"
#include "rivaltable.h"
#include "../quant/scale.h"
#include "replay.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PRUNE = QC_REPLAY_OWN, CLUSTER };

typedef struct Size {
    float size;
    uint32_t j;
} Size;

typedef struct Deepc {
    QcReplay replay;
    uint32_t values;         /* 2^cluster; 0: codes are not clustered */
    int is_pruned;
    uint8_t *pruned, *owner; /* [n_codes] 1: is 0 permanently; the cluster of its layer that it belongs to */
    float *centre, *dcentre; /* [n_nodes][values], in code steps */
    QcOptim centres;
    Size *sizes;             /* of one layer */
} Deepc;

static uint32_t largest_layer(const QcQGraph *g)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].n_codes > most) most = g->nodes[i].n_codes;
    return most;
}

static int open(QcMethodRun *l, QcErr *err)
{
    const QcQGraph *g = l->g;
    Deepc *d = l->state = qc_method_take(l, 1, sizeof *d, err);
    if (!d || qc_replay_open(&d->replay, l, 0, err)) return -1;
    if (l->setting[CLUSTER] < g->bits) d->values = 1u << (uint32_t)l->setting[CLUSTER];
    size_t centres = (size_t)g->n_nodes * d->values;
    d->pruned = qc_method_take(l, g->n_codes, 1, err);
    d->owner = qc_method_take(l, g->n_codes, 1, err);
    d->centre = qc_method_take(l, centres, sizeof(float), err);
    d->dcentre = qc_method_take(l, centres, sizeof(float), err);
    d->sizes = qc_method_take(l, largest_layer(g), sizeof *d->sizes, err);
    if (!d->pruned || !d->owner || !d->centre || !d->dcentre || !d->sizes) return -1;
    qc_method_count(l, 2 * centres * sizeof(float));
    if (qc_optim_init(&d->centres, QC_OPTIM_ADAM, centres, d->replay.optim.rate, 0, err)) return -1;
    d->centres.paced = (size_t)(g->n_nodes - 1) * d->values;
    d->centres.pace = d->replay.optim.pace;
    return 0;
}

/* ---- pruning ---- */

static int smaller_first(const void *a, const void *b)
{
    const Size *x = a, *y = b;
    return x->size != y->size ? (x->size > y->size) - (x->size < y->size) : (x->j > y->j) - (x->j < y->j);
}

static void prune_layer(Deepc *d, const QcQGraph *g, const QcQNode *n, double share)
{
    float *master = d->replay.fakequant.master + n->code;
    uint32_t row = n->n_codes / n->channels, cut = (uint32_t)(share * n->n_codes);
    for (uint32_t j = 0; j < n->n_codes; j++)
        d->sizes[j] = (Size){fabsf(master[j] * g->scale[n->channel + j / row]), j};
    qsort(d->sizes, n->n_codes, sizeof *d->sizes, smaller_first);
    for (uint32_t i = 0; i < cut; i++) {
        d->pruned[n->code + d->sizes[i].j] = 1;
        master[d->sizes[i].j] = 0;
    }
}

/* ---- shared values ---- */

static void cluster_layers(Deepc *d, const QcQGraph *g, double share)
{
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcQNode *n = &g->nodes[i];
        uint32_t zeros = (uint32_t)(share * n->n_codes) > 0; /* one value is the value of pruned weights */
        if (n->n_codes)
            qc_cluster_line(d->centre + (size_t)i * d->values, d->owner + n->code, d->replay.fakequant.master + n->code,
                            d->pruned + n->code, n->n_codes, d->values - zeros);
    }
}

/* The master weights of a cluster are its value, which stays in the range of codes. */
static void share_values(Deepc *d, const QcQGraph *g)
{
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        int bits = (int)qc_code_bits(g, &g->nodes[i]);
        float low = (float)qc_code_low(bits) - 0.49f, high = (float)qc_code_high(bits) + 0.49f,
              *centre = d->centre + (size_t)i * d->values;
        for (uint32_t c = 0; c < d->values; c++) centre[c] = fminf(fmaxf(centre[c], low), high);
        for (uint32_t j = g->nodes[i].code; j < g->nodes[i].code + g->nodes[i].n_codes; j++)
            if (!d->pruned[j]) d->replay.fakequant.master[j] = centre[d->owner[j]];
    }
}

static void sum_gradients(Deepc *d, const QcQGraph *g)
{
    memset(d->dcentre, 0, d->centres.n * sizeof *d->dcentre);
    for (uint32_t i = 0; i < g->n_nodes; i++)
        for (uint32_t j = g->nodes[i].code; j < g->nodes[i].code + g->nodes[i].n_codes; j++)
            if (!d->pruned[j]) d->dcentre[(size_t)i * d->values + d->owner[j]] += d->replay.dmaster[j];
}

/* ---- a batch ---- */

static int gradient(Deepc *d, QcMethodRun *l, QcErr *err)
{
    QcReplay *r = &d->replay;
    qc_replay_draw(r, l);
    const float *logits = qc_replay_forward(r, 0, r->n_fresh + r->n_old, err);
    if (!logits) return -1;
    qc_loss_among(r->dlogits, logits, r->label, NULL, NULL, r->n_fresh + r->n_old, r->classes);
    qc_replay_backward(r);
    return 0;
}

static int tune_weights(Deepc *d, QcMethodRun *l, uint32_t steps, QcErr *err)
{
    for (uint32_t step = 0; step < steps; step++) {
        if (gradient(d, l, err)) return -1;
        for (uint32_t j = 0; j < l->g->n_codes; j++)
            if (d->pruned[j]) d->replay.dmaster[j] = 0; /* its moments are 0 and stay it, too */
        qc_replay_step(&d->replay);
    }
    return 0;
}

static int tune_values(Deepc *d, QcMethodRun *l, uint32_t steps, QcErr *err)
{
    cluster_layers(d, l->g, l->setting[PRUNE]);
    share_values(d, l->g);
    memset(d->centres.first, 0, d->centres.n * sizeof(float)); /* the moments of other clusters */
    memset(d->centres.second, 0, d->centres.n * sizeof(float));
    d->centres.step = 0;
    for (uint32_t step = 0; step < steps; step++) {
        if (gradient(d, l, err)) return -1;
        sum_gradients(d, l->g);
        qc_optim_step(&d->centres, d->centre, d->dcentre, 1, NULL);
        share_values(d, l->g);
    }
    return 0;
}

static int next(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    Deepc *d = l->state;
    uint32_t steps = d->replay.steps, shared = d->values ? steps / 2 : 0;
    qc_replay_begin(&d->replay, l, batch);
    for (uint32_t i = 0; !d->is_pruned && i < l->g->n_nodes; i++)
        if (l->g->nodes[i].n_codes) prune_layer(d, l->g, &l->g->nodes[i], l->setting[PRUNE]);
    d->is_pruned = 1;
    if (tune_weights(d, l, steps - shared, err)) return -1;
    if (d->values && tune_values(d, l, shared, err)) return -1;
    qc_replay_end(&d->replay, l, report);
    return 0;
}

static void close(QcMethodRun *l)
{
    Deepc *d = l->state;
    if (!d) return;
    qc_optim_release(&d->centres);
    qc_replay_release(&d->replay);
}

static const QcSetting settings[] = {
    QC_REPLAY_SETTINGS, {"prune", 0.3, 0, 1, "share of each layer's weights that become 0", 0},
    {"cluster", 5, 1, 8, "bits of the shared values of a layer", 1}, {0},
};

const QcMethod qc_method_deepc = {
    .name = "deepc",
    .summary = "deep compression: prune, fine-tune, cluster, fine-tune the shared values",
    .settings = settings,
    .backward = 1,
    .open = open,
    .next = next,
    .close = close,
};
