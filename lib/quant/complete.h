/* complete.h - parameters of the device's step whose defaults depend on the model's bits. */
#ifndef QC_QUANT_COMPLETE_H
#define QC_QUANT_COMPLETE_H

#include "../device/calibrate.h"

/* Puts those of qc_calibrate_defaults in the place of phi0, cap and phi_max of 0, and of by_layer and temper below 0. */
void qc_calibrate_complete(QcCalibrateOptions *o, int bits);

#endif
