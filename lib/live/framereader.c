#include "framereader.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "../data/dataset.h"
#include "../data/number.h"
#include "../data/table.h"
#include "../format/fronttables.h"
#include "../format/spareclasses.h"
#include "framecolumns.h"

static int open_front(QcFrameReader *r, QcErr *err)
{
    const QcFrontSetup *s = &r->m->front;
    if (!s->rate) return 0;
    if (r->o.raw != QC_RAW_I16)
        return qc_fail(err, QC_EUSAGE,
                       "the model takes sound: give it samples of 16 bits, one channel, %u per second (--raw i16)",
                       s->rate);
    if (r->o.rate > 0 && r->o.rate != (double)s->rate)
        return qc_fail(err, QC_EUSAGE, "the model takes %u samples per second, not %g (--rate)", s->rate, r->o.rate);
    r->o.rate = s->rate;
    if (qc_fronttables_make(&r->front_end, s, &r->arena, err)) return -1;
    int32_t *memory = qc_arena_take(&r->arena, qc_front_words(&r->front_end), sizeof *memory, err);
    if (!memory) return -1;
    qc_front_init(&r->front, &r->front_end, memory);
    return 0;
}

/* Raw numbers have no names. */
static int number_channels(QcFrameReader *r, QcErr *err)
{
    char text[16];
    for (uint32_t c = 0; r->o.raw != QC_RAW_TEXT && c < r->m->channels; c++) {
        r->name[c] = qc_arena_text(&r->arena, text, (size_t)snprintf(text, sizeof text, "%u", c + 1), err);
        if (!r->name[c]) return -1;
    }
    return 0;
}

int qc_framereader_open(QcFrameReader *r, QcModelFile *m, const QcFrameOptions *o, QcErr *err)
{
    uint32_t part = m->length / 8;
    *r = (QcFrameReader){.o = *o,
                         .m = m,
                         .time = UINT32_MAX,
                         .label = UINT32_MAX,
                         .class_index = -1,
                         .seconds = NAN,
                         .fill_most = part ? part : 1};
    r->bytes = qc_arena_take(&r->arena, QC_FRAME_LINE, 1, err);
    r->x = qc_arena_take(&r->arena, m->channels, sizeof *r->x, err);
    r->row = qc_arena_take(&r->arena, m->channels, sizeof *r->row, err);
    r->absent = qc_arena_take(&r->arena, m->channels, sizeof *r->absent, err);
    r->name = qc_arena_take(&r->arena, m->channels, sizeof *r->name, err);
    if (r->bytes && r->x && r->row && r->absent && r->name && !number_channels(r, err) && !open_front(r, err)) return 0;
    qc_framereader_close(r);
    return -1;
}

void qc_framereader_close(QcFrameReader *r)
{
    if (!r) return;
    qc_arena_release(&r->arena);
    *r = (QcFrameReader){0};
}

uint8_t *qc_framereader_room(QcFrameReader *r, size_t *room)
{
    memmove(r->bytes, r->bytes + r->at, r->n - r->at); /* the rest of a line: all lines before it are read */
    r->n -= r->at;
    r->at = 0;
    *room = QC_FRAME_LINE - r->n;
    return r->bytes + r->n;
}

void qc_framereader_add(QcFrameReader *r, size_t n)
{
    r->n += n;
    r->has_ended = n == 0;
}

/* ---- breaks ---- */

static QcFrameKind __attribute__((format(printf, 2, 3))) break_off(QcFrameReader *r, const char *format, ...)
{
    char text[QC_FRAME_WORDS];
    va_list args;
    if (!r->is_broken) {
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        qc_text_copy(r->words, sizeof r->words, text, QC_TEXT_PLAIN);
        r->breaks++;
    }
    r->is_broken = 1;
    r->has_values = 0;
    return QC_FRAME_BREAK;
}

/* Values that are missing (NaN in x) take the value before them, for a while. */
static QcFrameKind fill(QcFrameReader *r, const float *x)
{
    uint64_t filled = 0;
    for (uint32_t c = 0; c < r->m->channels; c++) {
        r->absent[c] = isnan(x[c]) ? r->absent[c] + 1 : 0;
        if (!r->absent[c]) continue;
        filled++;
        if (r->has_values && r->absent[c] <= r->fill_most) continue;
        return r->has_values
                   ? break_off(r, "channel %s has no value in %u frames", r->name[c], r->absent[c])
                   : break_off(r, "channel %s has no value to start with", r->name[c]);
    }
    for (uint32_t c = 0; c < r->m->channels; c++)
        if (!isnan(x[c])) r->x[c] = x[c];
    r->filled += filled;
    r->has_values = 1;
    r->is_broken = 0;
    return QC_FRAME_NEXT;
}

/* ---- raw numbers ---- */

static float raw_value(const QcFrameReader *r, const uint8_t *at)
{
    if (r->o.raw == QC_RAW_I16) return (float)(int16_t)((unsigned)at[0] | (unsigned)at[1] << 8);
    union {
        uint32_t u;
        float f;
    } v = {.u = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24};
    return fabsf(v.f) <= QC_VALUE_MAX ? v.f : NAN;
}

static void tick(QcFrameReader *r)
{
    if (r->o.rate > 0) r->seconds = (double)(r->line - 1) / r->o.rate;
}

/* At the end: frames of another type or of other channels seldom end where the bytes do. */
static void note_rest(QcFrameReader *r, size_t frame)
{
    size_t rest = r->n - r->at;
    if (!r->has_ended || !rest) return;
    snprintf(r->note, sizeof r->note, "%zu byte%s at the end %s no whole frame of %zu bytes: is --raw right?", rest,
             rest > 1 ? "s" : "", rest > 1 ? "are" : "is", frame);
    r->at = r->n;
}

/* A frame of features after so many samples. */
static QcFrameKind next_sound(QcFrameReader *r)
{
    while (r->n - r->at >= 2) {
        int16_t sample = (int16_t)raw_value(r, r->bytes + r->at);
        r->at += 2;
        r->line++;
        if (!qc_front_push(&r->front, sample, r->row)) continue;
        tick(r);
        return fill(r, r->row);
    }
    note_rest(r, 2);
    return QC_FRAME_NONE;
}

static QcFrameKind next_raw(QcFrameReader *r)
{
    if (r->front.front) return next_sound(r);
    size_t item = r->o.raw == QC_RAW_I16 ? 2 : 4;
    if (r->n - r->at < item * r->m->channels) {
        note_rest(r, item * r->m->channels);
        return QC_FRAME_NONE;
    }
    for (uint32_t c = 0; c < r->m->channels; c++, r->at += item) r->row[c] = raw_value(r, r->bytes + r->at);
    r->line++;
    tick(r);
    return fill(r, r->row);
}

/* The header of a sound file would be read as numbers. */
static int refuse_header(const QcFrameReader *r, QcErr *err)
{
    static const char *const starts[] = {"RIFF", "FORM", "fLaC", "OggS"};
    for (size_t k = 0; k < sizeof starts / sizeof *starts && !r->line && r->n - r->at >= 4; k++)
        if (!memcmp(r->bytes + r->at, starts[k], 4))
            return qc_fail(err, QC_EFORMAT,
                           "standard input begins with '%s', as sound files do: --raw takes samples without a header",
                           starts[k]);
    return 0;
}

/* ---- text ---- */

/* 1 if an unknown name must be reported: each name once, at most QC_FRAME_UNKNOWN names. */
static int note_unknown(QcFrameReader *r, QcField cell)
{
    char name[QC_FRAME_NAME];
    snprintf(name, sizeof name, "%.*s", QC_FIELD(cell));
    for (uint32_t k = 0; k < r->n_unknown; k++)
        if (!strcmp(name, r->unknown[k])) return 0;
    if (r->n_unknown == QC_FRAME_UNKNOWN) return 0;
    memcpy(r->unknown[r->n_unknown++], name, sizeof name);
    return 1;
}

/* A class may have a name that elsewhere says that there is no value, such as null. */
static void take_label(QcFrameReader *r, QcField cell)
{
    char room[QC_CELL_TEXT], text[QC_FRAME_WORDS];
    cell = qc_table_text(cell, room);
    r->class_index = qc_framecolumns_class(r->m, cell, 0);
    if (r->class_index >= 0 || qc_number_is_missing(cell.at, cell.end)) return;
    r->class_index = qc_framecolumns_class(r->m, cell, r->takes_classes);
    if (r->class_index >= 0 || !note_unknown(r, cell)) return;
    const char *like = qc_class_in_other_case(r->m, cell.at, (size_t)(cell.end - cell.at));
    snprintf(text, sizeof text, "line %llu: the model has no class '%.*s'; such labels are left out%s%.60s%s",
             (unsigned long long)r->line, QC_FIELD(cell), like ? " (did you mean '" : "", like ? like : "",
             like ? "'?)" : "");
    qc_text_copy(r->note, sizeof r->note, text, QC_TEXT_PLAIN);
}

static QcFrameKind take_time(QcFrameReader *r, QcField cell)
{
    double gap;
    char room[QC_FRAME_NUMBER];
    double usual = r->clock.step;
    QcFrameStep step = qc_frameclock_take(&r->clock, qc_framecolumns_number(r, cell, room), &gap);
    r->is_unsure = step == QC_STEP_UNSURE;
    if (step == QC_STEP_BAD || r->is_unsure)
        return break_off(r, "line %llu: '%.*s' is no time", (unsigned long long)r->line, QC_FIELD(cell));
    r->seconds = r->clock.now;
    snprintf(r->stamp, sizeof r->stamp, "%.*s", QC_FIELD(cell));
    r->is_pending = step != QC_STEP_USUAL; /* a frame that is whole starts the window after the break */
    if (step == QC_STEP_BACK)
        return break_off(r, "line %llu: time goes back by %g s", (unsigned long long)r->line, -gap);
    if (step == QC_STEP_SLOWER)
        snprintf(r->note, sizeof r->note, "line %llu: frames come every %g s now, not every %g s",
                 (unsigned long long)r->line, r->clock.step, usual);
    if (step == QC_STEP_GAP || step == QC_STEP_SLOWER)
        return break_off(r, "line %llu: a gap of %g s, where %g s is usual", (unsigned long long)r->line, gap, usual);
    return QC_FRAME_NEXT;
}

static QcFrameKind take_value(QcFrameReader *r, uint32_t channel, QcField cell)
{
    const char *wrong;
    char room[QC_FRAME_NUMBER];
    r->row[channel] = NAN;
    if (qc_number_is_missing(cell.at, cell.end)) return QC_FRAME_NEXT;
    if (qc_field_number(&r->row[channel], qc_framecolumns_number(r, cell, room), &wrong))
        return break_off(r, "line %llu: '%.*s' of channel %s %s%s", (unsigned long long)r->line, QC_FIELD(cell),
                         r->name[channel], wrong,
                         !r->o.decimal_comma && memchr(cell.at, ',', (size_t)(cell.end - cell.at))
                             ? " (--decimal , reads numbers with a comma)"
                             : "");
    return QC_FRAME_NEXT;
}

static QcFrameKind take_row(QcFrameReader *r, QcField row)
{
    QcField cell;
    QcFrameKind time = QC_FRAME_NEXT, kind = QC_FRAME_NEXT;
    if (r->separator == ' ') row = qc_field_trim(row);
    int64_t cells = qc_table_count(row, r->separator);
    if (cells < 0) return break_off(r, "line %llu has a quoted cell that is not closed", (unsigned long long)r->line);
    if (cells != r->columns)
        return break_off(r, "line %llu has %u cells, not %u", (unsigned long long)r->line, (unsigned)cells, r->columns);
    for (uint32_t c = 0; c < r->columns && qc_framecolumns_cell(r, &row, &cell) && kind == QC_FRAME_NEXT; c++) {
        if (c == r->label) take_label(r, cell);
        if (c == r->time) time = take_time(r, cell);
        if (r->channel[c] != UINT32_MAX) kind = take_value(r, r->channel[c], cell);
    }
    if (kind != QC_FRAME_NEXT) r->is_pending = 0;
    return kind != QC_FRAME_NEXT ? kind : time != QC_FRAME_NEXT ? time : fill(r, r->row);
}

/* 1: a line, without its end, and without a byte-order mark. */
static int next_line(QcFrameReader *r, QcField *line)
{
    uint8_t *start = r->bytes + r->at, *end = memchr(start, '\n', r->n - r->at);
    if (!end && !(r->has_ended && r->at < r->n)) return 0;
    *line = (QcField){(const char *)start, (const char *)(end ? end : r->bytes + r->n)};
    if (line->end > line->at && line->end[-1] == '\r') line->end--;
    if (!r->line && line->end - line->at >= 3 && !memcmp(line->at, "\xef\xbb\xbf", 3)) line->at += 3;
    r->at = end ? (size_t)(end + 1 - r->bytes) : r->n;
    r->line++;
    return 1;
}

static int is_numbers(const QcFrameReader *r, QcField row)
{
    QcField cell;
    float value;
    const char *wrong;
    char room[QC_FRAME_NUMBER];
    while (qc_framecolumns_cell(r, &row, &cell))
        if (qc_field_number(&value, qc_framecolumns_number(r, cell, room), &wrong)) return 0;
    return 1;
}

/* Finds the header below lines such as "Rate,50", which loggers write. 1: the line is the header; 0: a frame; 2: the
 * line is above the header and skipped; -1: neither. */
static int find_columns(QcFrameReader *r, QcField line, QcErr *err)
{
    enum { ABOVE_MAX = 100 };
    QcErr failure = {0};
    int header = qc_framecolumns_find(r, line, &failure);
    if (header > 0 && r->above)
        snprintf(r->note, sizeof r->note, "%u line%s above the header %s left out", r->above, r->above > 1 ? "s" : "",
                 r->above > 1 ? "were" : "was");
    if (header > 0 || (!header && !r->above)) return header;
    if (!r->above++) r->first_above = failure;
    int is_wide = r->columns >= r->m->channels, has_words = header < 0 && !is_numbers(r, line);
    if (has_words && !is_wide && r->above < ABOVE_MAX) return 2;
    if (err) *err = has_words && is_wide ? failure : r->first_above;
    return -1;
}

static int fail_unsure(const QcFrameReader *r, QcErr *err)
{
    return qc_fail(err, QC_EFORMAT,
                   "standard input: in line %llu the day or the month may be first: send dates as 2026-03-02, or leave "
                   "the times out (--time-column none)", (unsigned long long)r->line);
}

static int next_text(QcFrameReader *r, QcFrameKind *kind, QcErr *err)
{
    QcField line;
    while (next_line(r, &line)) {
        QcField words = qc_field_trim(line);
        if (words.at == words.end || *words.at == '#') continue;
        if (!r->has_columns) {
            int header = find_columns(r, line, err);
            if (header < 0) return qc_within(err, "standard input");
            if (header > 1) continue;
            r->has_columns = 1;
            if (header) continue;
        }
        tick(r);
        *kind = take_row(r, line);
        return r->is_unsure ? fail_unsure(r, err) : 0;
    }
    if (r->has_ended && r->above && !r->has_columns) {
        if (err) *err = r->first_above;
        return qc_within(err, "standard input");
    }
    if (r->n - r->at == QC_FRAME_LINE)
        return qc_fail(err, QC_EFORMAT, "standard input: line %llu does not end: are these raw numbers (--raw)?",
                       (unsigned long long)r->line + 1);
    *kind = QC_FRAME_NONE;
    return 0;
}

int qc_framereader_next(QcFrameReader *r, QcFrameKind *kind, QcErr *err)
{
    *r->words = 0;
    if (!r->is_pending && r->o.raw == QC_RAW_TEXT) return next_text(r, kind, err);
    if (!r->is_pending && refuse_header(r, err)) return -1;
    *kind = r->is_pending ? fill(r, r->row) : next_raw(r);
    r->is_pending = 0;
    return 0;
}
