#include "labelsonly.h"

#include "methodtable.h"

int qc_labels_only_open(QcMethodRun *to, const QcMethodRun *beside, QcQGraph *g, QcErr *err)
{
    const QcSlots *slots = beside->slots;
    *to = (QcMethodRun){.method = &qc_method_closed,
                        .g = g,
                        .kernels = beside->kernels,
                        .parameters = beside->parameters,
                        .seed = beside->seed,
                        .source = beside->source,
                        .capacity = beside->capacity,
                        .batch_max = beside->batch_max};
    to->parameters.guess_weight = 0;
    if (qc_method_place(to, err)) return -1;
    for (uint32_t s = 0; s < slots->capacity; s++)
        if (!(slots->flags[s] & QC_SLOT_EMPTY))
            qc_method_fill(to, s, qc_slot_window(slots, s), slots->label[s], slots->misses[s], slots->flags[s],
                           slots->id[s]);
    return qc_method_open(to, err);
}

int qc_labels_only_learn(QcMethodRun *to, const QcBatch *batch, QcErr *err)
{
    QcMethodReport report;
    for (uint32_t i = 0; i < batch->n; i++)
        qc_method_observe(to, batch->windows + (size_t)i * to->window, batch->labels[i], batch->ids[i]);
    return qc_method_next(to, &report, NULL, NULL, err);
}
