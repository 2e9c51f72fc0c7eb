/* Whether the first row of a table has names: by words over numbers, by usual names, by numbers that count. */
#include <math.h>
#include <string.h>

#include "number.h"
#include "table.h"

typedef struct FirstRow {
    uint32_t cells, numeric_columns, text_columns;
    uint32_t words_over_numbers, numbers_over_words, words, names; /* names: usual ones, as "label" or "timestamp" */
    int is_y; /* a cell is y, which may be a name or a class */
    uint32_t numbers;
    int counts, rises, even; /* cells of the row are 0, 1, 2, ...; are rising numbers; rise in equal steps */
    int whole_over_parts; /* a whole number over a column with fractions */
    int empty_over_index; /* the first cell is empty, over whole numbers */
} FirstRow;

static int is_word(QcField cell)
{
    double value;
    const char *wrong;
    return qc_table_number(&value, cell, 0, &wrong) && strcmp(wrong, "is missing") &&
           strcmp(wrong, "is out of range") && qc_table_number(&value, cell, 1, &wrong);
}

static void study(FirstRow *f, const QcTable *t, QcField first)
{
    QcField cell;
    double value, last = -INFINITY, step = 0;
    const char *wrong;
    *f = (FirstRow){.counts = 1, .rises = 1, .even = 1};
    for (uint32_t c = t->unnamed; c < t->columns && qc_table_cell(&first, &cell, t->separator) > 0; c++, f->cells++) {
        const QcColumn *column = &t->column[c];
        int numeric = column->n && qc_column_is_numeric(column), word = is_word(cell);
        f->numeric_columns += numeric ? 1 : 0;
        f->text_columns += !numeric ? 1 : 0;
        f->words += word ? 1 : 0;
        f->words_over_numbers += numeric && word && column->numbers ? 1 : 0;
        f->numbers_over_words += !numeric && !word ? 1 : 0;
        if (word) {
            int y = qc_field_is(cell, "y");
            f->names += !y && (qc_name_is_label(cell) || (numeric && (qc_name_is_time(cell) || qc_name_is_group(cell) ||
                                                                      qc_name_is_recording(cell))))
                            ? 1
                            : 0;
            f->is_y |= y;
        } else if (!qc_table_number(&value, cell, 0, &wrong)) {
            f->counts = f->counts && value == f->numbers;
            f->rises = f->rises && value > last;
            if (f->numbers > 1 && fabs(value - last - step) > 1e-6 * fabs(step)) f->even = 0;
            step = value - last;
            f->numbers++;
            f->whole_over_parts |= value == floor(value) && column->whole < column->numbers;
            last = value;
        } else if (!c && cell.at == cell.end && column->numbers && column->whole == column->numbers) {
            f->empty_over_index = 1;
        } else f->counts = f->rises = 0;
    }
}

/* 1 if the names of columns are words and numbers of steps or times. Two or three measured values rise by chance. */
static int has_numbered_names(const FirstRow *f)
{
    enum { FEW = 3, MANY = 6 };
    return f->rises && (f->numbers >= MANY || (f->even && f->numbers >= FEW));
}

/* 1 yes, 0 no, -1 not certain. */
static int decide(const FirstRow *f, uint32_t rows)
{
    if (f->names) return 1;
    if (!rows) return f->words && !f->numbers_over_words && f->words == f->cells && f->cells > 1 ? 1 : 0;
    if (f->words_over_numbers && f->numbers_over_words) return -1; /* "Rate,50" over 1.5,walk */
    if (2 * f->words_over_numbers > f->numeric_columns ||
        (f->empty_over_index && (f->words || (f->counts && f->numbers))))
        return 1;
    if (f->words_over_numbers) return has_numbered_names(f) ? 1 : -1;
    if (f->numbers_over_words && !f->words) return f->rises && f->cells > 2 ? 1 : 0;
    if (f->is_y) return -1;
    if (f->counts && f->cells > 2 && !f->words) return f->whole_over_parts ? 1 : -1;
    return 0;
}

static void take_names(QcTable *t, QcField names)
{
    QcField cell;
    for (uint32_t c = t->unnamed; c < t->columns && qc_table_cell(&names, &cell, t->separator) > 0; c++)
        t->column[c].name = cell;
}

/* Words under the header, over columns of numbers: units, or names again (a pandas MultiIndex). */
static int is_units(const QcTable *t, QcField row)
{
    QcField cell;
    uint32_t words = 0, numeric = 0;
    for (uint32_t c = 0; c < t->columns && qc_table_cell(&row, &cell, t->separator) > 0; c++) {
        const QcColumn *column = &t->column[c];
        if (!column->numbers || column->numbers + column->missing + 1 < column->n) continue;
        numeric++;
        if (is_word(cell)) words++;
        else if (cell.at < cell.end) return 0;
    }
    return words && 2 * words >= numeric && t->looked_at > 2;
}

static int find_units(QcTable *t, QcErr *err)
{
    QcField row;
    qc_table_rewind(t);
    if (!qc_table_next(t, &row) || !is_units(t, row)) return 0;
    t->has_units = 1;
    qc_import_note(t->o, "%.200s: line %u ('%.*s' ...) is a second row of the header, as of units, and was left out",
                   t->lines.name, t->lines.line, QC_FIELD(row));
    return qc_table_look(t, err);
}

/* numpy.savetxt writes names as a comment; they are names if there is one for each column. */
static void take_comment(QcTable *t)
{
    QcField names = t->comment_names, cell;
    if (!names.at || qc_table_count(names, t->separator) != t->columns) return;
    for (QcField rest = names; qc_table_cell(&rest, &cell, t->separator) > 0;)
        if (!is_word(cell)) return;
    take_names(t, names);
}

int qc_table_find_header(QcTable *t, QcErr *err)
{
    QcField first;
    FirstRow f;
    qc_table_rewind(t);
    if (!qc_table_next(t, &first)) return qc_fail(err, QC_EFORMAT, "%.300s is empty", t->lines.name);
    if (qc_table_look(t, err)) return -1;
    int decided = t->o->header == QC_HEADER_YES;
    if (!t->o->header) {
        study(&f, t, first);
        decided = decide(&f, t->looked_at);
        if (decided < 0)
            return qc_fail(
                err, QC_EUSAGE,
                "whether the first row of %.300s has names or values is not certain: give --header yes or no",
                t->lines.name);
    }
    t->has_header = decided;
    if (decided && !t->looked_at) return qc_fail(err, QC_EFORMAT, "%.300s has a header, but no rows", t->lines.name);
    if (decided) take_names(t, first);
    else take_comment(t);
    if (decided && find_units(t, err)) return -1;
    qc_table_rewind(t);
    return decided ? 0 : qc_table_look(t, err);
}
