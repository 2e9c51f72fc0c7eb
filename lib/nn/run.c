#include "run.h"

#include <stdlib.h>
#include <string.h>

#include "runparts.h"

enum {
    PARTS = 4,  /* slices of a batch: also the most threads that work on it */
    REUSE = 500 /* a slice's uses of each weight; below, gradients of weights are a large part of the time */
};

int qc_run_parts;

/* The number of threads must not change it. */
static int count_parts(const QcGraph *g, uint32_t batch, QcRunMode mode)
{
    uint64_t most = batch < PARTS ? batch : PARTS, worth = batch * (qc_graph_macs(g) / (g->n_params + 1)) / REUSE;
    if (qc_run_parts) worth = (uint64_t)qc_run_parts;
    if (worth > most || (mode == QC_RUN_EVAL && !qc_run_parts)) return (int)most;
    return worth ? (int)worth : 1;
}

static uint32_t widest_norm(const QcGraph *g)
{
    uint32_t most = 1;
    for (uint32_t i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].op == QC_OP_BATCHNORM && g->nodes[i].channels > most) most = g->nodes[i].channels;
    return most;
}

static int take_slice(QcRun *run, QcRunSlice *slice, int number, QcErr *err)
{
    size_t n = run->g->n_nodes;
    QcArena *a = &run->arena;
    int goes_back = run->mode != QC_RUN_EVAL;
    *slice = (QcRunSlice){.number = number};
    return (slice->value = qc_arena_take(a, n, sizeof *slice->value, err)) &&
                   (slice->gradient = qc_arena_take(a, n, sizeof *slice->gradient, err)) &&
                   (slice->spare = qc_arena_take(a, n, sizeof *slice->spare, err)) &&
                   (!goes_back || !number ||
                    (slice->grads = qc_arena_take(a, run->g->n_params, sizeof *slice->grads, err)))
               ? 0
               : -1;
}

static int take_member(QcRun *run, int number, QcErr *err)
{
    int parts = run->parts, members = run->n_members;
    QcRunMember *m = &run->members[number];
    *m = (QcRunMember){.run = run,
                       .slices = run->slices + parts * number / members,
                       .end = run->slices + parts * (number + 1) / members};
    m->channel = qc_arena_take(&run->arena, 3 * (size_t)widest_norm(run->g), sizeof *m->channel, err);
    return m->channel ? 0 : -1;
}

static int take_tables(QcRun *run, QcErr *err)
{
    size_t n = run->g->n_nodes, parts = (size_t)run->parts, members = (size_t)run->n_members;
    QcArena *a = &run->arena;
    if (!(run->kept = qc_arena_take(a, n, 1, err)) || !(run->wants = qc_arena_take(a, n, 1, err)) ||
        !(run->adds = qc_arena_take(a, n * QC_MAX_INPUTS, 1, err)) ||
        !(run->whole_value = qc_arena_take(a, n, sizeof *run->whole_value, err)) ||
        !(run->whole_gradient = qc_arena_take(a, n, sizeof *run->whole_gradient, err)) ||
        !(run->norm = qc_arena_take(a, run->g->n_stats, sizeof *run->norm, err)) ||
        !(run->sums = qc_arena_take(a, run->g->n_stats * parts, sizeof *run->sums, err)) ||
        !(run->slices = qc_arena_take(a, parts, sizeof *run->slices, err)) ||
        !(run->members = qc_arena_take(a, members, sizeof *run->members, err)))
        return -1;
    for (int k = 0; k < run->parts; k++)
        if (take_slice(run, &run->slices[k], k, err)) return -1;
    for (int k = 0; k < run->n_members; k++)
        if (take_member(run, k, err)) return -1;
    return 0;
}

/* Gives each slice of the cut batch primitives for its windows. Primitives of the full batch stay; others are
 * replaced. */
static int make_convs(QcRun *run, int which, QcErr *err)
{
    uint32_t n_nodes = run->g->n_nodes, smaller = run->slices[0].n; /* qc_run_cut */
    int goes_back = run->mode != QC_RUN_EVAL;
    qc_convs_single_threaded();
    for (QcRunMember *m = run->members; m < run->members + run->n_members; m++) {
        int has[2] = {0, 0};
        for (QcRunSlice *slice = m->slices; slice < m->end; slice++) {
            int larger = slice->n > smaller;
            QcConvs *convs = &m->convs[which][larger];
            slice->convs = convs;
            slice->is_laid_out = has[larger]++;
            if (convs->layers && convs->n == slice->n) continue;
            qc_convs_release(convs, n_nodes);
            if (qc_convs_make(convs, run->g, goes_back, slice->n, err)) return -1;
        }
    }
    return 0;
}

QcRun *qc_run_new(QcGraph *g, uint32_t batch, QcRunMode mode, int threads, QcErr *err)
{
    if (!batch || batch > QC_MAX_DIM || threads < 1 || threads > 1024) {
        qc_fail(err, QC_EUSAGE, "a batch of %u windows on %d threads is not possible (1 to 65535, 1 to 1024)",
                batch, threads);
        return NULL;
    }
    QcRun *run = calloc(1, sizeof *run);
    if (!run) {
        qc_fail_memory(err, "a run");
        return NULL;
    }
    *run = (QcRun){.g = g, .batch = batch, .mode = mode, .parts = count_parts(g, batch, mode)};
    run->n_members = threads < run->parts ? threads : run->parts;
    if (take_tables(run, err) || qc_run_plan(run, err) || make_convs(run, 0, err) ||
        !(run->team = qc_team_new(run->n_members, err))) {
        qc_run_free(run);
        return NULL;
    }
    return run;
}

void qc_run_free(QcRun *run)
{
    if (!run) return;
    qc_team_free(run->team);
    for (int k = 0; k < run->n_members && run->members; k++)
        for (int which = 0; which < 4; which++)
            qc_convs_release(&run->members[k].convs[which / 2][which % 2], run->g->n_nodes);
    free(run->memory);
    qc_arena_release(&run->arena);
    free(run);
}

int qc_run_keep(QcRun *run, uint32_t node, QcErr *err)
{
    if (node >= run->g->n_nodes)
        return qc_fail(err, QC_EUSAGE, "node %u is not one of the graph's %u", node, run->g->n_nodes);
    if (run->kept[node]) return 0;
    run->kept[node] = 1;
    run->n = 0;
    return qc_run_plan(run, err);
}

static void concat_forward(const QcGraph *g, QcRunSlice *slice, const QcNode *node, float *y)
{
    size_t rows = slice->n * qc_node_positions(node), at = 0;
    for (uint32_t k = 0; k < node->n_inputs; k++) {
        size_t width = g->nodes[node->inputs[k]].channels;
        qc_copy_rows(y + at, node->channels, slice->value[node->inputs[k]], width, width, rows);
        at += width;
    }
}

static void node_forward(const QcGraph *g, QcRunSlice *slice, uint32_t i)
{
    const QcNode *node = &g->nodes[i], *in = &g->nodes[node->inputs[0]];
    float *y = slice->value[i];
    const float *x = slice->value[node->inputs[0]];
    size_t values = slice->n * qc_node_values(node);
    switch (node->op) {
    case QC_OP_CONV:
    case QC_OP_LINEAR: qc_run_conv_forward(slice->convs, g, i, y, x, slice->is_laid_out); break;
    case QC_OP_RELU: qc_run_relu_forward(y, x, node->clip, values); break;
    case QC_OP_MAXPOOL: qc_run_maxpool_forward(y, x, node, in, slice->n); break;
    case QC_OP_AVGPOOL: qc_run_avgpool_forward(y, x, node, in, slice->n); break;
    case QC_OP_GAP: qc_run_gap_forward(y, x, in, slice->n); break;
    case QC_OP_STD: qc_run_std_forward(y, x, in, slice->n); break;
    case QC_OP_CONCAT: concat_forward(g, slice, node, y); break;
    case QC_OP_ADD: qc_run_sum_forward(y, x, slice->value[node->inputs[1]], values); break;
    case QC_OP_FLATTEN: qc_copy(y, x, values); break;
    case QC_OP_QUANT: qc_run_quant_forward(y, x, node, values); break;
    case QC_OP_FUNCTION: qc_run_function_forward(y, x, node, values); break;
    case QC_OP_TABLE: qc_run_table_forward(y, x, node, values); break;
    case QC_OP_MUL:
        qc_run_mul_forward(y, x, slice->value[node->inputs[1]], node, &g->nodes[node->inputs[1]], slice->n);
        break;
    case QC_OP_TURN: qc_run_turn_forward(y, x, node, in, slice->n); break;
    case QC_OP_BATCHNORM: /* not slice by slice */
    case QC_OP_INPUT:
    case QC_OP_COUNT: break;
    }
}

static void member_forward(void *ctx, int number)
{
    QcRun *run = ctx;
    const QcGraph *g = run->g;
    QcRunMember *m = &run->members[number];
    size_t values = qc_node_values(&g->nodes[0]);
    qc_convs_single_threaded();
    for (QcRunSlice *slice = m->slices; slice < m->end; slice++)
        memcpy(slice->value[0], run->x + slice->first * values, slice->n * values * sizeof *run->x);
    for (uint32_t i = 1; i < g->n_nodes; i++) {
        if (g->nodes[i].op == QC_OP_BATCHNORM) qc_run_norm_forward(m, i);
        else
            for (QcRunSlice *slice = m->slices; slice < m->end; slice++) node_forward(g, slice, i);
    }
}

const float *qc_run_forward(QcRun *run, const float *x, uint32_t n)
{
    if (!n || n > run->batch) return NULL;
    qc_run_cut(run, n);
    qc_run_settle(run);
    run->n = 0;
    if (make_convs(run, n != run->batch, NULL)) return NULL;
    run->n = n;
    run->x = x;
    qc_team_run(run->team, member_forward, run);
    return run->whole_value[run->g->n_nodes - 1];
}

/* The gradient with respect to input k of node i, written to dx. */
static void input_backward(const QcGraph *g, QcRunSlice *slice, uint32_t i, uint32_t k, float *dx)
{
    const QcNode *node = &g->nodes[i], *in = &g->nodes[node->inputs[k]];
    const float *dy = slice->gradient[i], *x = slice->value[node->inputs[k]];
    size_t values = slice->n * qc_node_values(node);
    switch (node->op) {
    case QC_OP_RELU: qc_run_relu_backward(dx, dy, slice->value[i], node->clip, values); break;
    case QC_OP_MAXPOOL: qc_run_maxpool_backward(dx, dy, x, node, in, slice->n); break;
    case QC_OP_AVGPOOL: qc_run_avgpool_backward(dx, dy, node, in, slice->n); break;
    case QC_OP_GAP: qc_run_gap_backward(dx, dy, in, slice->n); break;
    case QC_OP_STD: qc_run_std_backward(dx, dy, slice->value[i], x, in, slice->n); break;
    case QC_OP_ADD:
    case QC_OP_FLATTEN: qc_copy(dx, dy, values); break;
    case QC_OP_QUANT: qc_run_quant_backward(dx, dy, x, node, values); break;
    case QC_OP_FUNCTION: qc_run_function_backward(dx, dy, x, node, values); break;
    case QC_OP_TABLE: qc_run_table_backward(dx, dy, x, node, values); break;
    case QC_OP_MUL:
        qc_run_mul_backward(dx, dy, slice->value[node->inputs[!k]], node, in, &g->nodes[node->inputs[!k]], slice->n);
        break;
    case QC_OP_TURN: qc_run_turn_backward(dx, dy, node, in, slice->n); break;
    case QC_OP_CONCAT: {
        size_t at = 0;
        for (uint32_t before = 0; before < k; before++) at += g->nodes[node->inputs[before]].channels;
        qc_copy_rows(dx, in->channels, dy + at, node->channels, in->channels, slice->n * qc_node_positions(node));
        break;
    }
    default: break;
    }
}

/* The weights of all slices first: the data's gradients then share one layout of the layer's weights. */
static void layer_backward(QcRunMember *m, uint32_t i, float *const *target)
{
    const QcGraph *g = m->run->g;
    for (QcRunSlice *s = m->slices; s < m->end; s++)
        qc_run_conv_back_weights(s->convs, g, i, s->grads, s->gradient[i], s->value[g->nodes[i].inputs[0]]);
    for (QcRunSlice *s = m->slices; s < m->end && target[s->number]; s++)
        qc_run_conv_back_data(s->convs, g, i, target[s->number], s->gradient[i], s->is_laid_out);
}

static void node_backward(QcRunMember *m, uint32_t i)
{
    const QcRun *run = m->run;
    const QcGraph *g = run->g;
    const QcNode *node = &g->nodes[i];
    float *target[PARTS]; /* of each slice; NULL: not wanted */
    for (uint32_t k = 0; k < node->n_inputs; k++) {
        uint32_t in = node->inputs[k];
        int adds = run->adds[i * QC_MAX_INPUTS + k];
        for (QcRunSlice *s = m->slices; s < m->end; s++) target[s->number] = adds ? s->spare[i] : s->gradient[in];
        if (node->op == QC_OP_CONV || node->op == QC_OP_LINEAR) layer_backward(m, i, target);
        else if (node->op == QC_OP_BATCHNORM) qc_run_norm_backward(m, i, target);
        else
            for (QcRunSlice *s = m->slices; s < m->end && target[s->number]; s++)
                input_backward(g, s, i, k, target[s->number]);
        for (QcRunSlice *s = m->slices; s < m->end && adds; s++)
            qc_run_sum_forward(s->gradient[in], s->gradient[in], s->spare[i], s->n * qc_node_values(&g->nodes[in]));
    }
}

/* Adds the other slices' gradients to slice 0, in their order; each member does a part of the parameters. */
static void add_up(const QcRun *run, int number)
{
    enum { STRIP = 1024 }; /* parameters that stay in cache */
    size_t n = run->g->n_params, members = (size_t)run->n_members, end = n * ((size_t)number + 1) / members;
    float *sum = run->slices[0].grads;
    for (size_t from = n * (size_t)number / members, to; from < end; from = to) {
        to = end - from < STRIP ? end : from + STRIP;
        for (int k = 1; k < run->parts; k++)
            /* without windows it has computed nothing */
            if (run->slices[k].n) qc_run_sum_forward(sum + from, sum + from, run->slices[k].grads + from, to - from);
    }
}

static void member_backward(void *ctx, int number)
{
    QcRun *run = ctx;
    QcRunMember *m = &run->members[number];
    uint32_t last = run->g->n_nodes - 1, classes = run->g->classes;
    qc_convs_single_threaded();
    for (QcRunSlice *s = m->slices; s < m->end; s++)
        memcpy(s->gradient[last], run->dlogits + (size_t)s->first * classes,
               (size_t)s->n * classes * sizeof *run->dlogits);
    for (uint32_t i = last; i > 0; i--)
        if (run->wants[i]) node_backward(m, i);
    qc_team_barrier(run->team);
    add_up(run, number);
}

/* Without windows slice 0 writes no gradient of a convolution. */
static void begin_grads(QcRun *run, float *grads)
{
    run->slices[0].grads = grads;
    if (!run->slices[0].n) memset(grads, 0, run->g->n_params * sizeof *grads);
}

void qc_run_backward(QcRun *run, float *grads, const float *dlogits)
{
    if (run->mode == QC_RUN_EVAL || !run->n || !run->wants[run->g->n_nodes - 1]) return;
    begin_grads(run, grads);
    run->dlogits = dlogits;
    qc_team_run(run->team, member_backward, run);
}

const float *qc_run_value(const QcRun *run, uint32_t node) { return run->n ? run->whole_value[node] : NULL; }
const float *qc_run_gradient(const QcRun *run, uint32_t node) { return run->n ? run->whole_gradient[node] : NULL; }

size_t qc_run_bytes(const QcRun *run)
{
    size_t bytes = run->memory_bytes + run->arena.bytes;
    for (int k = 0; k < run->n_members; k++)
        for (int which = 0; which < 4; which++) bytes += run->members[k].convs[which / 2][which % 2].bytes;
    return bytes;
}
