/* runs.h - a recording that is read step by step until something ends it: another activity, another person, a gap in
 * time. */
#ifndef QC_DATA_RUNS_H
#define QC_DATA_RUNS_H

#include "series.h"

typedef struct QcRecording {
    float *x;       /* [steps][channels], NaN = missing; malloc'd */
    uint64_t room;  /* in values */
    uint32_t steps, channels;
    int32_t label;
    uint32_t group, line; /* of the first step */
    uint64_t id;
    double time;    /* of the last step */
} QcRecording; /* all zero but channels = empty and valid */

/* Room for one more step: [channels], to be filled before the next call. */
float *qc_recording_step(QcRecording *run, QcErr *err);
/* Turns the steps, of which there must be some, into a series without a name; afterwards the run is empty. */
QcSeries *qc_recording_close(QcRecording *run, QcSeriesList *list, QcErr *err);
/* Turns the steps into a series of this recording; afterwards the run is empty. One without steps adds nothing. */
int qc_recording_end(QcRecording *run, QcSeriesList *list, const char *recording, const char *file, QcErr *err);
void qc_recording_release(QcRecording *run);

#endif
