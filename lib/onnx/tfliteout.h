/* tfliteout.h - a quantized model as TensorFlow Lite: input "x" of raw windows, float32 [1][H][W][C] (H = 1 for
 * series); output "logits", float32 [1][classes].
 *
 * All layers but the last compute on int8 codes, with the model's own codes and scales; the normalization before them
 * and the last layer, whose logits have no scale, compute on float32. A runtime multiplies by other integers than ours:
 * some values differ by one step. Class names are metadata "qcore.labels", a label per line.
 */
#ifndef QC_ONNX_TFLITEOUT_H
#define QC_ONNX_TFLITEOUT_H

#include "../format/modelfile.h"

/* QC_EUNSUPPORTED for what TensorFlow Lite has no operator for: tables, standard deviations, activations below 8
 * bits. */
int qc_tflite_save(const QcModelFile *m, const char *path, QcErr *err);
/* The same into memory: *bytes is malloc'd, the caller's. */
int qc_tflite_encode(uint8_t **bytes, size_t *length, const QcModelFile *m, QcErr *err);

#endif
