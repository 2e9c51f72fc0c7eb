/* series.h - recordings of any length on their way into a dataset: gathered one after another, then made equal, or cut into windows.
 *
 * A value that is missing is NaN here, and only where the options allow it; in a dataset there is none. The list owns everything; names are united as
 * they come.
 */
#ifndef QC_DATA_SERIES_H
#define QC_DATA_SERIES_H

#include "import.h"
#include "lines.h"

typedef struct QcSeries {
    float *x;          /* [channels][length] */
    uint32_t length;
    int32_t label;     /* -1 = none */
    uint32_t group, recording;
    uint64_t id;       /* of the series, or of its first window */
    uint32_t line;     /* where it began in the file; 0 = not known */
    const char *file;  /* for messages; borrowed until the list is released */
} QcSeries;

typedef struct QcSeriesList {
    QcArena arena;
    QcSeries *items; /* [n]; owned */
    uint32_t n, room, channels;
    QcNames labels, groups, recordings;
} QcSeriesList; /* all zero but channels = empty and valid */

/* A new series at the end, its values zero; borrowed until the next is added. */
QcSeries *qc_series_add(QcSeriesList *list, uint32_t length, QcErr *err);
void qc_series_release(QcSeriesList *list);

/* A value out of text; one that is missing ("", "?", "NaN") becomes NaN where `may_miss`. 0, or -1 and what is wrong with it. */
int qc_series_value(float *value, QcField field, int may_miss, const char **wrong);
/* Whether the options let a table have holes: at the ends of its rows, or anywhere. */
int qc_series_may_miss(const QcImportOptions *o);
/* Adds row[channels][length]. Where lengths may differ, steps at the end that all channels lack are no part of it. What is missing before them is an error
 * unless the options allow it: -1 then names the place. */
QcSeries *qc_series_add_row(QcSeriesList *list, const float *row, uint32_t length, const QcImportOptions *o, const QcLines *l, QcErr *err);

/* An example for each series, all of o->length steps, or of the longest series'. Options say what becomes of shorter ones and of missing values. */
int qc_series_whole(QcDataset *d, QcSeriesList *list, const QcImportOptions *o, QcErr *err);

/* "200" or "2s" (seconds need the rate, in samples a second; 0 = not known). NULL gives `standard`. */
int qc_span_read(uint32_t *samples, const char *text, const char *option, double rate, uint32_t standard, QcErr *err);

/* Windows of `window` steps, one every `stride`, within each series; what is left at its end is dropped. Window k of a series has the id s->id + k, so ids
 * of series must lie far enough apart. */
int qc_series_cut(QcDataset *d, QcSeriesList *list, uint32_t window, uint32_t stride, const QcImportOptions *o, QcErr *err);

/* A step of linear interpolation: out[n] from x[length], both ends kept (one value alone is repeated). */
void qc_series_resample(float *out, uint32_t n, const float *x, uint32_t length);

#endif
