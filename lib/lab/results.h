/* results.h - the results of the runs of an experiment: figures of each run, and their mean over repetitions with a 95
 * % interval.
 *
 * A run is what `qc-calibrate --json` printed: an object per batch and a summary. Its first test sets (-t) are the
 * targets' in the order of the streams, the next one is the source's. The target of a batch is the person whose stream
 * it is of.
 */
#ifndef QC_LAB_RESULTS_H
#define QC_LAB_RESULTS_H

#include "experiment.h"

typedef enum QcFigure {
    QC_FIGURE_BEFORE, /* test-then-train: mean over batches of the accuracy on each before it is used */
    QC_FIGURE_TARGET, /* mean over batches of the target's accuracy after each */
    QC_FIGURE_LAST,   /* the target's after the last batch */
    QC_FIGURE_SOURCE, /* the source's after the last batch */
    QC_FIGURE_FLIPS,
    QC_FIGURE_MS,
    QC_FIGURE_FORWARDS,
    QC_FIGURE_BACKWARDS,
    QC_FIGURE_PASSES,
    QC_FIGURE_OPERATIONS, /* means per batch */
    QC_FIGURE_MODEL_BYTES,
    QC_FIGURE_WORKING_BYTES,
    QC_FIGURE_BYTES, /* of both together: all that the method needs beside the batch */
    QC_FIGURE_ACC,
    QC_FIGURE_BWT,
    QC_FIGURE_FWT,
    QC_FIGURE_FORGETTING, /* of several streams (transfer.h) */
    QC_FIGURE_ECE,        /* expected calibration error on the target, mean over batches */
    QC_FIGURE_COUNT
} QcFigure;

const char *qc_figure_name(QcFigure f);
/* What it is, for the axis of a picture. */
const char *qc_figure_words(QcFigure f);
/* 1: at most 1 (an accuracy, a difference of accuracies, a calibration error). */
int qc_figure_is_share(QcFigure f);
/* QC_FIGURE_COUNT if there is none of that name. */
QcFigure qc_figure_find(const char *name, size_t length);

/* 1: tables have a column of this name besides the axes. */
int qc_is_column(const char *name);

/* 1 if x is a possible value of the figure (NaN: not given). Other programs write results, too. */
int qc_figure_can_be(QcFigure f, double x);

typedef struct QcRunResult {
    double figure[QC_FIGURE_COUNT]; /* NaN: not given */
    uint32_t n_batches;
    double *target; /* [n_batches] the target's accuracy after each batch; from the arena */
    uint32_t combination; /* of the experiment; qc_results_load says it */
} QcRunResult;

int qc_result_load(QcRunResult *r, QcArena *arena, const char *path, QcErr *err);

/* A row of a table: the runs that have these values of the axes that make rows. */
typedef struct QcRow {
    uint32_t combination; /* the first of its runs */
    uint32_t n;           /* runs */
    const QcRunResult **runs;
} QcRow;

typedef struct QcResults {
    QcArena arena;
    QcRunResult *runs;
    QcRow *rows;
    uint32_t n_rows, n_runs, missing; /* missing: not done yet */
} QcResults;

typedef struct QcRunTable QcRunTable; /* runtable.h */

/* by [n_axes]: 1 for the axes that make rows; the others are what a row's mean is over. A run is taken from the folder
 * of results, where it is not done there from `known`, which may be NULL and must outlive r. */
int qc_results_load(QcResults *r, const QcExperiment *e, const uint8_t *by, const QcRunTable *known, QcErr *err);
void qc_results_release(QcResults *r);

/* Mean, and half the 95 % confidence interval of it (Student's t; NaN for a single run). */
void qc_results_figure(double *mean, double *half, const QcRow *row, QcFigure f);
/* The same of the target accuracy after batch b (from 0), over the runs that have this batch; NaN: none has. */
void qc_results_target(double *mean, double *half, const QcRow *row, uint32_t b);

#endif
