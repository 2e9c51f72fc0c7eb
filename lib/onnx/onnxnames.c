/* What a node of an ONNX graph is given: values by name, attributes, and the sentences about it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnxparts.h"

static const char *text_or(const char *text, const char *fallback) { return text && *text ? text : fallback; }

static int set_error(QcOnnxImport *im, QcCode code, const char *format, va_list args)
{
    char what[256];
    vsnprintf(what, sizeof what, format, args);
    return qc_fail(im->err, code, "operator %.40s (node '%.100s'): %s", im->at->op_type,
                   text_or(im->at->name, "without a name"), what);
}

int qc_onnx_refuse(QcOnnxImport *im, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_error(im, QC_EUNSUPPORTED, format, args);
    va_end(args);
    return -1;
}

int qc_onnx_wrong(QcOnnxImport *im, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_error(im, QC_EFORMAT, format, args);
    va_end(args);
    return -1;
}

/* ---- names ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const QcOnnxName *)a)->name, ((const QcOnnxName *)b)->name);
}

QcOnnxName *qc_onnx_find(const QcOnnxImport *im, const char *name)
{
    QcOnnxName key = {.name = name};
    return im->n_names ? bsearch(&key, im->names, im->n_names, sizeof key, by_name) : NULL;
}

int qc_onnx_index(QcOnnxImport *im)
{
    const Onnx__GraphProto *g = im->graph;
    size_t most = g->n_initializer + g->n_input, n = 0;
    for (size_t i = 0; i < g->n_node; i++) most += g->node[i]->n_output;
    if (most > UINT32_MAX) return qc_fail(im->err, QC_EUNSUPPORTED, "the graph has too many values");
    QcOnnxName *names = qc_arena_take(&im->arena, most, sizeof *names, im->err);
    if (!names) return -1;
    for (size_t i = 0; i < g->n_initializer; i++)
        names[n++] = (QcOnnxName){.name = g->initializer[i]->name, .tensor = g->initializer[i]};
    im->names = names;
    qsort(names, n, sizeof *names, by_name);
    im->n_names = (uint32_t)n; /* so that inputs that are only placeholders of initializers can be told from others */
    for (size_t i = 0; i < g->n_input; i++)
        if (!qc_onnx_find(im, g->input[i]->name)) names[n++] = (QcOnnxName){.name = g->input[i]->name};
    for (size_t i = 0; i < g->n_node; i++)
        for (size_t k = 0; k < g->node[i]->n_output; k++)
            if (*g->node[i]->output[k]) names[n++] = (QcOnnxName){.name = g->node[i]->output[k], .maker = g->node[i]};
    qsort(names, n, sizeof *names, by_name);
    im->n_names = (uint32_t)n;
    for (size_t i = 0; i + 1 < n; i++)
        if (!strcmp(names[i].name, names[i + 1].name))
            return qc_fail(im->err, QC_EFORMAT, "the value '%.100s' is defined twice", names[i].name);
    return 0;
}

/* ---- inputs and outputs ---- */

int qc_onnx_has(const QcOnnxImport *im, uint32_t k) { return k < im->at->n_input && *im->at->input[k]; }

const QcValue *qc_onnx_input(QcOnnxImport *im, uint32_t k)
{
    if (!qc_onnx_has(im, k)) return qc_onnx_wrong(im, "input %u is missing", k), NULL;
    QcOnnxName *name = qc_onnx_find(im, im->at->input[k]);
    if (!name) return qc_onnx_wrong(im, "nothing makes its input '%.100s'", im->at->input[k]), NULL;
    if (!name->value && name->tensor) {
        QcValue *v = qc_onnx_room(im, 1, sizeof *v);
        if (!v || qc_onnx_tensor(im, &v->constant, name->tensor)) return NULL;
        name->value = v; /* QC_VALUE_CONSTANT is 0 */
    }
    if (name->value) return name->value;
    if (name->maker && name->maker->n_output && strcmp(name->maker->output[0], name->name))
        return qc_onnx_refuse(im, "its input '%.60s' is not the first output of operator %.40s", name->name,
                              name->maker->op_type),
               NULL;
    return qc_onnx_wrong(im, "its input '%.100s' is made by a later node", im->at->input[k]), NULL;
}

int qc_onnx_take(QcOnnxImport *im, QcValue *v, uint32_t k, QcTake how)
{
    const QcValue *in = qc_onnx_input(im, k);
    if (!in) return -1;
    if (in->kind == QC_VALUE_CONSTANT) return qc_onnx_refuse(im, "input %u is a constant, where data is expected", k);
    QcOnnxName *name = qc_onnx_find(im, im->at->input[k]);
    int shared = name->uses > 1;
    /* what is done here once is done for all readers */
    if ((how >= QC_TAKE_APPLIED || (how == QC_TAKE_VIEW && shared)) && qc_wait_apply(im, name->value)) return -1;
    if (how == QC_TAKE_SETTLED && qc_wait_settle(im, name->value)) return -1;
    if (how <= QC_TAKE_VIEW && shared)
        name->value->alone = 0; /* this reader may build on the node under a function that waits */
    *v = *name->value;
    v->alone = v->alone && !shared;
    return 0;
}

int qc_onnx_take_number(QcOnnxImport *im, QcValue *v)
{
    const QcValue *in = qc_onnx_input(im, 0);
    if (!in || in->kind != QC_VALUE_CONSTANT) return qc_onnx_take(im, v, 0, QC_TAKE_RAW);
    *v = *in;
    return 0;
}

static const QcTensor *constant(QcOnnxImport *im, uint32_t k)
{
    const QcValue *v = qc_onnx_input(im, k);
    if (v && v->kind != QC_VALUE_CONSTANT)
        return qc_onnx_refuse(im, "input %u is computed from the data, and only a constant is supported there", k),
               NULL;
    return v ? &v->constant : NULL;
}

const QcTensor *qc_onnx_floats(QcOnnxImport *im, uint32_t k)
{
    const QcTensor *t = constant(im, k);
    if (t && !t->f) return qc_onnx_wrong(im, "input %u holds integers, not real numbers", k), NULL;
    return t;
}

const QcTensor *qc_onnx_ints(QcOnnxImport *im, uint32_t k)
{
    const QcTensor *t = constant(im, k);
    if (t && !t->i) return qc_onnx_wrong(im, "input %u holds real numbers, not integers", k), NULL;
    return t;
}

/* Has the value the shape that the file gives it? */
static int check_shape(QcOnnxImport *im, const char *name, const QcValue *v)
{
    int64_t dims[QC_ONNX_RANK];
    int rank = im->shapes && v->kind == QC_VALUE_COMPUTED ? im->shapes->dims(im->shapes->context, name, dims) : -1;
    if (rank < 0) return 0;
    int same = (uint32_t)rank == v->rank;
    for (uint32_t k = 0; same && k < v->rank; k++) same = dims[k] == qc_view_dim(im, v, k);
    return same ? 0 : qc_onnx_wrong(im, "its result has another shape than the file gives it");
}

int qc_onnx_put_output(QcOnnxImport *im, uint32_t k, const QcValue *value)
{
    if (k >= im->at->n_output || !*im->at->output[k]) return k ? 0 : qc_onnx_wrong(im, "it has no output");
    QcOnnxName *name = qc_onnx_find(im, im->at->output[k]);
    if (check_shape(im, im->at->output[k], value)) return -1;
    if (!name->value && !(name->value = qc_onnx_room(im, 1, sizeof *name->value))) return -1;
    *name->value = *value;
    return 0;
}

int qc_onnx_put(QcOnnxImport *im, const QcValue *value) { return qc_onnx_put_output(im, 0, value); }

int qc_onnx_put_tensor(QcOnnxImport *im, QcTensor t)
{
    QcValue v = {.kind = QC_VALUE_CONSTANT, .constant = t};
    return qc_onnx_put(im, &v);
}

/* ---- attributes ---- */

const Onnx__AttributeProto *qc_onnx_attribute(const QcOnnxImport *im, const char *name)
{
    for (size_t i = 0; i < im->at->n_attribute; i++)
        if (im->at->attribute[i]->name && !strcmp(im->at->attribute[i]->name, name)) return im->at->attribute[i];
    return NULL;
}

int64_t qc_onnx_int(const QcOnnxImport *im, const char *name, int64_t fallback)
{
    const Onnx__AttributeProto *a = qc_onnx_attribute(im, name);
    return a ? a->i : fallback;
}

float qc_onnx_float(const QcOnnxImport *im, const char *name, float fallback)
{
    const Onnx__AttributeProto *a = qc_onnx_attribute(im, name);
    return a ? a->f : fallback;
}

int qc_onnx_is_text(const QcOnnxImport *im, const char *name, const char *text)
{
    const Onnx__AttributeProto *a = qc_onnx_attribute(im, name);
    return a && a->has_s && a->s.len == strlen(text) && !memcmp(a->s.data, text, a->s.len);
}

/* The letter of a field that an attribute has, by its type or, in old files, by what is there; 0: another. */
static char letter_of(const Onnx__AttributeProto *a)
{
    static const char letters[] = {0, 'f', 'i', 's', 't', 0, 'F', 'I'};
    if (a->has_type && a->type) return (size_t)a->type < sizeof letters ? letters[a->type] : 0;
    return a->n_ints ? 'I' : a->n_floats ? 'F' : a->t ? 't' : a->has_s ? 's' : a->has_i ? 'i' : a->has_f ? 'f' : 0;
}

int qc_onnx_check_attributes(QcOnnxImport *im, const char *known)
{
    for (size_t i = 0; i < im->at->n_attribute; i++) {
        const Onnx__AttributeProto *a = im->at->attribute[i];
        const char *name = a->name ? a->name : "", *at = known;
        size_t length = strlen(name);
        while (*at && (strncmp(at, name, length) || at[length] != ':')) at += strcspn(at, " "), at += *at == ' ';
        if (!*at || !length) return qc_onnx_refuse(im, "its attribute '%.40s' is not supported", name);
        if (letter_of(a) != at[length + 1])
            return qc_onnx_wrong(im, "its attribute '%.40s' is of another type than it must be", name);
        for (size_t k = 0; k < i; k++)
            if (im->at->attribute[k]->name && !strcmp(im->at->attribute[k]->name, name))
                return qc_onnx_wrong(im, "its attribute '%.40s' is given twice", name);
    }
    return 0;
}

int qc_onnx_list(QcOnnxImport *im, const int64_t **list, size_t *n, const char *attribute, uint32_t k)
{
    const Onnx__AttributeProto *a = qc_onnx_attribute(im, attribute);
    *list = NULL;
    *n = 0;
    if (a) {
        static const int64_t none;
        *list = a->n_ints ? a->ints : &none;
        *n = a->n_ints;
    } else if (qc_onnx_has(im, k)) {
        const QcTensor *t = qc_onnx_ints(im, k);
        if (!t) return -1;
        *list = t->i;
        *n = t->n;
    }
    return 0;
}

int qc_onnx_axis(QcOnnxImport *im, int64_t axis, uint32_t rank)
{
    if (axis < -(int64_t)rank || axis >= (int64_t)rank)
        return qc_onnx_wrong(im, "axis %lld does not exist among %u", (long long)axis, rank);
    return (int)(axis < 0 ? axis + rank : axis);
}

int qc_onnx_mark(QcOnnxImport *im, uint8_t mark[QC_ONNX_RANK], const int64_t *list, size_t n, uint32_t rank)
{
    memset(mark, 0, QC_ONNX_RANK);
    for (size_t i = 0; i < n; i++) {
        int axis = qc_onnx_axis(im, list[i], rank);
        if (axis < 0) return -1;
        mark[axis] = 1;
    }
    return 0;
}

/* ---- names for our nodes ---- */

static void clean_name(char *name, size_t room, const char *text, size_t length)
{
    while (length && *text == '/') text++, length--;
    if (length > room - 1) text += length - (room - 1), length = room - 1; /* the end of it tells more */
    for (size_t i = 0; i < length; i++) name[i] = (char)(text[i] > ' ' && text[i] < 0x7f ? text[i] : '_');
    name[length] = 0;
}

void qc_onnx_name(QcOnnxImport *im, char name[QC_NAME_MAX + 1], const char *weight)
{
    enum { ROOM = QC_NAME_MAX - 5 }; /* for what makes it unique */
    static const char ending[] = ".weight";
    char base[ROOM];
    size_t length = weight ? strlen(weight) : 0, end = sizeof ending - 1;
    if (length > end && !strcmp(weight + length - end, ending)) clean_name(base, ROOM, weight, length - end);
    else clean_name(base, ROOM, text_or(im->at->name, ""), strlen(text_or(im->at->name, "")));
    if (!*base) snprintf(base, ROOM, "%.30s_%u", im->at->op_type, im->number);
    snprintf(name, QC_NAME_MAX + 1, "%s", base);
    for (uint32_t i = 2; qc_graph_find(im->g, name) >= 0; i++) snprintf(name, QC_NAME_MAX + 1, "%s~%u", base, i);
}
