/* runaxes.h - a table of runs (runtable.h) as an experiment of its own: the columns between `run` and the figures are
 * its axes, and each run is a combination. So the table alone makes a report, without description and folder. */
#ifndef QC_LAB_RUNAXES_H
#define QC_LAB_RUNAXES_H

#include "runtable.h"

/* settings: n texts "AXIS=a,b": only runs with these values. The experiment has no folder of results, and all of
 * `table` was read for it; the table must outlive it. QC_EFORMAT: tables with different axes, two runs with the same
 * values of all axes, or words that no experiment can have; QC_EUSAGE: settings of no axis or value. */
int qc_experiment_of_runs(QcExperiment *e, const QcRunTable *table, const char *const *settings, int n, QcErr *err);

#endif
