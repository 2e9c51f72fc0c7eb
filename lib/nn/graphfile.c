/* Section "graph": number of nodes, each node's attributes (never its shape or its place in the parameters: those are
 * worked out again), then parameters and statistics. docs: qc-formats(5). */
#include "graphfile.h"

#include <string.h>

#include "graphshape.h"

static void put_window(QcWriter *w, const QcWindow *v)
{
    const uint32_t fields[] = {v->kernel_h, v->kernel_w, v->stride_h, v->stride_w, v->dilation_h, v->dilation_w,
                               v->pad_top,  v->pad_bottom, v->pad_left, v->pad_right};
    qc_put_u32s(w, fields, 10);
}

static QcWindow get_window(QcCursor *c)
{
    QcWindow v;
    uint32_t *const fields[] = {&v.kernel_h, &v.kernel_w, &v.stride_h, &v.stride_w, &v.dilation_h, &v.dilation_w,
                                &v.pad_top,  &v.pad_bottom, &v.pad_left, &v.pad_right};
    for (int i = 0; i < 10; i++) *fields[i] = qc_get_u32(c);
    return v;
}

static void put_node(QcWriter *w, const QcNode *node)
{
    qc_put_u8(w, (uint8_t)node->op);
    qc_put_text(w, node->name);
    qc_put_u32(w, node->n_inputs);
    qc_put_u32s(w, node->inputs, node->n_inputs);
    switch (node->op) {
    case QC_OP_CONV:
        qc_put_u32(w, node->channels);
        put_window(w, &node->window);
        qc_put_u32(w, node->groups);
        qc_put_u8(w, node->has_bias != 0);
        break;
    case QC_OP_MAXPOOL:
    case QC_OP_AVGPOOL:
        put_window(w, &node->window);
        qc_put_u8(w, node->count_padding != 0);
        break;
    case QC_OP_LINEAR:
        qc_put_u32(w, node->channels);
        qc_put_u8(w, node->has_bias != 0);
        break;
    case QC_OP_BATCHNORM: qc_put_f32(w, node->eps); break;
    case QC_OP_RELU: qc_put_f32(w, node->clip); break;
    case QC_OP_FUNCTION:
        qc_put_u32(w, node->n_steps);
        for (uint32_t k = 0; k < node->n_steps; k++) {
            qc_put_u8(w, node->steps[k].op);
            qc_put_f32(w, node->steps[k].value);
        }
        break;
    case QC_OP_TURN:
        qc_put_u32(w, node->height);
        qc_put_u32(w, node->width);
        qc_put_u32(w, node->channels);
        qc_put_u32(w, node->loops.offset);
        qc_put_u32(w, node->loops.n);
        qc_put_u32s(w, node->loops.size, node->loops.n);
        qc_put_u32s(w, node->loops.stride, node->loops.n);
        break;
    case QC_OP_QUANT:
        qc_put_f32(w, node->scale);
        qc_put_u32(w, node->zero);
        qc_put_u32(w, node->bits);
        break;
    default: break;
    }
}

static int get_node(QcNode *node, QcCursor *c, QcArena *arena, uint32_t index, QcErr *err)
{
    *node = (QcNode){.op = (QcOp)qc_get_u8(c)};
    const char *name = qc_get_text(c, arena);
    if (!name) return qc_cursor_end(c, "section 'graph'", err);
    if (strlen(name) > QC_NAME_MAX) return qc_fail(err, QC_EFORMAT, "node %u of the graph has no proper name", index);
    strcpy(node->name, name);
    node->n_inputs = qc_get_u32(c);
    if (node->n_inputs > QC_MAX_INPUTS)
        return qc_fail(err, QC_EFORMAT, "node '%.63s' has more than %d inputs", name, QC_MAX_INPUTS);
    for (uint32_t i = 0; i < node->n_inputs; i++) node->inputs[i] = qc_get_u32(c);
    switch (node->op) {
    case QC_OP_CONV:
        node->channels = qc_get_u32(c);
        node->window = get_window(c);
        node->groups = qc_get_u32(c);
        node->has_bias = qc_get_u8(c) != 0;
        break;
    case QC_OP_MAXPOOL:
    case QC_OP_AVGPOOL:
        node->window = get_window(c);
        node->count_padding = qc_get_u8(c) != 0;
        break;
    case QC_OP_LINEAR:
        node->channels = qc_get_u32(c);
        node->has_bias = qc_get_u8(c) != 0;
        break;
    case QC_OP_BATCHNORM: node->eps = qc_get_f32(c); break;
    case QC_OP_RELU: node->clip = qc_get_f32(c); break;
    case QC_OP_FUNCTION:
        node->n_steps = qc_get_u32(c);
        if (node->n_steps > QC_MAX_STEPS)
            return qc_fail(err, QC_EFORMAT, "node '%.63s' has more than %d steps", name, QC_MAX_STEPS);
        for (uint32_t k = 0; k < node->n_steps; k++) {
            node->steps[k].op = qc_get_u8(c);
            node->steps[k].value = qc_get_f32(c);
        }
        break;
    case QC_OP_TURN:
        node->height = qc_get_u32(c);
        node->width = qc_get_u32(c);
        node->channels = qc_get_u32(c);
        node->loops.offset = qc_get_u32(c);
        node->loops.n = qc_get_u32(c);
        if (node->loops.n > QC_MAX_LOOPS)
            return qc_fail(err, QC_EFORMAT, "node '%.63s' has more than %d loops", name, QC_MAX_LOOPS);
        for (uint32_t k = 0; k < node->loops.n; k++) node->loops.size[k] = qc_get_u32(c);
        for (uint32_t k = 0; k < node->loops.n; k++) node->loops.stride[k] = qc_get_u32(c);
        break;
    case QC_OP_QUANT:
        node->scale = qc_get_f32(c);
        node->zero = qc_get_u32(c);
        node->bits = qc_get_u32(c);
        break;
    default: break;
    }
    return 0;
}

int qc_graph_encode(QcModelFile *m, const QcGraph *g, QcErr *err)
{
    QcWriter w = {0};
    if (qc_graph_check(g, err)) return -1;
    for (uint32_t i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].op == QC_OP_TABLE)
            return qc_fail(err, QC_EUNSUPPORTED, "'%.63s' is a table of codes, which a float model cannot have",
                           g->nodes[i].name);
    qc_put_u32(&w, g->n_nodes);
    for (uint32_t i = 0; i < g->n_nodes; i++) put_node(&w, &g->nodes[i]);
    qc_put_f32s(&w, g->params, g->n_params);
    qc_put_f32s(&w, g->stats, g->n_stats);
    return qc_container_add(&m->container, "graph", 0, &w, err);
}

static int get_nodes(QcGraph *g, QcCursor *c, const QcModelFile *m, QcErr *err)
{
    uint32_t n = qc_get_count(c, 9); /* operation, name, number of inputs */
    if (!n || n > QC_MAX_NODES) return qc_fail(err, QC_EFORMAT, "the graph has not 1 to %d nodes", QC_MAX_NODES);
    for (uint32_t i = 0; i < n; i++) {
        QcNode node;
        if (get_node(&node, c, &g->arena, i, err)) return -1;
        if (c->bad) return qc_cursor_end(c, "the graph", err);
        if (i == 0) { /* the model file says how large the input is */
            node.height = m->height;
            node.width = m->length;
            node.channels = m->channels;
        }
        if (qc_graph_append(g, &node, err) < 0) return -1;
    }
    return 0;
}

static void get_f32s(float *values, QcCursor *c, size_t n)
{
    for (size_t i = 0; i < n; i++) values[i] = qc_get_f32(c);
}

int qc_graph_decode(QcGraph *g, const QcModelFile *m, QcErr *err)
{
    QcCursor c;
    *g = (QcGraph){0};
    if (!qc_container_find(&m->container, "graph", &c))
        return qc_modelfile_is_quantized(m)
                   ? qc_fail(err, QC_EFORMAT, "the model is quantized; a float model is needed here")
                   : qc_fail(err, QC_EFORMAT, "the model has no graph");
    if (get_nodes(g, &c, m, err) || qc_graph_layout(g, err)) goto fail;
    if (c.length - c.at != (g->n_params + g->n_stats) * sizeof(float)) { /* before anything of that size is allocated */
        qc_fail(err, QC_EFORMAT, "the graph needs %zu numbers and the file has %zu", g->n_params + g->n_stats,
                (c.length - c.at) / sizeof(float));
        goto fail;
    }
    if (qc_graph_finish(g, err)) goto fail;
    get_f32s(g->params, &c, g->n_params);
    get_f32s(g->stats, &c, g->n_stats);
    if (qc_cursor_end(&c, "the graph", err) || qc_graph_check(g, err)) goto fail;
    if (g->classes == m->classes) return 0;
    qc_fail(err, QC_EFORMAT, "the graph gives %u logits and the model has %u classes", g->classes, m->classes);
fail:
    qc_graph_release(g);
    return -1;
}
