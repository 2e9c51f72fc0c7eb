/* slotfill.h - a coreset of a file becomes the device's slots: its windows as the model's input, in the order of the file. */
#ifndef QC_QUANT_SLOTFILL_H
#define QC_QUANT_SLOTFILL_H

#include "../device/slots.h"
#include "qinput.h"

/* slots: empty, of the coreset's capacity at least and the model's window. All examples of the coreset are labelled. */
int qc_slots_fill(QcSlots *slots, const QcInputs *coreset, QcErr *err);

#endif
