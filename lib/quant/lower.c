#include "lower.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Operation that still has to be applied to a node's value: y = relu(gain * x + shift), per channel. */
typedef struct After {
    const float *gain, *shift; /* [channels]; NULL: nothing */
    int relu;
    float clip; /* 0: none */
} After;

/* Where the parameters of a node of the new graph come from. */
typedef struct Source {
    int64_t node; /* of the old graph; -1: a depthwise scaling, weights are the gains */
    After after;
} Source;

typedef struct Lower {
    const QcGraph *g;
    QcGraph *out;
    QcArena arena;
    uint32_t *readers; /* [g->n_nodes] */
    int64_t *value;    /* [g->n_nodes] node of the new graph, -1 = not yet */
    Source *sources;   /* [room] by node of the new graph */
    uint32_t room;
    QcErr *err;
} Lower;

void qc_count_readers(uint32_t *readers, const QcGraph *g)
{
    memset(readers, 0, g->n_nodes * sizeof *readers);
    for (uint32_t i = 0; i < g->n_nodes; i++)
        for (uint32_t k = 0; k < g->nodes[i].n_inputs; k++) readers[g->nodes[i].inputs[k]]++;
}

static int value_of(Lower *lower, uint32_t node);
static int through(Lower *lower, uint32_t node, After after);

static void make_name(char *out, const char *name, const char *suffix)
{
    snprintf(out, QC_NAME_MAX + 1, "%.*s%s", (int)(QC_NAME_MAX - strlen(suffix)), name, suffix);
}

static int add_relu(Lower *lower, const char *name, int x, const After *after)
{
    char relu[QC_NAME_MAX + 1];
    if (x < 0 || !after->relu) return x;
    make_name(relu, name, ".relu");
    int i = qc_graph_simple(lower->out, relu, QC_OP_RELU, (uint32_t)x, lower->err);
    if (i >= 0) lower->out->nodes[i].clip = after->clip;
    return i;
}

/* Adds nodes that apply `after` to the finished value x. */
static int wrap(Lower *lower, const char *name, int x, const After *after)
{
    if (x >= 0 && after->gain) {
        char scale[QC_NAME_MAX + 1];
        make_name(scale, name, ".scale");
        uint32_t channels = lower->out->nodes[x].channels;
        QcWindow one = {.kernel_h = 1, .kernel_w = 1, .stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1};
        x = qc_graph_conv(lower->out, scale, (uint32_t)x, channels, one, channels, 1, lower->err);
        if (x >= 0) lower->sources[x] = (Source){-1, *after};
    }
    return add_relu(lower, name, x, after);
}

static int conv(Lower *lower, uint32_t node, const After *after)
{
    const QcNode *n = &lower->g->nodes[node];
    int bias = n->has_bias || after->gain, x = value_of(lower, n->inputs[0]);
    if (x < 0) return -1;
    x = n->op == QC_OP_CONV
            ? qc_graph_conv(lower->out, n->name, (uint32_t)x, n->channels, n->window, n->groups, bias, lower->err)
            : qc_graph_linear(lower->out, n->name, (uint32_t)x, n->channels, bias, lower->err);
    if (x >= 0) lower->sources[x] = (Source){node, *after};
    return add_relu(lower, n->name, x, after);
}

static int concat(Lower *lower, uint32_t node, const After *after)
{
    const QcNode *n = &lower->g->nodes[node];
    uint32_t inputs[QC_MAX_INPUTS], channel = 0;
    for (uint32_t k = 0; k < n->n_inputs; k++) {
        uint32_t input = n->inputs[k];
        const QcNode *from = &lower->g->nodes[input];
        After slice = *after;
        if (slice.gain) slice.gain += channel, slice.shift += channel;
        int x;
        if (lower->readers[input] == 1) {
            x = through(lower, input, slice);
        } else {
            char name[QC_NAME_MAX + 1], suffix[16];
            snprintf(suffix, sizeof suffix, ".in%u", k);
            make_name(name, n->name, suffix);
            x = value_of(lower, input);
            x = wrap(lower, name, x, &slice);
        }
        if (x < 0) return -1;
        inputs[k] = (uint32_t)x;
        channel += from->channels;
    }
    return qc_graph_concat(lower->out, n->name, inputs, n->n_inputs, lower->err);
}

/* Gain and shift of a batch norm, combined with the operation after it. */
static int batchnorm(Lower *lower, const QcNode *n, After *after)
{
    float *gain = qc_arena_take(&lower->arena, n->channels, sizeof *gain, lower->err);
    float *shift = qc_arena_take(&lower->arena, n->channels, sizeof *shift, lower->err);
    if (!gain || !shift) return -1;
    const float *mean = lower->g->stats + n->stat, *variance = mean + n->channels;
    for (uint32_t c = 0; c < n->channels; c++) {
        float own = lower->g->params[n->weight + c] / sqrtf(variance[c] + n->eps);
        float own_shift = lower->g->params[n->bias + c] - own * mean[c];
        float later = after->gain ? after->gain[c] : 1;
        gain[c] = later * own;
        shift[c] = later * own_shift + (after->gain ? after->shift[c] : 0);
    }
    after->gain = gain;
    after->shift = shift;
    return 0;
}

static int absorbs(const Lower *lower, uint32_t node)
{
    QcOp op = lower->g->nodes[node].op;
    return lower->readers[node] == 1 &&
           (op == QC_OP_CONV || op == QC_OP_LINEAR || op == QC_OP_CONCAT || op == QC_OP_BATCHNORM);
}

/* A row that only linear layers read needs no tensor of its own; for other readers the values take the shape of a
 * row. */
static int flatten(Lower *lower, uint32_t node, uint32_t x)
{
    const QcNode *n = &lower->g->nodes[node], *from = &lower->out->nodes[x];
    int others = from->height > 1 || from->width > 1;
    if (others) {
        others = 0;
        for (uint32_t i = node + 1; i < lower->g->n_nodes; i++)
            for (uint32_t k = 0; k < lower->g->nodes[i].n_inputs; k++)
                others |= lower->g->nodes[i].inputs[k] == node && lower->g->nodes[i].op != QC_OP_LINEAR;
    }
    const QcLoops whole = {.n = 1, .size = {n->channels}, .stride = {1}};
    return others ? qc_graph_turn(lower->out, n->name, x, 1, 1, n->channels, &whole, lower->err)
                  : qc_graph_simple(lower->out, n->name, QC_OP_FLATTEN, x, lower->err);
}

static int plain(Lower *lower, uint32_t node)
{
    const QcNode *n = &lower->g->nodes[node];
    QcGraph *out = lower->out;
    if (n->op == QC_OP_INPUT) return 0;
    int a = value_of(lower, n->inputs[0]), b = n->n_inputs > 1 ? value_of(lower, n->inputs[1]) : 0;
    if (a < 0 || b < 0) return -1;
    switch (n->op) {
    case QC_OP_ADD: return qc_graph_add(out, n->name, (uint32_t)a, (uint32_t)b, lower->err);
    case QC_OP_MAXPOOL:
    case QC_OP_AVGPOOL: return qc_graph_pool(out, n->name, n->op, (uint32_t)a, n->window, n->count_padding, lower->err);
    case QC_OP_MUL: return qc_graph_mul(out, n->name, (uint32_t)a, (uint32_t)b, lower->err);
    case QC_OP_FUNCTION: return qc_graph_function(out, n->name, (uint32_t)a, n->steps, n->n_steps, lower->err);
    case QC_OP_TURN:
        return qc_graph_turn(out, n->name, (uint32_t)a, n->height, n->width, n->channels, &n->loops, lower->err);
    case QC_OP_FLATTEN: return flatten(lower, node, (uint32_t)a);
    case QC_OP_GAP:
    case QC_OP_STD: return qc_graph_simple(out, n->name, n->op, (uint32_t)a, lower->err);
    default:
        return qc_fail(lower->err, QC_EUNSUPPORTED, "node '%s' (%s) cannot be quantized", n->name, qc_op_names[n->op]);
    }
}

/* The node of the new graph that computes after(node). */
static int through(Lower *lower, uint32_t node, After after)
{
    const QcNode *n = &lower->g->nodes[node];
    switch (n->op) {
    case QC_OP_CONV:
    case QC_OP_LINEAR: return conv(lower, node, &after);
    case QC_OP_CONCAT: return concat(lower, node, &after);
    case QC_OP_BATCHNORM:
        if (batchnorm(lower, n, &after)) return -1;
        if (absorbs(lower, n->inputs[0])) return through(lower, n->inputs[0], after);
        return wrap(lower, n->name, value_of(lower, n->inputs[0]), &after);
    case QC_OP_RELU: {
        After own = {.relu = 1, .clip = n->clip};
        int x = absorbs(lower, n->inputs[0]) ||
                        (lower->readers[n->inputs[0]] == 1 && lower->g->nodes[n->inputs[0]].op == QC_OP_ADD)
                    ? through(lower, n->inputs[0], own)
                    : wrap(lower, n->name, value_of(lower, n->inputs[0]), &own);
        if (after.relu && !after.gain && !(after.clip > 0)) return x; /* ReLU of a ReLU */
        char name[QC_NAME_MAX + 1];
        make_name(name, n->name, ".after");
        return wrap(lower, name, x, &after);
    }
    default: return wrap(lower, n->name, plain(lower, node), &after);
    }
}

static int value_of(Lower *lower, uint32_t node)
{
    if (lower->value[node] < 0) {
        int x = through(lower, node, (After){0});
        if (x < 0) return -1;
        lower->value[node] = x;
    }
    return (int)lower->value[node];
}

static void copy_parameters(Lower *lower)
{
    QcGraph *out = lower->out;
    for (uint32_t i = 0; i < out->n_nodes; i++) {
        const QcNode *to = &out->nodes[i];
        if (to->op != QC_OP_CONV && to->op != QC_OP_LINEAR) continue;
        const Source *source = &lower->sources[i];
        const QcNode *from = source->node < 0 ? NULL : &lower->g->nodes[source->node];
        const float *gain = source->after.gain, *shift = source->after.shift;
        size_t row = to->n_weight / to->channels;
        for (uint32_t o = 0; o < to->channels; o++) {
            for (size_t j = 0; j < row; j++) {
                float w = from ? lower->g->params[from->weight + o * row + j] : 1;
                out->params[to->weight + o * row + j] = gain ? gain[o] * w : w;
            }
            if (!to->has_bias) continue;
            float b = from && from->has_bias ? lower->g->params[from->bias + o] : 0;
            out->params[to->bias + o] = gain ? gain[o] * b + shift[o] : b;
        }
    }
}

int qc_lower(QcGraph *out, const QcGraph *g, QcErr *err)
{
    int status = -1;
    Lower lower = {.g = g, .out = out, .err = err, .room = QC_MAX_NODES};
    const QcNode *input = &g->nodes[0];
    *out = (QcGraph){0};
    lower.readers = qc_arena_take(&lower.arena, g->n_nodes, sizeof *lower.readers, err);
    lower.value = qc_arena_take(&lower.arena, g->n_nodes, sizeof *lower.value, err);
    lower.sources = qc_arena_take(&lower.arena, lower.room, sizeof *lower.sources, err);
    if (!lower.readers || !lower.value || !lower.sources) goto end;
    qc_count_readers(lower.readers, g);
    for (uint32_t i = 0; i < g->n_nodes; i++) lower.value[i] = -1;
    if (qc_graph_init(out, input->channels, input->height, input->width, err)) goto end;
    if (value_of(&lower, g->n_nodes - 1) < 0) goto end;
    if (qc_graph_finish(out, err)) goto end;
    copy_parameters(&lower);
    status = 0;
end:
    if (status) qc_graph_release(out);
    qc_arena_release(&lower.arena);
    return status;
}
