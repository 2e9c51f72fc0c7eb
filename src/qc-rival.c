/* qc-rival - qc-calibrate with rival methods and ablations, to compare them on the same model, coreset and stream. */
#include "../lib/cli/calibrateprogram.h"
#include "../lib/lab/rivaltable.h"

static const char *method;
static QcList settings;
static int64_t threads;

static const QcOption options[] = {
    {'m', "method", QC_OPTION_TEXT, &method, "NAME",
     "labels, pseudo, t3a, oftta, lame, propagate, daelm-s, daelm-t, flip-random, flip-greedy, bn, head, bn+head, "
     "proto, spsa, refit, er, er-ace, der, der++, a-gem, camel, deepc; qcore, closed, none",
     0, 0},
    {0, "set", QC_OPTION_LIST, &settings, "NAME=VALUE", "setting of the method; repeatable", 0, 0},
    {0, "threads", QC_OPTION_INT, &threads, "N", "threads of methods with back-propagation; 0 = 1", 0, 256},
    QC_OPTIONS_MORE(qc_calibrate_options, NULL),
};

static const QcProgram program = {
    "qc-rival", "calibrate a quantized model by a rival method, for comparison",
    "[-m METHOD] -c CORESET -s STREAM [-s STREAM]... [-t TEST]... [-C FILE] [-o FILE] [MODEL]", options, 1};

int main(int argc, char **argv)
{
    return qc_calibrate_main(&(QcCalibrateProgram){&program, qc_rival_table, &method, &settings, &threads}, argc,
                             argv);
}
