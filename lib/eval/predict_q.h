/* predict_q.h - logits of many examples: by the integer forward pass for a quantized model, by the float one otherwise. */
#ifndef QC_EVAL_PREDICT_Q_H
#define QC_EVAL_PREDICT_Q_H

#include "../data/dataset.h"
#include "../device/qgraph.h"

/* logits [n][classes]. Each window is computed by itself, so the result does not depend on the threads. The data's shape must be the graph's. */
int qc_qpredict(const QcQGraph *g, const QcDataset *d, const QcNorm *norm, int threads, float *logits, QcErr *err);

/* Either kind of model, on data that fits it (qc_dataset_match). */
int qc_model_predict(const QcModelFile *m, const QcDataset *d, int threads, float *logits, QcErr *err);

#endif
