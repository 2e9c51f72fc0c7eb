/* bitflip.h - makes a flip network: fits the feedback, collects training samples of the oracle (oracle.h), trains a
 * small network on the samples and quantizes it to 8 bits. */
#ifndef QC_BITFLIP_BITFLIP_H
#define QC_BITFLIP_BITFLIP_H

#include "oracle.h"

typedef struct QcBitflipOptions {
    QcOracleOptions oracle;
    uint32_t subjects, test_subjects; /* synthetic: trained on; held out for the report */
    uint32_t steps, batch;            /* of the network's training */
    double rate;
    uint32_t ablated;                 /* bit f: the network does not get feature f */
    uint64_t seed;
    int threads;
    void (*progress)(const char *what, uint32_t done, uint32_t of);
} QcBitflipOptions;

extern const QcBitflipOptions qc_bitflip_defaults;

/* On the samples of the held-out subjects: all weights that moved and twice as many that stayed. */
typedef struct QcBitflipReport {
    size_t samples, test_samples;
    double base;         /* share of the test samples in which the weight moved with the Hebbian direction */
    double network;      /* the same share among the 5 % ranked highest by the network */
    double hebb, hebb_in_layer; /* by |h|; by |h| relative to its layer's rms */
    double sign;         /* among weights that moved, share that moved with the Hebbian direction */
} QcBitflipReport;

/* m: the quantized model's file (shape, normalization); arrays of flip from `arena`. g is unchanged afterwards. */
int qc_bitflip_train(QcFlip *flip, QcBitflipReport *report, QcQGraph *g, const QcModelFile *m, const QcWindows *source,
                     const QcBitflipOptions *o, QcArena *arena, QcErr *err);

/* Trains the network on samples: standardisation, 14-16-16-3, cross-entropy, Adam; then int8 rows. */
int qc_flipnet_train(QcFlip *flip, const QcOracleSamples *samples, const QcBitflipOptions *o, QcErr *err);

/* Adds to `ablated` the features of this name: size, evidence, code, row, column, layer, depth or kind. QC_EUSAGE for
 * any other name. */
int qc_flipnet_ablate(uint32_t *ablated, const char *name, QcErr *err);

/* Fills base, network, hebb and sign. */
int qc_flipnet_judge(QcBitflipReport *report, const QcFlip *flip, const QcOracleSamples *samples, QcErr *err);

#endif
