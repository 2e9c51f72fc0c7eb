#include "series.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "seriesfill.h"
#include "spent.h"

QcSeries *qc_series_add(QcSeriesList *list, uint32_t length, QcErr *err)
{
    if (list->n == list->room) {
        uint32_t room = list->room ? list->room * 2 : 256;
        QcSeries *larger = room > list->room ? realloc(list->items, room * sizeof *larger) : NULL;
        if (!larger) {
            qc_fail_memory(err, "a list of series");
            return NULL;
        }
        list->items = larger;
        list->room = room;
    }
    float *x = qc_arena_take(&list->arena, (size_t)list->channels * length, sizeof *x, err);
    if (!x) return NULL;
    QcSeries *s = &list->items[list->n++];
    *s = (QcSeries){.x = x, .length = length, .label = -1};
    return s;
}

void qc_series_release(QcSeriesList *list)
{
    if (!list) return;
    free(list->items);
    qc_arena_release(&list->arena);
    *list = (QcSeriesList){0};
}

int qc_series_channels(QcSeriesList *list, uint32_t channels, const char *file, QcErr *err)
{
    if (list->n && list->channels != channels)
        return qc_fail(err, QC_EFORMAT, "%.300s has %u channels, those before it have %u", file, channels,
                       list->channels);
    list->channels = channels;
    return 0;
}

static uint32_t longest(const QcSeriesList *list)
{
    uint32_t length = 0;
    for (uint32_t i = 0; i < list->n; i++)
        if (list->items[i].length > length) length = list->items[i].length;
    return length;
}

static int fail_series(const QcSeries *s, QcErr *err, const char *sentence)
{
    return s->line ? qc_fail(err, QC_EFORMAT, "%.200s:%u: %s", s->file, s->line, sentence)
                   : qc_fail(err, QC_EFORMAT, "%.200s: %s", s->file, sentence);
}

int qc_series_value(float *value, QcField field, int may_miss, const char **wrong)
{
    if (!qc_field_number(value, field, wrong)) return 0;
    if (strcmp(*wrong, "is missing")) return -1;
    *value = NAN;
    if (!may_miss) *wrong = "is missing (--missing fill or drop allows it)";
    return may_miss ? 0 : -1;
}

int qc_series_may_miss(const QcImportOptions *o)
{
    return o->missing != QC_MISSING_REFUSE || o->unequal != QC_UNEQUAL_REFUSE;
}

void qc_series_channel(float *out, const QcSeries *s, uint32_t channels, uint32_t c)
{
    const float *x = s->x + (s->by_step ? c : (uint64_t)c * s->length);
    for (uint32_t t = 0, step = s->by_step ? channels : 1; t < s->length; t++) out[t] = x[(uint64_t)t * step];
}

static void put_channel(QcSeries *s, uint32_t channels, uint32_t c, const float *x)
{
    float *out = s->x + (s->by_step ? c : (uint64_t)c * s->length);
    for (uint32_t t = 0, step = s->by_step ? channels : 1; t < s->length; t++) out[(uint64_t)t * step] = x[t];
}

/* Room for one channel of any series of the list. NULL: out of memory. */
static float *new_channel(const QcSeriesList *list, QcErr *err)
{
    uint32_t length = longest(list);
    float *x = malloc((length ? length : 1) * sizeof *x);
    if (!x) qc_fail_memory(err, "a channel");
    return x;
}

static int step_is_empty(const float *row, uint32_t channels, uint32_t length, uint32_t t)
{
    for (uint32_t c = 0; c < channels; c++)
        if (!isnan(row[(uint64_t)c * length + t])) return 0;
    return 1;
}

/* Step after step becomes channel after channel, in memory of the list. */
static int turn(QcSeriesList *list, const float **row, uint32_t length, QcErr *err)
{
    if (list->turned_room < (uint64_t)list->channels * length) {
        list->turned_room = (uint64_t)list->channels * length;
        list->turned = qc_arena_take(&list->arena, list->turned_room, sizeof *list->turned, err);
        if (!list->turned) return list->turned_room = 0, -1;
    }
    for (uint32_t t = 0; t < length; t++)
        for (uint32_t c = 0; c < list->channels; c++)
            list->turned[(uint64_t)c * length + t] = (*row)[(uint64_t)t * list->channels + c];
    *row = list->turned;
    return 0;
}

QcSeries *qc_series_add_row(QcSeriesList *list, const float *row, uint32_t length, const QcImportOptions *o,
                            const QcLines *l, QcErr *err)
{
    uint32_t kept = length;
    if (o->channels_last && list->channels > 1 && turn(list, &row, length, err)) return NULL;
    while (o->unequal != QC_UNEQUAL_REFUSE && kept && step_is_empty(row, list->channels, length, kept - 1)) kept--;
    for (uint32_t c = 0; o->missing == QC_MISSING_REFUSE && c < list->channels; c++)
        for (uint32_t t = 0; t < kept; t++)
            if (isnan(row[(uint64_t)c * length + t])) {
                qc_lines_fail(l, err, "value %u of channel %u is missing (--missing fill or drop allows it)", t + 1,
                              c + 1);
                return NULL;
            }
    QcSeries *s = qc_series_add(list, kept, err);
    if (!s) return NULL;
    for (uint32_t c = 0; c < list->channels; c++)
        memcpy(s->x + (uint64_t)c * kept, row + (uint64_t)c * length, kept * sizeof *row);
    s->line = l->line;
    s->file = l->name;
    return s;
}

/* --- missing values --------------------------------------------------------------------------------- */

static int has_missing(const float *x, uint64_t n)
{
    for (uint64_t k = 0; k < n; k++)
        if (isnan(x[k])) return 1;
    return 0;
}

/* Runs longer than a window stay missing, because a filled window would have no measured value. window 0: a series
 * is a window, and a channel without any value is an error. */
static int fill_series(QcSeries *s, float *line, QcFilled *filled, uint32_t channels, uint32_t window, QcErr *err)
{
    if (!has_missing(s->x, (uint64_t)channels * s->length)) return 0;
    for (uint32_t c = 0; c < channels; c++) {
        qc_series_channel(line, s, channels, c);
        if (!qc_series_fill(line, s->length, window ? window : s->length, filled) && !window)
            return fail_series(s, err, "a channel has no value at all, so that nothing can be filled in");
        put_channel(s, channels, c, line);
    }
    return 0;
}

static int fill_list(QcSeriesList *list, uint32_t window, const QcImportOptions *o, QcErr *err)
{
    QcFilled filled = {0};
    uint64_t all = 0;
    uint32_t shortest = UINT32_MAX;
    if (o->missing != QC_MISSING_FILL) return 0;
    float *line = new_channel(list, err);
    int status = line ? 0 : -1;
    for (uint32_t i = 0; !status && i < list->n; i++) {
        QcSeries *s = &list->items[i];
        all += (uint64_t)list->channels * s->length;
        if (s->length < shortest) shortest = s->length;
        status = fill_series(s, line, &filled, list->channels, window, err);
    }
    free(line);
    if (!status) qc_filled_note(&filled, all, window ? window : shortest, o);
    return status;
}

/* --- names and places ------------------------------------------------------------------------------- */

static int copy_names(QcNames *out, QcDataset *d, const QcNames *names, QcErr *err)
{
    for (uint32_t k = 0; k < names->n; k++)
        if (qc_names_add(out, &d->arena, names->names[k], NULL, err)) return -1;
    return 0;
}

static int copy_all_names(QcDataset *d, const QcSeriesList *list, QcErr *err)
{
    return copy_names(&d->labels, d, &list->labels, err) || copy_names(&d->groups, d, &list->groups, err) ||
                   copy_names(&d->recordings, d, &list->recordings, err)
               ? -1
               : 0;
}

static void copy_place(QcDataset *d, uint32_t i, const QcSeries *s, uint64_t k)
{
    d->label[i] = s->label;
    d->group[i] = s->group;
    d->recording[i] = s->recording;
    d->id[i] = s->id + k;
}

/* --- one example for each series ---------------------------------------------------------------------- */

void qc_series_resample(float *out, uint32_t n, const float *x, uint32_t length)
{
    double step = n > 1 ? (double)(length - 1) / (double)(n - 1) : 0;
    for (uint32_t t = 0; t < n; t++) {
        double at = step * t;
        uint32_t left = (uint32_t)at;
        if (left + 1 >= length) left = length > 1 ? length - 2 : 0;
        double part = at - left, a = x[left], b = length > 1 ? x[left + 1] : a;
        out[t] = (float)(a + (b - a) * part);
    }
}

static int fail_length(const QcSeries *s, uint32_t length, const QcImportOptions *o, QcErr *err)
{
    char sentence[200];
    if (o->unequal == QC_UNEQUAL_PAD)
        snprintf(sentence, sizeof sentence,
                 "has length %u, which is more than %u and cannot be padded to it (--unequal resample can)", s->length,
                 length);
    else
        snprintf(sentence, sizeof sentence,
                 "has length %u instead of %u (--unequal pad or resample makes lengths equal)", s->length, length);
    return fail_series(s, err, sentence);
}

static int check_lengths(const QcSeriesList *list, uint32_t length, const QcImportOptions *o, QcErr *err)
{
    if (o->unequal == QC_UNEQUAL_REFUSE && !o->length) length = list->items[0].length;
    for (uint32_t i = 0; i < list->n; i++) {
        const QcSeries *s = &list->items[i];
        if (!s->length) return fail_series(s, err, "a series has no values");
        int fits = o->unequal == QC_UNEQUAL_RESAMPLE || s->length == length ||
                   (o->unequal == QC_UNEQUAL_PAD && s->length < length);
        if (!fits) return fail_length(s, length, o, err);
    }
    return 0;
}

/* line: room for one channel. Steps after the end of a shorter series stay zero. */
static void copy_whole(float *x, uint32_t length, const QcSeries *s, float *line, uint32_t channels, int resample)
{
    int resampled = resample && s->length != length;
    for (uint32_t c = 0; c < channels; c++, x += length) {
        qc_series_channel(resampled ? line : x, s, channels, c);
        if (resampled) qc_series_resample(x, length, line, s->length);
    }
}

int qc_series_whole(QcDataset *d, QcSeriesList *list, const QcImportOptions *o, QcErr *err)
{
    uint32_t length = o->length ? o->length : longest(list), n = 0;
    QcSpent spent = {0};
    if (!list->n) return qc_fail(err, QC_EFORMAT, "there are no series");
    if (check_lengths(list, length, o, err) || fill_list(list, 0, o, err)) return -1;
    for (uint32_t i = 0; i < list->n; i++) {
        QcSeries *s = &list->items[i];
        if (o->missing != QC_MISSING_DROP || !has_missing(s->x, (uint64_t)list->channels * s->length))
            list->items[n++] = *s;
    }
    if (!n)
        return qc_fail(err, QC_EFORMAT, "%.300s: values are missing in every series, so that all are dropped",
                       list->items[0].file);
    list->n = n;
    float *line = new_channel(list, err);
    if (!line) return -1;
    int status = qc_dataset_init(d, n, list->channels, 1, length, 0, err) || copy_all_names(d, list, err) ? -1 : 0;
    for (uint32_t i = 0; !status && i < n; i++) {
        const QcSeries *s = &list->items[i];
        copy_whole(d->x + i * qc_dataset_values(d), length, s, line, list->channels,
                   o->unequal == QC_UNEQUAL_RESAMPLE);
        copy_place(d, i, s, 0);
        qc_spent_add(&spent, s->by_step ? s->x : NULL, s->x, (uint64_t)list->channels * s->length);
    }
    free(line);
    return status;
}

/* --- windows ------------------------------------------------------------------------------------------ */

/* The label of a window by the rule; -2: it has two, and the rule wants one. */
static int32_t window_label(const QcSeries *s, uint64_t from, uint32_t window, QcLabelRule rule)
{
    const int32_t *labels = s->labels ? s->labels + from : NULL;
    if (!labels) return s->label;
    if (rule == QC_LABEL_LAST) return labels[window - 1];
    int32_t best = labels[0];
    uint32_t most = 0;
    for (uint32_t t = 0; t < window; t++) { /* few labels change within a window, so counting anew is cheap */
        if (t && labels[t] == labels[t - 1]) continue;
        uint32_t n = 0;
        for (uint32_t k = 0; k < window; k++) n += labels[k] == labels[t] ? 1 : 0;
        if (n > most) most = n, best = labels[t];
    }
    return rule == QC_LABEL_PURE && most < window ? -2 : best;
}

/* 1 if a value of the window that starts at this step is missing. */
static int window_misses(const QcSeries *s, uint32_t channels, uint64_t from, uint32_t window)
{
    if (s->by_step) return has_missing(s->x + from * channels, (uint64_t)window * channels);
    for (uint32_t c = 0; c < channels; c++)
        if (has_missing(s->x + (uint64_t)c * s->length + from, window)) return 1;
    return 0;
}

static void copy_window(float *out, const QcSeries *s, uint32_t channels, uint64_t from, uint32_t window)
{
    for (uint32_t c = 0; c < channels; c++, out += window) {
        const float *x = s->x + (s->by_step ? from * channels + c : (uint64_t)c * s->length + from);
        if (!s->by_step) memcpy(out, x, window * sizeof *out);
        else
            for (uint32_t t = 0; t < window; t++) out[t] = x[(uint64_t)t * channels];
    }
}

/* Windows in order; without a dataset they are only counted. Windows with a value that is missing are left out
 * (--missing drop). */
static uint64_t cut_windows(QcDataset *d, const QcSeriesList *list, uint32_t window, uint32_t stride,
                            const QcImportOptions *o)
{
    uint64_t n = 0;
    QcSpent spent = {0};
    for (uint32_t i = 0; i < list->n; i++) {
        const QcSeries *s = &list->items[i];
        uint64_t k = 0;
        for (uint64_t from = 0; from + window <= s->length; from += stride, k++) {
            int32_t label = window_label(s, from, window, o->label_rule);
            if (label == -2 || (o->missing && window_misses(s, list->channels, from, window))) continue;
            if (d) {
                copy_window(d->x + n * qc_dataset_values(d), s, list->channels, from, window);
                copy_place(d, (uint32_t)n, s, k);
                d->label[n] = label;
                uint64_t rest = s->length - from, done = rest < stride ? rest : stride;
                if (s->by_step) qc_spent_add(&spent, s->x, s->x + from * list->channels, done * list->channels);
            }
            n++;
        }
        if (d && !s->by_step) qc_spent_add(&spent, NULL, s->x, (uint64_t)list->channels * s->length);
    }
    return n;
}

/* Reports series that give no window. */
static void note_losses(const QcSeriesList *list, uint32_t window, uint32_t stride, uint64_t n,
                        const QcImportOptions *o)
{
    uint32_t shorter = 0;
    uint64_t possible = 0;
    for (uint32_t i = 0; i < list->n; i++) {
        shorter += list->items[i].length < window ? 1 : 0;
        possible += list->items[i].length < window ? 0 : (list->items[i].length - window) / stride + 1;
    }
    if (shorter)
        qc_import_note(o, "%u of %u recordings are shorter than a window of %u samples and give none", shorter, list->n,
                       window);
    if (possible > n)
        qc_import_note(o, "%llu of %llu windows were dropped: a value is missing, or they have two labels",
                       (unsigned long long)(possible - n), (unsigned long long)possible);
}

int qc_series_cut(QcDataset *d, QcSeriesList *list, uint32_t window, uint32_t stride, const QcImportOptions *o,
                  QcErr *err)
{
    if (fill_list(list, window, o, err)) return -1;
    uint64_t n = cut_windows(NULL, list, window, stride, o);
    if (!n && longest(list) >= window)
        return qc_fail(
            err, QC_EFORMAT,
            "%.300s: no window is left: values are missing in every one, or it has two labels (--label-rule)",
            list->items[0].file);
    if (!n)
        return qc_fail(err, QC_EUSAGE, "no recording has a whole window of %u samples (the longest has %u)", window,
                       longest(list));
    if (n > UINT32_MAX)
        return qc_fail(err, QC_EUSAGE, "%llu windows are more than %u", (unsigned long long)n, UINT32_MAX);
    note_losses(list, window, stride, n, o);
    if (qc_dataset_init(d, (uint32_t)n, list->channels, 1, window, 0, err) || copy_all_names(d, list, err)) return -1;
    cut_windows(d, list, window, stride, o);
    return 0;
}
