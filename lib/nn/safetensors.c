/* Weights as safetensors (github.com/huggingface/safetensors): u64 length of the header, a JSON header {name: {dtype,
 * shape, data_offsets}}, the values. JSON is YAML, for which there is a reader that bounds depth and number of values
 * and refuses what stands twice. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/file.h"
#include "../base/half.h"
#include "../format/bytes.h"
#include "../format/yaml.h"
#include "weights.h"

enum { PREFIX = 8 };

/* ---- writing ---- */

static void put_chars(QcWriter *w, const char *text) { qc_put_bytes(w, text, strlen(text)); }

static void put_name(QcWriter *w, const char *name)
{
    char escaped[8];
    put_chars(w, "\"");
    for (; *name; name++) {
        if (*name == '"' || *name == '\\') qc_put_u8(w, '\\');
        if ((unsigned char)*name >= ' ') qc_put_u8(w, (uint8_t)*name);
        else snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned)*name), put_chars(w, escaped);
    }
    put_chars(w, "\"");
}

static void put_entry(QcWriter *w, const QcWeight *entry, uint64_t from)
{
    char text[128];
    put_name(w, entry->name);
    put_chars(w, ": {\"dtype\": \"F32\", \"shape\": [");
    for (uint32_t k = 0; k < entry->rank; k++) {
        snprintf(text, sizeof text, "%s%llu", k ? ", " : "", (unsigned long long)entry->dims[k]);
        put_chars(w, text);
    }
    snprintf(text, sizeof text, "], \"data_offsets\": [%llu, %llu]}", (unsigned long long)from,
             (unsigned long long)(from + 4 * entry->n));
    put_chars(w, text);
}

int qc_weights_save_safetensors(const QcWeights *w, const char *path, QcErr *err)
{
    QcWriter header = {0}, file = {0};
    uint64_t from = 0;
    int status = -1;
    put_chars(&header, "{");
    for (uint32_t i = 0; i < w->n; i++) {
        if (i) put_chars(&header, ", ");
        put_entry(&header, &w->list[i], from);
        from += 4 * w->list[i].n;
    }
    put_chars(&header, "}");
    while (header.length % 8 && !header.bad) put_chars(&header, " ");
    qc_put_u64(&file, header.length);
    qc_put_bytes(&file, header.bytes, header.length);
    for (uint32_t i = 0; i < w->n && !file.bad; i++) {
        float *values = malloc(w->list[i].n * sizeof *values);
        if (!values) {
            qc_fail_memory(err, "weights");
            goto end;
        }
        qc_weight_get(values, &w->list[i]);
        qc_put_f32s(&file, values, w->list[i].n);
        free(values);
    }
    status =
        qc_writer_check(&header, err) || qc_writer_check(&file, err) || qc_write_all(path, file.bytes, file.length, err)
            ? -1
            : 0;
end:
    qc_writer_release(&header);
    qc_writer_release(&file);
    return status;
}

/* ---- reading ---- */

typedef struct Array {
    const char *dtype;
    uint32_t rank, size; /* size: bytes of a value */
    uint64_t dims[8];
    const uint8_t *data;
} Array;

static int whole(uint64_t *value, const QcYaml *item)
{
    char *end;
    if (item->kind != QC_YAML_SCALAR || *item->text < '0' || *item->text > '9' || strlen(item->text) > 18) return -1;
    *value = strtoull(item->text, &end, 10);
    return *end ? -1 : 0;
}

static uint32_t size_of(const char *dtype)
{
    if (!strcmp(dtype, "F64")) return 8;
    if (!strcmp(dtype, "F32")) return 4;
    return !strcmp(dtype, "F16") || !strcmp(dtype, "BF16") ? 2 : 0;
}

static int read_entry(Array *a, const QcYaml *entry, const char *name, const uint8_t *data, size_t room,
                      const char *file, QcErr *err)
{
    const QcYaml *dtype = entry->kind == QC_YAML_MAP ? qc_yaml_get(entry, "dtype") : NULL,
                 *shape = dtype ? qc_yaml_get(entry, "shape") : NULL;
    const QcYaml *place = shape ? qc_yaml_get(entry, "data_offsets") : NULL;
    uint64_t from, to, n = 1;
    if (!place || dtype->kind != QC_YAML_SCALAR || shape->kind != QC_YAML_LIST || place->kind != QC_YAML_LIST ||
        place->n != 2 || shape->n > 8 || whole(&from, place->items[0]) || whole(&to, place->items[1]))
        return qc_fail(err, QC_EFORMAT, "%.200s: array '%.80s' has no proper dtype, shape and data_offsets", file,
                       name);
    *a = (Array){.dtype = dtype->text, .rank = shape->n, .size = size_of(dtype->text)};
    if (!a->size)
        return qc_fail(err, QC_EFORMAT, "%.200s: array '%.80s' is of type '%.20s', not F16, BF16, F32 or F64", file,
                       name, a->dtype);
    for (uint32_t k = 0; k < shape->n; k++) {
        if (whole(&a->dims[k], shape->items[k]) || (a->dims[k] && n > room / a->dims[k]))
            return qc_fail(err, QC_EFORMAT, "%.200s: array '%.80s' has an impossible shape", file, name);
        n *= a->dims[k];
    }
    if (from > to || to > room || to - from != n * a->size)
        return qc_fail(err, QC_EFORMAT, "%.200s: array '%.80s' needs %llu bytes and has %llu to %llu of %zu", file,
                       name, (unsigned long long)(n * a->size), (unsigned long long)from, (unsigned long long)to, room);
    a->data = data + from;
    return 0;
}

static float value_at(const Array *a, size_t i)
{
    uint64_t bits = 0;
    for (uint32_t k = a->size; k-- > 0;) bits = bits << 8 | a->data[i * a->size + k];
    union { uint64_t u; double d; } wide = {.u = bits};
    union { uint32_t u; float f; } narrow = {.u = (uint32_t)bits};
    if (a->size == 8) return (float)wide.d;
    return a->size == 4       ? narrow.f
           : *a->dtype == 'B' ? qc_float_of_bfloat((uint16_t)bits)
                              : qc_float_of_half((uint16_t)bits);
}

static int fill(const QcWeight *entry, const Array *a, const char *file, QcErr *err)
{
    if (qc_weight_check_shape(entry, a->dims, a->rank, file, err)) return -1;
    float *values = malloc(entry->n * sizeof *values);
    if (!values) return qc_fail_memory(err, "weights");
    for (size_t i = 0; i < entry->n; i++) values[i] = value_at(a, i);
    int status = qc_weight_take(entry, values, file, err);
    free(values);
    return status;
}

int qc_weights_read_safetensors(QcWeights *w, const uint8_t *bytes, size_t length, const char *name, QcErr *err)
{
    QcCursor c = {.bytes = bytes, .length = length};
    QcYamlDocument header = {0};
    Array a;
    int status = -1;
    uint64_t text = qc_get_u64(&c);
    if (c.bad || text > length - PREFIX || !text || bytes[PREFIX] != '{')
        return qc_fail(err, QC_EFORMAT, "%.300s is no safetensors file, or a damaged one", name);
    const uint8_t *data = bytes + PREFIX + text;
    size_t room = length - PREFIX - (size_t)text;
    if (qc_yaml_parse(&header, (const char *)bytes + PREFIX, (size_t)text, name, 1, err)) return -1;
    if (!header.root || header.root->kind != QC_YAML_MAP) {
        qc_fail(err, QC_EFORMAT, "%.300s: its header is no list of arrays", name);
        goto end;
    }
    for (uint32_t i = 0; i < header.root->n; i++)
        if (strcmp(header.root->keys[i], "__metadata__") && !qc_weights_find(w, header.root->keys[i]) &&
            !qc_weights_ignores(header.root->keys[i])) {
            qc_fail(err, QC_EFORMAT, "%.200s: the model has no place for array '%.80s'", name, header.root->keys[i]);
            goto end;
        }
    for (uint32_t i = 0; i < w->n; i++) {
        const QcYaml *entry = qc_yaml_get(header.root, w->list[i].name);
        if (!entry) {
            qc_fail(err, QC_EFORMAT, "%.200s has no array '%s'", name, w->list[i].name);
            goto end;
        }
        if (read_entry(&a, entry, w->list[i].name, data, room, name, err) || fill(&w->list[i], &a, name, err)) goto end;
    }
    status = 0;
end:
    qc_yaml_release(&header);
    return status;
}
