/* biastune.h - Adam on the biases of a shadow, beside that on its latents.
 *
 * A bias moves in units of the step of its output tensor (a tenth of a logit at the last layer), so that one rate fits
 * all layers.
 */
#ifndef QC_QUANT_BIASTUNE_H
#define QC_QUANT_BIASTUNE_H

#include "../nn/optim.h"
#include "shadow.h"

typedef struct QcBiasTune {
    QcOptim optim;
    float *bias; /* [n_channels] of the device, in those units; owned */
} QcBiasTune;

int qc_biastune_init(QcBiasTune *b, const QcQGraph *g, double rate, QcErr *err);
void qc_biastune_release(QcBiasTune *b);

/* dbias [n_channels], in those units, from the graph's gradients [graph.n_params]; 0 of channels that have none. */
void qc_biastune_gradient(const QcShadow *s, float *dbias, const float *grads);
/* One step of the graph's biases against dbias. scale multiplies the rate. */
void qc_biastune_step(QcBiasTune *b, QcShadow *s, const float *dbias, double scale);

#endif
