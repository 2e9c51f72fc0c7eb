#include "plausible.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FILE_WINDOWS = 1000 };
static const double least_factor = 0.002;

static int take_arrays(QcPlausible *p, const QcModelFile *m, QcErr *err)
{
    int found = qc_inputrange_decode(&p->range, m, &p->arena, err);
    if (found <= 0) return found;
    p->latest = qc_arena_take(&p->arena, m->channels, sizeof *p->latest, err);
    p->outside = qc_arena_take(&p->arena, m->channels, sizeof *p->outside, err);
    p->squares = qc_arena_take(&p->arena, m->channels, sizeof *p->squares, err);
    return p->latest && p->outside && p->squares ? 0 : -1;
}

int qc_plausible_init(QcPlausible *p, const QcModelFile *m, QcErr *err)
{
    *p = (QcPlausible){0};
    int status = take_arrays(p, m, err);
    if (status) qc_plausible_release(p);
    return status;
}

void qc_plausible_release(QcPlausible *p)
{
    qc_arena_release(&p->arena);
    *p = (QcPlausible){0};
}

static void add_value(QcPlausible *p, uint32_t c, float x)
{
    float low = p->range.low[c], high = p->range.high[c], margin = (high - low) / 2;
    if (!(x >= low - margin && x <= high + margin)) p->latest[c] = p->frames;
    p->squares[c] += (double)x * (double)x;
}

void qc_plausible_frame(QcPlausible *p, const float *x)
{
    p->frames++;
    for (uint32_t c = 0; c < p->range.channels; c++) add_value(p, c, x[c]);
}

void qc_plausible_window(QcPlausible *p, uint32_t length)
{
    p->windows++;
    for (uint32_t c = 0; c < p->range.channels; c++)
        p->outside[c] += (uint64_t)(p->latest[c] && p->latest[c] + length > p->frames);
}

/* ---- words ---- */

static double factor_of(const QcPlausible *p, uint32_t c)
{
    double rms = sqrt(p->squares[c] / (double)p->frames);
    return p->range.rms[c] > 0 ? rms / (double)p->range.rms[c] : 1;
}

static int is_implausible(const QcPlausible *p, uint32_t c)
{
    return p->outside[c] * 10 > p->windows + 10 || factor_of(p, c) < least_factor;
}

/* Units that are often confused. */
static const struct {
    double factor;
    const char *number, *words;
} units[] = {{1000, "1000", "mg instead of g?"},
             {0.001, "0.001", "g instead of mg?"},
             {9.80665, "9.8", "m/s2 instead of g?"},
             {57.29578, "57", "degrees instead of radians?"},
             {1e6, "1000000", "a unit a million times smaller?"}};

/* Other people and sensors change a factor by less than a third. */
static int unit_of(double factor)
{
    for (int i = 0; i < (int)(sizeof units / sizeof *units); i++)
        if (fabs(log(factor / units[i].factor)) < 0.3) return i;
    return -1;
}

static void describe(const QcPlausible *p, char *words, uint32_t worst, uint32_t others)
{
    char more[32] = "", channel[80];
    double factor = factor_of(p, worst);
    int unit = unit_of(factor);
    int n = snprintf(channel, sizeof channel, "channel %u", worst + 1);
    if (p->name && p->name[worst] && strcmp(p->name[worst], channel + strlen("channel ")))
        snprintf(channel + n, sizeof channel - (size_t)n, ", column %.48s", p->name[worst]);
    if (others) snprintf(more, sizeof more, " (and %u more)", others);
    if (unit >= 0)
        snprintf(words, QC_PLAUSIBLE_WORDS, "%s%s is %s times the training range: %s", channel, more,
                 units[unit].number, units[unit].words);
    else if (factor > 1.5 || factor < least_factor)
        snprintf(words, QC_PLAUSIBLE_WORDS, "%s%s is %.3g times the training range: another unit or sensor?",
                 channel, more, factor);
    else
        snprintf(words, QC_PLAUSIBLE_WORDS,
                 "%s%s is out of the training range, %.4g to %.4g, in %.0f %% of the windows", channel, more,
                 (double)p->range.low[worst], (double)p->range.high[worst],
                 100 * (double)p->outside[worst] / (double)p->windows);
}

int qc_plausible_report(QcPlausible *p, char *words, int is_end)
{
    uint32_t worst = 0, n = 0;
    if (p->is_said || !p->windows || (p->windows < QC_PLAUSIBLE_WINDOWS && !is_end)) return 0;
    for (uint32_t c = 0; c < p->range.channels; c++) {
        if (!is_implausible(p, c)) continue;
        if (!n++ || p->outside[c] > p->outside[worst]) worst = c;
    }
    if (!n) return 0;
    describe(p, words, worst, n - 1);
    return p->is_said = 1;
}

/* ---- a data file ---- */

static int add_window(QcPlausible *p, float *x, const QcDataset *d, uint32_t i, QcErr *err)
{
    uint64_t plane = (uint64_t)d->height * d->length;
    p->frames += plane;
    for (uint32_t c = 0; c < d->channels; c++) {
        if (qc_dataset_read(x, d, i, c * plane, plane, err)) return -1;
        for (uint64_t k = 0; k < plane; k++) add_value(p, c, x[k]);
    }
    qc_plausible_window(p, 1);
    return 0;
}

int qc_plausible_inputs(char *words, const QcInputs *inputs, const QcModelFile *m, QcErr *err)
{
    QcArena arena = {0};
    QcPlausible p;
    const QcDataset *d = &inputs->data;
    uint32_t n = d->n < FILE_WINDOWS ? d->n : FILE_WINDOWS;
    int status = qc_plausible_init(&p, m, err);
    float *x = qc_arena_take(&arena, (uint64_t)d->height * d->length, sizeof *x, err);
    if (!x) status = -1;
    for (uint32_t i = 0; i < n && p.range.channels && !status; i++)
        status = add_window(&p, x, d, (uint32_t)((uint64_t)i * d->n / n), err);
    if (!status) status = qc_plausible_report(&p, words, 1);
    qc_arena_release(&arena);
    qc_plausible_release(&p);
    return status;
}
