/* runtable.h - finished runs as one text file, which is easier to move than their folder of results: to another
 * machine, into a repository, to a reader.
 *
 * TSV. The first line names the columns: `run`, the experiment's axes, all figures of results.h, `targets`. `run` is
 * the result's name, STEP-DIGEST, so that a run can be identified whatever the table's experiment is; the axes
 * are for the reader. Numbers have nine digits, `-` is a missing number; `targets` is the target's
 * accuracy after each batch, with commas between. Lines that begin with # are comments.
 */
#ifndef QC_LAB_RUNTABLE_H
#define QC_LAB_RUNTABLE_H

#include <stdio.h>

#include "results.h"

/* The axes of one table, and where it is. */
typedef struct QcRunAxes {
    const char *file;   /* borrowed from who asked for it */
    uint32_t n;
    const char **names; /* [n] as the file has them */
} QcRunAxes;

typedef struct QcKnownRun {
    const char *name; /* STEP-DIGEST */
    QcRunResult result;
    const QcRunAxes *axes;
    const char **values; /* [axes->n] as the file has them */
    uint64_t order;      /* of all rows read */
} QcKnownRun;

struct QcRunTable { /* all zero = empty */
    QcArena arena;
    QcKnownRun *runs; /* [n] by name; of equal names one is kept, from the last file */
    uint32_t n;
    uint64_t rows; /* read so far */
};

/* Adds the runs of n files, whose paths outlive the table. Of equal runs the later file's run is kept. */
int qc_runtable_load(QcRunTable *t, const char *const *paths, int n, QcErr *err);
void qc_runtable_release(QcRunTable *t);

/* The job's run, NULL if the table has none. A result in the folder goes before it: see qc_results_load. */
const QcRunResult *qc_runtable_find(const QcRunTable *t, const QcJob *job);

/* done [n_jobs]: 1 for reported jobs that the table has, and for jobs that only done jobs need. */
void qc_runtable_mark_done(const QcRunTable *t, const QcExperiment *e, uint8_t *done);

/* A row per run, in the experiment's order. */
void qc_runtable_print(FILE *to, const QcExperiment *e, const QcResults *results);

#endif
