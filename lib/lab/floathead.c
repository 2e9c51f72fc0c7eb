#include "floathead.h"

#include <math.h>

#include "../quant/scale.h"

int qc_float_head_init(QcFloatHead *h, QcMethodRun *l, int folded, QcErr *err)
{
    const QcQGraph *g = l->g;
    const QcQNode *node = &g->nodes[g->n_nodes - 1];
    uint32_t features = node->n_codes / g->classes;
    if (features > QC_FLOAT_HEAD_MAX_FEATURES)
        return qc_fail(err, QC_EUNSUPPORTED,
                       "method %s can work with at most %d features, and this model's last layer has %u",
                       l->method->name, QC_FLOAT_HEAD_MAX_FEATURES, features);
    *h = (QcFloatHead){.node = node, .n = features + 1, .folded = folded};
    h->w = qc_method_take(l, (size_t)g->classes * h->n, sizeof *h->w, err);
    h->x = qc_method_take(l, h->n, sizeof *h->x, err);
    h->logits = qc_method_take(l, g->classes, sizeof *h->logits, err);
    if (!h->w || !h->x || !h->logits || (folded && qc_method_own_channels(l, err))) return -1;
    for (uint32_t k = 0; k < g->classes; k++) {
        float *w = h->w + (size_t)k * h->n, scale = g->scale[node->channel + k];
        for (uint32_t j = 0; j < features; j++) w[j] = scale * (float)qc_code_get(g, node, k * features + j);
        w[features] = scale * g->tensors[node->in[0]].scale * (float)g->bias[node->channel + k];
    }
    return 0;
}

void qc_float_head_features(QcFloatHead *h, QcMethodRun *l, const uint8_t *x)
{
    qc_qrun_forward(&l->run, h->logits, x);
    qc_float_head_read(h, &l->run);
}

void qc_float_head_read(QcFloatHead *h, const QcQRun *run)
{
    const QcQTensor *in = &run->g->tensors[h->node->in[0]];
    const uint8_t *q = qc_qrun_tensor(run, h->node->in[0]); /* nothing came after it */
    for (uint32_t i = 0; i + 1 < h->n; i++) h->x[i] = in->scale * (float)((int32_t)q[i] - in->zero);
}

void qc_float_head_logits(QcFloatHead *h, QcMethodRun *l, float *logits, const uint8_t *x)
{
    if (h->folded) {
        qc_qrun_forward(&l->run, logits, x);
        return;
    }
    qc_float_head_features(h, l, x);
    for (uint32_t k = 0; k < l->g->classes; k++) {
        const float *w = h->w + (size_t)k * h->n;
        double sum = (double)w[h->n - 1];
        for (uint32_t i = 0; i + 1 < h->n; i++) sum += (double)w[i] * (double)h->x[i];
        logits[k] = (float)sum;
    }
}

void qc_float_head_fold(QcFloatHead *h, QcMethodRun *l)
{
    const QcQGraph *g = l->g;
    double in = (double)g->tensors[h->node->in[0]].scale;
    int bits = (int)qc_code_bits(g, h->node);
    for (uint32_t k = 0; h->folded && k < g->classes; k++) {
        const float *w = h->w + (size_t)k * h->n;
        double bias = (double)w[h->n - 1];
        /* the bias must fit an integer */
        float scale = fmaxf(qc_scale_of_weights(w, h->n - 1, bits), (float)(fabs(bias) / (in * 0x1p29)));
        qc_method_set_channel(l, h->node, k, (double)scale, bias);
        for (uint32_t j = 0; j + 1 < h->n; j++)
            qc_code_set(g, h->node, k * (h->n - 1) + j, qc_scale_to_code(w[j], scale, bits));
    }
}

const char *qc_float_head_unsaved(const double *setting)
{
    return setting[0] > 0 ? NULL : "its last layer is not one of integers (--set fold=1 rounds it to one)";
}
