/* fakequant.h - the fake-quantized float copy of a quantized model, for straight-through back-propagation on the
 * workstation.
 *
 * A graph of CONV, RELU, pools, GAP, ADD, CONCAT with a QUANT node wherever the device has a tensor, so its forward
 * pass rounds where the device does. Each weight has a master weight in units of its scale; the graph's weight is scale
 * * clamp(round(master)). Gradients reach the master weights straight through the rounding. Biases are the device's, as
 * floats.
 */
#ifndef QC_QUANT_FAKEQUANT_H
#define QC_QUANT_FAKEQUANT_H

#include "../device/qgraph.h"
#include "../nn/graph.h"

typedef struct QcFakeQuant {
    QcArena arena;
    QcGraph graph;
    const QcQGraph *g;    /* borrowed: scales, and the codes it was made from */
    uint32_t *node_of;    /* [g->n_nodes] graph node of a CONV or LOGITS */
    float *master;        /* [g->n_codes] in units of the scale, within [low - .5, high + .5] */
} QcFakeQuant;

/* Master weights start at the codes of g. */
int qc_fakequant_init(QcFakeQuant *s, const QcQGraph *g, QcErr *err);
void qc_fakequant_release(QcFakeQuant *s);

void qc_fakequant_reset(QcFakeQuant *s);  /* master weights and biases become the codes and biases of g again */
void qc_fakequant_round(QcFakeQuant *s);  /* graph weights = scale * clamp(round(master)) */
void qc_fakequant_clamp(QcFakeQuant *s);  /* master weights back into the range in which they round to codes */
/* dmaster [n_codes] from the graph's gradients [graph.n_params] */
void qc_fakequant_gradient(const QcFakeQuant *s, float *dmaster, const float *grads);
/* biases of the graph -> int32 of the device: bias [g->n_channels] */
void qc_fakequant_biases(const QcFakeQuant *s, int32_t *bias);

#endif
