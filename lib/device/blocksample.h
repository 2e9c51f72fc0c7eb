/* blocksample.h - the weights that one statistic covers: a random sample of blocks of up to eight output channels, over
 * all layers, as many as memory holds.
 *
 * Statistic, scores and marks of the sampled blocks lie one block after another in arrays of `capacity` weights, so
 * flips work on a network of any size in memory of a chosen size. If all weights fit, all are taken; else each
 * statistic has another sample: blocks in random order, each if it still fits, so small blocks are sampled more often.
 * Sampled blocks of one layer follow each other.
 */
#ifndef QC_DEVICE_BLOCKSAMPLE_H
#define QC_DEVICE_BLOCKSAMPLE_H

#include "flip.h"
#include "placing.h"

enum {
    QC_BLOCK_CHANNELS = 8,                /* of one layer, at most */
    QC_BLOCK_SAMPLE_WEIGHTS = 20 * 1024,  /* capacity by default: 187 KB of statistic and scores */
};
#define QC_NOT_SAMPLED UINT32_MAX

typedef struct QcBlock {
    uint16_t layer;             /* index into the flipper's layers */
    uint16_t channel, channels; /* first output channel of the layer, and how many */
    uint32_t first, n;          /* codes of the layer */
    uint32_t start;             /* index of its first weight in the arrays of the sample, or QC_NOT_SAMPLED */
} QcBlock;

typedef struct QcBlockSample {
    QcBlock *blocks; /* [n_blocks] of all layers, in order */
    uint32_t *order; /* [n_blocks] scratch */
    uint32_t n_blocks;
    uint32_t capacity; /* in weights */
    uint32_t n;        /* weights sampled */
} QcBlockSample;

/* capacity: raised to the largest block and lowered to all weights, none if there are no layers; 0:
 * QC_BLOCK_SAMPLE_WEIGHTS. Nothing is sampled until the first draw. */
void qc_block_sample_place(QcBlockSample *sample, const QcQGraph *g, const QcFlipLayer *layers, uint32_t n_layers,
                           uint32_t capacity, QcPlacing *p);

void qc_block_sample_draw(QcBlockSample *sample, uint64_t seed);

/* Index of the first sampled block from `from` on; n_blocks if there is none. */
static inline uint32_t qc_block_sample_next(const QcBlockSample *sample, uint32_t from)
{
    while (from < sample->n_blocks && sample->blocks[from].start == QC_NOT_SAMPLED) from++;
    return from;
}

#endif
