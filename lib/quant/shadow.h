/* shadow.h - the float double of a quantized model, for straight-through back-propagation on the workstation.
 *
 * A graph of CONV, RELU, pools, GAP, ADD, CONCAT with a QUANT node wherever the device has a tensor, so its forward
 * pass rounds where the device does. Each weight has a latent value in units of its scale; the graph's weight is scale
 * * clamp(round(latent)). Gradients reach the latents straight through the rounding. Biases are the device's, as
 * floats.
 */
#ifndef QC_QUANT_SHADOW_H
#define QC_QUANT_SHADOW_H

#include "../device/qgraph.h"
#include "../nn/graph.h"

typedef struct QcShadow {
    QcArena arena;
    QcGraph graph;
    const QcQGraph *g;    /* borrowed: scales, and the codes it was made from */
    uint32_t *node_of;    /* [g->n_nodes] graph node of a CONV or LOGITS */
    float *latent;        /* [g->n_codes] in units of the scale, within [low - .5, high + .5] */
} QcShadow;

/* Latents start at the codes of g. */
int qc_shadow_init(QcShadow *s, const QcQGraph *g, QcErr *err);
void qc_shadow_release(QcShadow *s);

void qc_shadow_reset(QcShadow *s);  /* latents and biases = those of g again */
void qc_shadow_round(QcShadow *s);  /* graph weights = scale * clamp(round(latent)) */
void qc_shadow_clamp(QcShadow *s);  /* latents back into the range in which they round to codes */
/* dlatent [n_codes] from the graph's gradients [graph.n_params] */
void qc_shadow_gradient(const QcShadow *s, float *dlatent, const float *grads);
/* biases of the graph -> int32 of the device: bias [g->n_channels] */
void qc_shadow_biases(const QcShadow *s, int32_t *bias);

#endif
