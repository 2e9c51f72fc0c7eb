/* graph.h - the float network as data: nodes in topological order and one array of parameters.
 *
 * Activations are [n][height][width][channels] ("NHWC"; a series has height 1, width = time). Weights of a convolution
 * are [out][kernel_h][kernel_w][in / groups], of a linear layer [out][in]: the layout of the device, too. A series is a
 * 2-D image of height 1, so there is one convolution. All parameters (weights, biases, batch-norm gain and shift) lie
 * in one array `params`, in node order, so that save, clone and optimizer are one loop each; batch-norm running mean
 * and variance lie in `stats`. The last node is the logits [n][1][1][classes]. Everything is owned by one arena. A
 * graph that qc_graph_check accepts is safe to run.
 */
#ifndef QC_NN_GRAPH_H
#define QC_NN_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "../base/arena.h"

typedef enum QcOp {
    QC_OP_INPUT,
    QC_OP_CONV,      /* weights, optional bias */
    QC_OP_BATCHNORM, /* gain, shift; running mean and variance; eps 1e-5 unless set */
    QC_OP_RELU,      /* `clip` > 0: min(x, clip) too */
    QC_OP_MAXPOOL,   /* padding never wins */
    QC_OP_AVGPOOL,   /* divides by the window's size inside the input unless count_padding */
    QC_OP_GAP,       /* global average: [h][w][c] -> [1][1][c] */
    QC_OP_LINEAR,    /* input flattened in h, w, c order; weights [out][h*w*c], optional bias */
    QC_OP_CONCAT,    /* along channels */
    QC_OP_ADD,       /* two inputs of one shape */
    QC_OP_FLATTEN,   /* [h][w][c] -> [1][1][h*w*c] */
    QC_OP_QUANT,     /* fake quantization: scale * (clamp(round(x / scale) + zero, 0, 2^bits - 1) - zero);
                        straight-through inside the range, 0 outside */
    QC_OP_STD,       /* standard deviation over all positions: [h][w][c] -> [1][1][c] (statistics pooling: Snyder et
                        al., 2018) */
    QC_OP_FUNCTION,  /* one function of each value: `steps` */
    QC_OP_MUL,       /* product of two inputs of one shape, or of [h][w][c] and [1][1][c] */
    QC_OP_TURN,      /* values in another order or shape, or some of them: `loops` */
    QC_OP_TABLE,     /* levels[code of the value], codes as of QUANT: a device's table on the workstation, never in
                        files */
    QC_OP_COUNT
} QcOp;

enum { QC_MAX_STEPS = 24, QC_MAX_STACK = 8, QC_MAX_LOOPS = 6 };
enum { QC_MAX_INPUTS = 32, QC_MAX_NODES = 4096, QC_NAME_MAX = 63, QC_MAX_DIM = 65535 };

typedef struct QcWindow { /* of a convolution or pool */
    uint32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    uint32_t pad_top, pad_bottom, pad_left, pad_right;
} QcWindow;

/* A function of one value x in reverse Polish notation: X and NUMBER push, the others replace what is on top of the
 * stack. */
typedef enum QcStepOp {
    QC_STEP_X,
    QC_STEP_NUMBER,
    QC_STEP_ADD,
    QC_STEP_SUB,
    QC_STEP_MUL,
    QC_STEP_DIV,
    QC_STEP_MIN,
    QC_STEP_MAX, /* two values */
    QC_STEP_ABS,
    QC_STEP_EXP,
    QC_STEP_EXPM1,
    QC_STEP_SIGMOID,
    QC_STEP_TANH,
    QC_STEP_ERF,
    QC_STEP_SOFTPLUS,
    QC_STEP_SQRT,
    QC_STEP_LOG, /* one value */
    QC_STEP_COUNT
} QcStepOp;

typedef struct QcStep {
    uint8_t op;  /* QcStepOp */
    float value; /* of NUMBER */
} QcStep;

/* Output value number n in the order [height][width][channels] is input value `offset` + sum of index[k] * stride[k],
 * where index[] counts n by the loops, the last one fastest. */
typedef struct QcLoops {
    uint32_t n, size[QC_MAX_LOOPS], stride[QC_MAX_LOOPS], offset;
} QcLoops;

typedef struct QcNode {
    QcOp op;
    char name[QC_NAME_MAX + 1]; /* unique; the name of its parameters in exports */
    uint32_t n_inputs, inputs[QC_MAX_INPUTS]; /* node indices, all smaller than its own */
    uint32_t height, width, channels;         /* of its output */
    QcWindow window;                          /* CONV, MAXPOOL, AVGPOOL */
    uint32_t groups;                          /* CONV */
    int has_bias;                             /* CONV, LINEAR */
    int count_padding;                        /* AVGPOOL */
    float clip;                               /* RELU: 0 = none */
    float eps;                                /* BATCHNORM */
    float scale;                              /* QUANT: > 0 */
    uint32_t zero, bits;                      /* QUANT: zero point, 2..8 bits */
    uint32_t n_steps;                         /* FUNCTION: 1..QC_MAX_STEPS */
    QcStep steps[QC_MAX_STEPS];
    const float *levels;                      /* TABLE: [2^bits], borrowed */
    QcLoops loops;                            /* TURN: their sizes multiply to the output's size */
    size_t weight, bias;                      /* offsets into params (BATCHNORM: gain, shift); unused = 0 */
    size_t n_weight, n_bias;
    size_t stat;                              /* BATCHNORM: offset into stats: mean[channels], then
                                                 variance[channels] */
} QcNode;

typedef struct QcGraph {
    QcArena arena;
    uint32_t n_nodes, room;
    QcNode *nodes; /* [n_nodes]; nodes[0] is the input */
    uint32_t classes;
    size_t n_params, n_stats;
    float *params; /* [n_params]; NULL until qc_graph_finish */
    float *stats;  /* [n_stats] */
} QcGraph;

/* Building: each adds a node after those it uses, works out its shape, and returns its index, or -1 with a sentence
 * that names the node. */
int qc_graph_init(QcGraph *g, uint32_t channels, uint32_t height, uint32_t width, QcErr *err); /* node 0, "input" */
int qc_graph_conv(QcGraph *g, const char *name, uint32_t input, uint32_t out, QcWindow window, uint32_t groups,
                  int has_bias, QcErr *err);
int qc_graph_pool(QcGraph *g, const char *name, QcOp op, uint32_t input, QcWindow window, int count_padding,
                  QcErr *err);
int qc_graph_linear(QcGraph *g, const char *name, uint32_t input, uint32_t out, int has_bias, QcErr *err);
int qc_graph_concat(QcGraph *g, const char *name, const uint32_t *inputs, uint32_t n_inputs, QcErr *err);
int qc_graph_add(QcGraph *g, const char *name, uint32_t a, uint32_t b, QcErr *err);
int qc_graph_mul(QcGraph *g, const char *name, uint32_t a, uint32_t b, QcErr *err);
int qc_graph_function(QcGraph *g, const char *name, uint32_t input, const QcStep *steps, uint32_t n_steps, QcErr *err);
int qc_graph_table(QcGraph *g, const char *name, uint32_t input, float scale, uint32_t zero, uint32_t bits,
                   const float *levels, QcErr *err);
int qc_graph_turn(QcGraph *g, const char *name, uint32_t input, uint32_t height, uint32_t width, uint32_t channels,
                  const QcLoops *loops, QcErr *err);
/* BATCHNORM, RELU, GAP, STD, FLATTEN */
int qc_graph_simple(QcGraph *g, const char *name, QcOp op, uint32_t input, QcErr *err);
int qc_graph_quant(QcGraph *g, const char *name, uint32_t input, float scale, uint32_t zero, uint32_t bits, QcErr *err);

/* Last node must be [1][1][classes]; lays out and allocates params (zero) and stats (mean 0, variance 1; gain 1). */
int qc_graph_finish(QcGraph *g, QcErr *err);
/* He-normal weights (fan-in), zero biases; same seed = same bytes. */
void qc_graph_reset(QcGraph *g, uint64_t seed);
int qc_graph_clone(QcGraph *out, const QcGraph *g, QcErr *err);
/* A clone whose last layer, a LINEAR one after a GAP over several positions, also reads the STD of what is averaged,
 * with weights 0: logits are the same. QC_EUNSUPPORTED: there is no such layer. */
int qc_graph_with_std(QcGraph *out, const QcGraph *g, QcErr *err);
/* Everything a file could have got wrong: indices, order, shapes, offsets, finite parameters. */
int qc_graph_check(const QcGraph *g, QcErr *err);
void qc_graph_release(QcGraph *g);

/* The value of a FUNCTION at x; *slope (may be NULL): its derivative. The steps must come from a checked node. */
float qc_function_at(const QcStep *steps, uint32_t n_steps, float x, float *slope);
/* A function that qc_graph_check accepts: no step lacks an operand, one value is left. */
int qc_function_is_whole(const QcStep *steps, uint32_t n_steps);

int64_t qc_graph_find(const QcGraph *g, const char *name);
uint64_t qc_graph_macs(const QcGraph *g); /* multiply-accumulates of one window's forward pass */
QcWindow qc_window_1d(uint32_t kernel, uint32_t stride, uint32_t dilation, uint32_t pad_left, uint32_t pad_right);
/* "same" padding for stride 1: left (k-1)d/2 rounded down, right the rest. */
QcWindow qc_window_same_1d(uint32_t kernel);
extern const char *const qc_op_names[QC_OP_COUNT];

#endif
