/* oracle.h - training samples for the flip network: the oracle is back-propagation. A sample has the features of an
 * integer weight, which forward passes give, and what back-propagation does to the weight (qc-method(7)).
 *
 * For each synthetic subject: features of all weights on a set of shifted and unshifted source examples, then
 * straight-through back-propagation on the same set; a weight's target is whether it moved with the Hebbian direction,
 * against it, or (unless among those that moved most) not.
 */
#ifndef QC_BITFLIP_ORACLE_H
#define QC_BITFLIP_ORACLE_H

#include "../device/flip.h"
#include "../quant/windows.h"
#include "../data/drift.h"

enum { QC_TARGET_AGAINST = 0, QC_TARGET_STAY = 1, QC_TARGET_WITH = 2 };

typedef struct QcOracleSample {
    float features[QC_FLIP_FEATURES];
    uint8_t target; /* QC_TARGET_* */
} QcOracleSample;

typedef struct QcOracleSamples {
    QcOracleSample *rows; /* [n], malloc'd */
    size_t n, room;
} QcOracleSamples;

void qc_oraclesamples_release(QcOracleSamples *l);

typedef struct QcOracleOptions {
    QcDriftKind kind;
    double strength;
    uint32_t snapshots;            /* per subject */
    uint32_t shifted, unshifted;   /* examples of a set */
    uint32_t steps, batch;         /* of back-propagation */
    double moved;                  /* share of the weights that count as moved */
    uint32_t rows_a_layer;         /* at most, per snapshot */
    int threads;
    uint64_t seed;
} QcOracleOptions;

extern const QcOracleOptions qc_oracle_defaults;

typedef struct QcOracle {
    QcQGraph *g;          /* its codes are changed meanwhile and put back */
    const QcFlip *flip;   /* layers and feedback; the network is not used */
    const QcWindows *source;
    const QcModelFile *m; /* normalization and shape */
    const QcOracleOptions *o;
} QcOracle;

/* Appends the samples of the synthetic subject of this number, which is the subject's seed. */
int qc_oracle_sample(const QcOracle *t, QcOracleSamples *samples, uint64_t subject, QcErr *err);

/* Fits the feedback of all layers that are not exact on synthetic subjects: ridge regression of the mean true error
 * signal where a layer's mask is on, on softmax - onehot; lambda = 1e-3 of the mean trace. */
int qc_fit_feedback(const QcOracle *t, int8_t *feedback, float *feedback_scale, uint32_t subjects, QcErr *err);

/* A set: `shifted` source examples under the drift and `unshifted` as they are. out is the caller's to release. */
int qc_oracle_set(const QcOracle *t, QcWindows *out, const QcDrift *drift, QcRng *rng, QcErr *err);

#endif
