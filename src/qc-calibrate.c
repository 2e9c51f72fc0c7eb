/* qc-calibrate - a quantized model is calibrated on a labelled stream, as the device does it: by forward passes
 * only. */
#include "../lib/cli/calibrateprogram.h"
#include "../lib/live/methodtable.h"

static const char *method;

static const QcOption options[] = {
    {'m', "method", QC_OPTION_TEXT, &method, "NAME", "qcore, closed or none; else by the model", 0, 0},
    QC_OPTIONS_MORE(qc_calibrate_options, NULL),
};

static const QcProgram program = {
    "qc-calibrate", "calibrate a quantized model on a labelled stream with forward passes only",
    "-c CORESET -s STREAM [-s STREAM]... [-t TEST]... [-C FILE] [-o FILE] [MODEL]", options, 1};

int main(int argc, char **argv)
{
    return qc_calibrate_main(&(QcCalibrateProgram){&program, qc_method_table, &method, NULL, NULL}, argc, argv);
}
