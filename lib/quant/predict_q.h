/* predict_q.h - logits of many examples: by the integer forward pass for a quantized model, by the float one otherwise. */
#ifndef QC_QUANT_PREDICT_Q_H
#define QC_QUANT_PREDICT_Q_H

#include "../data/dataset.h"
#include "../device/qgraph.h"

/* logits [n][classes] of either kind of model, on data that fits it (qc_dataset_match). A float model wants the values in memory. */
int qc_model_predict(const QcModelFile *m, const QcDataset *d, int threads, float *logits, QcErr *err);

#endif
