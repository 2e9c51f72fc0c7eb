/* weightsample.h - proposals: which weights to step, sampled by score, and how to undo a proposal that did not help.
 *
 * A proposal takes the weights with the largest 2 ln(score) + Gumbel noise, that is a sample without replacement with
 * odds score^2 (Efraimidis and Spirakis, 2006), among those whose step stays in range. The noise is a function of
 * (seed, weight), so a sampled weight needs only a byte and a bit of memory.
 */
#ifndef QC_DEVICE_WEIGHTSAMPLE_H
#define QC_DEVICE_WEIGHTSAMPLE_H

#include "blocksample.h"

typedef struct QcWeightSample {
    const QcQGraph *g;
    const QcFlipLayer *layers;
    const QcBlockSample *blocks; /* the weights that have scores */
    uint8_t *scores;     /* [blocks->capacity] qc_flip_byte, in the order of the blocks */
    uint8_t *stepped;    /* [blocks->capacity / 8] one bit per weight: stepped by the latest proposal */
    uint32_t *histogram; /* [QC_SAMPLE_BINS] */
    float *inverse;      /* [128] 1 / score^2 of each level */
    int32_t step;        /* of the latest proposal */
} QcWeightSample;

enum { QC_SAMPLE_BINS = 2048 };

/* blocks: placed already, and borrowed. */
void qc_weightsample_place(QcWeightSample *s, const QcQGraph *g, const QcFlipLayer *layers,
                           const QcBlockSample *blocks, QcPlacing *p);
void qc_weightsample_begin(QcWeightSample *s); /* fills tables; call once */
void qc_weightsample_keep(QcWeightSample *s);  /* the latest proposal stays: nothing can be undone */

/* Steps about share * n_codes of the weights in sampled blocks, at least one; if the blocks are a part of the network,
 * at most half of their weights. by_layer: that share of the sampled weights of each layer. A step is step * direction.
 * Returns how many weights were stepped. */
uint32_t qc_weightsample_propose(QcWeightSample *s, float share, int32_t step, int by_layer, uint64_t seed);
void qc_weightsample_undo(QcWeightSample *s);

#endif
