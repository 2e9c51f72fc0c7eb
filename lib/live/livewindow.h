/* livewindow.h - what a live session does with a window and with a label, wherever they come from: for live/live*.c
 * alone. Functions that return int: 0, or -1 with err set, where nothing else is said.
 */
#ifndef QC_LIVE_LIVEWINDOW_H
#define QC_LIVE_LIVEWINDOW_H

#include "live.h"

/* To the session's callback; once it returns other than 0, the session is over. */
void qc_live_report(QcLive *s, QcLiveReport r);
/* QC_LIVE_WORDS or QC_LIVE_WARNING */
void qc_live_say(QcLive *s, QcLiveEvent event, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The window lies in the model's input: it is predicted and reported, and its label counts. from: time of its first
 * frame, NaN: not known. After the labels of an adapt, the model learns. */
int qc_live_window(QcLive *s, QcLiveWindow w, double from, QcErr *err);

/* Before a window is put into the model's input: if a window with a label that was not learned leaves the ring for it,
 * the model learns first. */
int qc_live_save_labels(QcLive *s, QcErr *err);

/* A label of an earlier window. -1, and nothing changes: the window was learned from already. */
int qc_live_label(QcLive *s, uint32_t number, uint32_t class_index);

int qc_live_adapt(QcLive *s, QcErr *err); /* from the labels that wait, if any; the state is saved */
/* The same if enough labels wait, or enough windows while the learner learns without labels (first_trust). */
int qc_live_adapt_if_due(QcLive *s, QcErr *err);
void qc_live_new_classes(QcLive *s); /* reports what took spare rows since the last call */
void qc_live_check_inputs(QcLive *s, int is_end); /* says once what is far out of the training range */

/* At the end: what is labelled is learned, and the state is saved. */
int qc_live_finish(QcLive *s, QcErr *err);

/* Signals that came since the last call: status, end, and with a frame reader (else NULL) another model. */
void qc_live_take_signals(QcLive *s, QcFrameReader *r);

#endif
