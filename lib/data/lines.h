/* lines.h - a text file, line by line and field by field, with messages that name file and line.
 *
 * Fields are borrowed from the text. Lines may end in LF, CR LF or CR; a byte-order mark is skipped.
 */
#ifndef QC_DATA_LINES_H
#define QC_DATA_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "../base/inputview.h"

typedef struct QcField {
    const char *at, *end;
} QcField;

typedef struct QcLines {
    const char *name; /* of the file, for messages; borrowed */
    QcInputView view;
    const char *next, *end;
    const char *feed, *sought; /* feed: the first LF from `sought` on, else the end */
    uint32_t line; /* number of the current one, from 1 */
} QcLines;

/* The whole file, which may be compressed with gzip; text in UTF-16 with a byte-order mark becomes UTF-8. Refuses a
 * file that is no text (it has a zero byte) and our own data files. */
int qc_lines_open(QcLines *l, const char *path, QcErr *err);
int qc_lines_next(QcLines *l, QcField *line); /* 1: a line, without its end and without blanks around it; 0: no more */
int qc_lines_raw(QcLines *l, QcField *line);  /* the same with all blanks, and with CR */
/* To call between lines: reports bytes read of all bytes to `progress` (may be NULL), and returns pages to the system
 * (qc_inputview_pass). */
void qc_lines_progress(QcLines *l, void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx);
void qc_lines_rewind(QcLines *l);
void qc_lines_close(QcLines *l);
/* What ids of the file's rows are counted from: 21 bits of its digest above 32 for the row, exact in a JSON number. */
uint64_t qc_lines_id(QcLines *l);
/* "NAME:LINE: sentence", code QC_EFORMAT. */
int qc_lines_fail(const QcLines *l, QcErr *err, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Takes the field up to `separator` (or the end) off the front of `line`, blanks around it trimmed. 0: nothing was
 * left. A line that ends in a separator has an empty field after it. A blank separator stands for any run of
 * blanks. */
int qc_field_next(QcField *line, QcField *field, char separator);
uint32_t qc_field_count(QcField line, char separator);
int qc_field_is(QcField field, const char *word);     /* letters of either case */
QcField qc_field_trim(QcField field);
int qc_field_number(float *value, QcField field, const char **wrong); /* the whole field; 0, or -1 and what is wrong */

/* The field as a name of ours: not empty, below QC_FIELD_NAME bytes, valid UTF-8, quotes around it taken off. */
enum { QC_FIELD_NAME = 256 };
int qc_field_name(char name[QC_FIELD_NAME], const QcLines *l, QcField field, QcErr *err);

/* A whole number that is not written as digits alone, such as "1.0", "2e+00", "+3": 1, and its digits in `name`.
 * Other fields: 0. A class of this field has these digits as its name. */
int qc_field_whole(char name[QC_FIELD_NAME], QcField field);

/* For "%.*s": the start of a field, cut where it would fill a message. */
#define QC_FIELD(f) (int)((f).end - (f).at > 40 ? 40 : (f).end - (f).at), (f).at

#endif
