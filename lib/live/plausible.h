/* plausible.h - are the values of a stream such as the model was trained on? A wrong unit, axis or sensor is said,
 * once.
 *
 * A window is out of range in a channel if one of its values is below low - (high - low) / 2 or above high + (high -
 * low) / 2 of the training data (format/rangefile.h): other people stay within. A channel is implausible if more than a
 * tenth of the windows and one more are out of range, or if its root mean square is less than a 500th of the training
 * data's. The factor is the ratio of the root mean squares.
 */
#ifndef QC_LIVE_PLAUSIBLE_H
#define QC_LIVE_PLAUSIBLE_H

#include "../format/rangefile.h"
#include "../quant/qinput.h"

typedef struct QcPlausible {
    QcArena arena;
    QcInputRange range;
    uint64_t frames, windows; /* so far */
    uint64_t *latest;  /* [channels] latest frame out of range, from 1; 0: none */
    uint64_t *outside; /* [channels] windows out of range */
    double *squares;   /* [channels] sum over frames */
    char *const *name; /* [channels] of columns, as in the stream; NULL: not known. Borrowed */
    int is_said;
} QcPlausible; /* all zero = empty and valid */

enum { QC_PLAUSIBLE_WINDOWS = 20 /* before anything is said */, QC_PLAUSIBLE_WORDS = 200 };

/* A model without the section: nothing is ever implausible. */
int qc_plausible_init(QcPlausible *p, const QcModelFile *m, QcErr *err);
void qc_plausible_release(QcPlausible *p);

void qc_plausible_frame(QcPlausible *p, const float *x); /* [channels] */

/* A window of the latest `length` frames is full. */
void qc_plausible_window(QcPlausible *p, uint32_t length);

/* 1, once, if a channel is implausible: words [QC_PLAUSIBLE_WORDS] then say which, and by what factor. is_end: fewer
 * windows are enough, because no more come. */
int qc_plausible_report(QcPlausible *p, char *words, int is_end);

/* The same of a data file: at most 1000 of its windows, evenly taken. 1, 0 or -1. */
int qc_plausible_inputs(char *words, const QcInputs *inputs, const QcModelFile *m, QcErr *err);

#endif
