/* bytes.h - little-endian fields to and from bytes, for every section of our files.
 *
 * QcWriter grows; a failed allocation is kept and reported once by qc_writer_check. QcCursor is bounded: reading past
 * the end gives zeros and sets `bad`, reported once by qc_cursor_end, which also refuses bytes left over. So coders are
 * straight lines without a check after each field; counts are still bounded before they are used (qc_cursor_count).
 */
#ifndef QC_FORMAT_BYTES_H
#define QC_FORMAT_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "../base/arena.h"
#include "../base/err.h"

typedef struct QcWriter {
    uint8_t *bytes; /* malloc'd; the writer owns it */
    size_t length, room;
    int bad;
} QcWriter; /* all zero = empty and valid */

void qc_put_u8(QcWriter *w, uint8_t value);
void qc_put_u16(QcWriter *w, uint16_t value);
void qc_put_u32(QcWriter *w, uint32_t value);
void qc_put_u64(QcWriter *w, uint64_t value);
void qc_put_i32(QcWriter *w, int32_t value);
void qc_put_f32(QcWriter *w, float value);
void qc_put_text(QcWriter *w, const char *text); /* u32 length + UTF-8, no zero; NULL = empty */
void qc_put_bytes(QcWriter *w, const void *bytes, size_t length); /* no length in front */
void qc_put_f32s(QcWriter *w, const float *values, size_t n);
void qc_put_i32s(QcWriter *w, const int32_t *values, size_t n);
void qc_put_u32s(QcWriter *w, const uint32_t *values, size_t n);
void qc_put_u64s(QcWriter *w, const uint64_t *values, size_t n);
void qc_writer_reserve(QcWriter *w, size_t n); /* room for exactly n more bytes */
int qc_writer_check(const QcWriter *w, QcErr *err); /* -1: memory ran out */
void qc_writer_release(QcWriter *w);

typedef struct QcCursor {
    const uint8_t *bytes; /* borrowed */
    size_t length, at;
    int bad; /* a read went past the end, or (QC_CURSOR_MEMORY) memory ran out */
} QcCursor;
enum { QC_CURSOR_MEMORY = 2 };

uint8_t qc_get_u8(QcCursor *c);
uint16_t qc_get_u16(QcCursor *c);
uint32_t qc_get_u32(QcCursor *c);
uint64_t qc_get_u64(QcCursor *c);
int32_t qc_get_i32(QcCursor *c);
float qc_get_f32(QcCursor *c);
/* A count of items of at least `each` bytes: 0 and bad where that many cannot follow in the bytes that are left. */
uint32_t qc_get_count(QcCursor *c, size_t each);
/* Valid UTF-8 without zero bytes, copied into the arena; NULL (with bad) otherwise. */
char *qc_get_text(QcCursor *c, QcArena *arena);
/* n values copied into the arena; NULL (with bad) where they are not there. */
uint8_t *qc_get_bytes(QcCursor *c, size_t n, QcArena *arena);
float *qc_get_f32s(QcCursor *c, size_t n, QcArena *arena);
int32_t *qc_get_i32s(QcCursor *c, size_t n, QcArena *arena);
uint32_t *qc_get_u32s(QcCursor *c, size_t n, QcArena *arena);
uint64_t *qc_get_u64s(QcCursor *c, size_t n, QcArena *arena);
/* -1 with "what is truncated" or "what has N bytes too many" unless all was read and nothing was missing. */
int qc_cursor_end(const QcCursor *c, const char *what, QcErr *err);

#endif
