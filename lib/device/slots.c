#include "slots.h"

#include "../kernels/mem.h"
#include "qmath.h"

void qc_slots_place(QcSlots *slots, uint32_t capacity, uint32_t window, uint32_t features, QcPlacing *p)
{
    uint64_t n = capacity;
    *slots = (QcSlots){.capacity = capacity, .window = window, .features = features};
    slots->windows = qc_placing_take(p, n * window);
    slots->feature = qc_placing_take(p, n * features);
    slots->label = qc_placing_take(p, n * sizeof *slots->label);
    slots->misses = qc_placing_take(p, n * sizeof *slots->misses);
    slots->flags = qc_placing_take(p, n);
    slots->id = qc_placing_take(p, n * sizeof *slots->id);
}

void qc_slots_clear(QcSlots *slots)
{
    memset(slots->windows, 0, (size_t)slots->capacity * slots->window);
    memset(slots->feature, 0, (size_t)slots->capacity * slots->features);
    memset(slots->label, 0, slots->capacity * sizeof *slots->label);
    memset(slots->misses, 0, slots->capacity * sizeof *slots->misses);
    memset(slots->flags, QC_SLOT_EMPTY, slots->capacity);
    memset(slots->id, 0, slots->capacity * sizeof *slots->id);
}

static int open_to_stream(const QcSlots *slots, uint32_t s) { return !(slots->flags[s] & QC_SLOT_RESERVED); }

int qc_slots_hold(const QcSlots *slots, uint64_t id)
{
    for (uint32_t s = 0; s < slots->capacity; s++)
        if (!(slots->flags[s] & QC_SLOT_EMPTY) && slots->id[s] == id) return 1;
    return 0;
}

/* A batch and the state of its examples. */
typedef struct Incoming {
    const QcBatch *batch;
    const uint16_t *misses;
    const uint8_t *ever;
    uint64_t seen;
} Incoming;

static uint16_t incoming_label(const Incoming *in, uint32_t i) { return in->batch->labels[qc_batch_row(in->batch, i)]; }
static uint64_t incoming_id(const Incoming *in, uint32_t i) { return in->batch->ids[qc_batch_row(in->batch, i)]; }

/* Is example i of a batch kept already, or an earlier one of the batch? */
static int is_repeated(const QcSlots *slots, const Incoming *in, uint32_t i)
{
    for (uint32_t j = 0; j < i; j++)
        if (incoming_id(in, j) == incoming_id(in, i)) return 1;
    return qc_slots_hold(slots, incoming_id(in, i));
}

static void fill(QcSlots *slots, uint32_t s, const Incoming *in, uint32_t i)
{
    size_t row = qc_batch_row(in->batch, i);
    if (slots->window) memcpy(qc_slot_window(slots, s), in->batch->windows + row * slots->window, slots->window);
    if (slots->features)
        memcpy(qc_slot_features(slots, s), in->batch->features + row * slots->features, slots->features);
    slots->label[s] = in->batch->labels[row];
    slots->misses[s] = in->misses[i];
    slots->flags[s] = (uint8_t)(QC_SLOT_STREAM | (in->ever[i] ? 0 : QC_SLOT_NEVER_RIGHT));
    slots->id[s] = in->batch->ids[row];
}

static float weight_of(uint32_t misses, int never_right, QcUpdate rule)
{
    return rule == QC_UPDATE_RANDOM ? 1 : (float)misses + 0.1f + (never_right ? 0.5f : 0.0f);
}

/* Weighted drawing without replacement: the k smallest of E / weight, E exponential (Efraimidis and Spirakis, 2006). */
static float key(QcRng *rng, float weight)
{
    float u = (float)((qc_rng_next(rng) >> 41) + 1) * 0x1p-23f;
    return -qc_ln(u) / weight;
}

static float threshold(const float *keys, uint32_t n, uint32_t k, float never)
{
    /* the k-th smallest by rank: sets are small, so no sort is needed */
    for (uint32_t i = 0; i < n; i++) {
        uint32_t below = 0, equal = 0;
        if (keys[i] >= never) continue;
        for (uint32_t j = 0; j < n; j++) {
            below += (uint32_t)(keys[j] < keys[i]);
            equal += (uint32_t)(keys[j] == keys[i]);
        }
        if (below < k && below + equal >= k) return keys[i];
    }
    return never;
}

/* Candidate i (slots first, then the batch) is a source example in a slot that the stream may take. */
static int is_source(const QcSlots *slots, uint32_t i)
{
    return i < slots->capacity && !(slots->flags[i] & QC_SLOT_STREAM);
}

static float fraction(float key) { return key - (float)(uint32_t)key; }

/* Candidates are taken class by class: the first of each, then the second of each, ... Keys become the rank within the
 * class (source examples far behind stream examples) plus a fraction that keeps the order. */
static void rank_in_classes(const QcSlots *slots, const Incoming *in, float *keys, float never)
{
    uint32_t n = slots->capacity + in->batch->n;
    for (uint32_t i = 0; i < n; i++)
        if (keys[i] < never) keys[i] = keys[i] / (keys[i] + 1) * 0.999f;
    for (uint32_t i = 0; i < n; i++) {
        if (keys[i] >= never) continue;
        int source = is_source(slots, i);
        uint16_t label = i < slots->capacity ? slots->label[i] : incoming_label(in, i - slots->capacity);
        float rank = source ? 1000.0f : 0.0f;
        for (uint32_t j = 0; j < n; j++) {
            uint16_t other = j < slots->capacity ? slots->label[j] : incoming_label(in, j - slots->capacity);
            rank += keys[j] < never && other == label && is_source(slots, j) == source && fraction(keys[j]) < keys[i]
                        ? 1.0f
                        : 0.0f;
        }
        keys[i] += rank;
    }
}

static void update_by_weight(QcSlots *slots, const Incoming *in, QcUpdate rule, QcRng *rng, float *keys)
{
    const float never = 1e30f;
    uint32_t room = 0, n = slots->capacity + in->batch->n;
    for (uint32_t s = 0; s < slots->capacity; s++) {
        int open = open_to_stream(slots, s);
        room += (uint32_t)open;
        keys[s] = never;
        if (!open || (slots->flags[s] & QC_SLOT_EMPTY)) continue;
        keys[s] = key(rng, weight_of(slots->misses[s], slots->flags[s] & QC_SLOT_NEVER_RIGHT, rule));
    }
    for (uint32_t i = 0; i < in->batch->n; i++) {
        keys[slots->capacity + i] = never;
        if (is_repeated(slots, in, i)) continue;
        keys[slots->capacity + i] = key(rng, weight_of(in->misses[i], !in->ever[i], rule));
    }
    if (rule == QC_UPDATE_BALANCED) rank_in_classes(slots, in, keys, never);
    float limit = room ? threshold(keys, n, room, never) : -1.0f;
    for (uint32_t s = 0, i = 0; s < slots->capacity; s++) {
        if (!open_to_stream(slots, s) || (keys[s] <= limit && keys[s] < never)) continue;
        while (i < in->batch->n && (keys[slots->capacity + i] > limit || keys[slots->capacity + i] >= never)) i++;
        if (i == in->batch->n) continue; /* fewer candidates than room: the slot stays empty */
        fill(slots, s, in, i++);
    }
}

/* The k-th open slot, or if this is empty, the first open slot that is: the examples before k may have been repeated,
 * and no slot may stay empty before a filled one. */
static uint32_t open_slot(const QcSlots *slots, uint32_t k)
{
    uint32_t s = 0, first = 0;
    while (!open_to_stream(slots, s) || k-- > 0) s++;
    if (!(slots->flags[s] & QC_SLOT_EMPTY)) return s;
    while (!open_to_stream(slots, first) || !(slots->flags[first] & QC_SLOT_EMPTY)) first++;
    return first;
}

static void update_reservoir(QcSlots *slots, const Incoming *in, QcRng *rng)
{
    uint32_t room = 0;
    for (uint32_t s = 0; s < slots->capacity; s++) room += (uint32_t)open_to_stream(slots, s);
    for (uint32_t i = 0; room && i < in->batch->n; i++) {
        uint64_t seen = in->seen + i;
        if (qc_slots_hold(slots, incoming_id(in, i))) continue;
        uint32_t slot = seen < room ? (uint32_t)seen : qc_rng_below(rng, (uint32_t)seen + 1);
        if (slot < room) fill(slots, open_slot(slots, slot), in, i);
    }
}

void qc_slots_update(QcSlots *slots, const QcBatch *batch, const uint16_t *misses, const uint8_t *ever, uint64_t seen,
                     QcUpdate rule, QcRng *rng, float *keys)
{
    Incoming in = {batch, misses, ever, seen};
    if (rule == QC_UPDATE_RESERVOIR)
        update_reservoir(slots, &in, rng);
    else
        update_by_weight(slots, &in, rule, rng, keys);
}
