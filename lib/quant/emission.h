/* emission.h - what emit.c and emitnode.c work on, and which values of the float graph are tensors on the device: a
 * layer takes the ReLU after it along, and convolutions write slices of a concat.
 */
#ifndef QC_QUANT_EMISSION_H
#define QC_QUANT_EMISSION_H

#include "../nn/run.h"
#include "emit.h"

typedef struct QcEmission {
    const QcGraph *f;    /* lowered; or as it is, with what is given */
    const QcGiven *given; /* NULL: ranges and scales are measured */
    const uint32_t *readers;
    QcRun *run;          /* has the values of all tensors on real windows */
    uint32_t n;          /* windows in it */
    int bits, last_bits, activation_bits;
    QcQGraph *g;
    QcQTensor *tensors;
    QcQNode *nodes;
    int32_t *tensor_of;  /* [f->n_nodes] */
    float *scale;
    int32_t *bias, *multiplier;
    uint8_t *shift;
    float *master;
    QcErr *err;
} QcEmission;

static inline const QcNode *qc_emission_input_of(const QcEmission *e, const QcNode *node)
{
    return &e->f->nodes[node->inputs[0]];
}

static inline uint32_t qc_emission_index_of(const QcEmission *e, const QcNode *node)
{
    return (uint32_t)(node - e->f->nodes);
}

static inline int qc_emission_is_weighted(const QcNode *node)
{
    return node->op == QC_OP_CONV || node->op == QC_OP_LINEAR;
}

/* Does the node take the ReLU after it along? */
int qc_emission_under_relu(const QcEmission *e, const QcNode *node);

/* The convolution that can write this node's value straight into a slice of a concat, or NULL. What keeps values below
 * a clip is the end of their tensor's own range, which the concat may exceed. */
const QcNode *qc_emission_slice_writer(const QcEmission *e, const QcNode *node);

/* Do given codes of the ReLU's value go on above its clip? Then a table ends them. */
int qc_emission_is_above_clip(const QcEmission *e, const QcNode *node);

/* Has the node a tensor of its own on the device, made when it is reached? */
int qc_emission_has_tensor(const QcEmission *e, const QcNode *node);

/* The new tensor's index, or -1. like: the tensor whose range it has; NULL: its own, given or measured. */
int qc_emission_add_tensor(QcEmission *e, const QcNode *node, const QcQTensor *like);

/* The index of the tensor that has the value of a node, or -1. */
int qc_emission_tensor_of(const QcEmission *e, uint32_t node);

/* ---- emitnode.c: -1 with a sentence ---- */

/* Appends the device's nodes for a node of the float graph. Its inputs were emitted before. */
int qc_emit_node(QcEmission *e, const QcNode *node);

/* A CONV or LINEAR node, together with the ReLU that follows it (if `relu` is set), whose results go to channel
 * out_channel of tensor `out`; -1: to the logits. */
int qc_emit_conv(QcEmission *e, const QcNode *node, int relu, int out, uint32_t out_channel);

#endif
