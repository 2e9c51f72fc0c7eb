#include "modelhints.h"

#include <string.h>

#include "../data/lines.h"

enum { MAX_NUMBERS = 65535, MAX_LABELS = 4096 };

static int read_numbers(const float **values, uint32_t *n, const char *text, const char *option, QcArena *arena, QcErr *err)
{
    QcField line = {text, text + strlen(text)}, field;
    const char *wrong;
    *n = qc_field_count(line, ',');
    float *out = *n && *n <= MAX_NUMBERS ? qc_arena_take(arena, *n, sizeof *out, err) : NULL;
    if (!*n || *n > MAX_NUMBERS) return qc_fail(err, QC_EUSAGE, "--%s wants 1 to %d numbers with commas between them", option, MAX_NUMBERS);
    if (!out) return -1;
    *values = out;
    for (uint32_t i = 0; i < *n && qc_field_next(&line, &field, ','); i++)
        if (qc_field_number(&out[i], field, &wrong)) return qc_fail(err, QC_EUSAGE, "--%s: '%.*s' %s", option, QC_FIELD(field), wrong);
    return 0;
}

static int read_shape(QcOnnxOptions *o, const char *text, QcArena *arena, QcErr *err)
{
    const float *values;
    uint32_t n;
    if (read_numbers(&values, &n, text, "shape", arena, err)) return -1;
    for (uint32_t i = 0; i < n; i++)
        if (!(values[i] >= 1 && values[i] <= 65535) || values[i] > (float)(uint32_t)values[i]) n = 0;
    if (n != 2 && n != 3) return qc_fail(err, QC_EUSAGE, "--shape wants C,T or C,H,W, each 1 to 65535, not '%.60s'", text);
    o->channels = (uint32_t)values[0];
    o->height = n == 3 ? (uint32_t)values[1] : 1;
    o->length = (uint32_t)values[n - 1];
    return 0;
}

static int read_labels(QcOnnxOptions *o, const char *path, QcArena *arena, QcErr *err)
{
    QcLines lines;
    QcField line;
    char name[QC_FIELD_NAME];
    char **labels = qc_arena_take(arena, MAX_LABELS, sizeof *labels, err);
    int status = -1;
    if (!labels || qc_lines_open(&lines, path, err)) return -1;
    while (qc_lines_next(&lines, &line)) {
        if (line.at == line.end) continue;
        if (o->n_labels == MAX_LABELS) {
            qc_lines_fail(&lines, err, "more than %d class names", MAX_LABELS);
            goto end;
        }
        if (qc_field_name(name, &lines, line, err) || !(labels[o->n_labels] = qc_arena_text(arena, name, strlen(name), err))) goto end;
        o->n_labels++;
    }
    o->labels = labels;
    status = o->n_labels ? 0 : qc_fail(err, QC_EFORMAT, "%.300s has no class names", path);
end:
    qc_lines_close(&lines);
    return status;
}

static int all_above_zero(const float *values, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!(values[i] > 0)) return 0;
    return 1;
}

int qc_modelhints_read(QcOnnxOptions *o, const QcModelHints *hints, QcArena *arena, QcErr *err)
{
    *o = (QcOnnxOptions){0};
    if (hints->shape && read_shape(o, hints->shape, arena, err)) return -1;
    if (hints->mean && read_numbers(&o->mean, &o->n_mean, hints->mean, "mean", arena, err)) return -1;
    if (hints->std && read_numbers(&o->deviation, &o->n_deviation, hints->std, "std", arena, err)) return -1;
    if (!all_above_zero(o->deviation, o->n_deviation)) return qc_fail(err, QC_EUSAGE, "--std wants numbers above 0");
    return hints->labels ? read_labels(o, hints->labels, arena, err) : 0;
}
