/* memory.h - what a quantized model, a prediction and a calibration need memory for: --memory of qc-info and
 * qc-calibrate. The numbers come from the walks that place the memory (device/placing.h).
 */
#ifndef QC_LIVE_MEMORY_H
#define QC_LIVE_MEMORY_H

#include "session.h"

typedef struct QcMemory {
    QcPlan model, inference;    /* inference: of one thread */
    QcPlan calibration, batch;  /* calibration: its own forward pass included; both empty if there is none */
} QcMemory;

/* Of a model in a file; a calibration by the device's own step with that many slots and examples in a batch, where the
 * model has a bit-flip network. */
int qc_memory_of_model(QcMemory *m, const char *path, uint32_t slots, uint32_t batch, QcErr *err);
/* Of a session that is open. */
void qc_memory_of_session(QcMemory *m, const QcSession *s);

#endif
