/* driftwatch.h - how far a stream is from what a model knows, without labels: a figure per window, and a threshold
 * above which it is an alarm; and whether a window is of a class that the model does not know.
 *
 *   d       = mean over features j of min(25, (x_j - mean_kj)^2 weight_j)
 *             k: the predicted class; its mean of the source, or as learned, whichever is nearer
 *   z       = (ln(d + 0.001) - centre_k) / spread, clamped to -3 .. 3
 *             1: one standard deviation farther than source windows
 *   figure += (z - figure) / 32
 *             exponentially weighted moving average (Roberts, 1959), part of the learner's state
 *
 *   distance = least d of all classes / farthest
 *             above 1: farther from every class than 98.5 % of the source windows, so of an unknown class
 *
 * Constants come from the training data at quantize time (lib/quant/driftfit.h). Distances by class alone are a
 * diagonal Mahalanobis distance (Lee et al., 2018).
 */
#ifndef QC_DEVICE_DRIFTWATCH_H
#define QC_DEVICE_DRIFTWATCH_H

#include "learner.h"

enum { QC_DRIFT_WINDOWS = 32 };

typedef struct QcDriftBase {
    uint32_t features, classes;
    const uint8_t *mean; /* [classes][features] rounded codes of what the last layer reads */
    const float *weight; /* [features] > 0: 1 / variance within classes */
    const float *centre; /* [classes] mean of ln(d + 0.001) over source windows */
    float spread;        /* > 0, standard deviation of ln(d + 0.001) over source windows, all classes */
    float threshold;     /* > 0, of the figure */
    float farthest;      /* >= 0: 98.5 % of the source windows have a class whose d is at most this; 0: not known */
} QcDriftBase;

/* ln(d + 0.001) by one mean [features] of the source. */
float qc_driftwatch_distance(const QcDriftBase *b, const uint8_t *mean, const uint8_t *features);

/* z of a window that was predicted as class k. learned: [features] mean of the class as the stream has shown it, less
 * the zero point; NULL: it has not. The last `spare` classes have no source. */
float qc_driftwatch_score(const QcDriftBase *b, const float *learned, uint32_t spare, const uint8_t *features,
                          int32_t zero, uint32_t k);

/* Takes a score into the figure, which starts at 0. */
static inline float qc_driftwatch_figure(float figure, float score)
{
    return figure + (score - figure) / QC_DRIFT_WINDOWS;
}

/* Takes the score of the learner's latest window into the learner's figure, and returns the figure. */
float qc_driftwatch_follow(const QcDriftBase *b, QcLearner *l);

/* The least d of all classes over b->farthest, which is known: above 1 the window is of an unknown class. learned:
 * means as the stream has shown them, or NULL. The last `spare` classes have no source. */
float qc_driftwatch_nearest(const QcDriftBase *b, const QcMoments *learned, uint32_t spare, const uint8_t *features,
                            int32_t zero);

/* The same of the learner's latest window. */
float qc_driftwatch_nearest_of_latest(const QcDriftBase *b, const QcLearner *l);

#endif
