#include "graphshape.h"

#include <math.h>
#include <string.h>

const char *const qc_op_names[QC_OP_COUNT] = {"input", "conv",     "batchnorm", "relu", "maxpool", "avgpool",
                                              "gap",   "linear",   "concat",    "add",  "flatten", "quant",
                                              "std",   "function", "mul",       "turn", "table"};

static int wrong(QcErr *err, const QcNode *node, const char *what)
{
    return qc_fail(err, QC_EFORMAT, "node '%.63s' (%s) %s", node->name, qc_op_names[node->op], what);
}

/* Output length of one dimension; 0 if the window does not fit. */
static uint32_t slide(uint32_t in, uint32_t kernel, uint32_t stride, uint32_t dilation, uint32_t before, uint32_t after)
{
    uint64_t padded = (uint64_t)in + before + after, reach = (uint64_t)(kernel - 1) * dilation + 1;
    return padded < reach ? 0 : (uint32_t)((padded - reach) / stride + 1);
}

static int window_fits(const QcWindow *w)
{
    const uint32_t least_one[] = {w->kernel_h, w->kernel_w, w->stride_h, w->stride_w, w->dilation_h, w->dilation_w};
    const uint32_t pads[] = {w->pad_top, w->pad_bottom, w->pad_left, w->pad_right};
    for (int i = 0; i < 6; i++)
        if (least_one[i] < 1 || least_one[i] > QC_MAX_DIM) return 0;
    for (int i = 0; i < 4; i++)
        if (pads[i] > QC_MAX_DIM) return 0;
    return 1;
}

/* A window of a pool must not lie entirely in the padding: its maximum or mean would be undefined. */
static int sees_input(uint32_t in, uint32_t out, uint32_t kernel, uint32_t stride, uint32_t dilation, uint32_t before)
{
    for (uint32_t o = 0; o < out; o++) {
        uint64_t start = (uint64_t)o * stride;
        /* the first tap that is not in front of the input */
        uint64_t k = start >= before ? 0 : (before - start + dilation - 1) / dilation;
        if (k >= kernel || start + k * dilation >= (uint64_t)before + in) return 0;
    }
    return 1;
}

static int shape_window(const QcNode *in, QcNode *node, QcErr *err)
{
    const QcWindow *w = &node->window;
    if (!window_fits(w)) return wrong(err, node, "has a kernel, stride, dilation or padding out of range");
    node->height = slide(in->height, w->kernel_h, w->stride_h, w->dilation_h, w->pad_top, w->pad_bottom);
    node->width = slide(in->width, w->kernel_w, w->stride_w, w->dilation_w, w->pad_left, w->pad_right);
    if (!node->height || !node->width)
        return qc_fail(err, QC_EFORMAT, "node '%.63s' (%s): a %u x %u kernel does not fit its %u x %u input",
                       node->name, qc_op_names[node->op], w->kernel_h, w->kernel_w, in->height, in->width);
    return 0;
}

static int shape_conv(const QcNode *in, QcNode *node, QcErr *err)
{
    if (shape_window(in, node, err)) return -1;
    uint32_t out = node->channels, groups = node->groups;
    if (!groups || in->channels % groups || out % groups)
        return qc_fail(err, QC_EFORMAT, "node '%.63s' (conv): %u groups do not divide %u input and %u output channels",
                       node->name, groups, in->channels, out);
    size_t kernel = (size_t)node->window.kernel_h * node->window.kernel_w * (in->channels / groups); /* at most 2^48 */
    if (kernel > QC_MAX_PARAMS / out) return wrong(err, node, "has too many weights");
    node->n_weight = out * kernel;
    node->n_bias = node->has_bias ? out : 0;
    return 0;
}

static int shape_pool(const QcNode *in, QcNode *node, QcErr *err)
{
    const QcWindow *w = &node->window;
    if (shape_window(in, node, err)) return -1;
    node->channels = in->channels;
    if (w->pad_top >= w->kernel_h * w->dilation_h || w->pad_bottom >= w->kernel_h * w->dilation_h ||
        w->pad_left >= w->kernel_w * w->dilation_w || w->pad_right >= w->kernel_w * w->dilation_w ||
        !sees_input(in->height, node->height, w->kernel_h, w->stride_h, w->dilation_h, w->pad_top) ||
        !sees_input(in->width, node->width, w->kernel_w, w->stride_w, w->dilation_w, w->pad_left))
        return wrong(err, node, "has a window that lies in the padding alone");
    return 0;
}

static int shape_linear(const QcNode *in, QcNode *node, QcErr *err)
{
    size_t values = (size_t)in->height * in->width * in->channels;
    node->height = node->width = 1;
    if (values > QC_MAX_PARAMS / node->channels) return wrong(err, node, "has too many weights");
    node->n_weight = values * node->channels;
    node->n_bias = node->has_bias ? node->channels : 0;
    return 0;
}

static int shape_concat(const QcGraph *g, QcNode *node, QcErr *err)
{
    const QcNode *first = &g->nodes[node->inputs[0]];
    uint64_t channels = 0;
    for (uint32_t i = 0; i < node->n_inputs; i++) {
        const QcNode *in = &g->nodes[node->inputs[i]];
        if (in->height != first->height || in->width != first->width)
            return qc_fail(err, QC_EFORMAT,
                           "node '%.63s' (concat) joins '%.63s' (%u x %u) and '%.63s' (%u x %u), which differ in size",
                           node->name, first->name, first->height, first->width, in->name, in->height, in->width);
        channels += in->channels;
    }
    if (channels > QC_MAX_DIM) return wrong(err, node, "has too many channels");
    node->height = first->height;
    node->width = first->width;
    node->channels = (uint32_t)channels;
    return 0;
}

static int shape_add(const QcGraph *g, QcNode *node, QcErr *err)
{
    const QcNode *a = &g->nodes[node->inputs[0]], *b = &g->nodes[node->inputs[1]];
    if (a->height != b->height || a->width != b->width || a->channels != b->channels)
        return qc_fail(
            err, QC_EFORMAT,
            "node '%.63s' (add) adds '%.63s' (%u x %u x %u) and '%.63s' (%u x %u x %u), which differ in shape",
            node->name, a->name, a->height, a->width, a->channels, b->name, b->height, b->width, b->channels);
    node->height = a->height;
    node->width = a->width;
    node->channels = a->channels;
    return 0;
}

static int shape_flatten(const QcNode *in, QcNode *node, QcErr *err)
{
    uint64_t values = (uint64_t)in->height * in->width * in->channels;
    if (values > QC_MAX_DIM) return wrong(err, node, "makes more than 65535 values");
    node->height = node->width = 1;
    node->channels = (uint32_t)values;
    return 0;
}

static int shape_mul(const QcGraph *g, QcNode *node, QcErr *err)
{
    const QcNode *a = &g->nodes[node->inputs[0]], *b = &g->nodes[node->inputs[1]];
    if (a->channels != b->channels ||
        ((a->height != b->height || a->width != b->width) && (b->height != 1 || b->width != 1)))
        return qc_fail(
            err, QC_EFORMAT,
            "node '%.63s' (mul) multiplies '%.63s' (%u x %u x %u) and '%.63s' (%u x %u x %u), which do not fit",
            node->name, a->name, a->height, a->width, a->channels, b->name, b->height, b->width, b->channels);
    node->height = a->height;
    node->width = a->width;
    node->channels = a->channels;
    return 0;
}

static int shape_turn(const QcNode *in, QcNode *node, QcErr *err)
{
    const QcLoops *l = &node->loops;
    uint64_t last = l->offset, values = 1, all = (uint64_t)in->height * in->width * in->channels;
    if (!l->n || l->n > QC_MAX_LOOPS) return wrong(err, node, "has not 1 to 6 loops");
    for (uint32_t k = 0; k < l->n; k++) {
        if (!l->size[k] || l->size[k] > QC_MAX_WINDOW_VALUES || (values *= l->size[k]) > QC_MAX_WINDOW_VALUES)
            return wrong(err, node, "has a loop of no or too many values");
        last += (uint64_t)(l->size[k] - 1) * l->stride[k];
    }
    if (last >= all) return wrong(err, node, "reads values that its input does not have");
    if (values != (uint64_t)node->height * node->width * node->channels)
        return wrong(err, node, "does not read as many values as it has");
    return 0;
}

static void shape_like(const QcNode *in, QcNode *node)
{
    node->height = in->height;
    node->width = in->width;
    node->channels = in->channels;
}

static int shape_by_op(const QcGraph *g, QcNode *node, QcErr *err)
{
    const QcNode *in = &g->nodes[node->inputs[0]];
    switch (node->op) {
    case QC_OP_CONV: return shape_conv(in, node, err);
    case QC_OP_MAXPOOL:
    case QC_OP_AVGPOOL: return shape_pool(in, node, err);
    case QC_OP_LINEAR: return shape_linear(in, node, err);
    case QC_OP_CONCAT: return shape_concat(g, node, err);
    case QC_OP_ADD: return shape_add(g, node, err);
    case QC_OP_FLATTEN: return shape_flatten(in, node, err);
    case QC_OP_GAP:
    case QC_OP_STD:
        node->height = node->width = 1;
        node->channels = in->channels;
        return 0;
    case QC_OP_BATCHNORM:
        shape_like(in, node);
        node->n_weight = node->n_bias = in->channels;
        return node->eps > 0 && node->eps < 1 ? 0 : wrong(err, node, "needs an eps between 0 and 1");
    case QC_OP_RELU:
        shape_like(in, node);
        return node->clip >= 0 && isfinite(node->clip) ? 0
                                                       : wrong(err, node, "has a clip that is not a positive number");
    case QC_OP_MUL: return shape_mul(g, node, err);
    case QC_OP_TURN: return shape_turn(in, node, err);
    case QC_OP_FUNCTION:
        shape_like(in, node);
        return qc_function_is_whole(node->steps, node->n_steps) ? 0
                                                                : wrong(err, node, "has steps that are no function");
    case QC_OP_TABLE:
        if (!node->levels) return wrong(err, node, "has no levels: it cannot come from a file");
        /* fall through */
    case QC_OP_QUANT:
        shape_like(in, node);
        if (!(node->scale > 0 && isfinite(node->scale)))
            return wrong(err, node, "has a scale that is not a positive number");
        if (node->bits < 2 || node->bits > 8) return wrong(err, node, "has not 2 to 8 bits");
        return node->zero < 1u << node->bits ? 0 : wrong(err, node, "has a zero point out of its range");
    default: return wrong(err, node, "stands where no input may stand");
    }
}

static int check_name(const QcGraph *g, const QcNode *node, uint32_t index, QcErr *err)
{
    size_t length = strnlen(node->name, sizeof node->name);
    if (!length || length > QC_NAME_MAX)
        return qc_fail(err, QC_EFORMAT, "node %u has no name of 1 to %d bytes", index, QC_NAME_MAX);
    for (uint32_t i = 0; i < index; i++)
        if (!strcmp(g->nodes[i].name, node->name))
            return qc_fail(err, QC_EFORMAT, "nodes %u and %u are both named '%.63s'", i, index, node->name);
    return 0;
}

static int check_inputs(const QcNode *node, uint32_t index, QcErr *err)
{
    uint32_t wanted = node->op == QC_OP_INPUT ? 0 : node->op == QC_OP_ADD || node->op == QC_OP_MUL ? 2 : 1;
    if (node->op == QC_OP_CONCAT ? node->n_inputs < 1 || node->n_inputs > QC_MAX_INPUTS : node->n_inputs != wanted)
        return wrong(err, node, "has a wrong number of inputs");
    for (uint32_t i = 0; i < node->n_inputs; i++)
        if (node->inputs[i] >= index) return wrong(err, node, "uses a node that does not come before it");
    return 0;
}

int qc_graph_shape(const QcGraph *g, QcNode *node, uint32_t index, QcErr *err)
{
    if ((unsigned)node->op >= QC_OP_COUNT)
        return qc_fail(err, QC_EFORMAT, "node %u has an unknown operation %u", index, (unsigned)node->op);
    if (check_name(g, node, index, err) || check_inputs(node, index, err)) return -1;
    if ((node->op == QC_OP_INPUT) != (index == 0))
        return wrong(err, node, "stands where it may not: the first node, and only it, is the input");
    node->n_weight = node->n_bias = 0;
    if ((node->op == QC_OP_CONV || node->op == QC_OP_LINEAR) && (!node->channels || node->channels > QC_MAX_DIM))
        return wrong(err, node, "needs 1 to 65535 output channels");
    if (index && shape_by_op(g, node, err)) return -1;
    if (!node->height || !node->width || !node->channels || node->height > QC_MAX_DIM || node->width > QC_MAX_DIM ||
        node->channels > QC_MAX_DIM)
        return wrong(err, node, "has a dimension outside 1 .. 65535");
    if ((uint64_t)node->height * node->width * node->channels > QC_MAX_WINDOW_VALUES)
        return wrong(err, node, "has too large an output");
    return 0;
}

int qc_graph_layout(QcGraph *g, QcErr *err)
{
    g->n_params = g->n_stats = 0;
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        QcNode *node = &g->nodes[i];
        node->weight = node->n_weight ? g->n_params : 0;
        g->n_params += node->n_weight;
        node->bias = node->n_bias ? g->n_params : 0;
        g->n_params += node->n_bias;
        node->stat = node->op == QC_OP_BATCHNORM ? g->n_stats : 0;
        if (node->op == QC_OP_BATCHNORM) g->n_stats += 2 * (size_t)node->channels;
        if (g->n_params > QC_MAX_PARAMS)
            return qc_fail(err, QC_EFORMAT, "the graph has more than %zu parameters", QC_MAX_PARAMS);
    }
    return 0;
}
