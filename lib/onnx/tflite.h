/* tflite.h - TensorFlow Lite models in (float32, float16 weights, int8 and uint8 with their scales).
 *
 * The graph is written anew as ONNX nodes in memory, channels-last, and read as ONNX files are (onnx.h): layouts,
 * folding, normalization and refusals are shared with ONNX. The logits of a quantized model are not rounded.
 * A model whose output has the size of its input and no softmax (an autoencoder) is refused, unless class names are
 * given.
 */
#ifndef QC_ONNX_TFLITE_H
#define QC_ONNX_TFLITE_H

#include "onnx.h"

/* As qc_onnx_load and qc_onnx_decode. o->folder is not used. */
int qc_tflite_load(QcModelFile *m, uint8_t digest[QC_DIGEST_BYTES], const char *path, const QcOnnxOptions *o,
                   QcOnnxNotes *notes, QcErr *err);
int qc_tflite_decode(QcModelFile *m, const uint8_t *bytes, size_t length, const QcOnnxOptions *o, QcOnnxNotes *notes,
                     QcErr *err);

#endif
