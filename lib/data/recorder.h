/* recorder.h - samples one after another, with what is known of each, on their way into a list of series.
 *
 * A series ends where the group or the recording changes, where time goes back or leaps, and, unless the label rule
 * looks at the labels of a window, where the label changes: no window crosses any of these.
 */
#ifndef QC_DATA_RECORDER_H
#define QC_DATA_RECORDER_H

#include "runs.h"

typedef struct QcPlace {
    int32_t label; /* -1 = none */
    uint32_t group, recording; /* indices in the list's names */
    double time; /* NaN = not known */
    uint32_t line;
    uint64_t id; /* of this sample; windows count up from the id of the first sample */
} QcPlace;

typedef struct QcRecorder {
    QcSeriesList *list;
    QcLabelRule rule;
    const char *file; /* for messages */
    double leap; /* a longer time between two samples is a gap; 0 = none is */
    QcRecording run;
    QcPlace place; /* of the first sample of the run */
    int32_t *labels; /* [steps]; malloc'd, for rules that look at them */
    uint32_t label_room;
} QcRecorder;

/* The list's channels must be known. */
void qc_recorder_init(QcRecorder *r, QcSeriesList *list, const QcImportOptions *o, const char *file, double leap);
/* Room for one more sample: [channels], to be filled before the next call. */
float *qc_recorder_sample(QcRecorder *r, const QcPlace *place, QcErr *err);
/* The series ends here, whatever comes next: a sample was left out, or the file ends. */
int qc_recorder_break(QcRecorder *r, QcErr *err);
void qc_recorder_release(QcRecorder *r);

#endif
