/* replay.h - rehearsal by straight-through back-propagation: what er, er-ace, der, der++, a-gem, camel and deepc have
 * in common.
 *
 * The integer model has a fake-quantized float copy with a master weight for every code, in code steps
 * (quant/fakequant.h). A batch of the stream is learned in `steps` steps of Adam; each takes `batch` examples of it and
 * `replay` of the slots, both drawn in shuffled passes. Then the master weights, which are kept with Adam's moments,
 * are rounded to the model's codes. Scales stay, and biases unless `bias` gives them a rate. A method says with which
 * loss.
 */
#ifndef QC_LAB_REPLAY_H
#define QC_LAB_REPLAY_H

#include "../base/sampler.h"
#include "../nn/run.h"
#include "../quant/biastune.h"
#include "../live/method.h"

/* Indices of the settings that all methods have; a method's own settings begin at QC_REPLAY_OWN. */
enum {
    QC_REPLAY_STEPS,
    QC_REPLAY_BATCH,
    QC_REPLAY_REPLAY,
    QC_REPLAY_RATE,
    QC_REPLAY_BIAS,
    QC_REPLAY_KEEP,
    QC_REPLAY_RESERVOIR,
    QC_REPLAY_OWN
};

#define QC_REPLAY_SETTINGS                                                                                 \
    {"steps", 30, 0, 100000, "steps of Adam a batch", 1},                                                  \
        {"batch", 24, 1, 4096, "examples of the batch in a step", 1},                                      \
        {"replay", 24, 0, 4096, "examples of the slots in a step", 1},                                     \
        {"rate", -1, -1, 100, "code steps a step; -1 = by the model's bits", 0},                           \
        {"bias", 0, 0, 100, "rate of biases relative to codes, in output steps; 0: fixed", 0},     \
        {"keep", 1, 0, 1, "1: reserved slots keep their source examples; 0: the stream may take them", 1}, \
    {                                                                                                      \
        "reservoir", 1, 0, 1, "1: slots are a reservoir of all that was seen; 0: by update", 1             \
    }

typedef struct QcReplay {
    QcFakeQuant fakequant;
    QcRun *run;
    QcOptim optim;
    QcBiasTune biases;
    uint32_t steps, batch, replay; /* settings */
    uint32_t window, classes;
    /* The current batch. */
    const QcBatch *arrived;
    QcSampler fresh, old;   /* over the batch; over `slot` */
    const uint32_t *among;   /* the batch's examples that are drawn from; NULL: all */
    uint32_t *slot, n_slots; /* [capacity] filled slots */
    uint32_t *orders[2];     /* of the samplers */
    QcRng rng;
    uint64_t forwards, backwards;
    /* The current step: rows 0 .. n_fresh-1 are of the batch, n_old rows after them of the slots. */
    uint32_t n_fresh, n_old, passed; /* rows of the last forward pass */
    uint32_t *from;  /* [batch + replay] index in the batch, or slot */
    int32_t *label;  /* [batch + replay] */
    float *x;        /* [batch + replay][window] */
    float *dlogits;  /* [batch + replay][classes]: a method writes the gradients of the pass */
    float *grads;    /* [n_params] of the graph */
    float *dmaster;  /* [n_moving] of the master weights, and after them of the biases where they move */
    uint32_t n_moving;
    size_t run_bytes; /* counted so far */
} QcReplay;

/* Settings, fake-quantized model, run and memory, all counted; opens the reserved slots and sets the slots' rule as
 * asked. apart: rows of the batch and rows of the slots are never passed together. */
int qc_replay_open(QcReplay *r, QcMethodRun *l, int apart, QcErr *err);
void qc_replay_release(QcReplay *r);

/* One batch: _begin; for each step _draw, _forward and _backward (once or more), _step; _end. */
void qc_replay_begin(QcReplay *r, const QcMethodRun *l, const QcBatch *batch);
/* fresh [n]: the examples of the batch to draw from (NULL: all n). */
void qc_replay_among(QcReplay *r, const uint32_t *fresh, uint32_t n);
void qc_replay_draw(QcReplay *r, const QcMethodRun *l);
/* Logits [n][classes] of rows first .. first+n-1, by rounded master weights; borrowed until the next. NULL: out of
 * memory. */
const float *qc_replay_forward(QcReplay *r, uint32_t first, uint32_t n, QcErr *err);
/* r->dmaster of the last forward pass, from r->dlogits [n][classes]. */
void qc_replay_backward(QcReplay *r);
/* Adam moves the master weights, and the biases, by r->dmaster. */
void qc_replay_step(QcReplay *r);
/* The whole of `steps` steps, each of one pass over all its rows: loss writes r->dlogits [n_fresh + n_old][classes],
 * l->state being the method's. */
typedef void (*QcReplayLoss)(QcReplay *r, QcMethodRun *l, const float *logits);
int qc_replay_steps(QcReplay *r, QcMethodRun *l, uint32_t steps, QcReplayLoss loss, QcErr *err);
/* Master weights become codes; what it cost. */
void qc_replay_end(QcReplay *r, QcMethodRun *l, QcMethodReport *report);

#endif
