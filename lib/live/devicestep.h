/* devicestep.h - the on-device learner as a method: what the product's methods and their ablations share. */
#ifndef QC_LIVE_DEVICESTEP_H
#define QC_LIVE_DEVICESTEP_H

#include "method.h"

/* Places the learner by l->parameters and l->score; l->flip NULL: without flips. */
int qc_devicestep_place(QcMethodRun *l, QcErr *err);
QcLearner *qc_devicestep_learner(const QcMethodRun *l); /* once it is placed */

/* 1 if a slot of the coreset has the features of this window. */
int qc_devicestep_has(const QcMethodRun *l, uint32_t slot, const uint8_t *window);

/* QcMethod.observe, .fill and .next of the learner. */
void qc_devicestep_observe(QcMethodRun *l, const uint8_t *window, int32_t label, uint64_t id);
void qc_devicestep_fill(QcMethodRun *l, uint32_t slot, const uint8_t *window, uint16_t label, uint16_t misses,
                        uint8_t flags, uint64_t id);
int qc_devicestep_next(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err);

/* The members that are the same in all methods on the device. */
#define QC_DEVICESTEP \
    .on_device = 1, .observe = qc_devicestep_observe, .fill = qc_devicestep_fill, .next = qc_devicestep_next

#endif
