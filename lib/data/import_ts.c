/* UCR/UEA archive, .ts: "#" and "%" comments, "@" header lines, then a series per line, channels parted by ':', values
 * by ',', the class last. With @timeStamps true a value is (time,value). All channels of a series have the same times,
 * or are resampled to the span that they share.
 *
 * Labels are the names after @classLabel, in this order. Ids are 21 bits of the file's digest and the row, so that two
 * files of an archive can be joined.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "import.h"
#include "lines.h"
#include "series.h"
#include "stamps.h"
#include "tree.h"

typedef struct Header {
    int has_labels, has_times, seen_data, equal; /* equal: no @equalLength false */
    uint32_t dimensions, length; /* as declared; 0 = not */
} Header;

typedef struct Reader {
    QcLines lines;
    Header header;
    QcSeriesList *list;
    uint32_t channels; /* of this file; 0 = not known yet */
    float *row; /* one channel while it is read; malloc'd */
    double *times; /* and its time stamps */
    uint32_t room;
    const QcImportOptions *o;
} Reader;

/* The times of a series. */
typedef struct Grid {
    double from, step;
    uint32_t n;
    int own; /* 1: these are the times of every channel, and n is the longest channel's length */
} Grid;

static int recognise(const char *path) { return qc_path_ends_in(path, ".ts") && !qc_is_folder(path); }

static int read_flag(int *flag, const QcLines *l, QcField value, const char *key, QcErr *err)
{
    *flag = qc_field_is(value, "true");
    if (*flag || qc_field_is(value, "false")) return 0;
    return qc_lines_fail(l, err, "%s is neither true nor false: '%.*s'", key, QC_FIELD(value));
}

static int read_count(uint32_t *count, const QcLines *l, QcField value, const char *key, QcErr *err)
{
    uint64_t n = 0;
    for (const char *c = value.at; c < value.end && n < 1u << 24; c++)
        n = *c >= '0' && *c <= '9' ? n * 10 + (uint64_t)(*c - '0') : 1u << 24;
    if (!n || n >= 1u << 24) return qc_lines_fail(l, err, "%s is no sensible number: '%.*s'", key, QC_FIELD(value));
    *count = (uint32_t)n;
    return 0;
}

static int read_labels(Header *h, QcSeriesList *d, const QcLines *l, QcField rest, QcErr *err)
{
    QcField word;
    if (!qc_field_next(&rest, &word, ' ') || read_flag(&h->has_labels, l, word, "@classLabel", err)) return -1;
    while (qc_field_next(&rest, &word, ' ')) {
        char name[QC_FIELD_NAME];
        if (qc_field_name(name, l, word, err) || qc_names_add(&d->labels, &d->arena, name, NULL, err)) return -1;
    }
    if (h->has_labels && !d->labels.n) return qc_lines_fail(l, err, "@classLabel true, but no classes are named");
    return 0;
}

/* One line that begins with '@'. Names are taken in either case, as the archive itself spells them both ways. */
static int read_header_line(Header *h, QcSeriesList *d, const QcLines *l, const QcImportOptions *o, QcField line,
                            QcErr *err)
{
    QcField key, rest = line, value;
    int flag = 0;
    qc_field_next(&rest, &key, ' ');
    value = rest.at ? qc_field_trim(rest) : (QcField){key.end, key.end};
    if (qc_field_is(key, "@data")) return h->seen_data = 1, 0;
    if (qc_field_is(key, "@classLabel") || qc_field_is(key, "@class_label")) return read_labels(h, d, l, value, err);
    if (qc_field_is(key, "@dimensions") || qc_field_is(key, "@dimension"))
        return read_count(&h->dimensions, l, value, "@dimensions", err);
    if (qc_field_is(key, "@seriesLength")) return read_count(&h->length, l, value, "@seriesLength", err);
    if (qc_field_is(key, "@targetLabel")) {
        if (read_flag(&flag, l, value, "@targetLabel", err)) return -1;
        return flag ? qc_lines_fail(l, err, "the series have numbers to predict (@targetLabel), not classes") : 0;
    }
    if (qc_field_is(key, "@timeStamps")) return read_flag(&h->has_times, l, value, "@timeStamps", err);
    if (qc_field_is(key, "@missing")) return read_flag(&flag, l, value, "@missing", err); /* each value says it again */
    if (qc_field_is(key, "@equalLength")) return read_flag(&h->equal, l, value, "@equalLength", err);
    if (qc_field_is(key, "@univariate")) {
        if (read_flag(&flag, l, value, "@univariate", err)) return -1;
        if (flag) h->dimensions = 1;
        return 0;
    }
    if (qc_field_is(key, "@problemName")) return 0;
    qc_import_warn(o, "%.200s:%u: the header %.*s is not known and was left out", l->name, l->line, QC_FIELD(key));
    return 0;
}

static int is_data(QcField line) { return line.at < line.end && *line.at != '#' && *line.at != '%'; }

static int read_header(Header *h, QcSeriesList *d, QcLines *l, const QcImportOptions *o, QcErr *err)
{
    QcField line;
    *h = (Header){.equal = 1};
    while (!h->seen_data && qc_lines_next(l, &line)) {
        if (!is_data(line)) continue;
        if (*line.at != '@')
            return qc_lines_fail(
                l, err,
                "neither a comment (# or %%) nor a header (@), and @data has not come yet: is this a .ts file?");
        if (read_header_line(h, d, l, o, line, err)) return -1;
    }
    return h->seen_data ? 0 : qc_fail(err, QC_EFORMAT, "%.300s: no @data line: this is not a .ts file", l->name);
}

/* --- a series -------------------------------------------------------------------------------------------- */

/* Up to the next ':' that does not stand in parentheses: dates have it, too. */
static int next_channel(QcField *line, QcField *channel)
{
    if (!line->at) return 0;
    int depth = 0;
    const char *at = line->at;
    for (; at < line->end && (depth || *at != ':'); at++) depth += *at == '(' ? 1 : *at == ')' && depth ? -1 : 0;
    *channel = qc_field_trim((QcField){line->at, at});
    line->at = at < line->end ? at + 1 : NULL;
    return 1;
}

static uint32_t count_channels(QcField line)
{
    QcField channel;
    uint32_t n = 0;
    while (next_channel(&line, &channel)) n++;
    return n;
}

static uint32_t count_values(const Reader *r, QcField channel)
{
    uint32_t n = 0;
    if (!r->header.has_times) return qc_field_count(channel, ',');
    for (const char *at = channel.at; at < channel.end; at++) n += *at == '(' ? 1 : 0;
    return n;
}

static int make_room(Reader *r, uint32_t n, QcErr *err)
{
    if (n <= r->room) return 0;
    float *row = realloc(r->row, n * sizeof *row);
    if (row) r->row = row;
    double *times = row ? realloc(r->times, n * sizeof *times) : NULL;
    if (times) r->times = times;
    if (!times) return qc_fail_memory(err, "a series");
    r->room = n;
    return 0;
}

static int read_values(Reader *r, uint32_t c, QcField channel, uint32_t n, QcErr *err)
{
    QcField field;
    const char *wrong;
    if (channel.at < channel.end && *channel.at == '(')
        return qc_lines_fail(&r->lines, err, "a time stamp, but the header does not say @timeStamps true");
    for (uint32_t t = 0; t < n && qc_field_next(&channel, &field, ','); t++)
        if (qc_series_value(&r->row[t], field, r->o->missing != QC_MISSING_REFUSE, &wrong))
            return qc_lines_fail(&r->lines, err, "value %u of channel %u '%.*s' %s", t + 1, c + 1, QC_FIELD(field),
                                 wrong);
    return 0;
}

/* "(time,value),(time,value)" */
static int read_stamped(Reader *r, uint32_t c, QcField channel, uint32_t n, QcErr *err)
{
    const char *wrong = NULL, *at = channel.at;
    for (uint32_t t = 0; t < n; t++) {
        const char *close = memchr(at, ')', (size_t)(channel.end - at));
        QcField pair = {at, close ? close : channel.end}, time, value;
        if (!close || *at != '(' || (pair.at++, !qc_field_next(&pair, &time, ',')) ||
            !qc_field_next(&pair, &value, ',') || pair.at)
            return qc_lines_fail(&r->lines, err, "value %u of channel %u is not of the form (time,value)", t + 1,
                                 c + 1);
        if (qc_stamp_read(&r->times[t], time))
            return qc_lines_fail(&r->lines, err, "time %u of channel %u '%.*s' is neither a number nor a date", t + 1,
                                 c + 1, QC_FIELD(time));
        if (qc_series_value(&r->row[t], value, r->o->missing != QC_MISSING_REFUSE, &wrong))
            return qc_lines_fail(&r->lines, err, "value %u of channel %u '%.*s' %s", t + 1, c + 1, QC_FIELD(value),
                                 wrong);
        if (t && r->times[t] <= r->times[t - 1])
            return qc_lines_fail(&r->lines, err, "time %u of channel %u is not after the one before it", t + 1, c + 1);
        for (at = close + 1; at < channel.end && (*at == ' ' || *at == ','); at++) continue;
    }
    if (at != channel.end) return qc_lines_fail(&r->lines, err, "channel %u is not a list of (time,value)", c + 1);
    return 0;
}

/* 1 if n times from `from` on with this step are the first times of the grid, as far as both go. */
static int same_times(const Grid *g, double from, double step, uint32_t n)
{
    double last = (n < g->n ? n : g->n) - 1.0, whole = fmax(step, g->step) * last;
    return fabs(from - g->from) <= 1e-6 * whole && fabs(from + step * last - g->from - g->step * last) <= 1e-6 * whole;
}

/* The times that all channels share: their own ones, or equal steps in the span that all of them have. */
static int find_grid(Grid *g, Reader *r, QcField line, QcErr *err)
{
    int resample = r->o->unequal == QC_UNEQUAL_RESAMPLE;
    double from = -INFINITY, to = INFINITY, least = INFINITY;
    QcField channel;
    *g = (Grid){.own = 1};
    for (uint32_t c = 0; c < r->list->channels && next_channel(&line, &channel); c++) {
        uint32_t n = count_values(r, channel);
        if (!n) return qc_lines_fail(&r->lines, err, "channel %u has no values", c + 1);
        if (make_room(r, n, err) || read_stamped(r, c, channel, n, err)) return -1;
        double first = r->times[0], last = r->times[n - 1], step = n > 1 ? (last - first) / (n - 1) : 0;
        int even = qc_stamps_even(r->times, n);
        if (!even && !resample)
            return qc_lines_fail(&r->lines, err,
                                 "the times of channel %u are not in equal steps (--unequal resample makes them)",
                                 c + 1);
        if (!c) g->from = first, g->step = step, g->n = n;
        g->own = g->own && even && same_times(g, first, step, n) && (!resample || n == g->n);
        if (!g->own && !resample)
            return qc_lines_fail(&r->lines, err,
                                 "channel %u has other times than channel 1 (--unequal resample takes the times that "
                                 "all channels share)", c + 1);
        if (n > g->n) g->n = n, g->step = step;
        from = fmax(from, first);
        to = fmin(to, last);
        if (n > 1) least = fmin(least, step);
    }
    if (g->own) return 0;
    if (to < from) return qc_lines_fail(&r->lines, err, "the channels of this series share no time");
    uint32_t steps = to > from ? (uint32_t)fmax(1, round((to - from) / least)) : 0;
    *g = (Grid){from, steps ? (to - from) / steps : 0, steps + 1, 0};
    return 0;
}

/* Windows have no rate of their own, so series of two rates look alike. */
static void compare_steps(QcSeriesList *list, double step)
{
    if (list->step <= 0) list->step = step;
    if (step > 0 && fabs(step - list->step) > 0.01 * list->step) list->other_steps++;
}

static int read_channel(Reader *r, const Grid *g, QcSeries *s, uint32_t c, QcField channel, QcErr *err)
{
    uint32_t n = count_values(r, channel);
    float *x = s->x + (uint64_t)c * s->length;
    if (make_room(r, n, err) ||
        (r->header.has_times ? read_stamped(r, c, channel, n, err) : read_values(r, c, channel, n, err)))
        return -1;
    if (!g->own) {
        qc_stamps_resample(x, s->length, g->from, g->step, r->row, r->times, n);
        return 0;
    }
    if (n != s->length && r->o->unequal == QC_UNEQUAL_REFUSE)
        return qc_lines_fail(&r->lines, err,
                             "channel %u has length %u instead of %u (--unequal pad or resample makes lengths equal)",
                             c + 1, n, s->length);
    if (n && n != s->length && r->o->unequal == QC_UNEQUAL_RESAMPLE) qc_series_resample(x, s->length, r->row, n);
    else if (n) memcpy(x, r->row, n * sizeof *x);
    return 0;
}

static int read_label(int32_t *label, const Reader *r, QcField field, QcErr *err)
{
    char name[QC_FIELD_NAME];
    if (qc_field_name(name, &r->lines, field, err)) return -1;
    int64_t index = qc_names_find(&r->list->labels, name);
    if (index < 0) return qc_lines_fail(&r->lines, err, "class '%.60s' is not one of those named by @classLabel", name);
    *label = (int32_t)index;
    return 0;
}

/* The longest channel of the series on this line. */
static uint32_t measure(const Reader *r, QcField line)
{
    QcField channel;
    uint32_t length = 0;
    for (uint32_t c = 0; c < r->list->channels && next_channel(&line, &channel); c++) {
        uint32_t n = count_values(r, channel);
        if (n > length) length = n;
    }
    return length;
}

static int check_channels(Reader *r, QcField line, QcErr *err)
{
    const Header *h = &r->header;
    uint32_t parts = count_channels(line), labels = h->has_labels ? 1 : 0;
    if (!r->channels) {
        r->channels = parts - labels;
        if (r->channels && qc_series_channels(r->list, r->channels, r->lines.name, err)) return -1;
        if (!r->channels) return qc_lines_fail(&r->lines, err, "a class is expected after the last ':'");
        if (h->dimensions && r->channels != h->dimensions)
            return qc_lines_fail(&r->lines, err, "%u channels, but the header says %u", r->channels, h->dimensions);
    }
    if (parts == r->list->channels + labels) return 0;
    return qc_lines_fail(&r->lines, err, "%u parts between ':', but %u channels%s are expected", parts,
                         r->list->channels, labels ? " and a class" : "");
}

static int read_series(Reader *r, QcField line, QcErr *err)
{
    QcField field;
    Grid grid = {.own = 1};
    if (check_channels(r, line, err) || (r->header.has_times && find_grid(&grid, r, line, err))) return -1;
    compare_steps(r->list, grid.step);
    uint32_t length = grid.own ? measure(r, line) : grid.n,
             declared = r->o->unequal == QC_UNEQUAL_REFUSE && r->header.equal ? r->header.length : 0;
    if (declared && length != declared)
        return qc_lines_fail(&r->lines, err, "a series of length %u, but the header says %u", length, declared);
    QcSeries *s = qc_series_add(r->list, length, err);
    if (!s) return -1;
    s->line = r->lines.line;
    s->file = r->lines.name;
    for (uint32_t c = 0; c < r->list->channels; c++)
        if (next_channel(&line, &field), read_channel(r, &grid, s, c, field, err)) return -1;
    return r->header.has_labels ? next_channel(&line, &field), read_label(&s->label, r, field, err) : 0;
}

static int read_all(Reader *r, QcErr *err)
{
    QcField line;
    uint64_t base = qc_lines_id(&r->lines), n = 0;
    if (read_header(&r->header, r->list, &r->lines, r->o, err)) return -1;
    while (qc_lines_next(&r->lines, &line)) {
        if (!is_data(line)) continue;
        if (read_series(r, line, err)) return -1;
        r->list->items[r->list->n - 1].id = base + n++;
        qc_lines_progress(&r->lines, r->o->progress, r->o->ctx);
    }
    return n ? 0 : qc_fail(err, QC_EFORMAT, "%.300s: there are no series after @data", r->lines.name);
}

static int gather(QcSeriesList *list, const char *path, const QcImportOptions *o, QcErr *err)
{
    Reader r = {.o = o, .list = list};
    if (qc_lines_open(&r.lines, path, err)) return -1;
    list->keeps_order = !list->n || list->keeps_order;
    list->one_window = 1;
    int status = read_all(&r, err);
    free(r.row);
    free(r.times);
    qc_lines_close(&r.lines);
    return status;
}

static const QcImportRow *const rows[] = {&qc_row_features, &qc_row_unequal, &qc_row_missing,
                                          &qc_row_length,   QC_ROWS_FILES,   NULL};

const QcImporter qc_importer_ts = {"ts", "UCR/UEA archive, .ts", rows, recognise, NULL, gather, 1};
