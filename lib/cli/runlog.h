/* runlog.h - what a calibration session has to say: a line for each batch, as TSV or JSON, and the means at the end. */
#ifndef QC_CLI_RUNLOG_H
#define QC_CLI_RUNLOG_H

#include <stdio.h>

#include "../live/sessionrun.h"
#include "../live/transfer.h"

/* The caller sets the first three; the rest are sums over batches, zero at first. */
typedef struct QcRunLog {
    FILE *to;
    int json, n_tests; /* n_tests <= QC_SESSION_TESTS */
    double n, ms;
    double before, n_before, after, n_after; /* n_: batches with such a figure */
    QcTestFigures tests[QC_SESSION_TESTS];
    uint32_t refused; /* batches */
    uint64_t flips, forwards, backwards, operations, set;
    QcTransfer transfer; /* where there are several streams, and a test set for each */
} QcRunLog;

/* For QcSessionRun.report; ctx: the QcRunLog. */
void qc_runlog_report(void *log, const QcSessionReport *report);

#endif
