#include "stamps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

/* Days from 1970-01-01 in the Gregorian calendar: years begin in March, so that the leap day is the last of them. */
static double days(int year, int month, int day)
{
    int y = year - (month <= 2), m = (month + 9) % 12;
    return 365.0 * y + floor(y / 4.0) - floor(y / 100.0) + floor(y / 400.0) + (153 * m + 2) / 5 + day - 1 - 719468;
}

/* `digits` digits and, where `behind` is not zero, that sign after them. */
static int take(int *value, const char **at, const char *end, int digits, char behind)
{
    *value = 0;
    for (int k = 0; k < digits; k++, ++*at) {
        if (*at >= end || **at < '0' || **at > '9') return -1;
        *value = *value * 10 + (**at - '0');
    }
    if (!behind) return 0;
    return *at < end && *(*at)++ == behind ? 0 : -1;
}

/* "Z", "+02:00" or "-0330" at the end, in seconds; the clock ends where it begins. */
static int read_zone(double *seconds, const char *at, const char **end)
{
    int hours, minutes;
    *seconds = 0;
    if (at < *end && (*end)[-1] == 'Z') return --*end, 0;
    for (const char *sign = at; sign < *end; sign++) {
        if (*sign != '+' && *sign != '-') continue;
        const char *digits = sign + 1;
        int colon = *end - digits == 5;
        if (take(&hours, &digits, *end, 2, colon ? ':' : 0) || take(&minutes, &digits, *end, 2, 0) || digits != *end ||
            hours > 23 || minutes > 59)
            return -1;
        *seconds = (*sign == '-' ? -1 : 1) * (hours * 3600.0 + minutes * 60.0);
        *end = sign;
        break;
    }
    return 0;
}

static int read_clock(double *seconds, const char *at, const char *end)
{
    int hour, minute;
    double second = 0;
    if (take(&hour, &at, end, 2, ':') || take(&minute, &at, end, 2, 0) || hour > 23 || minute > 59) return -1;
    if (at < end && *at++ != ':') return -1;
    if (at < end && (qc_number_read_double(&second, &at, end) || !(second >= 0 && second < 61))) return -1;
    *seconds = hour * 3600.0 + minute * 60.0 + second;
    return at == end ? 0 : -1;
}

static int read_date(double *time, const char *at, const char *end)
{
    int year, month, day;
    double seconds = 0, zone = 0;
    if (take(&year, &at, end, 4, '-') || take(&month, &at, end, 2, '-') || take(&day, &at, end, 2, 0) || month < 1 ||
        month > 12 || day < 1 || day > 31)
        return -1;
    if (at < end && *at != ' ' && *at != 'T') return -1;
    if (at < end && read_zone(&zone, at + 1, &end)) return -1;
    if (at < end && read_clock(&seconds, at + 1, end)) return -1;
    *time = days(year, month, day) * 86400.0 + seconds - zone;
    return 0;
}

int qc_stamp_read(double *time, QcField field)
{
    const char *at = field.at;
    if (!qc_number_read_double(time, &at, field.end) && at == field.end) return 0;
    return read_date(time, field.at, field.end);
}

int qc_stamps_even(const double *times, uint32_t n)
{
    if (n < 3) return 1;
    double whole = times[n - 1] - times[0], step = whole / (n - 1);
    for (uint32_t t = 0; t < n; t++)
        if (fabs(times[t] - times[0] - step * t) > 1e-6 * whole) return 0;
    return 1;
}

int qc_stamps_resample(float *x, const double *times, uint32_t n, QcErr *err)
{
    float *old = malloc(n * sizeof *old);
    if (!old) return qc_fail_memory(err, "a series");
    memcpy(old, x, n * sizeof *old);
    double step = (times[n - 1] - times[0]) / (n - 1);
    for (uint32_t t = 0, left = 0; t < n; t++) {
        double at = times[0] + step * t;
        while (left + 2 < n && times[left + 1] <= at) left++;
        double part = (at - times[left]) / (times[left + 1] - times[left]);
        if (part > 1) part = 1;
        x[t] = part <= 0   ? old[left]
               : part >= 1 ? old[left + 1]
                           : (float)(old[left] + (old[left + 1] - (double)old[left]) * part);
    }
    free(old);
    return 0;
}
