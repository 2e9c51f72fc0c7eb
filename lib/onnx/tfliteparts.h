/* tfliteparts.h - what the parts of the TensorFlow Lite importer share. Not for other floors. */
#ifndef QC_ONNX_TFLITEPARTS_H
#define QC_ONNX_TFLITEPARTS_H

#include "onnxwrite.h"
#include "tflitefile.h"

typedef struct QcTfliteRewrite {
    const QcTflite *t;
    QcFlat *flat;
    QcOnnxOut *out;
    const QcTfliteNode *at; /* the operator that is being rewritten; NULL: none yet */
    char (*names)[QC_ONNX_NAME]; /* [n_tensors] of values in the ONNX graph, real numbers */
    uint8_t *put; /* [n_tensors] bit k: the constant has been written in layout k */
    uint8_t *plain; /* [n_tensors] stays real numbers though the file quantizes it: the logits */
    uint64_t most; /* bytes that the ONNX graph may take */
    QcErr *err;
} QcTfliteRewrite;

/* In which order the axes of a constant are written. */
typedef enum QcTfliteLayout {
    QC_TFLITE_AS_IS,
    QC_TFLITE_OIHW, /* from [out][h][w][in] */
    QC_TFLITE_DEPTHWISE, /* [out][1][h][w], from [1][h][w][out] */
    QC_TFLITE_TURNED /* [in][out], from [out][in] */
} QcTfliteLayout;

/* "operator CONV_2D (tensor 'x'): ..."; always -1. */
int qc_tflite_refuse(QcTfliteRewrite *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- tflitevalues.c: tensors ---- */
const QcTfliteTensor *qc_tflite_input(QcTfliteRewrite *r, uint32_t k); /* NULL: left out */
const QcTfliteTensor *qc_tflite_output(QcTfliteRewrite *r);
/* The name of input k in the ONNX graph, where a constant is written first; NULL with a sentence. */
const char *qc_tflite_value(QcTfliteRewrite *r, uint32_t k);
/* The same of a constant in another layout. */
const char *qc_tflite_weight(QcTfliteRewrite *r, uint32_t k, QcTfliteLayout layout);
/* The same of input 2, the bias of a layer. */
const char *qc_tflite_bias(QcTfliteRewrite *r);
/* The constant that input k is, or that a DEQUANTIZE makes of one; NULL: it is computed or left out. */
const QcTfliteTensor *qc_tflite_constant(QcTfliteRewrite *r, uint32_t k);
/* A constant of int32 or int64 with at most `most` numbers; -1 with a sentence. */
int qc_tflite_ints(QcTfliteRewrite *r, int64_t *values, uint32_t *n, uint32_t most, uint32_t k);
/* Is the tensor of codes that the rewritten graph has, too? -1 with a sentence if its type is not supported. */
int qc_tflite_is_quantized(QcTfliteRewrite *r, const QcTfliteTensor *t);
/* to = real numbers of `from` as they are after codes of t's scale. */
int qc_tflite_requantize(QcTfliteRewrite *r, const char *to, const char *from, const QcTfliteTensor *t);

/* ---- tfliteops.c ---- */
int qc_tflite_node(QcTfliteRewrite *r); /* rewrites r->at */

#endif
