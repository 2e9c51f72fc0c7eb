/* cmodel.h - a quantized model, its flip network and its coreset as one C source and one header for lib/device (see
 * qc-firmware(7)). */
#ifndef QC_EXPORT_CMODEL_H
#define QC_EXPORT_CMODEL_H

#include <stdio.h>

#include "../device/driftwatch.h"
#include "../device/frontend.h"
#include "../format/modelfile.h"

enum { QC_C_PREDICT_STACK = 2048, QC_C_FLIP_STACK = 14 << 10 }; /* tests/device/push.sh measures some 1300 to predict */

typedef struct QcCModel {
    const char *prefix;      /* of every symbol */
    const QcModelFile *file; /* labels, normalization */
    const QcQGraph *g;
    const QcLearner *learner; /* placed, its coreset filled; NULL: the exported model predicts only */
    const QcDriftBase *drift; /* what the model knows of its source; NULL: nothing */
    const QcFrontEnd *front; /* of a model of sound; NULL: none */
    int has_learned;         /* 1: the learner starts from what the model file had learned */
    uint64_t identity;       /* of states */
    const char *origin;      /* words for the heads of the files: what made them, of what */
    uint64_t memory[2];      /* planned bytes if pointers have 4 bytes, and if they have 8 */
    uint64_t flash, ram;     /* bytes of constants; of all that changes, if pointers have 4 bytes */
} QcCModel;

void qc_cmodel_measure(QcCModel *m); /* fills memory, flash and ram from the rest */
uint64_t qc_cmodel_frames(const QcCModel *m); /* bytes of RAM more, if windows are cut on the device */
uint64_t qc_cmodel_stack(const QcCModel *m); /* bytes of stack of a prediction and an adapt */
const QcFlip *qc_cmodel_flips(const QcCModel *m); /* NULL: there are none */
uint32_t qc_cmodel_filled(const QcSlots *s); /* the filled slots come first; the others are empty */

void qc_cmodel_header(FILE *to, const QcCModel *m);
void qc_cmodel_source(FILE *to, const QcCModel *m);

#endif
