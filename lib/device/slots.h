/* slots.h - examples that a learner keeps: the coreset, whose reserved slots hold their source examples permanently,
 * and the ring of windows that wait for a label. Both are QcSlots.
 *
 * An example is kept as its features (what the last layer reads), as its quantized window, or as both: flips change the
 * features and need the window. Slots have no order; an empty slot has flags QC_SLOT_EMPTY. After each batch the slots
 * that are not reserved are filled anew from what they held and the batch: weighted sampling without replacement.
 */
#ifndef QC_DEVICE_SLOTS_H
#define QC_DEVICE_SLOTS_H

#include <stdint.h>

#include "../base/rng.h"
#include "placing.h"

/* the first three as in data files */
enum { QC_SLOT_RESERVED = 1, QC_SLOT_NEVER_RIGHT = 2, QC_SLOT_STREAM = 4, QC_SLOT_EMPTY = 128 };

typedef struct QcSlots {
    uint32_t capacity, window, features; /* slots; bytes of one window and of its features, 0: not kept */
    uint8_t *windows;  /* [capacity][window] */
    uint8_t *feature;  /* [capacity][features] */
    uint16_t *label;   /* [capacity] */
    uint16_t *misses;  /* [capacity] */
    uint8_t *flags;    /* [capacity] QC_SLOT_* */
    uint64_t *id;      /* [capacity] of the example */
} QcSlots;

void qc_slots_place(QcSlots *slots, uint32_t capacity, uint32_t window, uint32_t features, QcPlacing *p);
void qc_slots_clear(QcSlots *slots); /* all empty, all bytes known: they are saved with the others */

static inline uint8_t *qc_slot_window(const QcSlots *s, uint32_t i) { return s->windows + (size_t)i * s->window; }
static inline uint8_t *qc_slot_features(const QcSlots *s, uint32_t i) { return s->feature + (size_t)i * s->features; }

/* 1 if the example is in a slot: a stream may repeat it, or repeat an example of the source, and it is kept
 * once. */
int qc_slots_hold(const QcSlots *slots, uint64_t id);

typedef enum QcUpdate {
    QC_UPDATE_MISSES,    /* weight misses + 0.1 + 0.5 [never right] */
    QC_UPDATE_BALANCED,  /* the same within a class; the same number of each class, up to 1000 stream examples first */
    QC_UPDATE_RANDOM,    /* equal weights */
    QC_UPDATE_RESERVOIR, /* each stream example ever seen with equal probability (Vitter, 1985) */
    QC_UPDATE_COUNT
} QcUpdate;

/* Labelled examples that come together. Arrays have a row per example; an example's row is row[i], or i where row is
 * NULL. */
typedef struct QcBatch {
    uint32_t n;
    const uint32_t *row;     /* [n] or NULL */
    const uint8_t *windows;  /* [][window] u8, or NULL if features are enough */
    const uint8_t *features; /* [][features] u8, or NULL */
    const uint16_t *labels;  /* [] < classes */
    const uint64_t *ids;     /* [] */
} QcBatch;

static inline uint32_t qc_batch_row(const QcBatch *b, uint32_t i) { return b->row ? b->row[i] : i; }

/* misses, ever (1: was right at least once) [n]; seen: stream examples before this batch (reservoir). keys: scratch for
 * capacity + n floats. */
void qc_slots_update(QcSlots *slots, const QcBatch *batch, const uint16_t *misses, const uint8_t *ever, uint64_t seen,
                     QcUpdate rule, QcRng *rng, float *keys);

#endif
