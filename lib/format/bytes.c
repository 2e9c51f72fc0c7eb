#include "bytes.h"

#include <stdlib.h>
#include <string.h>

void qc_writer_reserve(QcWriter *w, size_t n)
{
    size_t needed;
    if (w->bad || w->room - w->length >= n) return;
    if (__builtin_add_overflow(w->length, n, &needed)) {
        w->bad = 1;
        return;
    }
    uint8_t *larger = realloc(w->bytes, needed);
    if (!larger) {
        w->bad = 1;
        return;
    }
    w->bytes = larger;
    w->room = needed;
}

static uint8_t *reserve(QcWriter *w, size_t n)
{
    /* doubles the room, so that the content is seldom copied */
    if (!w->bad && w->room - w->length < n) qc_writer_reserve(w, n > w->room ? n : w->room < 256 ? 256 : w->room);
    if (w->bad) return NULL;
    uint8_t *at = w->bytes + w->length;
    w->length += n;
    return at;
}

/* The room of an array is taken at once, and no more than it needs. */
static void reserve_values(QcWriter *w, size_t n, size_t each)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, each, &bytes)) w->bad = 1;
    else qc_writer_reserve(w, bytes);
}

static void put(QcWriter *w, uint64_t value, size_t bytes)
{
    uint8_t *at = reserve(w, bytes);
    if (!at) return;
    for (size_t i = 0; i < bytes; i++) at[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return bits;
}

void qc_put_u8(QcWriter *w, uint8_t value) { put(w, value, 1); }
void qc_put_u16(QcWriter *w, uint16_t value) { put(w, value, 2); }
void qc_put_u32(QcWriter *w, uint32_t value) { put(w, value, 4); }
void qc_put_u64(QcWriter *w, uint64_t value) { put(w, value, 8); }
void qc_put_i32(QcWriter *w, int32_t value) { put(w, (uint32_t)value, 4); }
void qc_put_f32(QcWriter *w, float value) { put(w, float_bits(value), 4); }

void qc_put_bytes(QcWriter *w, const void *bytes, size_t length)
{
    uint8_t *at = reserve(w, length);
    if (at && length) memcpy(at, bytes, length);
}

void qc_put_text(QcWriter *w, const char *text)
{
    size_t length = text ? strlen(text) : 0;
    if (length > UINT32_MAX) {
        w->bad = 1;
        return;
    }
    qc_put_u32(w, (uint32_t)length);
    qc_put_bytes(w, text, length);
}

void qc_put_f32s(QcWriter *w, const float *values, size_t n)
{
    reserve_values(w, n, 4);
    for (size_t i = 0; i < n; i++) qc_put_f32(w, values[i]);
}

void qc_put_i32s(QcWriter *w, const int32_t *values, size_t n)
{
    reserve_values(w, n, 4);
    for (size_t i = 0; i < n; i++) qc_put_i32(w, values[i]);
}

void qc_put_u32s(QcWriter *w, const uint32_t *values, size_t n)
{
    reserve_values(w, n, 4);
    for (size_t i = 0; i < n; i++) qc_put_u32(w, values[i]);
}

void qc_put_u64s(QcWriter *w, const uint64_t *values, size_t n)
{
    reserve_values(w, n, 8);
    for (size_t i = 0; i < n; i++) qc_put_u64(w, values[i]);
}

int qc_writer_check(const QcWriter *w, QcErr *err) { return w->bad ? qc_fail_memory(err, "the bytes of a file") : 0; }

void qc_writer_release(QcWriter *w)
{
    if (!w) return;
    free(w->bytes);
    *w = (QcWriter){0};
}

/* The next n bytes, or NULL and `bad`. After an error nothing more is returned, because later fields would be
 * meaningless. */
static const uint8_t *take(QcCursor *c, size_t n)
{
    if (c->bad || c->length - c->at < n) {
        if (!c->bad) c->bad = 1;
        return NULL;
    }
    const uint8_t *at = c->bytes + c->at;
    c->at += n;
    return at;
}

static uint64_t get(QcCursor *c, size_t bytes)
{
    const uint8_t *at = take(c, bytes);
    uint64_t value = 0;
    if (at)
        for (size_t i = 0; i < bytes; i++) value |= (uint64_t)at[i] << 8 * i;
    return value;
}

static float bits_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

uint8_t qc_get_u8(QcCursor *c) { return (uint8_t)get(c, 1); }
uint16_t qc_get_u16(QcCursor *c) { return (uint16_t)get(c, 2); }
uint32_t qc_get_u32(QcCursor *c) { return (uint32_t)get(c, 4); }
uint64_t qc_get_u64(QcCursor *c) { return get(c, 8); }
int32_t qc_get_i32(QcCursor *c) { return (int32_t)(uint32_t)get(c, 4); }
float qc_get_f32(QcCursor *c) { return bits_float((uint32_t)get(c, 4)); }

uint32_t qc_get_count(QcCursor *c, size_t each)
{
    uint32_t n = qc_get_u32(c);
    size_t bytes;
    if (c->bad || __builtin_mul_overflow((size_t)n, each, &bytes) || bytes > c->length - c->at) {
        if (!c->bad) c->bad = 1;
        return 0;
    }
    return n;
}

/* Length of the UTF-8 character at s, 0 if there is none (overlong, surrogate, beyond U+10FFFF, cut off, or
 * zero). */
static size_t utf8_character(const uint8_t *s, size_t left)
{
    if (s[0] && s[0] < 0x80) return 1;
    size_t n = s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;
    if (!n || left < n) return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

char *qc_get_text(QcCursor *c, QcArena *arena)
{
    uint32_t length = qc_get_count(c, 1);
    const uint8_t *text = take(c, length);
    if (!text) return NULL;
    for (size_t i = 0, n; i < length; i += n) {
        n = utf8_character(text + i, length - i);
        if (!n) {
            c->bad = 1;
            return NULL;
        }
    }
    char *copy = qc_arena_text(arena, (const char *)text, length, NULL);
    if (!copy) c->bad = QC_CURSOR_MEMORY;
    return copy;
}

/* Room in the arena for n values of `each` bytes that are there to be read; NULL and bad otherwise. Checks before it
 * allocates. */
static void *room_for(QcCursor *c, size_t n, size_t each, QcArena *arena, const uint8_t **from)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, each, &bytes) && !c->bad) c->bad = 1;
    *from = c->bad ? NULL : take(c, bytes);
    if (!*from) return NULL;
    void *room = qc_arena_take(arena, n, each, NULL);
    if (!room) c->bad = QC_CURSOR_MEMORY;
    return room;
}

uint8_t *qc_get_bytes(QcCursor *c, size_t n, QcArena *arena)
{
    const uint8_t *from;
    uint8_t *out = room_for(c, n, 1, arena, &from);
    if (out && n) memcpy(out, from, n);
    return out;
}

static uint32_t u32_at(const uint8_t *b)
{
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

float *qc_get_f32s(QcCursor *c, size_t n, QcArena *arena)
{
    const uint8_t *from;
    float *out = room_for(c, n, 4, arena, &from);
    for (size_t i = 0; out && i < n; i++) out[i] = bits_float(u32_at(from + 4 * i));
    return out;
}

int32_t *qc_get_i32s(QcCursor *c, size_t n, QcArena *arena)
{
    const uint8_t *from;
    int32_t *out = room_for(c, n, 4, arena, &from);
    for (size_t i = 0; out && i < n; i++) out[i] = (int32_t)u32_at(from + 4 * i);
    return out;
}

uint32_t *qc_get_u32s(QcCursor *c, size_t n, QcArena *arena)
{
    const uint8_t *from;
    uint32_t *out = room_for(c, n, 4, arena, &from);
    for (size_t i = 0; out && i < n; i++) out[i] = u32_at(from + 4 * i);
    return out;
}

uint64_t *qc_get_u64s(QcCursor *c, size_t n, QcArena *arena)
{
    const uint8_t *from;
    uint64_t *out = room_for(c, n, 8, arena, &from);
    for (size_t i = 0; out && i < n; i++) out[i] = u32_at(from + 8 * i) | (uint64_t)u32_at(from + 8 * i + 4) << 32;
    return out;
}

int qc_cursor_end(const QcCursor *c, const char *what, QcErr *err)
{
    if (c->bad == QC_CURSOR_MEMORY) return qc_fail_memory(err, what);
    if (c->bad) return qc_fail(err, QC_EFORMAT, "%s is truncated or malformed near byte %zu", what, c->at);
    if (c->at < c->length) return qc_fail(err, QC_EFORMAT, "%s has %zu bytes too many", what, c->length - c->at);
    return 0;
}
