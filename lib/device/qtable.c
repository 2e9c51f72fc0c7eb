/* qtable.c - activations by table, products of two tensors, and codes in another order. */
#include "qnode.h"

#include "../kernels/mem.h"

void qc_qnode_table(QcQRun *run, const QcQNode *node)
{
    const QcQTensor *in = &run->g->tensors[node->in[0]];
    const uint8_t *table = run->g->codes + node->code_byte, *q = qc_qrun_tensor(run, node->in[0]);
    QcOutputView out = qc_output_view(run, node);
    uint32_t rows = (uint32_t)in->height * in->width;
    for (uint32_t t = 0; t < rows; t++, q += in->channels, out.q += out.step)
        for (uint32_t i = 0; i < in->channels; i++) out.q[i] = table[q[i]];
}

void qc_qnode_mul(QcQRun *run, const QcQNode *node)
{
    const QcQGraph *g = run->g;
    const QcQTensor *a = &g->tensors[node->in[0]], *b = &g->tensors[node->in[1]];
    const uint8_t *qa = qc_qrun_tensor(run, node->in[0]), *qb = qc_qrun_tensor(run, node->in[1]);
    int64_t multiplier = g->multiplier[node->channel];
    uint32_t shift = g->shift[node->channel], rows = (uint32_t)a->height * a->width;
    uint32_t next = (uint32_t)b->height * b->width == 1 ? 0 : b->channels; /* one position serves all */
    QcOutputView out = qc_output_view(run, node);
    for (uint32_t t = 0; t < rows; t++, qa += a->channels, qb += next, out.q += out.step)
        for (uint32_t i = 0; i < a->channels; i++) {
            int32_t product = ((int32_t)qa[i] - a->zero) * ((int32_t)qb[i] - b->zero);
            out.q[i] = qc_requantize(product * multiplier, shift, &out);
        }
}

void qc_qnode_turn(QcQRun *run, const QcQNode *node)
{
    const QcQGraph *g = run->g;
    const int32_t *size = g->bias + node->channel, *stride = g->multiplier + node->channel;
    const uint8_t *q = qc_qrun_tensor(run, node->in[0]) + node->code;
    uint8_t *out = qc_qrun_tensor(run, node->out);
    uint32_t last = node->groups - 1u, run_length = (uint32_t)size[last], step = (uint32_t)stride[last];
    int32_t index[QC_Q_MAX_LOOPS];
    for (uint32_t k = 0; k < QC_Q_MAX_LOOPS; k++) index[k] = 0;
    for (;;) {
        for (uint32_t i = 0; i < run_length; i++) *out++ = q[(size_t)i * step];
        uint32_t k = last;
        while (k-- > 0) { /* the next slower loop that has not ended */
            q += stride[k];
            if (++index[k] < size[k]) break;
            q -= (ptrdiff_t)stride[k] * size[k];
            index[k] = 0;
        }
        if (k == UINT32_MAX) return;
    }
}
