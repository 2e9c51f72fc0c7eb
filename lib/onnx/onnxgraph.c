/* The graph as a whole: which operators are known, which nodes matter, what goes in and what comes out. */
#include <stdlib.h>
#include <string.h>

#include "onnxparts.h"

enum { OLDEST = 7, NEWEST = 23, MAX_ONNX_NODES = 1 << 16 };

typedef struct Operator {
    const char *name;
    int (*computed)(QcOnnxImport *im); /* NULL: only constants */
    int (*constant)(QcOnnxImport *im); /* all inputs are constants; NULL: only data */
    const char *attributes; /* that it may have (qc_onnx_check_attributes) */
} Operator;

#define WINDOW "kernel_shape:I strides:I dilations:I pads:I auto_pad:s "
static const Operator operators[] = {
    {"Abs", qc_onnx_activation, qc_onnx_activation, ""},
    {"Add", qc_onnx_arithmetic, qc_fold_arithmetic, ""},
    {"AveragePool", qc_onnx_pool, NULL, WINDOW "ceil_mode:i count_include_pad:i"},
    {"BatchNormalization", qc_onnx_batchnorm, NULL, "epsilon:f momentum:f spatial:i training_mode:i"},
    {"Cast", qc_onnx_cast, qc_fold_cast, "to:i saturate:i"},
    {"Celu", qc_onnx_activation, qc_onnx_activation, "alpha:f"},
    {"Clip", qc_onnx_clip, qc_onnx_clip, "min:f max:f"},
    {"Concat", qc_onnx_concat, qc_fold_concat, "axis:i"},
    {"Constant", NULL, qc_fold_constant, "value:t value_float:f value_floats:F value_int:i value_ints:I"},
    {"ConstantOfShape", NULL, qc_fold_filled, "value:t"},
    {"Conv", qc_onnx_conv, NULL, WINDOW "group:i"},
    {"DequantizeLinear", qc_onnx_dequantize, qc_fold_dequantize, "axis:i block_size:i output_dtype:i"},
    {"Div", qc_onnx_arithmetic, qc_fold_arithmetic, ""},
    {"Dropout", qc_onnx_same, qc_onnx_same, "ratio:f seed:i"},
    {"Elu", qc_onnx_activation, qc_onnx_activation, "alpha:f"},
    {"Equal", NULL, qc_fold_equal, ""},
    {"Erf", qc_onnx_activation, qc_onnx_activation, ""},
    {"Exp", qc_onnx_activation, qc_onnx_activation, ""},
    {"Expand", qc_onnx_expand, qc_fold_expand, ""},
    {"Flatten", qc_onnx_flatten, NULL, "axis:i"},
    {"Gather", qc_onnx_gather, qc_fold_gather, "axis:i"},
    {"Gelu", qc_onnx_activation, qc_onnx_activation, "approximate:s"},
    {"Gemm", qc_onnx_gemm, NULL, "alpha:f beta:f transA:i transB:i"},
    {"GlobalAveragePool", qc_onnx_global_pool, NULL, ""},
    {"GlobalMaxPool", qc_onnx_global_pool, NULL, ""},
    {"HardSigmoid", qc_onnx_activation, qc_onnx_activation, "alpha:f beta:f"},
    {"HardSwish", qc_onnx_activation, qc_onnx_activation, ""},
    {"Identity", qc_onnx_same, qc_onnx_same, ""},
    {"LeakyRelu", qc_onnx_activation, qc_onnx_activation, "alpha:f"},
    {"Log", qc_onnx_activation, qc_onnx_activation, ""},
    {"LogSoftmax", qc_onnx_softmax, qc_fold_softmax, "axis:i"},
    {"MatMul", qc_onnx_matmul, qc_fold_matmul, ""},
    {"Max", qc_onnx_arithmetic, qc_fold_arithmetic, ""},
    {"MaxPool", qc_onnx_pool, NULL, WINDOW "ceil_mode:i storage_order:i"},
    {"Min", qc_onnx_arithmetic, qc_fold_arithmetic, ""},
    {"Mish", qc_onnx_activation, qc_onnx_activation, ""},
    {"Mul", qc_onnx_arithmetic, qc_fold_arithmetic, ""},
    {"Neg", qc_onnx_activation, qc_onnx_activation, ""},
    {"PRelu", qc_onnx_prelu, NULL, ""},
    {"Pad", qc_onnx_pad, NULL, "mode:s pads:I value:f"},
    {"Pow", qc_onnx_arithmetic, qc_fold_arithmetic, ""},
    {"QuantizeLinear", qc_onnx_quantize, qc_fold_quantize, "axis:i saturate:i block_size:i output_dtype:i precision:i"},
    {"Reciprocal", qc_onnx_activation, qc_onnx_activation, ""},
    {"ReduceL2", qc_onnx_reduce, qc_fold_reduce, "axes:I keepdims:i noop_with_empty_axes:i"},
    {"ReduceMax", qc_onnx_reduce, qc_fold_reduce, "axes:I keepdims:i noop_with_empty_axes:i"},
    {"ReduceMean", qc_onnx_reduce, qc_fold_reduce, "axes:I keepdims:i noop_with_empty_axes:i"},
    {"ReduceMin", qc_onnx_reduce, qc_fold_reduce, "axes:I keepdims:i noop_with_empty_axes:i"},
    {"ReduceProd", NULL, qc_fold_reduce, "axes:I keepdims:i noop_with_empty_axes:i"},
    {"ReduceSum", qc_onnx_reduce, qc_fold_reduce, "axes:I keepdims:i noop_with_empty_axes:i"},
    {"Relu", qc_onnx_activation, qc_onnx_activation, ""},
    {"Reshape", qc_onnx_reshape, qc_fold_reshape, "allowzero:i"},
    {"Selu", qc_onnx_activation, qc_onnx_activation, "alpha:f gamma:f"},
    {"Shape", qc_onnx_shape, qc_onnx_shape, "start:i end:i"},
    {"Sigmoid", qc_onnx_activation, qc_onnx_activation, ""},
    {"Slice", qc_onnx_slice, qc_fold_slice, "starts:I ends:I axes:I"},
    {"Softmax", qc_onnx_softmax, qc_fold_softmax, "axis:i"},
    {"Softplus", qc_onnx_activation, qc_onnx_activation, ""},
    {"Softsign", qc_onnx_activation, qc_onnx_activation, ""},
    {"Split", qc_onnx_split, qc_fold_split, "axis:i split:I num_outputs:i"},
    {"Sqrt", qc_onnx_sqrt, qc_onnx_sqrt, ""},
    {"Squeeze", qc_onnx_squeeze, qc_fold_reshape, "axes:I"},
    {"Sub", qc_onnx_arithmetic, qc_fold_arithmetic, ""},
    {"Sum", qc_onnx_arithmetic, qc_fold_arithmetic, ""},
    {"Swish", qc_onnx_activation, qc_onnx_activation, "alpha:f"},
    {"Tanh", qc_onnx_activation, qc_onnx_activation, ""},
    {"Transpose", qc_onnx_transpose, qc_fold_transpose, "perm:I"},
    {"Unsqueeze", qc_onnx_unsqueeze, qc_fold_reshape, "axes:I"},
    {"Where", NULL, qc_fold_where, ""},
};

static const Operator *operator_named(const char *name)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (!strcmp(operators[i].name, name)) return &operators[i];
    return NULL;
}

/* Why an operator is missing, and what to do. */
static const char *advice(const char *name)
{
    if (!strcmp(name, "LSTM") || !strcmp(name, "GRU") || !strcmp(name, "RNN"))
        return "recurrent layers are not supported; train a convolutional network in its place (qc-train -a "
               "share/arch/inceptiontime.yaml, or a TCN)";
    if (!strcmp(name, "If") || !strcmp(name, "Loop") || !strcmp(name, "Scan"))
        return "control flow is not supported; export the model for inference, with a fixed shape";
    if (!strcmp(name, "ArgMax") || !strcmp(name, "TopK"))
        return "it gives classes, not logits; name the value that it reads with --logits";
    if (!strncmp(name, "QLinear", 7) || !strcmp(name, "ConvInteger") || !strcmp(name, "MatMulInteger") ||
        !strcmp(name, "DynamicQuantizeLinear"))
        return "operators on codes are not supported; quantize the model in the form QDQ (QuantizeLinear and "
               "DequantizeLinear on both sides of operators on real numbers) by static quantization";
    return "this operator is not supported";
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
    return qc_fail(im->err, QC_EUNSUPPORTED, "the model is of operator set %lld; %d to %d are supported",
                   (long long)im->opset, OLDEST, NEWEST);
}

static int check_node(QcOnnxImport *im, const Onnx__NodeProto *node)
{
    im->at = node;
    if (!is_standard_domain(node->domain))
        return qc_onnx_refuse(im, "operators of '%.60s' are not supported", node->domain);
    const Operator *op = operator_named(node->op_type);
    return op ? qc_onnx_check_attributes(im, op->attributes) : qc_onnx_refuse(im, "%s", advice(node->op_type));
}

/* Marks the nodes that the output needs, backwards, and counts who reads what. */
static int mark_needed(QcOnnxImport *im, uint8_t *needed)
{
    const Onnx__GraphProto *g = im->graph;
    QcOnnxName *output = qc_onnx_find(im, im->output);
    if (!output) return qc_fail(im->err, QC_EFORMAT, "nothing makes the output '%.100s'", im->output);
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

/* Codes may only change places before they are numbers again; after a Softmax that was left out, only axes may change.
 */
static int check_ends(QcOnnxImport *im)
{
    static const char *const axes_only[] = {"Dropout", "Flatten", "Identity",  "Reshape",
                                            "Shape",   "Squeeze", "Transpose", "Unsqueeze"},
                             *const of_codes[] = {"Cast", "DequantizeLinear", "Gather", "MaxPool", "Slice", "Split"};
    for (uint32_t k = 0; k < im->at->n_input; k++) {
        const QcValue *v = qc_onnx_has(im, k) ? qc_onnx_input(im, k) : NULL;
        int codes = v && v->kind == QC_VALUE_COMPUTED && v->step > 0,
            allowed = !v || v->kind == QC_VALUE_CONSTANT || !(v->ends || codes);
        for (size_t i = 0; i < sizeof of_codes / sizeof *of_codes; i++)
            allowed |= codes && !v->index && !strcmp(im->at->op_type, of_codes[i]);
        allowed |= codes && v->index && k == 1 && !strcmp(im->at->op_type, "Gather");
        allowed |= !codes && (!strcmp(im->at->op_type, "Cast") || !strcmp(im->at->op_type, "QuantizeLinear"));
        for (size_t i = 0; i < sizeof axes_only / sizeof *axes_only; i++)
            allowed |= !strcmp(im->at->op_type, axes_only[i]);
        if (!allowed && codes)
            return qc_onnx_refuse(im, "it works on quantized codes; only QuantizeLinear and DequantizeLinear on both "
                                      "sides of operators on real numbers (QDQ) are supported");
        if (!allowed)
            return qc_onnx_refuse(im,
                                  "it reads the result of a Softmax, which is supported only at the end of a model");
    }
    return 0;
}

static int read_node(QcOnnxImport *im)
{
    const Operator *op = operator_named(im->at->op_type);
    int constant = all_constant(im);
    if (constant < 0) return -1;
    if (constant && op->constant) return op->constant(im);
    if (constant) return qc_onnx_refuse(im, "it works on constants alone, which is not supported");
    if (!op->computed)
        return qc_onnx_refuse(im, "it is supported for constants alone, and its input is computed from the data");
    return check_ends(im) ? -1 : op->computed(im);
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

/* The scales of all weights, if all of them are codes. */
static int keep_steps(QcOnnxImport *im)
{
    QcGraph *g = im->g;
    size_t n = 0, at = 0;
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        im->notes.quantized += g->nodes[i].op == QC_OP_QUANT;
        if (g->nodes[i].n_weight && g->nodes[i].op != QC_OP_BATCHNORM) n += g->nodes[i].channels;
    }
    if (!im->notes.quantized) return 0;
    float *steps = calloc(n ? n : 1, sizeof *steps);
    if (!steps) return qc_fail_memory(im->err, "the scales of weights");
    im->notes.steps = steps;
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        if (!g->nodes[i].n_weight || g->nodes[i].op == QC_OP_BATCHNORM) continue;
        if (!im->fills[i].step)
            return qc_fail(im->err, QC_EUNSUPPORTED,
                           "the model has quantized values, but the weights of '%s' are not quantized; only whole "
                           "models are supported",
                           g->nodes[i].name);
        memcpy(steps + at, im->fills[i].step, g->nodes[i].channels * sizeof *steps);
        at += g->nodes[i].channels;
    }
    return 0;
}

static int build(QcOnnxImport *im, const uint8_t *needed)
{
    const Onnx__GraphProto *g = im->graph;
    im->gain = im->shift = NULL;
    im->notes.softmax = im->notes.sigmoid = im->notes.two_classes = 0;
    im->notes.uncut = 0;
    memset(im->fills, 0, QC_MAX_NODES * sizeof *im->fills);
    for (uint32_t i = 0; i < im->n_names; i++) im->names[i].value = NULL;
    qc_arena_release(&im->work);
    im->at = NULL;
    if (qc_onnx_begin(im)) return -1;
    for (uint32_t i = 0; i < g->n_node; i++) {
        if (!needed[i]) continue;
        im->at = g->node[i];
        im->number = i;
        if (im->g->n_nodes + 16 > QC_MAX_NODES)
            return qc_fail(im->err, QC_EUNSUPPORTED, "the model needs more than %d nodes", QC_MAX_NODES);
        if (read_node(im)) return -1;
    }
    return qc_onnx_end(im);
}

/* Numbers that are moved in one window, only to stand in another order. */
static uint64_t cost_of(const QcGraph *g)
{
    uint64_t cost = 0;
    for (uint32_t i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].op == QC_OP_TURN)
            cost += (uint64_t)g->nodes[i].height * g->nodes[i].width * g->nodes[i].channels;
    return cost;
}

/* Codes of values can be kept only if all weights are codes. */
static int note_forms(QcOnnxImport *im)
{
    int quantized = 0, real = 0;
    for (uint32_t i = 0; i < im->g->n_nodes; i++) quantized |= im->g->nodes[i].op == QC_OP_QUANT;
    for (uint32_t i = 0; i < im->g->n_nodes && quantized; i++) {
        const QcNode *n = &im->g->nodes[i];
        if ((n->op != QC_OP_CONV && n->op != QC_OP_LINEAR) || im->fills[i].step) continue;
        if (qc_onnx_find_steps(im, i)) return -1;
        if (!im->fills[i].step && !real++) memcpy(im->notes.real_layer, n->name, sizeof n->name);
    }
    im->notes.mixed = quantized && real;
    return 0;
}

/* The axes of the input may be read in several ways: the way that moves least is taken, the first of equals. */
static int build_best(QcOnnxImport *im, const uint8_t *needed)
{
    uint32_t ways = qc_onnx_layouts(im), first_way = ways > 1 && im->channels_last, best = first_way;
    uint64_t least = UINT64_MAX;
    QcErr first = {0}, *out = im->err;
    int made = 0;
    im->plain = im->o->real;
    for (uint32_t way = first_way; way < ways; way++) {
        QcErr err = {0};
        im->layout = way;
        im->err = &err;
        int failed = build(im, needed);
        im->err = out;
        uint64_t cost = failed ? UINT64_MAX : cost_of(im->g);
        qc_graph_release(im->g);
        if (failed && !first.code) first = err;
        if (failed) continue;
        made = 1;
        if (cost < least) least = cost, best = way;
        if (!cost) break;
    }
    if (!made) return *out = first, -1;
    im->layout = best;
    im->notes.channels_last = best == 1 && !im->channels_last;
    if (build(im, needed)) return -1;
    if (note_forms(im)) return -1;
    im->plain |= im->notes.mixed;
    if (!im->notes.mixed) return 0;
    qc_graph_release(im->g);
    return build(im, needed);
}

int qc_onnx_build(QcOnnxImport *im)
{
    const Onnx__GraphProto *g = im->graph = im->model->graph;
    if (!g || g->n_output < 1 || !g->n_node)
        return qc_fail(im->err, QC_EFORMAT, "the model has no graph with nodes and an output");
    if (g->n_node > MAX_ONNX_NODES)
        return qc_fail(im->err, QC_EUNSUPPORTED, "the model has %zu nodes; at most %d are supported", g->n_node,
                       MAX_ONNX_NODES);
    if (g->n_sparse_initializer)
        return qc_fail(im->err, QC_EUNSUPPORTED, "the model has sparse weights, which are not supported");
    uint8_t *needed = qc_arena_take(&im->arena, g->n_node, 1, im->err);
    im->fills = qc_arena_take(&im->arena, QC_MAX_NODES, sizeof *im->fills, im->err);
    if (!needed || !im->fills || check_names(im) || check_opset(im) || qc_onnx_index(im) || qc_onnx_choose_output(im) ||
        mark_needed(im, needed))
        return -1;
    if (build_best(im, needed) || qc_graph_finish(im->g, im->err)) return -1;
    fill_parameters(im);
    return qc_graph_check(im->g, im->err) || keep_steps(im) ? -1 : 0;
}
