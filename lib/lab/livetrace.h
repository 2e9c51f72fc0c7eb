/* livetrace.h - a log of qc-run, read again: what a live session did, window by window and adapt by adapt.
 *
 * Both forms of the log are read. TSV has a heading at each start of a process, and a row per window. JSON has an
 * object per start, window, late label and adapt. If standard error went to the same file (2>&1), adapts, late labels
 * and the threshold are read from its lines, which begin with "qc-run: "; other messages are skipped. A last line
 * without an end is not read: a process is writing it, or was killed. If another process went on behind such a line, it
 * is read from the heading or start object of that process on.
 */
#ifndef QC_LAB_LIVETRACE_H
#define QC_LAB_LIVETRACE_H

#include <stdint.h>

#include "../base/nametable.h"

typedef struct QcTraceWindow {
    uint64_t number;     /* as in the log; of -d the example's id */
    const char *time;    /* as in the log; empty: none */
    uint32_t class_index; /* of QcLiveTrace.classes */
    int32_t label;       /* likewise; -1: none */
    float confidence;    /* 0 to 1 */
    float drift;         /* NaN: the model knows none */
    int alarm;
} QcTraceWindow;

typedef enum QcTraceOutcome { QC_TRACE_STAYS, QC_TRACE_SOLVED, QC_TRACE_REFUSED } QcTraceOutcome;

typedef struct QcTraceAdapt {
    uint32_t at;                            /* windows before it, in the log */
    uint32_t number;                        /* of the learner's adapts, from 1 */
    uint32_t labels, right_before, right_after;
    uint32_t source, source_before, source_after; /* source examples kept, and how many were right */
    QcTraceOutcome outcome;
} QcTraceAdapt;

typedef struct QcLiveTrace { /* all zero = empty and valid */
    QcArena arena;
    uint32_t n, n_adapts, n_starts, n_classes;
    QcTraceWindow *windows; /* [n] in the log's order */
    QcTraceAdapt *adapts;   /* [n_adapts] */
    uint32_t *starts;       /* [n_starts] windows before each heading but the first: the process began again */
    const char **classes;   /* [n_classes] names, in the order of their first window */
    QcNameTable table;      /* of the names */
    double threshold;       /* of drift, the last one; NaN: the log does not say it */
    uint32_t n_cut;         /* lines that end where the next process begins; they were not read */
} QcLiveTrace;

/* QC_EFORMAT with file and line: a row, object or value that qc-run cannot have written; or no window at all. */
int qc_livetrace_load(QcLiveTrace *t, const char *path, QcErr *err);
void qc_livetrace_release(QcLiveTrace *t);

/* 1 if the line, which ends at `end`, begins as a heading or an object of qc-run does. */
int qc_livetrace_is_start(const char *line, const char *end);

#endif
