/* augment.h - augmentation: half of the windows that training sees are under a synthetic drift (drift.h). They are
 * drawn at random, and each has a drift of its own.
 */
#ifndef QC_DATA_AUGMENT_H
#define QC_DATA_AUGMENT_H

#include "drift.h"

#define QC_AUGMENT_MOST 10

typedef struct QcAugment {
    double strength; /* > 0, at most QC_AUGMENT_MOST */
    QcDrift drift;
    float *plain; /* [height][length][channels] */
} QcAugment;

/* The norm of m is borrowed. */
int qc_augment_init(QcAugment *a, double strength, QcDriftKind kind, const QcModelFile *m, QcArena *arena, QcErr *err);
/* How a float model was trained, as the optional section "augment" of its file. */
int qc_augment_encode(QcModelFile *m, const QcAugment *a, QcErr *err);
/* 1; 0 if the file has no such section. kind: one of qc_drifts_names. -1: the section makes no sense. */
int qc_augment_decode(double *strength, const char **kind, const QcModelFile *m, QcErr *err);
/* x [height][length][channels]: a normalized window, which is replaced or left as it is. */
void qc_augment_window(QcAugment *a, float *x, QcRng *rng);

#endif
