/* latelabels.h - labels that come apart from the stream: for a window by its number, or for all windows of a span of
 * numbers or of time.
 *
 *   17 walking                                             window 17
 *   20-31 walking                                          windows 20 to 31
 *   10:02:00-10:05:00 walking                              times of day, or since the stream's zero as H:MM:SS
 *   2026-05-31T10:02:00/2026-05-31T10:05:00 walking        dates
 *
 * A window is in a span of time if its first and last frame are. A label may come before its windows: it waits until
 * the stream has passed its end. The book keeps numbers and times of the latest windows, and the caller labels them.
 */
#ifndef QC_LIVE_LATELABELS_H
#define QC_LIVE_LATELABELS_H

#include "../data/lines.h"
#include "../format/modelfile.h"

enum { QC_LABELS_WAITING = 256, QC_LABELS_LINE = 512, QC_LABELS_WORDS = 300 };

typedef struct QcLateLabel {
    int is_time; /* from, to: seconds; else numbers of windows */
    double from, to; /* both inclusive */
    int is_of_day; /* they are seconds of a day, and the stream has not said which */
    uint32_t class_index;
    char text[64]; /* as it was given, for messages */
    uint32_t found; /* windows that it labelled */
} QcLateLabel;

typedef struct QcWindowTimes {
    uint32_t number;
    double from, to; /* of its first and last frame; NaN: not known */
} QcWindowTimes;

typedef struct QcLateLabels {
    QcModelFile *m;
    int takes_classes; /* 1: labels of new names take spare rows of the model */
    QcWindowTimes *window; /* [ring] the latest windows; row = number % ring */
    uint32_t ring, windows; /* windows: how many rows are filled */
    uint32_t next; /* number of the next window */
    double now; /* time of the latest frame; NaN: the stream has no times */
    int is_clock; /* 1: times are of a day, and that day is not known; the caller sets it before each window */
    QcLateLabel waiting[QC_LABELS_WAITING];
    uint32_t n;
    uint64_t unmatched; /* labels whose windows never came */
    char line[QC_LABELS_LINE]; /* a line that has not ended yet */
    size_t length;
    int is_long; /* the rest of it is skipped */
    char words[QC_LABELS_WORDS]; /* why a line was refused */
} QcLateLabels;

/* window: the caller's [ring]. next: number of the first window. */
void qc_latelabels_init(QcLateLabels *l, QcModelFile *m, QcWindowTimes *window, uint32_t ring, uint32_t next);

/* A new window, of which labels that wait may be. 1, and its class; or 0. */
int qc_latelabels_window(QcLateLabels *l, QcWindowTimes window, uint32_t *class_index);

/* Takes one byte of the text. Returns 1 if it ends a line that says a label (in *label), -1 if the line is refused
 * (words), else 0. */
int qc_latelabels_byte(QcLateLabels *l, char byte, QcLateLabel *label);

/* Labels that have matched no window so far, those that wait included. */
uint64_t qc_latelabels_unmatched(const QcLateLabels *l);

/* The next window of the label in the book: 1, and its number; 0: no more. *at: 0 to start with. */
int qc_latelabels_find(const QcLateLabels *l, const QcLateLabel *label, uint32_t *at, uint32_t *number);

/* After its windows were found: lets the label wait for windows to come. Returns 0; 1: the stream has passed its end,
 * so that found = 0 means that its windows have left the ring or never were; -1: too many labels wait. */
int qc_latelabels_wait(QcLateLabels *l, const QcLateLabel *label);

#endif
