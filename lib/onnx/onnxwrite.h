/* onnxwrite.h - putting an ONNX graph together, node by node. Not for other floors.
 *
 * Names are copied. A failure (only memory can be out) is kept in `bad` and reported once, at the end.
 */
#ifndef QC_ONNX_ONNXWRITE_H
#define QC_ONNX_ONNXWRITE_H

#include "../nn/graph.h"
#include "onnxout.h"
#include "onnxproto.h"

enum { QC_ONNX_NAME = 96 }; /* room for a name made here */

typedef struct QcOnnxOut {
    QcArena arena;
    Onnx__GraphProto graph;
    size_t room_nodes, room_tensors;
    int64_t opset;
    int spatial; /* axes after the channels: 1 or 2 */
    int bad;
} QcOnnxOut;

/* The node, to which attributes may be added; its name is its output's name. */
Onnx__NodeProto *qc_out_node(QcOnnxOut *out, const char *op, const char *output, const char *a, const char *b,
                             const char *c);
/* inputs after those it has */
void qc_out_more(QcOnnxOut *out, Onnx__NodeProto *node, const char *const *inputs, uint32_t n);
void qc_out_int(QcOnnxOut *out, Onnx__NodeProto *node, const char *name, int64_t value);
void qc_out_float(QcOnnxOut *out, Onnx__NodeProto *node, const char *name, float value);
void qc_out_ints(QcOnnxOut *out, Onnx__NodeProto *node, const char *name, const int64_t *values, uint32_t n);

/* Initializers: the values are copied. */
void qc_out_floats(QcOnnxOut *out, const char *name, const int64_t *dims, uint32_t rank, const float *values);
void qc_out_numbers(QcOnnxOut *out, const char *name, const int64_t *dims, uint32_t rank, const int64_t *values);
/* The bytes of a tensor of that type, to be filled by the caller; NULL if memory is out. */
uint8_t *qc_out_raw(QcOnnxOut *out, const char *name, const int64_t *dims, uint32_t rank, int32_t type, size_t bytes);

/* An input or output of the graph, of float; a dimension of 0 is open. NULL if memory is out. */
Onnx__ValueInfoProto *qc_out_value_info(QcOnnxOut *out, const char *name, const int64_t *dims, uint32_t rank);

/* What every window node has: kernel_shape, strides, dilations (unless all are 1) and pads; 1-D where the graph is. */
typedef struct QcOutWindow {
    uint32_t kernel[2], stride[2], dilation[2], before[2], after[2];
} QcOutWindow;
void qc_out_window(QcOnnxOut *out, Onnx__NodeProto *node, const QcOutWindow *w);

/* output = the standard deviation of each channel of x over all positions. */
void qc_out_std(QcOnnxOut *out, const char *output, const char *x);

/* output = x, whose numbers lie channels-last, read by the loops and laid out as [height][width][channels] (nn/graph.h,
 * TURN). */
void qc_out_turn(QcOnnxOut *out, const char *output, const char *x, const QcLoops *loops, uint32_t height,
                 uint32_t width, uint32_t channels);

/* [channels][1]..: one value a channel that broadcasts over windows. */
void qc_out_channels(QcOnnxOut *out, const char *name, const float *values, uint32_t channels);

/* Input "x" and, where the model normalizes, the nodes for that: their result's name is written to `name`. */
void qc_out_input(QcOnnxOut *out, char name[QC_ONNX_NAME], const QcModelFile *m);

/* The two graphs: the result is named "logits". */
int qc_onnx_write_float(QcOnnxOut *out, const QcModelFile *m, QcErr *err);
int qc_onnx_write_quantized(QcOnnxOut *out, const QcModelFile *m, QcOnnxCodes codes, QcErr *err);

#endif
