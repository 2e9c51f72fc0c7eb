#include "modelhints.h"

#include <string.h>

#include <stdlib.h>

#include "../base/file.h"
#include "../data/dataset.h"
#include "../data/lines.h"
#include "../data/ndarray.h"
#include "../data/zip.h"

enum { MAX_NUMBERS = 65535, MAX_LABELS = 4096 };

static int read_numbers(const float **values, uint32_t *n, const char *text, const char *option, QcArena *arena,
                        QcErr *err)
{
    QcField line = {text, text + strlen(text)}, field;
    const char *wrong;
    *n = qc_field_count(line, ',');
    float *out = *n && *n <= MAX_NUMBERS ? qc_arena_take(arena, *n, sizeof *out, err) : NULL;
    if (!*n || *n > MAX_NUMBERS)
        return qc_fail(err, QC_EUSAGE, "--%s wants 1 to %d numbers with commas between them", option, MAX_NUMBERS);
    if (!out) return -1;
    *values = out;
    for (uint32_t i = 0; i < *n && qc_field_next(&line, &field, ','); i++)
        if (qc_field_number(&out[i], field, &wrong))
            return qc_fail(err, QC_EUSAGE, "--%s: '%.*s' is not a finite number", option, QC_FIELD(field));
    return 0;
}

static int read_shape(QcOnnxOptions *o, const char *text, QcArena *arena, QcErr *err)
{
    const float *values;
    uint32_t n;
    if (read_numbers(&values, &n, text, "shape", arena, err)) return -1;
    for (uint32_t i = 0; i < n; i++)
        if (!(values[i] >= 1 && values[i] <= 65535) || values[i] > (float)(uint32_t)values[i]) n = 0;
    if (n != 2 && n != 3)
        return qc_fail(err, QC_EUSAGE, "--shape wants C,T or C,H,W, each 1 to 65535, not '%.60s'", text);
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
        if (qc_field_name(name, &lines, line, err) ||
            !(labels[o->n_labels] = qc_arena_text(arena, name, strlen(name), err)))
            goto end;
        o->n_labels++;
    }
    o->labels = labels;
    status = o->n_labels ? 0 : qc_fail(err, QC_EFORMAT, "%.300s has no class names", path);
end:
    qc_lines_close(&lines);
    return status;
}

static int labels_of_data(QcOnnxOptions *o, const char *path, QcArena *arena, QcErr *err)
{
    QcDataset d = {0};
    if (qc_dataset_open(&d, path, err)) return -1;
    char **labels = qc_arena_take(arena, d.labels.n, sizeof *labels, err);
    int status = labels && d.labels.n ? 0 : -1;
    if (labels && !d.labels.n) qc_fail(err, QC_EFORMAT, "%.300s has no class names", path);
    for (uint32_t k = 0; k < d.labels.n && !status; k++)
        if (!(labels[k] = qc_arena_text(arena, d.labels.names[k], strlen(d.labels.names[k]), err))) status = -1;
    o->labels = labels;
    o->n_labels = d.labels.n;
    o->front = d.front;
    qc_dataset_release(&d);
    return status;
}

/* One array of an .npz, all its values in order. */
static int read_array(const float **values, uint32_t *n, const QcZip *zip, const char *member, QcArena *arena,
                      QcErr *err)
{
    const QcZipMember *m = qc_zip_find(zip, member);
    QcNdarray a;
    uint8_t *bytes;
    if (!m)
        return qc_fail(err, QC_EFORMAT, "%.200s has no array '%.*s'; --norm needs mean and std", zip->name,
                       (int)strlen(member) - 4, member);
    if (qc_zip_read(&bytes, zip, m, err)) return -1;
    int status = qc_ndarray_parse(&a, bytes, m->length, zip->name, err);
    if (!status && (qc_ndarray_is_text(&a) || !a.count || a.count > MAX_NUMBERS))
        status = qc_fail(err, QC_EFORMAT, "%.200s: '%s' is not 1 to %d numbers", zip->name, member, MAX_NUMBERS);
    float *out = status ? NULL : qc_arena_take(arena, a.count, sizeof *out, err);
    for (uint64_t i = 0; out && i < a.count; i++) out[i] = (float)qc_ndarray_real(&a, i);
    free(bytes);
    *values = out;
    *n = out ? (uint32_t)a.count : 0;
    return out ? 0 : -1;
}

static int read_norm(QcOnnxOptions *o, const char *path, QcArena *arena, QcErr *err)
{
    QcInputView archive;
    QcZip zip;
    if (qc_inputview_open(&archive, path, err)) return -1;
    int status = qc_zip_open(&zip, &archive, qc_input_name(path), arena, err) ||
                         read_array(&o->mean, &o->n_mean, &zip, "mean.npy", arena, err) ||
                         read_array(&o->deviation, &o->n_deviation, &zip, "std.npy", arena, err)
                     ? -1
                     : 0;
    qc_inputview_close(&archive);
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
    if (hints->norm && (hints->mean || hints->std))
        return qc_fail(err, QC_EUSAGE, "--norm has the means and deviations; --mean and --std are not needed");
    if (hints->labels && hints->labels_from)
        return qc_fail(err, QC_EUSAGE, "--labels and --labels-from both name the classes: one is enough");
    if (hints->norm && read_norm(o, hints->norm, arena, err)) return -1;
    if (hints->mean && read_numbers(&o->mean, &o->n_mean, hints->mean, "mean", arena, err)) return -1;
    if (hints->std && read_numbers(&o->deviation, &o->n_deviation, hints->std, "std", arena, err)) return -1;
    if (!all_above_zero(o->deviation, o->n_deviation))
        return qc_fail(err, QC_EUSAGE, "deviations (--std, --norm) must be above 0");
    if (hints->labels_from) return labels_of_data(o, hints->labels_from, arena, err);
    return hints->labels ? read_labels(o, hints->labels, arena, err) : 0;
}

int qc_modelhints_foreign(const char *path, const char *format, QcErr *err)
{
    static const struct {
        const char *ending, *what;
    } all[] = {
        {".pth", "a PyTorch checkpoint holds Python objects; export the model with torch.onnx.export(model.eval(), x, "
                 "'model.onnx'), or its weights as safetensors"},
        {".pt", "a PyTorch checkpoint holds Python objects; export the model with torch.onnx.export(model.eval(), x, "
                "'model.onnx'), or its weights as safetensors"},
        {".h5", "a Keras model becomes ONNX by tf2onnx.convert.from_keras(model, output_path='model.onnx') in Python"},
        {".keras",
         "a Keras model becomes ONNX by tf2onnx.convert.from_keras(model, output_path='model.onnx') in Python"},
        {".pb",
         "a TensorFlow model becomes ONNX by python -m tf2onnx.convert --saved-model FOLDER --output model.onnx"},
    };
    size_t letters = strlen(path);
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        size_t last = strlen(all[k].ending);
        int ends = !format && letters > last && !strcmp(path + letters - last, all[k].ending);
        if (ends || (format && !strcmp(format, all[k].ending + 1)))
            return qc_fail(err, QC_EUNSUPPORTED, "%.200s: %s", path, all[k].what);
    }
    return 0;
}
