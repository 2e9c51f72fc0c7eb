/* Doubts about the columns that were taken as values: their order, counters among them, equal names. */
#include <string.h>

#include "table.h"

/* ax0, ay0, ax1, ay1, ...: names that alternate say that the values do. */
static int check_order(const QcTable *t, QcErr *err)
{
    char first[40] = "", name[40];
    uint32_t alternate = 0, blocks = 0, channels = t->o->channels, k = 0;
    char before[40] = "";
    if (t->is_samples || channels < 2 || t->values % channels) return 0;
    for (uint32_t c = 0; c < t->columns; c++) {
        if (!qc_column_is_free(t, c)) continue;
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

/* A counter, a position or a time reveals the place in the file, and files often have one class after another. The
 * value of a sensor seldom rises in each of many rows. */
static int check_rising(const QcTable *t, QcErr *err)
{
    enum { ROWS = 20 };
    char text[80];
    for (uint32_t c = 0; !t->o->columns && t->values > 1 && c < t->columns; c++) {
        const QcColumn *column = &t->column[c];
        if (!qc_column_is_free(t, c) || column->steps < ROWS) continue;
        int even = column->even >= column->steps - column->steps / 8, /* it may start again in each recording */
            rising = column->rising >= column->steps - column->steps / 32;
        if (!even && !rising) continue;
        return qc_fail(err, QC_EUSAGE,
                       "%.200s: '%s' rises from row to row, as counters and times do: leave it out with --ignore %s, "
                       "or name it with --time-column, or list the values with --columns",
                       t->lines.name, qc_column_called(text, t, c),
                       column->name.at < column->name.end ? text : text + strlen("column "));
    }
    return 0;
}

/* Rows that are samples have times that rise; a reaction time is listed with --columns. */
static int check_falling(const QcTable *t, QcErr *err)
{
    char text[80];
    for (uint32_t c = 0; t->is_samples && t->time == QC_NO_COLUMN && !t->o->columns && c < t->columns; c++)
        if (qc_column_is_free(t, c) && qc_name_is_time(t->column[c].name) && t->column[c].falling)
            return qc_fail(err, QC_EFORMAT,
                           "%.200s: the times of '%s' go back in %u of the first %u rows: sort the rows of each "
                           "recording by time, or leave it out with --ignore",
                           t->lines.name, qc_column_called(text, t, c), t->column[c].falling, t->looked_at);
    return 0;
}

/* Columns of the same name cannot be selected by name. */
static void note_twins(const QcTable *t)
{
    uint32_t twins = 0, first = 0, second = 0;
    for (uint32_t c = 1; t->has_header && t->columns <= 4096 && c < t->columns; c++) {
        QcField name = t->column[c].name;
        if (name.at == name.end) continue;
        for (uint32_t b = 0; b < c; b++) {
            QcField other = t->column[b].name;
            if (other.end - other.at != name.end - name.at ||
                memcmp(other.at, name.at, (size_t)(name.end - name.at)))
                continue;
            if (!twins++) first = b, second = c;
            break;
        }
    }
    if (twins)
        qc_import_warn(t->o, "%.200s: columns %u and %u are both called '%.*s'%s: numbers tell them apart",
                       t->lines.name, first + 1, second + 1, QC_FIELD(t->column[first].name),
                       twins > 1 ? " (and there are more of one name)" : "");
}

static void warn_of_leaks(const QcTable *t)
{
    char text[80];
    for (uint32_t c = 0; c < t->columns; c++)
        if (qc_column_is_free(t, c) && !t->o->columns &&
            (qc_name_is_leak(t->column[c].name) || qc_name_is_index(t->column[c].name) ||
             qc_name_is_time(t->column[c].name)))
            qc_import_warn(t->o,
                           "%.200s: '%s' is taken as a value, but may reveal the label: --ignore leaves it out, "
                           "--columns silences this",
                           t->lines.name, qc_column_called(text, t, c));
}

int qc_table_doubt(const QcTable *t, QcErr *err)
{
    if (check_order(t, err) || check_rising(t, err) || check_falling(t, err)) return -1;
    note_twins(t);
    warn_of_leaks(t);
    return 0;
}
