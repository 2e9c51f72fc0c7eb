#include "graph.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../base/rng.h"
#include "graphshape.h"

QcWindow qc_window_1d(uint32_t kernel, uint32_t stride, uint32_t dilation, uint32_t pad_left, uint32_t pad_right)
{
    return (QcWindow){.kernel_h = 1,
                      .kernel_w = kernel,
                      .stride_h = 1,
                      .stride_w = stride,
                      .dilation_h = 1,
                      .dilation_w = dilation,
                      .pad_left = pad_left,
                      .pad_right = pad_right};
}

QcWindow qc_window_same_1d(uint32_t kernel)
{
    uint32_t left = kernel ? (kernel - 1) / 2 : 0;
    return qc_window_1d(kernel, 1, 1, left, kernel ? kernel - 1 - left : 0);
}

static int make_room(QcGraph *g, QcErr *err)
{
    if (g->n_nodes == QC_MAX_NODES) return qc_fail(err, QC_EFORMAT, "the graph has more than %d nodes", QC_MAX_NODES);
    if (g->n_nodes < g->room) return 0;
    uint32_t room = g->room ? 2 * g->room : 64;
    QcNode *nodes = qc_arena_take(&g->arena, room, sizeof *nodes, err);
    if (!nodes) return -1;
    if (g->n_nodes) memcpy(nodes, g->nodes, g->n_nodes * sizeof *nodes);
    g->nodes = nodes;
    g->room = room;
    return 0;
}

int qc_graph_append(QcGraph *g, QcNode *node, QcErr *err)
{
    if (g->params) return qc_fail(err, QC_EUSAGE, "node '%.63s' comes after the graph was finished", node->name);
    if (make_room(g, err) || qc_graph_shape(g, node, g->n_nodes, err)) return -1;
    g->nodes[g->n_nodes] = *node;
    return (int)g->n_nodes++;
}

static int add_node(QcGraph *g, const char *name, QcNode node, QcErr *err)
{
    if (strlen(name) > QC_NAME_MAX)
        return qc_fail(err, QC_EFORMAT, "the node name '%.63s...' is longer than %d bytes", name, QC_NAME_MAX);
    snprintf(node.name, sizeof node.name, "%s", name);
    return qc_graph_append(g, &node, err);
}

int qc_graph_init(QcGraph *g, uint32_t channels, uint32_t height, uint32_t width, QcErr *err)
{
    *g = (QcGraph){0};
    if (add_node(g, "input", (QcNode){.op = QC_OP_INPUT, .height = height, .width = width, .channels = channels},
                 err) == 0)
        return 0;
    qc_graph_release(g);
    return -1;
}

int qc_graph_conv(QcGraph *g, const char *name, uint32_t input, uint32_t out, QcWindow window, uint32_t groups,
                  int has_bias, QcErr *err)
{
    QcNode node = {.op = QC_OP_CONV,
                   .n_inputs = 1,
                   .inputs = {input},
                   .channels = out,
                   .window = window,
                   .groups = groups,
                   .has_bias = has_bias};
    return add_node(g, name, node, err);
}

int qc_graph_pool(QcGraph *g, const char *name, QcOp op, uint32_t input, QcWindow window, int count_padding, QcErr *err)
{
    return add_node(
        g, name, (QcNode){.op = op, .n_inputs = 1, .inputs = {input}, .window = window, .count_padding = count_padding},
        err);
}

int qc_graph_linear(QcGraph *g, const char *name, uint32_t input, uint32_t out, int has_bias, QcErr *err)
{
    return add_node(
        g, name, (QcNode){.op = QC_OP_LINEAR, .n_inputs = 1, .inputs = {input}, .channels = out, .has_bias = has_bias},
        err);
}

int qc_graph_concat(QcGraph *g, const char *name, const uint32_t *inputs, uint32_t n_inputs, QcErr *err)
{
    QcNode node = {.op = QC_OP_CONCAT, .n_inputs = n_inputs};
    for (uint32_t i = 0; i < n_inputs && i < QC_MAX_INPUTS; i++) node.inputs[i] = inputs[i];
    return add_node(g, name, node, err);
}

int qc_graph_add(QcGraph *g, const char *name, uint32_t a, uint32_t b, QcErr *err)
{
    return add_node(g, name, (QcNode){.op = QC_OP_ADD, .n_inputs = 2, .inputs = {a, b}}, err);
}

int qc_graph_simple(QcGraph *g, const char *name, QcOp op, uint32_t input, QcErr *err)
{
    return add_node(
        g, name, (QcNode){.op = op, .n_inputs = 1, .inputs = {input}, .eps = op == QC_OP_BATCHNORM ? 1e-5f : 0}, err);
}

int qc_graph_mul(QcGraph *g, const char *name, uint32_t a, uint32_t b, QcErr *err)
{
    return add_node(g, name, (QcNode){.op = QC_OP_MUL, .n_inputs = 2, .inputs = {a, b}}, err);
}

int qc_graph_function(QcGraph *g, const char *name, uint32_t input, const QcStep *steps, uint32_t n_steps, QcErr *err)
{
    QcNode node = {.op = QC_OP_FUNCTION, .n_inputs = 1, .inputs = {input}, .n_steps = n_steps};
    memcpy(node.steps, steps, (n_steps < QC_MAX_STEPS ? n_steps : QC_MAX_STEPS) * sizeof *steps);
    return add_node(g, name, node, err);
}

int qc_graph_table(QcGraph *g, const char *name, uint32_t input, float scale, uint32_t zero, uint32_t bits,
                   const float *levels, QcErr *err)
{
    return add_node(g, name,
                    (QcNode){.op = QC_OP_TABLE,
                             .n_inputs = 1,
                             .inputs = {input},
                             .scale = scale,
                             .zero = zero,
                             .bits = bits,
                             .levels = levels},
                    err);
}

int qc_graph_turn(QcGraph *g, const char *name, uint32_t input, uint32_t height, uint32_t width, uint32_t channels,
                  const QcLoops *loops, QcErr *err)
{
    QcNode node = {.op = QC_OP_TURN,
                   .n_inputs = 1,
                   .inputs = {input},
                   .height = height,
                   .width = width,
                   .channels = channels,
                   .loops = *loops};
    return add_node(g, name, node, err);
}

int qc_graph_quant(QcGraph *g, const char *name, uint32_t input, float scale, uint32_t zero, uint32_t bits, QcErr *err)
{
    return add_node(
        g, name,
        (QcNode){.op = QC_OP_QUANT, .n_inputs = 1, .inputs = {input}, .scale = scale, .zero = zero, .bits = bits}, err);
}

static void fill(float *values, size_t n, float value)
{
    for (size_t i = 0; i < n; i++) values[i] = value;
}

/* Gain 1, shift 0, running mean 0, running variance 1. */
static void reset_norms(QcGraph *g)
{
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcNode *node = &g->nodes[i];
        if (node->op != QC_OP_BATCHNORM) continue;
        fill(g->params + node->weight, node->n_weight, 1);
        fill(g->params + node->bias, node->n_bias, 0);
        fill(g->stats + node->stat, node->channels, 0);
        fill(g->stats + node->stat + node->channels, node->channels, 1);
    }
}

static int all_used(const QcGraph *g, QcErr *err)
{
    uint8_t used[QC_MAX_NODES] = {0};
    for (uint32_t i = 0; i < g->n_nodes; i++)
        for (uint32_t k = 0; k < g->nodes[i].n_inputs; k++) used[g->nodes[i].inputs[k]] = 1;
    for (uint32_t i = 0; i + 1 < g->n_nodes; i++)
        if (!used[i])
            return qc_fail(err, QC_EFORMAT, "node '%.63s' is used by no other node and is not the last",
                           g->nodes[i].name);
    return 0;
}

/* Checks the graph as a whole, after every node has been checked. */
static int check_whole(const QcGraph *g, QcErr *err)
{
    if (g->n_nodes < 2) return qc_fail(err, QC_EFORMAT, "the graph has no node after its input");
    const QcNode *last = &g->nodes[g->n_nodes - 1];
    if (last->height != 1 || last->width != 1)
        return qc_fail(err, QC_EFORMAT, "the last node '%.63s' gives %u x %u positions, not one row of logits",
                       last->name, last->height, last->width);
    return all_used(g, err);
}

int qc_graph_finish(QcGraph *g, QcErr *err)
{
    if (check_whole(g, err) || qc_graph_layout(g, err)) return -1;
    float *params = qc_arena_take(&g->arena, g->n_params, sizeof *params, err);
    float *stats = params ? qc_arena_take(&g->arena, g->n_stats, sizeof *stats, err) : NULL;
    if (!stats) return -1;
    g->classes = g->nodes[g->n_nodes - 1].channels;
    g->params = params;
    g->stats = stats;
    reset_norms(g);
    return 0;
}

void qc_graph_reset(QcGraph *g, uint64_t seed)
{
    memset(g->params, 0, g->n_params * sizeof *g->params);
    reset_norms(g);
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcNode *node = &g->nodes[i];
        if (node->op != QC_OP_CONV && node->op != QC_OP_LINEAR) continue;
        QcRng rng = qc_rng_seed(seed, QC_STREAM_NODE0 + i); /* a stream a node: adding a node leaves the others as they
                                                               were */
        double deviation = sqrt(2.0 / (double)(node->n_weight / node->channels));
        for (size_t k = 0; k < node->n_weight; k++)
            g->params[node->weight + k] = (float)(deviation * qc_rng_normal(&rng));
    }
}

int qc_graph_clone(QcGraph *out, const QcGraph *g, QcErr *err)
{
    *out = (QcGraph){.n_nodes = g->n_nodes,
                     .room = g->n_nodes,
                     .classes = g->classes,
                     .n_params = g->n_params,
                     .n_stats = g->n_stats};
    out->nodes = qc_arena_take(&out->arena, g->n_nodes, sizeof *out->nodes, err);
    out->params = out->nodes && g->params ? qc_arena_take(&out->arena, g->n_params, sizeof *out->params, err) : NULL;
    out->stats = out->params ? qc_arena_take(&out->arena, g->n_stats, sizeof *out->stats, err) : NULL;
    if (!out->nodes || (g->params && !out->stats)) {
        qc_graph_release(out);
        return -1;
    }
    memcpy(out->nodes, g->nodes, g->n_nodes * sizeof *g->nodes);
    if (!g->params) return 0;
    memcpy(out->params, g->params, g->n_params * sizeof *g->params);
    memcpy(out->stats, g->stats, g->n_stats * sizeof *g->stats);
    return 0;
}

static int check_numbers(const QcGraph *g, QcErr *err)
{
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcNode *node = &g->nodes[i];
        for (size_t k = 0; k < node->n_weight + node->n_bias; k++)
            if (!isfinite(g->params[node->weight + k]))
                return qc_fail(err, QC_EFORMAT, "node '%.63s' has a parameter that is not finite", node->name);
        if (node->op != QC_OP_BATCHNORM) continue;
        const float *mean = g->stats + node->stat, *variance = mean + node->channels;
        for (uint32_t c = 0; c < node->channels; c++)
            if (!isfinite(mean[c]) || !(variance[c] >= 0) || !isfinite(variance[c]))
                return qc_fail(err, QC_EFORMAT, "node '%.63s' has a running mean or variance out of range",
                               node->name);
    }
    return 0;
}

static int same_layout(const QcNode *a, const QcNode *b)
{
    return a->height == b->height && a->width == b->width && a->channels == b->channels && a->weight == b->weight &&
           a->bias == b->bias && a->n_weight == b->n_weight && a->n_bias == b->n_bias && a->stat == b->stat;
}

int qc_graph_check(const QcGraph *g, QcErr *err)
{
    if (g->n_nodes < 1 || g->n_nodes > QC_MAX_NODES || !g->nodes)
        return qc_fail(err, QC_EFORMAT, "the graph has not 1 to %d nodes", QC_MAX_NODES);
    if (!g->params || !g->stats) return qc_fail(err, QC_EUSAGE, "the graph is not finished");
    /* shapes are computed again on a copy, and compared */
    QcGraph fresh = {.n_nodes = g->n_nodes, .room = g->n_nodes};
    fresh.nodes = qc_arena_take(&fresh.arena, g->n_nodes, sizeof *fresh.nodes, err);
    if (!fresh.nodes) return -1;
    memcpy(fresh.nodes, g->nodes, g->n_nodes * sizeof *g->nodes);
    int status = 0;
    for (uint32_t i = 0; i < g->n_nodes && !status; i++) status = qc_graph_shape(&fresh, &fresh.nodes[i], i, err);
    if (!status) status = check_whole(&fresh, err) || qc_graph_layout(&fresh, err) ? -1 : 0;
    for (uint32_t i = 0; i < g->n_nodes && !status; i++)
        if (!same_layout(&g->nodes[i], &fresh.nodes[i]))
            status =
                qc_fail(err, QC_EFORMAT, "node '%.63s' has a shape or place of parameters that its inputs do not give",
                        g->nodes[i].name);
    if (!status && (fresh.n_params != g->n_params || fresh.n_stats != g->n_stats ||
                    g->classes != g->nodes[g->n_nodes - 1].channels))
        status = qc_fail(err, QC_EFORMAT, "the graph's totals do not match its nodes");
    qc_graph_release(&fresh);
    return status ? status : check_numbers(g, err);
}

void qc_graph_release(QcGraph *g)
{
    if (!g) return;
    qc_arena_release(&g->arena);
    *g = (QcGraph){0};
}

int64_t qc_graph_find(const QcGraph *g, const char *name)
{
    for (uint32_t i = 0; i < g->n_nodes; i++)
        if (!strcmp(g->nodes[i].name, name)) return i;
    return -1;
}

uint64_t qc_graph_macs(const QcGraph *g)
{
    uint64_t macs = 0;
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcNode *node = &g->nodes[i];
        if (node->op == QC_OP_CONV || node->op == QC_OP_LINEAR)
            macs += (uint64_t)node->n_weight * node->height * node->width;
    }
    return macs;
}
