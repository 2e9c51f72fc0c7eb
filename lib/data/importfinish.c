/* From gathered series to a dataset: windows or whole series, names of classes, pictures. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../base/plural.h"
#include "import.h"
#include "lines.h"
#include "series.h"
#include "span.h"

/* A measured rate gives the nearest number of samples, which is reported; a rate that the user gives must fit. */
static int read_span(uint32_t *samples, const char *text, const char *option, double rate, uint32_t standard,
                     const QcImportOptions *o, QcErr *err)
{
    double seconds, n;
    if (o->rate > 0 || !(rate > 0) || !text || qc_span_seconds(&seconds, text) || !(seconds * rate >= 1))
        return qc_span_read(samples, text, option, rate, standard, err);
    n = rint(seconds * rate);
    if (fabs(n - seconds * rate) > 1e-3 * n)
        qc_import_note(o, "--%s %.20s is %.0f samples at %.6g samples/s", option, text, n, rate);
    return qc_span_read(samples, text, option, n / seconds, standard, err);
}

/* What was counted over all files, of which only the first makes notes of its own. */
static void note_counts(const QcSeriesList *list, const QcImportOptions *o)
{
    if (list->gaps)
        qc_import_note(o, "%u gap%s in time: no window crosses one", list->gaps, qc_plural(list->gaps, "s"));
    if (list->falls)
        qc_import_note(o, "time goes back %u time%s: no window crosses such a place", list->falls,
                       qc_plural(list->falls, "s"));
    if (list->other_steps)
        qc_import_warn(o, "%u series %s another step of time than the first, %g: windows ignore this",
                       list->other_steps, list->other_steps == 1 ? "has" : "have", list->step);
    if (list->outside)
        qc_import_note(o, "%u beat%s too near to an end of the record left out", list->outside,
                       list->outside == 1 ? " was" : "s were");
    if (list->other_leads)
        qc_import_warn(o, "a channel has different leads: %u record%s not the leads of the first, such as %.200s "
                       "(--lead takes one lead)", list->other_leads, list->other_leads == 1 ? " has" : "s have",
                       list->first_other_leads);
}

static int cut(QcDataset *d, QcSeriesList *list, const QcImportOptions *o, QcErr *err)
{
    double rate = o->rate > 0 ? o->rate : list->rate;
    uint32_t window, stride;
    if (!o->window) return qc_fail(err, QC_EUSAGE, "--stride needs a --window");
    if (list->one_window) return qc_fail(err, QC_EUSAGE, "every series is one window already: --window does not apply");
    if (o->unequal || o->length)
        return qc_fail(err, QC_EUSAGE, "--window makes all windows of one length: --unequal and --length do not apply");
    if (read_span(&window, o->window, "window", rate, 0, o, err) ||
        read_span(&stride, o->stride, "stride", rate, window, o, err))
        return -1;
    return qc_series_cut(d, list, window, stride, o, err);
}

/* "1 WALKING": the class 1 is called WALKING. Names of two numbers must differ. */
static int rename_labels(QcDataset *d, const char *path, QcErr *err)
{
    QcLines l;
    QcField line, number;
    uint32_t named = 0, n = d->labels.n;
    if (qc_names_index(&d->labels, &d->arena, err) || qc_lines_open(&l, path, err)) return -1;
    int status = 0;
    QcNameTable seen = {0};
    QcNames renamed = {.n = n, .names = qc_arena_take(&d->arena, n, sizeof *renamed.names, err)};
    if (!renamed.names) status = -1;
    while (!status && qc_lines_next(&l, &line)) {
        char name[QC_FIELD_NAME], old[QC_FIELD_NAME];
        char separator = memchr(line.at, ',', (size_t)(line.end - line.at)) ? ',' : ' ';
        if (line.at == line.end || *line.at == '#') continue;
        if (!qc_field_next(&line, &number, separator) || !line.at)
            status = qc_lines_fail(&l, err, "a line is a number and a name");
        if (status || qc_field_name(old, &l, number, err) || qc_field_name(name, &l, qc_field_trim(line), err))
            status = -1;
        int64_t k = status ? -1 : qc_names_find(&d->labels, old);
        if (status || k < 0) continue;
        renamed.names[k] = qc_arena_text(&d->arena, name, strlen(name), err);
        status = renamed.names[k] ? qc_nametable_add(&seen, &d->arena, renamed.names[k], (uint32_t)k, err) : -1;
        if (status > 0) status = qc_lines_fail(&l, err, "two classes are called '%.60s'", name);
        named++;
    }
    for (uint32_t k = 0; !status && k < n; k++)
        if (!renamed.names[k])
            status = qc_fail(err, QC_EFORMAT, "%.300s has no name for class '%.60s'", path, d->labels.names[k]);
    if (!status && named != n) status = qc_fail(err, QC_EFORMAT, "%.300s names a class twice", path);
    if (!status) d->labels = renamed;
    qc_lines_close(&l);
    return status;
}

static int shape_pictures(QcDataset *d, const QcImportOptions *o, QcErr *err)
{
    uint32_t h = o->image_height, w = o->image_width;
    if (!h) return 0;
    if (d->height == h && d->length == w) return 0;
    if (d->height != 1 || d->length != h * w)
        return qc_fail(err, QC_EUSAGE, "a row has %u values per channel, which are no picture of %u x %u (--image)",
                       d->length, h, w);
    d->height = h;
    d->length = w;
    return 0;
}

int qc_import_shape(QcDataset *d, const QcImportOptions *o, QcErr *err)
{
    if (o->features) {
        d->channels = (uint32_t)qc_dataset_values(d);
        d->height = d->length = 1;
    }
    if (shape_pictures(d, o, err)) return -1;
    return o->label_names ? rename_labels(d, o->label_names, err) : 0;
}

int qc_import_finish(QcDataset *d, QcSeriesList *list, const QcImportOptions *o, QcErr *err)
{
    if (o->features && o->missing == QC_MISSING_FILL)
        return qc_fail(
            err, QC_EUSAGE,
            "--missing fill takes neighbours in time, and features have none: --missing drop leaves such rows out");
    if (o->length && !o->unequal)
        return qc_fail(err, QC_EUSAGE, "--length makes lengths equal: say with --unequal how (pad or resample)");
    if (!list->n && o->n_groups) return qc_fail(err, QC_EUSAGE, "there is no group '%.60s' in the data", o->groups[0]);
    note_counts(list, o);
    int pieces = (o->window && strcmp(o->window, "whole")) || o->stride;
    int status = pieces ? cut(d, list, o, err) : qc_series_whole(d, list, o, err);
    return status || (!list->keeps_order && qc_import_sort_labels(d, err)) ||
                   qc_import_front(d, list->rate, o, err) || qc_import_shape(d, o, err)
               ? -1
               : 0;
}
