/* runparts.h - inside a run: what its parts (plan, convolutions, loops over plain memory) tell each other. Not for other floors.
 *
 * Activations and gradients are plain [n][h][w][c]; oneDNN works on them as they are and chooses a layout of its own only for weights. Loops
 * over plain memory are shared out by OpenMP in ways that do not depend on who computes what, so that the result depends on nothing but the number of
 * threads asked for. In every function outputs come first, then inputs, then sizes.
 */
#ifndef QC_NN_RUNPARTS_H
#define QC_NN_RUNPARTS_H

#include "run.h"

typedef struct QcConv QcConv;

/* The primitives of all convolutions and linear layers for one batch size. */
typedef struct QcConvs {
    uint32_t n;      /* windows; 0 = empty */
    QcConv *layers;  /* [n_nodes], empty where a node is none */
    void *weights;   /* one layer's weights in oneDNN's layout, shared by all */
    void *scratchpad;
    size_t bytes;    /* of the two */
} QcConvs;

struct QcRun {
    QcGraph *g;
    uint32_t batch, n; /* n: of the last pass */
    QcRunMode mode;
    int threads;
    QcArena arena;
    /* the plan, made afresh by qc_run_keep */
    uint8_t *kept, *wants; /* [n_nodes] asked for by qc_run_keep; needs a gradient */
    float **value, **gradient; /* [n_nodes], NULL where there is none */
    uint8_t *adds;         /* [n_nodes][QC_MAX_INPUTS] the gradient of that input has been written by a later node: add to it */
    float **spare;         /* [n_nodes] where a node works out a gradient that is to be added */
    float *memory;         /* all of the above point into it */
    size_t memory_bytes;
    /* batch norm */
    float *norm;           /* [n_stats] mean[c], 1/deviation[c] of the last forward, at the offsets of the graph's stats */
    float *channel;        /* [3][widest channels] */
    double *sums;          /* [threads][2][widest channels] */
    QcConvs convs[2];      /* of the full batch; of another size, made when it is met */
};

/* runplan.c: who needs which value how long; gives every tensor its place. */
int qc_run_plan(QcRun *run, QcErr *err);

/* runconv.c */
int qc_convs_make(QcConvs *convs, const QcRun *run, uint32_t n, QcErr *err);
void qc_convs_release(QcConvs *convs, uint32_t n_nodes);
void qc_conv_forward(const QcConvs *convs, const QcGraph *g, uint32_t node, float *y, const float *x);
/* dx may be NULL. Gradients of weights and bias are written at their places in grads. */
void qc_conv_backward(const QcConvs *convs, const QcGraph *g, uint32_t node, float *dx, float *grads, const float *dy, const float *x);
void qc_threads_use(int threads); /* oneDNN's and our loops' */

/* runnorm.c: y and x may be one array, dx and dy too. */
void qc_norm_forward(QcRun *run, const QcNode *node, float *y, const float *x, size_t rows);
void qc_norm_backward(QcRun *run, const QcNode *node, float *dx, float *grads, const float *dy, const float *x, size_t rows);

/* runpool.c: n windows; dx is written, not added to. */
void qc_maxpool_forward(float *y, const float *x, const QcNode *node, const QcNode *in, uint32_t n);
void qc_maxpool_backward(float *dx, const float *dy, const float *x, const QcNode *node, const QcNode *in, uint32_t n);
void qc_avgpool_forward(float *y, const float *x, const QcNode *node, const QcNode *in, uint32_t n);
void qc_avgpool_backward(float *dx, const float *dy, const QcNode *node, const QcNode *in, uint32_t n);
void qc_gap_forward(float *y, const float *x, const QcNode *in, uint32_t n);
void qc_gap_backward(float *dx, const float *dy, const QcNode *in, uint32_t n);

/* runpoint.c: value by value; y and x may be one array. */
void qc_relu_forward(float *y, const float *x, float clip, size_t values);
void qc_relu_backward(float *dx, const float *dy, const float *y, float clip, size_t values);
void qc_quant_forward(float *y, const float *x, const QcNode *node, size_t values);
void qc_quant_backward(float *dx, const float *dy, const float *x, const QcNode *node, size_t values);
void qc_sum_forward(float *y, const float *a, const float *b, size_t values);
void qc_copy(float *y, const float *x, size_t values);
/* Rows of `width` values from x (rows `x_step` apart) to y (rows `y_step` apart): concat and its gradient. */
void qc_copy_rows(float *y, size_t y_step, const float *x, size_t x_step, size_t width, size_t rows);

static inline size_t qc_node_positions(const QcNode *node) { return (size_t)node->height * node->width; }
static inline size_t qc_node_values(const QcNode *node) { return qc_node_positions(node) * node->channels; }

#endif
