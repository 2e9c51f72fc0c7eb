#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "stamps.h"

/* --- cells ---------------------------------------------------------------------------------------------- */

int qc_table_number(double *value, QcField cell, int decimal_comma, const char **wrong)
{
    char text[64];
    size_t n = (size_t)(cell.end - cell.at);
    int has_point = decimal_comma && memchr(cell.at, '.', n) != NULL;
    if (decimal_comma && !has_point && n < sizeof text && memchr(cell.at, ',', n)) {
        memcpy(text, cell.at, n);
        char *comma = memchr(text, ',', n);
        *comma = '.';
        cell = (QcField){text, text + n};
    }
    const char *at = cell.at;
    *wrong = qc_number_read_double(value, &at, cell.end);
    if (!*wrong && at != cell.end) *wrong = "is not a number";
    if (!*wrong && has_point) *wrong = "has a point, but --decimal is a comma";
    return *wrong ? -1 : 0;
}

int qc_table_stamp(double *time, const QcTable *t, QcField cell)
{
    const char *wrong;
    return qc_table_number(time, cell, t->o->decimal, &wrong) && qc_stamp_read(time, cell) &&
                   qc_stamp_read_slashed(time, cell, t->day_first)
               ? -1
               : 0;
}

int qc_table_name(char name[QC_FIELD_NAME], const QcTable *t, QcField cell, int label, QcErr *err)
{
    char text[QC_CELL_TEXT];
    if (label && qc_field_whole(name, cell)) return 0;
    return qc_field_name(name, &t->lines, qc_table_text(cell, text), err);
}

/* --- rows ------------------------------------------------------------------------------------------------- */

static int is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

static int is_blank(QcField row)
{
    row = qc_field_trim(row);
    return row.at == row.end;
}

/* A quote begins a cell after a separator or at the start of the row; 0: the separator is not known yet. */
static int begins_cell(const char *quote, const char *start, char separator)
{
    while (quote > start && quote[-1] == ' ' && separator != ' ') quote--;
    if (quote == start) return 1;
    return separator ? quote[-1] == separator || (separator == ' ' && quote[-1] == '\t')
                     : quote[-1] == ',' || quote[-1] == ';' || quote[-1] == '\t';
}

/* The quote that ends the cell which begins with this one; NULL: there is none, or the cell would be very long. */
static const char *closing_quote(const char *quote, const char *end)
{
    enum { CELL_MAX = 1 << 16 };
    if (end - quote > CELL_MAX) end = quote + CELL_MAX;
    for (const char *at = quote + 1; at < end && (at = memchr(at, '"', (size_t)(end - at))); at += 2)
        if (at + 1 == end || at[1] != '"') return at;
    return NULL;
}

int qc_table_line(QcTable *t, QcField *row)
{
    if (!qc_lines_raw(&t->lines, row)) return 0;
    const char *start = row->at, *at = start;
    while (start < row->end && is_space(*start)) start++;
    if (start < row->end && *start == '#') return 1;
    while (at < row->end && (at = memchr(at, '"', (size_t)(row->end - at)))) {
        const char *close = begins_cell(at, start, t->separator) ? closing_quote(at, t->lines.end) : at;
        if (!close) break;
        for (QcField more; close >= row->end && qc_lines_raw(&t->lines, &more);) row->end = more.end;
        at = close + 1;
    }
    return 1;
}

int qc_table_next(QcTable *t, QcField *row)
{
    while (qc_table_line(t, row)) {
        *row = qc_table_trim(*row, t->separator);
        if (!is_blank(*row) && *row->at != '#') return 1;
    }
    return 0;
}

/* "sep=;" as Excel writes it. */
static int is_hint(QcField row) { return row.end - row.at <= 5 && row.end - row.at >= 4 && !memcmp(row.at, "sep=", 4); }

void qc_table_rewind(QcTable *t)
{
    QcField row;
    t->lines.next = t->top;
    t->lines.line = t->lines_above;
    if (t->has_header) qc_table_next(t, &row);
    if (t->has_units) qc_table_next(t, &row);
}

/* Where numbers have commas, cells that commas separate are in quotes. */
static int has_quoted_commas(const QcTable *t, QcField first)
{
    QcTable ahead = *t;
    QcField second;
    int64_t n = qc_table_count(first, ',');
    return n > 1 && qc_table_next(&ahead, &second) && memchr(second.at, '"', (size_t)(second.end - second.at)) &&
           qc_table_count(second, ',') == n;
}

static char guess_separator(const QcTable *t, QcField row, int decimal_comma)
{
    static const char candidates[] = "\t;, "; /* a comma may stand in a name, a blank beside anything */
    char best = decimal_comma ? ';' : ',';
    int64_t most = 1;
    for (const char *c = candidates; *c; c++) {
        int64_t n = *c == ',' && decimal_comma && !has_quoted_commas(t, row) ? 0 : qc_table_count(row, *c);
        if (n > most) {
            most = n;
            best = *c;
        }
        if (*c == ',' && most > 1) break;
    }
    return best;
}

/* The first row, past comments and a hint; names may stand in the last comment (numpy.savetxt). */
static int find_first(QcTable *t, QcField *row, QcErr *err)
{
    for (;;) {
        t->top = t->lines.next;
        t->lines_above = t->lines.line;
        if (!qc_table_line(t, row)) break;
        *row = qc_table_trim(*row, '\t');
        if (is_blank(*row)) continue;
        if (is_hint(*row)) {
            if (!t->separator && row->end - row->at == 5) t->separator = row->at[4];
            continue;
        }
        if (*row->at != '#') return 0;
        t->comment_names = qc_field_trim((QcField){row->at + 1, row->end});
    }
    return qc_fail(err, QC_EFORMAT, "%.300s is empty", t->lines.name);
}

/* R leaves out the name of the row names; and rows may end in a separator that the header has not. */
static int count_columns(QcTable *t, QcField first, QcErr *err)
{
    QcField second = first, cell;
    int64_t n = qc_table_count(first, t->separator), more = n;
    if (n < 0) return qc_lines_fail(&t->lines, err, "a quoted cell is not closed");
    if (qc_table_next(t, &second)) more = qc_table_count(second, t->separator);
    int names = 1;
    double value;
    const char *wrong;
    for (int64_t k = 0; k < n && qc_table_cell(&first, &cell, t->separator) > 0; k++)
        names = names && qc_table_number(&value, cell, 0, &wrong) && strcmp(wrong, "is missing");
    t->columns = (uint32_t)(more == n + 1 && names ? more : n);
    t->unnamed = more == n + 1 && names && second.end[-1] != t->separator ? 1 : 0;
    if (n > 1 << 24) return qc_fail(err, QC_EFORMAT, "%.300s has too many columns", t->lines.name);
    t->column = calloc(t->columns, sizeof *t->column);
    return t->column ? 0 : qc_fail_memory(err, "columns");
}

int qc_table_open(QcTable *t, const char *path, char separator, int label_first, const QcImportOptions *o, QcErr *err)
{
    QcField first;
    *t = (QcTable){.o = o,
                   .separator = separator,
                   .label_first = label_first,
                   .label = QC_NO_COLUMN,
                   .group = QC_NO_COLUMN,
                   .recording = QC_NO_COLUMN,
                   .time = QC_NO_COLUMN,
                   .window = QC_NO_COLUMN};
    t->is_samples = o->window || o->stride || o->segments || o->window_id;
    if (qc_lines_open(&t->lines, path, err) || find_first(t, &first, err)) return -1;
    if (qc_table_skip_preamble(t, &first, err)) return -1;
    if (!t->separator) t->separator = guess_separator(t, first, o->decimal);
    if (t->separator == '\t' && qc_table_count(first, '\t') == 1 && qc_table_count(first, ' ') > 1) t->separator = ' ';
    first = qc_table_trim(first, t->separator);
    if (count_columns(t, first, err) || qc_table_find_header(t, err) || qc_table_find_roles(t, err)) return -1;
    qc_table_rewind(t);
    return 0;
}

void qc_table_close(QcTable *t)
{
    if (!t) return;
    qc_table_forget(t);
    free(t->column);
    qc_lines_close(&t->lines);
    *t = (QcTable){0};
}
