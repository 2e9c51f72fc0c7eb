/* describetarget.h - what a model needs on a microcontroller, as keys and values: qc-info --target. */
#ifndef QC_CLI_DESCRIBETARGET_H
#define QC_CLI_DESCRIBETARGET_H

#include "../base/err.h"
#include "kvwriter.h"

/* Texts of the options; ram and flash may be NULL. slots 0: a firmware that predicts only. */
typedef struct QcTargetQuestion {
    const char *target, *ram, *flash;
    uint32_t slots, batch;
} QcTargetQuestion;

int qc_describe_target(QcKvWriter *s, const char *path, const QcTargetQuestion *q, QcErr *err);

#endif
