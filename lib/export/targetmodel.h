/* targetmodel.h - what a model in a file needs on a target: instructions, milliseconds, RAM and flash. */
#ifndef QC_EXPORT_TARGETMODEL_H
#define QC_EXPORT_TARGETMODEL_H

#include "target.h"

typedef struct QcTargetLayer {
    const char *kind; /* "convolution", "mean" ... */
    uint32_t channels;
    double instructions;
} QcTargetLayer;

/* RAM and flash of a firmware: what the header of an exported model says (qc-export(1)), frames, stack and code. */
typedef struct QcTargetModel {
    QcTarget target;
    uint32_t n_layers;
    QcTargetLayer *layers;
    double quantize, predict, adapt; /* instructions; adapt 0: it does not learn */
    double frame; /* instructions of a frame of the front-end; 0: the model has none */
    uint32_t frames; /* of a window */
    uint64_t ram, stack, flash, code; /* bytes; ram without stack, flash without code */
} QcTargetModel;

/* A learner with that many slots of the coreset, all filled, and examples in a batch; slots 0: predicts only. Names of
 * layers are static. */
int qc_target_of_model(QcTargetModel *m, const char *path, const char *target, uint32_t slots, uint32_t batch,
                       QcErr *err);
void qc_target_release(QcTargetModel *m);

#endif
