/* Target leakage: columns of values that encode the label, as a code in another column or as one-hot columns. */
#include <stdio.h>
#include <string.h>

#include "number.h"
#include "table.h"

enum { ROWS_MAX = 4096, ROWS_MIN = 10, CODES_MAX = 16, RUN_MAX = 64 };

/* A column of few whole numbers, and the label that comes with each number. */
typedef struct Code {
    uint32_t column, n;
    double value[CODES_MAX];
    uint64_t label[CODES_MAX]; /* hashes */
    int differs; /* 1: numbers and labels are not one to one */
} Code;

static int is_candidate(const QcTable *t, uint32_t c)
{
    const QcColumn *column = &t->column[c];
    return qc_column_is_free(t, c) && column->numbers == column->n && column->whole == column->n &&
           column->distinct > 1 && column->distinct <= CODES_MAX;
}

static void note_pair(Code *code, double value, uint64_t label)
{
    uint32_t k = 0;
    while (k < code->n && code->value[k] != value) k++;
    if (k == code->n) {
        for (uint32_t i = 0; i < code->n; i++) code->differs |= code->label[i] == label;
        if (code->n == CODES_MAX) code->differs = 1;
        if (code->differs) return;
        code->value[k] = value;
        code->label[k] = label;
        code->n++;
    }
    code->differs |= code->label[k] != label;
}

/* Columns of 0 and 1 beside the label, which may be one-hot together with it. */
typedef struct Hot {
    uint32_t first, last; /* columns; the label is one of the two */
    uint64_t fails; /* bit k: the label and the k + 1 columns next to it are not one-hot in each row */
} Hot;

static int is_zero_or_one(const QcTable *t, uint32_t c)
{
    const QcColumn *column = &t->column[c];
    return (c == t->label || qc_column_is_free(t, c)) && column->numbers == column->n && column->whole == column->n &&
           column->distinct == 2 && column->low == 0 && column->high == 1;
}

static void note_hot(Hot *hot, const double *row, int down)
{
    uint32_t n = hot->last - hot->first + 1;
    double sum = 0;
    for (uint32_t k = 0; k < n; k++) {
        sum += row[down ? hot->last - k : hot->first + k];
        if (k && sum != 1) hot->fails |= (uint64_t)1 << (k - 1);
    }
}

/* The number of columns of the longest one-hot run that has the label at its end, or 0. */
static uint32_t hot_length(const Hot *hot)
{
    uint32_t n = hot->last - hot->first + 1;
    while (n >= 3 && hot->fails >> (n - 2) & 1) n--;
    return n >= 3 ? n : 0;
}

typedef struct Leaks {
    Code *codes;
    uint32_t n_codes, rows;
    Hot before, after; /* runs of columns that end with the label, that begin with it */
    double *row; /* [columns] */
} Leaks;

static void look_at_rows(Leaks *l, QcTable *t)
{
    QcField row, cell;
    qc_table_rewind(t);
    for (l->rows = 0; l->rows < ROWS_MAX && qc_table_next(t, &row); l->rows++) {
        uint64_t label = 14695981039346656037u; /* FNV-1a */
        uint32_t c = 0;
        for (; c < t->columns && qc_table_cell(&row, &cell, t->separator) > 0; c++) {
            const char *at = cell.at;
            if (qc_number_read_double(&l->row[c], &at, cell.end)) l->row[c] = 0;
            for (at = cell.at; c == t->label && at < cell.end; at++) label = (label ^ (uint8_t)*at) * 1099511628211u;
        }
        while (c < t->columns) l->row[c++] = 0;
        for (uint32_t k = 0; k < l->n_codes; k++) note_pair(&l->codes[k], l->row[l->codes[k].column], label);
        note_hot(&l->before, l->row, 1);
        note_hot(&l->after, l->row, 0);
    }
    qc_table_rewind(t);
}

static int fail_hot(const QcTable *t, uint32_t first, uint32_t last, QcErr *err)
{
    char one[80], two[80];
    return qc_fail(err, QC_EUSAGE,
                   "%.200s: '%s' to '%s' are one label in several columns (one-hot): write it as one column, or name "
                   "another label with --label-column and the values with --columns",
                   t->lines.name, qc_column_called(one, t, first), qc_column_called(two, t, last));
}

static int check(const Leaks *l, const QcTable *t, QcErr *err)
{
    char text[80], label[80];
    if (l->rows < ROWS_MIN) return 0;
    uint32_t before = hot_length(&l->before), after = hot_length(&l->after);
    if (before) return fail_hot(t, t->label + 1 - before, t->label, err);
    if (after) return fail_hot(t, t->label, t->label + after - 1, err);
    for (uint32_t k = 0; k < l->n_codes; k++) {
        const Code *code = &l->codes[k];
        if (code->differs || code->n < 2) continue;
        return qc_fail(
            err, QC_EUSAGE,
            "%.200s: '%s' encodes the label '%s' in each of %u rows: leave it out with --ignore, or "
            "list the values with --columns if it is measured",
            t->lines.name, qc_column_called(text, t, code->column), qc_column_called(label, t, t->label), l->rows);
    }
    return 0;
}

int qc_table_find_leaks(QcTable *t, QcErr *err)
{
    Leaks l = {0};
    uint32_t n = 0;
    if (t->label == QC_NO_COLUMN || t->o->columns) return 0;
    for (uint32_t c = 0; c < t->columns; c++) n += is_candidate(t, c) ? 1 : 0;
    if (!n) return 0;
    QcArena arena = {0};
    l.codes = qc_arena_take(&arena, n, sizeof *l.codes, err);
    l.row = l.codes ? qc_arena_take(&arena, t->columns, sizeof *l.row, err) : NULL;
    int status = l.row ? 0 : -1;
    for (uint32_t c = 0; !status && c < t->columns; c++)
        if (is_candidate(t, c)) l.codes[l.n_codes++].column = c;
    l.before = l.after = (Hot){t->label, t->label, 0};
    int binary = is_zero_or_one(t, t->label);
    while (binary && l.before.first && t->label - l.before.first < RUN_MAX && is_zero_or_one(t, l.before.first - 1))
        l.before.first--;
    while (binary && l.after.last + 1 < t->columns && l.after.last - t->label < RUN_MAX &&
           is_zero_or_one(t, l.after.last + 1))
        l.after.last++;
    if (!status) look_at_rows(&l, t);
    if (!status) status = check(&l, t, err);
    qc_arena_release(&arena);
    return status;
}
