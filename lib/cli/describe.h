/* describe.h - what is in a file of ours and what a model needs memory for, put on a sheet: the whole of qc-info. */
#ifndef QC_CLI_DESCRIBE_H
#define QC_CLI_DESCRIBE_H

#include "../base/err.h"
#include "../live/memory.h"
#include "sheet.h"

/* Reads and checks the whole file first: nothing is put on the sheet of a file that is wrong. */
int qc_describe(QcSheet *s, const char *path, QcErr *err);

void qc_put_memory(QcSheet *s, const QcMemory *m);

#endif
