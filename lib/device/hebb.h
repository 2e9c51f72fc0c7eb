/* hebb.h - the Hebbian pass: one forward pass over a set of examples, gathering the statistic of the weights in the
 * sampled blocks (blocksample.h).
 *
 * Each example's h is added to a sum and its square to another: mean and spread over the examples. An example with
 * a very small error is omitted, since it would change little. See flip.h for the formulas.
 */
#ifndef QC_DEVICE_HEBB_H
#define QC_DEVICE_HEBB_H

#include "blocksample.h"

/* An example is omitted from the statistic if its error (sum of absolute values) is below this share of the mean
 * error. */
#define QC_HEBB_NEGLECT 0.05f

/* The examples Z: coreset and batch, or any other set. */
typedef struct QcExamples {
    uint32_t n;
    const uint8_t *const *x; /* [n] pointers to input windows, u8 [height][width][channels] */
    const float *error;      /* [n][classes] weighted softmax - onehot */
} QcExamples;

typedef struct QcHebb {
    QcQRun *run;
    const QcFlip *flip;
    QcBlockSample blocks;
    float *sum, *squares; /* [blocks.capacity] */
    float *row, *column; /* [largest channels], [largest in channels] */
    int32_t *sums;      /* [QC_BLOCK_CHANNELS][part of a run] of masked_sum */
    int32_t *row_sums;  /* the same of one row of an image; NULL for series */
    uint8_t *mask;      /* [largest positions][QC_BLOCK_CHANNELS] */
    float *mean_square; /* [n_layers] of h, as last measured; 0 = never */
    float *logits;      /* [classes] */
} QcHebb;

/* mean_square, which is kept from session to session; zero at first. */
void qc_hebb_place_kept(QcHebb *hebb, const QcFlip *flip, QcPlacing *p);
/* All else. If p only counts, run needs no more than its graph. capacity: as in qc_block_sample_place. */
void qc_hebb_place(QcHebb *hebb, QcQRun *run, const QcFlip *flip, uint32_t capacity, QcPlacing *p);

/* Samples blocks, gathers the statistic of each, and hands it out, first to last: stats and scale are the block's own,
 * valid during the call. Returns how many examples went through the network (its last nodes are left out if no layer
 * needs them). */
typedef void (*QcHebbVisit)(void *ctx, const QcBlock *block, const QcFlipStats *stats, const QcFlipScale *scale);
uint32_t qc_hebb_gather(QcHebb *hebb, const QcExamples *z, uint64_t seed, QcHebbVisit visit, void *ctx);

#endif
