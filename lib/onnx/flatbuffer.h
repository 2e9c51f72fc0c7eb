/* flatbuffer.h - the tables of a FlatBuffers file (flatbuffers.dev, "internals"), read in place. Not for other floors.
 *
 * A table starts with an offset to its vtable, which has the place of each field or 0 if the field has its default.
 * Every offset and length is checked against the file before a byte beyond it is read. What lies outside reads as
 * absent, 0 or empty and sets `bad`; qc_flat_end reports it once, so that readers are straight lines.
 */
#ifndef QC_ONNX_FLATBUFFER_H
#define QC_ONNX_FLATBUFFER_H

#include "../base/arena.h"

typedef struct QcFlat {
    const uint8_t *bytes; /* borrowed */
    size_t length; /* below 2^31 */
    int bad; /* an offset or a length leads out of the file */
} QcFlat;

typedef struct QcFlatTable { /* at = 0: absent, every field has its default */
    size_t at, vtable;
    uint32_t n_fields, size; /* size: bytes of the table itself */
} QcFlatTable;

typedef struct QcFlatVector { /* absent vectors have n = 0 */
    size_t at; /* of element 0 */
    uint32_t n;
} QcFlatVector;

/* The table that the file starts with; `identifier` are bytes 4 to 7. -1 with a sentence if they are others. */
int qc_flat_open(QcFlat *f, QcFlatTable *root, const uint8_t *bytes, size_t length, const char identifier[4],
                 QcErr *err);
/* -1 with a sentence if something lay outside the file. */
int qc_flat_end(const QcFlat *f, QcErr *err);

/* Field k of a table, in the order of the schema. */
int64_t qc_flat_int(QcFlat *f, QcFlatTable t, uint32_t k, int bytes, int64_t absent); /* 1, 4 or 8 bytes, signed */
float qc_flat_float(QcFlat *f, QcFlatTable t, uint32_t k, float absent);
QcFlatTable qc_flat_table(QcFlat *f, QcFlatTable t, uint32_t k);
QcFlatVector qc_flat_vector(QcFlat *f, QcFlatTable t, uint32_t k, uint32_t element_bytes);
/* A copy in the arena, up to the first zero byte; "" if absent. NULL if memory is out. */
char *qc_flat_text(QcFlat *f, QcFlatTable t, uint32_t k, QcArena *arena, QcErr *err);

/* Element i of a vector of such elements, i < n. */
int64_t qc_flat_int_at(const QcFlat *f, QcFlatVector v, uint32_t i, int bytes);
float qc_flat_float_at(const QcFlat *f, QcFlatVector v, uint32_t i);
QcFlatTable qc_flat_table_at(QcFlat *f, QcFlatVector v, uint32_t i);

#endif
