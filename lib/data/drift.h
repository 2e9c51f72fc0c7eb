/* drift.h - synthetic subjects: source data under drifts, so that a model and its flip network can be trained for
 * drift before any real drift is known.
 *
 * A drift is drawn once and stays fixed, like a subject or a machine. It works on normalized windows
 * [height][length][channels]. The kinds are a list: inertial recordings are rotated, scaled, shifted and warped in
 * time; other series are changed likewise, but not rotated; log-mel bands become louder or quieter, as under another
 * voice and microphone, and are warped in time; images change in light, contrast, sharpness, place and noise.
 */
#ifndef QC_DATA_DRIFT_H
#define QC_DATA_DRIFT_H

#include "../base/rng.h"
#include "../format/modelfile.h"

typedef enum QcDriftKind {
    QC_DRIFT_INERTIAL,
    QC_DRIFT_SERIES,
    QC_DRIFT_IMAGE,
    QC_DRIFT_BANDS, /* channels are log-mel bands, dB */
    QC_DRIFT_COUNT
} QcDriftKind;
extern const char *const qc_drifts_names[QC_DRIFT_COUNT]; /* "inertial", "series", "image", "bands" */

/* Image for height > 1; bands for log-mel bands of a front-end; inertial for other series whose channels come in
 * threes, each like the axes of one sensor by its means and deviations; else series. */
QcDriftKind qc_drifts_guess(const QcModelFile *m);
/* Whether windows of m can be under this kind: inertial needs triples of channels, image alone needs height > 1. */
int qc_drifts_fits(QcDriftKind kind, const QcModelFile *m);
/* The kind of this name, as an option --drift has it, if it fits the windows. "auto" guesses. */
int qc_drifts_choose(QcDriftKind *kind, const char *name, const QcModelFile *m, QcErr *err);

typedef struct QcDrift {
    QcDriftKind kind;
    uint32_t channels, height, length;
    const QcNorm *norm;         /* borrowed: rotation happens in the sensors' own units */
    float *gain, *offset;       /* [channels]; offset of bands in dB */
    float (*rotation)[9];       /* [channels / 3] */
    float warp;                 /* time runs this many times as fast */
    float noise;                /* image: deviation of pixel noise */
    int blur, shift_h, shift_w; /* image */
} QcDrift;

/* norm of m is borrowed. */
int qc_drifts_init(QcDrift *d, QcDriftKind kind, const QcModelFile *m, QcArena *arena, QcErr *err);
/* Draws a drift. strength 1: rotation by exp([u]x), u ~ N(0, .5^2 I); gain 1 + .3 N; offset .3 N source deviations;
 * warp 1 + .15 N, from .5 to 2. Bands: level 10 N dB, slope 10 N dB times a place from -1 to 1, 5 N dB per band
 * (qc-bitflip-train(1)). */
void qc_drifts_draw(QcDrift *d, double strength, QcRng *rng);
/* out and x: one window; they may not overlap. rng: noise of this window. */
void qc_drifts_apply(const QcDrift *d, float *out, const float *x, QcRng *rng);

#endif
