/* choicetable.h - how a coreset represents its data, as qc-coreset prints it on standard output. */
#ifndef QC_CLI_CHOICETABLE_H
#define QC_CLI_CHOICETABLE_H

#include "../coreset/choose.h"

/* json: one object on one line; else a table with a header, a row per class and per level of misses. */
void qc_print_choice(const QcChooseReport *r, const QcDataset *coreset, const QcDataset *data, int json);

#endif
