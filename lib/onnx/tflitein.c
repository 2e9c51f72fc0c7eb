/* A TensorFlow Lite file -> an ONNX graph in memory -> a model file. */
#include "tflite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/file.h"
#include "onnxparts.h"
#include "tfliteparts.h"

enum { OPSET = 20 };

/* ---- names ---- */

static uint32_t tensor_at(const QcTflite *t, QcFlatVector list, uint32_t k)
{
    return (uint32_t)qc_flat_int_at(&t->flat, list, k, 4);
}

/* Inputs and outputs of the graph keep their names; all others are numbers, since names need not be unique. */
static void name_tensor(QcTfliteRewrite *r, char name[QC_ONNX_NAME], uint32_t tensor)
{
    const char *own = r->t->tensors[tensor].name;
    if (*own && *own != '#' && strlen(own) < QC_ONNX_NAME) snprintf(name, QC_ONNX_NAME, "%s", own);
    else snprintf(name, QC_ONNX_NAME, "#%u", tensor);
}

/* Is output k the one that the user names? All are if none has that name, which the ONNX reader refuses. */
static int is_wanted(const QcTflite *t, const QcOnnxOptions *o, uint32_t k)
{
    int known = 0;
    for (uint32_t i = 0; o->output && i < t->outputs.n; i++)
        known |= !strcmp(o->output, t->tensors[tensor_at(t, t->outputs, i)].name);
    return !known || !strcmp(o->output, t->tensors[tensor_at(t, t->outputs, k)].name);
}

/* The output and what it is made of without arithmetic on codes: a quantized model's logits are read as real numbers,
 * since classes need no codes. */
static void mark_logits(QcTfliteRewrite *r, uint32_t tensor)
{
    const QcTflite *t = r->t;
    for (uint32_t left = t->n_nodes; left > 0; left--) {
        const QcTfliteTensor *made = &t->tensors[tensor];
        if (made->maker < 0 || made->readers > 1) return;
        r->plain[tensor] = 1;
        const QcTfliteNode *n = &t->nodes[made->maker];
        if (!n->inputs.n || qc_flat_int_at(&t->flat, n->inputs, 0, 4) < 0) return;
        switch (n->op) {
        case QC_TFLITE_SOFTMAX:
        case QC_TFLITE_LOG_SOFTMAX:
        case QC_TFLITE_LOGISTIC:
        case QC_TFLITE_QUANTIZE:
        case QC_TFLITE_DEQUANTIZE:
        case QC_TFLITE_RESHAPE:
        case QC_TFLITE_SQUEEZE: tensor = tensor_at(t, n->inputs, 0); break;
        default: return;
        }
    }
}

/* ---- what matters ---- */

/* Operators that make shapes are not read: the tensors of the file have their shapes. */
static uint32_t inputs_of(const QcTfliteNode *n)
{
    int shapes = n->op == QC_TFLITE_RESHAPE || n->op == QC_TFLITE_SQUEEZE || n->op == QC_TFLITE_EXPAND_DIMS;
    return shapes && n->inputs.n ? 1 : n->inputs.n;
}

/* needed[node]: the wanted outputs depend on it. Operators stand in the order in which they are run. */
static uint8_t *mark_needed(QcTfliteRewrite *r, const QcOnnxOptions *o, QcArena *arena)
{
    const QcTflite *t = r->t;
    uint8_t *needed = qc_arena_take(arena, t->n_nodes, 1, r->err);
    for (uint32_t k = 0; needed && k < t->outputs.n; k++) {
        int32_t maker = t->tensors[tensor_at(t, t->outputs, k)].maker;
        if (maker >= 0 && is_wanted(t, o, k)) needed[maker] = 1;
    }
    for (uint32_t i = t->n_nodes; needed && i-- > 0;) {
        const QcTfliteNode *n = &t->nodes[i];
        for (uint32_t k = 0; needed[i] && k < inputs_of(n); k++) {
            int64_t tensor = qc_flat_int_at(&t->flat, n->inputs, k, 4);
            if (tensor >= 0 && t->tensors[tensor].maker >= 0) needed[t->tensors[tensor].maker] = 1;
        }
    }
    return needed;
}

/* ---- the graph ---- */

static int put_inputs(QcTfliteRewrite *r, Onnx__ValueInfoProto **list)
{
    const QcTflite *t = r->t;
    for (uint32_t k = 0; k < t->inputs.n; k++) {
        uint32_t i = tensor_at(t, t->inputs, k);
        char name[QC_ONNX_NAME];
        if (t->tensors[i].open)
            return qc_fail(r->err, QC_EUNSUPPORTED,
                           "input '%.100s' has an axis of no fixed size; convert the model with a fixed shape",
                           t->tensors[i].name);
        name_tensor(r, name, i);
        if (!(list[k] = qc_out_value_info(r->out, name, t->tensors[i].dims, t->tensors[i].rank)))
            return qc_fail_memory(r->err, "the model");
        int quantized = qc_tflite_is_quantized(r, &t->tensors[i]);
        if (quantized < 0) return -1;
        if (!quantized) snprintf(r->names[i], sizeof r->names[i], "%s", name);
        else if (qc_tflite_requantize(r, r->names[i], name, &t->tensors[i])) return -1;
    }
    return 0;
}

static int put_outputs(QcTfliteRewrite *r, Onnx__ValueInfoProto **list)
{
    const QcTflite *t = r->t;
    for (uint32_t k = 0; k < t->outputs.n; k++) {
        uint32_t i = tensor_at(t, t->outputs, k);
        name_tensor(r, r->names[i], i);
        if (!(list[k] = qc_out_value_info(r->out, r->names[i], t->tensors[i].dims, t->tensors[i].rank)))
            return qc_fail_memory(r->err, "the model");
        mark_logits(r, i);
    }
    return 0;
}

static int put_nodes(QcTfliteRewrite *r, const uint8_t *needed)
{
    for (uint32_t i = 0; i < r->t->n_nodes; i++) {
        r->at = &r->t->nodes[i];
        if (!needed[i] || (r->at->op == QC_TFLITE_DEQUANTIZE && qc_tflite_constant(r, 0))) continue;
        if (qc_tflite_node(r)) return -1;
    }
    if (r->flat->bad) return qc_flat_end(r->flat, r->err);
    return r->out->bad ? qc_fail_memory(r->err, "the model") : 0;
}

/* The graph as ONNX; `lists` has room for the inputs, then the outputs. */
static int rewrite(QcOnnxOut *out, QcTflite *t, size_t length, const QcOnnxOptions *o, QcArena *arena, QcErr *err)
{
    QcTfliteRewrite r = {
        .t = t, .flat = &t->flat, .out = out, .most = 32 * (uint64_t)length + ((uint64_t)16 << 20), .err = err};
    Onnx__ValueInfoProto **lists = qc_arena_take(arena, (uint64_t)t->inputs.n + t->outputs.n, sizeof *lists, err);
    r.names = qc_arena_take(arena, t->n_tensors, sizeof *r.names, err);
    r.put = qc_arena_take(arena, t->n_tensors, 1, err);
    r.plain = qc_arena_take(arena, t->n_tensors, 1, err);
    uint8_t *needed = mark_needed(&r, o, arena);
    if (!lists || !r.names || !r.put || !r.plain || !needed) return -1;
    for (uint32_t i = 0; i < t->n_tensors; i++) snprintf(r.names[i], sizeof r.names[i], "#%u", i);
    if (put_inputs(&r, lists) || put_outputs(&r, lists + t->inputs.n) ||
        put_nodes(&r, needed))
        return -1;
    out->graph.name = qc_arena_text(arena, t->name, strlen(t->name), err);
    out->graph.input = lists;
    out->graph.n_input = t->inputs.n;
    out->graph.output = lists + t->inputs.n;
    out->graph.n_output = t->outputs.n;
    return out->graph.name ? 0 : -1;
}

/* ---- the whole ---- */

/* QcOnnxShapes: a value that is named by its number has its tensor's shape. */
static int dims_of(const void *context, const char *name, int64_t dims[QC_ONNX_RANK])
{
    const QcTflite *t = context;
    char *end = NULL;
    unsigned long tensor = *name == '#' ? strtoul(name + 1, &end, 10) : 0;
    if (!end || *end || tensor >= t->n_tensors || t->tensors[tensor].open) return -1;
    memcpy(dims, t->tensors[tensor].dims, sizeof *dims * t->tensors[tensor].rank);
    return (int)t->tensors[tensor].rank;
}

int qc_tflite_decode(QcModelFile *m, const uint8_t *bytes, size_t length, const QcOnnxOptions *o, QcOnnxNotes *notes,
                     QcErr *err)
{
    QcOnnxOut out = {.graph = ONNX__GRAPH_PROTO__INIT, .opset = OPSET, .spatial = 2};
    Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
    Onnx__OperatorSetIdProto set = ONNX__OPERATOR_SET_ID_PROTO__INIT, *sets = &set;
    Onnx__StringStringEntryProto labels = ONNX__STRING_STRING_ENTRY_PROTO__INIT, *metadata = &labels;
    QcArena arena = {0};
    QcTflite t;
    const QcOnnxShapes shapes = {dims_of, &t};
    int status = -1;
    *m = (QcModelFile){0};
    if (notes) *notes = (QcOnnxNotes){0};
    set.domain = "";
    set.has_version = 1;
    set.version = OPSET;
    model.opset_import = &sets;
    model.n_opset_import = 1;
    model.graph = &out.graph;
    if (!qc_tflite_parse(&t, bytes, length, &arena, err) && !rewrite(&out, &t, length, o, &arena, err)) {
        labels.key = "qcore.labels";
        labels.value = (char *)(uintptr_t)t.labels;
        model.metadata_props = &metadata;
        model.n_metadata_props = t.labels != NULL;
        status = qc_onnx_import(m, &model, length, &shapes, o, notes, err);
        if (notes) notes->graphs = t.graphs;
    }
    qc_arena_release(&out.arena);
    qc_arena_release(&arena);
    return status;
}

int qc_tflite_load(QcModelFile *m, uint8_t digest[QC_DIGEST_BYTES], const char *path, const QcOnnxOptions *o,
                   QcOnnxNotes *notes, QcErr *err)
{
    uint8_t *bytes = NULL;
    size_t length;
    *m = (QcModelFile){0};
    if (qc_read_all(path, &bytes, &length, err)) return -1;
    qc_digest(digest, bytes, length);
    int status = qc_tflite_decode(m, bytes, length, o, notes, err);
    free(bytes);
    return status ? qc_within(err, qc_input_name(path)) : 0;
}
