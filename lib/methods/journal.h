/* journal.h - what a calibration session has to say: a line for each batch, as TSV or JSON, and the means at the end. */
#ifndef QC_METHODS_JOURNAL_H
#define QC_METHODS_JOURNAL_H

#include <stdio.h>

#include "session.h"

enum { QC_JOURNAL_TESTS = 16 };

/* The caller sets the first three; the rest are sums over batches, zero at first. */
typedef struct QcJournal {
    FILE *to;
    int json, n_tests; /* n_tests <= QC_JOURNAL_TESTS */
    double n, before, after, ms;
    QcTestFigures tests[QC_JOURNAL_TESTS];
    uint64_t flips, forwards, backwards, operations, set;
    QcTransfer transfer; /* where there are several streams, and a test set for each */
} QcJournal;

/* Whether there will be a matrix R of several streams; then qc_journal_begin is to be called with the tests' figures before the first batch. */
int qc_journal_has_matrix(const QcJournal *j, const QcSession *s);
void qc_journal_begin(QcJournal *j, const QcSession *s, const QcTestFigures *tests);
/* tests [n_tests] after the batch; ms of the method. */
void qc_journal_batch(QcJournal *j, const QcSession *s, const QcMethodReport *r, const QcTestFigures *tests, double ms);
void qc_journal_end(const QcJournal *j, const QcSession *s);

#endif
