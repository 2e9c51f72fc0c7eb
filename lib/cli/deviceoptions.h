/* deviceoptions.h - what can be set of the step on the device (device/calibrate.h): options that programs share, and their defaults. */
#ifndef QC_CLI_DEVICEOPTIONS_H
#define QC_CLI_DEVICEOPTIONS_H

#include "../device/calibrate.h"
#include "cli.h"

extern const QcOption qc_device_options[]; /* for QC_OPTIONS_MORE */

/* After qc_cli_parse: what they say. Figures that go by the model's bits may be as qc_calibrate_complete wants them. QC_EUSAGE: --choose or --update is no such word. */
int qc_device_options_read(QcCalibrateOptions *o, uint64_t seed, QcErr *err);

#endif
