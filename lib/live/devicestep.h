/* devicestep.h - the device's own step as a method: what product methods and their ablations share. */
#ifndef QC_LIVE_DEVICESTEP_H
#define QC_LIVE_DEVICESTEP_H

#include "method.h"

/* QcMethod.place and QcMethod.next of the device's step, by l->device. */
int qc_devicestep_place(QcMethodRun *l, QcErr *err);
int qc_devicestep_next(QcMethodRun *l, QcMethodReport *report, const QcMethodBatch *batch, QcErr *err);

#endif
