/* A dataset as a model reads it: normalized, windows in the layout of the model, labels as class indices of the
 * model. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "dataset.h"

static double channel_sum(const QcDataset *d, uint32_t c, double mean, int squares)
{
    uint64_t plane = (uint64_t)d->height * d->length;
    double sum = 0;
    for (uint32_t i = 0; i < d->n; i++) {
        const float *x = qc_dataset_window(d, i) + c * plane;
        for (uint64_t k = 0; k < plane; k++) {
            double v = x[k] - mean;
            sum += squares ? v * v : v;
        }
    }
    return sum;
}

int qc_norm_measure(QcNorm *norm, const QcDataset *d, QcArena *arena, QcErr *err)
{
    double count = (double)d->n * d->height * d->length;
    if (!(count > 0)) return qc_fail(err, QC_EFORMAT, "there are no examples to measure a normalization on");
    float *mean = qc_arena_take(arena, d->channels, sizeof *mean, err);
    float *deviation = qc_arena_take(arena, d->channels, sizeof *deviation, err);
    if (!mean || !deviation) return -1;
    for (uint32_t c = 0; c < d->channels; c++) {
        double m = channel_sum(d, c, 0, 0) / count, s = sqrt(channel_sum(d, c, m, 1) / count);
        /* the deviation of a constant channel is a rounding error, which must not be amplified */
        int constant = s <= 1e-9 * fabs(m) || s < FLT_MIN;
        mean[c] = (float)m;
        deviation[c] = constant ? 1.0f : s > FLT_MAX ? FLT_MAX : (float)s;
    }
    *norm = (QcNorm){.channels = d->channels, .mean = mean, .deviation = deviation};
    return 0;
}

void qc_dataset_batch_window(float *out, const QcDataset *d, uint32_t i, const QcNorm *norm)
{
    const float *x = qc_dataset_window(d, i);
    uint32_t channels = d->channels;
    uint64_t plane = (uint64_t)d->height * d->length;
    for (uint32_t c = 0; c < channels; c++) {
        float mean = norm->mean[c], deviation = norm->deviation[c];
        for (uint64_t k = 0; k < plane; k++) out[k * channels + c] = (x[c * plane + k] - mean) / deviation;
    }
}

/* Features of another front-end have another meaning. A model without a front-end accepts any channels. */
static int check_front(const QcDataset *d, const QcModelFile *m, QcErr *err)
{
    char made[QC_FRONT_TEXT] = "no front-end", wanted[QC_FRONT_TEXT];
    if (!m->front.rate || qc_frontfile_same(&d->front, &m->front)) return 0;
    if (d->front.rate) qc_frontfile_text(made, &d->front);
    qc_frontfile_text(wanted, &m->front);
    return qc_fail(err, QC_EFORMAT, "the data was made with %s, but the model takes features of %s", made, wanted);
}

static int check_shape(const QcDataset *d, const QcModelFile *m, QcErr *err)
{
    if (d->channels != m->channels)
        return qc_fail(err, QC_EFORMAT, "the data has %u channels, but the model takes %u", d->channels, m->channels);
    if (d->height != m->height || d->length != m->length)
        return m->height == 1 && d->height == 1
                   ? qc_fail(err, QC_EFORMAT, "the data has windows of length %u, but the model takes %u", d->length,
                             m->length)
                   : qc_fail(err, QC_EFORMAT, "the data has windows of %u x %u, but the model takes %u x %u", d->height,
                             d->length, m->height, m->length);
    return 0;
}

/* classes [d->labels.n]: the model's class of each name, -1 if it knows none. */
static int find_classes(int32_t *classes, const QcDataset *d, const QcModelFile *m, QcErr *err)
{
    QcArena scratch = {0};
    QcNameTable table = {0};
    int status = 0;
    for (uint32_t k = 0; k < m->classes && !status; k++)
        if (*m->labels[k]) status = qc_nametable_add(&table, &scratch, m->labels[k], k, err);
    for (uint32_t k = 0; k < d->labels.n && !status; k++)
        classes[k] = (int32_t)qc_nametable_find(&table, d->labels.names[k]);
    qc_arena_release(&scratch);
    return status;
}

static int check_need(const QcDataset *d, QcLabelNeed need, QcErr *err)
{
    uint32_t n = 0, first = d->n;
    for (uint32_t i = d->n; i-- > 0;)
        if (d->label[i] < 0) {
            n++;
            first = i;
        }
    if (need == QC_LABELS_SOME && n == d->n)
        return qc_fail(err, QC_EFORMAT, "no example of the data has a label, and some are needed here");
    if (need != QC_LABELS_ALL || !n) return 0;
    return qc_fail(err, QC_EFORMAT, "example %u of the data has no label, which is needed here (%u of %u have none)",
                   first, n, d->n);
}

int qc_dataset_match(const QcDataset *d, const QcModelFile *m, QcLabelNeed need, int32_t **map, QcArena *arena,
                     QcErr *err)
{
    if (!d->n) return qc_fail(err, QC_EFORMAT, "the data holds no examples");
    if (check_front(d, m, err) || check_shape(d, m, err) || check_need(d, need, err)) return -1;
    int32_t *classes = qc_arena_take(arena, d->labels.n, sizeof *classes, err);
    if (!classes || find_classes(classes, d, m, err)) return -1;
    for (uint32_t i = 0; i < d->n; i++) {
        int32_t label = d->label[i];
        /* a name that no example uses is ignored */
        if (label >= 0 && classes[label] < 0 && need != QC_LABELS_KNOWN)
            return qc_fail(err, QC_EFORMAT, "the data has the class '%.60s', which the model does not know",
                           d->labels.names[label]);
    }
    *map = classes;
    return 0;
}
