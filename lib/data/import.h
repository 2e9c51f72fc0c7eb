/* import.h - foreign recordings in: one function for whoever has a path, one table row for each format.
 *
 * An importer fills a dataset in recording order, with labels, groups and ids that are the same whenever the same files are
 * imported. It refuses what it cannot carry over whole (values that are missing or not finite, rows of unequal length) with a
 * sentence that names file and line.
 */
#ifndef QC_DATA_IMPORT_H
#define QC_DATA_IMPORT_H

#include "dataset.h"

typedef struct QcImportOptions {
    const char *const *groups; /* only these; n_groups = 0: all */
    uint32_t n_groups;
    uint32_t channels;         /* CSV: a row is [channels][length]; 0 = 1 */
    const char *label;         /* CSV: column by name or number from 1; "none" = unlabelled; NULL = the last one */
    const char *group;         /* CSV: column of the group's name; NULL = none */
    const char *recording;     /* CSV: column of the recording's name; NULL = none */
    int header;                /* CSV: the first row has names: 1 yes, 0 no, -1 found out */
    void (*progress)(void *ctx, uint64_t done, uint64_t total); /* NULL = nobody */
    void *ctx;
} QcImportOptions;

extern const QcImportOptions qc_import_defaults;

typedef struct QcImporter {
    const char *name; /* for -f */
    const char *what; /* one line for humans */
    int takes_groups, takes_columns;
    int (*recognises)(const char *path); /* 1: certainly this format */
    int (*import)(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err);
} QcImporter;

extern const QcImporter qc_importers[]; /* ends with a NULL name */

/* format: a name of the table, or NULL to find it out where that is certain. */
int qc_import(QcDataset *d, const char *format, const char *path, const QcImportOptions *o, QcErr *err);

/* The rows of the table, one a file: import_dsa.c, import_ts.c, import_csv.c. */
int qc_import_dsa(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err);
int qc_recognise_dsa(const char *path);
int qc_import_ts(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err);
int qc_recognise_ts(const char *path);
int qc_import_csv(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err);
int qc_recognise_csv(const char *path);

#endif
