/* split.h - which examples go where: training and test parts, groups, the batches of a stream.
 *
 * Nothing here copies examples: each function fills index lists, which qc_dataset_subset turns into datasets. The same
 * dataset, options and seed always give the same lists. Examples of two groups are of two recordings, even if the
 * recordings have the same name or none.
 */
#ifndef QC_DATA_SPLIT_H
#define QC_DATA_SPLIT_H

#include "dataset.h"

typedef enum QcSplitBy {
    QC_SPLIT_RANDOM,    /* examples drawn at random, within each class where stratified */
    QC_SPLIT_BLOCK,     /* within each class and recording the last examples in order */
    QC_SPLIT_RECORDING, /* whole recordings drawn at random, within each class where a recording has one class */
    QC_SPLIT_GROUP      /* whole groups drawn at random */
} QcSplitBy;

typedef struct QcSplitOptions {
    QcSplitBy by;
    double test;   /* fraction of the examples that become the test part, in (0, 1) */
    const char *const *leave; /* [n_leave] patterns of a shell ("*t5"). n_leave not 0: by and test do not matter, the
                                 test part is the recordings whose names fit a pattern; each must fit a name */
    uint32_t n_leave;
    int stratify;  /* RANDOM and RECORDING: the fraction holds within each class */
    uint64_t seed;
} QcSplitOptions;

extern const QcSplitOptions qc_split_defaults; /* block, .2, stratified, seed 1 */

int qc_split_by_name(QcSplitBy *by, const char *name, QcErr *err); /* "random", "block", "recording", "group" */

/* order [d->n]: the training part order[0 .. *n_train - 1], after it the test part, each in the order of the dataset.
 * Fails if a part would be empty, or a class would be missing from a part that needs it. */
int qc_split(uint32_t *order, uint32_t *n_train, const QcDataset *d, const QcSplitOptions *o, QcErr *err);

/* order [d->n]: the examples of the named groups, in the order of the dataset; *n says how many. An unknown name is an
 * error that lists the known ones. n_names = 0 picks all. */
int qc_split_pick_groups(uint32_t *order, uint32_t *n, const QcDataset *d, const char *const *names, uint32_t n_names,
                         QcErr *err);

typedef enum QcStreamOrder {
    QC_STREAM_SHUFFLED, /* by seed */
    QC_STREAM_RECORDED, /* as recorded */
    QC_STREAM_CLASSES   /* one class after another, each as recorded */
} QcStreamOrder;

int qc_stream_order_by_name(QcStreamOrder *kind, const char *name, QcErr *err); /* "shuffled", "recorded", "classes" */

/* Batch b is order[starts[b] .. starts[b + 1] - 1]; order [d->n], starts [batches + 1]; sizes differ by at most one. */
int qc_split_batches(uint32_t *order, uint32_t *starts, const QcDataset *d, uint32_t batches, QcStreamOrder kind,
                     uint64_t seed, QcErr *err);

#endif
