/* flip.h - the bit-flip network: from forward passes alone, which integer weights to step by -1, 0 or +1
 * (qc-method(7)).
 *
 * Three parts. (1) The error signal: e = (softmax - onehot) of each example reaches a layer through a fixed feedback
 * matrix, masked by where the layer's ReLU is on; for layers whose output goes straight to the global average before
 * the classifier it is exact. (2) The Hebbian statistic h of a weight: error signal times input, summed in integers per
 * example, in float over the set. Its sign gives the direction, its mean and spread over the examples are evidence. (3)
 * A small network with int8 weights turns 14 features of a weight into the probability that the oracle would step it
 * that way. Freestanding, no allocation; float arithmetic in a fixed order.
 */
#ifndef QC_DEVICE_FLIP_H
#define QC_DEVICE_FLIP_H

#include "qgraph.h"

enum {
    QC_FLIP_FEATURES = 14,
    QC_FLIP_HIDDEN = 16,
    QC_FLIP_MAX_LAYERS = 512,
    QC_NO_GATE = 0xffff
};

/* A layer with weights that can be flipped; derived from the graph (qc_flip_describe). */
typedef struct QcFlipLayer {
    uint16_t node;       /* a CONV or LOGITS node */
    uint16_t gate;       /* exact layers under a residual sum: tensor y, masks where y > 0; else QC_NO_GATE */
    uint16_t gate_node;  /* the node that makes the gate: the statistic is taken once it has run */
    uint8_t exact;       /* error signal through the classifier's own codes instead of a feedback matrix */
    uint8_t masked;      /* own ReLU */
    uint32_t feedback;   /* offset of its [channels][classes] feedback; unused for exact layers and LOGITS */
} QcFlipLayer;

typedef struct QcFlip {
    uint32_t n_layers, n_feedback;   /* no layers: nothing is flipped */
    const QcFlipLayer *layers;       /* [n_layers], in node order */
    const int8_t *feedback;          /* [n_feedback] in units of feedback_scale of the layer */
    const float *feedback_scale;     /* [n_layers] */
    float mean[QC_FLIP_FEATURES], inverse[QC_FLIP_FEATURES]; /* standardisation: (f - mean) * inverse */
    int8_t w1[QC_FLIP_HIDDEN][QC_FLIP_FEATURES], w2[QC_FLIP_HIDDEN][QC_FLIP_HIDDEN], w3[3][QC_FLIP_HIDDEN];
    float s1[QC_FLIP_HIDDEN], s2[QC_FLIP_HIDDEN], s3[3]; /* scale of each row of weights */
    float b1[QC_FLIP_HIDDEN], b2[QC_FLIP_HIDDEN], b3[3];
} QcFlip;

/* Fills layers [QC_FLIP_MAX_LAYERS] and returns how many; *n_feedback is what the feedback of all needs; 0 if there
 * are too many. */
uint32_t qc_flip_describe(const QcQGraph *g, QcFlipLayer *layers, uint32_t *n_feedback);

/* For the memory planner: the node until which tensor t must stay, so that gated layers still find their input and mask
 * (0 = no need). */
uint32_t qc_flip_keep_until(const QcQGraph *g, const QcFlipLayer *layers, uint32_t n_layers, uint32_t t);

/* The statistic of some output channels of a layer, one after another, over a set of examples. */
typedef struct QcFlipStats {
    const float *sum;     /* [codes] sum over examples of h */
    const float *squares; /* [codes] sum over examples of h^2 */
    uint32_t n;           /* examples */
} QcFlipStats;

/* What the features of a layer's weights have in common: filled by qc_flip_layer_begin from the statistic. */
typedef struct QcFlipScale {
    float rms;            /* of h over those channels of the layer */
    float rms_net;        /* of h over the network, as last known */
    float depth;          /* relative: 0 first .. 1 last */
    float *row;           /* [channels] rms of h over each one's row */
    float *column;        /* [in channels / groups] rms of h over an input column of theirs */
} QcFlipScale;

/* The 14 features of weight j of a layer, which is the i-th of the statistic (and of scale's rows); *dir = -sign(h), 0
 * if h is 0 (features are then meaningless). */
void qc_flip_features(float *f, int *dir, const QcQGraph *g, const QcFlipLayer *layer, const QcFlipStats *stats,
                      const QcFlipScale *scale, uint32_t i, uint32_t j);

/* max(P(dir) - P(-dir), 0) of the network for the features of n weights. */
void qc_flip_scores(const QcFlip *flip, const QcKernels *k, float *scores, float (*features)[QC_FLIP_FEATURES],
                    uint32_t n);

/* Row, column and layer rms from the statistic of `channels` output channels; row and column point to room for them.
 * rms_net and depth are the caller's. */
void qc_flip_measure(QcFlipScale *scale, const QcQGraph *g, const QcFlipLayer *layer, const QcFlipStats *stats,
                     uint32_t channels);

/* Scores in one byte per weight: bit 7 the direction (1 = up), bits 0-6 the level: score = 2^(-level/8); QC_FLIP_NEVER
 * = not to be stepped. */
enum { QC_FLIP_UP = 0x80, QC_FLIP_NEVER = 0x7f };
uint8_t qc_flip_byte(float score, int dir);

#endif
