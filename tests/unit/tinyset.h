/* tinyset.h - the set that a calibration of a tiny graph learns from, kept aside, and the loss on it by the formulas of calibrate.h, with libm. Include behind tiny.h. */
#ifndef QC_TESTS_TINYSET_H
#define QC_TESTS_TINYSET_H

#include "../../lib/device/calibrate.h"

enum { TINYSET_MOST = 32 };

typedef struct TinySet {
    uint32_t n, slots;
    uint8_t x[TINYSET_MOST][TINY_VALUES];
    uint16_t label[TINYSET_MOST];
} TinySet;

static inline void tinyset_add(TinySet *z, const uint8_t *x, uint16_t label)
{
    ck_assert_uint_lt(z->n, TINYSET_MOST);
    memcpy(z->x[z->n], x, TINY_VALUES);
    z->label[z->n++] = label;
}

/* Filled slots, then the batch. */
static inline void tinyset_keep(TinySet *z, const QcSlots *s, const uint8_t *x, const uint16_t *labels, uint32_t n)
{
    z->n = 0;
    for (uint32_t i = 0; i < s->capacity; i++)
        if (!(s->flags[i] & QC_SLOT_EMPTY)) tinyset_add(z, s->x + i * TINY_VALUES, s->label[i]);
    z->slots = z->n;
    for (uint32_t i = 0; i < n; i++) tinyset_add(z, x + i * TINY_VALUES, labels[i]);
}

/* Of the graph as it is: classes balanced, and the batch's class frequencies taken out but where it has so few classes that the last layer is solved. right: of the batch. */
static inline double tinyset_loss(const TinySet *z, QcQRun *run, const QcCalibrateOptions *o, uint32_t *right)
{
    double loss = 0, of_class[TINY_CLASSES] = {0}, in_batch[TINY_CLASSES] = {0}, present = 0, most = 0, batch_classes = 0;
    for (uint32_t i = 0; i < z->n; i++) {
        present += of_class[z->label[i]]++ == 0;
        if (i < z->slots) continue;
        batch_classes += in_batch[z->label[i]] == 0;
        most = fmax(most, ++in_batch[z->label[i]]);
    }
    const int prior = o->prior >= 0 && batch_classes > (double)o->scarce * TINY_CLASSES;
    *right = 0;
    for (uint32_t i = 0; i < z->n; i++) {
        float y[TINY_CLASSES];
        double sum = 0, own = 0, weight = (1 - (double)o->balance) / z->n + (double)o->balance / (present * of_class[z->label[i]]);
        uint32_t best = 0;
        qc_qrun_forward(run, y, z->x[i]);
        for (uint32_t k = 0; k < TINY_CLASSES; k++) {
            double offset = i < z->slots || !prior ? 0 : log((in_batch[k] + (double)o->prior + 1e-9) / (most + (double)o->prior));
            sum += exp((double)y[k] + offset);
            if (k == z->label[i]) own = (double)y[k] + offset;
            if (y[k] > y[best]) best = k;
        }
        loss += (log(sum) - own) * weight;
        if (i >= z->slots) *right += best == z->label[i];
    }
    return loss;
}

#endif
