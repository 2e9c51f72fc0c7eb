/* onnxout.h - a model as ONNX: input "x" of raw windows [n][C][T] (or [n][C][H][W]), output "logits" [n][classes].
 *
 * The normalization stands in the graph. A float model is what it is. A quantized one is written as ONNX tools write
 * them: floats between QuantizeLinear and DequantizeLinear, weights as codes with a scale for each output channel, so
 * that a runtime may do it in integers. Such a runtime rounds halves to even and multiplies by floats where ours
 * multiplies by integers: some values differ by one step. Labels are kept as metadata "qcore.labels", a label per line.
 */
#ifndef QC_ONNX_ONNXOUT_H
#define QC_ONNX_ONNXOUT_H

#include "../format/modelfile.h"

/* How the codes of weights are written. ONNX Runtime adds two products of u8 x s8 in 16 bits on x86-64 without VNNI,
 * where 8-bit codes overflow: as UINT8 with the zero point 128 they do not. Codes of 2 and 4 bits are safe as they
 * are. */
typedef enum QcOnnxCodes {
    QC_ONNX_SAFE, /* UINT8 at 8 bits, INT8 below (operator set 13) */
    QC_ONNX_INT8, /* INT8 whatever the bits */
    QC_ONNX_INT4  /* INT4, two a byte, for 2 and 4 bits (operator set 21); a last layer of 8 bits as UINT8 */
} QcOnnxCodes;

int qc_onnx_save(const QcModelFile *m, const char *path, QcOnnxCodes codes, QcErr *err);
/* The same into memory: *bytes is malloc'd, the caller's. */
int qc_onnx_encode(uint8_t **bytes, size_t *length, const QcModelFile *m, QcOnnxCodes codes, QcErr *err);

#endif
