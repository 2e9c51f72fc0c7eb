/* runconvparts.h - inside runconv.c and runconvturn.c: passes of convolutions as oneDNN has them. */
#ifndef QC_NN_RUNCONVPARTS_H
#define QC_NN_RUNCONVPARTS_H

#include <oneapi/dnnl/dnnl.h>

#include "runparts.h"

enum { QC_FORWARD, QC_BACK_DATA, QC_BACK_WEIGHTS, QC_PASSES };

typedef struct QcPass {
    dnnl_primitive_t primitive;
    dnnl_primitive_t reorder; /* weights from our layout (QC_BACK_WEIGHTS: into it); NULL if they are the same */
    dnnl_memory_t weights;    /* in oneDNN's layout, set only with a reorder */
    dnnl_memory_t scratchpad;
} QcPass;

/* Activations [n][h][w][c], weights logically [out][in][kh][kw] (groups before them), in memory as their description
 * says. */
typedef struct QcConvShape {
    dnnl_memory_desc_t x, y, weights, weights_any, bias;
    dnnl_dims_t strides, dilates, before, after;
    int has_bias;
} QcConvShape;

typedef struct QcConvNeeds {
    size_t weights, scratchpad, picked, turned; /* bytes, the most of all layers */
} QcConvNeeds;

/* A backward pass that is computed as a forward one (runconvturn.c). */
typedef struct QcTurn {
    QcPass pass;                    /* forward, of the turned shape */
    dnnl_memory_t x, y, weights;    /* of it; x and y plain [n][h][w][c], weights in our layout */
    dnnl_memory_t x_here, y_here;   /* gradient of weights: x, and the gradient, as the layer has them */
    dnnl_primitive_t turn_x, turn_y; /* from x_here to x, from y to y_here */
} QcTurn;

dnnl_engine_t qc_dnnl_engine(void);
dnnl_stream_t qc_dnnl_stream(void);
dnnl_status_t qc_dnnl_reorder(dnnl_primitive_t *out, const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to);
void qc_dnnl_copy(dnnl_primitive_t reorder, dnnl_memory_t from, dnnl_memory_t to);
void qc_dnnl_point_at(dnnl_memory_t memory, const void *values);
void qc_dnnl_raise(size_t *most, const dnnl_memory_desc_t *desc);

dnnl_status_t qc_pass_describe(dnnl_primitive_desc_t *out, const QcConvShape *s, int pass, dnnl_primitive_desc_t hint);
dnnl_status_t qc_pass_make(QcPass *out, const QcConvShape *s, int pass, dnnl_primitive_desc_t desc, QcConvNeeds *needs);
void qc_pass_release(QcPass *pass);
void qc_pass_lend(const QcPass *pass, const QcConvs *convs); /* the rooms that all layers share */

/* Whether oneDNN has nothing better for this pass than a matrix product after a copy of each window, and something
 * better for the turned one: then *turn is that. NULL otherwise. */
dnnl_status_t qc_turn_make(QcTurn **turn, const QcConvShape *s, int pass, dnnl_primitive_desc_t desc,
                           QcConvNeeds *needs);
void qc_turn_free(QcTurn *turn);
void qc_turn_lend(const QcTurn *turn, const QcConvs *convs);
void qc_turn_back_data(const QcTurn *turn, const QcConvs *convs, const QcNode *node, uint32_t in_channels,
                       const float *weights, float *dx, const float *dy, int is_laid_out);
/* grads: gradients of the weights and, if the layer has one, of the bias at the node's places; rows: positions of dy */
void qc_turn_back_weights(const QcTurn *turn, const QcNode *node, float *grads, const float *dy, const float *x,
                          size_t rows);

#endif
