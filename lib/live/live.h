/* live.h - a model on a live stream: windows are cut and predicted as frames come, labels are taken when they come, and
 * the last layer learns from them.
 *
 *   frames -> framereader -> device/stream -> device/learner -> report
 *                labels -> latelabels ------------^      ^-- adapt after every `every` labels (or windows: first_trust)
 *
 * The state is saved after each adapt.
 * A window whose frames have a label column is labelled if all its labelled frames agree. Reports go to a callback, one
 * per event, as it happens.
 */
#ifndef QC_LIVE_LIVE_H
#define QC_LIVE_LIVE_H

#include "../device/stream.h"
#include "framereader.h"
#include "latelabels.h"
#include "livemodel.h"
#include "plausible.h"

enum { QC_LIVE_ASKS = 64 }; /* latest windows among which qc-run --ask requests labels */

typedef enum QcLiveEvent {
    QC_LIVE_STARTED, /* resumed or new */
    QC_LIVE_WINDOW, /* window */
    QC_LIVE_LABEL, /* number, class_index: a label that came after its window */
    QC_LIVE_ADAPT, /* adapt */
    QC_LIVE_WORDS, /* words: a new class, a reload */
    QC_LIVE_WARNING, /* words: a break, a label that was refused, drift */
    QC_LIVE_STATUS /* counts */
} QcLiveEvent;

typedef struct QcLiveWindow {
    uint64_t id; /* number of the window; of data files the example's id */
    const char *stamp; /* of its last frame, as it was given; empty: none */
    double seconds; /* the same; NaN: not known */
    const QcAnswer *answer;
    const float *logits;
    float drift; /* figure (device/driftwatch.h); NaN: the model knows none */
    int alarm;   /* 1: above the threshold */
    float distance; /* from the nearest class; above 1: of none of them (device/driftwatch.h); NaN: not known */
    int32_t label; /* -1: none came with the window */
    int is_asked;  /* 1: the label of this window is requested */
} QcLiveWindow;

typedef struct QcLiveCounts {
    uint64_t frames, windows, labelled, right; /* right: of the labelled windows, when they were predicted */
    uint64_t adapts, refused, breaks, filled, alarms, unknown; /* alarms, unknown: windows */
    uint32_t waiting; /* labelled windows that no adapt has learned from */
    uint32_t since_adapt; /* windows since the latest adapt */
} QcLiveCounts;

typedef struct QcLive QcLive;

typedef struct QcLiveReport {
    QcLiveEvent event;
    const QcLive *live;
    const QcLiveWindow *window;
    const QcAdaptReport *adapt;
    const char *words;
    uint32_t number, class_index;
} QcLiveReport;

struct QcLive {
    const char *path; /* of the model */
    QcLiveOptions o;
    uint32_t every; /* labels per adapt, >= 1; windows per adapt as long as these are learned from without labels */
    uint32_t ask; /* labels to request among the latest QC_LIVE_ASKS windows, <= QC_LIVE_ASKS; 0: none */
    int (*report)(void *ctx, const QcLiveReport *report); /* other than 0: nobody reads any more, and the run ends */
    void *ctx;
    QcLiveModel *model;
    QcArena arena;
    QcFrames frames;
    QcLateLabels late;
    QcPlausible plausible;
    QcWindowTimes *times; /* [QC_LIVE_RING] */
    double *frame_time; /* [length] of the frames in the ring, as is */
    int32_t *frame_label; /* [length] -1: none */
    uint16_t *answer; /* [QC_LIVE_RING] by number */
    uint8_t *is_labelled; /* [QC_LIVE_RING] */
    uint32_t asked[QC_LIVE_ASKS]; /* ring of numbers of the latest windows whose labels were requested */
    uint32_t n_asked; /* requests since the start */
    uint8_t *ring; /* of frames */
    int keeps_labels; /* 1: the rest of a file of labels waits until fewer labels wait for windows */
    uint64_t dropped; /* labels that came while as many waited as can */
    uint32_t breaks_said; /* since the last window */
    uint32_t named; /* classes that have a name, new ones that were reported included */
    int alarm;
    int is_over, is_fall_said, is_drift_said;
    QcLiveCounts counts;
};

/* path, o, every, report and ctx are set, all else is zero. */
int qc_live_open(QcLive *s, QcErr *err);

/* From descriptor `input` until it ends or SIGTERM comes; labels: a file or FIFO, or NULL. stride: frames, >= 1. The
 * state is saved at the end. */
int qc_live_frames(QcLive *s, int input, const QcFrameOptions *frames, uint32_t stride, const char *labels, QcErr *err);

/* The windows of a data file, in its order. */
int qc_live_data(QcLive *s, const char *path, QcErr *err);

/* Back to before the latest adapt that was not refused, and saved. *labels: how many are forgotten. */
int qc_live_undo(QcLive *s, uint64_t *labels, QcErr *err);

void qc_live_close(QcLive *s);

#endif
