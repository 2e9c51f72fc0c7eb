#include "flatbuffer.h"

#include <string.h>

enum { LARGEST = 0x7fffffff };

/* Checks that n bytes at `at` are in the file; else sets bad. */
static int inside(QcFlat *f, size_t at, size_t n)
{
    if (at <= f->length && n <= f->length - at) return 1;
    f->bad = 1;
    return 0;
}

/* The bytes are in the file. */
static uint64_t little_endian(const QcFlat *f, size_t at, int bytes)
{
    uint64_t value = 0;
    for (int i = bytes; i-- > 0;) value = value << 8 | f->bytes[at + (size_t)i];
    return value;
}

static int64_t signed_number(const QcFlat *f, size_t at, int bytes)
{
    uint64_t value = little_endian(f, at, bytes);
    return bytes == 1 ? (int8_t)value : bytes == 4 ? (int32_t)value : (int64_t)value;
}

static float real_number(const QcFlat *f, size_t at)
{
    union { uint32_t u; float f; } v = {.u = (uint32_t)little_endian(f, at, 4)};
    return v.f;
}

/* ---- tables ---- */

static QcFlatTable table_at(QcFlat *f, size_t at)
{
    const QcFlatTable absent = {0};
    QcFlatTable t = {.at = at};
    if (!inside(f, at, 4)) return absent;
    int64_t vtable = (int64_t)at - signed_number(f, at, 4);
    if (vtable < 0 || !inside(f, (size_t)vtable, 4)) {
        f->bad = 1;
        return absent;
    }
    t.vtable = (size_t)vtable;
    uint32_t bytes = (uint32_t)little_endian(f, t.vtable, 2);
    t.size = (uint32_t)little_endian(f, t.vtable + 2, 2);
    if (bytes < 4 || t.size < 4 || !inside(f, t.vtable, bytes) || !inside(f, at, t.size)) {
        f->bad = 1;
        return absent;
    }
    t.n_fields = (bytes - 4) / 2;
    return t;
}

/* The position of field k, which has `bytes` bytes; 0: it is absent. */
static size_t field(QcFlat *f, QcFlatTable t, uint32_t k, uint32_t bytes)
{
    if (!t.at || k >= t.n_fields) return 0;
    uint32_t offset = (uint32_t)little_endian(f, t.vtable + 4 + 2 * k, 2);
    if (!offset) return 0;
    if (offset < 4 || offset + bytes > t.size) {
        f->bad = 1;
        return 0;
    }
    return t.at + offset;
}

/* The target of the offset at `at`. */
static size_t follow(const QcFlat *f, size_t at) { return at + (size_t)little_endian(f, at, 4); }

int qc_flat_open(QcFlat *f, QcFlatTable *root, const uint8_t *bytes, size_t length, const char identifier[4],
                 QcErr *err)
{
    *f = (QcFlat){.bytes = bytes, .length = length};
    if (length > LARGEST) return qc_fail(err, QC_EFORMAT, "the file has more than 2 GB");
    if (length < 8 || memcmp(bytes + 4, identifier, 4))
        return qc_fail(err, QC_EFORMAT, "the file is of another kind: its bytes 4 to 7 are not '%.4s'", identifier);
    *root = table_at(f, follow(f, 0));
    return qc_flat_end(f, err);
}

int qc_flat_end(const QcFlat *f, QcErr *err)
{
    return f->bad ? qc_fail(err, QC_EFORMAT, "the file is damaged: an offset in it leads out of the file") : 0;
}

int64_t qc_flat_int(QcFlat *f, QcFlatTable t, uint32_t k, int bytes, int64_t absent)
{
    size_t at = field(f, t, k, (uint32_t)bytes);
    return at ? signed_number(f, at, bytes) : absent;
}

float qc_flat_float(QcFlat *f, QcFlatTable t, uint32_t k, float absent)
{
    size_t at = field(f, t, k, 4);
    return at ? real_number(f, at) : absent;
}

QcFlatTable qc_flat_table(QcFlat *f, QcFlatTable t, uint32_t k)
{
    size_t at = field(f, t, k, 4);
    return at ? table_at(f, follow(f, at)) : (QcFlatTable){0};
}

/* ---- vectors ---- */

QcFlatVector qc_flat_vector(QcFlat *f, QcFlatTable t, uint32_t k, uint32_t element_bytes)
{
    size_t at = field(f, t, k, 4);
    if (!at || !inside(f, at = follow(f, at), 4)) return (QcFlatVector){0};
    QcFlatVector v = {at + 4, (uint32_t)little_endian(f, at, 4)};
    return inside(f, v.at, (size_t)v.n * element_bytes) ? v : (QcFlatVector){0};
}

char *qc_flat_text(QcFlat *f, QcFlatTable t, uint32_t k, QcArena *arena, QcErr *err)
{
    QcFlatVector v = qc_flat_vector(f, t, k, 1);
    return qc_arena_text(arena, v.n ? (const char *)f->bytes + v.at : "", strnlen((const char *)f->bytes + v.at, v.n),
                         err);
}

int64_t qc_flat_int_at(const QcFlat *f, QcFlatVector v, uint32_t i, int bytes)
{
    return signed_number(f, v.at + (size_t)i * (size_t)bytes, bytes);
}

float qc_flat_float_at(const QcFlat *f, QcFlatVector v, uint32_t i)
{
    return real_number(f, v.at + 4 * (size_t)i);
}

QcFlatTable qc_flat_table_at(QcFlat *f, QcFlatVector v, uint32_t i)
{
    return table_at(f, follow(f, v.at + 4 * (size_t)i));
}
