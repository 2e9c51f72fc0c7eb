/* trainlog.h - what qc-train shows: progress and JSON of each epoch, and one line at the end. */
#ifndef QC_CLI_TRAINLOG_H
#define QC_CLI_TRAINLOG_H

#include "../nn/train.h"

/* Begins as {0}. */
typedef struct QcTrainLog {
    int json;      /* a JSON object per epoch on standard output */
    int augmented; /* accuracy without held-out examples is on drifted windows */
    QcEpoch kept;  /* the epoch whose parameters the model has; epoch 0: none yet */
} QcTrainLog;

void qc_trainlog_show(QcTrainLog *log, const QcEpoch *epoch);

/* bytes: of the model file. */
void qc_trainlog_end(const QcTrainLog *log, uint64_t bytes, double seconds);

#endif
