/* The roles of the columns of a table, in one sentence. */
#include <stdio.h>
#include <string.h>

#include "../base/plural.h"
#include "namepattern.h"
#include "table.h"

const char *qc_column_called(char text[80], const QcTable *t, uint32_t c)
{
    QcField name = t->column[c].name;
    if (name.at < name.end) snprintf(text, 80, "%.*s", QC_FIELD(name));
    else snprintf(text, 80, "column %u", c + 1);
    return text;
}

static void add_name(char *list, size_t room, const QcTable *t, uint32_t c)
{
    char text[80];
    size_t used = strlen(list);
    snprintf(list + used, room - used, "%s%s", used ? ", " : "", qc_column_called(text, t, c));
}

/* "ax, ay, az", or "p0 to p149" if there are many. */
static void list_values(char *list, size_t room, const QcTable *t)
{
    uint32_t first = 0, last = 0;
    for (uint32_t c = 0; c < t->columns; c++) {
        if (t->column[c].role != QC_ROLE_VALUE) continue;
        if (!t->column[c].place) first = c;
        if (t->column[c].place == t->values - 1) last = c;
    }
    char one[80], two[80];
    if (t->values > 6) {
        snprintf(list, room, "%s to %s", qc_column_called(one, t, first), qc_column_called(two, t, last));
        return;
    }
    for (uint32_t k = 0; k < t->values; k++)
        for (uint32_t c = 0; c < t->columns; c++)
            if (t->column[c].role == QC_ROLE_VALUE && t->column[c].place == k) add_name(list, room, t, c);
}

/* " (milliseconds, 50 samples/s)"; nothing where times are of no use. */
static const char *say_time(char text[80], const QcTable *t)
{
    static const struct {
        double seconds;
        const char *name;
    } units[] = {{1, "seconds"},           {1e-3, "milliseconds"}, {1e-6, "microseconds"},
                 {1e-9, "nanoseconds"}, {60, "minutes"},        {3600, "hours"}};
    const QcColumn *c = &t->column[t->time];
    *text = 0;
    if (!t->is_samples || !(t->step > 0)) return text;
    if (!(t->unit > 0)) return snprintf(text, 80, " (steps of %.6g, unit not known)", t->step), text;
    for (size_t k = 0; k < sizeof units / sizeof *units; k++)
        if (t->unit == units[k].seconds)
            snprintf(text, 80, " (%s, %.6g %s/s)", c->stamps > c->numbers ? "dates" : units[k].name,
                     1 / (t->mean_step * t->unit), t->repeats >= 1.5 ? "different times" : "samples");
    return text;
}

static int is_named_by_file(const QcTable *t, int part)
{
    return t->o->name_pattern && qc_namepattern_has(t->o->name_pattern, part);
}

void qc_table_summary(const QcTable *t, uint32_t classes)
{
    char values[500] = "", ignored[300] = "", rest[600] = "", name[80], time[80];
    uint32_t left_out = 0;
    if (!t->o->note) return;
    list_values(values, sizeof values, t);
    for (uint32_t c = 0; c < t->columns; c++)
        if ((t->column[c].role == QC_ROLE_IGNORED || t->column[c].role == QC_ROLE_EMPTY) && left_out++ < 6)
            add_name(ignored, sizeof ignored, t, c);
    size_t n = 0;
    if (is_named_by_file(t, QC_PART_LABEL))
        n += (size_t)snprintf(rest + n, sizeof rest - n, "; label: of the file's name");
    else if (t->label != QC_NO_COLUMN)
        n += (size_t)snprintf(rest + n, sizeof rest - n, "; label: %s (%u class%s)",
                              qc_column_called(name, t, t->label), classes, qc_plural(classes, "es"));
    else if (!t->o->segments) /* which a file of their own labels */
        n += (size_t)snprintf(rest + n, sizeof rest - n, "; no label");
    if (is_named_by_file(t, QC_PART_GROUP))
        n += (size_t)snprintf(rest + n, sizeof rest - n, "; group: of the file's name");
    else if (t->group != QC_NO_COLUMN)
        n += (size_t)snprintf(rest + n, sizeof rest - n, "; group: %s", qc_column_called(name, t, t->group));
    if (t->recording != QC_NO_COLUMN)
        n += (size_t)snprintf(rest + n, sizeof rest - n, "; recording: %s", qc_column_called(name, t, t->recording));
    if (t->time != QC_NO_COLUMN)
        n += (size_t)snprintf(rest + n, sizeof rest - n, "; %s: %s%s", t->is_samples ? "time" : "ignored",
                              qc_column_called(name, t, t->time), say_time(time, t));
    int time_ignored = t->time != QC_NO_COLUMN && !t->is_samples;
    if (*ignored)
        snprintf(rest + n, sizeof rest - n, "%s%s%s", time_ignored ? ", " : "; ignored: ", ignored,
                 left_out > 6 ? " and others" : "");
    uint32_t channels = t->is_samples || t->o->features ? t->values : t->o->channels ? t->o->channels : 1;
    if (t->is_samples || t->o->features)
        qc_import_note(t->o, "%u channel%s %s%s", channels, qc_plural(channels, "s"), values, rest);
    else
        qc_import_note(t->o, "%u value%s (%s), %u channel%s per row%s%s", t->values, qc_plural(t->values, "s"), values,
                       channels, qc_plural(channels, "s"), t->has_header ? "" : ", no header", rest);
}
