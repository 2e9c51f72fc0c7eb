/* The role of each column of a table: by options, then by usual names, then by values. If a role is uncertain, the
 * message asks the user to decide. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

/* --- options ------------------------------------------------------------------------------------------------ */

/* A column by number from 1, or by its name in the header. */
static int find_column(uint32_t *column, const char *name, size_t length, const char *what, const QcTable *t,
                       QcErr *err)
{
    char text[QC_FIELD_NAME], *behind;
    uint32_t found = 0;
    snprintf(text, sizeof text, "%.*s", (int)(length > 255 ? 255 : length), name);
    for (uint32_t c = 0; c < t->columns; c++) {
        if (!t->column[c].name.at || !qc_field_is(t->column[c].name, text)) continue;
        if (found++)
            return qc_fail(err, QC_EUSAGE, "columns %u and %u of %.200s are both called '%.60s': give the number of "
                           "the %s instead", *column + 1, c + 1, t->lines.name, text, what);
        *column = c;
    }
    if (found) return 0;
    unsigned long number = strtoul(text, &behind, 10);
    if (*text < '0' || *text > '9' || *behind)
        return qc_fail(err, QC_EUSAGE, "the first row of %.200s has no column '%.60s' for the %s", t->lines.name, text,
                       what);
    if (!number || number > t->columns)
        return qc_fail(err, QC_EUSAGE, "there is no column %.20s for the %s: %.200s has %u", text, what, t->lines.name,
                       t->columns);
    *column = (uint32_t)number - 1;
    return 0;
}

static int give(QcTable *t, uint32_t c, QcRole role, uint32_t *place, const char *what, QcErr *err)
{
    char text[80];
    if (t->column[c].role != QC_ROLE_VALUE)
        return qc_fail(err, QC_EUSAGE, "%s of %.200s cannot be the %s and something else, too",
                       qc_column_called(text, t, c), t->lines.name, what);
    t->column[c].role = role;
    if (place) *place = c;
    return 0;
}

static int give_named(QcTable *t, const char *name, QcRole role, uint32_t *place, const char *what, QcErr *err)
{
    uint32_t c;
    if (!name || !strcmp(name, "none")) return 0;
    return find_column(&c, name, strlen(name), what, t, err) || give(t, c, role, place, what, err) ? -1 : 0;
}

/* "a,b" or "3-8,12": the columns get this role. */
static int give_list(QcTable *t, const char *list, QcRole role, const char *what, QcErr *err)
{
    uint32_t order = 0;
    for (const char *at = list; at && *at;) {
        size_t n = strcspn(at, ",");
        unsigned from, to;
        char rest;
        char item[64];
        snprintf(item, sizeof item, "%.*s", (int)(n > 63 ? 63 : n), at);
        uint32_t first, last;
        if (sscanf(item, "%9u-%9u%c", &from, &to, &rest) == 2 && from && from <= to) {
            if (to > t->columns)
                return qc_fail(err, QC_EUSAGE, "there is no column %u for the %s: %.200s has %u", to, what,
                               t->lines.name, t->columns);
            first = from - 1;
            last = to - 1;
        } else {
            if (find_column(&first, at, n, what, t, err)) return -1;
            last = first;
        }
        for (uint32_t c = first; c <= last; c++)
            if (role == QC_ROLE_VALUE) t->column[c].listed = ++order;
            else if (give(t, c, role, NULL, what, err)) return -1;
        at += n + (at[n] == ',');
    }
    return 0;
}

static int obey(QcTable *t, QcErr *err)
{
    const QcImportOptions *o = t->o;
    if (give_named(t, o->label, QC_ROLE_LABEL, &t->label, "label", err) ||
        give_named(t, o->group, QC_ROLE_GROUP, &t->group, "group", err) ||
        give_named(t, o->recording, QC_ROLE_RECORDING, &t->recording, "recording", err) ||
        give_named(t, o->window_id, QC_ROLE_WINDOW, &t->window, "window", err) ||
        give_named(t, o->time, QC_ROLE_TIME, &t->time, "time", err) ||
        give_list(t, o->columns, QC_ROLE_VALUE, "values", err) ||
        give_list(t, o->ignore, QC_ROLE_IGNORED, "columns to ignore", err))
        return -1;
    for (uint32_t c = 0; c < t->columns; c++) t->column[c].is_left = qc_column_is_free(t, c);
    return 0;
}

/* --- conclusions ------------------------------------------------------------------------------------------------ */

/* Separators at the end of every row, and columns without any cell filled in. */
static void find_empty(QcTable *t)
{
    QcColumn *last = &t->column[t->columns - 1];
    if (t->columns > 1 && t->looked_at && last->role == QC_ROLE_VALUE && last->empty == last->n && last->n &&
        last->name.at == last->name.end)
        last->role = QC_ROLE_EMPTY;
}

/* A column with a name but without any filled cell: an unused comment column. */
static void find_hollow(QcTable *t)
{
    for (uint32_t c = 0; t->has_header && c < t->columns; c++)
        if (qc_column_is_free(t, c) && t->column[c].n && t->column[c].empty == t->column[c].n)
            t->column[c].role = QC_ROLE_IGNORED; /* said in the summary */
}

static int rises(const QcColumn *c) { return c->steps >= 2 && c->rising == c->steps; }

/* Distinct whole numbers in a column named id or index, in so many rows that they are not distinct by chance. */
static int is_id(const QcColumn *c)
{
    enum { ROWS = 20 };
    char text[40];
    qc_name_plain(text, c->name);
    size_t n = strlen(text);
    return c->n >= ROWS && c->whole == c->n && (!strncmp(text, "ind", 3) || (n > 1 && !strcmp(text + n - 2, "id")));
}

/* pandas calls an index so that it wrote without a name and read back: "Unnamed: 0", then "Unnamed: 0.1". */
static int is_unnamed_index(QcField name)
{
    char text[40];
    qc_name_plain(text, name);
    return !strncmp(text, "unnamed0", 8);
}

/* Row numbers, as pandas and R write them, and ids that no two rows share. */
static void find_indices(QcTable *t)
{
    uint32_t counting = 0, numeric = 0;
    for (uint32_t c = 0; c < t->columns; c++) {
        counting += t->column[c].counted == t->column[c].steps && t->column[c].steps ? 1 : 0;
        numeric += t->column[c].numbers ? 1 : 0;
    }
    for (uint32_t c = 0; c < t->columns; c++) {
        QcColumn *column = &t->column[c];
        int counts = column->numbers == column->n && column->counted == column->steps && column->n &&
                     (column->first == 0 || column->first == 1);
        int unnamed = t->has_header && ((!c && column->name.at == column->name.end) || is_unnamed_index(column->name));
        int unique = column->distinct == column->n || column->distinct >= QC_DISTINCT_MAX;
        if (!qc_column_is_free(t, c)) continue;
        if (unnamed && counts) column->role = QC_ROLE_IGNORED; /* to_csv() */
        else if (unnamed && (!column->numbers || column->whole == column->n) && unique && column->n > 1)
            column->role = QC_ROLE_IGNORED; /* R's write.csv() with row names, pandas' to_csv() of selected rows */
        else if (qc_name_is_index(column->name) && unique &&
                 (counts || rises(column) || !column->numbers || is_id(column)))
            column->role = QC_ROLE_IGNORED;
        else if (!t->has_header && !c && counts && column->n >= 8 && counting < numeric) column->role = QC_ROLE_IGNORED;
    }
}

/* Row names of R, which have no name in the header. A first column with an empty name is an index of pandas, even if
 * rows were selected, so that it does not count 0, 1, 2, ... */
static void find_row_names(QcTable *t)
{
    QcColumn *first = &t->column[0];
    int named = t->has_header && t->columns > 2;
    for (uint32_t c = 1; named && c < t->columns; c++)
        named = t->column[c].name.at < t->column[c].name.end || t->column[c].role == QC_ROLE_EMPTY;
    if (qc_column_is_free(t, 0) && t->has_header && first->name.at == first->name.end && (named || t->unnamed))
        first->role = QC_ROLE_IGNORED; /* the summary reports it */
}

static void find_by_name(QcTable *t, uint32_t *place, const char *option, QcRole role, int (*is_name)(QcField))
{
    uint32_t found = QC_NO_COLUMN;
    if (option || *place != QC_NO_COLUMN) return;
    for (uint32_t c = 0; c < t->columns; c++) {
        if (!qc_column_is_free(t, c) || !is_name(t->column[c].name)) continue;
        if (role == QC_ROLE_TIME && 2 * (t->column[c].stamps + t->column[c].numbers) < t->column[c].n) continue;
        if (role == QC_ROLE_TIME && t->column[c].numbers > 2 && 2 * t->column[c].rising < t->column[c].steps &&
            t->column[c].rising <= 4 * t->column[c].falling)
            continue; /* a reaction time, say; times that repeat rise seldom, but do not fall */
        uint32_t other = found;
        if (found == QC_NO_COLUMN) found = c;
        else if (role == QC_ROLE_TIME && 2 * t->column[found].distinct < t->column[c].distinct)
            found = c; /* a clock beside a date */
        else other = c;
        if (other != QC_NO_COLUMN) t->column[other].role = QC_ROLE_IGNORED; /* said in the summary */
    }
    if (found == QC_NO_COLUMN) return;
    *place = found;
    t->column[found].role = role;
}

/* A column of dates can only be the time. */
static void find_dates(QcTable *t)
{
    for (uint32_t c = 0; c < t->columns; c++) {
        QcColumn *column = &t->column[c];
        if (!qc_column_is_free(t, c) || !column->stamps || column->stamps + column->missing < column->n) continue;
        column->role = QC_ROLE_IGNORED;
        if (t->o->time) continue;
        if (t->time != QC_NO_COLUMN) {
            if (2 * t->column[t->time].distinct >= column->distinct) continue;
            t->column[t->time].role = QC_ROLE_IGNORED; /* a date beside this clock */
        }
        column->role = QC_ROLE_TIME;
        t->time = c;
    }
}

int qc_table_has_commas(const QcTable *t, uint32_t c) { return t->column[c].commas || t->column[c].grouped; }

int qc_table_fail_commas(const QcTable *t, uint32_t c, QcErr *err)
{
    char text[80];
    qc_column_called(text, t, c);
    if (t->column[c].grouped)
        return qc_fail(err, QC_EFORMAT,
                       "%.200s: %s has numbers such as 1,234.5: separators of thousands must be taken out first",
                       t->lines.name, text);
    if (t->column[c].thousands == t->column[c].commas)
        return qc_fail(err, QC_EFORMAT,
                       "%.200s: %s has numbers such as 1,234: --decimal , reads 1.234; separators of thousands must be "
                       "taken out first",
                       t->lines.name, text);
    return qc_fail(err, QC_EFORMAT, "%.200s: %s has numbers with a comma: --decimal , reads them", t->lines.name, text);
}

/* Columns of words that have no role cannot be values. */
static int check_values(QcTable *t, QcErr *err)
{
    char text[80];
    t->values = 0;
    for (uint32_t c = 0; c < t->columns; c++) {
        const QcColumn *column = &t->column[c];
        if (!qc_column_is_free(t, c)) continue;
        t->values++;
        if (qc_column_is_numeric(column) || !column->n) continue;
        if (qc_table_has_commas(t, c)) return qc_table_fail_commas(t, c, err);
        return qc_fail(err, QC_EUSAGE,
                       "%.200s: '%s' holds words, not values: leave it out with --ignore, or say what it is",
                       t->lines.name, qc_column_called(text, t, c));
    }
    if (!t->values)
        return qc_fail(err, QC_EFORMAT,
                       "%.300s: no column is left for values (commas, semicolons, tabs or blanks separate cells)",
                       t->lines.name);
    return 0;
}

/* --- all of them ------------------------------------------------------------------------------------------------ */

typedef struct Listed {
    uint32_t order, column;
} Listed;

static int compare_listed(const void *a, const void *b)
{
    uint32_t p = ((const Listed *)a)->order, q = ((const Listed *)b)->order;
    return p < q ? -1 : p > q;
}

/* With --columns, columns that are not listed and have no other role are left out. Values come in the order of the
 * list, as in qc-run. */
static int place_values(QcTable *t, QcErr *err)
{
    uint32_t n = 0;
    Listed *values = malloc(t->columns * sizeof *values);
    if (!values) return qc_fail_memory(err, "columns");
    for (uint32_t c = 0; c < t->columns; c++) {
        QcColumn *column = &t->column[c];
        if (t->o->columns && qc_column_is_free(t, c)) column->role = QC_ROLE_IGNORED;
        if (column->role == QC_ROLE_VALUE) values[n++] = (Listed){column->listed ? column->listed : c, c};
        column->listed = 0;
    }
    if (n) qsort(values, n, sizeof *values, compare_listed);
    for (uint32_t k = 0; k < n; k++) t->column[values[k].column].place = k;
    free(values);
    return 0;
}

int qc_table_find_roles(QcTable *t, QcErr *err)
{
    const QcImportOptions *o = t->o;
    if (obey(t, err)) return -1;
    find_empty(t);
    find_by_name(t, &t->time, o->time, QC_ROLE_TIME, qc_name_is_time);
    find_dates(t);
    find_by_name(t, &t->group, o->group, QC_ROLE_GROUP, qc_name_is_group);
    find_by_name(t, &t->recording, o->recording, QC_ROLE_RECORDING, qc_name_is_recording);
    find_indices(t);
    if (t->unnamed) find_row_names(t);
    if (qc_table_check_times(t, err) || qc_table_find_label(t, err)) return -1;
    find_row_names(t);
    find_hollow(t);
    if (place_values(t, err) || qc_table_check_label(t, err) || check_values(t, err) || qc_table_find_time(t, err))
        return -1;
    return qc_table_doubt(t, err) || qc_table_find_leaks(t, err) ? -1 : 0;
}
