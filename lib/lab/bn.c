#include "bn.h"

#include <math.h>

#include "rivaltable.h"

int qc_bn_has(const QcQNode *node) { return node->op == QC_Q_CONV && node->role != QC_ROLE_BOTTLENECK; }

/* Mean and mean square of channel o's pre-activation under the start model; codes never change, so the sums are the
 * same integers under any scale. */
static void moments(const QcBn *bn, const QcMethodRun *l, uint32_t i, uint32_t o, double *mean, double *square)
{
    const QcQNode *node = &l->g->nodes[i];
    uint32_t c = node->channel + o;
    double step = (double)l->g->tensors[node->in[0]].scale * (double)l->start_scale[c], bias = step * l->start_bias[c];
    double sum = step * bn->preact.sum[c] / bn->preact.count[i],
           squares = step * step * bn->preact.squares[c] / bn->preact.count[i];
    *mean = sum + bias;
    *square = squares + 2 * bias * sum + bias * bias;
}

int qc_bn_init(QcBn *bn, QcMethodRun *l, const double *setting, QcErr *err)
{
    const QcSlots *slots = l->slots;
    const QcQGraph *g = l->g;
    float **arrays[] = {&bn->mean, &bn->deviation, &bn->new_mean, &bn->new_square};
    *bn = (QcBn){.setting = setting};
    if (qc_preact_init(&bn->preact, l, err) || qc_method_own_channels(l, err)) return -1;
    for (int i = 0; i < 4; i++)
        if (!(*arrays[i] = qc_method_take(l, g->n_channels, sizeof **arrays[i], err))) return -1;
    for (uint32_t s = 0; s < slots->capacity; s++)
        if (!(slots->flags[s] & (QC_SLOT_EMPTY | QC_SLOT_STREAM)))
            qc_preact_add(&bn->preact, l, slots->windows + (size_t)s * slots->window);
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcQNode *node = &g->nodes[i];
        for (uint32_t o = 0; qc_bn_has(node) && bn->preact.count[i] > 0 && o < node->channels; o++) {
            double mean, square;
            moments(bn, l, i, o, &mean, &square);
            bn->mean[node->channel + o] = (float)mean;
            bn->deviation[node->channel + o] = (float)sqrt(fmax(square - mean * mean, 0));
        }
    }
    return 0;
}

void qc_bn_mix(double *factor, double *shift, double alpha, double mean, double deviation, double new_mean,
               double new_deviation)
{
    double mu = (1 - alpha) * mean + alpha * new_mean;
    double s = sqrt((1 - alpha) * deviation * deviation + alpha * new_deviation * new_deviation);
    double r = s > 0 ? deviation / s : 1;
    *factor = fmax(0.25, fmin(4, r));
    *shift = mean - *factor * mu;
}

static void change_node(QcBn *bn, QcMethodRun *l, uint32_t i, double alpha, double momentum)
{
    const QcQNode *node = &l->g->nodes[i];
    for (uint32_t o = 0; o < node->channels; o++) {
        uint32_t c = node->channel + o;
        double mean, square, factor, shift, step = (double)l->g->tensors[node->in[0]].scale * (double)l->start_scale[c];
        if (!(bn->deviation[c] > 0)) continue; /* a constant channel has no normalization to restore */
        moments(bn, l, i, o, &mean, &square);
        bn->new_mean[c] += (float)(momentum * (mean - (double)bn->new_mean[c]));
        bn->new_square[c] += (float)(momentum * (square - (double)bn->new_square[c]));
        double variance = (double)bn->new_square[c] - (double)bn->new_mean[c] * (double)bn->new_mean[c];
        qc_bn_mix(&factor, &shift, alpha, (double)bn->mean[c], (double)bn->deviation[c], (double)bn->new_mean[c],
                  sqrt(fmax(variance, 0)));
        qc_method_set_channel(l, node, o, factor * (double)l->start_scale[c], factor * step * l->start_bias[c] + shift);
    }
}

void qc_bn_next(QcBn *bn, QcMethodRun *l, QcMethodReport *report, const QcBatch *batch)
{
    const QcSlots *slots = l->slots;
    const QcQGraph *g = l->g;
    uint32_t n = batch->n + l->n_unlabelled, layers = 0, layer = 0;
    qc_preact_clear(&bn->preact, g);
    for (uint32_t i = 0; i < batch->n + l->n_unlabelled; i++)
        qc_preact_add(&bn->preact, l, batch->windows + (size_t)i * l->window);
    for (uint32_t s = 0; s < slots->capacity; s++) {
        if ((slots->flags[s] & QC_SLOT_EMPTY) || !(slots->flags[s] & QC_SLOT_STREAM)) continue;
        qc_preact_add(&bn->preact, l, slots->windows + (size_t)s * slots->window);
        n++;
    }
    bn->batches++;
    double momentum = bn->batches == 1                  ? 1
                      : bn->setting[QC_BN_MOMENTUM] > 0 ? bn->setting[QC_BN_MOMENTUM]
                                                        : 1.0 / bn->batches;
    for (uint32_t i = 0; i < g->n_nodes; i++) layers += (uint32_t)qc_bn_has(&g->nodes[i]);
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        if (!qc_bn_has(&g->nodes[i])) continue;
        double depth = layers > 1 ? (double)layer / (layers - 1) : 0;
        change_node(bn, l, i, bn->setting[QC_BN_ALPHA] * exp(-bn->setting[QC_BN_DECAY] * depth), momentum);
        layer++;
    }
    report->set = n;
    report->forwards += n;
    report->operations += 2 * n * l->macs; /* a forward pass, and its sums once more (preact.h) */
}

/* ---- method bn ---- */

static int open_bn(QcMethodRun *l, QcErr *err)
{
    QcBn *bn = l->state = qc_method_take(l, 1, sizeof *bn, err);
    return bn ? qc_bn_init(bn, l, l->setting, err) : -1;
}

static int next(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    (void)err;
    qc_bn_next(l->state, l, report, batch);
    return 0;
}

static const QcSetting settings[] = {QC_BN_SETTINGS, {0}};

const QcMethod qc_method_bn = {
    .name = "bn",
    .summary = "normalization re-estimated on the stream, mixed with the source's, folded into scales and biases",
    .settings = settings,
    .unlabelled = 1,
    .open = open_bn,
    .next = next};
