/* qpredict.h - logits of many windows: by the integer forward pass for a quantized model, on any number of threads, by
 * the float forward pass for a float model. */
#ifndef QC_QUANT_QPREDICT_H
#define QC_QUANT_QPREDICT_H

#include "qinput.h"
#include "windows.h"

/* logits [n][classes]. Each window is read and computed by itself, so the result does not depend on the threads. The
 * data's shape must be the graph's. */
int qc_qpredict(const QcQGraph *g, const QcDataset *d, const QcNorm *norm, int threads, float *logits, QcErr *err);
/* What one thread of it needs, besides the logits; plan (may be NULL) says what for. */
uint64_t qc_qpredict_bytes(QcPlan *plan, const QcQGraph *g);

/* logits [n][classes] of either kind of model, on data that fits it (qc_dataset_match). A float model wants the values
 * in memory. */
int qc_model_predict(const QcModelFile *m, const QcDataset *d, int threads, float *logits, QcErr *err);

/* Mean cross-entropy of floats in memory; right (may be NULL) counts. */
int qc_windows_loss(double *loss, uint32_t *right, const QcWindows *w, const QcQGraph *g, int threads, QcErr *err);

#endif
