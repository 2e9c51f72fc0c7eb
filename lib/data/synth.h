/* synth.h - synthetic subjects whose inertial recordings differ the way real ones do.
 *
 * A sensor is three axes (channels 3s .. 3s+2): in turn an accelerometer (m/s2), a gyroscope (rad/s), a magnetometer
 * (gauss), at 25 Hz. An activity is a posture and a periodic movement of four harmonics. A person wears each sensor at
 * an angle, with its own gain and offset, and moves at a pace and in a style of its own. Each activity of a person is
 * one recording, cut into windows that follow each other; pace, vigour and posture vary along it, so that its end is
 * not a copy of its beginning.
 *
 * The same options give the same bytes on the same machine; more subjects or windows leave the earlier ones as they
 * were.
 */
#ifndef QC_DATA_SYNTH_H
#define QC_DATA_SYNTH_H

#include "dataset.h"

enum { QC_SYNTH_RATE = 25 }; /* samples per second */

typedef struct QcSynthOptions {
    uint32_t activities; /* 1 .. 999: the classes */
    uint32_t subjects;   /* 1 .. 999: the groups p1, p2, ... */
    uint32_t windows;    /* 1 .. 999999, of each activity and person */
    uint32_t channels;   /* 1 .. 999 */
    uint32_t length;     /* 1 .. 65535, time steps of a window */
    double drift;        /* 0: people differ by noise alone; 1: like real people; up to 10 */
    uint64_t seed;
    void (*progress)(void *ctx, uint64_t done, uint64_t total); /* NULL = none */
    void *ctx;
} QcSynthOptions;

extern const QcSynthOptions qc_synth_defaults;
const char *qc_synth_validate(const QcSynthOptions *o); /* NULL, or the sentence to print */

int qc_synth(QcDataset *d, const QcSynthOptions *o, QcErr *err);

#endif
