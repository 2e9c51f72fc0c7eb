/* The graph as a whole: which operators are known, which nodes matter, what goes in and what comes out. */
#include <stdlib.h>
#include <string.h>

#include "onnxparts.h"

enum { OLDEST = 9, NEWEST = 23, MAX_ONNX_NODES = 1 << 16, MAX_BATCH = 1 << 16 };

typedef struct Operator {
    const char *name;
    int (*computed)(QcOnnxImport *im); /* NULL: only constants */
    int (*constant)(QcOnnxImport *im); /* all inputs are constants; NULL: only data */
} Operator;

static const Operator operators[] = {
    {"Add", qc_onnx_arithmetic, qc_fold_arithmetic},
    {"AveragePool", qc_onnx_pool, NULL},
    {"BatchNormalization", qc_onnx_batchnorm, NULL},
    {"Cast", qc_onnx_same, qc_fold_cast},
    {"Clip", qc_onnx_clip, NULL},
    {"Concat", qc_onnx_concat, qc_fold_concat},
    {"Constant", NULL, qc_fold_constant},
    {"ConstantOfShape", NULL, qc_fold_filled},
    {"Conv", qc_onnx_conv, NULL},
    {"Div", qc_onnx_arithmetic, qc_fold_arithmetic},
    {"Dropout", qc_onnx_same, qc_onnx_same},
    {"Flatten", qc_onnx_flatten, NULL},
    {"Gather", NULL, qc_fold_gather},
    {"Gemm", qc_onnx_gemm, NULL},
    {"GlobalAveragePool", qc_onnx_global_pool, NULL},
    {"GlobalMaxPool", qc_onnx_global_pool, NULL},
    {"Identity", qc_onnx_same, qc_onnx_same},
    {"LogSoftmax", qc_onnx_softmax, NULL},
    {"MatMul", qc_onnx_matmul, NULL},
    {"MaxPool", qc_onnx_pool, NULL},
    {"Mul", qc_onnx_arithmetic, qc_fold_arithmetic},
    {"Pad", qc_onnx_pad, NULL},
    {"ReduceMean", qc_onnx_reduce_mean, NULL},
    {"Relu", qc_onnx_relu, NULL},
    {"Reshape", qc_onnx_reshape, qc_fold_reshape},
    {"Shape", qc_onnx_shape, qc_onnx_shape},
    {"Slice", NULL, qc_fold_slice},
    {"Softmax", qc_onnx_softmax, NULL},
    {"Squeeze", qc_onnx_squeeze, qc_fold_reshape},
    {"Sub", qc_onnx_arithmetic, qc_fold_arithmetic},
    {"Transpose", qc_onnx_transpose, qc_fold_transpose},
    {"Unsqueeze", qc_onnx_unsqueeze, qc_fold_reshape},
};

static const Operator *operator_named(const char *name)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (!strcmp(operators[i].name, name)) return &operators[i];
    return NULL;
}

static int is_standard_domain(const char *domain) { return !domain || !*domain || !strcmp(domain, "ai.onnx"); }

/* ---- what matters ---- */

static int check_values(QcOnnxImport *im, Onnx__ValueInfoProto *const *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!values[i]->name) return qc_fail(im->err, QC_EFORMAT, "an input or output of the graph has no name");
    return 0;
}

/* Protocol buffers let every field be missing; these may not be. */
static int check_names(QcOnnxImport *im)
{
    const Onnx__GraphProto *g = im->graph;
    for (size_t i = 0; i < g->n_initializer; i++)
        if (!g->initializer[i]->name) return qc_fail(im->err, QC_EFORMAT, "weights of the graph have no name");
    for (size_t i = 0; i < g->n_node; i++)
        if (!g->node[i]->op_type) return qc_fail(im->err, QC_EFORMAT, "node %zu of the graph has no operator", i);
    return check_values(im, g->input, g->n_input) || check_values(im, g->output, g->n_output) ? -1 : 0;
}

static int check_opset(QcOnnxImport *im)
{
    for (size_t i = 0; i < im->model->n_opset_import; i++)
        if (is_standard_domain(im->model->opset_import[i]->domain)) im->opset = im->model->opset_import[i]->version;
    if (im->opset >= OLDEST && im->opset <= NEWEST) return 0;
    return qc_fail(im->err, QC_EUNSUPPORTED, "the model is of operator set %lld; %d to %d are supported", (long long)im->opset, OLDEST, NEWEST);
}

static int check_node(QcOnnxImport *im, const Onnx__NodeProto *node)
{
    im->at = node;
    if (!is_standard_domain(node->domain)) return qc_onnx_refuse(im, "operators of '%.60s' are not supported", node->domain);
    return operator_named(node->op_type) ? 0 : qc_onnx_refuse(im, "this operator is not supported");
}

/* Marks the nodes that the output needs, from behind, and counts who reads what. */
static int mark_needed(QcOnnxImport *im, uint8_t *needed)
{
    const Onnx__GraphProto *g = im->graph;
    QcOnnxName *output = qc_onnx_find(im, g->output[0]->name);
    if (!output) return qc_fail(im->err, QC_EFORMAT, "nothing makes the output '%.100s'", g->output[0]->name);
    output->uses++;
    for (size_t i = g->n_node; i-- > 0;) {
        const Onnx__NodeProto *node = g->node[i];
        for (size_t k = 0; k < node->n_output && !needed[i]; k++) {
            QcOnnxName *made = qc_onnx_find(im, node->output[k]);
            needed[i] = made && made->maker == node && made->needed;
        }
        needed[i] |= output->maker == node;
        if (!needed[i]) continue;
        if (check_node(im, node)) return -1;
        for (size_t k = 0; k < node->n_input; k++) {
            QcOnnxName *read = *node->input[k] ? qc_onnx_find(im, node->input[k]) : NULL;
            if (!read) continue;
            read->needed = 1;
            read->uses += strcmp(node->op_type, "Shape") != 0;
        }
    }
    return 0;
}

/* ---- the input ---- */

static const Onnx__ValueInfoProto *find_input(QcOnnxImport *im)
{
    const Onnx__ValueInfoProto *input = NULL;
    for (size_t i = 0; i < im->graph->n_input; i++) {
        const QcOnnxName *name = qc_onnx_find(im, im->graph->input[i]->name);
        if (!name || name->tensor) continue; /* older files list initializers as inputs, too */
        if (input) return qc_fail(im->err, QC_EUNSUPPORTED, "the model has several inputs ('%.60s', '%.60s'); one is supported", input->name, name->name), NULL;
        input = im->graph->input[i];
    }
    if (!input) qc_fail(im->err, QC_EUNSUPPORTED, "the model has no input");
    return input;
}

/* Sizes as declared; 0 = not said. */
static int input_dims(QcOnnxImport *im, int64_t dims[4], uint32_t *rank_out, const Onnx__ValueInfoProto *input)
{
    const char *name = input->name;
    const Onnx__TypeProto__Tensor *type = input->type && input->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ? input->type->tensor_type : NULL;
    if (!type || !type->shape) return qc_fail(im->err, QC_EUNSUPPORTED, "input '%.100s' is no tensor of known rank", name);
    if (type->elem_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT) return qc_fail(im->err, QC_EUNSUPPORTED, "input '%.100s' is not of type float", name);
    if (type->shape->n_dim < 2 || type->shape->n_dim > 4)
        return qc_fail(im->err, QC_EUNSUPPORTED, "input '%.100s' has %zu dimensions, not [N, F], [N, C, T] or [N, C, H, W]", name, type->shape->n_dim);
    uint32_t rank = *rank_out = (uint32_t)type->shape->n_dim;
    for (uint32_t k = 0; k < rank; k++) {
        const Onnx__TensorShapeProto__Dimension *d = type->shape->dim[k];
        dims[k] = d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE ? d->dim_value : 0;
        if (dims[k] < 0 || dims[k] > (k ? QC_MAX_DIM * (rank == 2 ? 1024LL : 1) : MAX_BATCH))
            return qc_fail(im->err, QC_EUNSUPPORTED, "input '%.100s' has a dimension of %lld", name, (long long)dims[k]);
    }
    return 0;
}

/* Where windows come channels-last, the first node may turn them: then the axes mean what they mean behind it. */
static void turn_axes(QcOnnxImport *im, QcValue *v, const char *name)
{
    const Onnx__NodeProto *reader = NULL;
    for (size_t i = 0; i < im->graph->n_node; i++)
        for (size_t k = 0; k < im->graph->node[i]->n_input; k++)
            if (!strcmp(im->graph->node[i]->input[k], name) && strcmp(im->graph->node[i]->op_type, "Shape")) {
                if (reader) return;
                reader = im->graph->node[i];
            }
    if (!reader || strcmp(reader->op_type, "Transpose") || !reader->n_attribute || reader->attribute[0]->n_ints != v->rank) return;
    uint8_t axis[QC_ONNX_RANK] = {0};
    uint32_t seen = 0;
    for (uint32_t k = 0; k < v->rank; k++) {
        int64_t from = reader->attribute[0]->ints[k];
        if (from < 0 || from >= v->rank || seen >> from & 1) return;
        seen |= 1u << from;
        axis[from] = v->axis[k];
    }
    if (axis[0] != QC_AXIS_BATCH) return;
    memcpy(v->axis, axis, sizeof axis);
    im->turned = 1;
}

static int check_said(QcOnnxImport *im, uint32_t said, int64_t dim, const char *what)
{
    if (said && dim && said != dim) return qc_fail(im->err, QC_EUSAGE, "the model's input has %lld for %s, not %u", (long long)dim, what, said);
    if (!said && !dim) return qc_fail(im->err, QC_EUSAGE, "the model does not say the size of its input along %s: give --shape", what);
    return 0;
}

static int begin(QcOnnxImport *im, const Onnx__ValueInfoProto *input)
{
    int64_t dims[4] = {0}, size[4] = {0}; /* size by QcAxis */
    uint32_t rank = 0;
    const QcOnnxOptions *o = im->o;
    QcValue v = {.kind = QC_VALUE_COMPUTED, .alone = 1, .axis = {QC_AXIS_BATCH, QC_AXIS_CHANNEL, QC_AXIS_HEIGHT, QC_AXIS_WIDTH}};
    if (input_dims(im, dims, &rank, input)) return -1;
    v.rank = rank;
    if (rank == 3) v.axis[2] = QC_AXIS_WIDTH;
    if (!im->as_it_stands) turn_axes(im, &v, input->name);
    for (uint32_t k = 0; k < rank; k++) size[v.axis[k]] = dims[k];
    if (rank == 4 && size[QC_AXIS_WIDTH] == 1 && size[QC_AXIS_HEIGHT] > 1) { /* a series that stands upright */
        for (uint32_t k = 2; k < rank; k++) v.axis[k] = v.axis[k] == QC_AXIS_WIDTH ? QC_AXIS_HEIGHT : v.axis[k] == QC_AXIS_HEIGHT ? QC_AXIS_WIDTH : v.axis[k];
        size[QC_AXIS_WIDTH] = size[QC_AXIS_HEIGHT];
        size[QC_AXIS_HEIGHT] = 1;
    }
    if (rank < 4) size[QC_AXIS_HEIGHT] = 1;
    if (rank < 3) size[QC_AXIS_WIDTH] = 1;
    im->batch = dims[0] ? dims[0] : 1;
    if (rank == 2 && o->channels) { /* rows that are windows laid flat */
        int64_t said[3] = {o->channels, o->height, o->length};
        if (size[QC_AXIS_CHANNEL] && (uint64_t)said[0] * (uint64_t)said[1] * (uint64_t)said[2] != (uint64_t)size[QC_AXIS_CHANNEL])
            return qc_fail(im->err, QC_EUSAGE, "the model's input has %lld values a window, not %u x %u x %u", (long long)size[QC_AXIS_CHANNEL], o->channels, o->height, o->length);
        memcpy(size, said, sizeof said);
        v.axis[1] = QC_AXIS_ONE;
        for (uint8_t a = 0; a < 3; a++) /* C, H, W in this order */
            if (said[a] > 1) v.flat[v.n_flat++] = a;
        if (v.n_flat == 1) v.axis[1] = v.flat[0];
        if (v.n_flat > 1) v.axis[1] = QC_AXIS_FLAT;
    }
    if (check_said(im, o->channels, size[QC_AXIS_CHANNEL], "the channels") || check_said(im, o->height, size[QC_AXIS_HEIGHT], "the height") ||
        check_said(im, o->length, size[QC_AXIS_WIDTH], "the length"))
        return -1;
    for (int a = 0; a < 3; a++)
        if (!size[a]) size[a] = a == QC_AXIS_CHANNEL ? o->channels : a == QC_AXIS_HEIGHT ? o->height : o->length;
    if (size[0] > QC_MAX_DIM) return qc_fail(im->err, QC_EUNSUPPORTED, "the model's input has %lld channels", (long long)size[0]);
    if (qc_graph_init(im->g, (uint32_t)size[QC_AXIS_CHANNEL], (uint32_t)size[QC_AXIS_HEIGHT], (uint32_t)size[QC_AXIS_WIDTH], im->err)) return -1;
    QcOnnxName *name = qc_onnx_find(im, input->name);
    v.alone = name->uses < 2;
    name->value = v;
    return 0;
}

/* ---- the nodes, one after the other ---- */

static int all_constant(QcOnnxImport *im)
{
    for (uint32_t k = 0; k < im->at->n_input; k++) {
        if (!qc_onnx_has(im, k)) continue;
        const QcValue *v = qc_onnx_input(im, k);
        if (!v) return -1;
        if (v->kind != QC_VALUE_CONSTANT) return 0;
    }
    return 1;
}

static int read_node(QcOnnxImport *im)
{
    const Operator *op = operator_named(im->at->op_type);
    int constant = all_constant(im);
    if (constant < 0) return -1;
    if (constant && op->constant) return op->constant(im);
    if (constant) return qc_onnx_refuse(im, "it works on constants alone, which is not supported");
    return op->computed ? op->computed(im) : qc_onnx_refuse(im, "it is supported for constants alone, and its input is computed from the data");
}

/* ---- the end ---- */

static void fill(float *to, const float *values, size_t n)
{
    if (values) memcpy(to, values, n * sizeof *to);
}

static void fill_parameters(QcOnnxImport *im)
{
    QcGraph *g = im->g;
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const QcNode *node = &g->nodes[i];
        const QcFill *f = &im->fills[i];
        fill(g->params + node->weight, f->weight, node->n_weight);
        fill(g->params + node->bias, f->bias, node->n_bias);
        fill(g->stats + node->stat, f->mean, node->channels);
        fill(g->stats + node->stat + node->channels, f->variance, node->channels);
    }
}

/* One row of logits for each window, and nothing behind it. */
static int check_output(QcOnnxImport *im)
{
    const QcOnnxName *output = qc_onnx_find(im, im->graph->output[0]->name);
    const QcValue *v = &output->value;
    uint8_t order[3];
    if (v->kind != QC_VALUE_COMPUTED || !v->node) return qc_fail(im->err, QC_EUNSUPPORTED, "the output '%.100s' is not computed from the input", output->name);
    uint32_t n = qc_value_order(im, v, order);
    if (v->axis[0] != QC_AXIS_BATCH || n > 1 || (n == 1 && order[0] != QC_AXIS_CHANNEL))
        return qc_fail(im->err, QC_EUNSUPPORTED, "the output '%.100s' is not one row of logits a window", output->name);
    return 0;
}

static int build(QcOnnxImport *im)
{
    const Onnx__GraphProto *g = im->graph = im->model->graph;
    if (!g || g->n_output < 1 || !g->n_node) return qc_fail(im->err, QC_EFORMAT, "the model has no graph with nodes and an output");
    if (g->n_output != 1) return qc_fail(im->err, QC_EUNSUPPORTED, "the model has %zu outputs; one is supported", g->n_output);
    if (g->n_node > MAX_ONNX_NODES) return qc_fail(im->err, QC_EUNSUPPORTED, "the model has %zu nodes; at most %d are supported", g->n_node, MAX_ONNX_NODES);
    if (g->n_sparse_initializer) return qc_fail(im->err, QC_EUNSUPPORTED, "the model has sparse weights, which are not supported");
    uint8_t *needed = qc_arena_take(&im->arena, g->n_node, 1, im->err);
    im->fills = qc_arena_take(&im->arena, QC_MAX_NODES, sizeof *im->fills, im->err);
    if (!needed || !im->fills || check_names(im) || check_opset(im) || qc_onnx_index(im) || mark_needed(im, needed)) return -1;
    const Onnx__ValueInfoProto *input = find_input(im);
    if (!input || begin(im, input)) return -1;
    for (uint32_t i = 0; i < g->n_node; i++) {
        if (!needed[i]) continue;
        im->at = g->node[i];
        im->number = i;
        if (im->g->n_nodes + 16 > QC_MAX_NODES) return qc_fail(im->err, QC_EUNSUPPORTED, "the model needs more than %d nodes", QC_MAX_NODES);
        if (read_node(im)) return -1;
    }
    if (check_output(im) || qc_graph_finish(im->g, im->err)) return -1;
    fill_parameters(im);
    return qc_graph_check(im->g, im->err);
}

int qc_onnx_build(QcOnnxImport *im)
{
    if (!build(im)) return 0;
    if (!im->turned || im->err->code != QC_EUNSUPPORTED) return -1;
    /* the turning was not for the sake of convolutions: channels come second after all */
    QcErr first = *im->err;
    qc_graph_release(im->g);
    im->gain = im->shift = NULL;
    im->as_it_stands = 1;
    if (!build(im)) return 0;
    *im->err = first;
    return -1;
}
