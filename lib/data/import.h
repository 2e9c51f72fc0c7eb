/* import.h - imports foreign recordings: one function for a path, one QcImporter per format.
 *
 * An importer fills a dataset in recording order, with labels, groups and ids that are the same whenever the same files
 * are imported. It refuses data that it cannot import whole (missing values, rows of unequal length), unless an option
 * says what to do, with a sentence that names file and line. What it concludes by itself it reports through `note`. The
 * result does not depend on o->jobs.
 *
 * An importer either fills a whole dataset (`import`: trees, arrays), or adds the series of one file to a list
 * (`gather`); of tables and of arrays, a folder of files can be imported (importfiles.c), and options about
 * windows, lengths, channels and pictures are carried out in one place (importfinish.c).
 */
#ifndef QC_DATA_IMPORT_H
#define QC_DATA_IMPORT_H

#include "dataset.h"
#include "importrows.h"

typedef enum QcHeader { QC_HEADER_FIND, QC_HEADER_NO, QC_HEADER_YES } QcHeader;
typedef enum QcUnequal {
    QC_UNEQUAL_REFUSE,
    QC_UNEQUAL_PAD /* with zeros at the end */,
    QC_UNEQUAL_RESAMPLE /* linearly */
} QcUnequal;
typedef enum QcMissing {
    QC_MISSING_REFUSE,
    QC_MISSING_FILL /* linearly between neighbours */,
    QC_MISSING_DROP /* the whole window */
} QcMissing;
typedef enum QcResize { QC_RESIZE_AREA, QC_RESIZE_BILINEAR } QcResize;
typedef enum QcTrust { QC_TRUST_BOTH, QC_TRUST_NAME, QC_TRUST_FIELD } QcTrust;
/* CHANGE: a change of label ends the recording; the others conclude a window's label from its samples' labels. */
typedef enum QcLabelRule {
    QC_LABEL_CHANGE,
    QC_LABEL_MAJORITY,
    QC_LABEL_LAST,
    QC_LABEL_PURE /* drop windows of two labels */
} QcLabelRule;

typedef struct QcImportOptions {
    const char *const *groups; /* only these; n_groups = 0: all */
    uint32_t n_groups;
    uint32_t jobs; /* threads that read files; 0 = 1 */
    int skip_bad; /* leave out single damaged files, and say how many */
    const char
        *name_pattern; /* "{label}_{group}_{recording}.csv": what the names of a folder's files say (namepattern.h) */
    const char *label_names; /* a file of lines "NUMBER NAME": names instead of class numbers */
    /* tables and arrays: names of columns (or numbers from 1) or of arrays */
    const char *label; /* "none" = unlabelled; NULL = concluded */
    const char *group, *recording, *time; /* NULL = concluded from names if that is certain; "none" */
    const char *window_id; /* column whose value is the same for all rows of a window: a row is then one step */
    const char *columns, *ignore; /* lists of columns with commas: the values, or what is ignored */
    QcHeader header;
    int decimal; /* 0 = point, 1 = comma */
    const char *values; /* arrays: the name of the windows' array; NULL = the usual */
    uint32_t channels; /* a row is [channels][length]; 0 = 1 */
    int channels_last; /* a row is [length][channels] */
    int features; /* every value of a row is a channel of its own */
    uint32_t image_height, image_width; /* a row is a picture of this size; 0 = it is none */
    /* series */
    QcUnequal unequal;
    QcMissing missing;
    uint32_t length; /* what unequal series are padded or resampled to; 0 = the longest */
    const char *window, *stride; /* recordings: "200" or "2s"; NULL = what is usual for the data, and stride = window */
    double rate; /* samples per second; 0 = what the data says */
    QcLabelRule label_rule;
    const char *segments; /* a file of lines "RECORDING GROUP LABEL FIRST LAST" */
    /* images */
    uint32_t height, width; /* 0 = 64 */
    QcResize resize;
    int crop, grey; /* crop: the largest part in the middle that has the shape asked for, else the whole is stretched */
    /* single formats */
    int type, big_endian; /* raw: QC_RAW_* (import_raw.c) */
    QcTrust trust; /* uschad: what counts where name and content of a file disagree */
    const char *lead; /* wfdb: one lead by its name; NULL = all */
    uint32_t indices; /* libsvm: the number of features; 0 = the highest index */
    const char *front_end; /* wav: "logmel:bands=40,frame=25ms,hop=10ms", or mfcc; NULL = samples (importfront.c) */
    int all_beats; /* wfdb: classes are the annotation's own codes, not AAMI's five */
    void (*progress)(void *ctx, uint64_t done, uint64_t total); /* NULL = none */
    void (*note)(void *ctx, int warning, const char *sentence); /* what was concluded or left out; NULL = none */
    void *ctx;
} QcImportOptions;

extern const QcImportOptions qc_import_defaults;

struct QcSeriesList;

typedef struct QcImporter {
    const char *name; /* for -f */
    const char *what; /* one line for -h */
    const QcImportRow *const *rows; /* the options that it takes besides jobs, groups and the like; ends with NULL */
    int (*recognises)(const char *path); /* 1: certainly this format */
    int (*import)(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err);
    int (*gather)(struct QcSeriesList *list, const char *path, const QcImportOptions *o,
                  QcErr *err); /* either this or import */
    int files; /* import: a folder of such files can be imported, too */
} QcImporter;

extern const QcImporter *const qc_importers[]; /* ends with NULL */

/* format: a name of the table, or NULL to find it out if that is certain. */
int qc_import(QcDataset *d, const char *format, const char *path, const QcImportOptions *o, QcErr *err);
const QcImporter *qc_importer_named(const char *format); /* NULL: there is none */

/* A sentence about what was concluded, or (warning) about what may be wrong. */
void qc_import_note(const QcImportOptions *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
void qc_import_warn(const QcImportOptions *o, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* 1 if o asks for all groups, or for this one. */
int qc_import_wants(const QcImportOptions *o, const char *group);
/* -1 with a sentence about the first group that was asked for and is not in the names. */
int qc_import_check_groups(const QcImportOptions *o, const QcNames *groups, const char *path, QcErr *err);
/* Takes examples of other groups out of the dataset. */
int qc_import_pick_groups(QcDataset *d, const QcImportOptions *o, const char *path, QcErr *err);
/* Classes in the order of their names (2 before 10), whatever example comes first. */
int qc_import_sort_labels(QcDataset *d, QcErr *err);

/* importfinish.c: list to dataset, by the options about windows, lengths, channels and pictures. */
int qc_import_finish(QcDataset *d, struct QcSeriesList *list, const QcImportOptions *o, QcErr *err);
/* And the part of it that is for all: pictures, names of classes. */
int qc_import_shape(QcDataset *d, const QcImportOptions *o, QcErr *err);
/* importfront.c: features of sound instead of its samples, if o asks for them. rate: samples per second. */
int qc_import_front(QcDataset *d, double rate, const QcImportOptions *o, QcErr *err);
/* importfiles.c: all files of a folder that the name pattern, or else the importer, takes. */
int qc_import_files(QcDataset *d, const QcImporter *i, const char *folder, const QcImportOptions *o, QcErr *err);

/* One per file: import_dsa.c, import_ts.c, ... */
extern const QcImporter qc_importer_dsa, qc_importer_uschad, qc_importer_ucihar, qc_importer_wisdm, qc_importer_pamap2,
    qc_importer_images, qc_importer_ts, qc_importer_npz, qc_importer_npy, qc_importer_arff, qc_importer_libsvm,
    qc_importer_wav, qc_importer_raw, qc_importer_wfdb, qc_importer_idx, qc_importer_mat, qc_importer_segments,
    qc_importer_tsv, qc_importer_csv;

#endif
