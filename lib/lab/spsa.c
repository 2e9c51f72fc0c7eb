/* spsa.c - zeroth-order learning of scales and biases: two forward passes per step, nothing but losses comes back.
 *
 * Every weighted channel has two parameters: its scale is scale_0 exp(theta), and its pre-activation is shifted by
 * theta' units, a unit being an eighth of the range of the tensor that it writes (of a logit: 1). Both are rounded to
 * the model's own fixed-point multipliers and int32 biases before each pass, so the losses are losses of integer
 * models, as in "Stepping Forward on the Last Mile" (Feng et al., 2024). A step: a minibatch of Z, spsa's slope on it,
 * clipped, theta -= rate slope d. */
#include "spsa.h"

#include <math.h>
#include <string.h>

#include "rivaltable.h"

double qc_spsa_slope(float *direction, float *room, const float *theta, uint32_t n, double c, QcLossAt loss, void *ctx,
                     QcRng *rng)
{
    double there[2];
    for (uint32_t i = 0; i < n; i++) direction[i] = qc_rng_next(rng) >> 63 ? 1.0f : -1.0f;
    for (int side = 0; side < 2; side++) {
        float step = (float)(side ? -c : c);
        for (uint32_t i = 0; i < n; i++) room[i] = theta[i] + step * direction[i];
        there[side] = loss(ctx, room);
    }
    return (there[0] - there[1]) / (2 * c);
}

enum { PASSES, RATE, SIZE, BATCH, CLIP, BIASES };

static const QcSetting settings[] = {
    {"passes", 32, 0, 100000, "forward passes over coreset and batch, in each batch", 1},
    {"rate", 0.01, 0, 10, "step for a slope of 1", 0},
    {"size", 0.02, 0.00001, 1, "of the perturbation", 0},
    {"batch", 32, 1, 65535, "examples of a minibatch", 1},
    {"clip", 5, 0, 1000000, "largest slope that is followed", 0},
    {"biases", 1, 0, 1, "0: scales alone", 1},
    {0},
};

typedef struct Spsa {
    uint32_t n;        /* parameters: scales of all weighted channels, then their biases */
    float *theta, *direction, *room; /* [n] */
    float *logits;
    const uint8_t **x; /* [capacity + batch_max] Z */
    uint16_t *label;
    uint32_t *pick;    /* the minibatch */
    uint32_t n_pick;
    QcRng rng;
    QcMethodRun *l;
} Spsa;

static int is_weighted(const QcQNode *node) { return node->op == QC_Q_CONV || node->op == QC_Q_LOGITS; }

static double bias_unit(const QcQGraph *g, const QcQNode *node)
{
    const QcQTensor *out = &g->tensors[node->out];
    return node->op == QC_Q_LOGITS ? 1 : (double)out->scale * (1 << out->bits) / 8;
}

static void apply(Spsa *s, const float *theta)
{
    QcMethodRun *l = s->l;
    uint32_t half = s->n / 2, at = 0;
    for (uint32_t i = 0; i < l->g->n_nodes; i++) {
        const QcQNode *node = &l->g->nodes[i];
        double in = (double)l->g->tensors[node->in[0]].scale, unit = bias_unit(l->g, node);
        for (uint32_t o = 0; is_weighted(node) && o < node->channels; o++, at++) {
            uint32_t c = node->channel + o;
            double scale = (double)l->start_scale[c] * exp((double)theta[at]);
            qc_method_set_channel(l, node, o, scale, in * scale * l->start_bias[c] + unit * (double)theta[half + at]);
        }
    }
}

/* Mean cross-entropy of the minibatch under theta. */
static double loss_at(void *ctx, const float *theta)
{
    Spsa *s = ctx;
    double sum = 0, loss;
    apply(s, theta);
    for (uint32_t i = 0; i < s->n_pick; i++) {
        qc_method_answer(s->l, &loss, s->logits, s->x[s->pick[i]], s->label[s->pick[i]]);
        sum += loss;
    }
    return sum / s->n_pick;
}

static int open_spsa(QcMethodRun *l, QcErr *err)
{
    Spsa *s = l->state = qc_method_take(l, 1, sizeof *s, err);
    uint32_t all = l->capacity + l->batch_max;
    if (!s || qc_method_own_channels(l, err)) return -1;
    for (uint32_t i = 0; i < l->g->n_nodes; i++)
        s->n += is_weighted(&l->g->nodes[i]) ? 2u * l->g->nodes[i].channels : 0;
    s->theta = qc_method_take(l, s->n, sizeof *s->theta, err);
    s->direction = qc_method_take(l, s->n, sizeof *s->direction, err);
    s->room = qc_method_take(l, s->n, sizeof *s->room, err);
    s->logits = qc_method_take(l, l->g->classes, sizeof *s->logits, err);
    s->x = qc_method_take(l, all, sizeof *s->x, err);
    s->label = qc_method_take(l, all, sizeof *s->label, err);
    s->pick = qc_method_take(l, all, sizeof *s->pick, err);
    s->rng = qc_rng_seed(l->seed, QC_STREAM_SPSA);
    s->l = l;
    return s->theta && s->direction && s->room && s->logits && s->x && s->label && s->pick ? 0 : -1;
}

/* Minibatches walk through Z in an order that is shuffled anew when it ends. */
static void next_minibatch(Spsa *s, uint32_t *order, uint32_t *at, uint32_t n, uint32_t size)
{
    if (*at + size > n) {
        qc_rng_shuffle(&s->rng, order, n);
        *at = 0;
    }
    s->pick = order + *at;
    s->n_pick = size;
    *at += size;
}

static int next(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    Spsa *s = l->state;
    uint32_t *order = s->pick, n = qc_method_examples(l, s->x, s->label, NULL, batch), at = n;
    uint32_t size = l->setting[BATCH] < n ? (uint32_t)l->setting[BATCH] : n;
    uint64_t steps = (uint64_t)(l->setting[PASSES] * n / (2.0 * size) + 0.5);
    uint32_t moved = l->setting[BIASES] > 0 ? s->n : s->n / 2;
    (void)err;
    for (uint32_t i = 0; i < n; i++) order[i] = i;
    memcpy(s->room, s->theta, s->n * sizeof *s->room);
    for (uint64_t step = 0; step < steps; step++) {
        next_minibatch(s, order, &at, n, size);
        double slope = qc_spsa_slope(s->direction, s->room, s->theta, moved, l->setting[SIZE], loss_at, s, &s->rng),
               clip = l->setting[CLIP];
        float move = (float)(l->setting[RATE] * fmax(-clip, fmin(clip, slope)));
        for (uint32_t i = 0; i < moved; i++) s->theta[i] -= move * s->direction[i];
    }
    s->pick = order;
    apply(s, s->theta);
    report->set = n;
    report->forwards = 2 * steps * size;
    report->operations = report->forwards * l->macs;
    return 0;
}

const QcMethod qc_method_spsa = {
    .name = "spsa",
    .summary = "zeroth-order steps of scales and biases, from the losses of two forward passes each",
    .settings = settings,
    .open = open_spsa,
    .next = next};
