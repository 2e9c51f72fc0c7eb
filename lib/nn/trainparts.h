/* trainparts.h - inside training: declarations shared by its parts. Not for other floors. */
#ifndef QC_NN_TRAINPARTS_H
#define QC_NN_TRAINPARTS_H

#include "train.h"

typedef struct QcTraining {
    QcGraph *g;
    const QcDataset *d;
    const QcNorm *norm;
    const int32_t *map;
    const QcTrainOptions *o;
    QcArena arena;
    uint32_t *train, n_train; /* example indices, in the data's order */
    uint32_t *valid, n_valid;
    QcOptim optim;
    /* what the next epoch starts from: with graph and optimizer all that a checkpoint needs, since shuffles depend on
     * seed and epoch alone */
    uint32_t epoch;           /* epochs done */
    uint32_t waited;          /* epochs since the best */
    double best_loss;         /* of validation; infinite before the first */
    float *best;              /* [n_params + n_stats] of the best epoch */
} QcTraining;

/* Holds out o->valid of every class, at least one example and never all of them. */
int qc_train_split(QcTraining *t, QcErr *err);

/* checkpoint.c: reading returns 1 if there was one, 0 if there is no such file, -1 if it does not fit. */
int qc_checkpoint_save(const QcTraining *t, QcErr *err);
int qc_checkpoint_load(QcTraining *t, QcErr *err);

#endif
