/* The time column of a table: its unit, its rate, and what contradicts them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "table.h"

/* Seconds in one unit: dates; else by the name; else by the size of a number since 1970; else steps below 1 are of
 * seconds. 0: not known, as 0, 10, 20 may be milliseconds or seconds. */
static double unit_of(const QcTable *t, uint32_t c, double step)
{
    const QcColumn *column = &t->column[c];
    if (column->stamps > column->numbers) return 1;
    double named = qc_name_unit(column->name), size = fabs(column->last);
    if (named > 0) return named;
    if (size > 1e17) return 1e-9;
    if (size > 1e14) return 1e-6;
    if (size > 1e11) return 1e-3;
    return size > 1e8 || (step > 0 && step < 1) ? 1 : 0;
}

static int is_seconds(const char *span) { return span && *span && span[strlen(span) - 1] == 's'; }

/* Numbers without fractions may be rounded, so that a step is off by nearly one. */
static int contradicts(const QcTable *t, double rate)
{
    const QcColumn *c = &t->column[t->time];
    double step = 1 / (rate * t->unit), room = 0.15 * t->step;
    if (c->numbers && c->whole == c->numbers) room = fmax(room, 1);
    return fabs(step - t->step) > room;
}

static int check_rate(const QcTable *t, QcErr *err)
{
    char text[80];
    const QcImportOptions *o = t->o;
    int seconds = is_seconds(o->window) || is_seconds(o->stride);
    const char *name = qc_column_called(text, t, t->time);
    if (t->window != QC_NO_COLUMN || !(t->step > 0)) return 0;
    if (t->repeats >= 1.5) {
        if (!seconds || o->rate > 0) return 0;
        return qc_fail(err, QC_EUSAGE,
                       "%.200s: '%s' repeats (%.3g rows per time): give --rate HZ, or --window as a number of samples",
                       t->lines.name, name, t->repeats);
    }
    if (!(t->unit > 0)) {
        if (!seconds || o->rate > 0) return 0;
        return qc_fail(err, QC_EUSAGE,
                       "%.200s: '%s' has steps of %.6g, but no unit: give --rate HZ (%.6g if they are milliseconds, "
                       "%.6g if seconds)",
                       t->lines.name, name, t->step, 1000 / t->step, 1 / t->step);
    }
    if (o->rate > 0 && contradicts(t, o->rate))
        return qc_fail(err, QC_EUSAGE,
                       "%.200s: --rate %.6g contradicts '%s' (%.6g samples/s): leave --rate out, or give --time-column "
                       "none",
                       t->lines.name, o->rate, name, 1 / (t->step * t->unit));
    return 0;
}

/* 13/2/2026 has the day first, 2/13/2026 the month; of one day alone it makes no difference. */
static int find_order(QcTable *t, QcErr *err)
{
    char text[80];
    const QcColumn *c = &t->column[t->time];
    t->day_first = c->day_first > 0;
    if (!t->is_samples || !c->days_differ || !c->day_first != !c->month_first) return 0;
    return qc_fail(err, QC_EUSAGE,
                   "%.200s: '%s' has dates such as 3/2/2026, where the day or the month may be first: write them as "
                   "2026-03-02, or leave the times out (--time-column none --ignore %u)",
                   t->lines.name, qc_column_called(text, t, t->time), t->time + 1);
}

/* Dates without separators, such as 20260302100000: year, month, day and time of day in one number. */
static int is_digits_of_date(double v)
{
    static const double units[] = {1e9, 1e6, 1e2, 1}; /* 17, 14, 10 (hours) and 8 digits */
    for (size_t k = 0; k < sizeof units / sizeof *units; k++) {
        double day = floor(v / units[k]), clock = floor((v - day * units[k]) / (units[k] / 1e6));
        int month = (int)fmod(floor(day / 100), 100), date = (int)fmod(day, 100);
        if (day < 19900101 || day > 20991231 || month < 1 || month > 12 || date < 1 || date > 31) continue;
        if (units[k] == 1 || (units[k] == 1e2 && v - day * 1e2 < 24)) return 1;
        if (clock < 240000 && fmod(clock, 1e4) < 6000 && fmod(clock, 1e2) < 60) return 1;
    }
    return 0;
}

static int refuse_digits(const QcTable *t, QcErr *err)
{
    char text[80];
    const QcColumn *c = &t->column[t->time];
    if (!t->is_samples || c->numbers < c->n || c->whole < c->numbers || !is_digits_of_date(c->first) ||
        !is_digits_of_date(c->last))
        return 0;
    return qc_fail(
        err, QC_EUSAGE,
        "%.200s: '%s' has dates without separators, such as %.0f: write them as 2026-03-02 10:00:00, or leave the "
        "times out (--time-column none --ignore %u)",
        t->lines.name, qc_column_called(text, t, t->time), c->first, t->time + 1);
}

/* Refuses times of an unknown form, such as 10:30, which would be taken as classes. */
int qc_table_check_times(const QcTable *t, QcErr *err)
{
    char text[80];
    for (uint32_t c = 0; c < t->columns; c++) {
        const QcColumn *column = &t->column[c];
        int clocks = column->clocks && column->clocks + column->missing == column->n;
        if (!qc_column_is_free(t, c) || (!clocks && (!qc_name_is_time(column->name) || qc_column_is_numeric(column))))
            continue;
        qc_column_called(text, t, c);
        return qc_fail(err, QC_EUSAGE,
                       "%.200s: '%s' has times of an unknown form: write them as 2026-03-02 10:00:00.5, as "
                       "10:00:00.5 or as numbers, or leave them out with --ignore %s",
                       t->lines.name, text, column->name.at < column->name.end ? text : text + strlen("column "));
    }
    return 0;
}

/* Rows in even steps of time are samples of a recording, not windows. */
int qc_table_find_time(QcTable *t, QcErr *err)
{
    char text[80];
    if (t->time == QC_NO_COLUMN) return 0;
    const QcColumn *c = &t->column[t->time];
    if (find_order(t, err) || refuse_digits(t, err)) return -1;
    t->step = qc_table_step(t, t->time);
    t->unit = unit_of(t, t->time, t->step);
    if (t->is_samples && t->repeats < 1.5 && t->high_step > 1.5 * t->low_step && t->window == QC_NO_COLUMN)
        qc_import_warn(t->o, "%.200s: '%s' has steps of %.4g to %.4g: windows take its samples as even", t->lines.name,
                       qc_column_called(text, t, t->time), t->low_step, t->high_step);
    if (t->is_samples) return check_rate(t, err);
    if (t->o->features || t->o->channels || t->o->time || t->values > 32) return 0;
    if (c->n < 3 || !(t->step > 0) || (c->numbers && c->rising + 1 < c->numbers - c->numbers / 8)) return 0;
    return qc_fail(err, QC_EUSAGE,
                   "%.200s: the rows are samples in time ('%s'): cut them with --window; or say --features if a row is "
                   "an example, or --window-column",
                   t->lines.name, qc_column_called(text, t, t->time));
}
