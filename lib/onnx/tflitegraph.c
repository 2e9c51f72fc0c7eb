#include "tflitegraph.h"

#include <stdlib.h>
#include <string.h>

/* Room for one more of `size` bytes in a list of n. */
static void *grow(QcTfliteGraph *g, void *list, uint32_t n, uint32_t *room, size_t size)
{
    if (n < *room) return list;
    uint32_t more = *room ? 2 * *room : 64;
    void *larger = qc_arena_take(&g->arena, more, size, NULL);
    if (!larger) return g->bad = 1, NULL;
    if (n) memcpy(larger, list, n * size);
    *room = more;
    return larger;
}

uint32_t qc_tflite_add(QcTfliteGraph *g, const char *name, const int64_t *dims, uint32_t rank, const float *scale,
                       int32_t zero)
{
    QcTfliteMade *list = grow(g, g->tensors, g->n_tensors, &g->room_tensors, sizeof *list);
    char *copy = qc_arena_text(&g->arena, name, strlen(name), NULL);
    if (!list || !copy) return g->bad = 1, 0;
    g->tensors = list;
    QcTfliteMade *t = &list[g->n_tensors];
    *t = (QcTfliteMade){.name = copy, .rank = rank, .scale = scale, .n_scale = scale != NULL, .zero = zero};
    t->type = scale ? QC_TFLITE_INT8 : QC_TFLITE_FLOAT32;
    memcpy(t->dims, dims, rank * sizeof *dims);
    return g->n_tensors++;
}

uint32_t qc_tflite_add_constant(QcTfliteGraph *g, const char *name, const int64_t *dims, uint32_t rank, int32_t type,
                                const void *data, size_t bytes)
{
    uint32_t k = qc_tflite_add(g, name, dims, rank, NULL, 0);
    if (!data) g->bad = 1;
    if (g->bad) return 0;
    g->tensors[k].type = type;
    g->tensors[k].data = data;
    g->tensors[k].bytes = bytes;
    return k;
}

uint32_t qc_tflite_add_ints(QcTfliteGraph *g, const char *name, const int64_t *dims, uint32_t rank,
                            const int64_t *values)
{
    size_t n = 1;
    for (uint32_t k = 0; k < rank; k++) n *= (size_t)dims[k];
    uint8_t *data = qc_arena_take(&g->arena, n, 4, NULL);
    for (size_t i = 0; data && i < 4 * n; i++) data[i] = (uint8_t)((uint64_t)values[i / 4] >> 8 * (i % 4));
    return qc_tflite_add_constant(g, name, dims, rank, QC_TFLITE_INT32, data, 4 * n);
}

QcTfliteCall *qc_tflite_call(QcTfliteGraph *g, int32_t op, int options, const uint32_t *inputs, uint32_t n,
                             uint32_t output)
{
    QcTfliteCall *list = grow(g, g->calls, g->n_calls, &g->room_calls, sizeof *list);
    uint32_t *copy = qc_arena_take(&g->arena, n, sizeof *copy, NULL);
    if (!list || !copy) return g->bad = 1, NULL;
    g->calls = list;
    memcpy(copy, inputs, n * sizeof *copy);
    list[g->n_calls] = (QcTfliteCall){.op = op, .n_inputs = n, .inputs = copy, .output = output, .options = options};
    return &list[g->n_calls++];
}

void qc_tflite_set(QcTfliteCall *c, uint32_t field, uint8_t bytes, int32_t value)
{
    if (c) c->fields[field] = (QcFlatField){.bytes = bytes, .value = value};
}

/* ---- the file ---- */

enum { SCHEMA = 3 };

static int32_t version_of(int32_t op) /* the first version with int8; for float operators 1 */
{
    switch (op) {
    case QC_TFLITE_CONV_2D:
    case QC_TFLITE_DEPTHWISE_CONV_2D: return 3;
    case QC_TFLITE_FULLY_CONNECTED:
    case QC_TFLITE_SUB:
    case QC_TFLITE_DIV:
    case QC_TFLITE_RESHAPE: return 1;
    default: return 2;
    }
}

/* Links element i of a vector of offsets. */
static void link_element(QcFlatOut *f, size_t vector, uint32_t i, size_t target)
{
    qc_flatout_link(f, vector + 4 + 4 * (size_t)i, target);
}

static size_t put_scales(QcFlatOut *f, const QcTfliteMade *t)
{
    QcFlatField fields[7] = {[2] = {.bytes = 4}, [3] = {.bytes = 4}, [6] = {.bytes = 4, .value = t->axis}};
    size_t table = qc_flatout_table(f, fields, 7);
    qc_flatout_link(f, fields[2].at, qc_flatout_floats(f, t->scale, t->n_scale));
    int64_t *zeros = calloc(t->n_scale, sizeof *zeros);
    for (uint32_t k = 0; zeros && k < t->n_scale; k++) zeros[k] = t->zero;
    if (zeros) qc_flatout_link(f, fields[3].at, qc_flatout_ints(f, zeros, t->n_scale, 8));
    else f->bad = 1;
    free(zeros);
    return table;
}

static size_t put_tensor(QcFlatOut *f, const QcTfliteMade *t, int32_t buffer)
{
    QcFlatField fields[5] = {{.bytes = 4}, {.bytes = 1, .value = t->type}, {.bytes = 4, .value = buffer}, {.bytes = 4},
                             {.bytes = t->n_scale ? 4 : 0}};
    size_t table = qc_flatout_table(f, fields, 5);
    qc_flatout_link(f, fields[0].at, qc_flatout_ints(f, t->dims, t->rank, 4));
    qc_flatout_link(f, fields[3].at, qc_flatout_text(f, t->name));
    if (t->n_scale) qc_flatout_link(f, fields[4].at, put_scales(f, t));
    return table;
}

static size_t put_indices(QcFlatOut *f, const uint32_t *list, uint32_t n)
{
    size_t at = qc_flatout_offsets(f, n); /* of 4 bytes, too */
    for (uint32_t k = 0; !f->bad && k < n; k++)
        for (int b = 0; b < 4; b++) f->bytes[at + 4 + 4 * (size_t)k + (size_t)b] = (uint8_t)(list[k] >> 8 * b);
    return at;
}

static size_t put_call(QcFlatOut *f, QcTfliteCall *c, int32_t code)
{
    QcFlatField fields[5] = {{.bytes = 4, .value = code}, {.bytes = 4}, {.bytes = 4},
                             {.bytes = c->options ? 1 : 0, .value = c->options}, {.bytes = c->options ? 4 : 0}};
    size_t table = qc_flatout_table(f, fields, 5);
    qc_flatout_link(f, fields[1].at, put_indices(f, c->inputs, c->n_inputs));
    qc_flatout_link(f, fields[2].at, put_indices(f, &c->output, 1));
    if (c->options) qc_flatout_link(f, fields[4].at, qc_flatout_table(f, c->fields, QC_TFLITE_OPTIONS));
    return table;
}

/* Codes of the operators that occur, in order of their first use; *n of them. */
static void list_codes(const QcTfliteGraph *g, uint8_t place[256], int32_t codes[256], uint32_t *n)
{
    uint8_t seen[256] = {0};
    *n = 0;
    for (uint32_t i = 0; i < g->n_calls; i++) {
        uint8_t op = (uint8_t)g->calls[i].op;
        if (seen[op]) continue;
        seen[op] = 1;
        place[op] = (uint8_t)*n;
        codes[(*n)++] = op;
    }
}

static size_t put_graph(QcFlatOut *f, QcTfliteGraph *g, const char *name, uint32_t input, uint32_t output,
                        const uint8_t place[256])
{
    QcFlatField fields[5] = {{.bytes = 4}, {.bytes = 4}, {.bytes = 4}, {.bytes = 4}, {.bytes = 4}};
    size_t graph = qc_flatout_table(f, fields, 5), tensors = qc_flatout_offsets(f, g->n_tensors);
    int32_t buffer = 1;
    qc_flatout_link(f, fields[0].at, tensors);
    for (uint32_t k = 0; k < g->n_tensors; k++)
        link_element(f, tensors, k, put_tensor(f, &g->tensors[k], g->tensors[k].data ? buffer++ : 0));
    qc_flatout_link(f, fields[1].at, put_indices(f, &input, 1));
    qc_flatout_link(f, fields[2].at, put_indices(f, &output, 1));
    size_t calls = qc_flatout_offsets(f, g->n_calls);
    qc_flatout_link(f, fields[3].at, calls);
    for (uint32_t i = 0; i < g->n_calls; i++)
        link_element(f, calls, i, put_call(f, &g->calls[i], place[(uint8_t)g->calls[i].op]));
    qc_flatout_link(f, fields[4].at, qc_flatout_text(f, name));
    return graph;
}

static size_t put_buffer(QcFlatOut *f, const void *data, size_t n)
{
    QcFlatField fields[1] = {{.bytes = data ? 4 : 0}};
    size_t table = qc_flatout_table(f, fields, 1);
    if (data) qc_flatout_link(f, fields[0].at, qc_flatout_bytes(f, data, n));
    return table;
}

/* Buffer 0 is empty by the schema; the labels are the last. */
static size_t put_buffers(QcFlatOut *f, const QcTfliteGraph *g, const char *labels, int32_t *last)
{
    uint32_t n = 1 + (labels != NULL), at = 1;
    for (uint32_t k = 0; k < g->n_tensors; k++) n += g->tensors[k].data != NULL;
    size_t buffers = qc_flatout_offsets(f, n);
    link_element(f, buffers, 0, put_buffer(f, NULL, 0));
    for (uint32_t k = 0; k < g->n_tensors; k++)
        if (g->tensors[k].data)
            link_element(f, buffers, at++, put_buffer(f, g->tensors[k].data, g->tensors[k].bytes));
    if (labels) link_element(f, buffers, at, put_buffer(f, labels, strlen(labels)));
    *last = (int32_t)at;
    return buffers;
}

static size_t put_codes(QcFlatOut *f, const int32_t codes[256], uint32_t n)
{
    size_t list = qc_flatout_offsets(f, n);
    for (uint32_t k = 0; k < n; k++) {
        QcFlatField fields[4] = {{.bytes = 1, .value = codes[k]}, {0}, {.bytes = 4, .value = version_of(codes[k])},
                                 {.bytes = 4, .value = codes[k]}};
        link_element(f, list, k, qc_flatout_table(f, fields, 4));
    }
    return list;
}

static size_t put_metadata(QcFlatOut *f, int32_t buffer)
{
    size_t list = qc_flatout_offsets(f, 1);
    QcFlatField fields[2] = {{.bytes = 4}, {.bytes = 4, .value = buffer}};
    link_element(f, list, 0, qc_flatout_table(f, fields, 2));
    qc_flatout_link(f, fields[0].at, qc_flatout_text(f, "qcore.labels"));
    return list;
}

int qc_tflite_pack(uint8_t **bytes, size_t *length, QcTfliteGraph *g, const char *name, uint32_t input,
                   uint32_t output, const char *labels, QcErr *err)
{
    QcFlatOut file = {0}, *f = &file;
    QcFlatField model[7] = {{.bytes = 4, .value = SCHEMA}, {.bytes = 4}, {.bytes = 4}, {.bytes = 4}, {.bytes = 4}, {0},
                            {.bytes = labels ? 4 : 0}};
    uint8_t place[256];
    int32_t codes[256], last;
    uint32_t n_codes;
    list_codes(g, place, codes, &n_codes);
    qc_flatout_start(f, "TFL3");
    qc_flatout_link(f, 0, qc_flatout_table(f, model, 7));
    qc_flatout_link(f, model[1].at, put_codes(f, codes, n_codes));
    size_t graphs = qc_flatout_offsets(f, 1);
    qc_flatout_link(f, model[2].at, graphs);
    link_element(f, graphs, 0, put_graph(f, g, name, input, output, place));
    qc_flatout_link(f, model[3].at, qc_flatout_text(f, "qcore"));
    qc_flatout_link(f, model[4].at, put_buffers(f, g, labels, &last));
    if (labels) qc_flatout_link(f, model[6].at, put_metadata(f, last));
    *bytes = f->bytes;
    *length = f->n;
    if (!g->bad && !f->bad && f->n <= INT32_MAX) return 0;
    free(f->bytes);
    *bytes = NULL;
    return g->bad || f->bad ? qc_fail_memory(err, "the model")
                            : qc_fail(err, QC_EUNSUPPORTED, "the model is larger than 2 GB, the most of a .tflite");
}
