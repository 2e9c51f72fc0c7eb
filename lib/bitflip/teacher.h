/* teacher.h - lessons for the flip network: what back-propagation does to each integer weight, beside what forward
 * passes show of it (qc-method(7)).
 *
 * For each simulated person: features of all weights on a set of shifted and unshifted source examples, then
 * straight-through back-propagation on the same set; a weight's target is whether it moved with the Hebbian direction,
 * against it, or (unless among those that moved most) not.
 */
#ifndef QC_BITFLIP_TEACHER_H
#define QC_BITFLIP_TEACHER_H

#include "../device/flip.h"
#include "../quant/windows.h"
#include "drift.h"

enum { QC_TARGET_AGAINST = 0, QC_TARGET_STAY = 1, QC_TARGET_WITH = 2 };

typedef struct QcLesson {
    float features[QC_FLIP_FEATURES];
    uint8_t target; /* QC_TARGET_* */
} QcLesson;

typedef struct QcLessons {
    QcLesson *rows; /* malloc'd */
    size_t n, room;
} QcLessons;

void qc_lessons_release(QcLessons *l);

typedef struct QcTeacherOptions {
    QcDriftKind kind;
    double strength;
    uint32_t snapshots;            /* a person */
    uint32_t shifted, unshifted;   /* examples of a set */
    uint32_t steps, batch;         /* of back-propagation */
    double moved;                  /* share of the weights that count as moved */
    uint32_t rows_a_layer;         /* at most, a snapshot */
    int threads;
    uint64_t seed;
} QcTeacherOptions;

extern const QcTeacherOptions qc_teacher_defaults;

typedef struct QcTeacher {
    QcQGraph *g;          /* its codes are changed while teaching and put back */
    const QcFlip *flip;   /* layers and feedback; the network is not used */
    const QcWindows *source;
    const QcModelFile *m; /* normalisation and shape */
    const QcTeacherOptions *o;
} QcTeacher;

/* Appends the lessons of simulated person `person` (its number is its seed). */
int qc_teach(const QcTeacher *t, QcLessons *lessons, uint64_t person, QcErr *err);

/* Fits the feedback of all layers that are not exact on simulated persons: ridge regression of the mean true error
 * signal where a layer's mask is on, on softmax - onehot; lambda = 1e-3 of the mean trace. */
int qc_fit_feedback(const QcTeacher *t, int8_t *feedback, float *feedback_scale, uint32_t persons, QcErr *err);

/* A set: `shifted` source examples under the drift and `unshifted` as they are. out is the caller's to release. */
int qc_teacher_set(const QcTeacher *t, QcWindows *out, const QcDrift *drift, QcRng *rng, QcErr *err);

#endif
