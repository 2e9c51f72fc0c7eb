/* Lines above the header of a table, as loggers and instruments write them: "Device: X", "Rate,50". */
#include <string.h>

#include "table.h"

enum { LINES_MAX = 100, BYTES_MAX = 1 << 16 };

/* What a row could be, with a separator. */
typedef struct Shape {
    int64_t cells;
    uint32_t words, numbers;
    uint64_t kinds; /* bit k: cell k is a number, k < 64 */
} Shape;

static Shape shape_of(QcField row, char separator, int decimal_comma)
{
    Shape s = {.cells = qc_table_count(row, separator)};
    QcField cell;
    double value;
    const char *wrong;
    for (int64_t k = 0; k < s.cells && qc_table_cell(&row, &cell, separator) > 0; k++)
        if (!qc_table_number(&value, cell, decimal_comma, &wrong)) {
            s.numbers++;
            if (k < 64) s.kinds |= (uint64_t)1 << k;
        } else s.words += strcmp(wrong, "is missing") ? 1 : 0;
    return s;
}

static int is_alike(int64_t a, int64_t b) { return a - b <= 1 && b - a <= 1; }

/* Usual names of a label or a time. Names of groups ("Device", "Subject") are often in lines above the header, too. */
static int has_usual_name(QcField row, char separator)
{
    QcField cell;
    while (qc_table_cell(&row, &cell, separator) > 0)
        if (qc_name_is_label(cell) || qc_name_is_time(cell)) return 1;
    return 0;
}

typedef struct Header {
    Shape header, data; /* data: of the first row with numbers */
    int exact; /* both rows with numbers have as many cells as the header */
    int has_units; /* a row of words follows the header */
    int names_in_units; /* this row has usual names, and the header has none */
} Header;

/* A header, over two rows with numbers and as many cells as it has; a row of units may be between. */
static int is_header(Header *h, QcTable *t, QcField row, char separator)
{
    QcField next;
    uint32_t rows = 0;
    *h = (Header){.header = shape_of(row, separator, t->o->decimal), .exact = 1};
    const Shape *header = &h->header;
    int64_t unnamed = header->cells > 3 ? 2 : 1; /* columns without a name: row numbers, an empty cell at the end */
    if (header->cells < 2 || header->numbers || header->words < 2 || header->words + unnamed < header->cells) return 0;
    while (rows < 2 && qc_table_next(t, &next)) {
        Shape s = shape_of(next, separator, t->o->decimal);
        if (!is_alike(s.cells, header->cells) || (!s.numbers && (rows || h->has_units++))) return 0;
        if (!s.numbers) h->names_in_units = has_usual_name(next, separator) && !has_usual_name(row, separator);
        h->exact = h->exact && s.cells == header->cells;
        if (s.numbers && !rows++) h->data = s;
    }
    return rows == 2;
}

/* A line such as "Rate,50": its number of cells, or which cells are numbers, differs from the rows of the table. */
static int is_above(const Shape *above, const Header *h)
{
    if (!is_alike(above->cells, h->header.cells)) return 1;
    return h->exact && above->cells <= 2 && (above->cells != h->data.cells || above->kinds != h->data.kinds);
}

/* 1 if two rows of words follow a line such as "Rate,50": they may be names and units, or a line above the header and
 * names. */
static int is_unsure(const Header *h, uint32_t above) { return above && h->has_units && h->header.cells == 2; }

/* Finds the header below lines that are no part of the table (is_above). 1: found; 0: not with this separator; -1: the
 * first row is the header; -2: uncertain. */
static int find(QcTable *t, QcField *first, char separator)
{
    Shape above[LINES_MAX];
    QcField row = *first;
    QcTable ahead = *t;
    const char *at = t->top;
    uint32_t lines = t->lines_above;
    for (uint32_t n = 0; n < LINES_MAX; n++) {
        QcTable after = ahead;
        Header h;
        int header = is_header(&h, &after, row, separator) && !h.names_in_units, differs = n > 0;
        if (!n && header) return -1;
        for (uint32_t k = 0; header && k < n; k++) differs = differs && is_above(&above[k], &h);
        if (header && differs) {
            t->lines = ahead.lines;
            t->top = at;
            t->lines_above = lines;
            *first = row;
            return is_unsure(&h, n) && !has_usual_name(row, separator) ? -2 : 1;
        }
        above[n] = shape_of(row, separator, t->o->decimal);
        do {
            at = ahead.lines.next;
            lines = ahead.lines.line;
            if (at - t->top > BYTES_MAX || !qc_table_line(&ahead, &row)) return 0;
            row = qc_table_trim(row, separator);
        } while (qc_field_trim(row).at == row.end || *row.at == '#');
    }
    return 0;
}

int qc_table_skip_preamble(QcTable *t, QcField *first, QcErr *err)
{
    static const char candidates[] = "\t;, ";
    uint32_t before = t->lines_above;
    QcField old = *first;
    for (const char *c = candidates; *c; c++) {
        if (t->separator ? *c != t->separator : *c == ',' && t->o->decimal) continue;
        int found = find(t, first, *c);
        if (found == -1) return 0;
        if (found == -2)
            return qc_fail(err, QC_EUSAGE,
                           "%.200s: line %u ('%.*s' ...) and the line after it may both be the header: remove the "
                           "lines above the header",
                           t->lines.name, t->lines_above + 1, QC_FIELD(*first));
        if (!found) continue;
        qc_import_note(t->o, "%.200s: lines %u to %u ('%.*s' ...) are above the header and were left out",
                       t->lines.name, before + 1, t->lines_above, QC_FIELD(old));
        return 0;
    }
    return 0;
}
