/* import.h - foreign recordings in: one function for whoever has a path, one table row for each format.
 *
 * An importer fills a dataset in recording order, with labels, groups and ids that are the same whenever the same files are
 * imported. It refuses what it cannot carry over whole (values that are missing or not finite, rows of unequal length), unless an
 * option says what to do, with a sentence that names file and line. The result does not depend on o->jobs.
 */
#ifndef QC_DATA_IMPORT_H
#define QC_DATA_IMPORT_H

#include "dataset.h"

typedef enum QcUnequal { QC_UNEQUAL_REFUSE, QC_UNEQUAL_PAD /* with zeros at the end */, QC_UNEQUAL_RESAMPLE /* linearly */ } QcUnequal;
typedef enum QcMissing { QC_MISSING_REFUSE, QC_MISSING_FILL /* linearly between neighbours */, QC_MISSING_DROP /* the whole window */ } QcMissing;
typedef enum QcResize { QC_RESIZE_AREA, QC_RESIZE_BILINEAR } QcResize;

typedef struct QcImportOptions {
    const char *const *groups; /* only these; n_groups = 0: all */
    uint32_t n_groups;
    uint32_t jobs;             /* threads that read files; 0 = 1 */
    /* tables and arrays: names of columns (or numbers from 1) or of arrays */
    uint32_t channels;         /* a row is [channels][length]; 0 = 1 */
    const char *label;         /* "none" = unlabelled; NULL = what is usual in the format */
    const char *group;         /* column of the group's name; NULL = none */
    const char *recording;     /* column of the recording's name; NULL = none */
    const char *window_id;     /* column whose value is the same for all rows of a window: a row is then one step; NULL = a row is a window */
    int header;                /* the first row has names: 1 yes, 0 no, -1 found out */
    const char *values;        /* arrays: the name of that with the windows; NULL = the usual */
    int channels_last;         /* arrays: [n][length][channels], not [n][channels][length] */
    /* series */
    QcUnequal unequal;
    QcMissing missing;
    uint32_t length;           /* what unequal series are padded or resampled to; 0 = the longest */
    const char *window, *stride; /* recordings: "200" or "2s"; NULL = what is usual for the data, and stride = window */
    /* images */
    uint32_t height, width;    /* 0 = 64 */
    QcResize resize;
    int crop, grey;            /* crop: the largest part in the middle that has the shape asked for, else the whole is stretched */
    void (*progress)(void *ctx, uint64_t done, uint64_t total); /* NULL = nobody */
    void *ctx;
} QcImportOptions;

extern const QcImportOptions qc_import_defaults;

/* Which options a format takes, besides jobs and progress. */
enum { QC_TAKES_GROUPS = 1, QC_TAKES_COLUMNS = 2, QC_TAKES_HEADER = 4, QC_TAKES_CUT = 8, QC_TAKES_UNEQUAL = 16, QC_TAKES_MISSING = 32, QC_TAKES_IMAGES = 64,
       QC_TAKES_ARRAYS = 128, QC_TAKES_CHANNELS = 256, QC_TAKES_LABEL = 512 };

typedef struct QcImporter {
    const char *name; /* for -f */
    const char *what; /* one line for humans */
    unsigned takes;   /* QC_TAKES_* */
    int (*recognises)(const char *path); /* 1: certainly this format */
    int (*import)(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err);
} QcImporter;

extern const QcImporter qc_importers[]; /* ends with a NULL name */

/* format: a name of the table, or NULL to find it out where that is certain. */
int qc_import(QcDataset *d, const char *format, const char *path, const QcImportOptions *o, QcErr *err);

/* 1 where o asks for all groups, or for this one. */
int qc_import_wants(const QcImportOptions *o, const char *group);
/* -1 with a sentence about the first group that was asked for and is not in the names. */
int qc_import_check_groups(const QcImportOptions *o, const QcNames *groups, const char *path, QcErr *err);

/* Classes in the order of their names (2 before 10), whatever example comes first. */
int qc_import_sort_labels(QcDataset *d, QcErr *err);

/* The rows of the table, one a file: import_dsa.c, import_ts.c, ... */
int qc_import_dsa(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err);
int qc_recognise_dsa(const char *path);
int qc_import_uschad(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err);
int qc_recognise_uschad(const char *path);
int qc_import_ts(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err);
int qc_recognise_ts(const char *path);
int qc_import_csv(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err);
int qc_recognise_csv(const char *path);
int qc_import_tsv(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err);
int qc_recognise_tsv(const char *path);
int qc_import_ucihar(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err);
int qc_recognise_ucihar(const char *path);
int qc_import_wisdm(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err);
int qc_recognise_wisdm(const char *path);
int qc_import_pamap2(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err);
int qc_recognise_pamap2(const char *path);
int qc_import_images(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err);
int qc_recognise_images(const char *path);
int qc_import_npz(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err);
int qc_recognise_npz(const char *path);
int qc_import_npy(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err);
int qc_recognise_npy(const char *path);
int qc_import_arff(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err);
int qc_recognise_arff(const char *path);

#endif
