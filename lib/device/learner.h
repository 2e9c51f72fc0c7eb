/* learner.h - the on-device learner: predicts windows, takes labels when they come, and refits the last layer.
 *
 *   window -> qc_learner_predict -> number -> qc_learner_label, now or later -> qc_learner_adapt
 *
 * The learner never changes the network below the last layer, so it keeps features (the inputs of the last layer)
 * instead of windows. Only with the plug-in of bit flips (fliprounds.h) do the codes below change, and windows are kept
 * as well. All memory is placed beforehand; all arithmetic is integer, or float in a fixed order: the same model,
 * coreset, windows, labels and seed make the same bytes on every processor. Nothing here allocates, prints or calls
 * libm.
 */
#ifndef QC_DEVICE_LEARNER_H
#define QC_DEVICE_LEARNER_H

#include "fliprounds.h"
#include "head.h"

typedef struct QcLearnerSetup {
    const QcQGraph *graph;      /* stays as it is; its weight codes may lie in flash */
    const QcFlipRounds *flips;  /* &qc_flip_rounds, or NULL: the last layer alone learns (then qc_head_fits must
                                   hold) */
    const QcFlip *flip;         /* the bit-flip network; used with flips alone */
    QcFlipScore score;
    QcParameters parameters;
    uint64_t seed;
    uint32_t capacity; /* slots of the coreset */
    uint32_t ring;     /* latest windows that can be labelled, >= 1; also the most windows that one adapt learns from */
    QcHeadSource source;   /* mean NULL: not known */
    uint32_t all_labelled; /* 1: windows without a label are neither learned from nor asked for (guess.c, ask.h); takes
                              ring (features + 4 (classes + 1)) bytes less */
} QcLearnerSetup;

/* What the network says about one window. */
typedef struct QcAnswer {
    uint32_t number;      /* of this window, for qc_learner_label(); counts up from 0 and wraps */
    uint16_t class_index; /* < classes */
    float probability;    /* of that class by softmax; 0..1 */
} QcAnswer;

/* How an adapt learned. */
typedef enum QcAdaptMode {
    QC_HEAD_ONLY,        /* no flips: no plug-in, or a batch of few classes, all of which are known */
    QC_FLIPS_SKIPPED,    /* no flips: the batch was right already (skip_flips) */
    QC_FLIPS_THEN_HEAD   /* a batch of few classes that lacks unknown ones gets no new head */
} QcAdaptMode;

/* What one adapt did. Output only: nothing in the learner reads it back. If there was nothing to learn from, all is 0
 * but from_source and from_stream. */
typedef struct QcAdaptReport {
    uint32_t n;                         /* windows labelled since the last adapt */
    uint32_t right_before, right_after; /* of these: right when they were predicted (test-then-train), and under the
                                           last layer that answers now */
    float loss_before, loss_after;      /* of the last layer that answers: mean cross-entropy on coreset and batch,
                                           classes balanced */
    uint32_t source, source_before, source_after; /* source examples in the coreset; how many of them were right, and
                                                     are */
    QcAdaptMode mode;
    uint32_t solved;                    /* 1: a new last layer answers */
    uint32_t refused;                   /* 1: labels look random, or too much of what was known is lost (guard): the
                                           learner is as it was, and the labels are dropped */
    uint32_t proposals, accepted, flips; /* of bit flips; flips that stayed */
    uint32_t forwards, statistics;      /* windows through the network beside predictions; statistics of the flips */
    uint32_t from_source, from_stream, from_batch; /* origin of the filled slots afterwards */
    uint64_t operations;                /* multiply-adds of the fit, about */
} QcAdaptReport;

/* Numbers of the learner's state that have no array. Padding-free. */
typedef struct QcLearnerCounters {
    uint64_t seen;         /* labelled windows taken into the moments */
    uint64_t input;        /* the caller's: names what it reads windows from */
    uint32_t input_adapts; /* the caller's: adapts with windows of that input */
    uint32_t adapts;       /* refused ones included; numbers the random streams */
    uint32_t next;         /* number of the next window */
    uint16_t active;       /* 0, 1: the last layer that answers */
    uint16_t can_undo;     /* 1: the other is the last layer before the latest adapt that changed it */
    uint32_t waited;       /* labelled windows since one was the first of its class */
    float share;           /* of the weights, in the next proposal of flips */
    float trust;           /* by how much labels agreed more with guesses than with answers, older labels less; <= 0:
                              windows without a label do not count */
    float drift;           /* the figure of driftwatch.h after the latest window that it followed */
} QcLearnerCounters;

/* What a row of the ring holds. While qc_learner_ask runs, predicted rows that it has chosen are QC_RING_ASKED. */
enum { QC_RING_EMPTY, QC_RING_PREDICTED, QC_RING_LABELLED, QC_RING_LEARNED, QC_RING_ASKED };

typedef struct QcLearner {
    QcLearnerSetup setup;
    QcQGraph graph;      /* the setup's, with the active last layer (and with flips: codes in RAM) */
    QcHeadShape shape;
    QcQRun run;
    /* The state: one block, the same bytes on every processor. */
    uint8_t *state;
    uint32_t state_bytes, head_bytes, learned_bytes; /* head: the first of them, through the moments; learned: also what
                                                        flips keep beside codes. A model file carries them */
    QcLearnerCounters *counters;
    QcLastLayer layers[2];
    QcMoments moments;   /* n = 0: the last layer cannot be solved */
    QcSlots coreset;
    /* Lost when the power goes. */
    QcSlots ring;        /* flags QC_RING_* */
    uint32_t next_row;   /* of the ring, for the next window */
    uint16_t *answer;    /* [ring] classes as predicted */
    QcSet set;           /* of the adapt under way */
    uint8_t *right, *after, *ever; /* [set] under the last layer before and after, and at least once */
    uint16_t *misses;    /* [set] */
    uint32_t *count;     /* [classes] */
    uint16_t *rows, *class_of; /* [classes] of the head's task; NULL: the model has no spare rows */
    QcHeadShape task_shape;
    float *logits;       /* [classes] of the latest prediction */
    float *keys;         /* [set] */
    QcHeadScratch scratch; /* lies where activations do */
    QcLastLayer trial;     /* the same: a new last layer until it is committed */
    float *nearest;        /* the same: [ring] distances, while windows are chosen (ask.h) */
    QcFlipper flipper;
} QcLearner;

/* RAM by part; qc_learner_bytes is the sum. The model's constants are not counted. */
void qc_learner_plan(QcPlan *plan, const QcLearnerSetup *setup);
uint64_t qc_learner_bytes(const QcLearnerSetup *setup);

/* Lays the learner out in memory [qc_learner_bytes], 64-byte aligned, and starts it at the model's own last layer, with
 * an empty coreset. */
void qc_learner_place(QcLearner *l, const QcLearnerSetup *setup, const QcKernels *kernels, void *memory);

/* Fills a slot of the coreset, before the first adapt. window: u8 [height][width][channels]; its features are computed,
 * or taken from `features` if that is not NULL (window may then be NULL if no flips need it). flags: QC_SLOT_*. */
void qc_learner_fill(QcLearner *l, uint32_t slot, const uint8_t *window, const uint8_t *features, uint16_t label,
                     uint16_t misses, uint8_t flags, uint64_t id);

/* One forward pass. The window's features go into the ring under its number; l->logits has the logits. id: of the
 * example, for the coreset. Returns 1 if a labelled window that no adapt has learned from had to leave the ring, else
 * 0. */
int qc_learner_predict(QcLearner *l, QcAnswer *answer, const uint8_t *window, uint64_t id);

/* Labels window `number`; a second label replaces the first until the next adapt. -1, and nothing changes, if the
 * window has left the ring, was learned from already, or the label is not a class. The number of a spare row is a
 * class: the next adapt that is not refused learns it, and it is answered from then on. */
int qc_learner_label(QcLearner *l, uint32_t number, uint16_t label);

/* Classes that can be answered: all but the spare rows that no adapt has learned yet (head.h). */
uint32_t qc_learner_classes(const QcLearner *l);

/* 1 if window `number` is in the ring with a label, learned from or not. */
int qc_learner_is_labelled(const QcLearner *l, uint32_t number);

/* Answers window `number` again by the last layer that answers now, from its features; l->logits has the logits. -1 if
 * the window has left the ring. Call between predictions: the layer's codes are unpacked where activations lie. */
int qc_learner_answer(QcLearner *l, QcAnswer *answer, uint32_t number);

/* Learns from the windows labelled since the last adapt, and as far as labels confirm it from windows that wait without
 * a label (guess.c): refits the last layer, and commits it if the guard allows. Work: O(features^3 / 6 + classes *
 * features^2). */
void qc_learner_adapt(QcLearner *l, QcAdaptReport *report);

/* Returns to the last layer before the latest adapt that changed it, and nothing else: moments, coreset and counters
 * keep what was learned, so the next adapt uses it again. -1 if there is none, or if flips have changed the codes below
 * it. */
int qc_learner_undo(QcLearner *l);

/* Logits of a window by the active last layer; the ring stays as it is. */
void qc_learner_logits(QcLearner *l, float *logits, const uint8_t *window);

/* Writes what has changed of the model into a graph of the same shape, whose arrays are writable. */
void qc_learner_store(const QcLearner *l, QcQGraph *g);

/* 0 if the state cannot be a learner's: indices, labels or numbers out of range. */
int qc_learner_is_sound(const QcLearner *l);

/* After the state's bytes were replaced: makes the learner answer by them, with an empty ring. */
void qc_learner_resume(QcLearner *l);

#endif
