#include "slotfill.h"

int qc_slots_fill(QcSlots *slots, const QcInputs *coreset, QcErr *err)
{
    const QcDataset *d = &coreset->data;
    for (uint32_t i = 0; i < d->n; i++) {
        if (qc_inputs_read(coreset, slots->x + (size_t)i * slots->window, i, err)) return -1;
        slots->label[i] = (uint16_t)coreset->label[i];
        slots->misses[i] = (uint16_t)(d->misses[i] < UINT16_MAX ? d->misses[i] : UINT16_MAX);
        slots->flags[i] = d->flags[i] & (QC_SLOT_RESERVED | QC_SLOT_NEVER_RIGHT | QC_SLOT_STREAM);
        slots->id[i] = d->id[i];
    }
    return 0;
}
