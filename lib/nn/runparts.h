/* runparts.h - inside a run: declarations shared by its parts (plan, convolutions, loops over plain memory). Not for
 * other floors.
 *
 * Activations and gradients are plain [n][h][w][c]; oneDNN works on them as they are and chooses a layout of its own
 * only for weights. The batch is cut into `parts` slices, whatever the number of threads. A slice has memory of its
 * own. A member of the team takes its slices through the network node by node, so weights are laid out for oneDNN once
 * per member. Members meet only where batch norm needs all of the batch, and at the end to add up the gradients of
 * parameters, in the order of slices. So the result does not depend on the number of threads. In every function outputs
 * come first, then inputs, then sizes.
 */
#ifndef QC_NN_RUNPARTS_H
#define QC_NN_RUNPARTS_H

#include "run.h"
#include "team.h"

typedef struct QcConv QcConv;

/* The primitives of all convolutions and linear layers for one thread and slices of one size. */
typedef struct QcConvs {
    uint32_t n;      /* windows of a slice; 0 = empty */
    QcConv *layers;  /* [n_nodes], empty where a node is none */
    void *weights;   /* one layer's weights in oneDNN's layout, shared by all */
    void *scratchpad;
    float *picked;   /* one layer's input (or its gradient), of convolutions that only stride (runstride.c); its input
                        turned (runconvturn.c) */
    float *turned;   /* one layer's weights or their gradient, turned */
    size_t bytes;    /* of the four */
} QcConvs;

/* A part of the batch. */
typedef struct QcRunSlice {
    int number;
    uint32_t first, n;         /* windows of the last pass */
    float **value, **gradient; /* [n_nodes], NULL if there is none */
    float **spare;             /* [n_nodes] where a node works out a gradient that is to be added */
    float *grads;              /* [n_params] its share of the parameters' gradients; slice 0 writes the caller's */
    const QcConvs *convs;      /* of its member, for its number of windows */
    int is_laid_out;           /* an earlier slice of its member has the same convs, so weights are in their layout */
} QcRunSlice;

/* What a thread works on: some slices that follow each other. */
typedef struct QcRunMember {
    struct QcRun *run;
    QcRunSlice *slices, *end;
    float *channel;      /* [3][widest channels] */
    QcConvs convs[2][2]; /* of the full batch, and of another size, made when it is met; of the smaller and the larger
                            slices, which differ by a window at most */
} QcRunMember;

struct QcRun {
    QcGraph *g;
    uint32_t batch, n; /* n: of the last pass */
    QcRunMode mode;
    int parts, n_members;  /* slices of a batch, threads */
    QcTeam *team;
    QcArena arena;
    QcRunSlice *slices;    /* [parts] */
    QcRunMember *members;  /* [n_members] */
    const float *x, *dlogits; /* of the pass that is under way */
    /* the plan, made afresh by qc_run_keep */
    uint8_t *kept, *wants; /* [n_nodes] asked for by qc_run_keep (and the last); needs a gradient */
    uint8_t *adds;         /* [n_nodes][QC_MAX_INPUTS] the gradient of that input has been written by a later node: add
                              to it */
    float **whole_value, **whole_gradient; /* [n_nodes] of kept nodes: all of the batch in one piece */
    float *memory;         /* all of the above and the slices' tensors lie in it */
    size_t memory_bytes;
    /* batch norm */
    float *norm;           /* [n_stats] mean[c], 1/deviation[c] of the last forward, at the offsets of the graph's
                              stats */
    double *sums;          /* [n_stats][parts]: of each norm [parts][2][c] */
};

/* runplan.c: who needs which value how long; gives every tensor its place. */
int qc_run_plan(QcRun *run, QcErr *err);
void qc_run_cut(QcRun *run, uint32_t n); /* which windows of n are whose */
void qc_run_settle(QcRun *run);          /* each slice's part of the kept tensors, after a cut */

/* runconv.c */
int qc_convs_make(QcConvs *convs, const QcGraph *g, int goes_back, uint32_t n, QcErr *err);
void qc_convs_release(QcConvs *convs, uint32_t n_nodes);
/* is_laid_out: the call before was of the same convs and node, and parameters are the same. */
void qc_run_conv_forward(const QcConvs *convs, const QcGraph *g, uint32_t node, float *y, const float *x,
                         int is_laid_out);
/* Gradients of weights and bias are written at their places in grads. */
void qc_run_conv_back_weights(const QcConvs *convs, const QcGraph *g, uint32_t node, float *grads, const float *dy,
                              const float *x);
void qc_run_conv_back_data(const QcConvs *convs, const QcGraph *g, uint32_t node, float *dx, const float *dy,
                           int is_laid_out);
void qc_convs_single_threaded(void); /* oneDNN stays in the calling thread */

/* runnorm.c: node i of all slices of a member. Output and input may be one array, the input's gradient and dy too. All
 * members must come here. Backward, target[k] is the input's gradient of slice k of the run, NULL if it is not
 * wanted. */
void qc_run_norm_forward(QcRunMember *member, uint32_t i);
void qc_run_norm_backward(QcRunMember *member, uint32_t i, float *const *target);

/* runpool.c: n windows; dx is written, not added to. */
void qc_run_maxpool_forward(float *y, const float *x, const QcNode *node, const QcNode *in, uint32_t n);
void qc_run_maxpool_backward(float *dx, const float *dy, const float *x, const QcNode *node, const QcNode *in,
                             uint32_t n);
void qc_run_avgpool_forward(float *y, const float *x, const QcNode *node, const QcNode *in, uint32_t n);
void qc_run_avgpool_backward(float *dx, const float *dy, const QcNode *node, const QcNode *in, uint32_t n);
void qc_run_gap_forward(float *y, const float *x, const QcNode *in, uint32_t n);
void qc_run_gap_backward(float *dx, const float *dy, const QcNode *in, uint32_t n);
void qc_run_std_forward(float *y, const float *x, const QcNode *in, uint32_t n);
/* 0 if all of a channel is alike */
void qc_run_std_backward(float *dx, const float *dy, const float *y, const float *x, const QcNode *in, uint32_t n);

/* runpoint.c: value by value; y and x may be one array. */
void qc_run_relu_forward(float *y, const float *x, float clip, size_t values);
void qc_run_relu_backward(float *dx, const float *dy, const float *y, float clip, size_t values);
void qc_run_quant_forward(float *y, const float *x, const QcNode *node, size_t values);
void qc_run_quant_backward(float *dx, const float *dy, const float *x, const QcNode *node, size_t values);
void qc_run_sum_forward(float *y, const float *a, const float *b, size_t values);
void qc_copy(float *y, const float *x, size_t values);
/* Rows of `width` values from x (rows `x_step` apart) to y (rows `y_step` apart): concat and its gradient. */
void qc_copy_rows(float *y, size_t y_step, const float *x, size_t x_step, size_t width, size_t rows);

/* runfunction.c: y and x may be one array; n windows. */
void qc_run_function_forward(float *y, const float *x, const QcNode *node, size_t values);
void qc_run_function_backward(float *dx, const float *dy, const float *x, const QcNode *node, size_t values);
void qc_run_table_forward(float *y, const float *x, const QcNode *node, size_t values);
void qc_run_table_backward(float *dx, const float *dy, const float *x, const QcNode *node, size_t values);
void qc_run_mul_forward(float *y, const float *a, const float *b, const QcNode *node, const QcNode *in_b, uint32_t n);
/* dx: of the input `in`; x: of the other one. */
void qc_run_mul_backward(float *dx, const float *dy, const float *x, const QcNode *node, const QcNode *in,
                         const QcNode *in_x, uint32_t n);
void qc_run_turn_forward(float *y, const float *x, const QcNode *node, const QcNode *in, uint32_t n);
void qc_run_turn_backward(float *dx, const float *dy, const QcNode *node, const QcNode *in, uint32_t n);

static inline size_t qc_node_positions(const QcNode *node) { return (size_t)node->height * node->width; }
static inline size_t qc_node_values(const QcNode *node) { return qc_node_positions(node) * node->channels; }

/* runstride.c: convolutions of 1 x 1 that stride. picked [n][height][width of node][channels of in] */
int qc_only_strides(const QcNode *node);
void qc_stride_pick(float *picked, const float *x, const QcNode *node, const QcNode *in, uint32_t n);
/* 0 at all other positions */
void qc_stride_spread(float *dx, const float *picked, const QcNode *node, const QcNode *in, uint32_t n);

#endif
