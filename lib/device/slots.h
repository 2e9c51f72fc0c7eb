/* slots.h - the coreset on the device: a fixed number of slots, of which the reserved ones keep their source examples for ever.
 *
 * Windows are kept as the model's quantized input (u8). Slots are sorted by nothing; an empty slot has flags QC_SLOT_EMPTY. After each batch the slots
 * that are not reserved are filled anew from what they held and the batch: drawn without replacement by weight.
 */
#ifndef QC_DEVICE_SLOTS_H
#define QC_DEVICE_SLOTS_H

#include <stdint.h>

#include "../base/rng.h"
#include "placing.h"

enum { QC_SLOT_RESERVED = 1, QC_SLOT_NEVER_RIGHT = 2, QC_SLOT_STREAM = 4, QC_SLOT_EMPTY = 128 }; /* the first three as in data files */

typedef struct QcSlots {
    uint32_t capacity, window; /* slots; bytes of one window */
    uint8_t *x;                /* [capacity][window] */
    uint16_t *label;           /* [capacity] */
    uint16_t *misses;          /* [capacity] */
    uint8_t *flags;            /* [capacity] QC_SLOT_* */
    uint64_t *id;              /* [capacity] of the example */
} QcSlots;

void qc_slots_place(QcSlots *slots, uint32_t capacity, uint32_t window, QcPlacing *p);
void qc_slots_clear(QcSlots *slots); /* all empty, all bytes known: they are saved with the others */

/* 1 where the example is in a slot: a stream may bring it again, or one that the source had, and it is kept once. */
int qc_slots_hold(const QcSlots *slots, uint64_t id);

typedef enum QcUpdate {
    QC_UPDATE_MISSES,    /* weight misses + 0.1 + 0.5 [never right] */
    QC_UPDATE_BALANCED,  /* the same within a class; of every class as many as of any other, stream examples first */
    QC_UPDATE_RANDOM,    /* equal weights */
    QC_UPDATE_RESERVOIR, /* each stream example ever seen with equal probability (Vitter, 1985) */
    QC_UPDATE_COUNT
} QcUpdate;

/* The examples of one batch as candidates. */
typedef struct QcArrivals {
    uint32_t n;
    const uint8_t *x;       /* [n][window] */
    const uint16_t *label;  /* [n] */
    const uint64_t *id;     /* [n] */
    const uint16_t *misses; /* [n] */
    const uint8_t *ever;    /* [n] 1: was right at least once */
    uint64_t seen;          /* stream examples before this batch (reservoir) */
} QcArrivals;

/* keys: room for capacity + n floats. */
void qc_slots_update(QcSlots *slots, const QcArrivals *batch, QcUpdate rule, QcRng *rng, float *keys);

#endif
