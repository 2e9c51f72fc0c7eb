#include "stamps.h"

#include <math.h>
#include <string.h>

#include "number.h"

/* Days from 1970-01-01 in the Gregorian calendar: years begin in March, so that the leap day is the last of them. */
static double days(int year, int month, int day)
{
    int y = year - (month <= 2), m = (month + 9) % 12;
    return 365.0 * y + floor(y / 4.0) - floor(y / 100.0) + floor(y / 400.0) + (153 * m + 2) / 5 + day - 1 - 719468;
}

/* 30 February is none. */
static int is_day(int year, int month, int day)
{
    if (month < 1 || month > 12 || day < 1) return 0;
    return days(year, month, day) < (month < 12 ? days(year, month + 1, 1) : days(year + 1, 1, 1));
}

/* Reads `digits` digits and, if `behind` is not zero, this sign after them. */
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

/* " PM" at the end: 12, else 0; -1: there is none. */
static int read_half(const char *at, const char **end)
{
    if (*end - at < 4 || ((*end)[-1] | 32) != 'm') return -1;
    char half = (char)((*end)[-2] | 32);
    if (half != 'a' && half != 'p') return -1;
    for (*end -= 2; *end > at && (*end)[-1] == ' '; --*end) continue;
    return half == 'p' ? 12 : 0;
}

/* "58", "58.5", or with the comma that ISO 8601 and Python's logging have. */
static int read_second(double *second, const char *at, const char *end)
{
    char text[32];
    size_t n = (size_t)(end - at);
    if (n < 1 || n >= sizeof text || *at < '0' || *at > '9') return -1;
    memcpy(text, at, n);
    char *comma = memchr(text, ',', n);
    if (comma) *comma = '.';
    at = text;
    return qc_number_read_double(second, &at, text + n) || at != text + n || !(*second < 61) ? -1 : 0;
}

/* One digit or two. */
static int take_short(int *value, const char **at, const char *end, char behind)
{
    int digits = end - *at >= 2 && (*at)[1] >= '0' && (*at)[1] <= '9' ? 2 : 1;
    return take(value, at, end, digits, behind);
}

static int read_clock(double *seconds, const char *at, const char *end)
{
    int hour, minute, half = read_half(at, &end);
    double second = 0;
    if (take_short(&hour, &at, end, ':') || take(&minute, &at, end, 2, 0) || minute > 59) return -1;
    if (half >= 0 && (hour < 1 || hour > 12)) return -1;
    if (half >= 0) hour = hour % 12 + half;
    if (hour > 23 || (at < end && *at++ != ':')) return -1;
    if (at < end && read_second(&second, at, end)) return -1;
    *seconds = hour * 3600.0 + minute * 60.0 + second;
    return 0;
}

/* A time of day without a date needs seconds, because 12:30 is ambiguous: "12:30:00", or "12:30.5" as spreadsheets
 * show it. */
static int read_clock_alone(double *seconds, const char *at, const char *end)
{
    int minute;
    double second;
    const char *colon = memchr(at, ':', (size_t)(end - at));
    if (!colon) return -1;
    if (memchr(colon + 1, ':', (size_t)(end - colon - 1))) return read_clock(seconds, at, end);
    if (!memchr(colon, '.', (size_t)(end - colon)) || take_short(&minute, &at, end, ':') || minute > 59 ||
        read_second(&second, at, end))
        return -1;
    *seconds = minute * 60.0 + second;
    return 0;
}

/* "May" in either case: 5; 0: none. */
static int read_month(const char *at, const char *end)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (int k = 0; k < 12 && end - at >= 3; k++)
        if ((at[0] | 32) == names[3 * k] && (at[1] | 32) == names[3 * k + 1] && (at[2] | 32) == names[3 * k + 2])
            return k + 1;
    return 0;
}

typedef enum Order { YEAR_FIRST, DAY_FIRST, MONTH_FIRST } Order;

/* Year, month and day with this sign between them; the year has four digits. */
static int take_date(double *day_number, const char **at, const char *end, Order order, char sign)
{
    int year, month, day, status;
    if (order == YEAR_FIRST)
        status = take(&year, at, end, 4, sign) || take_short(&month, at, end, sign) || take_short(&day, at, end, 0);
    else if (order == DAY_FIRST)
        status = take_short(&day, at, end, sign) || take_short(&month, at, end, sign) || take(&year, at, end, 4, 0);
    else status = take_short(&month, at, end, sign) || take_short(&day, at, end, sign) || take(&year, at, end, 4, 0);
    if (status || !is_day(year, month, day)) return -1;
    *day_number = days(year, month, day);
    return 0;
}

/* 31-May-2024 */
static int take_named(double *day_number, const char **at, const char *end)
{
    int year, month, day;
    if (take_short(&day, at, end, 0) || end - *at < 5 || (**at != '-' && **at != ' ')) return -1;
    char sign = *(*at)++;
    month = read_month(*at, end);
    if (!month || (*at)[3] != sign) return -1;
    *at += 4;
    if (take(&year, at, end, 4, 0) || !is_day(year, month, day)) return -1;
    *day_number = days(year, month, day);
    return 0;
}

/* The clock after a date. */
static int read_rest(double *time, double day_number, const char *at, const char *end)
{
    double seconds = 0, zone = 0;
    if (at < end && *at != ' ' && *at != 'T') return -1;
    if (at < end && read_zone(&zone, at + 1, &end)) return -1;
    if (at < end && read_clock(&seconds, at + 1, end)) return -1;
    *time = day_number * 86400.0 + seconds - zone;
    return 0;
}

static int read_date(double *time, QcField field)
{
    static const struct {
        Order order;
        char sign;
    } forms[] = {{YEAR_FIRST, '-'}, {YEAR_FIRST, '/'}, {YEAR_FIRST, '.'}, {DAY_FIRST, '.'}};
    double day_number;
    const char *at;
    if (field.end - field.at < 8) return -1; /* 1.1.2024 */
    for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) {
        at = field.at;
        if (!take_date(&day_number, &at, field.end, forms[k].order, forms[k].sign))
            return read_rest(time, day_number, at, field.end);
    }
    at = field.at;
    return take_named(&day_number, &at, field.end) ? -1 : read_rest(time, day_number, at, field.end);
}

int qc_stamp_read(double *time, QcField field)
{
    const char *at = field.at;
    if (!qc_number_read_double(time, &at, field.end) && at == field.end) return 0;
    return read_date(time, field) && read_clock_alone(time, field.at, field.end) ? -1 : 0;
}

int qc_stamp_read_slashed(double *time, QcField field, int day_first)
{
    double day_number;
    const char *at = field.at;
    if (take_date(&day_number, &at, field.end, day_first ? DAY_FIRST : MONTH_FIRST, '/')) return -1;
    return read_rest(time, day_number, at, field.end);
}

int qc_stamps_even(const double *times, uint32_t n)
{
    if (n < 3) return 1;
    double whole = times[n - 1] - times[0], step = whole / (n - 1);
    for (uint32_t t = 0; t < n; t++)
        if (fabs(times[t] - times[0] - step * t) > 1e-6 * whole) return 0;
    return 1;
}

void qc_stamps_resample(float *out, uint32_t n_out, double from, double step, const float *x, const double *times,
                        uint32_t n)
{
    for (uint32_t t = 0, left = 0; t < n_out; t++) {
        double at = from + step * t;
        while (left + 2 < n && times[left + 1] <= at) left++;
        double part = n < 2 ? 0 : (at - times[left]) / (times[left + 1] - times[left]);
        out[t] = part <= 0   ? x[left]
                 : part >= 1 ? x[left + 1]
                             : (float)(x[left] + (x[left + 1] - (double)x[left]) * part);
    }
}
