/* simulate.h - synthetic subjects from the recordings of real people: the drifts that the flip network is trained
 * with, as a dataset.
 *
 * Settings can be tuned on synthetic subjects, so that the real people of a test choose nothing. The subject of a seed
 * and a number is always the same.
 */
#ifndef QC_BITFLIP_SIMULATE_H
#define QC_BITFLIP_SIMULATE_H

#include "../data/dataset.h"
#include "../data/drift.h"

typedef struct QcSimulateOptions {
    uint32_t subjects;
    double strength; /* 0: like the source; 1: like the subjects of the oracle (drift.h) */
    uint64_t seed;
} QcSimulateOptions;

/* Every window of the source under the drift of x1, then of x2 ...: groups of their own, recordings x1/NAME of their
 * own, new ids from 2^63 on. The kind of drift goes by the shape. */
int qc_simulate(QcDataset *out, const QcDataset *source, const QcSimulateOptions *o, QcErr *err);

#endif
