/* simulate.h - people who do not exist, made of the recordings of those who do: the drifts that the flip network is
 * taught with, as a dataset.
 *
 * What a setting is worth on people to come can be tried on them, and none of the people that count is used up. A
 * person of a seed and number is always the same.
 */
#ifndef QC_BITFLIP_SIMULATE_H
#define QC_BITFLIP_SIMULATE_H

#include "../data/dataset.h"
#include "drift.h"

typedef struct QcSimulateOptions {
    uint32_t people;
    double strength; /* 0: they are like the source; 1: as the teacher's (drift.h) */
    uint64_t seed;
} QcSimulateOptions;

/* Every window of the source under the drift of x1, then of x2 ...: groups of their own, recordings x1/NAME of their
 * own, new ids from 2^63 on. The kind of drift goes by the shape. */
int qc_simulate(QcDataset *out, const QcDataset *source, const QcSimulateOptions *o, QcErr *err);

#endif
