/* choose.h - chooses the device's coreset from source data: `size` examples, some in slots that a stream never
 * takes.
 *
 * The result is a dataset of its own with capacity, misses and flags; examples stay in order of recording.
 */
#ifndef QC_CORESET_CHOOSE_H
#define QC_CORESET_CHOOSE_H

#include "misslog.h"
#include "sample.h"

typedef struct QcChooseOptions {
    uint32_t size;    /* examples chosen = capacity */
    double reserve;   /* share of the slots that is reserved, 0..1 */
    QcSampleRule rule;
    uint64_t seed;
    int partial;      /* take data in which a class has no example */
} QcChooseOptions;

extern const QcChooseOptions qc_choose_defaults; /* 30, 2/3, PMF, seed 1 */

/* log NULL: nothing is known of the misses; rules that need them are refused (QC_EUSAGE), and the PMF has one level.
 * Otherwise data and log must have the same ids (QC_EFORMAT). Reserved slots are as even over the classes as the chosen
 * examples allow. */
int qc_choose(QcDataset *coreset, const QcDataset *data, const QcMissLog *log, const QcChooseOptions *o, QcErr *err);

/* How the set represents the data: a row per class, then a row per level of misses ("never right" last). */
typedef struct QcChooseRow {
    const char *kind; /* "class", "misses" */
    const char *name; /* borrowed from the data or the report */
    uint32_t whole, set, reserved;
} QcChooseRow;

typedef struct QcChooseReport {
    QcArena arena;
    uint32_t n;
    QcChooseRow *rows; /* [n] */
} QcChooseReport;

/* log may be NULL: then there are no rows of misses. */
int qc_choose_report(QcChooseReport *report, const QcDataset *coreset, const QcDataset *data, const QcMissLog *log,
                     QcErr *err);
void qc_choose_report_release(QcChooseReport *report);

#endif
