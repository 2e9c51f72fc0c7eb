#include "run.h"

#include <stdlib.h>
#include <string.h>

#include "runparts.h"

static uint32_t widest_norm(const QcGraph *g)
{
    uint32_t most = 1;
    for (uint32_t i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].op == QC_OP_BATCHNORM && g->nodes[i].channels > most) most = g->nodes[i].channels;
    return most;
}

static int take_tables(QcRun *run, QcErr *err)
{
    size_t n = run->g->n_nodes, widest = widest_norm(run->g);
    QcArena *a = &run->arena;
    return (run->kept = qc_arena_take(a, n, 1, err)) && (run->wants = qc_arena_take(a, n, 1, err)) &&
                   (run->adds = qc_arena_take(a, n * QC_MAX_INPUTS, 1, err)) && (run->value = qc_arena_take(a, n, sizeof *run->value, err)) &&
                   (run->gradient = qc_arena_take(a, n, sizeof *run->gradient, err)) &&
                   (run->spare = qc_arena_take(a, n, sizeof *run->spare, err)) &&
                   (run->norm = qc_arena_take(a, run->g->n_stats, sizeof *run->norm, err)) &&
                   (run->channel = qc_arena_take(a, 3 * widest, sizeof *run->channel, err)) &&
                   (run->sums = qc_arena_take(a, (size_t)run->threads * 2 * widest, sizeof *run->sums, err))
               ? 0
               : -1;
}

QcRun *qc_run_new(QcGraph *g, uint32_t batch, QcRunMode mode, int threads, QcErr *err)
{
    if (!batch || batch > QC_MAX_DIM || threads < 1 || threads > 1024) {
        qc_fail(err, QC_EUSAGE, "a batch of %u windows on %d threads cannot be (1 to 65535 windows, 1 to 1024 threads)", batch, threads);
        return NULL;
    }
    QcRun *run = calloc(1, sizeof *run);
    if (!run) {
        qc_fail_memory(err, "a run");
        return NULL;
    }
    *run = (QcRun){.g = g, .batch = batch, .mode = mode, .threads = threads};
    qc_threads_use(threads);
    if (take_tables(run, err) || qc_run_plan(run, err) || qc_convs_make(&run->convs[0], run, batch, err)) {
        qc_run_free(run);
        return NULL;
    }
    return run;
}

void qc_run_free(QcRun *run)
{
    if (!run) return;
    qc_convs_release(&run->convs[0], run->g->n_nodes);
    qc_convs_release(&run->convs[1], run->g->n_nodes);
    free(run->memory);
    qc_arena_release(&run->arena);
    free(run);
}

int qc_run_keep(QcRun *run, uint32_t node, QcErr *err)
{
    if (node >= run->g->n_nodes) return qc_fail(err, QC_EUSAGE, "node %u is not one of the graph's %u", node, run->g->n_nodes);
    run->kept[node] = 1;
    run->n = 0;
    return qc_run_plan(run, err);
}

/* The primitives for n windows; made where n is met for the first time. */
static const QcConvs *convs_for(QcRun *run, uint32_t n)
{
    if (n == run->batch) return &run->convs[0];
    if (run->convs[1].n == n) return &run->convs[1];
    qc_convs_release(&run->convs[1], run->g->n_nodes);
    return qc_convs_make(&run->convs[1], run, n, NULL) ? NULL : &run->convs[1];
}

static void concat_forward(QcRun *run, const QcNode *node, float *y)
{
    size_t rows = run->n * qc_node_positions(node), at = 0;
    for (uint32_t k = 0; k < node->n_inputs; k++) {
        size_t width = run->g->nodes[node->inputs[k]].channels;
        qc_copy_rows(y + at, node->channels, run->value[node->inputs[k]], width, width, rows);
        at += width;
    }
}

static void node_forward(QcRun *run, const QcConvs *convs, uint32_t i)
{
    const QcGraph *g = run->g;
    const QcNode *node = &g->nodes[i], *in = &g->nodes[node->inputs[0]];
    float *y = run->value[i];
    const float *x = run->value[node->inputs[0]];
    size_t values = run->n * qc_node_values(node);
    switch (node->op) {
    case QC_OP_CONV:
    case QC_OP_LINEAR: qc_conv_forward(convs, g, i, y, x); break;
    case QC_OP_BATCHNORM: qc_norm_forward(run, node, y, x, run->n * qc_node_positions(node)); break;
    case QC_OP_RELU: qc_relu_forward(y, x, node->clip, values); break;
    case QC_OP_MAXPOOL: qc_maxpool_forward(y, x, node, in, run->n); break;
    case QC_OP_AVGPOOL: qc_avgpool_forward(y, x, node, in, run->n); break;
    case QC_OP_GAP: qc_gap_forward(y, x, in, run->n); break;
    case QC_OP_CONCAT: concat_forward(run, node, y); break;
    case QC_OP_ADD: qc_sum_forward(y, x, run->value[node->inputs[1]], values); break;
    case QC_OP_FLATTEN: qc_copy(y, x, values); break;
    case QC_OP_QUANT: qc_quant_forward(y, x, node, values); break;
    case QC_OP_INPUT:
    case QC_OP_COUNT: break;
    }
}

const float *qc_run_forward(QcRun *run, const float *x, uint32_t n)
{
    if (!n || n > run->batch) return NULL;
    qc_threads_use(run->threads);
    const QcConvs *convs = convs_for(run, n);
    if (!convs) return NULL;
    run->n = n;
    memcpy(run->value[0], x, n * qc_node_values(&run->g->nodes[0]) * sizeof *x);
    for (uint32_t i = 1; i < run->g->n_nodes; i++) node_forward(run, convs, i);
    return run->value[run->g->n_nodes - 1];
}

/* The gradient with respect to input k of node i, written to dx. */
static void input_backward(QcRun *run, uint32_t i, uint32_t k, float *dx)
{
    const QcGraph *g = run->g;
    const QcNode *node = &g->nodes[i], *in = &g->nodes[node->inputs[k]];
    const float *dy = run->gradient[i], *x = run->value[node->inputs[k]];
    size_t values = run->n * qc_node_values(node);
    switch (node->op) {
    case QC_OP_RELU: qc_relu_backward(dx, dy, run->value[i], node->clip, values); break;
    case QC_OP_MAXPOOL: qc_maxpool_backward(dx, dy, x, node, in, run->n); break;
    case QC_OP_AVGPOOL: qc_avgpool_backward(dx, dy, node, in, run->n); break;
    case QC_OP_GAP: qc_gap_backward(dx, dy, in, run->n); break;
    case QC_OP_ADD:
    case QC_OP_FLATTEN: qc_copy(dx, dy, values); break;
    case QC_OP_QUANT: qc_quant_backward(dx, dy, x, node, values); break;
    case QC_OP_CONCAT: {
        size_t at = 0;
        for (uint32_t before = 0; before < k; before++) at += g->nodes[node->inputs[before]].channels;
        qc_copy_rows(dx, in->channels, dy + at, node->channels, in->channels, run->n * qc_node_positions(node));
        break;
    }
    default: break;
    }
}

static void node_backward(QcRun *run, const QcConvs *convs, uint32_t i, float *grads)
{
    const QcNode *node = &run->g->nodes[i];
    const float *dy = run->gradient[i];
    for (uint32_t k = 0; k < node->n_inputs; k++) {
        uint32_t in = node->inputs[k];
        float *target = run->adds[i * QC_MAX_INPUTS + k] ? run->spare[i] : run->gradient[in]; /* NULL: not wanted */
        if (node->op == QC_OP_CONV || node->op == QC_OP_LINEAR)
            qc_conv_backward(convs, run->g, i, target, grads, dy, run->value[in]);
        else if (node->op == QC_OP_BATCHNORM)
            qc_norm_backward(run, node, target, grads, dy, run->value[in], run->n * qc_node_positions(node));
        else if (target)
            input_backward(run, i, k, target);
        if (target && target == run->spare[i])
            qc_sum_forward(run->gradient[in], run->gradient[in], target, run->n * qc_node_values(&run->g->nodes[in]));
    }
}

void qc_run_backward(QcRun *run, float *grads, const float *dlogits)
{
    uint32_t last = run->g->n_nodes - 1;
    if (run->mode == QC_RUN_EVAL || !run->n || !run->wants[last]) return;
    qc_threads_use(run->threads);
    const QcConvs *convs = convs_for(run, run->n); /* made by the forward pass */
    memcpy(run->gradient[last], dlogits, (size_t)run->n * run->g->classes * sizeof *dlogits);
    for (uint32_t i = last; i > 0; i--)
        if (run->wants[i]) node_backward(run, convs, i, grads);
}

const float *qc_run_value(const QcRun *run, uint32_t node)
{
    return run->n && (run->kept[node] || node + 1 == run->g->n_nodes) ? run->value[node] : NULL;
}

const float *qc_run_gradient(const QcRun *run, uint32_t node) { return run->n && run->kept[node] ? run->gradient[node] : NULL; }

size_t qc_run_bytes(const QcRun *run) { return run->memory_bytes + run->arena.bytes + run->convs[0].bytes + run->convs[1].bytes; }
