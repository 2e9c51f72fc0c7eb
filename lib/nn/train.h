/* train.h - float training: mini-batches, schedule, validation, early stop, checkpoint and resume.
 *
 * Higher floors use the hook `after_epoch`: a miss log is filled by it, of which this floor knows nothing.
 */
#ifndef QC_NN_TRAIN_H
#define QC_NN_TRAIN_H

#include "../data/augment.h"
#include "../data/dataset.h"
#include "graph.h"
#include "optim.h"

typedef struct QcEpoch {
    uint32_t epoch, epochs;        /* epoch counts from 1 */
    double loss, accuracy;         /* on the training examples, as seen during the epoch */
    double valid_loss, valid_accuracy; /* NaN without a validation split */
    double seconds;                /* since training began (this process) */
} QcEpoch;

typedef struct QcTrainOptions {
    uint32_t epochs, batch;
    QcOptimKind optimizer;
    double rate, decay;
    double valid;         /* fraction held out, stratified; 0 = none */
    uint32_t patience;    /* epochs without better validation loss before stopping; 0 = never */
    QcAugment *augment;   /* of training windows; NULL = none */
    uint64_t seed;
    int threads;
    const char *checkpoint; /* path, NULL = none; written after every checkpoint_every epochs, never torn */
    uint32_t checkpoint_every;
    int resume;           /* start from the checkpoint if it is there; refuses one made with other options or data */
    /* Called after each epoch with the graph as it stands; stop with -1. NULL = none. */
    int (*after_epoch)(void *ctx, QcGraph *g, const QcEpoch *epoch, QcErr *err);
    void *ctx;
    /* State of the hook, saved in and restored from the checkpoint (both NULL = none). */
    int (*save_hook)(void *ctx, QcWriter *w, QcErr *err);
    int (*load_hook)(void *ctx, QcCursor *c, QcErr *err);
} QcTrainOptions;

extern const QcTrainOptions qc_train_defaults;
const char *qc_train_validate(const QcTrainOptions *o); /* NULL, or the sentence to print */
/* -1 if the file at `path` is no checkpoint: nothing else is written over. NULL: none is wanted. */
int qc_train_check_checkpoint(const char *path, QcErr *err);
/* Every label name becomes a class, so each needs an example, and there must be two. name: of the data in messages. */
int qc_train_check_classes(const QcDataset *d, const char *name, QcErr *err);

/* Trains g (reset beforehand by the caller) on d (labels mapped by map, see qc_dataset_match). With validation, g ends
 * with the parameters of the best epoch. Same options and data = same bytes, whatever the number of threads, whether or
 * not it was killed and resumed. */
int qc_train(QcGraph *g, const QcDataset *d, const QcNorm *norm, const int32_t *map, const QcTrainOptions *o,
             QcErr *err);

#endif
