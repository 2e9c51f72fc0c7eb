#include "onnxwrite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/file.h"

static void *take(QcOnnxOut *out, size_t n, size_t size)
{
    void *memory = qc_arena_take(&out->arena, n, size, NULL);
    if (!memory) out->bad = 1;
    return memory;
}

static char *text(QcOnnxOut *out, const char *s)
{
    char *copy = qc_arena_text(&out->arena, s, strlen(s), NULL);
    if (!copy) out->bad = 1;
    return copy;
}

/* Appends a pointer to a list of *n that has room for *room. */
static void append(QcOnnxOut *out, void ***list, size_t *n, size_t *room, void *item)
{
    if (*n == *room) {
        size_t more = *room ? 2 * *room : 64;
        void **larger = take(out, more, sizeof *larger);
        if (!larger) return;
        if (*n) memcpy(larger, *list, *n * sizeof *larger);
        *list = larger;
        *room = more;
    }
    (*list)[(*n)++] = item;
}

/* ---- nodes ---- */

void qc_out_more(QcOnnxOut *out, Onnx__NodeProto *node, const char *const *inputs, uint32_t n)
{
    char **all = node ? take(out, node->n_input + n, sizeof *all) : NULL;
    if (!all) return;
    if (node->n_input) memcpy(all, node->input, node->n_input * sizeof *all);
    for (uint32_t i = 0; i < n; i++) all[node->n_input + i] = text(out, inputs[i]);
    node->input = all;
    node->n_input += n;
}

Onnx__NodeProto *qc_out_node(QcOnnxOut *out, const char *op, const char *output, const char *a, const char *b,
                             const char *c)
{
    const char *inputs[3] = {a, b, c};
    Onnx__NodeProto *node = take(out, 1, sizeof *node);
    char **outputs = take(out, 1, sizeof *outputs);
    if (!node || !outputs) return NULL;
    onnx__node_proto__init(node);
    node->op_type = text(out, op);
    node->name = outputs[0] = text(out, output);
    node->output = outputs;
    node->n_output = 1;
    qc_out_more(out, node, inputs, a ? b ? c ? 3 : 2 : 1 : 0);
    append(out, (void ***)&out->graph.node, &out->graph.n_node, &out->room_nodes, node);
    return node;
}

static Onnx__AttributeProto *attribute(QcOnnxOut *out, Onnx__NodeProto *node, const char *name,
                                       Onnx__AttributeProto__AttributeType type)
{
    Onnx__AttributeProto *a = node ? take(out, 1, sizeof *a) : NULL,
                         **all = a ? take(out, node->n_attribute + 1, sizeof *all) : NULL;
    if (!all) return NULL;
    onnx__attribute_proto__init(a);
    a->name = text(out, name);
    a->has_type = 1;
    a->type = type;
    if (node->n_attribute) memcpy(all, node->attribute, node->n_attribute * sizeof *all);
    all[node->n_attribute++] = a;
    node->attribute = all;
    return a;
}

void qc_out_int(QcOnnxOut *out, Onnx__NodeProto *node, const char *name, int64_t value)
{
    Onnx__AttributeProto *a = attribute(out, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    if (a) a->has_i = 1, a->i = value;
}

void qc_out_float(QcOnnxOut *out, Onnx__NodeProto *node, const char *name, float value)
{
    Onnx__AttributeProto *a = attribute(out, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    if (a) a->has_f = 1, a->f = value;
}

void qc_out_ints(QcOnnxOut *out, Onnx__NodeProto *node, const char *name, const int64_t *values, uint32_t n)
{
    Onnx__AttributeProto *a = attribute(out, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    if (!a || !(a->ints = take(out, n, sizeof *values))) return;
    memcpy(a->ints, values, n * sizeof *values);
    a->n_ints = n;
}

void qc_out_window(QcOnnxOut *out, Onnx__NodeProto *node, const QcOutWindow *w)
{
    int first = out->spatial == 1; /* axis 1 is the width */
    uint32_t n = (uint32_t)out->spatial;
    int64_t kernel[2], stride[2], dilation[2], pads[4];
    for (uint32_t k = 0; k < n; k++) {
        kernel[k] = w->kernel[first + (int)k], stride[k] = w->stride[first + (int)k],
        dilation[k] = w->dilation[first + (int)k];
        pads[k] = w->before[first + (int)k], pads[n + k] = w->after[first + (int)k];
    }
    qc_out_ints(out, node, "kernel_shape", kernel, n);
    qc_out_ints(out, node, "strides", stride, n);
    if (w->dilation[0] > 1 || w->dilation[1] > 1) qc_out_ints(out, node, "dilations", dilation, n);
    qc_out_ints(out, node, "pads", pads, 2 * n);
}

/* ---- initializers ---- */

uint8_t *qc_out_raw(QcOnnxOut *out, const char *name, const int64_t *dims, uint32_t rank, int32_t type, size_t bytes)
{
    Onnx__TensorProto *t = take(out, 1, sizeof *t);
    uint8_t *data = take(out, bytes, 1);
    int64_t *copy = take(out, rank, sizeof *copy);
    if (!t || !data || !copy) return NULL;
    onnx__tensor_proto__init(t);
    if (rank) memcpy(copy, dims, rank * sizeof *copy);
    t->name = text(out, name);
    t->dims = copy;
    t->n_dims = rank;
    t->has_data_type = 1;
    t->data_type = type;
    t->has_raw_data = 1;
    t->raw_data = (ProtobufCBinaryData){bytes, data};
    append(out, (void ***)&out->graph.initializer, &out->graph.n_initializer, &out->room_tensors, t);
    return data;
}

static size_t count(const int64_t *dims, uint32_t rank)
{
    size_t n = 1;
    for (uint32_t k = 0; k < rank; k++) n *= (size_t)dims[k];
    return n;
}

static void put_little(uint8_t *to, uint64_t bits, int bytes)
{
    for (int i = 0; i < bytes; i++) to[i] = (uint8_t)(bits >> 8 * i);
}

void qc_out_floats(QcOnnxOut *out, const char *name, const int64_t *dims, uint32_t rank, const float *values)
{
    size_t n = count(dims, rank);
    uint8_t *to = qc_out_raw(out, name, dims, rank, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, 4 * n);
    for (size_t i = 0; to && i < n; i++) {
        union { float f; uint32_t u; } v = {.f = values[i]};
        put_little(to + 4 * i, v.u, 4);
    }
}

void qc_out_numbers(QcOnnxOut *out, const char *name, const int64_t *dims, uint32_t rank, const int64_t *values)
{
    size_t n = count(dims, rank);
    uint8_t *to = qc_out_raw(out, name, dims, rank, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, 8 * n);
    for (size_t i = 0; to && i < n; i++) put_little(to + 8 * i, (uint64_t)values[i], 8);
}

void qc_out_std(QcOnnxOut *out, const char *output, const char *x)
{
    char mean[QC_ONNX_NAME], from[QC_ONNX_NAME], square[QC_ONNX_NAME], variance[QC_ONNX_NAME];
    snprintf(mean, sizeof mean, "%.80s.mean", output);
    snprintf(from, sizeof from, "%.80s.from", output);
    snprintf(square, sizeof square, "%.80s.square", output);
    snprintf(variance, sizeof variance, "%.80s.variance", output);
    qc_out_node(out, "GlobalAveragePool", mean, x, NULL, NULL);
    qc_out_node(out, "Sub", from, x, mean, NULL);
    qc_out_node(out, "Mul", square, from, from, NULL);
    qc_out_node(out, "GlobalAveragePool", variance, square, NULL, NULL);
    qc_out_node(out, "Sqrt", output, variance, NULL, NULL);
}

void qc_out_channels(QcOnnxOut *out, const char *name, const float *values, uint32_t channels)
{
    const int64_t dims[3] = {channels, 1, 1};
    qc_out_floats(out, name, dims, (uint32_t)out->spatial + 1, values);
}

/* ---- the whole ---- */

Onnx__ValueInfoProto *qc_out_value_info(QcOnnxOut *out, const char *name, const int64_t *dims, uint32_t rank)
{
    Onnx__ValueInfoProto *v = take(out, 1, sizeof *v);
    Onnx__TypeProto *type = take(out, 1, sizeof *type);
    Onnx__TypeProto__Tensor *tensor = take(out, 1, sizeof *tensor);
    Onnx__TensorShapeProto *shape = take(out, 1, sizeof *shape);
    Onnx__TensorShapeProto__Dimension **list = take(out, rank, sizeof *list), *d = take(out, rank, sizeof *d);
    if (!v || !type || !tensor || !shape || !list || !d) return NULL;
    onnx__value_info_proto__init(v);
    onnx__type_proto__init(type);
    onnx__type_proto__tensor__init(tensor);
    onnx__tensor_shape_proto__init(shape);
    for (uint32_t k = 0; k < rank; k++) {
        onnx__tensor_shape_proto__dimension__init(list[k] = &d[k]);
        d[k].value_case = dims[k] ? ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE
                                  : ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
        if (dims[k]) d[k].dim_value = dims[k];
        else d[k].dim_param = text(out, "n");
    }
    shape->n_dim = rank;
    shape->dim = list;
    tensor->has_elem_type = 1;
    tensor->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    tensor->shape = shape;
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type->tensor_type = tensor;
    v->type = type;
    v->name = text(out, name);
    return v;
}

static int is_normalized(const QcNorm *norm)
{
    for (uint32_t c = 0; c < norm->channels; c++)
        if (norm->mean[c] < 0 || norm->mean[c] > 0 || norm->deviation[c] < 1 || norm->deviation[c] > 1) return 1;
    return 0;
}

void qc_out_input(QcOnnxOut *out, char name[QC_ONNX_NAME], const QcModelFile *m)
{
    snprintf(name, QC_ONNX_NAME, "x");
    if (!is_normalized(&m->norm)) return;
    qc_out_channels(out, "x.mean", m->norm.mean, m->channels);
    qc_out_channels(out, "x.deviation", m->norm.deviation, m->channels);
    qc_out_node(out, "Sub", "x.centred", "x", "x.mean", NULL);
    qc_out_node(out, "Div", "x.normalized", "x.centred", "x.deviation", NULL);
    snprintf(name, QC_ONNX_NAME, "x.normalized");
}

/* One label a line; a label that has lines of its own is not worth a format of its own. */
static Onnx__StringStringEntryProto *labels(QcOnnxOut *out, const QcModelFile *m)
{
    size_t length = 1;
    for (uint32_t i = 0; i < m->classes; i++) {
        if (strchr(m->labels[i], '\n') || !*m->labels[i]) return NULL;
        length += strlen(m->labels[i]) + 1;
    }
    Onnx__StringStringEntryProto *entry = take(out, 1, sizeof *entry);
    char *lines = take(out, length, 1);
    if (!entry || !lines) return NULL;
    onnx__string_string_entry_proto__init(entry);
    entry->key = text(out, "qcore.labels");
    entry->value = lines;
    for (uint32_t i = 0; i < m->classes; i++) lines += sprintf(lines, "%s\n", m->labels[i]);
    return entry;
}

static int pack(uint8_t **bytes, size_t *length, QcOnnxOut *out, const QcModelFile *m, QcErr *err)
{
    Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
    Onnx__OperatorSetIdProto set = ONNX__OPERATOR_SET_ID_PROTO__INIT, *sets = &set;
    const int64_t input[4] = {0, m->channels, out->spatial == 2 ? m->height : m->length, m->length},
                  output[2] = {0, m->classes};
    Onnx__ValueInfoProto *x = qc_out_value_info(out, "x", input, 2 + (uint32_t)out->spatial),
                         *y = qc_out_value_info(out, "logits", output, 2);
    Onnx__StringStringEntryProto *entry = labels(out, m);
    if (out->bad) return qc_fail_memory(err, "the ONNX model");
    out->graph.name = m->name;
    out->graph.input = &x;
    out->graph.output = &y;
    out->graph.n_input = out->graph.n_output = 1;
    set.domain = "";
    set.has_version = 1;
    set.version = out->opset;
    model.has_ir_version = 1;
    model.ir_version = out->opset > 20 ? 10 : out->opset > 18 ? 9 : 8;
    model.producer_name = "qcore";
    model.opset_import = &sets;
    model.n_opset_import = 1;
    model.graph = &out->graph;
    model.metadata_props = &entry;
    model.n_metadata_props = entry != NULL;
    *length = onnx__model_proto__get_packed_size(&model);
    if (*length > INT32_MAX)
        return qc_fail(err, QC_EUNSUPPORTED, "the model is larger than 2 GB, the most that an ONNX file can be");
    if (!(*bytes = malloc(*length))) return qc_fail_memory(err, "the ONNX model");
    onnx__model_proto__pack(&model, *bytes);
    return 0;
}

int qc_onnx_encode(uint8_t **bytes, size_t *length, const QcModelFile *m, QcOnnxCodes codes, QcErr *err)
{
    QcOnnxOut out = {.graph = ONNX__GRAPH_PROTO__INIT, .opset = 13};
    *bytes = NULL;
    int status =
        qc_modelfile_is_quantized(m) ? qc_onnx_write_quantized(&out, m, codes, err) : qc_onnx_write_float(&out, m, err);
    if (!status) status = pack(bytes, length, &out, m, err);
    qc_arena_release(&out.arena);
    return status;
}

int qc_onnx_save(const QcModelFile *m, const char *path, QcOnnxCodes codes, QcErr *err)
{
    uint8_t *bytes;
    size_t length;
    if (qc_onnx_encode(&bytes, &length, m, codes, err)) return -1;
    int status = qc_write_all(path, bytes, length, err);
    free(bytes);
    return status;
}
