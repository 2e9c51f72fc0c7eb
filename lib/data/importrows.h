/* importrows.h - options of importers. Each importer lists the rows of the options that it takes; what it does not
 * list, it refuses.
 *
 * A row says how its text is read and into which member of QcImportOptions. A member that differs from zero was asked
 * for. Rows that several formats share are here; a row of one format stands in its own file.
 */
#ifndef QC_DATA_IMPORTROWS_H
#define QC_DATA_IMPORTROWS_H

#include <stddef.h>

#include "../base/err.h"

struct QcImportOptions;

typedef enum QcRowKind {
    QC_ROW_FLAG, /* int */
    QC_ROW_COUNT, /* uint32_t from 1 to 2^24 */
    QC_ROW_REAL, /* double above 0 */
    QC_ROW_TEXT, /* const char *, borrowed */
    QC_ROW_WORD, /* int or enum: the place in `words` */
    QC_ROW_SIZE /* two uint32_t, height and width: "28" or "16x32" */
} QcRowKind;

typedef struct QcImportRow {
    const char *name; /* long name without dashes */
    QcRowKind kind;
    const char *meta; /* NULL for flags */
    const char *help; /* at most 60 characters */
    size_t offset; /* in QcImportOptions */
    const char *words; /* of WORD, with blanks between; the first is the default */
    int common; /* `qc-import -h` shows it without a format, too */
} QcImportRow;

extern const QcImportRow qc_row_label, qc_row_group, qc_row_recording, qc_row_time, qc_row_window_id, qc_row_columns,
    qc_row_ignore, qc_row_header, qc_row_decimal, qc_row_channels, qc_row_channels_last, qc_row_features, qc_row_image,
    qc_row_unequal, qc_row_missing, qc_row_length, qc_row_window, qc_row_stride, qc_row_rate, qc_row_label_rule,
    qc_row_name_pattern, qc_row_label_names, qc_row_skip_bad, qc_row_size, qc_row_resize, qc_row_crop, qc_row_grey,
    qc_row_x, qc_row_y, qc_row_front;

/* Options about one recording, and about what becomes of its samples: for lists of rows. */
#define QC_ROWS_RECORDINGS &qc_row_window, &qc_row_stride, &qc_row_rate, &qc_row_label_rule
#define QC_ROWS_FILES &qc_row_name_pattern, &qc_row_label_names, &qc_row_skip_bad
#define QC_ROWS_SHAPE &qc_row_channels, &qc_row_channels_last, &qc_row_features, &qc_row_image

/* Reads the text of an option into o. QC_EUSAGE: it does not fit. */
int qc_row_read(struct QcImportOptions *o, const QcImportRow *row, const char *text, QcErr *err);
/* 1 if o asks for it. */
int qc_row_given(const struct QcImportOptions *o, const QcImportRow *row);
/* -1 with a sentence about the first option that o asks for and that is not among the rows of this format. */
int qc_rows_check(const struct QcImportOptions *o, const char *format, const QcImportRow *const *rows, QcErr *err);

#endif
