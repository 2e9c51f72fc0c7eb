/* bitflip.h - the making of a flip network: feedback fitted, lessons taught, a small network trained on them and itself
 * quantized to 8 bits. */
#ifndef QC_BITFLIP_BITFLIP_H
#define QC_BITFLIP_BITFLIP_H

#include "teacher.h"

typedef struct QcBitflipOptions {
    QcTeacherOptions teacher;
    uint32_t persons, test_persons; /* simulated: taught on; held back for the report */
    uint32_t steps, batch;          /* of the network's training */
    double rate;
    uint32_t without;               /* bit f: the network is not told feature f */
    uint64_t seed;
    int threads;
    void (*progress)(const char *what, uint32_t done, uint32_t of);
} QcBitflipOptions;

extern const QcBitflipOptions qc_bitflip_defaults;

/* On the lessons of persons that were not taught: all weights that moved and twice as many that stayed. */
typedef struct QcBitflipReport {
    size_t lessons, test_lessons;
    double base;         /* share of the test lessons in which the weight moved with the Hebbian direction */
    double network;      /* the same share among the 5 % ranked highest by the network */
    double hebb, hebb_in_layer; /* by |h|; by |h| relative to its layer's rms */
    double sign;         /* among weights that moved, share that moved with the Hebbian direction */
} QcBitflipReport;

/* m: the quantized model's file (shape, normalisation); arrays of flip from `arena`. g is unchanged afterwards. */
int qc_bitflip_train(QcFlip *flip, QcBitflipReport *report, QcQGraph *g, const QcModelFile *m, const QcWindows *source,
                     const QcBitflipOptions *o, QcArena *arena, QcErr *err);

/* Trains the network part on lessons: standardisation, 14-16-16-3, cross-entropy, Adam; then int8 rows. */
int qc_flipnet_train(QcFlip *flip, const QcLessons *lessons, const QcBitflipOptions *o, QcErr *err);

/* Adds to `without` the features that go by this name: size, evidence, code, row, column, layer, depth or kind.
 * QC_EUSAGE for another. */
int qc_flipnet_without(uint32_t *without, const char *name, QcErr *err);

/* Fills base, network, hebb and sign. */
int qc_flipnet_judge(QcBitflipReport *report, const QcFlip *flip, const QcLessons *lessons, QcErr *err);

#endif
