/* drift.h - synthetic subjects: source data under drifts, so that the flip network can be trained before any
 * real drift is known.
 *
 * A drift is drawn once and stays fixed, like a subject or a machine. It works on normalized windows
 * [height][length][channels]. The kinds are a list: inertial recordings are rotated, scaled, shifted and warped in
 * time; other series are changed likewise, but not rotated; images change in light, contrast, sharpness, place and
 * noise.
 */
#ifndef QC_BITFLIP_DRIFT_H
#define QC_BITFLIP_DRIFT_H

#include "../base/rng.h"
#include "../format/modelfile.h"

typedef enum QcDriftKind { QC_DRIFT_INERTIAL, QC_DRIFT_SERIES, QC_DRIFT_IMAGE, QC_DRIFT_COUNT } QcDriftKind;
extern const char *const qc_drifts_names[QC_DRIFT_COUNT]; /* "inertial", "series", "image" */

/* Inertial for series whose channels come in threes, else series or image. */
QcDriftKind qc_drifts_guess(const QcModelFile *m);

typedef struct QcDrift {
    QcDriftKind kind;
    uint32_t channels, height, length;
    const QcNorm *norm;         /* borrowed: rotation happens in the sensors' own units */
    float *gain, *offset;       /* [channels] */
    float (*rotation)[9];       /* [channels / 3] */
    float warp;                 /* time runs this many times as fast */
    float noise;                /* image: deviation of pixel noise */
    int blur, shift_h, shift_w; /* image */
} QcDrift;

/* strength 1: rotation by exp([u]x), u ~ N(0, .5^2 I); gain 1 + .3 N; offset .3 N source deviations; warp 1 + .15 N
 * (qc-method(7)). */
int qc_drifts_init(QcDrift *d, QcDriftKind kind, const QcModelFile *m, double strength, QcRng *rng, QcArena *arena,
                   QcErr *err);
/* out and x: one window; they may not overlap. rng: noise of this window. */
void qc_drifts_apply(const QcDrift *d, float *out, const float *x, QcRng *rng);

#endif
