/* deviceoptions.h - --tune, the parameters of the on-device learner (device/parameters.h), as programs share it. */
#ifndef QC_CLI_DEVICEOPTIONS_H
#define QC_CLI_DEVICEOPTIONS_H

#include "../device/parameters.h"
#include "cli.h"

extern QcList qc_deviceoptions_list; /* the NAME=VALUE texts given */

#define QC_OPTION_TUNE                                                                                                 \
    {                                                                                                                  \
        0, "tune", QC_OPTION_LIST, &qc_deviceoptions_list, "NAME=VALUE",                                               \
            "parameter of the learner; --tune help lists them", 0, 0                                                   \
    }

/* After qc_cli_parse: for "--tune help" prints the table of parameters and exits. QC_EUSAGE: a text that names no
 * parameter, or is out of range. */
int qc_deviceoptions_check(QcErr *err);

/* Warns of every --tune text whose value is not the value in `used`: the method sets this parameter itself. */
void qc_deviceoptions_warn_replaced(const char *method, const QcParameters *used);

/* Warns of every parameter given to a method that is not on the device; keeps_slots: the method fills the coreset by a
 * rule of its own, so `update` is ignored, too. */
void qc_deviceoptions_warn_ignored(const char *method, int keeps_slots);

#endif
