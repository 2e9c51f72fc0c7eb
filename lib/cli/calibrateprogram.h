/* calibrateprogram.h - the program that runs a calibration session: qc-calibrate with the product's methods, qc-rival
 * with all that lib/lab has. */
#ifndef QC_CLI_CALIBRATEPROGRAM_H
#define QC_CLI_CALIBRATEPROGRAM_H

#include "../live/method.h"
#include "cli.h"

extern const QcOption qc_calibrate_options[]; /* for QC_OPTIONS_MORE: all but --method, --set and --threads */

typedef struct QcCalibrateProgram {
    const QcProgram *program;
    const QcMethod *const *methods; /* the methods it runs, then NULL */
    const char *const *method;      /* where its table stores --method; NULL there: by the model */
    const QcList *settings;         /* where its table stores --set; NULL: it has no such option */
    const int64_t *threads;         /* where its table stores --threads; NULL: it has no such option */
} QcCalibrateProgram;

/* Parses the command line, runs the session, prints its figures; returns the exit status. */
int qc_calibrate_main(const QcCalibrateProgram *p, int argc, char **argv);

#endif
