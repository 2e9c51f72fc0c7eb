/* reportinput.h - what the operand of qc-report is, by its content: the description of an experiment, a table of runs
 * (runtable.h), or a log of qc-run (livetrace.h). */
#ifndef QC_LAB_REPORTINPUT_H
#define QC_LAB_REPORTINPUT_H

#include "../base/err.h"

typedef enum QcReportInput { QC_INPUT_EXPERIMENT, QC_INPUT_RUNS, QC_INPUT_LIVE } QcReportInput;

/* path: of qc_reread_open, so that it can be read again. What is no text is taken for an experiment, whose reader says
 * what is wrong. */
QcReportInput qc_report_input(const char *path);

#endif
