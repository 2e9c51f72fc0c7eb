/* livelog.h - what a live stream has to say: a line per window on standard output, flushed, as TSV or JSON; an adapt as
 * a JSON line or on stderr; words on stderr. */
#ifndef QC_CLI_LIVELOG_H
#define QC_CLI_LIVELOG_H

#include "livestatus.h"

typedef struct QcLiveLog {
    int json;
    uint32_t top; /* classes per line, >= 1, the most probable first; at most all classes are printed */
    QcLiveStatus *status; /* draws the line on standard error; NULL: none */
    int is_begun; /* the heading is printed, or the object of the start */
    uint32_t next, adapts; /* at the start */
    int is_left_out; /* 1: a line was left out, because the process ends and nobody reads */
    int error;    /* errno of the first line that could not be written; 0: none */
} QcLiveLog;

/* For QcLive.report; ctx: the QcLiveLog. Other than 0: standard output cannot be written, or a signal ends the process
 * while nobody reads it. */
int qc_livelog_report(void *log, const QcLiveReport *report);

/* After a stream that could be read: the heading, if there was no window. */
void qc_livelog_end(QcLiveLog *log, const QcLive *live);

#endif
