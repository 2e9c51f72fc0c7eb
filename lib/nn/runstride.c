/* A convolution of 1 that strides looks at some positions of its input and at no others. They are picked first, so that
 * oneDNN has one without a stride: its own way (version 2.6, AVX-512) writes beyond its scratchpad where the channels
 * are no multiple of 16. */
#include <string.h>

#include "runparts.h"

int qc_only_strides(const QcNode *node)
{
    const QcWindow *w = &node->window;
    return node->op == QC_OP_CONV && w->kernel_h == 1 && w->kernel_w == 1 && (w->stride_h > 1 || w->stride_w > 1) &&
           !(w->pad_top | w->pad_bottom | w->pad_left | w->pad_right);
}

/* Which position of the input, all windows taken together, output position i looks at. */
static size_t position(size_t i, const QcNode *node, const QcNode *in)
{
    size_t column = i % node->width, row = i / node->width % node->height, window = i / node->width / node->height;
    return (window * in->height + row * node->window.stride_h) * in->width + column * node->window.stride_w;
}

void qc_stride_pick(float *picked, const float *x, const QcNode *node, const QcNode *in, uint32_t n)
{
    for (size_t i = 0; i < n * qc_node_positions(node); i++)
        memcpy(picked + i * in->channels, x + position(i, node, in) * in->channels, in->channels * sizeof *x);
}

void qc_stride_spread(float *dx, const float *picked, const QcNode *node, const QcNode *in, uint32_t n)
{
    memset(dx, 0, n * qc_node_values(in) * sizeof *dx);
    for (size_t i = 0; i < n * qc_node_positions(node); i++)
        memcpy(dx + position(i, node, in) * in->channels, picked + i * in->channels, in->channels * sizeof *dx);
}
