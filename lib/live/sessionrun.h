/* sessionrun.h - a calibration session from its first batch, or from where a kept state says, to its last. After each
 * batch, test data is evaluated and files are written. Figures go to a callback.
 */
#ifndef QC_LIVE_SESSIONRUN_H
#define QC_LIVE_SESSIONRUN_H

#include "session.h"

enum { QC_SESSION_TESTS = 16 };

typedef enum QcSessionEvent {
    QC_SESSION_ANEW,    /* the state's file has no whole state: the session starts anew */
    QC_SESSION_DAMAGED, /* one of the two states in the file is damaged: the session goes on from the other one */
    QC_SESSION_OTHER,   /* the state has learned batches of another stream, or of another cut of this one */
    QC_SESSION_RESUMED, /* the session goes on after batch s->at */
    QC_SESSION_BEGIN,   /* tests: before the first batch; only where there are several streams and a test set for
                           each */
    QC_SESSION_NEXT,    /* batch s->at + 1 is about to be learned */
    QC_SESSION_BATCH,   /* batch, tests and ms are of batch s->at, whose files are written */
    QC_SESSION_END
} QcSessionEvent;

typedef struct QcSessionReport {
    QcSessionEvent event;
    const QcSession *session;
    const QcMethodReport *batch;
    const QcTestFigures *tests; /* [n_tests] */
    double ms;                  /* of the method alone */
    double source_before, source_now; /* source accuracy at the start and now, the first time it has fallen by more
                                         than 5 points; NaN else (sourcewatch.h) */
} QcSessionReport;

typedef struct QcSessionRun {
    const char *output;    /* the model; NULL: it is not written; standard output: once, at the end */
    const char *coreset;   /* NULL: it is not written */
    const char *state;     /* NULL: none is kept */
    const QcInputs *tests; /* [n_tests] borrowed */
    int n_tests;           /* <= QC_SESSION_TESTS */
    void (*report)(void *ctx, const QcSessionReport *report);
    void *ctx;
} QcSessionRun;

int qc_session_run(QcSession *s, const QcSessionRun *run, QcErr *err);

/* 1: there are several streams and a test set for each, which makes a matrix R (transfer.h). */
int qc_session_has_matrix(const QcSession *s, int n_tests);

#endif
