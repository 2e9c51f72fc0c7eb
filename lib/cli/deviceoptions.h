/* deviceoptions.h - what can be set of the step on the device (device/calibrate.h): options that programs share, and their defaults. */
#ifndef QC_CLI_DEVICEOPTIONS_H
#define QC_CLI_DEVICEOPTIONS_H

#include "../device/calibrate.h"
#include "cli.h"

extern const QcOption qc_device_options[]; /* for QC_OPTIONS_MORE */

/* After qc_cli_parse: what they say, to be completed once the model's bits are known (qc_calibrate_complete). QC_EUSAGE: --update is no such word. */
int qc_device_options_read(QcCalibrateOptions *o, uint64_t seed, QcErr *err);

/* Warns of those that were given, for a method that is not of the device; keeps_slots: it fills the coreset by a rule of its own, and does without --update, too. */
void qc_device_options_in_vain(const char *method, int keeps_slots);

#endif
