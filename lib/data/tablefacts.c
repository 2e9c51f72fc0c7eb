/* What the first rows say of each column of a table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "number.h"
#include "stamps.h"
#include "table.h"

enum { ROWS_MAX = 4096, STEPS_MAX = 512 };

int qc_column_is_numeric(const QcColumn *c) { return c->n == c->missing || 2 * (c->numbers + c->missing) >= c->n; }

/* 1 if the values are 0, 1, 2, ... or 1, 2, ... without a gap, or -1 and 1. */
int qc_column_is_dense(const QcColumn *c)
{
    return c->distinct == c->high - c->low + 1 ? c->low == 0 || c->low == 1
                                               : c->distinct == 2 && c->low == -1 && c->high == 1;
}

int qc_column_is_class(const QcColumn *c, uint32_t rows)
{
    if (!c->numbers || c->whole < c->numbers || c->missing || c->numbers < c->n || c->distinct > 100) return 0;
    if (rows >= 2 && c->distinct < 2) return 0;
    if (rows < 10) return rows < 3 || c->distinct < rows || qc_column_is_dense(c);
    return c->distinct <= rows / 2;
}

static uint64_t hash(const void *bytes, size_t n)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (size_t k = 0; k < n; k++) h = (h ^ ((const uint8_t *)bytes)[k]) * 1099511628211u;
    return h ? h : 1;
}

static int add_seen(QcColumn *c, uint64_t digest)
{
    uint32_t at = (uint32_t)(digest % (2 * QC_DISTINCT_MAX));
    while (c->seen[at] && c->seen[at] != digest) at = (at + 1) % (2 * QC_DISTINCT_MAX);
    if (c->seen[at]) return 0;
    c->seen[at] = digest;
    return 1;
}

/* A table can have a million columns, so that the set of cells is allocated for columns of many different cells only.
 * Without memory for it a column has few different cells. */
static void note_value(QcColumn *c, uint64_t digest)
{
    if (c->distinct >= QC_DISTINCT_MAX) return;
    if (!c->seen) {
        for (uint32_t k = 0; k < c->distinct && k < QC_DISTINCT_FEW; k++)
            if (c->few[k] == digest) return;
        if (c->distinct < QC_DISTINCT_FEW) {
            c->few[c->distinct++] = digest;
            return;
        }
        c->seen = calloc(2 * QC_DISTINCT_MAX, sizeof *c->seen);
        if (!c->seen) return;
        for (uint32_t k = 0; k < QC_DISTINCT_FEW; k++) add_seen(c, c->few[k]);
    }
    c->distinct += (uint32_t)add_seen(c, digest);
}

static void note_number(QcColumn *c, double value)
{
    if (!c->numbers) c->first = c->low = c->high = value;
    else {
        c->steps++;
        c->rising += value > c->last ? 1 : 0;
        c->falling += value < c->last ? 1 : 0;
        c->counted += value == c->last + 1 ? 1 : 0;
        double step = value - c->last;
        c->even += step > 0 && fabs(step - c->step) <= 1e-6 * step ? 1 : 0;
        c->step = step;
    }
    c->low = fmin(c->low, value);
    c->high = fmax(c->high, value);
    c->last = value;
    c->numbers++;
    c->whole += value == floor(value) ? 1 : 0;
    value += 0.0; /* no -0 */
    note_value(c, hash(&value, sizeof value));
}

/* 3/2/2026: the third of February, or the second of March. */
static int note_slashed(QcColumn *c, QcField cell)
{
    double value;
    int day = !qc_stamp_read_slashed(&value, cell, 1), month = !qc_stamp_read_slashed(&value, cell, 0);
    if (!day && !month) return 0;
    const char *blank = memchr(cell.at, ' ', (size_t)(cell.end - cell.at));
    uint64_t digest = hash(cell.at, (size_t)((blank ? blank : cell.end) - cell.at));
    c->days_differ |= c->slashed && digest != c->day;
    c->day = digest;
    c->slashed++;
    c->day_first += day && !month;
    c->month_first += month && !day;
    return 1;
}

/* 1,234 and 12,345,678, which may be 1234 and 12345678. */
static int may_be_thousands(QcField cell)
{
    const char *end = cell.end;
    while (end - cell.at > 4 && end[-4] == ',') end -= 4;
    return end != cell.end && !memchr(cell.at, ',', (size_t)(end - cell.at));
}

/* 1,234.5 or 1.234,5: digits, and signs of both kinds. */
static int is_grouped(QcField cell)
{
    int commas = 0, points = 0;
    for (const char *at = cell.at; at < cell.end; at++)
        if (*at == ',') commas++;
        else if (*at == '.') points++;
        else if ((*at < '0' || *at > '9') && !(at == cell.at && (*at == '-' || *at == '+'))) return 0;
    return commas && points;
}

/* 10:30 or 10:30:15:250 */
static int is_clock(QcField cell)
{
    int colons = 0;
    for (const char *at = cell.at; at < cell.end; at++)
        if (*at == ':') colons++;
        else if (*at < '0' || *at > '9') return 0;
    return colons > 0 && *cell.at != ':' && cell.end[-1] != ':';
}

static void note_cell(QcColumn *c, QcField cell, int decimal_comma)
{
    double value;
    const char *wrong;
    c->n++;
    if (!qc_table_number(&value, cell, decimal_comma, &wrong)) {
        note_number(c, value);
        return;
    }
    if (!strcmp(wrong, "is missing")) {
        c->missing++;
        c->empty += cell.at == cell.end ? 1 : 0;
        return;
    }
    const char *other; /* with --decimal , a number with a point counts as a word: it may be class 1.0 */
    int is_plain = decimal_comma && !qc_table_number(&value, cell, 0, &other);
    if (!strcmp(wrong, "is out of range")) c->numbers++;
    else if (!is_plain && (!qc_stamp_read(&value, cell) || note_slashed(c, cell))) c->stamps++;
    else if (!decimal_comma && memchr(cell.at, ',', (size_t)(cell.end - cell.at)) &&
             (!qc_table_number(&value, cell, 1, &wrong) || may_be_thousands(cell))) {
        c->commas++;
        c->thousands += may_be_thousands(cell);
    }
    else if (is_grouped(cell)) c->grouped++;
    else if (is_clock(cell)) c->clocks++;
    note_value(c, hash(cell.at, (size_t)(cell.end - cell.at)));
}

void qc_table_forget(QcTable *t)
{
    for (uint32_t c = 0; t->column && c < t->columns; c++) {
        free(t->column[c].seen);
        t->column[c].seen = NULL;
    }
}

int qc_table_look(QcTable *t, QcErr *err)
{
    QcField row, cell;
    qc_table_forget(t);
    for (uint32_t c = 0; c < t->columns; c++) t->column[c] = (QcColumn){.name = t->column[c].name};
    for (t->looked_at = 0; t->looked_at < ROWS_MAX && qc_table_next(t, &row); t->looked_at++) {
        uint32_t c = 0;
        QcField rest = row;
        for (int more = 1; c < t->columns; c++) {
            more = qc_table_cell(&rest, &cell, t->separator);
            if (more < 0) return qc_lines_fail(&t->lines, err, "a quoted cell is not closed");
            if (!more) break;
            note_cell(&t->column[c], cell, t->o->decimal);
        }
        if (!t->o->n_groups &&
            (c + 1 < t->columns ||
             (rest.at && qc_field_trim(rest).at < rest.end))) /* of an empty cell more or less when rows are read */
            return qc_lines_fail(&t->lines, err, "%lld columns instead of %u",
                                 (long long)qc_table_count(row, t->separator), t->columns);
    }
    return 0;
}

static int compare_reals(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;
    return p < q ? -1 : p > q;
}

double qc_table_step(QcTable *t, uint32_t column)
{
    double steps[STEPS_MAX], time, last = NAN;
    uint32_t n = 0, same = 0;
    QcField row, cell = {0};
    qc_table_rewind(t);
    for (uint32_t k = 0; k < ROWS_MAX && n < STEPS_MAX && qc_table_next(t, &row); k++) {
        int more = 1;
        for (uint32_t c = 0; more > 0 && c <= column; c++) more = qc_table_cell(&row, &cell, t->separator);
        if (more <= 0 || qc_table_stamp(&time, t, cell)) continue;
        if (time > last) steps[n++] = time - last;
        same += time == last ? 1 : 0;
        last = time;
    }
    t->repeats = 1 + (double)same / (n + 1);
    if (!n) return 0;
    qsort(steps, n, sizeof *steps, compare_reals);
    double usual = steps[n / 2], sum = 0;
    uint32_t near = 0;
    for (uint32_t k = 0; k < n; k++)
        if (steps[k] > 0.5 * usual && steps[k] < 1.5 * usual) sum += steps[k], near++;
    t->mean_step = sum / near;
    while (steps[n - 1] > 2.5 * usual) n--; /* gaps */
    t->low_step = steps[n / 10];
    t->high_step = steps[n - 1 - n / 10];
    return usual;
}
