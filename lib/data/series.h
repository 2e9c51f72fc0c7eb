/* series.h - recordings of any length on their way into a dataset: gathered one after another, then made equal, or cut
 * into windows.
 *
 * A value that is missing is NaN here, and only where the options allow it; in a dataset there is none. The list owns
 * everything; names are united as they come.
 */
#ifndef QC_DATA_SERIES_H
#define QC_DATA_SERIES_H

#include "import.h"
#include "lines.h"

typedef struct QcSeries {
    float *x; /* [channels][length]; by_step: [length][channels] */
    int by_step; /* 1: x has all channels of a step side by side */
    int32_t *labels; /* [length] of each step, for --label-rule; NULL = all steps have `label` */
    uint32_t length;
    int32_t label; /* -1 = none */
    uint32_t group, recording;
    uint64_t id; /* of the series, or of its first window */
    uint32_t line; /* where it began in the file; 0 = not known */
    const char *file; /* for messages; in the list's arena, or borrowed until the list is released */
} QcSeries;

typedef struct QcSeriesList {
    QcArena arena;
    QcSeries *items; /* [n]; owned */
    uint32_t n, room, channels;
    QcNames labels, groups, recordings;
    double rate; /* samples per second; 0 = not known */
    uint32_t gaps, falls; /* leaps in time and times that go back, which end a series */
    uint64_t columns; /* digest of the names of a table's values; 0 = none */
    int keeps_order; /* labels are in the order of a header, and stay so */
    float *turned; /* room for one row of channels-last values, of turned_room values */
    uint64_t turned_room;
    int indices_from; /* libsvm: whether the files so far count from 0 or from 1; 0 = not known */
    double step; /* .ts: of time in the first series; 0 = not known */
    uint32_t other_steps; /* .ts: series with another step */
    char **leads; /* [channels] wfdb: names of the first record's leads; in the arena */
    char *first_other_leads; /* wfdb: the first record of other leads, and which they are */
    uint32_t other_leads, outside; /* wfdb: records of other leads; beats whose windows leave the record */
    int one_window; /* each series is one window already: --window would be wrong */
} QcSeriesList; /* all zero but channels = empty and valid */

/* A new series at the end, its values zero; borrowed until the next is added. */
QcSeries *qc_series_add(QcSeriesList *list, uint32_t length, QcErr *err);
void qc_series_release(QcSeriesList *list);
/* The first file says how many channels there are; -1 if another says otherwise. */
int qc_series_channels(QcSeriesList *list, uint32_t channels, const char *file, QcErr *err);

/* A value out of text; one that is missing (qc_number_is_missing) becomes NaN if `may_miss`. 0, or -1 and what is
 * wrong with it. */
int qc_series_value(float *value, QcField field, int may_miss, const char **wrong);
/* Whether the options let a table have holes: at the ends of its rows, or anywhere. */
int qc_series_may_miss(const QcImportOptions *o);
/* Adds row[channels][length] (or [length][channels] where o->channels_last). Where lengths may differ, steps at the end
 * that all channels lack are no part of it. What is missing before them is an error unless the options allow it: -1
 * then names the place. */
QcSeries *qc_series_add_row(QcSeriesList *list, const float *row, uint32_t length, const QcImportOptions *o,
                            const QcLines *l, QcErr *err);

/* An example for each series, all of o->length steps, or of the longest series'. Options say what becomes of shorter
 * ones and of missing values. This function and qc_series_cut return the memory of copied values to the system:
 * afterwards the values of the list are lost. */
int qc_series_whole(QcDataset *d, QcSeriesList *list, const QcImportOptions *o, QcErr *err);

/* Windows of `window` steps, one every `stride`, within each series; what is left at its end is dropped. Where series
 * have labels of their steps, o->label_rule gives the window's. Window k of a series has the id s->id + k, so ids of
 * series must lie far enough apart. */
int qc_series_cut(QcDataset *d, QcSeriesList *list, uint32_t window, uint32_t stride, const QcImportOptions *o,
                  QcErr *err);

/* Copies channel c of `channels` of a series to out[s->length]. */
void qc_series_channel(float *out, const QcSeries *s, uint32_t channels, uint32_t c);

/* A step of linear interpolation: out[n] from x[length], both ends kept (one value alone is repeated). */
void qc_series_resample(float *out, uint32_t n, const float *x, uint32_t length);

#endif
