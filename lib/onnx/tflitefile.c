#include "tflitefile.h"

#include <stdio.h>
#include <string.h>

enum { MAX_TENSORS = 1 << 16, MAX_NODES = 1 << 14, MAX_EDGES = 64 };

const char *qc_tflite_op_name(int32_t op)
{
    static const char *const names[] = {
        "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE", "DEQUANTIZE",
        "EMBEDDING_LOOKUP", "FLOOR", "FULLY_CONNECTED", "HASHTABLE_LOOKUP", "L2_NORMALIZATION", "L2_POOL_2D",
        "LOCAL_RESPONSE_NORMALIZATION", "LOGISTIC", "LSH_PROJECTION", "LSTM", "MAX_POOL_2D", "MUL", "RELU",
        "RELU_N1_TO_1", "RELU6", "RESHAPE", "RESIZE_BILINEAR", "RNN", "SOFTMAX", "SPACE_TO_DEPTH", "SVDF", "TANH",
        "CONCAT_EMBEDDINGS", "SKIP_GRAM", "CALL", "CUSTOM", "EMBEDDING_LOOKUP_SPARSE", "PAD",
        "UNIDIRECTIONAL_SEQUENCE_RNN", "GATHER", "BATCH_TO_SPACE_ND", "SPACE_TO_BATCH_ND", "TRANSPOSE", "MEAN", "SUB",
        "DIV", "SQUEEZE", "UNIDIRECTIONAL_SEQUENCE_LSTM", "STRIDED_SLICE", "BIDIRECTIONAL_SEQUENCE_RNN", "EXP",
        "TOPK_V2", "SPLIT", "LOG_SOFTMAX", "DELEGATE", "BIDIRECTIONAL_SEQUENCE_LSTM", "CAST", "PRELU", "MAXIMUM",
        "ARG_MAX", "MINIMUM", "LESS", "NEG", "PADV2", "GREATER", "GREATER_EQUAL", "LESS_EQUAL", "SELECT", "SLICE",
        "SIN", "TRANSPOSE_CONV", "SPARSE_TO_DENSE", "TILE", "EXPAND_DIMS", "EQUAL", "NOT_EQUAL", "LOG", "SUM", "SQRT",
        "RSQRT", "SHAPE", "POW", "ARG_MIN", "FAKE_QUANT", "REDUCE_PROD", "REDUCE_MAX", "PACK", "LOGICAL_OR", "ONE_HOT",
        "LOGICAL_AND", "LOGICAL_NOT", "UNPACK", "REDUCE_MIN", "FLOOR_DIV", "REDUCE_ANY", "SQUARE", "ZEROS_LIKE",
        "FILL", "FLOOR_MOD", "RANGE", "RESIZE_NEAREST_NEIGHBOR", "LEAKY_RELU", "SQUARED_DIFFERENCE", "MIRROR_PAD",
        "ABS", "SPLIT_V", "UNIQUE", "CEIL", "REVERSE_V2", "ADD_N", "GATHER_ND", "COS", "WHERE", "RANK", "ELU",
        "REVERSE_SEQUENCE", "MATRIX_DIAG", "QUANTIZE", "MATRIX_SET_DIAG", "ROUND", "HARD_SWISH", "IF", "WHILE"};
    return op >= 0 && op < (int32_t)(sizeof names / sizeof *names) ? names[op] : NULL;
}

/* Messages are one line. TensorFlow's converter joins the names of fused operators by ';': the first name is kept. */
static const char *read_name(QcFlat *f, QcFlatTable t, uint32_t k, QcArena *arena, QcErr *err)
{
    char *text = qc_flat_text(f, t, k, arena, err);
    if (text) text[strcspn(text, ";")] = 0;
    for (char *c = text; c && *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) *c = '_';
    return text;
}

/* ---- tensors ---- */

static int read_shape(QcTfliteTensor *t, QcFlat *f, QcFlatTable from, QcErr *err)
{
    QcFlatVector shape = qc_flat_vector(f, from, 0, 4), signature = qc_flat_vector(f, from, 7, 4);
    if (shape.n > QC_TFLITE_RANK)
        return qc_fail(err, QC_EUNSUPPORTED, "tensor '%.100s' has %u dimensions; at most %d are supported", t->name,
                       shape.n, QC_TFLITE_RANK);
    t->rank = shape.n;
    t->n = 1;
    for (uint32_t k = 0; k < shape.n; k++) {
        int64_t dim = qc_flat_int_at(f, shape, k, 4);
        if (dim < 0 && k) t->open = 1;
        t->dims[k] = dim > 0 ? dim : 1;
        if (t->n > ((uint64_t)1 << 32) / (uint64_t)t->dims[k])
            return qc_fail(err, QC_EFORMAT, "tensor '%.100s' has more than 2^32 elements", t->name);
        t->n *= (uint64_t)t->dims[k];
    }
    for (uint32_t k = 1; k < signature.n && k < shape.n; k++) t->open |= qc_flat_int_at(f, signature, k, 4) < 0;
    return 0;
}

static int read_buffer(QcTfliteTensor *t, QcFlat *f, QcFlatTable from, QcFlatVector buffers, QcErr *err)
{
    uint32_t buffer = (uint32_t)qc_flat_int(f, from, 2, 4, 0);
    if (!buffer) return 0;
    if (buffer >= buffers.n)
        return qc_fail(err, QC_EFORMAT, "tensor '%.100s' is in buffer %u of %u", t->name, buffer, buffers.n);
    QcFlatTable table = qc_flat_table_at(f, buffers, buffer);
    QcFlatVector data = qc_flat_vector(f, table, 0, 1);
    if (qc_flat_int(f, table, 2, 8, 0) > 1)
        return qc_fail(err, QC_EUNSUPPORTED, "tensor '%.100s' is outside the FlatBuffers part of the file", t->name);
    if (!data.n) return 0;
    t->data = f->bytes + data.at;
    t->bytes = data.n;
    return 0;
}

static int read_tensor(QcTfliteTensor *t, QcFlat *f, QcFlatTable from, QcFlatVector buffers, QcArena *arena, QcErr *err)
{
    QcFlatTable quantization = qc_flat_table(f, from, 4);
    t->maker = -1;
    if (!(t->name = read_name(f, from, 3, arena, err)) || read_shape(t, f, from, err) ||
        read_buffer(t, f, from, buffers, err))
        return -1;
    t->type = (int32_t)qc_flat_int(f, from, 1, 1, QC_TFLITE_FLOAT32);
    t->scale = qc_flat_vector(f, quantization, 2, 4);
    t->zero = qc_flat_vector(f, quantization, 3, 8);
    t->quantized = (uint32_t)qc_flat_int(f, quantization, 6, 4, 0);
    t->sparse = qc_flat_table(f, from, 6).at != 0;
    if (qc_flat_int(f, quantization, 4, 1, 0))
        return qc_fail(err, QC_EUNSUPPORTED, "tensor '%.100s' has a quantization of its own kind", t->name);
    if (t->scale.n > 1 && (t->quantized >= t->rank || t->dims[t->quantized] != t->scale.n))
        return qc_fail(err, QC_EFORMAT, "tensor '%.100s' has %u scales, which fit none of its axes", t->name,
                       t->scale.n);
    if (t->zero.n && t->zero.n != t->scale.n)
        return qc_fail(err, QC_EFORMAT, "tensor '%.100s' has %u zero points and %u scales", t->name, t->zero.n,
                       t->scale.n);
    return 0;
}

static int read_tensors(QcTflite *t, QcFlatTable graph, QcFlatVector buffers, QcArena *arena, QcErr *err)
{
    QcFlatVector tensors = qc_flat_vector(&t->flat, graph, 0, 4);
    if (!tensors.n || tensors.n > MAX_TENSORS)
        return qc_fail(err, QC_EFORMAT, "the graph has %u tensors; 1 to %d are supported", tensors.n, MAX_TENSORS);
    t->n_tensors = tensors.n;
    if (!(t->tensors = qc_arena_take(arena, tensors.n, sizeof *t->tensors, err))) return -1;
    for (uint32_t i = 0; i < tensors.n; i++)
        if (read_tensor(&t->tensors[i], &t->flat, qc_flat_table_at(&t->flat, tensors, i), buffers, arena, err))
            return -1;
    return 0;
}

/* ---- operators ---- */

static int check_tensors(const QcTflite *t, QcFlatVector list, int64_t least, const char *whose, QcErr *err)
{
    if (list.n > MAX_EDGES)
        return qc_fail(err, QC_EUNSUPPORTED, "%s has %u inputs or outputs; at most %d are supported", whose, list.n,
                       MAX_EDGES);
    for (uint32_t k = 0; k < list.n; k++) {
        int64_t tensor = qc_flat_int_at(&t->flat, list, k, 4);
        if (tensor < least || tensor >= t->n_tensors)
            return qc_fail(err, QC_EFORMAT, "%s names tensor %lld of %u", whose, (long long)tensor, t->n_tensors);
    }
    return 0;
}

/* Operator numbers above 127 have their own field, which older files lack. */
static int read_code(QcTfliteNode *n, QcFlat *f, QcFlatTable code, QcArena *arena, QcErr *err)
{
    int64_t narrow = qc_flat_int(f, code, 0, 1, 0), wide = qc_flat_int(f, code, 3, 4, 0);
    n->op = (int32_t)(wide > narrow ? wide : narrow);
    n->custom = read_name(f, code, 1, arena, err);
    return n->custom ? 0 : -1;
}

static int read_node(QcTflite *t, uint32_t i, QcFlatTable from, QcFlatVector codes, QcArena *arena, QcErr *err)
{
    QcTfliteNode *n = &t->nodes[i];
    QcFlat *f = &t->flat;
    char whose[64];
    uint32_t code = (uint32_t)qc_flat_int(f, from, 0, 4, 0);
    snprintf(whose, sizeof whose, "operator %u", i);
    if (code >= codes.n) return qc_fail(err, QC_EFORMAT, "%s is of kind %u of %u", whose, code, codes.n);
    if (read_code(n, f, qc_flat_table_at(f, codes, code), arena, err)) return -1;
    n->inputs = qc_flat_vector(f, from, 1, 4);
    n->outputs = qc_flat_vector(f, from, 2, 4);
    n->options_type = (uint8_t)qc_flat_int(f, from, 3, 1, 0);
    n->options = qc_flat_table(f, from, 4);
    if (check_tensors(t, n->inputs, -1, whose, err) || check_tensors(t, n->outputs, 0, whose, err)) return -1;
    for (uint32_t k = 0; k < n->inputs.n; k++) {
        int64_t tensor = qc_flat_int_at(f, n->inputs, k, 4);
        if (tensor >= 0) t->tensors[tensor].readers++;
    }
    for (uint32_t k = 0; k < n->outputs.n; k++) {
        QcTfliteTensor *made = &t->tensors[qc_flat_int_at(f, n->outputs, k, 4)];
        if (made->maker >= 0 || made->data)
            return qc_fail(err, QC_EFORMAT, "tensor '%.100s' is computed twice, or computed and constant", made->name);
        made->maker = (int32_t)i;
    }
    return 0;
}

static int read_nodes(QcTflite *t, QcFlatTable graph, QcFlatVector codes, QcArena *arena, QcErr *err)
{
    QcFlatVector nodes = qc_flat_vector(&t->flat, graph, 3, 4);
    if (!nodes.n || nodes.n > MAX_NODES)
        return qc_fail(err, QC_EFORMAT, "the graph has %u operators; 1 to %d are supported", nodes.n, MAX_NODES);
    t->n_nodes = nodes.n;
    if (!(t->nodes = qc_arena_take(arena, nodes.n, sizeof *t->nodes, err))) return -1;
    for (uint32_t i = 0; i < nodes.n; i++)
        if (read_node(t, i, qc_flat_table_at(&t->flat, nodes, i), codes, arena, err)) return -1;
    return 0;
}

/* ---- the whole ---- */

static int read_labels(QcTflite *t, QcFlatTable model, QcFlatVector buffers, QcArena *arena, QcErr *err)
{
    QcFlat *f = &t->flat;
    QcFlatVector all = qc_flat_vector(f, model, 6, 4);
    for (uint32_t i = 0; i < all.n && i < MAX_EDGES && !t->labels; i++) {
        QcFlatTable entry = qc_flat_table_at(f, all, i);
        uint32_t buffer = (uint32_t)qc_flat_int(f, entry, 1, 4, 0);
        const char *name = qc_flat_text(f, entry, 0, arena, err);
        if (!name) return -1;
        if (strcmp(name, "qcore.labels") || buffer >= buffers.n) continue;
        if (!(t->labels = qc_flat_text(f, qc_flat_table_at(f, buffers, buffer), 0, arena, err))) return -1;
    }
    return 0;
}

int qc_tflite_parse(QcTflite *t, const uint8_t *bytes, size_t length, QcArena *arena, QcErr *err)
{
    QcFlat *f = &t->flat;
    QcFlatTable model;
    *t = (QcTflite){0};
    if (qc_flat_open(f, &model, bytes, length, "TFL3", err)) return -1;
    QcFlatVector codes = qc_flat_vector(f, model, 1, 4), graphs = qc_flat_vector(f, model, 2, 4),
                 buffers = qc_flat_vector(f, model, 4, 4);
    if (qc_flat_end(f, err)) return -1;
    if (!graphs.n) return qc_fail(err, QC_EFORMAT, "the file has no graph");
    QcFlatTable graph = qc_flat_table_at(f, graphs, 0);
    t->graphs = graphs.n;
    int status = (t->name = read_name(f, graph, 4, arena, err)) && !read_tensors(t, graph, buffers, arena, err) &&
                         !read_nodes(t, graph, codes, arena, err) && !read_labels(t, model, buffers, arena, err)
                     ? 0
                     : -1;
    if (f->bad) return qc_flat_end(f, err); /* a damaged file may cause other errors, so it is reported first */
    if (status) return -1;
    t->inputs = qc_flat_vector(f, graph, 1, 4);
    t->outputs = qc_flat_vector(f, graph, 2, 4);
    if (check_tensors(t, t->inputs, 0, "the graph", err) || check_tensors(t, t->outputs, 0, "the graph", err))
        return -1;
    for (uint32_t k = 0; k < t->outputs.n; k++) t->tensors[qc_flat_int_at(f, t->outputs, k, 4)].readers++;
    return qc_flat_end(f, err);
}
