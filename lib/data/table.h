/* table.h - a text table: rows and cells, and what is concluded about its columns.
 *
 * qc_table_open finds the separator, comments and quotes, reads the first thousands of rows, and gives every column
 * a role: from options, from the names in the header, and from the values. What stays uncertain is refused with the
 * option that decides it.
 */
#ifndef QC_DATA_TABLE_H
#define QC_DATA_TABLE_H

#include "import.h"
#include "lines.h"

#define QC_NO_COLUMN UINT32_MAX
enum { QC_CLASSES_MAX = 255, QC_DISTINCT_MAX = 256, QC_DISTINCT_FEW = 4 };

typedef enum QcRole {
    QC_ROLE_VALUE,
    QC_ROLE_LABEL,
    QC_ROLE_GROUP,
    QC_ROLE_RECORDING,
    QC_ROLE_TIME,
    QC_ROLE_WINDOW,
    QC_ROLE_IGNORED,
    QC_ROLE_EMPTY
} QcRole;

/* Facts about a column, from the first rows. */
typedef struct QcColumn {
    QcField name; /* in the header; empty = none */
    QcRole role;
    uint32_t listed; /* by --columns: from 1, in its order */
    int is_left; /* options give it no role and no place */
    uint32_t place; /* of a value in its row */
    uint32_t n, numbers, whole, missing, empty, stamps,
        commas; /* cells; of these numbers, whole ones, missing, empty, dates, numbers with a comma */
    uint32_t clocks; /* cells of digits and colons that are no time with seconds, such as 10:30 */
    uint32_t thousands; /* commas with three digits after each comma */
    uint32_t grouped; /* numbers such as 1,234.5 or 1.234,5 */
    uint32_t slashed, day_first, month_first; /* of stamps: 3/2/2026; of these 13/2/2026, 2/13/2026 */
    int days_differ; /* slashed dates are of more than one day */
    uint32_t rising, steps; /* times that a number was above the one before it, and numbers with one before them */
    uint32_t falling; /* times that it was below */
    uint32_t counted; /* times that it was above by exactly one */
    uint32_t even; /* times that it was above by as much as the time before */
    uint32_t distinct; /* different cells, at most QC_DISTINCT_MAX */
    double first, last, low, high, step; /* numbers; step: between the last two */
    uint64_t day, few[QC_DISTINCT_FEW]; /* digests of the last slashed day, of the first different cells */
    uint64_t *seen; /* of all different cells, open addressing; malloc'd, NULL while they are few */
} QcColumn;

typedef struct QcTable {
    QcLines lines;
    const QcImportOptions *o;
    char separator;
    int label_first; /* tsv of the UCR archive: the label is the first column */
    uint32_t unnamed; /* 1: the header has no name for the first column (R's row names) */
    int has_header, is_samples; /* is_samples: a row is a sample of a recording */
    int has_units; /* the row after the header has units */
    int day_first; /* the time column has 31/12/2026, not 12/31/2026 */
    const char *top; /* the first row, which may be the header; lines before it are no rows */
    uint32_t lines_above; /* lines before it */
    QcField comment_names; /* the last comment before the first row */
    uint32_t columns, looked_at; /* looked_at: first rows that were read */
    QcColumn *column; /* [columns]; malloc'd */
    uint32_t label, group, recording, time, window; /* columns, or QC_NO_COLUMN */
    uint32_t values; /* columns of role VALUE */
    double step, unit; /* usual step of the time column, and seconds in one unit of it; 0 = not known */
    double mean_step; /* mean of the steps that are near the usual step */
    double low_step, high_step; /* nine of ten steps are above, below it */
    double repeats; /* rows per different time; 1 = each row has its own */
} QcTable;

/* separator: 0 = found out. Close it also after a failure. */
int qc_table_open(QcTable *t, const char *path, char separator, int label_first, const QcImportOptions *o, QcErr *err);
void qc_table_close(QcTable *t);

/* Next row that is neither blank nor a comment; the header is one of them. */
int qc_table_next(QcTable *t, QcField *row);
/* As qc_table_next, but returns blank lines and comments, too. A line goes on in the next lines while a cell in quotes
 * is open. */
int qc_table_line(QcTable *t, QcField *row);
/* To the first row after the header. */
void qc_table_rewind(QcTable *t);
/* As qc_field_next, but a cell in double quotes may hold the separator and line ends, and loses its quotes. -1: the
 * quotes do not close, or text follows them. */
int qc_table_cell(QcField *row, QcField *cell, char separator);
/* The row without blanks around it; tabs stay if they separate cells. */
QcField qc_table_trim(QcField row, char separator);
/* -1: quotes do not close. */
int64_t qc_table_count(QcField row, char separator);
/* A number, with the decimal sign of the options: with a comma, a point is refused, as it may separate thousands. As
 * qc_field_number. */
int qc_table_number(double *value, QcField cell, int decimal_comma, const char **wrong);
/* A time of the time column, with the decimal sign of the options and its order of day and month. As qc_stamp_read. */
int qc_table_stamp(double *time, const QcTable *t, QcField cell);
/* The text of a cell: doubled quotes become one, and quotes around all go. In `room`, cut where it is full. */
enum { QC_CELL_TEXT = 512 };
QcField qc_table_text(QcField cell, char room[QC_CELL_TEXT]);
/* A cell as a name (qc_table_text); label: "1.0" and "1.0e+00" are 1. */
int qc_table_name(char name[QC_FIELD_NAME], const QcTable *t, QcField cell, int label, QcErr *err);

/* tabletop.c: skips lines above the header, which loggers write; sets t->top and the first row. -1: it is uncertain
 * which line is the header. */
int qc_table_skip_preamble(QcTable *t, QcField *first, QcErr *err);

/* tablefacts.c: reads the first rows from here on, and fills column[]. */
int qc_table_look(QcTable *t, QcErr *err);
void qc_table_forget(QcTable *t); /* what qc_table_look allocated */
/* The median of the steps above 0 of a column of times, among the first rows; 0 = there is none. Sets repeats
 * and the other steps. */
double qc_table_step(QcTable *t, uint32_t column);
int qc_column_is_numeric(const QcColumn *c);
int qc_column_is_class(const QcColumn *c, uint32_t rows); /* whole numbers, few of them */
int qc_column_is_dense(const QcColumn *c); /* 0, 1, 2, ... or 1, 2, ... without a gap, or -1 and 1 */

/* tableheader.c: decides has_header, takes its names. */
int qc_table_find_header(QcTable *t, QcErr *err);
/* tableroles.c: gives every column its role, and says what was taken for what. */
int qc_table_find_roles(QcTable *t, QcErr *err);
/* Numbers with commas, as in 1,5 or 1,234: what they are is not guessed at. */
int qc_table_has_commas(const QcTable *t, uint32_t c);
int qc_table_fail_commas(const QcTable *t, uint32_t c, QcErr *err);
/* tablelabel.c: the label column, if options leave it open. */
int qc_table_find_label(QcTable *t, QcErr *err);
/* A measurement, a time stamp or an id cannot be the label, unless the user says so. */
int qc_table_check_label(const QcTable *t, QcErr *err);
/* A value, unless a role is found for it. */
static inline int qc_column_is_free(const QcTable *t, uint32_t c)
{
    return t->column[c].role == QC_ROLE_VALUE && !t->column[c].listed;
}
/* tabledoubts.c: -1 if names contradict the order of values, or a value rises from row to row; warns of values that may
 * reveal the label. */
int qc_table_doubt(const QcTable *t, QcErr *err);
/* tableleaks.c: -1 if a column of values encodes the label one to one in the first rows, or if the label is one of
 * several one-hot columns. */
int qc_table_find_leaks(QcTable *t, QcErr *err);
/* tabletime.c: step and unit of the time column; -1 if times or options contradict each other, or leave a span of
 * seconds uncertain. */
int qc_table_find_time(QcTable *t, QcErr *err);
/* -1: a column without a role has times of an unknown form. */
int qc_table_check_times(const QcTable *t, QcErr *err);
/* tablenames.c: what a name says of its column: 1 if it is a usual name of that role. */
int qc_name_is_label(QcField name);
int qc_name_is_time(QcField name);
int qc_name_is_group(QcField name);
int qc_name_is_recording(QcField name);
int qc_name_is_index(QcField name);
int qc_name_is_leak(QcField name); /* may reveal the label */
/* Seconds in the unit that the name of a time ends in: "t_ms", "time (s)"; 0 = none. */
double qc_name_unit(QcField name);
void qc_name_plain(char out[40], QcField name); /* small letters and digits alone: "User_ID" is userid */
/* tablesummary.c: a column as people call it, by its name, else "column N". */
const char *qc_column_called(char text[80], const QcTable *t, uint32_t c);
/* Notes what was taken for what: "3 channels ax, ay, az; label: activity (6 classes); ignored: t_ms". */
void qc_table_summary(const QcTable *t, uint32_t classes);

#endif
