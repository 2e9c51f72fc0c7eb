/* stream.h - frames of sensors into overlapping windows: a ring of the latest frames, each quantized once, as it comes.
 *
 *   frame -> qc_frames_push -> 1: a window is full -> qc_frames_window -> qc_learner_predict
 *
 * A window of `length` frames is full after the first `length` frames, and then after every `stride` frames. No window
 * is moved in memory: the ring is copied out, in two pieces, to where the forward pass reads its input. The codes are
 * the codes that qc_q_frames makes of the whole window. An image is a window whose frames are pixels, row by row.
 */
#ifndef QC_DEVICE_STREAM_H
#define QC_DEVICE_STREAM_H

#include "qgraph.h"

typedef struct QcFrames {
    const QcQTensor *input; /* of the model */
    const float *mean, *deviation; /* [channels] the model's normalization */
    uint8_t *ring; /* [length][channels] */
    uint32_t length, stride;
    uint32_t next; /* row of the ring for the next frame; of a full window the oldest */
    uint32_t missing; /* frames until the next window is full, >= 1 */
} QcFrames;

/* ring: height x width x channels bytes of the input tensor, as are the model's windows. stride >= 1; it may exceed the
 * length. */
void qc_frames_init(QcFrames *f, const QcQTensor *input, const float *mean, const float *deviation, uint32_t stride,
                    uint8_t *ring);

/* frame [channels], in the units of the recordings that the model was trained on; NaN becomes the smallest code.
 * Returns 1 if a window is full now, else 0. */
int qc_frames_push(QcFrames *f, const float *frame);

/* The window of the latest `length` frames, oldest first: [length][channels]. Call after qc_frames_push returned 1. May
 * be the forward pass's own input (qc_qrun_tensor(run, 0)). */
void qc_frames_window(const QcFrames *f, uint8_t *window);

/* After a gap in time: the frames before it are no part of a window any more. */
void qc_frames_restart(QcFrames *f);

#endif
