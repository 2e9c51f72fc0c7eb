/* qnode.h - inside the integer forward pass: what its nodes (qforward.c, qpool.c) have in common. Not for others. */
#ifndef QC_DEVICE_QNODE_H
#define QC_DEVICE_QNODE_H

#include "qgraph.h"

/* The node's output: its view of the tensor, and the range to which its codes are clamped. */
typedef struct QcOutputView {
    uint8_t *q;    /* of the first position */
    uint32_t step; /* bytes between positions */
    int32_t zero, low, high;
} QcOutputView;

static inline QcOutputView qc_output_view(const QcQRun *run, const QcQNode *node)
{
    const QcQTensor *out = &run->g->tensors[node->out];
    return (QcOutputView){qc_qrun_tensor(run, node->out) + node->out_channel, out->channels, out->zero,
                          node->relu ? out->zero : 0, (1 << out->bits) - 1};
}

/* product / 2^shift, rounded, as a code of the output. */
static inline uint8_t qc_requantize(int64_t product, uint32_t shift, const QcOutputView *out)
{
    int64_t value = ((product + ((int64_t)1 << (shift - 1))) >> shift) + out->zero;
    return (uint8_t)(value < out->low ? out->low : value > out->high ? out->high : value);
}

/* ---- qpool.c ---- */

void qc_qnode_maxpool(QcQRun *run, const QcQNode *node);
void qc_qnode_avgpool(QcQRun *run, const QcQNode *node);
void qc_qnode_gap(QcQRun *run, const QcQNode *node); /* mean */
void qc_qnode_std(QcQRun *run, const QcQNode *node); /* standard deviation */

/* ---- qtable.c ---- */

void qc_qnode_table(QcQRun *run, const QcQNode *node); /* a function of each code */
void qc_qnode_mul(QcQRun *run, const QcQNode *node);   /* product */
void qc_qnode_turn(QcQRun *run, const QcQNode *node);  /* another order */

#endif
