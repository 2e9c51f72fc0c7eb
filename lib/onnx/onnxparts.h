/* onnxparts.h - what the parts of the ONNX reader tell each other. Not for other floors.
 *
 * Every ONNX value is known by name. It is a constant, or it is computed: then it is a node of our graph together with what each of its ONNX
 * axes means there. Reshape, Transpose, Squeeze and their like only change those meanings. Whatever the file said is checked before it is believed.
 */
#ifndef QC_ONNX_ONNXPARTS_H
#define QC_ONNX_ONNXPARTS_H

#include "../nn/graph.h"
#include "onnx.h"
#include "onnxproto.h"

enum { QC_ONNX_RANK = 8 };

typedef enum QcAxis { QC_AXIS_CHANNEL, QC_AXIS_HEIGHT, QC_AXIS_WIDTH, QC_AXIS_BATCH, QC_AXIS_ONE /* of size 1, of no meaning */, QC_AXIS_FLAT } QcAxis;

typedef struct QcTensor {
    uint32_t rank;
    int64_t dims[QC_ONNX_RANK];
    size_t n;         /* product of dims */
    const float *f;   /* [n], or NULL */
    const int64_t *i; /* [n], or NULL: integers and flags */
} QcTensor;

typedef enum QcValueKind { QC_VALUE_NONE, QC_VALUE_CONSTANT, QC_VALUE_COMPUTED } QcValueKind;

typedef struct QcValue {
    QcValueKind kind;
    QcTensor constant;
    uint32_t node; /* of our graph */
    uint32_t rank;
    uint8_t axis[QC_ONNX_RANK]; /* QcAxis */
    uint8_t flat[3], n_flat;    /* which axes lie in the FLAT one, slowest first */
    uint32_t pad[4];            /* top, bottom, left, right: padding that whoever reads it must add */
    float padding;              /* its value: 0 or -infinity */
    int alone;                  /* nobody else reads the node */
} QcValue;

/* Where the parameters of a node come from: [n_weight], [n_bias], [channels], [channels] in our layout; NULL = as qc_graph_finish leaves them. */
typedef struct QcFill {
    const float *weight, *bias, *mean, *variance;
} QcFill;

typedef struct QcOnnxName {
    const char *name;
    uint32_t uses;                     /* readers of its values among the nodes that matter; the graph's output is one, too */
    int needed;                        /* somebody who matters reads it */
    const Onnx__TensorProto *tensor;   /* an initializer's */
    const Onnx__NodeProto *maker;
    QcValue value;
} QcOnnxName;

typedef struct QcOnnxImport {
    const Onnx__ModelProto *model;
    const Onnx__GraphProto *graph;
    const QcOnnxOptions *o;
    QcGraph *g;
    QcArena arena;
    QcErr *err;
    int64_t opset, batch;
    QcOnnxName *names; /* [n_names] sorted */
    uint32_t n_names;
    const Onnx__NodeProto *at; /* the node that is being read */
    uint32_t number;           /* its index */
    QcFill *fills;             /* [QC_MAX_NODES] by node of our graph */
    float *gain, *shift;       /* [channels] what happens to a window in front of everything; NULL: nothing */
    int softmax;
    int turned, as_it_stands;  /* the input's axes were taken to be channels-last; they must not be */
} QcOnnxImport;

/* ---- onnxnames.c: names, inputs, attributes, sentences ---- */

/* "operator Conv (node 'x'): ..."; always -1. */
int qc_onnx_refuse(QcOnnxImport *im, const char *format, ...) __attribute__((format(printf, 2, 3))); /* QC_EUNSUPPORTED */
int qc_onnx_wrong(QcOnnxImport *im, const char *format, ...) __attribute__((format(printf, 2, 3)));  /* QC_EFORMAT */

int qc_onnx_index(QcOnnxImport *im);             /* sorts the names; refuses what is defined twice */
QcOnnxName *qc_onnx_find(const QcOnnxImport *im, const char *name); /* NULL: none */
int qc_onnx_has(const QcOnnxImport *im, uint32_t k);  /* is input k of the node given? */
const QcValue *qc_onnx_input(QcOnnxImport *im, uint32_t k);    /* NULL with a sentence */
const QcValue *qc_onnx_computed(QcOnnxImport *im, uint32_t k); /* the same, and it must not be a constant */
const QcTensor *qc_onnx_floats(QcOnnxImport *im, uint32_t k);  /* the same, a constant of floats */
const QcTensor *qc_onnx_ints(QcOnnxImport *im, uint32_t k);    /* the same, of integers */
int qc_onnx_put(QcOnnxImport *im, QcValue value);     /* the node's (first) output */
int qc_onnx_put_tensor(QcOnnxImport *im, QcTensor t);

const Onnx__AttributeProto *qc_onnx_attribute(const QcOnnxImport *im, const char *name); /* NULL: not given */
int64_t qc_onnx_int(const QcOnnxImport *im, const char *name, int64_t fallback);
float qc_onnx_float(const QcOnnxImport *im, const char *name, float fallback);
int qc_onnx_is_text(const QcOnnxImport *im, const char *name, const char *text); /* a string attribute has this value */

/* A list of integers that newer opsets give as input k and older ones as an attribute; *list is NULL where there is neither. */
int qc_onnx_list(QcOnnxImport *im, const int64_t **list, size_t *n, const char *attribute, uint32_t k);
/* An axis of a value of that rank, counted from behind where negative: -1 with a sentence. */
int qc_onnx_axis(QcOnnxImport *im, int64_t axis, uint32_t rank);

/* A name for a node of our graph, that none has yet: the weight's where it ends in ".weight", else the ONNX node's. */
void qc_onnx_name(QcOnnxImport *im, char name[QC_NAME_MAX + 1], const char *weight);

/* ---- onnxgraph.c: the nodes in order ---- */

/* Builds and fills im->g from im->model. im->err is set. */
int qc_onnx_build(QcOnnxImport *im);

/* ---- onnxtensor.c: constants ---- */
int qc_onnx_tensor(QcOnnxImport *im, QcTensor *t, const Onnx__TensorProto *proto);
int qc_tensor_floats(QcOnnxImport *im, QcTensor *t, float **values, uint32_t rank, const int64_t *dims);  /* allocates */
int qc_tensor_ints(QcOnnxImport *im, QcTensor *t, int64_t **values, uint32_t rank, const int64_t *dims);

/* ---- onnxvalue.c: what axes mean ---- */
int64_t qc_value_axis_size(const QcOnnxImport *im, const QcValue *v, QcAxis axis);
int64_t qc_value_dim(const QcOnnxImport *im, const QcValue *v, uint32_t k);
int qc_value_same_axes(const QcOnnxImport *im, const QcValue *a, const QcValue *b);
/* Axes in the order in which the values of one window lie in ONNX, those of size 1 left out. */
uint32_t qc_value_order(const QcOnnxImport *im, const QcValue *v, uint8_t order[3]);
/* Spatial axis k (2, 3) of [N][C][...] is our height (0) or width (1). -1 with a sentence where the value has other axes. */
int qc_value_spatial(QcOnnxImport *im, const QcValue *v, int where[2]);
int qc_value_settle(QcOnnxImport *im, QcValue *v); /* puts pending padding into a node of its own */
/* A constant that broadcasts along all axes but the channels: values [channels of the node]; NULL with a sentence. */
const float *qc_value_channels(QcOnnxImport *im, const QcValue *v, const QcTensor *t);

/* ---- operators: each reads im->at ---- */
int qc_onnx_conv(QcOnnxImport *im);
int qc_onnx_pool(QcOnnxImport *im);
int qc_onnx_global_pool(QcOnnxImport *im);
int qc_onnx_reduce_mean(QcOnnxImport *im);
int qc_onnx_batchnorm(QcOnnxImport *im);
int qc_onnx_relu(QcOnnxImport *im);
int qc_onnx_clip(QcOnnxImport *im);
int qc_onnx_gemm(QcOnnxImport *im);
int qc_onnx_matmul(QcOnnxImport *im);
int qc_onnx_arithmetic(QcOnnxImport *im);
int qc_onnx_concat(QcOnnxImport *im);
int qc_onnx_pad(QcOnnxImport *im);
int qc_onnx_same(QcOnnxImport *im);
int qc_onnx_softmax(QcOnnxImport *im);
int qc_onnx_flatten(QcOnnxImport *im);
int qc_onnx_reshape(QcOnnxImport *im);
int qc_onnx_squeeze(QcOnnxImport *im);
int qc_onnx_unsqueeze(QcOnnxImport *im);
int qc_onnx_transpose(QcOnnxImport *im);
int qc_onnx_shape(QcOnnxImport *im);

/* ---- onnxfold.c: the same on constants alone ---- */
int qc_fold_constant(QcOnnxImport *im);
int qc_fold_filled(QcOnnxImport *im);
int qc_fold_arithmetic(QcOnnxImport *im);
int qc_fold_concat(QcOnnxImport *im);
int qc_fold_gather(QcOnnxImport *im);
int qc_fold_slice(QcOnnxImport *im);
int qc_fold_reshape(QcOnnxImport *im);
int qc_fold_transpose(QcOnnxImport *im);
int qc_fold_cast(QcOnnxImport *im);

#endif
