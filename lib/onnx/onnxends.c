/* What goes into the model and what comes out of it: the input's axes, the logits. */
#include <stdio.h>
#include <string.h>

#include "../base/nametable.h"
#include "onnxparts.h"

enum { MAX_BATCH = 1 << 16 };

/* ---- the output ---- */

/* The names that nodes read. */
static int find_reads(QcNameTable *reads, QcOnnxImport *im)
{
    for (size_t i = 0; i < im->graph->n_node; i++)
        for (size_t k = 0; k < im->graph->node[i]->n_input; k++)
            if (qc_nametable_add(reads, &im->arena, im->graph->node[i]->input[k], 0, im->err) < 0) return -1;
    return 0;
}

int qc_onnx_choose_output(QcOnnxImport *im)
{
    const Onnx__GraphProto *g = im->graph;
    uint32_t ends = 0;
    QcNameTable reads = {0};
    im->output = NULL;
    if (!im->o->output && g->n_output > 1 && find_reads(&reads, im)) return -1;
    for (size_t i = 0; i < g->n_output; i++) {
        const char *name = g->output[i]->name;
        if (im->o->output ? strcmp(name, im->o->output) : qc_nametable_find(&reads, name) >= 0) continue;
        im->output = name;
        ends++;
    }
    im->notes.outputs = (uint32_t)g->n_output;
    if (im->o->output && !ends && qc_onnx_find(im, im->o->output)) im->output = im->o->output, ends = 1;
    if (im->o->output && !ends)
        return qc_fail(im->err, QC_EUSAGE, "the model has no output '%.60s'; its first is '%.60s'", im->o->output,
                       g->output[0]->name);
    if (ends != 1)
        return qc_fail(
            im->err, QC_EUNSUPPORTED,
            "the model has %zu outputs ('%.60s', '%.60s'%s): name the output that has the logits with --logits",
            g->n_output, g->output[0]->name, g->output[1]->name, g->n_output > 2 ? ", ..." : "");
    snprintf(im->notes.output, sizeof im->notes.output, "%.*s", (int)sizeof im->notes.output - 1, im->output);
    return 0;
}

/* ---- the input ---- */

static const Onnx__ValueInfoProto *find_input(const QcOnnxImport *im)
{
    const Onnx__ValueInfoProto *input = NULL;
    for (size_t i = 0; i < im->graph->n_input; i++) {
        const QcOnnxName *name = qc_onnx_find(im, im->graph->input[i]->name);
        if (!name || name->tensor) continue; /* older files list initializers as inputs, too */
        if (input)
            return qc_fail(im->err, QC_EUNSUPPORTED,
                           "the model has several inputs ('%.60s', '%.60s'); one is supported", input->name,
                           name->name),
                   NULL;
        input = im->graph->input[i];
    }
    if (!input) qc_fail(im->err, QC_EUNSUPPORTED, "the model has no input");
    return input;
}

/* Sizes as declared; 0 = not said. */
static int input_dims(const QcOnnxImport *im, int64_t dims[4], uint32_t *rank_out, const Onnx__ValueInfoProto *input)
{
    enum { FLOAT = 1, FLOAT16 = 10, DOUBLE = 11, BFLOAT16 = 16 };
    const char *name = input->name;
    const Onnx__TypeProto__Tensor *type = input->type && input->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE
                                              ? input->type->tensor_type
                                              : NULL;
    if (!type || !type->shape)
        return qc_fail(im->err, QC_EUNSUPPORTED, "input '%.100s' is no tensor of known rank", name);
    if (type->elem_type != FLOAT && type->elem_type != FLOAT16 && type->elem_type != DOUBLE &&
        type->elem_type != BFLOAT16)
        return qc_fail(im->err, QC_EUNSUPPORTED, "input '%.100s' is not of real numbers (float)", name);
    if (type->shape->n_dim < 2 || type->shape->n_dim > 4)
        return qc_fail(im->err, QC_EUNSUPPORTED,
                       "input '%.100s' has %zu dimensions, not [N, F], [N, C, T] or [N, C, H, W]", name,
                       type->shape->n_dim);
    uint32_t rank = *rank_out = (uint32_t)type->shape->n_dim;
    for (uint32_t k = 0; k < rank; k++) {
        const Onnx__TensorShapeProto__Dimension *d = type->shape->dim[k];
        dims[k] = d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE ? d->dim_value : 0;
        if (dims[k] < 0 || dims[k] > (k ? QC_MAX_DIM * (rank == 2 ? 1024LL : 1) : MAX_BATCH))
            return qc_fail(im->err, QC_EUNSUPPORTED, "input '%.100s' has a dimension of %lld", name,
                           (long long)dims[k]);
    }
    return 0;
}

uint32_t qc_onnx_layouts(const QcOnnxImport *im)
{
    const Onnx__ValueInfoProto *input = find_input(im);
    return input && input->type && input->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE &&
                   input->type->tensor_type->shape && input->type->tensor_type->shape->n_dim > 2
               ? 2
               : 1;
}

static int check_said(const QcOnnxImport *im, uint32_t said, int64_t dim, const char *what)
{
    if (said && dim && said != dim)
        return qc_fail(im->err, QC_EUSAGE, "the model's input has %lld for %s, not %u", (long long)dim, what, said);
    if (!said && !dim)
        return qc_fail(im->err, QC_EUSAGE, "the model does not say the size of its input along %s: give --shape", what);
    return 0;
}

/* Rows that are windows laid flat, in the order channels, height, length. */
static int begin_flat(QcOnnxImport *im, QcValue *v, int64_t values)
{
    const QcOnnxOptions *o = im->o;
    const uint32_t size[3] = {o->channels, o->height, o->length}, stride[3] = {1, o->length * o->channels, o->channels};
    if (values && (uint64_t)size[0] * size[1] * size[2] != (uint64_t)values)
        return qc_fail(im->err, QC_EUSAGE, "the model's input has %lld values a window, not %u x %u x %u",
                       (long long)values, o->channels, o->height, o->length);
    for (int k = 0; k < 3; k++) v->atoms[v->n_atoms++] = (QcAtom){size[k], stride[k], 1};
    qc_view_clean(v);
    return qc_graph_init(im->g, o->channels, o->height, o->length, im->err) ? -1 : 0;
}

/* The user says C,T of a window that the model takes as an image of one channel. */
static int is_series_image(const QcOnnxImport *im, const int64_t dims[4])
{
    const QcOnnxOptions *o = im->o;
    if (!o->channels || o->height != 1) return 0;
    return (dims[1] == 1 && dims[2] == o->channels && dims[3] == o->length) ||
           (dims[3] == 1 && dims[1] == o->channels && dims[2] == o->length);
}

int qc_onnx_begin(QcOnnxImport *im)
{
    int64_t dims[4] = {0}, size[3] = {1, 1, 1}; /* by QcAxisRole */
    uint32_t rank = 0;
    const QcOnnxOptions *o = im->o;
    const Onnx__ValueInfoProto *input = find_input(im);
    if (!input || input_dims(im, dims, &rank, input)) return -1;
    QcOnnxName *name = qc_onnx_find(im, input->name);
    QcAxes axes = {{QC_AXIS_NONE, QC_AXIS_CHANNELS, QC_AXIS_NONE, QC_AXIS_NONE}};
    QcValue *v = qc_onnx_room(im, 1, sizeof *v);
    if (!v) return -1;
    if (rank == 3) axes.of[2] = QC_AXIS_WIDTH;
    if (rank == 4) axes.of[2] = QC_AXIS_HEIGHT, axes.of[3] = QC_AXIS_WIDTH;
    if (im->layout) { /* channels last */
        for (uint32_t k = 1; k + 1 < rank; k++) axes.of[k] = axes.of[k + 1];
        axes.of[rank - 1] = QC_AXIS_CHANNELS;
    }
    if (rank == 4 && is_series_image(im, dims))
        axes = dims[1] == 1 ? (QcAxes){{QC_AXIS_NONE, QC_AXIS_NONE, QC_AXIS_CHANNELS, QC_AXIS_WIDTH}}
                            : (QcAxes){{QC_AXIS_NONE, QC_AXIS_CHANNELS, QC_AXIS_WIDTH, QC_AXIS_NONE}};
    for (uint32_t k = 1; k < rank; k++)
        if (axes.of[k] < QC_AXIS_NONE) size[axes.of[k]] = dims[k];
    if (rank == 4 && size[QC_AXIS_WIDTH] == 1 && size[QC_AXIS_HEIGHT] > 1) { /* a series that stands upright */
        for (uint32_t k = 1; k < rank; k++)
            axes.of[k] = axes.of[k] == QC_AXIS_WIDTH    ? QC_AXIS_HEIGHT
                         : axes.of[k] == QC_AXIS_HEIGHT ? QC_AXIS_WIDTH
                                                        : axes.of[k];
        size[QC_AXIS_WIDTH] = size[QC_AXIS_HEIGHT];
        size[QC_AXIS_HEIGHT] = 1;
    }
    im->batch = dims[0] ? dims[0] : 1;
    *v = (QcValue){.kind = QC_VALUE_COMPUTED, .rank = rank, .alone = 1};
    name->value = v;
    if (rank == 2 && o->channels) return begin_flat(im, v, dims[1]);
    if (check_said(im, o->channels, size[QC_AXIS_CHANNELS], "the channels") ||
        check_said(im, o->height, size[QC_AXIS_HEIGHT], "the height") ||
        check_said(im, o->length, size[QC_AXIS_WIDTH], "the length"))
        return -1;
    const uint32_t said[3] = {o->channels, o->height, o->length};
    for (int a = 0; a < 3; a++)
        if (!size[a]) size[a] = said[a];
    if (size[0] > QC_MAX_DIM)
        return qc_fail(im->err, QC_EUNSUPPORTED, "the model's input has %lld channels", (long long)size[0]);
    if (qc_graph_init(im->g, (uint32_t)size[QC_AXIS_CHANNELS], (uint32_t)size[QC_AXIS_HEIGHT],
                      (uint32_t)size[QC_AXIS_WIDTH], im->err))
        return -1;
    qc_view_of_node(im, v, 0, rank, &axes);
    return 0;
}

/* ---- the logits ---- */

/* Nodes that the output does not need go; the output's is the last of those that stay. */
static int prune(QcOnnxImport *im, uint32_t output)
{
    QcGraph *g = im->g;
    uint32_t *to = qc_onnx_room(im, g->n_nodes, sizeof *to), n = 1;
    if (!to) return -1;
    to[output] = 1;
    for (uint32_t i = output; i > 0; i--)
        for (uint32_t k = 0; to[i] && k < g->nodes[i].n_inputs; k++) to[g->nodes[i].inputs[k]] = 1;
    to[0] = 0;
    for (uint32_t i = 1; i <= output; i++) {
        if (!to[i]) continue;
        for (uint32_t k = 0; k < g->nodes[i].n_inputs; k++) g->nodes[i].inputs[k] = to[g->nodes[i].inputs[k]];
        to[i] = n;
        g->nodes[n] = g->nodes[i];
        im->fills[n++] = im->fills[i];
    }
    for (uint32_t i = n; i < g->n_nodes; i++) im->fills[i] = (QcFill){0};
    g->n_nodes = n;
    return 0;
}

static int ends_in_sigmoid(const QcStep *steps, uint32_t n) { return n && steps[n - 1].op == QC_STEP_SIGMOID; }

/* A last Sigmoid goes as a Softmax does, also with its codes and names of axes after it. */
static void drop_sigmoid(QcOnnxImport *im, QcValue *v)
{
    const QcNode *nodes = im->g->nodes;
    uint32_t last = v->node;
    if (im->notes.softmax) return;
    if (ends_in_sigmoid(v->steps, v->n_steps)) {
        v->n_steps--;
        im->notes.sigmoid = 1;
        return;
    }
    while (nodes[last].op == QC_OP_QUANT) last = nodes[last].inputs[0];
    if (v->n_steps || nodes[last].op != QC_OP_FUNCTION || nodes[last].n_steps != 2 ||
        !ends_in_sigmoid(nodes[last].steps, 2))
        return;
    v->node = nodes[last].inputs[0];
    im->notes.sigmoid = 1;
}

/* Is the one output computed from a probability? Then it is above 0 for either class. */
static int is_after_sigmoid(const QcGraph *g)
{
    for (uint32_t i = g->n_nodes - 1; i > 0 && g->nodes[i].channels == 1; i = g->nodes[i].inputs[0])
        for (uint32_t k = 0; g->nodes[i].op == QC_OP_FUNCTION && k < g->nodes[i].n_steps; k++)
            if (g->nodes[i].steps[k].op == QC_STEP_SIGMOID) return 1;
    return 0;
}

static int fresh_name(const QcOnnxImport *im, char name[QC_NAME_MAX + 1], const char *base)
{
    snprintf(name, QC_NAME_MAX + 1, "%s", base);
    for (uint32_t i = 2; qc_graph_find(im->g, name) >= 0; i++) snprintf(name, QC_NAME_MAX + 1, "%s~%u", base, i);
    return 0;
}

/* A linear layer [rows][channels of the last node] that the last node goes through. */
static int append_linear(QcOnnxImport *im, const float *weight, const float *bias, uint32_t rows, const char *base)
{
    char name[QC_NAME_MAX + 1];
    fresh_name(im, name, base);
    int node = qc_graph_linear(im->g, name, im->g->n_nodes - 1, rows, bias != NULL, im->err);
    if (node < 0) return -1;
    float *step = qc_onnx_room(im, rows, sizeof *step);
    for (uint32_t k = 0; step && k < rows; k++) step[k] = 1; /* weights are 0 and 1 */
    im->fills[node] = (QcFill){.weight = weight, .bias = bias, .step = step};
    return step ? 0 : -1;
}

/* One logit z becomes two, 0 and z: a softmax of them is the sigmoid of z. */
static int two_logits(QcOnnxImport *im)
{
    static const float rows[2] = {0, 1};
    im->notes.two_classes = 1;
    if (is_after_sigmoid(im->g))
        return qc_fail(im->err, QC_EUNSUPPORTED,
                       "the one output is computed from a probability: end the model with its Sigmoid, or before it");
    QcNode *last = &im->g->nodes[im->g->n_nodes - 1];
    if (last->op != QC_OP_LINEAR) return append_linear(im, rows, NULL, 2, "classes");
    size_t n = last->n_weight;
    const QcFill *f = &im->fills[im->g->n_nodes - 1];
    float *weight = qc_onnx_room(im, 2 * n, sizeof *weight),
          *bias = qc_onnx_room(im, 2, sizeof *bias);
    if (!weight || !bias) return -1;
    memcpy(weight + n, f->weight, n * sizeof *weight);
    if (last->has_bias && f->bias) bias[1] = f->bias[0];
    last->channels = 2;
    last->n_weight = 2 * n;
    last->n_bias = last->has_bias ? 2 : 0;
    const float *step = f->step;
    float *steps = step ? qc_onnx_room(im, 2, sizeof *steps) : NULL;
    if (steps) steps[0] = steps[1] = step[0];
    im->fills[im->g->n_nodes - 1] = (QcFill){.weight = weight, .bias = bias, .step = steps};
    return step && !steps ? -1 : 0;
}

/* The mean of a 1 x 1 convolution is a linear layer of the mean. */
static int turn_head(QcOnnxImport *im)
{
    QcGraph *g = im->g;
    QcNode *mean = &g->nodes[g->n_nodes - 1], *conv = mean - 1;
    const QcWindow *w = &conv->window;
    if (g->n_nodes < 3 || mean->op != QC_OP_GAP || mean->inputs[0] != g->n_nodes - 2 || conv->op != QC_OP_CONV ||
        conv->groups != 1)
        return 0;
    if (w->kernel_h != 1 || w->kernel_w != 1 || w->stride_h != 1 || w->stride_w != 1 || w->pad_top || w->pad_bottom ||
        w->pad_left || w->pad_right)
        return 0;
    QcNode old = *conv;
    QcFill fill = im->fills[g->n_nodes - 2];
    char name[QC_NAME_MAX + 1];
    snprintf(name, sizeof name, "%s", mean->name);
    im->fills[g->n_nodes - 2] = (QcFill){0};
    g->n_nodes -= 2;
    if (qc_graph_simple(g, name, QC_OP_GAP, old.inputs[0], im->err) < 0) return -1;
    int node = qc_graph_linear(g, old.name, g->n_nodes - 1, old.channels, old.has_bias, im->err);
    if (node < 0) return -1;
    im->fills[node] = fill;
    return 0;
}

/* What qc-quantize wants last is a linear layer: where another is last, one that copies. */
static int end_linear(QcOnnxImport *im)
{
    const QcNode *last = &im->g->nodes[im->g->n_nodes - 1];
    uint32_t n = last->channels;
    if (last->op == QC_OP_LINEAR || (last->op == QC_OP_CONV && last->groups == 1)) return 0;
    float *one = qc_onnx_room(im, (size_t)n * n, sizeof *one);
    for (uint32_t k = 0; one && k < n; k++) one[(size_t)k * n + k] = 1;
    return one ? append_linear(im, one, NULL, n, "logits") : -1;
}

int qc_onnx_end(QcOnnxImport *im)
{
    enum { MAX_CLASSES = 4096 };
    const QcOnnxName *output = qc_onnx_find(im, im->output);
    QcValue *v = output->value;
    uint32_t axes = 0;
    if (!v || v->kind != QC_VALUE_COMPUTED)
        return qc_fail(im->err, QC_EUNSUPPORTED, "the output '%.100s' is not computed from the input", output->name);
    v->step = 0; /* logits instead of their codes */
    for (uint32_t k = 1; k < v->rank; k++) axes += qc_view_dim(im, v, k) > 1;
    if (axes > 1 || qc_view_size(v, 0) > 1)
        return qc_fail(im->err, QC_EUNSUPPORTED, "the output '%.100s' is not one row of logits a window", output->name);
    if (qc_view_values(v) > MAX_CLASSES)
        return qc_fail(im->err, QC_EUNSUPPORTED, "a model of %u classes is not supported; at most %d are",
                       qc_view_values(v), MAX_CLASSES);
    drop_sigmoid(im, v);
    QcAxes row = {{0}}; /* all channels */
    if (qc_wait_settle(im, v) || qc_layout_arrange(im, v, &row)) return -1;
    if (!v->node)
        return qc_fail(im->err, QC_EUNSUPPORTED, "the output '%.100s' is not computed from the input", output->name);
    if (prune(im, v->node)) return -1;
    if (turn_head(im) || (im->g->nodes[im->g->n_nodes - 1].channels == 1 && two_logits(im))) return -1;
    return end_linear(im);
}
