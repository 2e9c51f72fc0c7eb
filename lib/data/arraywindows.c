#include "arraywindows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "recorder.h"
#include "seriesfill.h"

enum { DIM_MAX = 1 << 24 };

typedef struct Axes {
    uint64_t n, channels, height, length;
    uint64_t n_stride, c_stride, h_stride, l_stride;
} Axes;

/* 2-D arrays of bytes per example may be pictures rather than series. */
static int may_be_pictures(const QcNdarray *a, const QcImportOptions *o)
{
    return a->rank == 3 && a->kind == 'u' && a->item == 1 && a->shape[1] == a->shape[2] && a->shape[1] >= 8 &&
           !o->channels && !o->channels_last;
}

static int find_rows(Axes *s, const QcArray *x, const QcImportOptions *o, QcErr *err)
{
    const QcNdarray *a = &x->a;
    s->channels = o->channels && !o->features ? o->channels : 1;
    if (a->shape[1] % s->channels)
        return qc_fail(err, QC_EUSAGE, "%s: rows of %llu cannot be divided into %u channels", x->where,
                       (unsigned long long)a->shape[1], o->channels);
    s->length = a->shape[1] / s->channels;
    s->l_stride = a->stride[1] * (o->channels_last ? s->channels : 1);
    s->c_stride = a->stride[1] * (o->channels_last ? 1 : s->length);
    return 0;
}

static int find_axes(Axes *s, const QcArray *x, const QcImportOptions *o, QcErr *err)
{
    const QcNdarray *a = &x->a;
    int grey = a->rank == 3 &&
               (o->grey || (o->image_height && a->shape[1] == o->image_height && a->shape[2] == o->image_width));
    if (a->rank < 2 || a->rank > 4 || qc_ndarray_is_text(a))
        return qc_fail(err, QC_EFORMAT,
                       "%s must be of numbers and have 2 to 4 dimensions: examples, channels, (height,) length",
                       x->where);
    uint32_t c = o->channels_last ? a->rank - 1 : 1, h = o->channels_last ? 1 : 2,
             l = o->channels_last ? a->rank - 2 : a->rank - 1;
    *s = (Axes){.n = a->shape[0],
                .channels = 1,
                .height = 1,
                .length = a->shape[l],
                .n_stride = a->stride[0],
                .l_stride = a->stride[l]};
    if (a->rank == 2) { /* a row may hold channels one after another */
        if (find_rows(s, x, o, err)) return -1;
    } else if (grey) {
        *s = (Axes){a->shape[0], 1, a->shape[1], a->shape[2], a->stride[0], 0, a->stride[1], a->stride[2]};
    } else {
        if (may_be_pictures(a, o))
            return qc_fail(err, QC_EUSAGE,
                           "%s has bytes in squares of %llu: say --grey if they are pictures, or --channels %llu if "
                           "they are series",
                           x->where, (unsigned long long)a->shape[1], (unsigned long long)a->shape[1]);
        if (o->channels && o->channels != a->shape[c])
            return qc_fail(err, QC_EUSAGE, "%s has %llu channels, not %u", x->where, (unsigned long long)a->shape[c],
                           o->channels);
        s->channels = a->shape[c];
        s->c_stride = a->stride[c];
    }
    if (a->rank == 4) {
        s->height = a->shape[h];
        s->h_stride = a->stride[h];
    }
    if (!s->n || !s->channels || !s->height || !s->length || s->n > UINT32_MAX || s->channels > DIM_MAX ||
        s->height > DIM_MAX || s->length > DIM_MAX)
        return qc_fail(err, QC_EFORMAT, "%s is empty or too large in one dimension", x->where);
    return 0;
}

static int fail_value(const QcArray *x, uint64_t i, const char *unit, uint64_t c, double v, QcErr *err)
{
    return qc_fail(err, QC_EFORMAT, "%s: a value of %s %llu, channel %llu is %s", x->where, unit, (unsigned long long)i,
                   (unsigned long long)c,
                   isfinite(v) ? "larger than 1e30" : "missing (NaN or infinite; --missing fill or drop allows it)");
}

/* *holes: values that are missing. */
static int copy_window(float *out, uint64_t *holes, const Axes *s, const QcArray *x, uint64_t i,
                       const QcImportOptions *o, QcErr *err)
{
    *holes = 0;
    for (uint64_t c = 0; c < s->channels; c++)
        for (uint64_t h = 0; h < s->height; h++, out += s->length) {
            uint64_t at = i * s->n_stride + c * s->c_stride + h * s->h_stride;
            double high;
            qc_ndarray_floats(out, &high, &x->a, at, s->l_stride, s->length);
            for (uint64_t l = 0; !(high <= (double)QC_VALUE_MAX) && l < s->length; l++) {
                double v = qc_ndarray_real(&x->a, at + l * s->l_stride);
                if (fabs(v) <= (double)QC_VALUE_MAX) continue;
                if (o->missing == QC_MISSING_REFUSE || isfinite(v)) return fail_value(x, i, "example", c, v, err);
                out[l] = NAN;
                ++*holes;
            }
        }
    return 0;
}

static int fill_window(float *x, QcFilled *filled, const Axes *s, const QcArray *a, uint64_t i, QcErr *err)
{
    for (uint64_t k = 0; k < s->channels * s->height; k++)
        if (!qc_series_fill(x + k * s->length, (uint32_t)s->length, (uint32_t)s->length, filled))
            return qc_fail(err, QC_EFORMAT,
                           "%s: a channel of example %llu has no value at all, so that nothing can be filled in",
                           a->where, (unsigned long long)i);
    return 0;
}

/* Returns the pages of the examples that were read. Bytes of a file stay valid, since it may have other arrays. */
static void drop_read(QcArray *x, uint64_t i)
{
    const QcNdarray *a = &x->a;
    const uint8_t *read = a->data + (i + 1) * a->stride[0] * a->item;
    if (a->stride[0] * a->shape[0] != a->count) return;
    if (x->within) qc_inputview_pass(x->within, read);
    else if (x->view.length) qc_inputview_drop(&x->view, read);
}

int qc_array_windows(QcDataset *d, uint8_t **keep, QcArray *x, const QcImportOptions *o, QcErr *err)
{
    Axes s = {0};
    QcFilled filled = {0};
    uint32_t kept = 0;
    *keep = NULL;
    if (o->features && o->missing == QC_MISSING_FILL)
        return qc_fail(
            err, QC_EUSAGE,
            "--missing fill takes neighbours in time, and features have none: --missing drop leaves such rows out");
    if (find_axes(&s, x, o, err) ||
        qc_dataset_init(d, (uint32_t)s.n, (uint32_t)s.channels, (uint32_t)s.height, (uint32_t)s.length, 0, err))
        return -1;
    if (o->missing == QC_MISSING_DROP && !(*keep = malloc(d->n))) return qc_fail_memory(err, "examples");
    for (uint32_t i = 0; i < d->n; i++) {
        float *out = d->x + i * qc_dataset_values(d);
        uint64_t holes;
        if (copy_window(out, &holes, &s, x, i, o, err) ||
            (holes && o->missing == QC_MISSING_FILL && fill_window(out, &filled, &s, x, i, err)))
            return -1;
        if (*keep) kept += (*keep)[i] = !holes;
        drop_read(x, i);
        if (o->progress) o->progress(o->ctx, i + 1, d->n);
    }
    qc_filled_note(&filled, d->n * qc_dataset_values(d), d->length, o);
    return *keep && !kept
               ? qc_fail(err, QC_EFORMAT, "%s: values are missing in every example, so that all are dropped", x->where)
               : 0;
}

int qc_array_keep(QcDataset *d, const uint8_t *keep, QcErr *err)
{
    if (!keep) return 0;
    uint32_t *index = malloc((d->n ? d->n : 1) * sizeof *index), n = 0;
    QcDataset kept;
    if (!index) return qc_fail_memory(err, "examples");
    for (uint32_t i = 0; i < d->n; i++)
        if (keep[i]) index[n++] = i;
    int status = qc_dataset_subset(&kept, d, index, n, 0, err);
    free(index);
    if (status) return -1;
    qc_dataset_release(d);
    *d = kept;
    return 0;
}

/* --- samples ------------------------------------------------------------------------------------------------ */

static int compare_reals(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;
    return p < q ? -1 : p > q;
}

/* Two and a half usual steps; 0 if there are no times. */
static double usual_leap(const double *times, uint32_t n)
{
    double steps[512];
    uint32_t k = 0;
    for (uint32_t t = 1; times && t < n && k < 512; t++)
        if (times[t] > times[t - 1]) steps[k++] = times[t] - times[t - 1];
    if (!k) return 0;
    qsort(steps, k, sizeof *steps, compare_reals);
    return 2.5 * steps[k / 2];
}

static int add_names(QcNames *out, QcSeriesList *list, const QcNames *names, QcErr *err)
{
    for (uint32_t k = 0; k < names->n; k++)
        if (qc_names_add(out, &list->arena, names->names[k], NULL, err)) return -1;
    return 0;
}

static int record(QcSeriesList *list, const QcArray *x, const QcDataset *samples, const double *times,
                  const QcImportOptions *o, QcErr *err)
{
    QcRecorder r;
    const QcNdarray *a = &x->a;
    int status = 0;
    qc_recorder_init(&r, list, o, x->where, usual_leap(times, samples->n));
    for (uint32_t t = 0; !status && t < samples->n; t++) {
        QcPlace place = {samples->label[t], samples->group[t], samples->recording[t], times ? times[t] : NAN, 0,
                         samples->id[0] + t};
        float *out = qc_recorder_sample(&r, &place, err);
        if (!out) status = -1;
        for (uint32_t c = 0; !status && c < list->channels; c++) {
            double v = qc_ndarray_real(a, t * a->stride[0] + (a->rank > 1 ? c * a->stride[1] : 0));
            int there = fabs(v) <= (double)QC_VALUE_MAX;
            if (!there && (o->missing == QC_MISSING_REFUSE || isfinite(v)))
                status = fail_value(x, t, "sample", c, v, err);
            out[c] = there ? (float)v : NAN;
        }
    }
    if (!status) status = qc_recorder_break(&r, err);
    qc_recorder_release(&r);
    return status;
}

int qc_array_cut(QcDataset *d, const QcArray *x, const QcDataset *samples, const double *times,
                 const QcImportOptions *o, QcErr *err)
{
    QcSeriesList list = {.keeps_order = 1};
    const QcNdarray *a = &x->a;
    list.channels = a->rank > 1 ? (uint32_t)a->shape[1] : 1;
    int status = add_names(&list.labels, &list, &samples->labels, err) ||
                         add_names(&list.groups, &list, &samples->groups, err) ||
                         add_names(&list.recordings, &list, &samples->recordings, err) ||
                         record(&list, x, samples, times, o, err)
                     ? -1
                     : 0;
    if (!status) status = qc_import_finish(d, &list, o, err);
    qc_series_release(&list);
    return status;
}
