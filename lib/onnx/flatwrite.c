#include "flatwrite.h"

#include <stdlib.h>
#include <string.h>

/* Appends n zero bytes; returns the position of the first. */
static size_t extend(QcFlatOut *f, size_t n)
{
    size_t at = f->n;
    if (f->bad) return 0;
    if (n > f->room - f->n) {
        size_t room = 2 * (f->n + n) + 4096;
        uint8_t *larger = realloc(f->bytes, room);
        if (!larger) return f->bad = 1, 0;
        f->bytes = larger;
        f->room = room;
    }
    if (n) memset(f->bytes + at, 0, n);
    f->n += n;
    return at;
}

/* Aligns the next n bytes to a position that is `beyond` more than a multiple of `to`. */
static void align(QcFlatOut *f, size_t to, size_t beyond) { extend(f, (to + beyond - f->n % to) % to); }

static void put(QcFlatOut *f, size_t at, uint64_t value, int bytes)
{
    for (int i = 0; !f->bad && i < bytes; i++) f->bytes[at + (size_t)i] = (uint8_t)(value >> 8 * i);
}

void qc_flatout_start(QcFlatOut *f, const char identifier[4])
{
    size_t at = extend(f, 8);
    if (!f->bad) memcpy(f->bytes + at + 4, identifier, 4);
}

/* Fields of 4 bytes come first. */
size_t qc_flatout_table(QcFlatOut *f, QcFlatField *fields, uint32_t n)
{
    size_t size = 4, vtable_bytes = 4 + 2 * (size_t)n;
    align(f, 4, 0);
    size_t vtable = extend(f, vtable_bytes + vtable_bytes % 4), table = f->n;
    for (uint8_t bytes = 4; bytes; bytes = bytes == 4 ? 1 : 0)
        for (uint32_t k = 0; k < n; k++) {
            if (fields[k].bytes != bytes) continue;
            fields[k].at = table + size;
            put(f, vtable + 4 + 2 * (size_t)k, size, 2);
            size += bytes;
        }
    size = (size + 3) / 4 * 4;
    extend(f, size);
    put(f, vtable, vtable_bytes, 2);
    put(f, vtable + 2, size, 2);
    put(f, table, table - vtable, 4);
    for (uint32_t k = 0; k < n; k++) put(f, fields[k].at, (uint32_t)fields[k].value, fields[k].bytes);
    return table;
}

void qc_flatout_link(QcFlatOut *f, size_t at, size_t target) { put(f, at, target - at, 4); }

/* A vector's length; its elements come next, at a multiple of `to`. */
static size_t start_vector(QcFlatOut *f, size_t n, size_t to)
{
    align(f, to, to - 4);
    size_t at = extend(f, 4);
    put(f, at, n, 4);
    return at;
}

size_t qc_flatout_bytes(QcFlatOut *f, const void *data, size_t n)
{
    size_t at = start_vector(f, n, 16), first = extend(f, n);
    if (!f->bad && n) memcpy(f->bytes + first, data, n);
    return at;
}

size_t qc_flatout_ints(QcFlatOut *f, const int64_t *values, uint32_t n, int bytes)
{
    size_t at = start_vector(f, n, (size_t)bytes), first = extend(f, (size_t)n * (size_t)bytes);
    for (uint32_t i = 0; i < n; i++) put(f, first + (size_t)i * (size_t)bytes, (uint64_t)values[i], bytes);
    return at;
}

size_t qc_flatout_floats(QcFlatOut *f, const float *values, uint32_t n)
{
    size_t at = start_vector(f, n, 4), first = extend(f, 4 * (size_t)n);
    for (uint32_t i = 0; i < n; i++) {
        union { float f; uint32_t u; } v = {.f = values[i]};
        put(f, first + 4 * (size_t)i, v.u, 4);
    }
    return at;
}

size_t qc_flatout_text(QcFlatOut *f, const char *text)
{
    size_t n = strlen(text), at = start_vector(f, n, 4), first = extend(f, n + 1);
    if (!f->bad) memcpy(f->bytes + first, text, n);
    return at;
}

size_t qc_flatout_offsets(QcFlatOut *f, uint32_t n)
{
    size_t at = start_vector(f, n, 4);
    extend(f, 4 * (size_t)n);
    return at;
}
