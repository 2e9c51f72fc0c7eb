/* describe.h - the content of a file and the memory that a model needs, as keys and values: all of qc-info. */
#ifndef QC_CLI_DESCRIBE_H
#define QC_CLI_DESCRIBE_H

#include "../base/err.h"
#include "../live/memory.h"
#include "kvwriter.h"

/* Reads and checks the whole file first: of a wrong file nothing is printed. */
int qc_describe(QcKvWriter *s, const char *path, QcErr *err);

void qc_put_memory(QcKvWriter *s, const QcMemory *m);

#endif
