/* tflitefile.h - the parts of a TensorFlow Lite file that the importer needs, as structs. Not for other floors.
 *
 * The numbers of fields, operators and element types come from TensorFlow's schema.fbs (version 3, identifier
 * TFL3).
 * Indices are checked: every tensor, buffer and operator code that is named exists.
 */
#ifndef QC_ONNX_TFLITEFILE_H
#define QC_ONNX_TFLITEFILE_H

#include "flatbuffer.h"

enum { QC_TFLITE_RANK = 6 };

typedef enum QcTfliteType { /* of elements */
    QC_TFLITE_FLOAT32 = 0,
    QC_TFLITE_FLOAT16 = 1,
    QC_TFLITE_INT32 = 2,
    QC_TFLITE_UINT8 = 3,
    QC_TFLITE_INT64 = 4,
    QC_TFLITE_INT8 = 9
} QcTfliteType;

typedef enum QcTfliteOp { /* the operators that the importer knows */
    QC_TFLITE_ADD = 0,
    QC_TFLITE_AVERAGE_POOL_2D = 1,
    QC_TFLITE_CONCATENATION = 2,
    QC_TFLITE_CONV_2D = 3,
    QC_TFLITE_DEPTHWISE_CONV_2D = 4,
    QC_TFLITE_DEQUANTIZE = 6,
    QC_TFLITE_FULLY_CONNECTED = 9,
    QC_TFLITE_LOGISTIC = 14,
    QC_TFLITE_MAX_POOL_2D = 17,
    QC_TFLITE_MUL = 18,
    QC_TFLITE_RELU = 19,
    QC_TFLITE_RELU_N1_TO_1 = 20,
    QC_TFLITE_RELU6 = 21,
    QC_TFLITE_RESHAPE = 22,
    QC_TFLITE_SOFTMAX = 25,
    QC_TFLITE_TANH = 28,
    QC_TFLITE_CUSTOM = 32,
    QC_TFLITE_PAD = 34,
    QC_TFLITE_TRANSPOSE = 39,
    QC_TFLITE_MEAN = 40,
    QC_TFLITE_SUB = 41,
    QC_TFLITE_DIV = 42,
    QC_TFLITE_SQUEEZE = 43,
    QC_TFLITE_LOG_SOFTMAX = 50,
    QC_TFLITE_EXPAND_DIMS = 70,
    QC_TFLITE_SUM = 74,
    QC_TFLITE_REDUCE_MAX = 82,
    QC_TFLITE_LEAKY_RELU = 98,
    QC_TFLITE_ELU = 111,
    QC_TFLITE_QUANTIZE = 114,
    QC_TFLITE_HARD_SWISH = 117
} QcTfliteOp;

typedef struct QcTfliteTensor {
    const char *name; /* without control characters; may be empty, need not be unique */
    int32_t type; /* QcTfliteType, or one that is not supported */
    uint32_t rank;
    int64_t dims[QC_TFLITE_RANK]; /* 1 or more */
    uint64_t n; /* product of dims */
    int open; /* an axis but the first is of no fixed size */
    const uint8_t *data; /* [bytes] of a constant, in the file; NULL: computed */
    size_t bytes;
    QcFlatVector scale, zero; /* of float, of int64: 0, 1, or one for each index of axis quantized */
    uint32_t quantized;
    int sparse; /* constant in a form that is not supported */
    int32_t maker; /* index of the operator whose output it is; -1: none */
    uint32_t readers; /* operators that have it as an input, and the graph if it is an output */
} QcTfliteTensor;

typedef struct QcTfliteNode {
    int32_t op; /* QcTfliteOp, or another number */
    const char *custom; /* name of a custom operator, else "" */
    QcFlatVector inputs, outputs; /* of int32: tensors; -1: an input that is left out */
    QcFlatTable options;
    int options_type; /* number of the table in the schema's union; 0: none */
} QcTfliteNode;

typedef struct QcTflite {
    QcFlat flat;
    const char *name; /* of the graph; may be empty */
    uint32_t graphs; /* of the file: the first is read */
    QcTfliteTensor *tensors; /* [n_tensors] */
    QcTfliteNode *nodes; /* [n_nodes] in the order in which they are run */
    uint32_t n_tensors, n_nodes;
    QcFlatVector inputs, outputs; /* of int32: tensors */
    const char *labels; /* metadata "qcore.labels", which our own files have: a label per line; NULL: none */
} QcTflite;

/* All of it lives in the arena, or points into `bytes`. QC_EFORMAT if the bytes are no such file. */
int qc_tflite_parse(QcTflite *t, const uint8_t *bytes, size_t length, QcArena *arena, QcErr *err);

/* "CONV_2D"; NULL for a number that has no name here. */
const char *qc_tflite_op_name(int32_t op);

#endif
