/* tflitegraph.h - putting a TensorFlow Lite graph together, tensor by tensor and operator by operator. Not for other
 * floors.
 *
 * All is copied into the arena, but scales and constants, which must live until the end. Tensors are named by their
 * index. A failure (only memory can be out) is remembered in `bad` and reported once, at the end.
 */
#ifndef QC_ONNX_TFLITEGRAPH_H
#define QC_ONNX_TFLITEGRAPH_H

#include "../base/arena.h"
#include "flatwrite.h"
#include "tflitefile.h"

enum { QC_TFLITE_OPTIONS = 7 }; /* most fields of an operator's options */

typedef struct QcTfliteMade {
    const char *name;
    int32_t type; /* QcTfliteType */
    uint32_t rank;
    int64_t dims[QC_TFLITE_RANK];
    const float *scale; /* [n_scale] */
    uint32_t n_scale;
    int32_t zero, axis; /* zero: of all scales */
    const void *data; /* [bytes], little endian; NULL: computed */
    size_t bytes;
} QcTfliteMade;

typedef struct QcTfliteCall {
    int32_t op; /* QcTfliteOp */
    uint32_t n_inputs, *inputs, output;
    int options; /* number of their table in the schema's union; 0: none */
    QcFlatField fields[QC_TFLITE_OPTIONS];
} QcTfliteCall;

typedef struct QcTfliteGraph {
    QcArena arena;
    QcTfliteMade *tensors;
    QcTfliteCall *calls;
    uint32_t n_tensors, n_calls, room_tensors, room_calls;
    int bad;
} QcTfliteGraph;

/* Index of a new tensor of real numbers or, with a scale, of int8 codes; the name is copied. */
uint32_t qc_tflite_add(QcTfliteGraph *g, const char *name, const int64_t *dims, uint32_t rank, const float *scale,
                       int32_t zero);
/* Index of a new constant. */
uint32_t qc_tflite_add_constant(QcTfliteGraph *g, const char *name, const int64_t *dims, uint32_t rank, int32_t type,
                                const void *data, size_t bytes);
/* n numbers as a constant of int32. */
uint32_t qc_tflite_add_ints(QcTfliteGraph *g, const char *name, const int64_t *dims, uint32_t rank,
                            const int64_t *values);
/* A new operator, whose options may be set; NULL if memory is out. */
QcTfliteCall *qc_tflite_call(QcTfliteGraph *g, int32_t op, int options, const uint32_t *inputs, uint32_t n,
                             uint32_t output);
void qc_tflite_set(QcTfliteCall *c, uint32_t field, uint8_t bytes, int32_t value); /* c may be NULL */

/* The file; *bytes is malloc'd. labels: a label per line, or NULL. */
int qc_tflite_pack(uint8_t **bytes, size_t *length, QcTfliteGraph *g, const char *name, uint32_t input,
                   uint32_t output, const char *labels, QcErr *err);

#endif
