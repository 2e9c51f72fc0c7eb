/* session.h - a calibration session on the workstation: a quantized model, its coreset and streams of labelled batches,
 * one after another, around one method.
 *
 * The session owns everything it loads and the method with its memory. Files are written between batches, never torn:
 * each is the state after a whole batch. A model that has learned before (format/learnedfile.h) goes on from there.
 */
#ifndef QC_LIVE_SESSION_H
#define QC_LIVE_SESSION_H

#include "../data/split.h"
#include "../format/driftfile.h"
#include "../format/statefile.h"
#include "../quant/qinput.h"
#include "method.h"
#include "transfer.h"

typedef struct QcSessionOptions {
    uint32_t batches;          /* each stream is cut into so many; 0: by batch_size */
    uint32_t batch_size;
    QcStreamOrder order;
    const QcMethod *method;    /* NULL: qcore where the model has a bit-flip network, else closed */
    const char *const *settings; /* [n_settings] "NAME=VALUE", for the method */
    int n_settings, threads;
    const char *const *tune;   /* [n_tune] "NAME=VALUE", for the learner's parameters (format/parametertable.h) */
    int n_tune;
    int asks;                  /* 1: only `ask` windows per batch get their label; 0: all that have a label */
    uint32_t ask;              /* the learner chooses; off the device a learner beside the method (labelsonly.h) */
    uint64_t seed;
    const char *state;         /* file whose new classes are known from the start; NULL: none */
    const char *command;       /* for the provenance */
} QcSessionOptions;

typedef struct QcSession {
    QcArena arena;
    QcModelFile model;
    QcQGraph g;
    QcFlip flip;                 /* all zero where the model has none and the method wants none */
    QcInputs coreset;            /* windows stay in the files and are read when they are wanted */
    QcInputs streams[QC_TRANSFER_STREAMS];
    uint32_t n_streams;
    uint32_t known;              /* classes that the model file names; later ones took spare rows */
    uint32_t named;              /* the same, and classes that the state names */
    QcMethodRun learner;         /* .bytes: all that it needs but the model and the batch: coreset, activations, the
                                    method's own */
    QcMethodRun asker;           /* chooses what to label for a method off the device; all zero if none is needed */
    QcQGraph asker_graph;
    uint64_t model_bytes;        /* codes, scales, and the flip network if the method uses it */
    uint64_t batch_bytes;        /* the largest batch, quantized, with labels and ids; 0 of methods on the device, which
                                    take one window after another */
    uint32_t *order, *starts;    /* examples, each by its place in its own stream, stream after stream; where each batch
                                    begins among them */
    uint32_t *ends;              /* [n_streams] batches at which each stream has ended */
    uint32_t batches, at;        /* in all; done */
    uint8_t *batch;              /* quantized windows of a batch; NULL of methods on the device, as are labels and
                                    ids */
    uint16_t *labels;
    uint64_t *ids;
    int asks;                    /* as in the options */
    uint32_t ask;
    uint32_t *numbers;           /* [ask] windows that the learner asks for */
    uint32_t *labelled, n_labelled; /* places in `order` of the windows whose label is given in this batch, ascending;
                                    of methods on the device if asks */
    uint64_t input;              /* names streams and batches, for the learner's counters */
    QcStateFile kept;            /* all zero where no state is kept */
    int stamped;
    int has_learned;             /* 1: the model file carried what it had learned */
    QcDriftBase drift;           /* features 0: not known, or no method of the device */
    QcTally source;              /* kept source examples that the model has right before the session; n 0: not known */
    const char *command;
} QcSession;

/* Loads and checks all; each example of the coreset must be labelled, and some of a stream if the method learns from
 * these alone, unless no label is given (asks, and ask is 0). */
int qc_session_open(QcSession *s, const char *model, const char *coreset, const char *const *streams, int n_streams,
                    const QcSessionOptions *o, QcErr *err);
/* Keeps the learner's state in a file from now on, after every batch. A state of the same model, coreset and parameters
 * is taken up; if it was on its way through this very stream, the session goes on after its last batch (s->at). Only of
 * methods on the device, and of one stream. */
int qc_session_keep(QcSession *s, const char *path, QcErr *err);
/* The stream that batch b is of. */
uint32_t qc_session_stream(const QcSession *s, uint32_t b);
/* What a batch of n windows needs memory for. */
void qc_session_plan_batch(QcPlan *plan, uint32_t n, uint32_t window);
/* Next batch; ms (may be NULL): time of the method alone. Call while s->at < s->batches. */
int qc_session_next(QcSession *s, QcMethodReport *report, double *ms, QcErr *err);
/* What the learner makes of the labelled examples of test data as it stands. */
typedef struct QcTestFigures {
    double accuracy, ece; /* NaN: no window is labelled */
} QcTestFigures;
int qc_session_test(QcSession *s, QcTestFigures *figures, const QcInputs *test, QcErr *err);
/* The model as it stands (refused if the method's result is no plain one: qc_method_unsaved), the coreset as it
 * stands. NULL or "-": stdout. */
int qc_session_save_model(QcSession *s, const char *path, QcErr *err);
int qc_session_save_coreset(QcSession *s, const char *path, QcErr *err);
void qc_session_close(QcSession *s);

#endif
