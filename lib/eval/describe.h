/* describe.h - what is in a file of ours, put on a sheet: the whole of qc-info. */
#ifndef QC_EVAL_DESCRIBE_H
#define QC_EVAL_DESCRIBE_H

#include "../base/err.h"
#include "../cli/sheet.h"

/* Reads and checks the whole file first: nothing is put on the sheet of a file that is wrong. */
int qc_describe(QcSheet *s, const char *path, QcErr *err);

#endif
