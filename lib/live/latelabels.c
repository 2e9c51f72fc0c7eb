#include "latelabels.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "../data/number.h"
#include "../data/stamps.h"
#include "../format/spareclasses.h"
#include "frameclock.h"
#include "framecolumns.h"

void qc_latelabels_init(QcLateLabels *l, QcModelFile *m, QcWindowTimes *window, uint32_t ring, uint32_t next)
{
    *l = (QcLateLabels){.m = m, .window = window, .ring = ring, .next = next, .now = NAN};
}

/* ---- a line ---- */

static int __attribute__((format(printf, 2, 3))) refuse(QcLateLabels *l, const char *format, ...)
{
    char text[QC_LABELS_WORDS];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    qc_text_copy(l->words, sizeof l->words, text, QC_TEXT_PLAIN);
    return -1;
}

/* The sign between two ends of a span: a slash, or the one dash that is not of a date. */
static const char *middle_of(QcField span)
{
    const char *slash = memchr(span.at, '/', (size_t)(span.end - span.at)),
               *dash = memchr(span.at, '-', (size_t)(span.end - span.at));
    return slash ? slash : dash;
}

static int is_whole(QcField text)
{
    for (const char *at = text.at; at < text.end; at++)
        if (*at < '0' || *at > '9') return 0;
    return text.at < text.end && text.end - text.at <= 10;
}

static double number_of(QcField text)
{
    double value = 0;
    for (const char *at = text.at; at < text.end; at++) value = 10 * value + (*at - '0');
    return value;
}

/* Seconds of a day, of the day that is nearest to now. */
static double on_nearest_day(double time, double now)
{
    const double half = QC_CLOCK_DAY / 2;
    time += QC_CLOCK_DAY * floor(now / QC_CLOCK_DAY);
    return time > now + half ? time - QC_CLOCK_DAY : time < now - half ? time + QC_CLOCK_DAY : time;
}

/* 1: the stream's times are dates or times of day, so that its zero is a midnight. */
static int has_days(const QcLateLabels *l) { return (l->is_clock && !isnan(l->now)) || l->now >= QC_CLOCK_DATE; }

/* "10:02:00": the day is the one that is nearest to now; seconds of a day while now is not known; "30:02:00" is after
 * the zero of a stream without days. Dates as they are. */
static int read_time(double *time, int *is_of_day, QcField text, const QcLateLabels *l)
{
    char stamp[64];
    int n = (int)(text.end - text.at);
    const char *colon = memchr(text.at, ':', (size_t)n);
    if (n < 3 || n > 40 || !colon) return -1;
    if (n > 4 && text.at[4] == '-') return qc_stamp_read(time, text);
    QcField hours = {text.at, colon};
    if (!is_whole(hours) || (number_of(hours) > 23 && (has_days(l) || isnan(l->now)))) return -1;
    int length = snprintf(stamp, sizeof stamp, "1970-01-01T00%.*s", (int)(text.end - colon), colon);
    if (qc_stamp_read(time, (QcField){stamp, stamp + length})) return -1;
    *time += 3600 * number_of(hours);
    if (has_days(l)) *time = on_nearest_day(*time, l->now);
    *is_of_day = isnan(l->now);
    return 0;
}

static int read_span(QcLateLabels *l, QcLateLabel *label, QcField span)
{
    const char *middle = middle_of(span);
    QcField from = middle ? (QcField){span.at, middle} : span, to = middle ? (QcField){middle + 1, span.end} : span;
    int is_open = middle && to.at == to.end && !is_whole(from); /* "10:02:00-": up to the latest window */
    if (is_open && !l->windows)
        return refuse(l, "label '%s': a span without an end needs an earlier window", label->text);
    if (is_whole(from) && is_whole(to)) {
        label->from = number_of(from);
        label->to = number_of(to);
    } else {
        int from_is_of_day = 0, to_is_of_day = 0;
        label->is_time = 1;
        label->to = l->now;
        if (!middle || read_time(&label->from, &from_is_of_day, from, l) ||
            (!is_open && read_time(&label->to, &to_is_of_day, to, l)))
            return refuse(l, "label '%s': '%.*s' is no number of a window and no span of time", label->text,
                          QC_FIELD(span));
        if (isnan(l->now) && l->windows)
            return refuse(l, "label '%s': the stream has no times (a time column, or --rate)", label->text);
        label->is_of_day = from_is_of_day && to_is_of_day;
        /* the span crosses midnight; if it would be longer than half a day, its ends are swapped */
        if (label->is_of_day && label->to + QC_CLOCK_DAY / 2 < label->from) label->to += QC_CLOCK_DAY;
    }
    return label->from <= label->to ? 0 : refuse(l, "label '%s': its end is before its start", label->text);
}

static int refuse_class(QcLateLabels *l, const char *label, QcField name)
{
    const char *like = qc_class_in_other_case(l->m, name.at, (size_t)(name.end - name.at));
    return refuse(l, "label '%s': the model has no class '%.*s'%s%.100s%s", label, QC_FIELD(name),
                  like ? "; did you mean '" : "", like ? like : "", like ? "'?" : "");
}

static int is_in(const QcLateLabel *label, const QcWindowTimes *w)
{
    if (label->is_time) return w->from >= label->from && w->to <= label->to; /* with NaN the result is 0 */
    return w->number >= label->from && w->number <= label->to;
}

int qc_latelabels_find(const QcLateLabels *l, const QcLateLabel *label, uint32_t *at, uint32_t *number)
{
    for (; *at < l->windows; ++*at) {
        const QcWindowTimes *w = &l->window[(l->next - l->windows + *at) % l->ring];
        if (!is_in(label, w)) continue;
        ++*at;
        *number = w->number;
        return 1;
    }
    return 0;
}

/* 1: no future window can be in the span. */
static int is_past(const QcLateLabels *l, const QcLateLabel *label)
{
    return label->is_time ? l->now > label->to : l->next > label->to;
}

/* Neither in the book nor to come. */
static int has_no_window(const QcLateLabels *l, const QcLateLabel *label)
{
    uint32_t at = 0, number;
    return is_past(l, label) && !qc_latelabels_find(l, label, &at, &number);
}

static int read_line(QcLateLabels *l, QcLateLabel *label)
{
    QcField line = qc_field_trim((QcField){l->line, l->line + l->length}), span;
    if (line.at == line.end || *line.at == '#') return 0;
    *label = (QcLateLabel){0};
    snprintf(label->text, sizeof label->text, "%.*s", (int)(line.end - line.at > 60 ? 60 : line.end - line.at),
             line.at);
    if (l->is_long) return refuse(l, "label '%s...': the line is too long", label->text);
    QcField rest = line;
    if (!qc_field_next(&rest, &span, ' ') || !rest.at)
        return refuse(l, "label '%s': a line is a window's number or a span, and a class", label->text);
    rest = qc_field_trim(rest);
    int is_new = qc_framecolumns_class(l->m, rest, 0) < 0;
    if (is_new && (!l->takes_classes || qc_class_in_other_case(l->m, rest.at, (size_t)(rest.end - rest.at))))
        return refuse_class(l, label->text, rest);
    if (read_span(l, label, span)) return -1;
    if (is_new && has_no_window(l, label)) /* nothing to learn from, so no row for it */
        return refuse(l, "label '%s': no such window is among the latest %u", label->text, l->ring);
    int32_t found = qc_framecolumns_class(l->m, rest, l->takes_classes);
    label->class_index = (uint32_t)found;
    return found >= 0 ? 1 : refuse_class(l, label->text, rest);
}

int qc_latelabels_byte(QcLateLabels *l, char byte, QcLateLabel *label)
{
    if (byte != '\n') {
        if (l->length < sizeof l->line)
            l->line[l->length++] = byte;
        else
            l->is_long = 1;
        return 0;
    }
    int status = read_line(l, label);
    l->length = 0;
    l->is_long = 0;
    return status;
}

/* ---- windows ---- */

int qc_latelabels_wait(QcLateLabels *l, const QcLateLabel *label)
{
    if (is_past(l, label)) return 1;
    if (l->n == QC_LABELS_WAITING) return -1;
    l->waiting[l->n++] = *label;
    return 0;
}

/* Labels that came before the stream said which day it is. */
static void say_day(QcLateLabels *l)
{
    for (uint32_t i = 0; i < l->n; i++) {
        QcLateLabel *label = &l->waiting[i];
        if (!label->is_of_day) continue;
        double shift = on_nearest_day(label->from, l->now) - label->from;
        label->from += shift;
        label->to += shift;
        label->is_of_day = 0;
    }
}

int qc_latelabels_window(QcLateLabels *l, QcWindowTimes window, uint32_t *class_index)
{
    int found = 0;
    uint32_t kept = 0;
    l->window[window.number % l->ring] = window;
    l->next = window.number + 1;
    if (l->windows < l->ring) l->windows++;
    int is_first = isnan(l->now);
    if (!isnan(window.to)) l->now = window.to;
    if (is_first && has_days(l)) say_day(l);
    for (uint32_t i = 0; i < l->n; i++) {
        if (is_in(&l->waiting[i], &window)) {
            *class_index = l->waiting[i].class_index; /* the latest label counts */
            l->waiting[i].found++;
            found = 1;
        }
        if (!is_past(l, &l->waiting[i]))
            l->waiting[kept++] = l->waiting[i];
        else
            l->unmatched += l->waiting[i].found == 0;
    }
    l->n = kept;
    return found;
}

uint64_t qc_latelabels_unmatched(const QcLateLabels *l)
{
    uint64_t n = l->unmatched;
    for (uint32_t i = 0; i < l->n; i++) n += l->waiting[i].found == 0;
    return n;
}
