#include "qgraphfile.h"

#include <string.h>

#include "../device/head.h"

enum { TENSOR_BYTES = 16, NODE_BYTES = 52, CHANNEL_BYTES = 13 };

static void put_tensor(QcWriter *w, const QcQTensor *t)
{
    qc_put_u16(w, t->height);
    qc_put_u16(w, t->width);
    qc_put_u16(w, t->channels);
    qc_put_u8(w, t->bits);
    qc_put_u8(w, t->zero);
    qc_put_f32(w, t->scale);
    qc_put_u32(w, t->offset);
}

static QcQTensor get_tensor(QcCursor *c)
{
    QcQTensor t;
    t.height = qc_get_u16(c);
    t.width = qc_get_u16(c);
    t.channels = qc_get_u16(c);
    t.bits = qc_get_u8(c);
    t.zero = qc_get_u8(c);
    t.scale = qc_get_f32(c);
    t.offset = qc_get_u32(c);
    t.inference_offset = 0;
    return t;
}

/* The 16-bit fields of a node in the order of the file: written down once for both ways. */
enum { NODE_SHORTS = 16 };
static void node_shorts(QcQNode *n, uint16_t *fields[NODE_SHORTS])
{
    uint16_t *all[NODE_SHORTS] = {&n->in[0],    &n->in[1],      &n->out,        &n->out_channel,
                                  &n->channels, &n->groups,     &n->kernel_h,   &n->kernel_w,
                                  &n->stride_h, &n->stride_w,   &n->dilation_h, &n->dilation_w,
                                  &n->pad_top,  &n->pad_bottom, &n->pad_left,   &n->pad_right};
    memcpy(fields, all, sizeof all);
}

static int has_codes(const QcQNode *n) { return n->op == QC_Q_CONV || n->op == QC_Q_LOGITS; }

static void put_node(QcWriter *w, QcQNode n)
{
    uint16_t *shorts[NODE_SHORTS];
    node_shorts(&n, shorts);
    qc_put_u8(w, n.op);
    qc_put_u8(w, n.relu);
    qc_put_u8(w, n.role);
    qc_put_u8(w, has_codes(&n) ? n.code_bits : n.count_padding);
    for (int i = 0; i < NODE_SHORTS; i++) qc_put_u16(w, *shorts[i]);
    qc_put_u32(w, n.code);
    qc_put_u32(w, n.code_byte);
    qc_put_u32(w, n.n_codes);
    qc_put_u32(w, n.channel);
}

static QcQNode get_node(QcCursor *c)
{
    QcQNode n;
    uint16_t *shorts[NODE_SHORTS];
    node_shorts(&n, shorts);
    n.op = qc_get_u8(c);
    n.relu = qc_get_u8(c);
    n.role = qc_get_u8(c);
    uint8_t own = qc_get_u8(c);
    n.code_bits = has_codes(&n) ? own : 0;
    n.count_padding = has_codes(&n) ? 0 : own;
    for (int i = 0; i < NODE_SHORTS; i++) *shorts[i] = qc_get_u16(c);
    n.code = qc_get_u32(c);
    n.code_byte = qc_get_u32(c);
    n.n_codes = qc_get_u32(c);
    n.channel = qc_get_u32(c);
    return n;
}

int qc_qgraphfile_encode(QcModelFile *m, const QcQGraph *g, QcErr *err)
{
    if (qc_qgraphfile_check(g, err)) return -1;
    QcWriter w = {0};
    qc_put_u8(&w, g->bits);
    qc_put_u32(&w, g->classes);
    qc_put_u32(&w, g->activation_bytes);
    qc_put_u32(&w, g->n_tensors);
    for (uint32_t i = 0; i < g->n_tensors; i++) put_tensor(&w, &g->tensors[i]);
    qc_put_u32(&w, g->n_nodes);
    for (uint32_t i = 0; i < g->n_nodes; i++) put_node(&w, g->nodes[i]);
    qc_put_u32(&w, g->n_channels);
    qc_put_f32s(&w, g->scale, g->n_channels);
    qc_put_i32s(&w, g->bias, g->n_channels);
    qc_put_i32s(&w, g->multiplier, g->n_channels);
    qc_put_bytes(&w, g->shift, g->n_channels);
    qc_put_u32(&w, g->n_codes);
    qc_put_u32(&w, g->n_code_bytes);
    qc_put_bytes(&w, g->codes, g->n_code_bytes);
    qc_container_remove(&m->container, "graph"); /* the float graph it was made from */
    qc_container_remove(&m->container, "learned"); /* which is of the graph before (learnedfile.h) */
    if (qc_container_add(&m->container, "qgraph", 0, &w, err)) return -1;
    qc_container_remove(&m->container, "spare");
    if (!g->spare) return 0;
    QcWriter spare = {0};
    qc_put_u32(&spare, g->spare);
    return qc_container_add(&m->container, "spare", QC_SECTION_OPTIONAL, &spare, err);
}

/* How many classes were not trained: section "spare", of models that have such classes. */
static int read_spare(QcQGraph *g, const QcModelFile *m, QcErr *err)
{
    QcCursor c;
    if (!qc_container_find(&m->container, "spare", &c)) return 0;
    g->spare = qc_get_u32(&c);
    if (qc_cursor_end(&c, "section 'spare'", err)) return -1;
    return g->spare < g->classes ? 0 : qc_fail(err, QC_EFORMAT, "all classes of the model are spare");
}

static int read_graph(QcQGraph *g, QcQTensor **own, QcCursor *c, QcArena *arena, QcErr *err)
{
    g->bits = qc_get_u8(c);
    g->classes = qc_get_u32(c);
    g->activation_bytes = qc_get_u32(c);

    g->n_tensors = qc_get_count(c, TENSOR_BYTES);
    QcQTensor *tensors = qc_arena_take(arena, g->n_tensors, sizeof *tensors, err);
    if (!tensors) return -1;
    for (uint32_t i = 0; i < g->n_tensors; i++) tensors[i] = get_tensor(c);
    g->tensors = *own = tensors;

    g->n_nodes = qc_get_count(c, NODE_BYTES);
    QcQNode *nodes = qc_arena_take(arena, g->n_nodes, sizeof *nodes, err);
    if (!nodes) return -1;
    for (uint32_t i = 0; i < g->n_nodes; i++) nodes[i] = get_node(c);
    g->nodes = nodes;

    g->n_channels = qc_get_count(c, CHANNEL_BYTES);
    g->scale = qc_get_f32s(c, g->n_channels, arena);
    g->bias = qc_get_i32s(c, g->n_channels, arena);
    g->multiplier = qc_get_i32s(c, g->n_channels, arena);
    g->shift = qc_get_bytes(c, g->n_channels, arena);
    g->n_codes = qc_get_u32(c);
    g->n_code_bytes = qc_get_count(c, 1);
    g->codes = qc_get_bytes(c, g->n_code_bytes, arena);
    return qc_cursor_end(c, "section 'qgraph'", err);
}

/* Classes without a name come last, and are spare rows (device/head.h). */
static int check_names(const QcQGraph *g, const QcModelFile *m, QcErr *err)
{
    const QcQNode *node = &g->nodes[g->n_nodes - 1];
    const QcLastLayer layer = {qc_layer_codes(g, node), qc_layer_scale(g, node), qc_layer_bias(g, node)};
    QcHeadShape shape;
    int unnamed = 0;
    qc_head_shape(&shape, g);
    for (uint32_t k = 0; k < g->classes; k++) {
        unnamed |= !*m->labels[k];
        int is_spare = k >= g->classes - g->spare && qc_head_fits(g) && qc_is_spare_row(&layer, &shape, k);
        if (unnamed && (*m->labels[k] || !is_spare))
            return qc_fail(err, QC_EFORMAT, "class %u has no name, and its row of the last layer is not spare", k);
    }
    return 0;
}

int qc_qgraphfile_decode(QcQGraph *g, const QcModelFile *m, QcArena *arena, QcErr *err)
{
    QcCursor c;
    QcQTensor *tensors;
    *g = (QcQGraph){0};
    if (!qc_container_find(&m->container, "qgraph", &c)) {
        if (qc_container_find(&m->container, "graph", &c))
            return qc_fail(err, QC_EFORMAT,
                           "the model is a float model; a quantized one is needed (qc-quantize makes it)");
        return qc_fail(err, QC_EFORMAT, "the model has no quantized graph");
    }
    if (read_graph(g, &tensors, &c, arena, err) || read_spare(g, m, err) || qc_qgraphfile_check(g, err) ||
        qc_qgraphfile_plan_inference(g, tensors, err))
        return -1;
    if (g->classes == m->classes && check_names(g, m, err)) return -1;
    const QcQTensor *input = &g->tensors[0];
    if (g->classes != m->classes || input->channels != m->channels || input->height != m->height ||
        input->width != m->length)
        return qc_fail(
            err, QC_EFORMAT,
            "the quantized graph takes %u x %u x %u and makes %u classes, but the model says %u x %u x %u and %u",
            input->channels, input->height, input->width, g->classes, m->channels, m->height, m->length, m->classes);
    return 0;
}
