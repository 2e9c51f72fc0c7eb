/* dataset.h - examples in memory and in data files (.qcd): windows x channels x height x length, with names for
 * everything.
 *
 * One arena owns all. Values are in the recording's own units, never normalized: the normalization belongs to the model
 * (QcNorm) and is applied when a batch is made. `id` names an example for life: it survives subset, split, save and
 * load, and is unique within a dataset. Order is the order of recording (block splits and streams rely on it). A
 * coreset is a dataset with capacity > 0: it then has misses and flags.
 */
#ifndef QC_DATA_DATASET_H
#define QC_DATA_DATASET_H

#include "../base/file.h"
#include "../base/nametable.h"
#include "../format/modelfile.h"

#define QC_VALUE_MAX 1e30f /* no measurement is larger; keeps sums and normalization finite */

enum { QC_EXAMPLE_RESERVED = 1,    /* coreset: a source slot that stream examples never take */
       QC_EXAMPLE_NEVER_RIGHT = 2, /* coreset: not once classified right */
       QC_EXAMPLE_STREAM = 4 };    /* coreset: came from a stream */

typedef struct QcNames {
    uint32_t n;
    char **names;      /* [n] unique, UTF-8 */
    QcNameTable table; /* of the first table.n names */
} QcNames;

typedef struct QcDataset {
    QcArena arena;
    uint32_t n, channels, height, length; /* height 1 for series */
    float *x;            /* [n][channels][height][length], finite, |x| <= QC_VALUE_MAX; NULL: they stay in the file
                            (qc_dataset_open) */
    QcPieces *file;      /* that file, and where in it the values begin */
    uint64_t at;
    int32_t *label;      /* [n] index into labels, -1 = unlabelled */
    uint64_t *id;        /* [n] unique */
    uint32_t *group;     /* [n] index into groups: the person, machine, camera */
    uint32_t *recording; /* [n] index into recordings: one uninterrupted recording */
    QcNames labels, groups, recordings;
    uint32_t capacity;   /* > 0: this is a coreset, n <= capacity */
    uint32_t *misses;    /* [n] quantization misses; NULL when capacity == 0 */
    uint8_t *flags;      /* [n] QC_EXAMPLE_*; NULL when capacity == 0 */
    QcFrontSetup front;  /* that the values were made with, if they are features of sound; else all zero */
    QcProvenance provenance;
    uint8_t digest[QC_DIGEST_BYTES]; /* of the file it was loaded from; zero otherwise */
} QcDataset; /* all zero = empty and valid to release */

/* Allocates arrays for n examples (label -1, id = index, all of group 0 and recording 0, no names yet); misses and
 * flags too where capacity > 0. */
int qc_dataset_init(QcDataset *d, uint32_t n, uint32_t channels, uint32_t height, uint32_t length, uint32_t capacity,
                    QcErr *err);
/* x is NULL */
int qc_dataset_init_windowless(QcDataset *d, uint32_t n, uint32_t channels, uint32_t height, uint32_t length,
                               uint32_t capacity, QcErr *err);
void qc_dataset_release(QcDataset *d);

int qc_dataset_load(QcDataset *d, const char *path, QcErr *err); /* checks everything: ranges, finite values, unique
                                                                    ids */
int qc_dataset_load_coreset(QcDataset *d, const char *path, QcErr *err); /* the same, and it must be a coreset */
/* The same two without the values in memory: a regular file is checked in a pass of its own and held open, and windows
 * are read one at a time with qc_dataset_read. Of what else is declared here, qc_dataset_subset, qc_dataset_match and
 * what needs no values work on such a dataset. */
int qc_dataset_open(QcDataset *d, const char *path, QcErr *err);
int qc_dataset_open_coreset(QcDataset *d, const char *path, QcErr *err);
/* n values of window i from value `from` on, out of memory or the file. Any number of threads may read at a time. */
int qc_dataset_read(float *out, const QcDataset *d, uint32_t i, uint64_t from, uint64_t n, QcErr *err);
int qc_dataset_save(QcDataset *d, const char *path, QcErr *err);
/* Two that belong together: neither file changes unless both could be written. */
int qc_dataset_save_pair(QcDataset *a, const char *path_a, QcDataset *b, const char *path_b, QcErr *err);
/* Adds the line of a program that makes this data; input (may be NULL) is the digest of the file that it was made
 * from, and a command before it is cut after 950 bytes. */
int qc_dataset_sign(QcDataset *d, const char *command, const uint8_t input[QC_DIGEST_BYTES], QcErr *err);
int qc_dataset_decode(QcDataset *d, QcContainer *c, QcErr *err); /* takes over c's file where the values stay in it */
/* c borrows the values of d. */
int qc_dataset_encode(const QcDataset *d, QcContainer *c, QcErr *err);

/* The examples at index[0..n-1], in that order, with names, ids and (where source is a coreset) misses and flags;
 * capacity as given (0 = plain). */
int qc_dataset_subset(QcDataset *out, const QcDataset *source, const uint32_t *index, uint32_t n, uint32_t capacity,
                      QcErr *err);
/* All examples of several datasets of one shape; names are united; ids that collide are an error that names both. */
int qc_dataset_join(QcDataset *out, const QcDataset *const *parts, uint32_t n_parts, QcErr *err);

uint64_t qc_dataset_values(const QcDataset *d);                                      /* channels x height x length */
const float *qc_dataset_window(const QcDataset *d, uint32_t i);                      /* [channels][height][length] */

/* The first class that no example has; labels.n: each has one; -1: out of memory. */
int64_t qc_dataset_empty_class(const QcDataset *d, QcErr *err);

/* Index of a name, added when new. QC_EFORMAT: it is no UTF-8. */
int qc_names_add(QcNames *names, QcArena *arena, const char *name, uint32_t *index, QcErr *err);
/* Puts all of them into the table, so that they are found at once. 1: names[table.n] is there twice. */
int qc_names_index(QcNames *names, QcArena *arena, QcErr *err);
int64_t qc_names_find(const QcNames *names, const char *name); /* -1: none */

/* Per-channel mean and standard deviation over all windows (a constant channel gets deviation 1). */
int qc_norm_measure(QcNorm *norm, const QcDataset *d, QcArena *arena, QcErr *err);

/* Window i, normalized and turned to [height][length][channels], the layout of both graphs. */
void qc_dataset_batch_window(float *out, const QcDataset *d, uint32_t i, const QcNorm *norm);

typedef enum QcLabelNeed {
    QC_LABELS_OPTIONAL,
    QC_LABELS_ALL, /* every example must have a label */
    QC_LABELS_SOME, /* at least one example must have a label */
    QC_LABELS_KNOWN /* labels are optional; an example of a class that the model lacks counts as unlabelled */
} QcLabelNeed;

/* Fails unless the shape fits the model and every label name is known to it; `map` ([d->labels.n], from the arena)
 * turns the dataset's label indices into the model's classes. One sentence says what does not match. */
int qc_dataset_match(const QcDataset *d, const QcModelFile *m, QcLabelNeed need, int32_t **map, QcArena *arena,
                     QcErr *err);

/* In forms that others read. Outputs are whole or not there. */
int qc_dataset_save_npz(const QcDataset *d, const char *path, QcErr *err); /* export_npz.c */
int qc_dataset_save_csv(const QcDataset *d, const char *path, QcErr *err); /* export_csv.c */

#endif
