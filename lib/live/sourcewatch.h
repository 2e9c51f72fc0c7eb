/* sourcewatch.h - does a session forget its source? Accuracy on a test set of the source, or else on the source
 * examples that the learner keeps, is held against accuracy before the first batch.
 *
 * A test set is of the source if all its groups are groups of the coreset's source examples, and none is a group of a
 * stream.
 */
#ifndef QC_LIVE_SOURCEWATCH_H
#define QC_LIVE_SOURCEWATCH_H

#include "session.h"

typedef struct QcSourceWatch {
    double start; /* NaN: not known */
    int test;     /* index of the test set; -1: kept examples */
    int is_said;
} QcSourceWatch;

/* 1: accuracy fell by more than five points. NaN: 0. */
static inline int qc_source_fell(double before, double now) { return before - now > 0.05 + 1e-9; }

/* Before the first batch, and before a kept state is taken up. tests [n_tests] */
int qc_sourcewatch_begin(QcSourceWatch *w, QcSession *s, const QcInputs *tests, int n_tests, QcErr *err);

/* 1, once, if qc_source_fell; *now: to what. figures [n_tests] */
int qc_sourcewatch_fell(QcSourceWatch *w, double *now, const QcMethodReport *report, const QcTestFigures *figures);

#endif
