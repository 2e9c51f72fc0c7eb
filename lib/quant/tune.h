/* tune.h - straight-through back-propagation on the master weights of a fake-quantized model: what calibrates a model
 * on the workstation, and the oracle of the flip network.
 *
 * Adam in units of one quantization step. Windows are given normalized, [n][h][w][c].
 */
#ifndef QC_QUANT_TUNE_H
#define QC_QUANT_TUNE_H

#include "../data/augment.h"
#include "../nn/optim.h"
#include "fakequant.h"

typedef struct QcTuneOptions {
    uint32_t steps, batch;
    double rate;       /* quantization steps per step, at the start */
    double bias_rate;  /* relative to the weights' rate, in units of a bias's layer output step; 0 = biases stay */
    int cosine;        /* rate falls to 0 along half a cosine */
    QcAugment *augment; /* of the windows of a batch; NULL = none */
    uint64_t seed;
    int threads;
    /* Called every `every` steps (0 = never): 1 stops, -1 fails. */
    int (*watch)(void *ctx, QcFakeQuant *s, uint32_t step, QcErr *err);
    void *ctx;
    uint32_t every;
} QcTuneOptions;

double qc_tune_rate(int bits); /* .015, .05, .3 steps per step at 2, 4, 8 bits */
/* An optimizer of master weights whose rate is chosen by the model's bits: weights of a last layer with its own bits
 * have the rate of these bits. */
void qc_tune_pace(QcOptim *o, const QcQGraph *g, double (*rate)(int bits));

/* Ends with rounded weights in the graph. */
int qc_tune(QcFakeQuant *s, const float *windows, const int32_t *labels, uint32_t n, const QcTuneOptions *o,
            QcErr *err);

#endif
