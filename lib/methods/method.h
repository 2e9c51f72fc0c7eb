/* method.h - one interface for every calibrator, so that all are compared on the same start model, stream, coreset and terms.
 *
 * A QcMethod is a recipe; a QcLearner is one at work on a model. It is given the quantized model, the coreset as slots, a seed and its settings, then one labelled batch at
 * a time. It answers logits for any window, counts what it costs, and its result is the model itself (codes and channel arrays of l->g), unless it says why not.
 *
 * A method is one file with one `const QcMethod qc_method_NAME`, named in methodtable.c. Windows are the model's quantized input, u8 [height][width][channels].
 */
#ifndef QC_METHODS_METHOD_H
#define QC_METHODS_METHOD_H

#include "../base/arena.h"
#include "../device/calibrate.h"

enum { QC_METHOD_SETTINGS = 16 }; /* of one method, at most */

/* A number that tunes a method: --set NAME=VALUE. Methods know their settings by position. */
typedef struct QcSetting {
    const char *name;
    double value;      /* the default */
    double low, high;  /* inclusive */
    const char *help;  /* half a line */
    int whole;         /* 1: a whole number */
} QcSetting;

typedef struct QcMethodBatch {
    uint32_t n;
    const uint8_t *x;        /* [n][window] */
    const uint16_t *labels;  /* [n] < classes */
    const uint64_t *ids;     /* [n] */
} QcMethodBatch;

/* What a batch brought and cost. Whatever is evaluation only is in no count. */
typedef struct QcMethodReport {
    QcCalibrateReport step;  /* of methods off the device: n, right_*, loss_* (mean cross-entropy of the batch), flips (codes that changed) and from_*; the rest is 0 */
    uint64_t set;            /* examples that the method learns from: coreset and batch */
    uint64_t forwards, backwards; /* passes of one window through the whole net; parts of a pass count as the part they are, rounded up in the sum */
    uint64_t operations;     /* multiply-adds: of passes (a backward pass: twice those of a forward one), statistics and linear algebra */
} QcMethodReport;

typedef struct QcLearner QcLearner;

typedef struct QcMethod {
    const char *name, *summary;  /* one line, no full stop */
    const QcSetting *settings;   /* ends with {0}; NULL: none */
    int backward;                /* needs back-propagation */
    int needs_flip;              /* needs the model's bit-flip network */
    int on_device;               /* the device's own step: it judges the batch and keeps the coreset itself, in next */
    int keeps;                   /* fills the slots itself, in next; else that is done by the rule of l->device */
    /* Why the result is not a plain quantized model, so that -o is refused ("its head is not one of integers"), or NULL: it is one. No function: it always is. */
    const char *(*unsaved)(const double *setting);

    /* Memory for slots (all empty) and a forward pass: sets l->slots, l->run. NULL: what qc_learner_open does for everyone. */
    int (*place)(QcLearner *l, QcErr *err);
    /* Once the slots are filled with the coreset. NULL: nothing to do. */
    int (*open)(QcLearner *l, QcErr *err);
    /* Learns from one batch (and l->slots as they were before it). Fills set, forwards, backwards and operations; on_device: all. */
    int (*next)(QcLearner *l, QcMethodReport *report, const QcMethodBatch *batch, QcErr *err);
    /* Example i of the last batch has just taken slot `slot`. NULL: does not matter. */
    void (*kept)(QcLearner *l, uint32_t slot, uint32_t i);
    /* logits [classes] of one window. NULL: the integer forward pass of l->g. Fails never. */
    void (*logits)(QcLearner *l, float *logits, const uint8_t *x);
    /* Frees what did not come from qc_learner_take. NULL: there is nothing. */
    void (*close)(QcLearner *l);
} QcMethod;

struct QcLearner {
    const QcMethod *method;
    /* What it is given. The model's codes are changed in place; its channel arrays after qc_learner_own_channels. */
    QcQGraph *g;
    const QcFlip *flip;        /* NULL: the model has none */
    const QcKernels *kernels;
    QcCalibrateOptions device; /* complete; also has the seed and the rule by which slots are filled */
    double setting[QC_METHOD_SETTINGS]; /* in the order of method->settings */
    uint64_t seed;
    uint32_t capacity, batch_max, window; /* slots; examples of a batch, at most; bytes of a window */
    int threads;
    /* What there is once it is open. */
    QcSlots *slots;            /* the coreset */
    QcQRun run;                /* a forward pass of g, for whoever wants one */
    uint64_t macs;             /* multiply-adds of one forward pass */
    uint64_t bytes;            /* working memory so far: all that the method needs but the model and the batch; only grows */
    float *scale;              /* [g->n_channels] and the next three: g's own arrays once qc_learner_own_channels was called, else NULL */
    int32_t *bias, *multiplier;
    uint8_t *shift;
    void *state;               /* the method's */
    /* private */
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

/* ---- the table ---- */

/* Every method's name; entries without a method are known but not in this build. Ends with {0}. */
typedef struct QcMethodEntry {
    const char *name;
    const QcMethod *method;
} QcMethodEntry;
extern const QcMethodEntry qc_method_table[];

/* A sentence for a name that is unknown (with those that are known) or not in this build. */
const QcMethod *qc_method_find(const char *name, QcErr *err);

/* method->unsaved, where there is one. */
const char *qc_method_unsaved(const QcMethod *m, const double *setting);

/* "NAME=VALUE" texts over the defaults into values [QC_METHOD_SETTINGS]; QC_EUSAGE names the settings that there are, or the range. */
int qc_method_settings(double *values, const QcMethod *m, const char *const *texts, int n, QcErr *err);

/* ---- a learner's life ---- */

/* The caller sets method, g, flip, kernels, device, setting, seed, capacity, batch_max and threads (all else zero), calls _place, fills l->slots, calls _open. */
int qc_learner_place(QcLearner *l, QcErr *err);
int qc_learner_open(QcLearner *l, QcErr *err);
/* A batch: judged (before, after), learned from, and kept in part. ms (may be NULL): of the method alone, without judging. */
int qc_learner_next(QcLearner *l, QcMethodReport *report, const QcMethodBatch *batch, double *ms, QcErr *err);
void qc_learner_logits(QcLearner *l, float *logits, const uint8_t *x);
/* The class it answers, and (loss not NULL) -ln softmax[label]. logits [classes]: scratch. */
uint32_t qc_learner_answer(QcLearner *l, double *loss, float *logits, const uint8_t *x, uint16_t label);
void qc_learner_close(QcLearner *l); /* g keeps its codes and gets its own channel arrays back */

/* ---- for methods ---- */

/* n x size zeroed bytes that live until close, counted in l->bytes. */
void *qc_learner_take(QcLearner *l, size_t n, size_t size, QcErr *err);
/* Memory that the method has from elsewhere: counted by hand. */
void qc_learner_count(QcLearner *l, uint64_t bytes);
/* Makes scale, bias, multiplier and shift of g the learner's own copies; they stay valid until close. */
int qc_learner_own_channels(QcLearner *l, QcErr *err);
/* Gives output o of a CONV or LOGITS node another scale (> 0) and bias (in the units of its sums' values: scale_in * scale * integer); own channels only. Where integers
 * cannot say it, the bias is cut to the nearest that fits, and a scale that does not fit leaves the channel as it was. */
void qc_learner_set_channel(QcLearner *l, const QcQNode *node, uint32_t o, double scale, double bias);
/* What a quantized window stands for: out [window] = scale * (q - zero), as the float twin of the model eats it. */
void qc_learner_window(const QcLearner *l, float *out, const uint8_t *x);

/* The examples Z to learn from: filled slots, then the batch. x, labels: room for capacity + batch_max; returns how many, *n_slots (may be NULL) of them slots. */
uint32_t qc_learner_set(const QcLearner *l, const uint8_t **x, uint16_t *labels, uint32_t *n_slots, const QcMethodBatch *batch);

uint64_t qc_node_macs(const QcQGraph *g, const QcQNode *node); /* multiply-adds of a CONV or LOGITS node in one pass; 0 of others */

#endif
