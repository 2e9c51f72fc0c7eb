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
#include "../lib/onnx/tflite.h"
#include "../lib/onnx/weightsin.h"
#include "../lib/quant/accuracy.h"
#include "../lib/quant/keep.h"

static const char *format, *output;
static int64_t jobs;
static double width;
static int json;
static QcList groups;
static QcModelHints hints;
static const char *external_data, *like, *arch, *model_output, *measure_path;

/* Options of every format; options of one format are its importer's (lib/data/importrows.h). */
static const QcOption common[] = {
    {'f', "format", QC_OPTION_TEXT, &format, "FORMAT", "one of the formats above (else concluded)", 0, 0},
    {'g', "group", QC_OPTION_LIST, &groups, "NAME", "import this person (group) only; repeatable", 0, 0},
    {'o', "output", QC_OPTION_TEXT, &output, "FILE", "write the data file here, not to standard output", 0, 0},
    {0, "threads", QC_OPTION_INT, &jobs, "N", "threads that read files; 0 = all cores", 0, 256},
    {0, "json", QC_OPTION_FLAG, &json, NULL, "print what was imported as JSON (needs -o)", 0, 0},
    {0},
};

static const QcOption model_options[] = {
    {0, "labels", QC_OPTION_TEXT, &hints.labels, "FILE", "models: file of class names, one per line", 0, 0},
    {0, "mean", QC_OPTION_TEXT, &hints.mean, "LIST", "models: subtracted from raw windows: one, or one per channel",
     0, 0},
    {0, "std", QC_OPTION_TEXT, &hints.std, "LIST", "models: raw windows are divided by it (else by 1)", 0, 0},
    {0, "labels-from", QC_OPTION_TEXT, &hints.labels_from, "FILE",
     "models: class names of this data file, in its order", 0, 0},
    {0, "norm", QC_OPTION_TEXT, &hints.norm, "FILE", "models: .npz with mean and std, as --mean and --std", 0, 0},
    {0, "logits", QC_OPTION_TEXT, &model_output, "NAME", "onnx, tflite: which of several outputs has the logits", 0, 0},
    {'d', "data", QC_OPTION_TEXT, &measure_path, "FILE", "models: print the accuracy on this data file", 0, 0},
    {0, "shape", QC_OPTION_TEXT, &hints.shape, "LIST", "models: C,T or C,H,W of a window if the file lacks it", 0, 0},
    {0, "like", QC_OPTION_TEXT, &like, "FILE", "npz, safetensors: a float model with the same layers", 0, 0},
    {'a', "arch", QC_OPTION_TEXT, &arch, "FILE", "npz, safetensors: architecture (with --shape and --labels)", 0, 0},
    {0, "width", QC_OPTION_REAL, &width, "R", "npz, safetensors: factor of the channels of -a", 0.001, 100},
    {0, "external-data", QC_OPTION_TEXT, &external_data, "DIR",
     "onnx: weights may lie in files of this folder (else refused)", 0, 0},
    {0},
};

/* ---- the table of options: common ones, rows of importers, options of models ---- */

enum { ROWS_MAX = 80 };
static const QcImportRow *rows[ROWS_MAX]; /* of importers, each once */
static const char *texts[ROWS_MAX];       /* what was given for each */
static int flags[ROWS_MAX], n_rows;
static QcOption options[ROWS_MAX + 32];
static char synopsis[2000];
static QcProgram program = {"qc-import",
                            "turn foreign recordings into a data file, or a foreign model into a model file", synopsis,
                            options, 1};

static void add_options(int *n, const QcOption *table)
{
    for (; table->name; table++) options[(*n)++] = *table;
}

static void add_rows(int *n, const QcImporter *i, int all)
{
    for (const QcImportRow *const *row = i->rows; *row && n_rows < ROWS_MAX; row++) {
        int k = 0;
        while (k < n_rows && strcmp(rows[k]->name, (*row)->name)) k++;
        if (k < n_rows || (!all && !(*row)->common)) continue;
        rows[n_rows] = *row;
        int flag = (*row)->kind == QC_ROW_FLAG;
        options[(*n)++] = (QcOption){0,
                                     (*row)->name,
                                     flag ? QC_OPTION_FLAG : QC_OPTION_TEXT,
                                     flag ? (void *)&flags[n_rows] : (void *)&texts[n_rows],
                                     (*row)->meta,
                                     (*row)->help,
                                     0,
                                     0};
        n_rows++;
    }
}

static int is_model_format(const char *name)
{
    return !strcmp(name, "onnx") || !strcmp(name, "tflite") || !strcmp(name, "safetensors");
}

/* The value of -f among the arguments, and whether help is asked for. */
static const char *look_ahead(int argc, char **argv, int *help)
{
    const char *named = NULL;
    for (int k = 1; k < argc && strcmp(argv[k], "--"); k++) {
        if (!strcmp(argv[k], "-h") || !strcmp(argv[k], "--help")) *help = 1;
        if ((!strcmp(argv[k], "-f") || !strcmp(argv[k], "--format")) && k + 1 < argc) named = argv[k + 1];
        else if (!strncmp(argv[k], "--format=", 9)) named = argv[k] + 9;
        else if (!strncmp(argv[k], "-f", 2) && argv[k][2]) named = argv[k] + 2;
    }
    return named;
}

/* Help shows the common options, or the options of the format that is named; a command line may have any. */
static void make_options(int argc, char **argv)
{
    int n = 0, help = 0;
    const char *named = look_ahead(argc, argv, &help);
    const QcImporter *one = named ? qc_importer_named(named) : NULL;
    size_t used = (size_t)snprintf(synopsis, sizeof synopsis, "[options] [PATH]\n\n");
    for (const QcImporter *const *i = qc_importers; *i; i++)
        if (!one || *i == one)
            used += (size_t)snprintf(synopsis + used, sizeof synopsis - used, "  %-10s %s\n", (*i)->name, (*i)->what);
    if (!one)
        snprintf(synopsis + used, sizeof synopsis - used,
                 "  %-10s %s\n\n`qc-import -f FORMAT -h` shows the options of a format; common ones:", "onnx",
                 "a model; also tflite, safetensors");
    else synopsis[used - 1] = 0;
    add_options(&n, common);
    for (const QcImporter *const *i = qc_importers; *i; i++)
        if (!help || !one || *i == one) add_rows(&n, *i, !help || *i == one);
    if (!help || (named && is_model_format(named)) || (one && !strcmp(named, "npz"))) add_options(&n, model_options);
    options[n] = (QcOption){0};
}

static int read_rows(QcImportOptions *o, QcErr *err)
{
    for (int k = 0; k < n_rows; k++)
        if ((flags[k] || texts[k]) && qc_row_read(o, rows[k], texts[k], err)) return -1;
    return 0;
}

static int any_row(void)
{
    for (int k = 0; k < n_rows; k++)
        if (flags[k] || texts[k]) return 1;
    return 0;
}

static void show_progress(void *ctx, uint64_t done, uint64_t total)
{
    (void)ctx;
    qc_progress(done, total, "importing");
}

/* What an importer concluded, or warns of. */
static void show_note(void *ctx, int warning, const char *sentence)
{
    (void)ctx;
    qc_progress_end();
    if (warning) qc_warn("%s", sentence);
    else qc_note("%s", sentence);
}

static void report(const QcDataset *d)
{
    if (json)
        printf("{\"examples\": %u, \"channels\": %u, \"height\": %u, \"length\": %u, \"classes\": %u, \"groups\": %u, "
               "\"recordings\": %u}\n",
               d->n, d->channels, d->height, d->length, d->labels.n, d->groups.n, d->recordings.n);
    else if (d->height > 1)
        qc_note("%u images of %u channels x %u x %u, %u classes, %u groups", d->n, d->channels, d->height, d->length,
                d->labels.n, d->groups.n);
    else
        qc_note("%u windows of %u channels x %u, %u classes, %u groups", d->n, d->channels, d->length, d->labels.n,
                d->groups.n);
}

static int ends_in(const char *path, const char *ending)
{
    size_t letters = strlen(path), last = strlen(ending);
    return letters > last && !strcmp(path + letters - last, ending);
}

static int is_format(const char *path, const char *name, const char *ending)
{
    return format ? !strcmp(format, name) : ends_in(path, ending);
}
static int is_onnx(const char *path) { return is_format(path, "onnx", ".onnx"); }
static int is_tflite(const char *path) { return is_format(path, "tflite", ".tflite"); }
static int is_safetensors(const char *path) { return is_format(path, "safetensors", ".safetensors"); }
static int has_graph(const char *path) { return is_onnx(path) || is_tflite(path); }
static int is_model(const char *path) { return has_graph(path) || is_safetensors(path) || like || arch; }

static void report_model(const QcModelFile *m, const QcOnnxNotes *notes, const QcScore *score)
{
    if (json)
        printf("{\"channels\": %u, \"height\": %u, \"length\": %u, \"classes\": %u", m->channels, m->height, m->length,
               m->classes);
    if (json && score->n) printf(", \"accuracy\": %.6g", score->accuracy);
    if (json) puts("}");
    else
        qc_note("a model for windows of %u channels x %u x %u, %u classes", m->channels, m->height, m->length,
                m->classes);
    if (notes->outputs > 1) qc_note("of its %u outputs, '%s' was taken as the logits", notes->outputs, notes->output);
    if (notes->steps) qc_note("it is quantized: its codes of 8 bits and its scales are kept");
    if (notes->asymmetric)
        qc_note("its activations have zero points that the device has not: the model is imported as float, for "
                "qc-quantize");
    else if (notes->mixed)
        qc_note("some of its weights are not quantized: the model is imported as float, for qc-quantize");
    if (hints.labels_from)
        qc_note("its logits were given the class names of %s in their order: %s, ..., %s", hints.labels_from,
                m->labels[0], m->labels[m->classes - 1]);
    else if (notes->numbered)
        qc_note("its classes have no names but 0 to %u (--labels or --labels-from names them)", m->classes - 1);
    if (notes->softmax) qc_note("its final softmax was left out: the model gives logits");
    if (notes->sigmoid) qc_note("its final sigmoid was left out: the model gives logits");
    if (notes->two_classes) qc_note("its one logit is the logit of class 1; class 0 has the logit 0");
    if (!score->n) return;
    qc_note("accuracy on %u examples of %s: %.4f%s", score->n, measure_path, score->accuracy,
            qc_is_chance(score) ? " - no better than guessing: is the order of the classes right, and the "
                                       "normalization (--mean, --std, --norm)?"
                                     : "");
}

/* A model that comes quantized keeps its codes and scales. */
static int keep_quantized(QcModelFile *m, const QcOnnxNotes *notes, QcErr *err)
{
    QcGraph graph;
    QcQGraph g;
    QcArena arena = {0};
    if (!notes->steps) return 0;
    if (qc_graph_decode(&graph, m, err)) return -1;
    int status = qc_keep(&g, &graph, notes->steps, &arena, err) || qc_qgraphfile_encode(m, &g, err) ? -1 : 0;
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
    if (groups.n || any_row()) {
        qc_fail(err, QC_EUSAGE,
                "options about groups, windows, columns and pictures are for data, and this is a model");
        goto end;
    }
    if (format && !has_graph(path) && !is_safetensors(path) && strcmp(format, "npz")) {
        qc_fail(err, QC_EUSAGE, "weights are read from npz and safetensors, not from '%.40s'", format);
        goto end;
    }
    if (width > 0 && !arch) {
        qc_fail(err, QC_EUSAGE, "--width multiplies the channels of an architecture, which -a names");
        goto end;
    }
    if (has_graph(path) && (like || arch)) {
        qc_fail(err, QC_EUSAGE, "--like and -a are for weights, and a file of %s has a graph of its own",
                is_onnx(path) ? "ONNX" : "TensorFlow Lite");
        goto end;
    }
    if (qc_modelhints_read(&o, &hints, &arena, err)) goto end;
    o.folder = external_data;
    o.output = model_output;
    QcWeightsSource weights = {
        .path = path, .safetensors = is_safetensors(path), .like = like, .arch = arch, .width = width};
    if (is_onnx(path)     ? qc_onnx_load(&model, digest, path, &o, &notes, err)
        : is_tflite(path) ? qc_tflite_load(&model, digest, path, &o, &notes, err)
                          : qc_import_weights(&model, digest, &weights, &o, err))
        goto end;
    if (keep_quantized(&model, &notes, err)) {
        qc_within(err, qc_input_name(path));
        goto end;
    }
    if (measure_path && qc_model_score(&score, &model, measure_path, qc_threads(jobs), err)) goto end;
    QcInput input = {is_onnx(path) ? "onnx" : is_tflite(path) ? "tflite" : "weights", digest};
    if (qc_modelfile_stamp(&model, qc_cli_command(), &input, 1, err) || qc_modelfile_save(&model, output, err))
        goto end;
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
    make_options(argc, argv);
    int operands = qc_cli_parse(&program, argc, argv);
    const char *path = operands ? argv[1] : "-";
    QcErr err = {0};
    QcDataset data = {0};
    QcImportOptions o = {.groups = groups.items,
                         .n_groups = (uint32_t)groups.n,
                         .jobs = (uint32_t)qc_threads(jobs),
                         .progress = show_progress,
                         .note = show_note};
    int status = -1;
    if (json && qc_is_standard(output)) {
        qc_fail(&err, QC_EUSAGE, "--json prints on standard output, so the data needs -o FILE");
        goto end;
    }
    if (qc_output_refuse_overwrite(output, &path, 1, &err)) goto end;
    if (qc_modelhints_foreign(path, format, &err)) goto end;
    if (is_model(path)) {
        status = import_model(path, &err);
        goto end;
    }
    if (hints.labels || hints.labels_from || hints.norm || model_output || measure_path || hints.mean || hints.std ||
        hints.shape || width > 0 || external_data) {
        qc_fail(&err, QC_EUSAGE,
                "--labels, --labels-from, --logits, --mean, --std, --norm, --shape, --width, --external-data and -d "
                "are for models, and this is data");
        goto end;
    }
    if (read_rows(&o, &err) || qc_import(&data, format, path, &o, &err)) goto end;
    qc_progress_end();
    if (qc_dataset_sign(&data, qc_cli_command(), NULL, &err) || qc_dataset_save(&data, output, &err)) goto end;
    report(&data);
    status = 0;
end:
    qc_dataset_release(&data);
    return qc_cli_end(&err, status);
}
