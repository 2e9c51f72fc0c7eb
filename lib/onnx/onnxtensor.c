/* Constants: TensorProto in its several codings, and external data. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/file.h"
#include "../base/half.h"
#include "onnxparts.h"

typedef enum Type {
    FLOAT = 1,
    UINT8 = 2,
    INT8 = 3,
    UINT16 = 4,
    INT16 = 5,
    INT32 = 6,
    INT64 = 7,
    BOOL = 9,
    FLOAT16 = 10,
    DOUBLE = 11,
    UINT32 = 12,
    BFLOAT16 = 16,
    UINT4 = 21,
    INT4 = 22 /* two a byte, the first in the low half */
} Type;

/* Bytes of memory for a byte of file: an 8-bit code becomes 64 bits, a float and a weight; beside them a model without
 * weights may have constants. */
enum { PER_BYTE = 48, ALWAYS = 64 << 20 };

void *qc_onnx_room(QcOnnxImport *im, uint64_t n, uint64_t size)
{
    uint64_t bytes, most = im->file_bytes < UINT64_MAX / 2 / PER_BYTE ? PER_BYTE * im->file_bytes + ALWAYS : UINT64_MAX;
    if (!__builtin_mul_overflow(n, size, &bytes) && bytes <= most && im->work.bytes <= most - bytes)
        return qc_arena_take(&im->work, n, size, im->err);
    if (!im->at) return qc_fail_memory(im->err, "the model"), NULL;
    qc_onnx_refuse(im, "its result and the values before it take more than %llu MB, far more than the file",
                   (unsigned long long)(most >> 20));
    return NULL;
}

static size_t size_of(int32_t type)
{
    switch (type) {
    case UINT8:
    case INT8:
    case UINT4: /* two of them */
    case INT4:
    case BOOL: return 1;
    case UINT16:
    case INT16:
    case FLOAT16:
    case BFLOAT16: return 2;
    case FLOAT:
    case INT32:
    case UINT32: return 4;
    case INT64:
    case DOUBLE: return 8;
    default: return 0;
    }
}

static int is_half_byte(int32_t type) { return type == UINT4 || type == INT4; }

int qc_tensor_range(int64_t type, int64_t *low, int64_t *high)
{
    static const Type with_sign[] = {INT4, INT8, INT16, INT32, INT64}, without[] = {UINT4, UINT8, UINT16, UINT32};
    static const int bits[] = {4, 8, 16, 32, 64};
    *low = *high = 0;
    for (size_t k = 0; k < sizeof with_sign / sizeof *with_sign; k++)
        if (type == with_sign[k]) *high = INT64_MAX >> (64 - bits[k]), *low = -*high - 1;
    for (size_t k = 0; k < sizeof without / sizeof *without; k++)
        if (type == without[k]) *high = INT64_MAX >> (63 - bits[k]);
    return *high > 0;
}

static int is_real(int32_t type) { return type == FLOAT || type == FLOAT16 || type == DOUBLE || type == BFLOAT16; }

static uint64_t little_endian(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;
    for (size_t i = size; i-- > 0;) value = value << 8 | bytes[i];
    return value;
}

static float real_of(uint64_t bits, int32_t type)
{
    union { uint64_t u; double d; } wide = {.u = bits};
    union { uint32_t u; float f; } narrow = {.u = (uint32_t)bits};
    if (type == DOUBLE) return (float)wide.d;
    return type == FLOAT      ? narrow.f
           : type == BFLOAT16 ? qc_float_of_bfloat((uint16_t)bits)
                              : qc_float_of_half((uint16_t)bits);
}

static int64_t integer_of(uint64_t bits, int32_t type)
{
    switch (type) {
    case INT8: return (int8_t)bits;
    case INT4: return (int64_t)((bits & 15) ^ 8) - 8;
    case INT16: return (int16_t)bits;
    case INT32: return (int32_t)bits;
    default: return (int64_t)bits;
    }
}

/* ---- where the numbers lie ---- */

typedef struct Source { /* one of these has the numbers */
    const uint8_t *raw;
    size_t length; /* bytes of raw */
    const Onnx__TensorProto *proto;
} Source;

/* The numbers that lie in fields of their own, as bits. */
static size_t typed_count(const Onnx__TensorProto *p)
{
    switch (p->data_type) {
    case FLOAT: return p->n_float_data;
    case DOUBLE: return p->n_double_data;
    case INT64: return p->n_int64_data;
    case UINT32: return p->n_uint64_data;
    default: return p->n_int32_data;
    }
}

static float typed_real(const Onnx__TensorProto *p, size_t i)
{
    switch (p->data_type) {
    case FLOAT: return p->float_data[i];
    case DOUBLE: return (float)p->double_data[i];
    default: return real_of((uint16_t)p->int32_data[i], p->data_type);
    }
}

static int64_t typed_integer(const Onnx__TensorProto *p, size_t i)
{
    return p->data_type == INT64    ? p->int64_data[i]
           : p->data_type == UINT32 ? (int64_t)p->uint64_data[i]
                                    : p->int32_data[i];
}

static const char *external(const Onnx__TensorProto *p, const char *key)
{
    for (size_t i = 0; i < p->n_external_data; i++)
        if (p->external_data[i]->key && !strcmp(p->external_data[i]->key, key)) return p->external_data[i]->value;
    return NULL;
}

static int external_number(QcOnnxImport *im, uint64_t *value, const Onnx__TensorProto *p, const char *key)
{
    const char *text = external(p, key);
    char *end;
    if (!text) return 0;
    *value = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end
               ? 0
               : qc_fail(im->err, QC_EFORMAT, "tensor '%.100s': its external %s '%.40s' is no number", p->name, key,
                         text);
}

typedef struct QcExternal {
    const char *place;
    struct QcExternal *next;
} QcExternal;

/* Its bytes are the model's, once. */
static int count_external(QcOnnxImport *im, const char *place, uint64_t bytes)
{
    enum { MOST_FILES = 4096 };
    uint32_t n = 0;
    for (const QcExternal *e = im->externals; e; e = e->next, n++)
        if (!strcmp(e->place, place)) return 0;
    if (n == MOST_FILES)
        return qc_fail(im->err, QC_EUNSUPPORTED, "the model's tensors lie in more than %d files", MOST_FILES);
    QcExternal *e = qc_arena_take(&im->arena, 1, sizeof *e, im->err);
    if (!e) return -1;
    *e = (QcExternal){place, im->externals};
    im->externals = e;
    im->file_bytes += bytes;
    return 0;
}

/* Exactly `wanted` bytes of a file in the folder that the user named; a path to anywhere else is refused. */
static int read_external(QcOnnxImport *im, Source *s, size_t wanted)
{
    const char *place = external(s->proto, "location"), *name = s->proto->name ? s->proto->name : "";
    uint64_t offset = 0, length = wanted;
    char path[4096];
    if (!im->o->folder)
        return qc_fail(im->err, QC_EUNSUPPORTED,
                       "tensor '%.100s' lies in another file ('%.100s'); name its folder with --external-data", name,
                       place ? place : "");
    if (!place || !*place || strchr(place, '/') || strchr(place, '\\') || !strcmp(place, ".") || !strcmp(place, ".."))
        return qc_fail(im->err, QC_EFORMAT, "tensor '%.100s' lies in '%.100s', which is not the plain name of a file",
                       name, place ? place : "");
    if (external_number(im, &offset, s->proto, "offset") || external_number(im, &length, s->proto, "length")) return -1;
    if (length != wanted)
        return qc_fail(im->err, QC_EFORMAT, "tensor '%.100s' needs %zu bytes and its external data has %llu", name,
                       wanted, (unsigned long long)length);
    if (snprintf(path, sizeof path, "%s/%s", im->o->folder, place) >= (int)sizeof path)
        return qc_fail(im->err, QC_EIO, "the path of '%.100s' is too long", place);
    QcPieces *file = qc_pieces_open(path, im->err);
    if (!file) return -1;
    uint8_t *bytes = NULL;
    if (offset > file->length || wanted > file->length - offset)
        qc_fail(im->err, QC_EFORMAT, "tensor '%.100s' needs bytes %llu to %llu of %.200s, which has %llu", name,
                (unsigned long long)offset, (unsigned long long)(offset + wanted), path,
                (unsigned long long)file->length);
    else if (!count_external(im, place, file->length) && (bytes = qc_onnx_room(im, wanted, 1)) &&
             qc_pieces_read(file, bytes, offset, wanted, im->err))
        bytes = NULL;
    qc_pieces_close(file);
    s->raw = bytes;
    s->length = wanted;
    return bytes ? 0 : -1;
}

/* ---- the tensor ---- */

static int set_dims(QcOnnxImport *im, QcTensor *t, uint32_t rank, const int64_t *dims)
{
    *t = (QcTensor){.rank = rank, .n = 1};
    for (uint32_t k = 0; k < rank; k++) {
        if (dims[k] < 0 || (dims[k] && t->n > ((size_t)1 << 40) / (size_t)dims[k]))
            return qc_onnx_wrong(im, "a tensor has a dimension of %lld", (long long)dims[k]);
        t->dims[k] = dims[k];
        t->n *= (size_t)dims[k];
    }
    return 0;
}

int qc_tensor_floats(QcOnnxImport *im, QcTensor *t, float **values, uint32_t rank, const int64_t *dims)
{
    if (set_dims(im, t, rank, dims)) return -1;
    t->f = *values = qc_onnx_room(im, t->n, sizeof **values);
    return *values ? 0 : -1;
}

int qc_tensor_ints(QcOnnxImport *im, QcTensor *t, int64_t **values, uint32_t rank, const int64_t *dims)
{
    if (set_dims(im, t, rank, dims)) return -1;
    t->i = *values = qc_onnx_room(im, t->n, sizeof **values);
    return *values ? 0 : -1;
}

static int fill_floats(QcOnnxImport *im, QcTensor *t, const Source *s)
{
    const Onnx__TensorProto *p = s->proto;
    size_t size = size_of(p->data_type);
    QcTensor dims = *t;
    float *values;
    if (qc_tensor_floats(im, t, &values, dims.rank, dims.dims)) return -1;
    for (size_t i = 0; i < t->n; i++)
        values[i] = s->raw ? real_of(little_endian(s->raw + i * size, size), p->data_type) : typed_real(p, i);
    return 0;
}

static int fill_ints(QcOnnxImport *im, QcTensor *t, const Source *s)
{
    const Onnx__TensorProto *p = s->proto;
    size_t size = size_of(p->data_type);
    QcTensor dims = *t;
    int64_t *values;
    if (qc_tensor_ints(im, t, &values, dims.rank, dims.dims)) return -1;
    for (size_t i = 0; i < t->n; i++) {
        if (is_half_byte(p->data_type))
            values[i] = integer_of((s->raw ? s->raw[i / 2] : (uint64_t)p->int32_data[i / 2]) >> (i % 2 ? 4 : 0) & 15,
                                   p->data_type);
        else
            values[i] = s->raw ? integer_of(little_endian(s->raw + i * size, size), p->data_type) : typed_integer(p, i);
    }
    return 0;
}

int qc_onnx_tensor(QcOnnxImport *im, QcTensor *t, const Onnx__TensorProto *p)
{
    const char *name = p->name && *p->name ? p->name : "of a node";
    size_t size = size_of(p->data_type);
    Source s = {.proto = p};
    if (!size)
        return qc_fail(im->err, QC_EUNSUPPORTED, "tensor '%.100s' is of element type %d, which is not supported", name,
                       p->data_type);
    if (p->n_dims > QC_ONNX_RANK)
        return qc_fail(im->err, QC_EUNSUPPORTED, "tensor '%.100s' has %zu dimensions", name, p->n_dims);
    if (set_dims(im, t, (uint32_t)p->n_dims, p->dims)) return qc_within(im->err, name);
    size_t n = is_half_byte(p->data_type) ? (t->n + 1) / 2 : t->n;
    if (p->has_data_location && p->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL) {
        if (read_external(im, &s, n * size)) return -1;
    } else if (p->has_raw_data) {
        s.raw = p->raw_data.len ? p->raw_data.data : (const uint8_t *)"";
        s.length = p->raw_data.len;
    }
    size_t there = s.raw ? s.length : typed_count(p), wanted = s.raw ? n * size : n;
    if (there != wanted)
        return qc_fail(im->err, QC_EFORMAT, "tensor '%.100s' needs %zu %s by its dimensions and has %zu", name, wanted,
                       s.raw ? "bytes" : "numbers", there);
    if (is_real(p->data_type) ? fill_floats(im, t, &s) : fill_ints(im, t, &s)) return -1;
    t->type = p->data_type;
    return 0;
}
