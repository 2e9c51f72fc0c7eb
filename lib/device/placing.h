/* placing.h - how device objects are laid out in memory that the caller gives: the same walk counts the bytes (memory = NULL) and hands out the pieces. */
#ifndef QC_DEVICE_PLACING_H
#define QC_DEVICE_PLACING_H

#include <stddef.h>
#include <stdint.h>

enum { QC_PLACING_ALIGN = 64 };

typedef struct QcPlacing {
    uint8_t *memory; /* NULL: count only */
    uint64_t used; /* 64 bits: whoever counts must see that it is too much */
} QcPlacing;

static inline void *qc_placing_take(QcPlacing *p, size_t bytes)
{
    void *piece = p->memory ? p->memory + p->used : NULL;
    p->used += ((uint64_t)bytes + QC_PLACING_ALIGN - 1) / QC_PLACING_ALIGN * QC_PLACING_ALIGN;
    return piece;
}

#endif
