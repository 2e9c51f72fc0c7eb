/* hebb.h - the Hebbian pass: forward over a set of examples, gathering the statistic of every weight layer by layer.
 *
 * Each example's h is added to a sum and its square to another: mean and spread over the examples. (method.md has three groups of examples; a spread over
 * all of them tells the weights that will move far better.) The statistic of as many layers as fit the chunk is gathered in one forward pass over the set, and further
 * passes take the next layers: memory is bought with passes. An example whose error is next to nothing is left out: it would change next to nothing. See flip.h for the
 * formulas.
 */
#ifndef QC_DEVICE_HEBB_H
#define QC_DEVICE_HEBB_H

#include "flip.h"

/* An example is left out of the statistic if its error (sum of absolute values) is smaller than this share of the mean one. */
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
    uint32_t chunk;     /* codes whose statistic is held at once */
    float *sum, *squares; /* [chunk] */
    float *row, *column; /* [largest channels], [largest in channels] */
    float *coefficient; /* [largest channels] */
    int32_t *open;      /* [largest channels] outputs whose mask is on */
    int32_t *sums;      /* [largest channels x run] of masked_sum */
    int32_t *row_sums;  /* the same of one row of an image; NULL for series */
    uint8_t *mask;      /* [largest positions x channels] */
    float *mean_square; /* [n_layers] of h, as last measured; all 0 = never */
    float *logits;      /* [classes] */
} QcHebb;

/* chunk: codes whose statistic is held at once; raised to the largest layer's; 0: three quarters of the net's. */
uint64_t qc_hebb_bytes(const QcQGraph *g, const QcFlipLayer *layers, uint32_t n_layers, uint32_t chunk);
void qc_hebb_place(QcHebb *hebb, QcQRun *run, const QcFlip *flip, uint32_t chunk, void *memory);
void qc_hebb_lay_out(QcHebb *hebb, QcQRun *run, const QcFlip *flip, uint32_t chunk, QcPlacing *p); /* in memory that is placed with other things */

/* Gathers and hands out the statistic of each layer, first to last; stats and scale are valid during the call. Returns how many examples
 * went through the network (its last nodes are left out where no layer needs them). */
typedef void (*QcHebbSee)(void *ctx, uint32_t layer, const QcFlipStats *stats, const QcFlipScale *scale);
uint32_t qc_hebb_gather(QcHebb *hebb, const QcExamples *z, QcHebbSee see, void *ctx);

#endif
