/* UCR/UEA archive, .ts: "#" comments, "@" header lines, then a series a line, channels parted by ':', values by ',', the class last.
 *
 * Labels are those of @classLabel, in its order. Ids are 21 bits of the file's digest and the row, so that two files of an archive
 * can be joined.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../base/digest.h"
#include "import.h"
#include "lines.h"

typedef struct Header {
    int has_labels, seen_data;
    uint32_t dimensions, length; /* as declared; 0 = not */
} Header;

int qc_recognise_ts(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && !strcasecmp(dot, ".ts");
}

static int read_flag(int *flag, const QcLines *l, QcField value, const char *key, QcErr *err)
{
    *flag = qc_field_is(value, "true");
    if (*flag || qc_field_is(value, "false")) return 0;
    return qc_lines_fail(l, err, "%s is neither true nor false: '%.*s'", key, QC_FIELD(value));
}

static int read_count(uint32_t *count, const QcLines *l, QcField value, const char *key, QcErr *err)
{
    uint64_t n = 0;
    for (const char *c = value.at; c < value.end && n < 1u << 24; c++) n = *c >= '0' && *c <= '9' ? n * 10 + (uint64_t)(*c - '0') : 1u << 24;
    if (!n || n >= 1u << 24) return qc_lines_fail(l, err, "%s is no sensible number: '%.*s'", key, QC_FIELD(value));
    *count = (uint32_t)n;
    return 0;
}

static int read_labels(Header *h, QcDataset *d, const QcLines *l, QcField rest, QcErr *err)
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
static int read_header_line(Header *h, QcDataset *d, const QcLines *l, QcField line, QcErr *err)
{
    QcField key, rest = line, value;
    int flag = 0;
    qc_field_next(&rest, &key, ' ');
    value = rest.at ? qc_field_trim(rest) : (QcField){key.end, key.end};
    if (qc_field_is(key, "@data")) return h->seen_data = 1, 0;
    if (qc_field_is(key, "@classLabel")) return read_labels(h, d, l, value, err);
    if (qc_field_is(key, "@dimensions") || qc_field_is(key, "@dimension")) return read_count(&h->dimensions, l, value, "@dimensions", err);
    if (qc_field_is(key, "@seriesLength")) return read_count(&h->length, l, value, "@seriesLength", err);
    if (qc_field_is(key, "@targetLabel")) {
        if (read_flag(&flag, l, value, "@targetLabel", err)) return -1;
        return flag ? qc_lines_fail(l, err, "the series have numbers to predict (@targetLabel), not classes") : 0;
    }
    if (qc_field_is(key, "@timeStamps") || qc_field_is(key, "@timestamps")) {
        if (read_flag(&flag, l, value, "@timeStamps", err)) return -1;
        return flag ? qc_lines_fail(l, err, "series with time stamps are not supported: resample them to equal steps first") : 0;
    }
    if (qc_field_is(key, "@missing")) {
        if (read_flag(&flag, l, value, "@missing", err)) return -1;
        return flag ? qc_lines_fail(l, err, "values are missing in this data (@missing true): fill them in first") : 0;
    }
    if (qc_field_is(key, "@equalLength")) {
        if (read_flag(&flag, l, value, "@equalLength", err)) return -1;
        return flag ? 0 : qc_lines_fail(l, err, "the series are of unequal lengths (@equalLength false): cut or pad them to one length first");
    }
    if (qc_field_is(key, "@univariate")) {
        if (read_flag(&flag, l, value, "@univariate", err)) return -1;
        if (flag) h->dimensions = 1;
        return 0;
    }
    if (qc_field_is(key, "@problemName")) return 0;
    return qc_lines_fail(l, err, "unknown header '%.*s'", QC_FIELD(key));
}

static int is_data(QcField line) { return line.at < line.end && *line.at != '#'; }

static int read_header(Header *h, QcDataset *d, QcLines *l, QcErr *err)
{
    QcField line;
    *h = (Header){0};
    while (!h->seen_data && qc_lines_next(l, &line)) {
        if (!is_data(line)) continue;
        if (*line.at != '@') return qc_lines_fail(l, err, "neither a comment (#) nor a header (@), and @data has not come yet: is this a .ts file?");
        if (read_header_line(h, d, l, line, err)) return -1;
    }
    return h->seen_data ? 0 : qc_fail(err, QC_EFORMAT, "%.300s: no @data line: this is not a .ts file", l->name);
}

/* The first series tells the shape, the rest of the file how many there are. */
static int measure(uint32_t *n, uint32_t *channels, uint32_t *length, const Header *h, QcLines *l, QcErr *err)
{
    QcField line, series;
    *n = *channels = *length = 0;
    while (qc_lines_next(l, &line)) {
        if (!is_data(line) || (*n)++) continue;
        *channels = qc_field_count(line, ':') - (h->has_labels ? 1 : 0);
        if (!*channels) return qc_lines_fail(l, err, "a class is expected behind the last ':'");
        qc_field_next(&line, &series, ':');
        *length = qc_field_count(series, ',');
        if (h->dimensions && *channels != h->dimensions)
            return qc_lines_fail(l, err, "%u channels, but the header says %u", *channels, h->dimensions);
        if (h->length && *length != h->length)
            return qc_lines_fail(l, err, "a series of length %u, but the header says %u", *length, h->length);
    }
    return *n ? 0 : qc_fail(err, QC_EFORMAT, "%.300s: there are no series behind @data", l->name);
}

static int read_series(float *x, const QcDataset *d, uint32_t c, const QcLines *l, QcField series, QcErr *err)
{
    QcField field;
    const char *wrong;
    uint32_t t = 0;
    if (series.at < series.end && *series.at == '(') return qc_lines_fail(l, err, "series with time stamps are not supported");
    for (; qc_field_next(&series, &field, ','); t++)
        if (t < d->length && qc_field_number(&x[t], field, &wrong))
            return qc_lines_fail(l, err, "value %u of channel %u '%.*s' %s", t + 1, c + 1, QC_FIELD(field), wrong);
    if (t != d->length)
        return qc_lines_fail(l, err, "channel %u has length %u instead of %u (series of unequal lengths are not supported)", c + 1, t, d->length);
    return 0;
}

static int read_label(int32_t *label, const QcDataset *d, const QcLines *l, QcField field, QcErr *err)
{
    char name[QC_FIELD_NAME];
    if (qc_field_name(name, l, field, err)) return -1;
    int64_t index = qc_names_find(&d->labels, name);
    if (index < 0) return qc_lines_fail(l, err, "class '%.60s' is not one of those named by @classLabel", name);
    *label = (int32_t)index;
    return 0;
}

static int read_example(QcDataset *d, uint32_t i, const Header *h, const QcLines *l, QcField line, QcErr *err)
{
    QcField field;
    float *x = d->x + i * qc_dataset_values(d);
    uint32_t fields = qc_field_count(line, ':'), expected = d->channels + (h->has_labels ? 1 : 0);
    if (fields != expected)
        return qc_lines_fail(l, err, "%u parts between ':', but %u channels%s are expected", fields, d->channels, h->has_labels ? " and a class" : "");
    for (uint32_t c = 0; c < d->channels; c++) {
        qc_field_next(&line, &field, ':');
        if (read_series(x + (uint64_t)c * d->length, d, c, l, field, err)) return -1;
    }
    return h->has_labels ? qc_field_next(&line, &field, ':'), read_label(&d->label[i], d, l, field, err) : 0;
}

static int read_examples(QcDataset *d, const Header *h, QcLines *l, const QcImportOptions *o, QcErr *err)
{
    QcField line;
    uint64_t base = qc_lines_id(l);
    for (uint32_t i = 0; i < d->n && qc_lines_next(l, &line);) {
        if (!is_data(line)) continue;
        if (read_example(d, i, h, l, line, err)) return -1;
        d->id[i] = base + i;
        i++;
        if (o->progress) o->progress(o->ctx, i, d->n);
    }
    return 0;
}

static int read_all(QcDataset *d, QcLines *l, const QcImportOptions *o, QcErr *err)
{
    Header h;
    uint32_t n, channels, length;
    QcDataset names = {0}; /* the header comes before the size of the dataset is known */
    int status = read_header(&h, &names, l, err);
    QcLines series = *l; /* they are gone through twice: to count, and to read */
    if (!status)
        status = measure(&n, &channels, &length, &h, l, err) || qc_dataset_init(d, n, channels, 1, length, 0, err) ? -1 : 0;
    for (uint32_t k = 0; k < names.labels.n && !status; k++)
        status = qc_names_add(&d->labels, &d->arena, names.labels.names[k], NULL, err);
    qc_dataset_release(&names);
    return status || read_examples(d, &h, &series, o, err) ? -1 : 0;
}

int qc_import_ts(QcDataset *d, const char *path, const QcImportOptions *o, QcErr *err)
{
    QcLines l;
    if (qc_lines_open(&l, path, err)) return -1;
    int status = read_all(d, &l, o, err);
    qc_lines_close(&l);
    return status;
}
