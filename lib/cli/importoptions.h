/* importoptions.h - the options of qc-import: common ones, rows of the importers (lib/data/importrows.h), options of
 * models. Help shows the common options, or the options of the format that is named; a command line may have any.
 */
#ifndef QC_CLI_IMPORTOPTIONS_H
#define QC_CLI_IMPORTOPTIONS_H

#include "../data/import.h"
#include "cli.h"

enum { QC_IMPORT_ROWS = 80 };

typedef struct QcImportTable {
    const QcImportRow *rows[QC_IMPORT_ROWS]; /* of importers, each once */
    const char *texts[QC_IMPORT_ROWS];       /* what was given for each */
    int flags[QC_IMPORT_ROWS], n_rows;
    int n_options;
    QcOption options[QC_IMPORT_ROWS + 32];   /* ends with {0} */
    char synopsis[2000];
} QcImportTable;

/* Makes the options for this command line; common and models end with {0}. */
void qc_importtable_make(QcImportTable *t, const QcOption *common, const QcOption *models, int argc, char **argv);

/* What was given of the importers' rows, into o; -1 with a sentence. */
int qc_importtable_read(const QcImportTable *t, QcImportOptions *o, QcErr *err);

/* Was any of the importers' rows given? */
int qc_importtable_given(const QcImportTable *t);

#endif
