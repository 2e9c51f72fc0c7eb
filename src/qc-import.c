/* qc-import: foreign recordings in, a data file out; or a foreign model in, a model file out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/base/file.h"
#include "../lib/cli/cli.h"
#include "../lib/data/import.h"
#include "../lib/format/qgraphfile.h"
#include "../lib/nn/graphfile.h"
#include "../lib/onnx/modelhints.h"
#include "../lib/onnx/weightsin.h"
#include "../lib/quant/accuracy.h"
#include "../lib/quant/keep.h"

static const char *format, *output, *label, *group, *recording, *window_id, *header, *window, *stride, *unequal, *missing, *x_name, *y_name, *size, *resize;
static int64_t channels, jobs, length;
static double width;
static int json, channels_last, crop, grey;
static QcList groups;
static QcModelHints hints;
static const char *external_data, *like, *arch, *model_output, *measure_path;

static const QcOption options[] = {
    {'f', "format", QC_OPTION_TEXT, &format, "FORMAT", "dsa, uschad, ucihar, wisdm, pamap2, images, ts, npz, npy, arff, tsv, csv, onnx or safetensors", 0, 0},
    {'g', "group", QC_OPTION_LIST, &groups, "NAME", "import this person (group) only; repeatable", 0, 0},
    {'o', "output", QC_OPTION_TEXT, &output, "FILE", "write the data file here, not to standard output", 0, 0},
    {0, "jobs", QC_OPTION_INT, &jobs, "N", "threads that read files (0 = all cores); the result is the same", 0, 256},
    {0, "window", QC_OPTION_TEXT, &window, "SPAN", "recordings: length of a window in samples (200) or seconds (2s)", 0, 0},
    {0, "stride", QC_OPTION_TEXT, &stride, "SPAN", "recordings: from one window's start to the next's (else the window)", 0, 0},
    {0, "unequal", QC_OPTION_TEXT, &unequal, "WHAT", "series of unequal length: refuse, pad or resample (else refuse)", 0, 0},
    {0, "length", QC_OPTION_INT, &length, "N", "pad or resample to this length (else the longest series')", 1, 1 << 24},
    {0, "missing", QC_OPTION_TEXT, &missing, "WHAT", "values that are missing: refuse, fill or drop the window (else refuse)", 0, 0},
    {0, "channels", QC_OPTION_INT, &channels, "N", "csv, tsv: a row holds N channels one after another (else 1)", 1, 1 << 24},
    {0, "label-column", QC_OPTION_TEXT, &label, "COLUMN", "csv, tsv, arff: name or number of the label, or none", 0, 0},
    {0, "group-column", QC_OPTION_TEXT, &group, "COLUMN", "csv: name or number of the person or group (else none)", 0, 0},
    {0, "recording-column", QC_OPTION_TEXT, &recording, "COLUMN", "csv: name or number of the recording (else none)", 0, 0},
    {0, "window-column", QC_OPTION_TEXT, &window_id, "COLUMN", "csv: a row is one step; rows that agree in this column are a window", 0, 0},
    {0, "header", QC_OPTION_TEXT, &header, "yes|no", "csv: whether the first row has names (else found out)", 0, 0},
    {0, "x", QC_OPTION_TEXT, &x_name, "NAME", "npz: the array with the windows (else x)", 0, 0},
    {0, "y", QC_OPTION_TEXT, &y_name, "NAME", "npz: the array with the labels, or none (else y); npy: a second file", 0, 0},
    {0, "channels-last", QC_OPTION_FLAG, &channels_last, NULL, "npz, npy: windows are length x channels, not channels x length", 0, 0},
    {0, "size", QC_OPTION_TEXT, &size, "N|HxW", "images: pixels a side, or height x width (else 64)", 0, 0},
    {0, "resize", QC_OPTION_TEXT, &resize, "HOW", "images: area or bilinear (else area)", 0, 0},
    {0, "crop", QC_OPTION_FLAG, &crop, NULL, "images: take the middle part of the right shape, do not stretch", 0, 0},
    {0, "grey", QC_OPTION_FLAG, &grey, NULL, "images: one channel of brightness, not three of colour", 0, 0},
    {0, "labels", QC_OPTION_TEXT, &hints.labels, "FILE", "models: class names, one a line, in the order of the logits (else 0, 1, ...)", 0, 0},
    {0, "mean", QC_OPTION_TEXT, &hints.mean, "LIST", "models: what to subtract from raw windows: one number, or one a channel (else nothing)", 0, 0},
    {0, "std", QC_OPTION_TEXT, &hints.std, "LIST", "models: what to divide them by then (else nothing)", 0, 0},
    {0, "labels-from", QC_OPTION_TEXT, &hints.labels_from, "FILE", "models: class names of this data file, in its order", 0, 0},
    {0, "norm", QC_OPTION_TEXT, &hints.norm, "FILE", "models: .npz with mean and std, as --mean and --std", 0, 0},
    {0, "logits", QC_OPTION_TEXT, &model_output, "NAME", "onnx: which of several outputs has the logits", 0, 0},
    {'d', "data", QC_OPTION_TEXT, &measure_path, "FILE", "models: print the accuracy on this data file", 0, 0},
    {0, "shape", QC_OPTION_TEXT, &hints.shape, "LIST", "models: C,T or C,H,W of a window where the file does not say it", 0, 0},
    {0, "like", QC_OPTION_TEXT, &like, "FILE", "npz, safetensors: weights for a float model that is built like this one", 0, 0},
    {'a', "arch", QC_OPTION_TEXT, &arch, "FILE", "npz, safetensors: weights for this architecture (with --shape and --labels)", 0, 0},
    {0, "width", QC_OPTION_REAL, &width, "R", "npz, safetensors: multiplies the channels of -a, as in qc-train", 0.001, 100},
    {0, "external-data", QC_OPTION_TEXT, &external_data, "DIR", "onnx: weights may lie in files of this folder (else refused)", 0, 0},
    {0, "json", QC_OPTION_FLAG, &json, NULL, "print what was imported on standard output as JSON (needs -o)", 0, 0},
    {0},
};

static const QcProgram program = {"qc-import", "turn foreign recordings into a data file, or a foreign model into a model file", "[options] [PATH]", options, 1};

static void show_progress(void *ctx, uint64_t done, uint64_t total)
{
    (void)ctx;
    qc_progress(done, total, "importing");
}

/* The place of the word among those that the option takes (at most three); `otherwise` where it was not given. */
static int read_word(int *value, int otherwise, const char *word, const char *option, const char *const words[3], QcErr *err)
{
    *value = otherwise;
    if (!word) return 0;
    for (*value = 0; *value < 3 && words[*value]; ++*value)
        if (!strcmp(word, words[*value])) return 0;
    return qc_fail(err, QC_EUSAGE, "--%s is %s%s%s or %s, not '%.40s'", option, words[0], words[2] ? ", " : "", words[2] ? words[1] : "", words[2] ? words[2] : words[1], word);
}

static int read_words(QcImportOptions *o, QcErr *err)
{
    static const char *const headers[3] = {"no", "yes"}, *const lengths[3] = {"refuse", "pad", "resample"}, *const gaps[3] = {"refuse", "fill", "drop"},
                      *const scalings[3] = {"area", "bilinear"};
    int u, m, r;
    if (read_word(&o->header, -1, header, "header", headers, err) || read_word(&u, 0, unequal, "unequal", lengths, err) || read_word(&m, 0, missing, "missing", gaps, err) ||
        read_word(&r, 0, resize, "resize", scalings, err))
        return -1;
    o->unequal = (QcUnequal)u;
    o->missing = (QcMissing)m;
    o->resize = (QcResize)r;
    return 0;
}

static int read_size(QcImportOptions *o, QcErr *err)
{
    char rest;
    if (!size) return 0;
    int n = sscanf(size, "%5ux%5u%c", &o->height, &o->width, &rest);
    if (n == 1 && strspn(size, "0123456789") == strlen(size)) o->width = o->height;
    else if (n != 2) o->height = 0;
    if (o->height && o->width && o->height <= 4096 && o->width <= 4096) return 0;
    return qc_fail(err, QC_EUSAGE, "--size is a number of pixels (64) or height x width (48x64), each from 1 to 4096, not '%.40s'", size);
}

static void report(const QcDataset *d)
{
    if (json)
        printf("{\"examples\": %u, \"channels\": %u, \"height\": %u, \"length\": %u, \"classes\": %u, \"groups\": %u, \"recordings\": %u}\n",
               d->n, d->channels, d->height, d->length, d->labels.n, d->groups.n, d->recordings.n);
    else if (d->height > 1)
        qc_say("%u images of %u channels x %u x %u, %u classes, %u groups", d->n, d->channels, d->height, d->length, d->labels.n, d->groups.n);
    else
        qc_say("%u windows of %u channels x %u, %u classes, %u groups", d->n, d->channels, d->length, d->labels.n, d->groups.n);
}

static int ends_in(const char *path, const char *ending)
{
    size_t letters = strlen(path), last = strlen(ending);
    return letters > last && !strcmp(path + letters - last, ending);
}

static int is_format(const char *path, const char *name, const char *ending) { return format ? !strcmp(format, name) : ends_in(path, ending); }
static int is_onnx(const char *path) { return is_format(path, "onnx", ".onnx"); }
static int is_safetensors(const char *path) { return is_format(path, "safetensors", ".safetensors"); }
static int is_model(const char *path) { return is_onnx(path) || is_safetensors(path) || like || arch; }

static void report_model(const QcModelFile *m, const QcOnnxNotes *notes, const QcScore *score)
{
    if (json) printf("{\"channels\": %u, \"height\": %u, \"length\": %u, \"classes\": %u", m->channels, m->height, m->length, m->classes);
    if (json && score->n) printf(", \"accuracy\": %.6g", score->accuracy);
    if (json) puts("}");
    else qc_say("a model for windows of %u channels x %u x %u, %u classes", m->channels, m->height, m->length, m->classes);
    if (notes->outputs > 1) qc_say("of its %u outputs, '%s' was taken as the logits", notes->outputs, notes->output);
    if (notes->steps) qc_say("it is quantized: its codes of 8 bits and its scales are kept");
    if (notes->asymmetric) qc_say("its activations have zero points that the device has not: the model is imported as float, for qc-quantize");
    if (hints.labels_from) qc_say("its logits were given the class names of %s in their order: %s, ..., %s", hints.labels_from, m->labels[0], m->labels[m->classes - 1]);
    else if (notes->numbered) qc_say("its classes have no names but 0 to %u (--labels or --labels-from names them)", m->classes - 1);
    if (notes->softmax) qc_say("its final softmax was left out: the model gives logits");
    if (notes->sigmoid) qc_say("its final sigmoid was left out: the model gives logits");
    if (notes->two_classes) qc_say("its one logit is that of class 1; class 0 has the logit 0");
    if (!score->n) return;
    qc_say("accuracy on %u examples of %s: %.4f%s", score->n, measure_path, score->accuracy,
           qc_score_is_chance(score) ? " - no better than guessing: is the order of the classes right, and the normalisation (--mean, --std, --norm)?" : "");
}

/* A model that comes quantized keeps its codes and scales. */
static int keep_quantized(QcModelFile *m, const QcOnnxNotes *notes, QcErr *err)
{
    QcGraph graph;
    QcQGraph g;
    QcArena arena = {0};
    if (!notes->steps) return 0;
    if (qc_graph_decode(&graph, m, err)) return -1;
    int status = qc_keep(&g, &graph, notes->steps, &arena, err) || qc_qgraph_encode(m, &g, err) ? -1 : 0;
    qc_graph_release(&graph);
    qc_arena_release(&arena);
    return status;
}

static int import_model(const char *path, QcErr *err)
{
    QcModelFile model = {0};
    QcArena arena = {0};
    QcOnnxOptions o;
    uint8_t digest[QC_DIGEST_BYTES];
    QcOnnxNotes notes = {0};
    QcScore score = {0};
    int status = -1;
    if (groups.n || channels || length || label || group || recording || window_id || header || window || stride || unequal || missing || x_name || y_name || channels_last || size || resize || crop || grey) {
        qc_fail(err, QC_EUSAGE, "options about groups, windows, columns and pictures are for data, and this is a model");
        goto end;
    }
    if (format && !is_onnx(path) && !is_safetensors(path) && strcmp(format, "npz")) {
        qc_fail(err, QC_EUSAGE, "weights are read from npz and safetensors, not from '%.40s'", format);
        goto end;
    }
    if (width > 0 && !arch) {
        qc_fail(err, QC_EUSAGE, "--width multiplies the channels of an architecture, which -a names");
        goto end;
    }
    if (is_onnx(path) && (like || arch)) {
        qc_fail(err, QC_EUSAGE, "--like and -a are for weights, and an ONNX file has a graph of its own");
        goto end;
    }
    if (qc_modelhints_read(&o, &hints, &arena, err)) goto end;
    o.folder = external_data;
    o.output = model_output;
    QcWeightsSource weights = {.path = path, .safetensors = is_safetensors(path), .like = like, .arch = arch, .width = width};
    if (is_onnx(path) ? qc_onnx_load(&model, digest, path, &o, &notes, err) : qc_weights_import(&model, digest, &weights, &o, err)) goto end;
    if (keep_quantized(&model, &notes, err)) {
        qc_within(err, qc_input_name(path));
        goto end;
    }
    if (measure_path && qc_model_score(&score, &model, measure_path, qc_threads(jobs), err)) goto end;
    QcInput input = {is_onnx(path) ? "onnx" : "weights", digest};
    if (qc_modelfile_stamp(&model, qc_cli_command(), &input, 1, err) || qc_modelfile_save(&model, output, err)) goto end;
    report_model(&model, &notes, &score);
    status = 0;
end:
    free(notes.steps);
    qc_score_release(&score);
    qc_modelfile_release(&model);
    qc_arena_release(&arena);
    return status;
}

int main(int argc, char **argv)
{
    int operands = qc_cli_parse(&program, argc, argv);
    const char *path = operands ? argv[1] : "-";
    QcErr err = {0};
    QcDataset data = {0};
    QcImportOptions o = {.groups = groups.items, .n_groups = (uint32_t)groups.n, .jobs = (uint32_t)qc_threads(jobs), .channels = (uint32_t)channels,
                         .label = y_name ? y_name : label, .group = group, .recording = recording, .window_id = window_id, .length = (uint32_t)length, .window = window,
                         .values = x_name, .channels_last = channels_last, .crop = crop, .grey = grey,
                         .stride = stride, .progress = show_progress};
    int status = -1;
    if (json && qc_is_standard(output)) {
        qc_fail(&err, QC_EUSAGE, "--json prints on standard output, so the data needs -o FILE");
        goto end;
    }
    if (qc_output_spares(output, &path, 1, &err)) goto end;
    if (qc_modelhints_foreign(path, format, &err)) goto end;
    if (is_model(path)) {
        status = import_model(path, &err);
        goto end;
    }
    if (hints.labels || hints.labels_from || hints.norm || model_output || measure_path || hints.mean || hints.std || hints.shape || width > 0 || external_data) {
        qc_fail(&err, QC_EUSAGE, "--labels, --labels-from, --logits, --mean, --std, --norm, --shape, --width, --external-data and -d are for models, and this is data");
        goto end;
    }
    if (read_words(&o, &err) || read_size(&o, &err) || qc_import(&data, format, path, &o, &err)) goto end;
    qc_progress_end();
    if (qc_dataset_sign(&data, qc_cli_command(), NULL, &err) || qc_dataset_save(&data, output, &err)) goto end;
    report(&data);
    status = 0;
end:
    qc_dataset_release(&data);
    return qc_cli_end(&err, status);
}
