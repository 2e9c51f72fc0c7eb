/* Which column of a table is what: by options, then by usual names, then by the values. What is not certain is asked
 * for. */
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
    snprintf(text, sizeof text, "%.*s", (int)(length > 255 ? 255 : length), name);
    for (uint32_t c = 0; c < t->columns; c++)
        if (t->column[c].name.at && qc_field_is(t->column[c].name, text)) return *column = c, 0;
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
    for (const char *at = list; at && *at;) {
        size_t n = strcspn(at, ",");
        unsigned from, to;
        char rest;
        char item[64];
        snprintf(item, sizeof item, "%.*s", (int)(n > 63 ? 63 : n), at);
        uint32_t first, last;
        if (sscanf(item, "%u-%u%c", &from, &to, &rest) == 2 && from && from <= to) {
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
            if (role == QC_ROLE_VALUE) t->column[c].listed = 1;
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
    return 0;
}

/* --- conclusions ------------------------------------------------------------------------------------------------ */

/* Not yet of any use. */
static int is_free(const QcTable *t, uint32_t c) { return t->column[c].role == QC_ROLE_VALUE && !t->column[c].listed; }

/* Separators at the end of every row, and columns without any cell filled in. */
static void find_empty(QcTable *t)
{
    QcColumn *last = &t->column[t->columns - 1];
    if (t->columns > 1 && t->looked_at && last->role == QC_ROLE_VALUE && last->empty == last->n && last->n &&
        last->name.at == last->name.end)
        last->role = QC_ROLE_EMPTY;
}

static int rises(const QcColumn *c) { return c->steps >= 2 && c->rising == c->steps; }

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
        int unnamed = t->has_header && column->name.at == column->name.end;
        int unique = column->distinct == column->n || column->distinct >= QC_DISTINCT_MAX;
        if (!is_free(t, c)) continue;
        if (unnamed && !c && counts) column->role = QC_ROLE_IGNORED; /* to_csv() */
        else if (unnamed && !c && !column->numbers && unique && column->n > 1)
            column->role = QC_ROLE_IGNORED; /* write.csv() with row names */
        else if (qc_name_is_index(column->name) && unique && (counts || rises(column) || !column->numbers))
            column->role = QC_ROLE_IGNORED;
        else if (!t->has_header && !c && counts && column->n >= 8 && counting < numeric) column->role = QC_ROLE_IGNORED;
    }
}

static void find_by_name(QcTable *t, uint32_t *place, const char *option, QcRole role, int (*is_name)(QcField))
{
    uint32_t found = QC_NO_COLUMN;
    if (option || *place != QC_NO_COLUMN) return;
    for (uint32_t c = 0; c < t->columns; c++) {
        if (!is_free(t, c) || !is_name(t->column[c].name)) continue;
        if (role == QC_ROLE_TIME && 2 * (t->column[c].stamps + t->column[c].numbers) < t->column[c].n) continue;
        if (role == QC_ROLE_TIME && t->column[c].numbers > 2 && 2 * t->column[c].rising < t->column[c].steps &&
            t->column[c].rising <= 4 * t->column[c].falling)
            continue; /* a reaction time, say; times that repeat rise seldom, but do not fall */
        if (found != QC_NO_COLUMN) t->column[c].role = QC_ROLE_IGNORED; /* said in the summary */
        else found = c;
    }
    if (found == QC_NO_COLUMN) return;
    *place = found;
    t->column[found].role = role;
}

/* Dates can be nothing else. */
static void find_dates(QcTable *t)
{
    for (uint32_t c = 0; c < t->columns; c++) {
        QcColumn *column = &t->column[c];
        if (!is_free(t, c) || !column->stamps || column->stamps + column->missing < column->n) continue;
        column->role = t->time == QC_NO_COLUMN && !t->o->time ? QC_ROLE_TIME : QC_ROLE_IGNORED;
        if (column->role == QC_ROLE_TIME) t->time = c;
    }
}

static int fail_two(const QcTable *t, uint32_t a, uint32_t b, QcErr *err)
{
    char one[80], two[80];
    return qc_fail(err, QC_EUSAGE,
                   "%.200s: '%s' and '%s' may both be the label: name it with --label-column, and leave the other out "
                   "with --ignore",
                   t->lines.name, qc_column_called(one, t, a), qc_column_called(two, t, b));
}

static int is_y(QcField name) { return name.at && qc_field_is(name, "y"); }

/* y is the label of x1, x2, ..., but an axis beside x or z. */
static int y_is_axis(const QcTable *t)
{
    for (uint32_t c = 0; c < t->columns; c++)
        if (t->column[c].name.at && (qc_field_is(t->column[c].name, "x") || qc_field_is(t->column[c].name, "z")))
            return 1;
    return 0;
}

static int label_by_name(QcTable *t, QcErr *err)
{
    for (uint32_t c = 0; c < t->columns; c++) {
        if (!is_free(t, c) || !qc_name_is_label(t->column[c].name)) continue;
        if (t->label != QC_NO_COLUMN) return fail_two(t, t->label, c, err);
        t->label = c;
    }
    for (uint32_t c = 0; c < t->columns && t->label == QC_NO_COLUMN && !y_is_axis(t); c++)
        if (is_free(t, c) && is_y(t->column[c].name) &&
            (!qc_column_is_numeric(&t->column[c]) || qc_column_is_class(&t->column[c], t->looked_at)))
            t->label = c;
    return 0;
}

static int fail_text(const QcTable *t, uint32_t a, uint32_t b, QcErr *err)
{
    char one[80], two[80];
    if (t->column[a].commas)
        return qc_fail(err, QC_EFORMAT, "%.200s: %s has numbers with a comma: --decimal , reads them", t->lines.name,
                       qc_column_called(one, t, a));
    if (t->column[b].commas)
        return qc_fail(err, QC_EFORMAT, "%.200s: %s has numbers with a comma: --decimal , reads them", t->lines.name,
                       qc_column_called(two, t, b));
    return qc_fail(
        err, QC_EUSAGE,
        "%.200s: '%s' and '%s' both hold words: name the label with --label-column, others with --group-column or "
        "--ignore",
        t->lines.name, qc_column_called(one, t, a), qc_column_called(two, t, b));
}

static int label_by_words(QcTable *t, QcErr *err)
{
    for (uint32_t c = 0; c < t->columns; c++) {
        if (!is_free(t, c) || qc_column_is_numeric(&t->column[c])) continue;
        if (t->label != QC_NO_COLUMN) return fail_text(t, t->label, c, err);
        t->label = c;
    }
    char text[80];
    if (t->label != QC_NO_COLUMN && t->column[t->label].commas)
        return qc_fail(err, QC_EFORMAT, "%.200s: %s has numbers with a comma: --decimal , reads them", t->lines.name,
                       qc_column_called(text, t, t->label));
    return 0;
}

/* 0, 1, 2, ... or 1, 2, ... without a hole, or -1 and 1. */
static int is_dense(const QcColumn *c)
{
    return c->distinct == c->high - c->low + 1 ? c->low == 0 || c->low == 1
                                               : c->distinct == 2 && c->low == -1 && c->high == 1;
}

/* Numbers alone: the label stands first or last, and is the one whose numbers look like classes. */
static int label_by_numbers(QcTable *t, QcErr *err)
{
    uint32_t first = QC_NO_COLUMN, last = QC_NO_COLUMN, rows = t->looked_at;
    for (uint32_t c = 0; c < t->columns; c++)
        if (is_free(t, c)) last = c, first = first == QC_NO_COLUMN ? c : first;
    if (first == QC_NO_COLUMN || (first == last && !t->o->columns)) return 0;
    int a = qc_column_is_class(&t->column[first], rows), b = qc_column_is_class(&t->column[last], rows);
    if (t->label_first) a = 1, b = 0;
    if (first == last) b = 0;
    if (a && b && rows >= 2 && is_dense(&t->column[first]) != is_dense(&t->column[last]))
        a = is_dense(&t->column[first]), b = !a;
    if (a && b)
        return qc_fail(err, QC_EUSAGE,
                       "the label of %.200s may be the first or the last column: say with --label-column 1, %u or none",
                       t->lines.name, last + 1);
    if (!a && !b)
        return qc_fail(
            err, QC_EUSAGE,
            "which column of %.200s is the label is not certain: say with --label-column (a number, a name, or none)",
            t->lines.name);
    t->label = a ? first : last;
    return 0;
}

static int find_label(QcTable *t, QcErr *err)
{
    for (uint32_t c = 0; (t->o->label || t->o->segments) && c < t->columns;
         c++) /* labelled otherwise, or not: no value either */
        if (is_free(t, c) && qc_name_is_label(t->column[c].name)) t->column[c].role = QC_ROLE_IGNORED;
    if (t->o->label || t->o->segments) return 0;
    if (!t->label_first && (label_by_name(t, err) || (t->label == QC_NO_COLUMN && label_by_words(t, err)))) return -1;
    if (t->label == QC_NO_COLUMN && label_by_numbers(t, err)) return -1;
    if (t->label != QC_NO_COLUMN) t->column[t->label].role = QC_ROLE_LABEL;
    return 0;
}

/* A time stamp or a measurement makes no class. */
static int check_label(const QcTable *t, QcErr *err)
{
    char text[80];
    if (t->label == QC_NO_COLUMN) return 0;
    const QcColumn *c = &t->column[t->label];
    uint32_t rows = t->looked_at;
    int parts = c->numbers == c->n && c->whole < c->numbers,
        many = c->distinct >= QC_DISTINCT_MAX ||
               (rows >= 10 && !t->is_samples && 2 * c->distinct > rows && c->distinct > 10);
    if ((parts && !t->o->label) || (many && c->numbers == c->n))
        return qc_fail(err, QC_EFORMAT,
                       "%.200s: '%s' looks like a number, not a label: name the label with --label-column",
                       t->lines.name, qc_column_called(text, t, t->label));
    if (many)
        return qc_fail(err, QC_EFORMAT,
                       "%.200s: '%s' has as many different values as rows, which are no classes: name the label with "
                       "--label-column",
                       t->lines.name, qc_column_called(text, t, t->label));
    return 0;
}

/* Words that are left are no values. */
static int check_values(QcTable *t, QcErr *err)
{
    char text[80];
    t->values = 0;
    for (uint32_t c = 0; c < t->columns; c++) {
        const QcColumn *column = &t->column[c];
        if (!is_free(t, c)) continue;
        t->values++;
        if (qc_column_is_numeric(column) || !column->n) continue;
        if (column->commas)
            return qc_fail(err, QC_EFORMAT, "%.200s: %s has numbers with a comma: --decimal , reads them",
                           t->lines.name, qc_column_called(text, t, c));
        return qc_fail(err, QC_EUSAGE,
                       "%.200s: '%s' holds words, not values: leave it out with --ignore, or say what it is",
                       t->lines.name, qc_column_called(text, t, c));
    }
    if (!t->values)
        return qc_fail(err, QC_EFORMAT,
                       "%.300s: no column is left for values (wrong kind of file, or wrong separator?)", t->lines.name);
    return 0;
}

/* --- order and leaks ------------------------------------------------------------------------------------------ */

/* ax0, ay0, ax1, ay1, ...: names that alternate say that the values do. */
static int check_order(const QcTable *t, QcErr *err)
{
    char first[40] = "", name[40];
    uint32_t alternate = 0, blocks = 0, channels = t->o->channels, k = 0;
    char before[40] = "";
    if (t->is_samples || channels < 2 || t->values % channels) return 0;
    for (uint32_t c = 0; c < t->columns; c++) {
        if (!is_free(t, c)) continue;
        qc_name_plain(name, t->column[c].name);
        size_t n = strlen(name);
        while (n && name[n - 1] >= '0' && name[n - 1] <= '9') name[--n] = 0;
        if (!n) return 0;
        if (!k) strcpy(first, name);
        else if (!strcmp(name, before)) blocks++;
        if (k && k % channels == 0 && !strcmp(name, first)) alternate++;
        strcpy(before, name);
        k++;
    }
    if (!blocks && alternate == t->values / channels - 1 && alternate && !t->o->channels_last)
        return qc_fail(
            err, QC_EUSAGE,
            "%.200s: the names of the columns say that values come step after step: --channels-last reads them so",
            t->lines.name);
    if (t->o->channels_last && blocks == t->values - channels && t->values > channels)
        return qc_fail(err, QC_EUSAGE,
                       "%.200s: the names of the columns say that values come channel after channel: --channels-last "
                       "would mix them",
                       t->lines.name);
    return 0;
}

static void warn_of_leaks(const QcTable *t)
{
    char text[80];
    for (uint32_t c = 0; c < t->columns; c++)
        if (is_free(t, c) && !t->o->columns &&
            (qc_name_is_leak(t->column[c].name) || qc_name_is_index(t->column[c].name) ||
             qc_name_is_time(t->column[c].name)))
            qc_import_warn(t->o,
                           "%.200s: '%s' is taken as a value, but may give the answer away: --ignore leaves it out, "
                           "--columns silences this",
                           t->lines.name, qc_column_called(text, t, c));
}

/* With --columns, what is not listed and has no other use is left out. */
static void keep_listed(QcTable *t)
{
    for (uint32_t c = 0; t->o->columns && c < t->columns; c++) {
        if (is_free(t, c)) t->column[c].role = QC_ROLE_IGNORED;
        t->column[c].listed = 0;
    }
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
    if (find_label(t, err)) return -1;
    keep_listed(t);
    if (check_label(t, err) || check_values(t, err) || qc_table_find_time(t, err) || check_order(t, err)) return -1;
    warn_of_leaks(t);
    return 0;
}
