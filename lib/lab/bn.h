/* bn.h - re-estimated normalization, for method bn and for bn+head.
 *
 * Batch norm was folded into the weights, but its effect can be applied again: let a be a channel's pre-activation
 * under the start model, mu_s, s_s its mean and deviation on the coreset's source examples, and mu_t, s_t the same on
 * the stream (a running mean over batches). The normalization that the channel gets is the mixture
 *   mu = (1 - alpha) mu_s + alpha mu_t,   s^2 = (1 - alpha) s_s^2 + alpha s_t^2,   alpha = alpha_0 exp(-decay depth),
 *                                         depth 0 first layer .. 1 last,
 * and its values are brought back to where the next layer expects them: a' = (a - mu) s_s / s + mu_s. That is another
 * scale and another bias of the channel. (AdaBN, Li et al., 2016; mixing with the source, Schneider et al., 2020.) Only
 * layers with a ReLU or ahead of a sum have it: that is where batch norm was.
 */
#ifndef QC_LAB_BN_H
#define QC_LAB_BN_H

#include "preact.h"

typedef struct QcBn {
    QcPreact preact;
    float *mean, *deviation; /* [n_channels] of the source */
    float *new_mean, *new_square; /* [n_channels] of the stream: running mean, and mean square */
    uint32_t batches;
    const double *setting;   /* QC_BN_* */
} QcBn;

#define QC_BN_SETTINGS                                                                \
    {"alpha", 0.7, 0, 1, "weight of the stream's statistics in the first layer", 0},    \
        {"decay", 0.5, 0, 100, "alpha falls to exp(-decay) of that in the last layer", 0}, \
        {"momentum", 0, 0, 1, "weight of a new batch in the stream's statistics; 0: all batches weigh the same", 0}
enum { QC_BN_ALPHA, QC_BN_DECAY, QC_BN_MOMENTUM, QC_BN_COUNT };

/* setting: the settings of bn, in this order, within l->setting. Runs the coreset's source examples; without them
 * nothing is ever changed. */
int qc_bn_init(QcBn *bn, QcMethodRun *l, const double *setting, QcErr *err);
/* The batch, windows without a label included, and the slots' stream examples go once through the model as it is now;
 * then all layers change together. Adds to the counts of report. */
void qc_bn_next(QcBn *bn, QcMethodRun *l, QcMethodReport *report, const QcBatch *batch);

int qc_bn_has(const QcQNode *node); /* 1 if the method changes this node */

/* A channel's new factor and mean: a' = factor a + shift. Factors are kept within 1/4 .. 4. */
void qc_bn_mix(double *factor, double *shift, double alpha, double mean, double deviation, double new_mean,
               double new_deviation);

#endif
