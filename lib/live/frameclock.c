#include "frameclock.h"

#include <math.h>

#include "../data/number.h"
#include "../data/stamps.h"
#include "../data/table.h"

void qc_frameclock_init(QcFrameClock *c, QcField name)
{
    *c = (QcFrameClock){.now = NAN, .unit = qc_name_unit(name)};
}

/* Seconds since 1970 are 1.7e9 today, so a larger number has a smaller unit. */
static double unit_of(double number) { return number > 1e17 ? 1e-9 : number > 1e14 ? 1e-6 : number > 1e11 ? 1e-3 : 1; }

/* Dates and clocks are in seconds whatever the column is called. */
static int is_number(QcField stamp)
{
    double value;
    const char *at = stamp.at;
    return !qc_number_read_double(&value, &at, stamp.end) && at == stamp.end;
}

static void sort(double *x, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++)
        for (uint32_t k = i; k > 0 && x[k - 1] > x[k]; k--) {
            double larger = x[k - 1];
            x[k - 1] = x[k];
            x[k] = larger;
        }
}

/* 1: the usual step is learned from this step and the steps before it. */
static int learn_step(QcFrameClock *c, double seconds)
{
    c->first[c->n++] = seconds;
    if (c->n < QC_CLOCK_STEPS) return 0;
    sort(c->first, c->n);
    c->step = c->first[c->n / 2];
    c->n = 0;
    return 1;
}

/* Reads a date with slashes; a date such as 13/2/2026 sets c->order. -1: not such a date; 1: c->order is not known. */
static int read_slashed(double *time, QcFrameClock *c, QcField stamp)
{
    double other;
    int day = !qc_stamp_read_slashed(time, stamp, 1), month = !qc_stamp_read_slashed(&other, stamp, 0);
    if (!day && !month) return -1;
    if (day && month && !c->order) return 1;
    if (!c->order) c->order = day ? 1 : 2;
    if (c->order == 2) *time = other;
    return (c->order == 1 ? day : month) ? 0 : -1;
}

/* The colons of a clock that has no date before it: hours and minutes have two, minutes one; 0: another stamp. */
static int count_colons(QcField stamp)
{
    int n = 0;
    const char *at = stamp.at;
    while (at < stamp.end && *at >= '0' && *at <= '9') at++;
    if (at == stamp.end || *at != ':') return 0;
    for (; at < stamp.end; at++) n += *at == ':';
    return n;
}

/* The time of a clock that starts again at midnight or at the full hour. A stamp that seems to be almost a period later
 * is slightly earlier than the stamp before it. */
static double unwrap(QcFrameClock *c, double time, double before)
{
    if (isnan(before)) return time;
    if (c->zero + time < before - c->period / 2) c->zero += c->period;
    if (c->zero + time > before + c->period - QC_CLOCK_BACK) c->zero -= c->period;
    return c->zero + time;
}

QcFrameStep qc_frameclock_take(QcFrameClock *c, QcField stamp, double *seconds)
{
    double time, before = c->now;
    *seconds = 0;
    int slashed = qc_stamp_read(&time, stamp) ? read_slashed(&time, c, stamp) : 0;
    if (slashed > 0) return QC_STEP_UNSURE;
    if (slashed < 0 || !isfinite(time)) return QC_STEP_BAD;
    if (is_number(stamp)) {
        if (!(c->unit > 0)) c->unit = unit_of(time);
        time *= c->unit;
    }
    int colons = count_colons(stamp);
    c->period = !colons ? 0 : colons == 1 ? QC_CLOCK_DAY / 24 : QC_CLOCK_DAY;
    if (colons) time = unwrap(c, time, before);
    c->now = time;
    if (isnan(before)) return QC_STEP_USUAL;
    *seconds = time - before;
    if (*seconds < 0) return *seconds > -c->step / 2 ? QC_STEP_USUAL : QC_STEP_BACK;
    if (c->step > 0 && *seconds > QC_CLOCK_GAP * c->step) return learn_step(c, *seconds) ? QC_STEP_SLOWER : QC_STEP_GAP;
    if (c->step > 0) c->n = 0;
    else if (*seconds > 0) learn_step(c, *seconds);
    return QC_STEP_USUAL;
}
