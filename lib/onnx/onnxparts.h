/* onnxparts.h - what the parts of the ONNX reader share. Not for other floors.
 *
 * Every ONNX value is known by name. A value is a constant, or a view of a node of our graph: each of its axes is a
 * list of atoms (size, stride) in the node's [height][width][channels]. Reshape, Transpose, Slice and their like only
 * change the view; an operator that needs its input in another order adds a TURN. Functions of single values and
 * padding wait at the value until an operator needs the numbers. Whatever the file says is checked before use.
 */
#ifndef QC_ONNX_ONNXPARTS_H
#define QC_ONNX_ONNXPARTS_H

#include "../nn/graph.h"
#include "onnx.h"
#include "onnxproto.h"

enum { QC_ONNX_RANK = 8, QC_ONNX_ATOMS = 16 };

typedef struct QcTensor {
    uint32_t rank;
    int64_t dims[QC_ONNX_RANK];
    size_t n; /* product of dims */
    const float *f; /* [n], or NULL */
    const int64_t *i; /* [n], or NULL: integers and flags */
    int32_t type; /* TensorProto.DataType, if it came from the file as it is */
    const float *step; /* [n_step] f is codes times these, along step_axis; NULL: f is not of codes */
    uint32_t n_step, step_axis;
} QcTensor;

typedef enum QcValueKind { QC_VALUE_CONSTANT, QC_VALUE_COMPUTED } QcValueKind;

typedef struct QcAtom {
    uint32_t size, stride; /* size > 1 */
    uint32_t axis;
} QcAtom;

typedef struct QcValue {
    QcValueKind kind;
    QcTensor constant;
    uint32_t node; /* of our graph */
    uint32_t offset; /* of the first number in the node */
    uint32_t rank; /* axis 0 has the batch, and may have atoms inside it */
    uint32_t n_atoms;
    QcAtom atoms[QC_ONNX_ATOMS]; /* by axis, slowest first */
    uint32_t n_steps; /* a function of each number that waits; 0: none */
    QcStep steps[QC_MAX_STEPS];
    uint32_t pads[QC_ONNX_RANK][2]; /* padding that waits, after the function */
    float padding; /* its value: 0 or -infinity */
    int alone; /* the node has no other reader than this value */
    float step; /* the value is codes of this scale and zero point (0..255); 0: real numbers */
    uint32_t zero;
    int signed_codes; /* of -128 to 127 in the file, not 0 to 255 */
    int index; /* the codes choose from a table */
    int ends; /* a Softmax was left out: only axes may change from here on */
} QcValue;

/* Where the parameters of a node come from: [n_weight], [n_bias], [channels], [channels] in our layout; NULL = as
 * qc_graph_finish leaves them. */
typedef struct QcFill {
    const float *weight, *bias, *mean, *variance;
    const float *step; /* [channels] weights are codes times these; NULL: they are not of codes */
    int only_pads; /* 1: a depthwise convolution that copies its input and pads it */
} QcFill;

typedef struct QcOnnxName {
    const char *name;
    uint32_t uses; /* readers of its values among the needed nodes; the graph's output counts */
    int needed;
    const Onnx__TensorProto *tensor; /* of an initializer */
    const Onnx__NodeProto *maker;
    QcValue *value; /* NULL: not made yet */
} QcOnnxName;

/* Which of our axes an ONNX axis becomes; QC_AXIS_NONE for axes of size 1. */
typedef enum QcAxisRole { QC_AXIS_CHANNELS, QC_AXIS_HEIGHT, QC_AXIS_WIDTH, QC_AXIS_NONE } QcAxisRole;
typedef struct QcAxes {
    uint8_t of[QC_ONNX_RANK]; /* QcAxisRole by ONNX axis */
} QcAxes;

/* What another format knows of the values of its graph. */
typedef struct QcOnnxShapes {
    /* The size of each axis of a value, at most QC_ONNX_RANK of them; returns their number, -1 if it is not known. */
    int (*dims)(const void *context, const char *name, int64_t dims[QC_ONNX_RANK]);
    const void *context;
} QcOnnxShapes;

typedef struct QcOnnxImport {
    const Onnx__ModelProto *model;
    const Onnx__GraphProto *graph;
    const QcOnnxOptions *o;
    QcGraph *g;
    QcArena arena;
    QcArena work; /* values, constants and weights of one reading of the graph */
    uint64_t file_bytes; /* what the model was read from, external data included: the bound of `work` */
    struct QcExternal *externals; /* files of external data that were read */
    QcErr *err;
    int64_t opset, batch;
    QcOnnxName *names; /* [n_names] sorted */
    uint32_t n_names;
    const Onnx__NodeProto *at; /* the node that is being read */
    uint32_t number; /* its index */
    QcFill *fills; /* [QC_MAX_NODES] by node of our graph */
    float *gain, *shift; /* [channels] what happens to a window before everything else; NULL: nothing */
    uint32_t layout; /* which reading of the input's axes is tried */
    const QcOnnxShapes *shapes; /* computed values must have these; NULL: they may have any */
    int channels_last; /* only that reading is tried */
    int plain; /* quantized values are read as real numbers */
    QcOnnxNotes notes;
    const char *output; /* name of the logits */
} QcOnnxImport;

/* ---- onnxnames.c: names, inputs, attributes, sentences ---- */

/* "operator Conv (node 'x'): ..."; always -1. */
int qc_onnx_refuse(QcOnnxImport *im, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* QC_EUNSUPPORTED */
int qc_onnx_wrong(QcOnnxImport *im, const char *format, ...) __attribute__((format(printf, 2, 3))); /* QC_EFORMAT */

int qc_onnx_index(QcOnnxImport *im); /* sorts the names; refuses what is defined twice */
QcOnnxName *qc_onnx_find(const QcOnnxImport *im, const char *name); /* NULL: none */
int qc_onnx_has(const QcOnnxImport *im, uint32_t k); /* is input k of the node given? */
const QcValue *qc_onnx_input(QcOnnxImport *im, uint32_t k); /* NULL with a sentence */
const QcTensor *qc_onnx_floats(QcOnnxImport *im, uint32_t k); /* the same, a constant of floats */
const QcTensor *qc_onnx_ints(QcOnnxImport *im, uint32_t k); /* the same, of integers */

/* A copy of a computed input. RAW: function and padding may wait; VIEW: the same if there is no other reader; APPLIED:
 * padding may wait; SETTLED: nothing waits. */
typedef enum QcTake { QC_TAKE_RAW, QC_TAKE_VIEW, QC_TAKE_APPLIED, QC_TAKE_SETTLED } QcTake;
int qc_onnx_take(QcOnnxImport *im, QcValue *v, uint32_t k, QcTake how);

int qc_onnx_take_number(QcOnnxImport *im, QcValue *v); /* input 0 as QC_TAKE_RAW, or a constant */

int qc_onnx_put(QcOnnxImport *im, const QcValue *value); /* the node's (first) output */
int qc_onnx_put_output(QcOnnxImport *im, uint32_t k, const QcValue *value);
int qc_onnx_put_tensor(QcOnnxImport *im, QcTensor t);

const Onnx__AttributeProto *qc_onnx_attribute(const QcOnnxImport *im, const char *name); /* NULL: not given */
int64_t qc_onnx_int(const QcOnnxImport *im, const char *name, int64_t fallback);
float qc_onnx_float(const QcOnnxImport *im, const char *name, float fallback);
int qc_onnx_is_text(const QcOnnxImport *im, const char *name, const char *text); /* a string attribute has this value */
/* Every attribute of the node must be one of `known`: "axis:i pads:I auto_pad:s epsilon:f value:t", separated by
 * spaces. */
int qc_onnx_check_attributes(QcOnnxImport *im, const char *known);

/* A list of integers that newer opsets give as input k and older ones as an attribute; *list is NULL if neither is
 * given. */
int qc_onnx_list(QcOnnxImport *im, const int64_t **list, size_t *n, const char *attribute, uint32_t k);
/* An axis of a value of that rank, counted from the end if negative: -1 with a sentence. */
int qc_onnx_axis(QcOnnxImport *im, int64_t axis, uint32_t rank);
/* Marks the axes that are listed, in a value that has `rank` of them; -1 with a sentence. */
int qc_onnx_mark(QcOnnxImport *im, uint8_t mark[QC_ONNX_RANK], const int64_t *list, size_t n, uint32_t rank);

/* A name for a node of our graph, that no node has yet: the weight's if it ends in ".weight", else the ONNX node's. */
void qc_onnx_name(QcOnnxImport *im, char name[QC_NAME_MAX + 1], const char *weight);

/* ---- onnxin.c ---- */

/* qc_onnx_decode of a model in memory whose input is [N][T][C] or [N][H][W][C]; file_bytes: of its file. */
int qc_onnx_import(QcModelFile *m, const Onnx__ModelProto *model, uint64_t file_bytes, const QcOnnxShapes *shapes,
                   const QcOnnxOptions *o, QcOnnxNotes *notes, QcErr *err);

/* ---- onnxgraph.c: the nodes in order ---- */

/* Builds and fills im->g from im->model. im->err is set. */
int qc_onnx_build(QcOnnxImport *im);
/* ---- onnxends.c: the model's input and output ---- */
int qc_onnx_choose_output(QcOnnxImport *im);
int qc_onnx_begin(QcOnnxImport *im);
int qc_onnx_end(QcOnnxImport *im);
uint32_t qc_onnx_layouts(const QcOnnxImport *im); /* how many readings of the input's axes there are */

/* ---- onnxtensor.c: constants ---- */
/* n x size zeroed bytes until the graph is read again; NULL with a sentence if the values, constants and weights take
 * far more than the file (a few bytes can ask for gigabytes). */
void *qc_onnx_room(QcOnnxImport *im, uint64_t n, uint64_t size);
int qc_onnx_tensor(QcOnnxImport *im, QcTensor *t, const Onnx__TensorProto *proto);
int qc_tensor_floats(QcOnnxImport *im, QcTensor *t, float **values, uint32_t rank, const int64_t *dims); /* allocates */
int qc_tensor_ints(QcOnnxImport *im, QcTensor *t, int64_t **values, uint32_t rank, const int64_t *dims);

int qc_tensor_range(int64_t type, int64_t *low, int64_t *high); /* of an integer type; 0: it is another */

/* ---- onnxview.c: the view ---- */
int64_t qc_view_dim(const QcOnnxImport *im, const QcValue *v, uint32_t axis); /* with padding that waits */
uint32_t qc_view_size(const QcValue *v, uint32_t axis); /* without it, and without the batch */
uint32_t qc_view_values(const QcValue *v); /* numbers of one window */
void qc_view_clean(QcValue *v); /* sorts atoms, drops sizes of 1, joins neighbours */
int qc_view_covers(const QcOnnxImport *im, const QcValue *v); /* every number of the node is in the view once */
/* Gives v the dimensions dims[0..rank-1], dims[0] being a multiple of the batch; -1 with a sentence. */
int qc_view_reshape(QcOnnxImport *im, QcValue *v, const int64_t *dims, uint32_t rank);
/* Brings all numbers of an axis of more than one into one atom, number *at. */
int qc_view_join(QcOnnxImport *im, QcValue *v, uint32_t axis, uint32_t *at);
/* v becomes `count` places of its axis, which must be counted by loops; -1 with a sentence. */
int qc_view_pick(QcOnnxImport *im, QcValue *v, uint32_t axis, const int64_t *places, size_t count);
/* A view of a whole node by roles: every axis has the size of its role in the node. */
void qc_view_of_node(const QcOnnxImport *im, QcValue *v, uint32_t node, uint32_t rank, const QcAxes *roles);

/* ---- onnxlayout.c: which axis becomes height, width, channels ---- */
int qc_layout_lies(const QcOnnxImport *im, const QcValue *v,
                   const QcAxes *roles); /* would qc_layout_arrange add nothing? */
/* Makes v a view of a node in which its axes lie as the roles say, by a TURN if needed. Padding that waits goes on
 * waiting. */
int qc_layout_arrange(QcOnnxImport *im, QcValue *v, const QcAxes *roles);
/* Roles in which v lies already and `fits` holds, else `otherwise`. */
typedef int (*QcAxesFit)(const QcAxes *roles, uint32_t rank, uint32_t set);
QcAxes qc_layout_find(const QcOnnxImport *im, const QcValue *v, QcAxesFit fits, uint32_t set, const QcAxes *otherwise);
int qc_fit_any(const QcAxes *roles, uint32_t rank, uint32_t set); /* all */
int qc_fit_channels_are(const QcAxes *roles, uint32_t rank,
                        uint32_t set); /* the set is the channels, nothing else is */
int qc_fit_channels_have(const QcAxes *roles, uint32_t rank, uint32_t set); /* the set is within the channels */
/* Channels = the set; what is left is width, or height and width. */
QcAxes qc_layout_of_channels(const QcValue *v, uint32_t set);
/* Strides of v's atoms in a node that lies as the roles say; offset 0. */
void qc_layout_restride(QcValue *v, const QcAxes *roles);
/* Roles for [N][C][T] or [N][C][H][W]; -1 with a sentence if v has other axes. */
int qc_layout_spatial(QcOnnxImport *im, const QcValue *v, QcAxes *roles);
/* For each channel of v's node (which lies as the roles say): index into the values of a constant with the dimensions
 * dims[rank of v]. */
size_t *qc_layout_channel_map(QcOnnxImport *im, const QcValue *v, const QcAxes *roles, const int64_t *dims);

/* ---- onnxwait.c: functions and padding that wait ---- */
int qc_wait_apply(QcOnnxImport *im, QcValue *v); /* the function becomes a node */
int qc_wait_settle(QcOnnxImport *im, QcValue *v); /* function and padding become nodes */
int qc_wait_padded(const QcValue *v);
/* The function `steps` of v, which may be a constant, put as the node's output. */
int qc_wait_function(QcOnnxImport *im, QcValue *v, const QcStep *steps, uint32_t n_steps);
/* v = gain * v + shift along the channels; v lies as the roles say. */
int qc_wait_affine(QcOnnxImport *im, QcValue *v, const float *gain, const float *shift);
int qc_wait_simple(QcOnnxImport *im, QcValue *v, QcOp op, const char *weight); /* v through a node of one input */

/* ---- operators: each reads im->at ---- */
int qc_onnx_conv(QcOnnxImport *im);
int qc_onnx_pool(QcOnnxImport *im);
int qc_onnx_global_pool(QcOnnxImport *im);
int qc_onnx_reduce(QcOnnxImport *im);
int qc_onnx_batchnorm(QcOnnxImport *im);
int qc_onnx_activation(QcOnnxImport *im);
int qc_onnx_sqrt(QcOnnxImport *im);
int qc_onnx_clip(QcOnnxImport *im);
int qc_onnx_prelu(QcOnnxImport *im);
int qc_onnx_gemm(QcOnnxImport *im);
int qc_onnx_matmul(QcOnnxImport *im);
int qc_onnx_arithmetic(QcOnnxImport *im);
int qc_onnx_expand(QcOnnxImport *im);
int qc_onnx_concat(QcOnnxImport *im);
int qc_onnx_pad(QcOnnxImport *im);
int qc_onnx_same(QcOnnxImport *im);
int qc_onnx_cast(QcOnnxImport *im);
int qc_onnx_softmax(QcOnnxImport *im);
int qc_onnx_flatten(QcOnnxImport *im);
int qc_onnx_reshape(QcOnnxImport *im);
int qc_onnx_squeeze(QcOnnxImport *im);
int qc_onnx_unsqueeze(QcOnnxImport *im);
int qc_onnx_transpose(QcOnnxImport *im);
int qc_onnx_slice(QcOnnxImport *im);
int qc_onnx_split(QcOnnxImport *im);
/* sizes [n] = places along the axis of each output of a Split node; `size`: of its input. -1 with a sentence. */
int qc_onnx_split_sizes(QcOnnxImport *im, int64_t *sizes, uint32_t n, int64_t size);
int qc_onnx_gather(QcOnnxImport *im);
int qc_onnx_shape(QcOnnxImport *im);
/* The QUANT node whose codes `node` copies, if only layout, padding or a maximum pool is between them; NULL: its value
 * is not of codes. */
const QcNode *qc_onnx_codes_of(const QcOnnxImport *im, uint32_t node);
/* v becomes -v; qc_onnx_codes_of(v) is not NULL before and after. */
int qc_onnx_negate_codes(QcOnnxImport *im, QcValue *v);
int qc_onnx_table(QcOnnxImport *im); /* Gather from a constant, by codes */
int qc_onnx_quantize(QcOnnxImport *im);
int qc_onnx_dequantize(QcOnnxImport *im);

/* ---- onnxgrid.c ---- */
/* Gives the weights of a CONV or LINEAR node that reads quantized values their steps, if they are codes times steps;
 * -1 with a sentence. */
int qc_onnx_find_steps(QcOnnxImport *im, uint32_t node);

/* ---- onnxfold.c: the same on constants alone ---- */
int qc_fold_constant(QcOnnxImport *im);
int qc_fold_filled(QcOnnxImport *im);
int qc_fold_reshape(QcOnnxImport *im);
int qc_fold_transpose(QcOnnxImport *im);
int qc_fold_cast(QcOnnxImport *im);
int qc_fold_dequantize(QcOnnxImport *im);
int qc_fold_quantize(QcOnnxImport *im);
/* Dimensions of an operation on both, whose axes are aligned at the end; -1: they do not fit. */
int qc_tensor_broadcast(uint32_t *rank, int64_t dims[QC_ONNX_RANK], const QcTensor *a, const QcTensor *b);
/* Where in t the value lies that meets value i of the result. */
size_t qc_tensor_place(const QcTensor *t, uint32_t rank, const int64_t *dims, size_t i);

/* ---- onnxfoldshape.c: constants alone, of shapes that may be open ---- */
int qc_fold_expand(QcOnnxImport *im);
int qc_fold_equal(QcOnnxImport *im);

/* ---- onnxfoldparts.c: parts of constants, and joined constants ---- */
int qc_fold_concat(QcOnnxImport *im);
int qc_fold_gather(QcOnnxImport *im);
int qc_fold_slice(QcOnnxImport *im);
int qc_fold_split(QcOnnxImport *im);
int qc_fold_where(QcOnnxImport *im);

/* ---- onnxfoldmath.c: arithmetic on constants alone ---- */
int qc_fold_arithmetic(QcOnnxImport *im);
int qc_fold_function(QcOnnxImport *im, const QcTensor *x, const QcStep *steps, uint32_t n_steps);
int qc_fold_softmax(QcOnnxImport *im);
int qc_fold_reduce(QcOnnxImport *im);
int qc_fold_matmul(QcOnnxImport *im);

/* ---- onnxcodes.c ---- */
/* The scale of each of n channels along an axis of w; NULL: w is not of codes, or memory is out. */
const float *qc_fold_steps(QcOnnxImport *im, const QcTensor *w, uint32_t axis, size_t n);

#endif
