/* method.h - one interface for every calibrator, so that all are compared on the same start model, stream, coreset and
 * terms.
 *
 * A QcMethod is a recipe; a QcMethodRun is a method at work on a model. It is given the quantized model, the coreset as
 * slots, a seed and its settings, then one labelled batch at a time. It answers logits for any window, counts what it
 * costs, and its result is the model itself (codes and channel arrays of l->g), unless it says why not.
 *
 * A method is one file with one `const QcMethod qc_method_NAME`, named in live/methodtable.c or lab/rivaltable.c.
 * Windows are the model's quantized input, u8 [height][width][channels].
 */
#ifndef QC_LIVE_METHOD_H
#define QC_LIVE_METHOD_H

#include "../base/arena.h"
#include "../device/learner.h"

enum { QC_METHOD_SETTINGS = 16 }; /* of one method, at most */

/* A number that tunes a method: --set NAME=VALUE. Methods know their settings by position. */
typedef struct QcSetting {
    const char *name;
    double value;      /* the default */
    double low, high;  /* inclusive */
    const char *help;  /* half a line */
    int whole;         /* 1: a whole number */
} QcSetting;

typedef struct QcTally {
    uint32_t n, right;
} QcTally;

/* What a batch brought and cost. Whatever is evaluation only is in no count. */
typedef struct QcMethodReport {
    QcTally before, after; /* windows of the batch whose label is known: when they were predicted, and under the
                              result */
    uint32_t unlabelled;   /* windows of the batch without a label in the data */
    uint32_t asked;        /* windows that the learner asked for and whose label came */
    QcAdaptReport step;  /* of methods off the device: n, right_*, loss_* (mean cross-entropy of the batch), flips
                            (codes that changed) and from_*; the rest is 0 */
    float drift;         /* figure after the batch (device/driftwatch.h); NaN: not known */
    uint32_t alarms;     /* windows of the batch with a figure above the threshold */
    double predict_ms;   /* of methods on the device: time of the predictions; 0 of others */
    uint64_t set;            /* examples that the method learns from: coreset and batch */
    uint64_t forwards, backwards; /* passes of one window through the whole net; parts of a pass count as the part they
                                     are, rounded up in the sum */
    uint64_t operations;     /* multiply-adds: of passes (a backward pass: twice a forward pass), statistics and
                                linear algebra */
} QcMethodReport;

typedef struct QcMethodRun QcMethodRun;

typedef struct QcMethod {
    const char *name, *summary;  /* one line, no full stop */
    const QcSetting *settings;   /* ends with {0}; NULL: none */
    int backward;                /* needs back-propagation */
    int needs_flip;              /* needs the model's bit-flip network */
    int on_device;               /* the device's own step: it judges the batch and keeps the coreset itself, in next */
    int keeps;                   /* fills the slots itself, in next; else that is done by the rule
                                    l->parameters.update */
    int unlabelled;              /* off the device: learns from windows without a label, too */
    /* Why the result is not a plain quantized model, so that -o is refused ("its head is not one of integers"), or
     * NULL: it is one. No function: it always is. */
    const char *(*unsaved)(const double *setting);

    /* Memory for slots (all empty) and a forward pass: sets l->slots, l->run. NULL: what qc_method_open does for
     * everyone. */
    int (*place)(QcMethodRun *l, QcErr *err);
    /* Once the slots are filled with the coreset. NULL: nothing to do. */
    int (*open)(QcMethodRun *l, QcErr *err);
    /* Methods on the device: predicts one window and labels it, unless label is -1; next is then called without a
     * batch. NULL: all others. */
    void (*observe)(QcMethodRun *l, const uint8_t *window, int32_t label, uint64_t id);
    /* Puts one example of the coreset into a slot. NULL: its window is copied. */
    void (*fill)(QcMethodRun *l, uint32_t slot, const uint8_t *window, uint16_t label, uint16_t misses, uint8_t flags,
                 uint64_t id);
    /* Learns from one labelled batch (and l->slots as they were before it). Fills set, forwards, backwards and
     * operations; on_device: all. batch->n may be 0 if l->n_unlabelled is not. */
    int (*next)(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err);
    /* Example i of the last batch has just taken slot `slot`. NULL: does not matter. */
    void (*kept)(QcMethodRun *l, uint32_t slot, uint32_t i);
    /* logits [classes] of one window. NULL: the integer forward pass of l->g. Fails never. */
    void (*logits)(QcMethodRun *l, float *logits, const uint8_t *x);
    /* logits [n][classes] of windows [n][window] whose answers depend on each other. NULL: logits, one by one. */
    int (*logits_together)(QcMethodRun *l, float *logits, const uint8_t *windows, uint32_t n, QcErr *err);
    /* Frees what did not come from qc_method_take. NULL: there is nothing. */
    void (*close)(QcMethodRun *l);
} QcMethod;

struct QcMethodRun {
    const QcMethod *method;
    /* What it is given. The model's codes are changed in place; its channel arrays after qc_method_own_channels. */
    QcQGraph *g;
    const QcFlip *flip;        /* NULL: the model has none */
    const QcKernels *kernels;
    QcHeadSource source;       /* mean NULL: not known */
    QcParameters parameters;   /* of the learner; others use the rule by which slots are filled */
    QcFlipScore score;         /* of the learner's flips */
    double setting[QC_METHOD_SETTINGS]; /* in the order of method->settings */
    uint64_t seed;
    uint32_t capacity, batch_max, window; /* slots; examples of a batch, at most; bytes of a window */
    int threads;
    int all_labelled;          /* 1: every example has its label, and none is asked for */
    uint32_t n_unlabelled;     /* windows without a label of the batch under way, after the labelled windows in
                                  batch->windows; 0 unless method->unlabelled */
    /* What there is once it is open. */
    QcSlots *slots;            /* the coreset */
    QcQRun run;                /* a forward pass of g, for whoever wants one */
    uint64_t macs;             /* multiply-adds of one forward pass */
    uint64_t bytes;            /* working memory so far: all that the method needs but the model and the batch; only
                                  grows */
    float *scale;              /* [g->n_channels] and the next three: g's own arrays once qc_method_own_channels was
                                  called, else NULL */
    int32_t *bias, *multiplier;
    uint8_t *shift;
    void *state;               /* the method's */
    /* private */
    double observe_ms;         /* time of the predictions since the last batch, and how many */
    uint32_t observed;
    QcArena arena;
    QcSlots own_slots;
    void *memory;
    float *start_scale;        /* of g, put back by close */
    int32_t *start_bias;
    const int32_t *start_multiplier;
    const uint8_t *start_shift;
    QcRng rng;                 /* of the slots */
    uint64_t seen;             /* stream examples */
};

/* ---- choosing and setting ---- */

/* table: methods, then NULL (methodtable.h). NULL, and a sentence with the names in the table, where the name is not
 * there. */
const QcMethod *qc_method_find(const QcMethod *const *table, const char *name, QcErr *err);

/* method->unsaved, if there is one. */
const char *qc_method_unsaved(const QcMethod *m, const double *setting);

/* "NAME=VALUE" texts over the defaults into values [QC_METHOD_SETTINGS]; QC_EUSAGE names the settings that there are,
 * or the range. */
int qc_method_settings(double *values, const QcMethod *m, const char *const *texts, int n, QcErr *err);

/* ---- a learner's life ---- */

/* The caller sets method, g, flip, kernels, device, setting, seed, capacity, batch_max and threads (all else zero),
 * calls _place, fills l->slots, calls _open. */
int qc_method_place(QcMethodRun *l, QcErr *err);
int qc_method_open(QcMethodRun *l, QcErr *err);
/* Where the next window may be read to, without a copy: [l->window]. NULL: the method needs whole batches. */
uint8_t *qc_method_input(QcMethodRun *l);
void qc_method_observe(QcMethodRun *l, const uint8_t *window, int32_t label, uint64_t id); /* label -1: none */
void qc_method_fill(QcMethodRun *l, uint32_t slot, const uint8_t *window, uint16_t label, uint16_t misses,
                    uint8_t flags, uint64_t id);
/* A batch: judged (before, after), learned from, and kept in part. Methods on the device have observed its windows;
 * batch is then NULL. ms (may be NULL): of the method alone, predictions on the device included, without judging. */
int qc_method_next(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, double *ms, QcErr *err);
void qc_method_logits(QcMethodRun *l, float *logits, const uint8_t *x);
/* logits [n][classes] of windows [n][window] that come together. */
int qc_method_logits_of(QcMethodRun *l, float *logits, const uint8_t *windows, uint32_t n, QcErr *err);
/* The class it answers, and (loss not NULL) -ln softmax[label]. logits [classes]: scratch. */
uint32_t qc_method_answer(QcMethodRun *l, double *loss, float *logits, const uint8_t *x, uint16_t label);
void qc_method_close(QcMethodRun *l); /* g keeps its codes and gets its own channel arrays back */

/* ---- for methods ---- */

/* n x size zeroed bytes that live until close, counted in l->bytes. */
void *qc_method_take(QcMethodRun *l, size_t n, size_t size, QcErr *err);
/* Memory that the method has from elsewhere: counted by hand. */
void qc_method_count(QcMethodRun *l, uint64_t bytes);
/* Makes scale, bias, multiplier and shift of g the learner's own copies; they stay valid until close. */
int qc_method_own_channels(QcMethodRun *l, QcErr *err);
/* Gives output o of a CONV or LOGITS node another scale (> 0) and bias (in the units of its sums' values: scale_in *
 * scale * integer); own channels only. Where integers cannot say it, the bias is cut to the nearest that fits, and a
 * scale that does not fit leaves the channel as it was. */
void qc_method_set_channel(QcMethodRun *l, const QcQNode *node, uint32_t o, double scale, double bias);
/* What a quantized window stands for: out [window] = scale * (q - zero), as the float twin of the model reads it. */
void qc_method_window(const QcMethodRun *l, float *out, const uint8_t *x);

/* The examples Z to learn from: filled slots, then the batch. x, labels: room for capacity + batch_max; returns how
 * many, *n_slots (may be NULL) of them slots. */
uint32_t qc_method_examples(const QcMethodRun *l, const uint8_t **x, uint16_t *labels, uint32_t *n_slots,
                            const QcBatch *batch);

uint64_t qc_node_macs(const QcQGraph *g, const QcQNode *node); /* multiply-adds of a CONV or LOGITS node in one pass; 0
                                                                  of others */

#endif
