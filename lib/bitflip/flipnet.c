/* flipnet.c - the network of the flipper as a float graph: training, rounding to int8, judging. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <string.h>

#include "../nn/loss.h"
#include "../nn/optim.h"
#include "../nn/run.h"
#include "bitflip.h"

/* Features in groups by what they describe (flip.h). */
static const struct {
    const char *name;
    uint32_t features; /* bit f: feature f */
} feature_groups[] = {{"size", 3},        {"evidence", 3 << 2}, {"code", 3 << 4},  {"row", 1 << 6},
                {"column", 1 << 7}, {"layer", 1 << 8},    {"depth", 1 << 9}, {"kind", 15 << 10}};

int qc_flipnet_ablate(uint32_t *ablated, const char *name, QcErr *err)
{
    for (size_t t = 0; t < sizeof feature_groups / sizeof *feature_groups; t++) {
        if (strcmp(feature_groups[t].name, name)) continue;
        *ablated |= feature_groups[t].features;
        return 0;
    }
    return qc_fail(err, QC_EUSAGE,
                   "there is no feature '%.40s' (size, evidence, code, row, column, layer, depth or kind)", name);
}

static void standardise(QcFlip *flip, const QcOracleSamples *l, uint32_t ablated)
{
    for (int f = 0; f < QC_FLIP_FEATURES; f++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < l->n; i++) sum += (double)l->rows[i].features[f];
        double mean = sum / (double)l->n;
        for (size_t i = 0; i < l->n; i++) {
            double d = (double)l->rows[i].features[f] - mean;
            squares += d * d;
        }
        double deviation = sqrt(squares / (double)l->n);
        flip->mean[f] = (float)mean;
        /* a feature that never varied or is ablated becomes 0 */
        flip->inverse[f] = deviation > 1e-6 && !(ablated >> f & 1) ? (float)(1 / deviation) : 0;
    }
}

static int build(QcGraph *net, uint64_t seed, QcErr *err)
{
    if (qc_graph_init(net, QC_FLIP_FEATURES, 1, 1, err) < 0 ||
        qc_graph_linear(net, "hidden1", 0, QC_FLIP_HIDDEN, 1, err) < 0 ||
        qc_graph_simple(net, "relu1", QC_OP_RELU, 1, err) < 0 ||
        qc_graph_linear(net, "hidden2", 2, QC_FLIP_HIDDEN, 1, err) < 0 ||
        qc_graph_simple(net, "relu2", QC_OP_RELU, 3, err) < 0 || qc_graph_linear(net, "step", 4, 3, 1, err) < 0 ||
        qc_graph_finish(net, err))
        return -1;
    qc_graph_reset(net, seed);
    return 0;
}

static void round_rows(int8_t *q, float *scale, float *bias, const QcGraph *net, const char *name)
{
    const QcNode *node = &net->nodes[qc_graph_find(net, name)];
    uint32_t in = (uint32_t)(node->n_weight / node->channels);
    for (uint32_t o = 0; o < node->channels; o++) {
        const float *w = net->params + node->weight + (size_t)o * in;
        float top = 0;
        for (uint32_t i = 0; i < in; i++) top = fmaxf(top, fabsf(w[i]));
        scale[o] = top > 1e-20f ? top / 127 : 1;
        for (uint32_t i = 0; i < in; i++) q[o * in + i] = (int8_t)lrintf(w[i] / scale[o]);
        bias[o] = net->params[node->bias + o];
    }
}

int qc_flipnet_train(QcFlip *flip, const QcOracleSamples *l, const QcBitflipOptions *o, QcErr *err)
{
    QcGraph net = {0};
    QcOptim optim = {0};
    QcRun *run = NULL;
    int status = -1;
    float *x = malloc((size_t)o->batch * QC_FLIP_FEATURES * sizeof *x),
          *dlogits = malloc((size_t)o->batch * 3 * sizeof *dlogits), *grads = NULL;
    int32_t *labels = malloc(o->batch * sizeof *labels);
    standardise(flip, l, o->ablated);
    if (build(&net, o->seed, err)) goto end;
    grads = malloc(net.n_params * sizeof *grads);
    if (!x || !dlogits || !labels || !grads) {
        qc_fail_memory(err, "the flip network's training");
        goto end;
    }
    run = qc_run_new(&net, o->batch, QC_RUN_TUNE, o->threads, err);
    if (!run || qc_optim_init(&optim, QC_OPTIM_ADAM, net.n_params, o->rate, 0, err)) goto end;
    QcRng rng = qc_rng_seed(o->seed, QC_STREAM_FLIPNET);
    for (uint32_t step = 0; step < o->steps; step++) {
        for (uint32_t b = 0; b < o->batch; b++) {
            const QcOracleSample *row = &l->rows[qc_rng_below(&rng, (uint32_t)l->n)];
            for (int f = 0; f < QC_FLIP_FEATURES; f++)
                x[b * QC_FLIP_FEATURES + f] = (row->features[f] - flip->mean[f]) * flip->inverse[f];
            labels[b] = row->target;
        }
        qc_loss(dlogits, NULL, qc_run_forward(run, x, o->batch), labels, o->batch, 3);
        qc_run_backward(run, grads, dlogits);
        qc_optim_step(&optim, net.params, grads, qc_schedule_cosine(step, o->steps), NULL);
    }
    round_rows(&flip->w1[0][0], flip->s1, flip->b1, &net, "hidden1");
    round_rows(&flip->w2[0][0], flip->s2, flip->b2, &net, "hidden2");
    round_rows(&flip->w3[0][0], flip->s3, flip->b3, &net, "step");
    status = 0;
end:
    qc_run_free(run);
    qc_optim_release(&optim);
    qc_graph_release(&net);
    free(x);
    free(dlogits);
    free(labels);
    free(grads);
    return status;
}

typedef struct Ranked {
    float score;
    uint8_t target;
} Ranked;

static int by_score(const void *a, const void *b)
{
    float x = ((const Ranked *)a)->score, y = ((const Ranked *)b)->score;
    return (x < y) - (x > y);
}

/* Share of targets "with" among the 5 % of largest score. */
static double precision(Ranked *ranked, size_t n)
{
    size_t top = n / 20 ? n / 20 : 1, with = 0;
    qsort(ranked, n, sizeof *ranked, by_score);
    for (size_t i = 0; i < top; i++) with += ranked[i].target == QC_TARGET_WITH;
    return (double)with / (double)top;
}

int qc_flipnet_judge(QcBitflipReport *report, const QcFlip *flip, const QcOracleSamples *l, QcErr *err)
{
    if (!l->n) return 0;
    Ranked *ranked = malloc(l->n * sizeof *ranked);
    size_t with = 0, against = 0;
    if (!ranked) return qc_fail_memory(err, "the report");
    for (size_t i = 0; i < l->n; i++) {
        float score;
        qc_flip_scores(flip, &qc_kernels_scalar, &score, &l->rows[i].features, 1);
        ranked[i] = (Ranked){score, l->rows[i].target};
        with += l->rows[i].target == QC_TARGET_WITH;
        against += l->rows[i].target == QC_TARGET_AGAINST;
    }
    report->base = (double)with / (double)l->n;
    report->sign = with + against ? (double)with / (double)(with + against) : 0;
    report->network = precision(ranked, l->n);
    /* features 0 and 8: ln of |h| over its layer's rms, ln of that over the net's */
    for (size_t i = 0; i < l->n; i++) ranked[i] = (Ranked){l->rows[i].features[0], l->rows[i].target};
    report->hebb_in_layer = precision(ranked, l->n);
    for (size_t i = 0; i < l->n; i++)
        ranked[i] = (Ranked){l->rows[i].features[0] + l->rows[i].features[8], l->rows[i].target};
    report->hebb = precision(ranked, l->n);
    free(ranked);
    return 0;
}
