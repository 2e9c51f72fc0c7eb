/* Lines above the header of a table, as loggers and instruments write them: "Device: X", "Rate,50". */
#include <string.h>

#include "table.h"

enum { LINES_MAX = 100, BYTES_MAX = 1 << 16 };

/* What a row could be, with a separator. */
typedef struct Shape {
    int64_t cells;
    uint32_t words, numbers;
} Shape;

static Shape shape_of(QcField row, char separator, int decimal_comma)
{
    Shape s = {.cells = qc_table_count(row, separator)};
    QcField cell;
    double value;
    const char *wrong;
    for (int64_t k = 0; k < s.cells && qc_table_cell(&row, &cell, separator) > 0; k++)
        if (!qc_table_number(&value, cell, decimal_comma, &wrong)) s.numbers++;
        else s.words += strcmp(wrong, "is missing") ? 1 : 0;
    return s;
}

static int is_alike(int64_t a, int64_t b) { return a - b <= 1 && b - a <= 1; }

/* A header, over two rows with numbers and as many cells as it has; a row of units may be between. */
static int is_header(QcTable *t, QcField row, char separator)
{
    Shape header = shape_of(row, separator, t->o->decimal);
    QcField next;
    uint32_t rows = 0, units = 0;
    if (header.cells < 2 || header.numbers || header.words < 2 || header.words + 1 < header.cells) return 0;
    while (rows < 2 && qc_table_next(t, &next)) {
        Shape s = shape_of(next, separator, t->o->decimal);
        if (!is_alike(s.cells, header.cells) || (!s.numbers && (rows || units++))) return 0;
        rows += s.numbers ? 1 : 0;
    }
    return rows == 2;
}

/* Rows above the header have another number of cells than the header, and the first row is not part of the table. 1:
 * found; 0: not with this separator; -1: the first row is the header. */
static int find(QcTable *t, QcField *first, char separator)
{
    int64_t above[LINES_MAX];
    QcField row = *first;
    QcTable ahead = *t;
    const char *at = t->top;
    uint32_t lines = t->lines_above;
    for (uint32_t n = 0; n < LINES_MAX; n++) {
        QcTable after = ahead;
        int64_t cells = qc_table_count(row, separator);
        int differs = n > 0;
        for (uint32_t k = 0; k < n; k++) differs = differs && !is_alike(above[k], cells);
        if (!n && is_header(&after, row, separator)) return -1;
        if (differs && is_header(&after, row, separator)) {
            t->lines = ahead.lines;
            t->top = at;
            t->lines_above = lines;
            *first = row;
            return 1;
        }
        above[n] = cells;
        do {
            at = ahead.lines.next;
            lines = ahead.lines.line;
            if (at - t->top > BYTES_MAX || !qc_lines_raw(&ahead.lines, &row)) return 0;
            row = qc_field_trim(row);
        } while (row.at == row.end || *row.at == '#');
    }
    return 0;
}

void qc_table_skip_preamble(QcTable *t, QcField *first)
{
    static const char candidates[] = "\t;, ";
    uint32_t before = t->lines_above;
    QcField old = *first;
    for (const char *c = candidates; *c; c++) {
        if (t->separator ? *c != t->separator : *c == ',' && t->o->decimal) continue;
        int found = find(t, first, *c);
        if (found < 0) return;
        if (!found) continue;
        qc_import_note(t->o, "%.200s: lines %u to %u ('%.*s' ...) are above the header and were left out",
                       t->lines.name, before + 1, t->lines_above, QC_FIELD(old));
        return;
    }
}
