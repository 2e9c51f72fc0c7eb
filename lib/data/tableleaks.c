/* Target leakage: columns of values that encode the label, as a code in another column or as one-hot columns. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "table.h"

enum { ROWS_MAX = 4096, ROWS_MIN = 10, LABELS_MAX = QC_CLASSES_MAX + 1, RUN_MAX = 64 };

/* A column of few values, and which of them comes with which label. Labels have numbers in the order of their rows. */
typedef struct Code {
    uint32_t column, room;
    double *value; /* [room] by label; NaN: none yet */
    int differs; /* from the label */
    int is_mixed; /* it does not mark one label by 1 and all others by 0 */
    uint8_t with_0[LABELS_MAX / 8], with_1[LABELS_MAX / 8]; /* labels that a 0, that a 1 came with */
    uint32_t marked; /* labels that a 1 came with */
} Code;

/* A table can be in the order of its classes, so that a code is constant in the first rows. */
static int is_candidate(const QcTable *t, uint32_t c)
{
    const QcColumn *column = &t->column[c];
    return qc_column_is_free(t, c) && column->numbers && column->numbers + column->missing == column->n &&
           column->distinct < QC_DISTINCT_MAX;
}

/* Room for this label. */
static int make_room(Code *code, uint32_t label, QcArena *arena, QcErr *err)
{
    if (label < code->room) return 0;
    uint32_t room = code->room ? 4 * code->room : 4;
    double *value = qc_arena_take(arena, room, sizeof *value, err);
    if (!value) return -1;
    for (uint32_t i = 0; i < room; i++) value[i] = i < code->room ? code->value[i] : NAN;
    code->value = value;
    code->room = room;
    return make_room(code, label, arena, err);
}

static void note_pair(Code *code, double value, uint32_t label, uint32_t labels)
{
    if (isnan(code->value[label])) {
        for (uint32_t i = 0; i < labels && i < code->room; i++)
            code->differs |= code->value[i] >= value && code->value[i] <= value;
        code->value[label] = value;
    }
    code->differs |= code->value[label] < value || code->value[label] > value;
}

static void note_mark(Code *code, double value, uint32_t label)
{
    int one = value >= 1 && value <= 1;
    uint8_t bit = (uint8_t)(1u << label % 8), *mine = one ? &code->with_1[label / 8] : &code->with_0[label / 8],
            *other = one ? &code->with_0[label / 8] : &code->with_1[label / 8];
    code->is_mixed |= (!one && (value < 0 || value > 0)) || *other & bit;
    if (one && !(*mine & bit) && code->marked++) code->is_mixed = 1;
    *mine |= bit;
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
        sum += row[down ? hot->last - k : hot->first + k]; /* NaN: a cell is missing */
        if (k && !(sum >= 1 && sum <= 1)) hot->fails |= (uint64_t)1 << (k - 1);
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
    uint32_t n_codes, rows, labels;
    uint64_t label[LABELS_MAX]; /* hashes */
    Hot before, after; /* runs of columns that end with the label, that begin with it */
    double *row; /* [columns] NaN: missing */
} Leaks;

/* The number of this label; LABELS_MAX: there are too many. */
static uint32_t number_of(Leaks *l, uint64_t digest)
{
    uint32_t k = 0;
    while (k < l->labels && l->label[k] != digest) k++;
    if (k == l->labels && k < LABELS_MAX) l->label[l->labels++] = digest;
    return k;
}

/* Compares the columns with the label of this row. 1: a column may still encode the label; -1: an error. */
static int note_row(Leaks *l, uint32_t label, QcArena *arena, QcErr *err)
{
    int is_open = 0;
    for (uint32_t k = 0; k < l->n_codes; k++) {
        Code *code = &l->codes[k];
        double value = l->row[code->column];
        int is_there = !isnan(value);
        if (!code->differs && make_room(code, label, arena, err)) return -1;
        if (!code->differs && is_there) note_pair(code, value, label, l->labels);
        if (!code->is_mixed && is_there) note_mark(code, value, label);
        is_open |= !code->differs || (!code->is_mixed && code->marked);
    }
    return is_open;
}

static int look_at_rows(Leaks *l, QcTable *t, QcArena *arena, QcErr *err)
{
    QcField row, cell;
    int is_open = 1;
    qc_table_rewind(t);
    for (l->rows = 0; is_open > 0 && qc_table_next(t, &row); l->rows++) {
        qc_lines_progress(&t->lines, NULL, NULL); /* gives memory back */
        uint64_t digest = 14695981039346656037u; /* FNV-1a */
        uint32_t c = 0;
        for (; c < t->columns && qc_table_cell(&row, &cell, t->separator) > 0; c++) {
            const char *wrong, *at = cell.at;
            if (qc_table_number(&l->row[c], cell, t->o->decimal, &wrong)) l->row[c] = NAN;
            for (; c == t->label && at < cell.end; at++) digest = (digest ^ (uint8_t)*at) * 1099511628211u;
        }
        while (c < t->columns) l->row[c++] = NAN;
        note_hot(&l->before, l->row, 1);
        note_hot(&l->after, l->row, 0);
        uint32_t label = number_of(l, digest);
        is_open = label < LABELS_MAX ? note_row(l, label, arena, err) : 0;
        if (!is_open) l->n_codes = 0;
        if (!is_open && l->rows + 1 < ROWS_MAX) is_open = hot_length(&l->before) || hot_length(&l->after);
    }
    qc_lines_rewind(&t->lines);
    qc_table_rewind(t);
    return is_open < 0 ? -1 : 0;
}

static int fail_hot(const QcTable *t, uint32_t first, uint32_t last, QcErr *err)
{
    char one[80], two[80];
    return qc_fail(err, QC_EUSAGE,
                   "%.200s: '%s' to '%s' are one label in several columns (one-hot): write it as one column, or name "
                   "another label with --label-column and the values with --columns",
                   t->lines.name, qc_column_called(one, t, first), qc_column_called(two, t, last));
}

/* The label that this column marks by 1; LABELS_MAX: it marks none. */
static uint32_t marks(const Leaks *l, const Code *code)
{
    uint32_t label = 0;
    if (code->is_mixed || code->marked != 1) return LABELS_MAX;
    while (label < l->labels && !(code->with_1[label / 8] >> label % 8 & 1)) label++;
    return label;
}

/* A column of 0 and 1 for each class, or for each but one. One such column alone may be measured. */
static int check_marks(const Leaks *l, const QcTable *t, QcErr *err)
{
    char one[80], two[80], label[80];
    uint8_t is_marked[LABELS_MAX] = {0};
    uint32_t n = 0, first = QC_NO_COLUMN, last = 0;
    for (uint32_t k = 0; k < l->n_codes; k++) {
        uint32_t of = marks(l, &l->codes[k]);
        if (of == LABELS_MAX) continue;
        n += !is_marked[of];
        is_marked[of] = 1;
        last = l->codes[k].column;
        if (first == QC_NO_COLUMN) first = last;
    }
    if (l->labels < 3 || n + 1 < l->labels) return 0;
    return qc_fail(err, QC_EUSAGE,
                   "%.200s: '%s' to '%s' encode the label '%s' (one-hot) in each of %u rows: leave them out "
                   "with --ignore, or list the values with --columns",
                   t->lines.name, qc_column_called(one, t, first), qc_column_called(two, t, last),
                   qc_column_called(label, t, t->label), l->rows);
}

static int check(const Leaks *l, const QcTable *t, QcErr *err)
{
    char text[80], label[80];
    if (l->rows < ROWS_MIN || l->rows < 2 * l->labels) return 0;
    uint32_t before = hot_length(&l->before), after = hot_length(&l->after);
    if (before) return fail_hot(t, t->label + 1 - before, t->label, err);
    if (after) return fail_hot(t, t->label, t->label + after - 1, err);
    for (uint32_t k = 0; k < l->n_codes && l->labels > 1; k++) {
        const Code *code = &l->codes[k];
        uint32_t known = 0;
        for (uint32_t i = 0; i < l->labels && i < code->room; i++) known += !isnan(code->value[i]);
        if (code->differs || known < 2 || known + 1 < l->labels) continue;
        return qc_fail(
            err, QC_EUSAGE,
            "%.200s: '%s' encodes the label '%s' in each of %u rows: leave it out with --ignore, or "
            "list the values with --columns if it is measured",
            t->lines.name, qc_column_called(text, t, code->column), qc_column_called(label, t, t->label), l->rows);
    }
    return check_marks(l, t, err);
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
    if (!status) status = look_at_rows(&l, t, &arena, err);
    if (!status) status = check(&l, t, err);
    qc_arena_release(&arena);
    return status;
}
