/* fliprounds.h - rounds of bit flips on a set of examples: propose steps of some weights, accept them if the loss
 * falls, undo them if not.
 *
 * The plug-in of the learner (learner.h): a firmware that refits the last layer alone never names qc_flip_rounds, and
 * its linker leaves all of flips out. Flips need windows, float errors of every example and a copy of the codes. See
 * flip.h for the network that scores weights, hebb.h for the statistic, weightsample.h for the proposals.
 */
#ifndef QC_DEVICE_FLIPROUNDS_H
#define QC_DEVICE_FLIPROUNDS_H

#include "weightsample.h"
#include "head.h"
#include "hebb.h"

typedef enum QcFlipScore {
    QC_SCORE_NETWORK, /* by the bit-flip network */
    QC_SCORE_RANDOM,  /* any weight, direction by the sign of the statistic: the baseline of the network */
    QC_SCORE_GREEDY   /* by the statistic relative to its layer */
} QcFlipScore;

typedef struct QcFlipper {
    const QcFlip *flip;
    QcQGraph *g; /* whose codes are flipped */
    QcFlipScore score;
    int weight_bits;
    QcHebb hebb;
    QcWeightSample sample;
    const uint8_t **window; /* [Z] of the set: at most `most` examples */
    float *weight;          /* [Z] in the loss: classes balanced */
    float *offset;          /* [classes] added to the logits of the batch's examples: ln((examples of the class + 1) /
                               (examples of the most frequent class + 1)) */
    uint32_t *count;        /* [classes] */
    float *error;           /* [Z][classes] weight (softmax - onehot) under the accepted model */
    float *loss;            /* [Z] share of each example in the loss, when last computed */
    float *accepted_loss;   /* [Z] the same under the accepted model */
    uint32_t *visit;        /* [Z] order of passes, hardest first */
    uint8_t *last;          /* [Z] right at the last pass */
    uint8_t *codes_before, *last_before; /* codes of the network and of its last layer before the rounds */
    float *mean_square_before;           /* [n_layers] hebb.mean_square before the rounds */
} QcFlipper;

/* What the rounds work on and count into: the set's own arrays. */
typedef struct QcFlipTask {
    const QcSet *set;
    const QcParameters *parameters;
    float stop;       /* loss at which no more is proposed */
    uint32_t adapts;  /* of the learner so far, this one included: the more, the more evidence a proposal needs */
    uint8_t *right;   /* [set.n] in and out: right under the accepted model */
    uint8_t *ever;    /* [set.n] in and out: right at least once */
    uint16_t *misses; /* [set.n] in and out: passes at which an example was wrong that had been right */
    float *share;     /* in and out: share of the weights in the next proposal */
} QcFlipTask;

typedef struct QcFlipCounts {
    uint32_t proposals, accepted, flips; /* flips that stayed */
    uint32_t forwards, statistics;       /* window passes, the statistic's included; statistics taken of the set */
} QcFlipCounts;

/* The plug-in's functions: only code that names the table links them. */
typedef struct QcFlipRounds {
    void (*place_kept)(QcFlipper *f, const QcFlip *flip, QcPlacing *placing); /* what is kept from session to session */
    void (*place)(QcFlipper *f, QcQGraph *g, QcQRun *run, const QcFlip *flip, const QcParameters *p, uint32_t most,
                  QcPlacing *placing);
    int (*is_sound)(const QcFlipper *f); /* 0 if what was kept cannot be */
    void (*run)(QcFlipper *f, QcFlipCounts *counts, const QcFlipTask *task, QcRng *rng);
    void (*restore)(QcFlipper *f); /* codes, and what is kept from session to session, as they were before the latest
                                      run */
} QcFlipRounds;

extern const QcFlipRounds qc_flip_rounds;

#endif
