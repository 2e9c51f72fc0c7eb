/* livestatus.h - a live stream's state as one line on a terminal's standard error, which is drawn again as it changes:
 * windows, accuracy on the latest labelled windows, drift and its threshold, adapts, predicted classes. */
#ifndef QC_CLI_LIVESTATUS_H
#define QC_CLI_LIVESTATUS_H

#include "../live/live.h"

enum { QC_STATUS_CLASSES = 128, QC_STATUS_LABELS = 32 };

typedef struct QcLiveStatus { /* all zero: nothing has come */
    uint64_t count[QC_STATUS_CLASSES]; /* predicted windows per class; more classes are not counted */
    uint8_t right[QC_STATUS_LABELS];   /* of the latest labelled windows, in turn */
    uint64_t labelled, labelled_right; /* as last seen in the counts */
    float drift;                       /* NaN: the model knows none */
    double drawn;                      /* seconds */
} QcLiveStatus;

/* Takes a report, and draws the line if a tenth of a second has passed. */
void qc_livestatus_take(QcLiveStatus *status, const QcLiveReport *report);

#endif
