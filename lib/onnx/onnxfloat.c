/* A float graph as ONNX nodes, one for one; weights turn from channels-last to channels-first. */
#include <stdio.h>
#include <string.h>

#include "../nn/graphfile.h"
#include "onnxwrite.h"

typedef struct Writer {
    QcOnnxOut *out;
    const QcGraph *g;
    char (*value)[QC_ONNX_NAME]; /* [n_nodes] what each node's value is called */
    QcArena arena;
} Writer;

static const char *with(char name[QC_ONNX_NAME], const QcNode *node, const char *ending)
{
    snprintf(name, QC_ONNX_NAME, "%s%s", node->name, ending);
    return name;
}

/* [rows][h][w][c] -> [rows][c][h][w], as an initializer. */
static void put_turned(Writer *w, const char *name, const float *values, const int64_t *dims, uint32_t rank,
                       size_t rows, size_t h, size_t v, size_t c)
{
    float *turned = qc_arena_take(&w->arena, rows * h * v * c, sizeof *turned, NULL), *to = turned;
    if (!turned) {
        w->out->bad = 1;
        return;
    }
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < c; k++)
            for (size_t p = 0; p < h * v; p++) *to++ = values[(r * h * v + p) * c + k];
    qc_out_floats(w->out, name, dims, rank, turned);
}

static const float *bias_of(const Writer *w, const QcNode *node) { return w->g->params + node->bias; }

static QcOutWindow window_of(const QcWindow *w)
{
    return (QcOutWindow){{w->kernel_h, w->kernel_w},
                         {w->stride_h, w->stride_w},
                         {w->dilation_h, w->dilation_w},
                         {w->pad_top, w->pad_left},
                         {w->pad_bottom, w->pad_right}};
}

static void write_conv(Writer *w, const QcNode *node, const char *output, const char *x)
{
    char weight[QC_ONNX_NAME], bias[QC_ONNX_NAME];
    const QcWindow *v = &node->window;
    uint32_t in = (uint32_t)(node->n_weight / node->channels / v->kernel_h / v->kernel_w);
    const int64_t dims[4] = {node->channels, in, w->out->spatial == 2 ? v->kernel_h : v->kernel_w, v->kernel_w};
    QcOutWindow window = window_of(v);
    put_turned(w, with(weight, node, ".weight"), w->g->params + node->weight, dims, 2 + (uint32_t)w->out->spatial,
               node->channels, v->kernel_h, v->kernel_w, in);
    if (node->has_bias) qc_out_floats(w->out, with(bias, node, ".bias"), dims, 1, bias_of(w, node));
    Onnx__NodeProto *made = qc_out_node(w->out, "Conv", output, x, weight, node->has_bias ? bias : NULL);
    qc_out_window(w->out, made, &window);
    if (node->groups > 1) qc_out_int(w->out, made, "group", node->groups);
}

/* Rows between a Flatten and, unless they are the logits, a Reshape that makes windows of them again. */
static void write_linear(Writer *w, const QcNode *node, const char *output, const char *x, int last)
{
    char weight[QC_ONNX_NAME], bias[QC_ONNX_NAME], flat[QC_ONNX_NAME], rows[QC_ONNX_NAME], shape[QC_ONNX_NAME];
    const QcNode *in = &w->g->nodes[node->inputs[0]];
    const int64_t dims[2] = {node->channels, (int64_t)(node->n_weight / node->channels)},
                  whole[4] = {0, node->channels, 1, 1}, rank = 2 + w->out->spatial;
    put_turned(w, with(weight, node, ".weight"), w->g->params + node->weight, dims, 2, node->channels, in->height,
               in->width, in->channels);
    if (node->has_bias) qc_out_floats(w->out, with(bias, node, ".bias"), dims, 1, bias_of(w, node));
    qc_out_node(w->out, "Flatten", with(flat, node, ".flat"), x, NULL, NULL);
    qc_out_int(w->out,
               qc_out_node(w->out, "Gemm", last ? output : with(rows, node, ".rows"), flat, weight,
                           node->has_bias ? bias : NULL),
               "transB", 1);
    if (last) return;
    qc_out_numbers(w->out, with(shape, node, ".shape"), &rank, 1, whole);
    qc_out_node(w->out, "Reshape", output, rows, shape, NULL);
}

static void write_norm(Writer *w, const QcNode *node, const char *output, const char *x)
{
    const float *stats = w->g->stats + node->stat,
                *values[4] = {w->g->params + node->weight, bias_of(w, node), stats, stats + node->channels};
    static const char *const endings[4] = {".weight", ".bias", ".running_mean", ".running_var"};
    char names[4][QC_ONNX_NAME];
    const int64_t channels = node->channels;
    const char *more[2] = {names[2], names[3]};
    for (int k = 0; k < 4; k++) qc_out_floats(w->out, with(names[k], node, endings[k]), &channels, 1, values[k]);
    Onnx__NodeProto *made = qc_out_node(w->out, "BatchNormalization", output, x, names[0], names[1]);
    qc_out_more(w->out, made, more, 2);
    qc_out_float(w->out, made, "epsilon", node->eps);
}

static void write_relu(Writer *w, const QcNode *node, const char *output, const char *x)
{
    char low[QC_ONNX_NAME], high[QC_ONNX_NAME];
    const float zero = 0;
    if (!(node->clip > 0)) {
        qc_out_node(w->out, "Relu", output, x, NULL, NULL);
        return;
    }
    qc_out_floats(w->out, with(low, node, ".min"), NULL, 0, &zero);
    qc_out_floats(w->out, with(high, node, ".max"), NULL, 0, &node->clip);
    qc_out_node(w->out, "Clip", output, x, low, high);
}

static void write_pool(Writer *w, const QcNode *node, const char *output, const char *x)
{
    QcOutWindow window = window_of(&node->window);
    Onnx__NodeProto *made =
        qc_out_node(w->out, node->op == QC_OP_MAXPOOL ? "MaxPool" : "AveragePool", output, x, NULL, NULL);
    qc_out_window(w->out, made, &window);
    if (node->op == QC_OP_MAXPOOL) return;
    if (node->count_padding) qc_out_int(w->out, made, "count_include_pad", 1);
    /* the first with dilated averages */
    if ((node->window.dilation_h > 1 || node->window.dilation_w > 1) && w->out->opset < 19) w->out->opset = 19;
}

/* Values of a window lie in the order of height, width, channels after it, which ONNX must be told. */
static void write_flatten(Writer *w, const QcNode *node, const char *output, const char *x)
{
    char turned[QC_ONNX_NAME], shape[QC_ONNX_NAME];
    const int64_t whole[4] = {0, node->channels, 1, 1}, rank = 2 + w->out->spatial,
                  order[2][4] = {{0, 2, 1}, {0, 2, 3, 1}};
    qc_out_ints(w->out, qc_out_node(w->out, "Transpose", with(turned, node, ".turned"), x, NULL, NULL), "perm",
                order[w->out->spatial - 1], (uint32_t)rank);
    qc_out_numbers(w->out, with(shape, node, ".shape"), &rank, 1, whole);
    qc_out_node(w->out, "Reshape", output, turned, shape, NULL);
}

static void write_concat(Writer *w, const QcNode *node, const char *output)
{
    const char *inputs[QC_MAX_INPUTS];
    for (uint32_t k = 0; k < node->n_inputs; k++) inputs[k] = w->value[node->inputs[k]];
    Onnx__NodeProto *made = qc_out_node(w->out, "Concat", output, NULL, NULL, NULL);
    qc_out_more(w->out, made, inputs, node->n_inputs);
    qc_out_int(w->out, made, "axis", 1);
}

/* A node for each step; the stack holds the names of values. */
static void write_function(Writer *w, const QcNode *node, const char *output, const char *x)
{
    static const char *const names[QC_STEP_COUNT] = {NULL,  NULL,  "Add", "Sub",     "Mul",  "Div", "Min",     "Max",
                                                     "Abs", "Exp", "Exp", "Sigmoid", "Tanh", "Erf", "Softplus",
                                                     "Sqrt", "Log"};
    char stack[QC_MAX_STACK + 1][QC_ONNX_NAME], value[QC_ONNX_NAME], power[QC_ONNX_NAME], one[QC_ONNX_NAME], ending[24];
    const float unit = 1;
    uint32_t top = 0;
    for (uint32_t k = 0; k < node->n_steps; k++) {
        uint8_t op = node->steps[k].op;
        snprintf(ending, sizeof ending, ".step%u", k);
        with(value, node, ending);
        if (op == QC_STEP_NUMBER) qc_out_floats(w->out, value, NULL, 0, &node->steps[k].value);
        if (op <= QC_STEP_NUMBER) {
            snprintf(stack[top++], QC_ONNX_NAME, "%s", op == QC_STEP_X ? x : value);
            continue;
        }
        top -= op <= QC_STEP_MAX;
        if (op == QC_STEP_EXPM1) { /* ONNX has no e^x - 1 */
            snprintf(power, sizeof power, "%.80s.exp", value);
            snprintf(one, sizeof one, "%.80s.one", value);
            qc_out_floats(w->out, one, NULL, 0, &unit);
            qc_out_node(w->out, "Exp", power, stack[top - 1], NULL, NULL);
            qc_out_node(w->out, "Sub", value, power, one, NULL);
        } else {
            qc_out_node(w->out, names[op], value, stack[top - 1], op <= QC_STEP_MAX ? stack[top] : NULL, NULL);
        }
        snprintf(stack[top - 1], QC_ONNX_NAME, "%s", value);
    }
    qc_out_node(w->out, "Identity", output, stack[0], NULL, NULL);
}

static int write_node(Writer *w, const QcNode *node, const char *output, int last, QcErr *err)
{
    const char *x = w->value[node->inputs[0]];
    switch (node->op) {
    case QC_OP_CONV: write_conv(w, node, output, x); return 0;
    case QC_OP_LINEAR: write_linear(w, node, output, x, last); return 0;
    case QC_OP_BATCHNORM: write_norm(w, node, output, x); return 0;
    case QC_OP_RELU: write_relu(w, node, output, x); return 0;
    case QC_OP_MAXPOOL:
    case QC_OP_AVGPOOL: write_pool(w, node, output, x); return 0;
    case QC_OP_GAP: qc_out_node(w->out, "GlobalAveragePool", output, x, NULL, NULL); return 0;
    case QC_OP_STD: qc_out_std(w->out, output, x); return 0;
    case QC_OP_CONCAT: write_concat(w, node, output); return 0;
    case QC_OP_FUNCTION: write_function(w, node, output, x); return 0;
    case QC_OP_MUL: qc_out_node(w->out, "Mul", output, x, w->value[node->inputs[1]], NULL); return 0;
    case QC_OP_TURN: qc_out_turn(w->out, output, x, &node->loops, node->height, node->width, node->channels); return 0;
    case QC_OP_ADD: qc_out_node(w->out, "Add", output, x, w->value[node->inputs[1]], NULL); return 0;
    case QC_OP_FLATTEN: write_flatten(w, node, output, x); return 0;
    default:
        return qc_fail(err, QC_EUNSUPPORTED, "node '%s' (%s) has no counterpart in ONNX", node->name,
                       qc_op_names[node->op]);
    }
}

/* Series stay one-dimensional. */
static int is_flat(const QcGraph *g)
{
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcWindow *v = &g->nodes[i].window;
        int slides = g->nodes[i].op == QC_OP_CONV || g->nodes[i].op == QC_OP_MAXPOOL || g->nodes[i].op == QC_OP_AVGPOOL;
        if (g->nodes[i].height > 1 || (slides && (v->kernel_h > 1 || v->pad_top || v->pad_bottom))) return 0;
    }
    return 1;
}

int qc_onnx_write_float(QcOnnxOut *out, const QcModelFile *m, QcErr *err)
{
    QcGraph g;
    int status = -1;
    if (qc_graph_decode(&g, m, err)) return -1;
    Writer w = {.out = out, .g = &g};
    w.value = qc_arena_take(&w.arena, g.n_nodes, sizeof *w.value, err);
    if (!w.value) goto end;
    out->spatial = is_flat(&g) ? 1 : 2;
    qc_out_input(out, w.value[0], m);
    for (uint32_t i = 1; i < g.n_nodes; i++) {
        int last = i + 1 == g.n_nodes, is_row = g.nodes[i].op == QC_OP_LINEAR;
        snprintf(w.value[i], QC_ONNX_NAME, "%s", last && is_row ? "logits" : g.nodes[i].name);
        if (!strcmp(w.value[i], "x") || (!strcmp(w.value[i], "logits") && !(last && is_row)))
            snprintf(w.value[i], QC_ONNX_NAME, "%s.value", g.nodes[i].name);
        if (write_node(&w, &g.nodes[i], w.value[i], last, err)) goto end;
        if (last && !is_row) qc_out_node(out, "Flatten", "logits", w.value[i], NULL, NULL);
    }
    status = 0;
end:
    qc_arena_release(&w.arena);
    qc_graph_release(&g);
    return status;
}
