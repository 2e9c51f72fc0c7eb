/* flatwrite.h - a FlatBuffers file, written forwards: a table first, what its fields lead to later. Not for other
 * floors.
 *
 * Places are bytes from the start of the file. Every table has a vtable of its own. A failure (only memory can be out)
 * is remembered in `bad` and reported once, at the end.
 */
#ifndef QC_ONNX_FLATWRITE_H
#define QC_ONNX_FLATWRITE_H

#include <stddef.h>
#include <stdint.h>

typedef struct QcFlatOut {
    uint8_t *bytes; /* [n] malloc'd; the caller's at the end */
    size_t n, room;
    int bad;
} QcFlatOut; /* all zero = empty */

typedef struct QcFlatField {
    uint8_t bytes; /* 1 or 4; 0: the field has its default */
    int32_t value; /* of an offset: 0, until qc_flatout_link */
    size_t at; /* out: its place */
} QcFlatField;

void qc_flatout_start(QcFlatOut *f, const char identifier[4]); /* the root's offset is at 0 */
size_t qc_flatout_table(QcFlatOut *f, QcFlatField *fields, uint32_t n); /* its place */
void qc_flatout_link(QcFlatOut *f, size_t at, size_t target); /* the offset at `at` leads to the target */

/* Vectors, whose place they return. Bytes start at a multiple of 16. */
size_t qc_flatout_bytes(QcFlatOut *f, const void *data, size_t n);
size_t qc_flatout_ints(QcFlatOut *f, const int64_t *values, uint32_t n, int bytes); /* 4 or 8 each */
size_t qc_flatout_floats(QcFlatOut *f, const float *values, uint32_t n);
size_t qc_flatout_text(QcFlatOut *f, const char *text);
size_t qc_flatout_offsets(QcFlatOut *f, uint32_t n); /* element i is at the place + 4 + 4 i */

#endif
