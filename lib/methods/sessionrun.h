/* sessionrun.h - a calibration session from its first batch, or from where a kept state says, to its last: files are written, test data is looked at and the journal is told after each. */
#ifndef QC_METHODS_SESSIONRUN_H
#define QC_METHODS_SESSIONRUN_H

#include "journal.h"

typedef struct QcSessionRun {
    const char *output;    /* the model; NULL: it is not written; standard output: once, at the end, and the journal goes to standard error */
    const char *coreset;   /* NULL: it is not written */
    const char *state;     /* NULL: none is kept */
    const QcInputs *tests; /* [n_tests] borrowed */
    int n_tests, json;     /* n_tests <= QC_JOURNAL_TESTS */
} QcSessionRun;

int qc_session_run(QcSession *s, const QcSessionRun *run, QcErr *err);

#endif
