/* qc-import: foreign recordings in, a data file out; or a foreign model in, a model file out. */
#include <stdio.h>

#include "../lib/base/file.h"
#include "../lib/base/plural.h"
#include "../lib/cli/importmodel.h"
#include "../lib/cli/importoptions.h"

static const char *format, *output;
static int64_t threads;
static int json;
static QcList groups;
static QcModelImport model;

/* Options of every format; options of one format are its importer's (lib/data/importrows.h). */
static const QcOption common[] = {
    {'f', "format", QC_OPTION_TEXT, &format, "FORMAT", "one of the formats above (else concluded)", 0, 0},
    {'g', "group", QC_OPTION_LIST, &groups, "NAME", "import this person (group) only; repeatable", 0, 0},
    {'o', "output", QC_OPTION_TEXT, &output, "FILE", "write the data file here, not to standard output", 0, 0},
    {0, "threads", QC_OPTION_INT, &threads, "N", "threads that read files; 0 = all cores", 0, 256},
    {0, "json", QC_OPTION_FLAG, &json, NULL, "print what was imported as JSON (needs -o)", 0, 0},
    {0},
};

static const QcOption model_options[] = {
    {0, "labels", QC_OPTION_TEXT, &model.hints.labels, "FILE", "models: file of class names, one per line", 0, 0},
    {0, "mean", QC_OPTION_TEXT, &model.hints.mean, "LIST",
     "models: subtracted from raw windows: one, or one per channel", 0, 0},
    {0, "std", QC_OPTION_TEXT, &model.hints.std, "LIST", "models: raw windows are divided by it (else by 1)", 0, 0},
    {0, "labels-from", QC_OPTION_TEXT, &model.hints.labels_from, "FILE",
     "models: class names of this data file, in its order", 0, 0},
    {0, "norm", QC_OPTION_TEXT, &model.hints.norm, "FILE", "models: .npz with mean and std, as --mean and --std", 0, 0},
    {0, "logits", QC_OPTION_TEXT, &model.logits, "NAME", "onnx, tflite: which of several outputs has the logits", 0, 0},
    {0, "real", QC_OPTION_FLAG, &model.real, NULL, "onnx, tflite: read a quantized model as a float model", 0, 0},
    {'d', "data", QC_OPTION_TEXT, &model.measure, "FILE", "models: print the accuracy on this data file", 0, 0},
    {0, "shape", QC_OPTION_TEXT, &model.hints.shape, "LIST", "models: C,T or C,H,W of a window if the file lacks it",
     0, 0},
    {0, "like", QC_OPTION_TEXT, &model.like, "FILE", "npz, safetensors: a float model with the same layers", 0, 0},
    {'a', "arch", QC_OPTION_TEXT, &model.arch, "FILE", "npz, safetensors: architecture (with --shape and --labels)",
     0, 0},
    {0, "width", QC_OPTION_REAL, &model.width, "R", "npz, safetensors: factor of the channels of -a", 0.001, 100},
    {0, "external-data", QC_OPTION_TEXT, &model.external_data, "DIR",
     "onnx: weights may lie in files of this folder (else refused)", 0, 0},
    {0},
};

static QcImportTable table;
static QcProgram program = {"qc-import",
                            "turn foreign recordings into a data file, or a foreign model into a model file",
                            table.synopsis, table.options, 1};

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
        qc_note("%u image%s of %u channel%s x %u x %u, %u class%s, %u group%s", d->n, qc_plural(d->n, "s"), d->channels,
                qc_plural(d->channels, "s"), d->height, d->length, d->labels.n, qc_plural(d->labels.n, "es"),
                d->groups.n, qc_plural(d->groups.n, "s"));
    else
        qc_note("%u window%s of %u channel%s x %u, %u class%s, %u group%s", d->n, qc_plural(d->n, "s"), d->channels,
                qc_plural(d->channels, "s"), d->length, d->labels.n, qc_plural(d->labels.n, "es"), d->groups.n,
                qc_plural(d->groups.n, "s"));
}

static int import_model(QcErr *err)
{
    if (groups.n || qc_importtable_given(&table))
        return qc_fail(err, QC_EUSAGE,
                       "options about groups, windows, columns and pictures are for data, and this is a model");
    return qc_modelimport_run(&model, err);
}

static int import_data(const char *path, QcErr *err)
{
    QcDataset data = {0};
    QcImportOptions o = {.groups = groups.items,
                         .n_groups = (uint32_t)groups.n,
                         .jobs = (uint32_t)qc_threads(threads),
                         .progress = show_progress,
                         .note = show_note};
    int status = -1;
    if (qc_modelimport_given(&model))
        return qc_fail(err, QC_EUSAGE,
                       "--labels, --labels-from, --logits, --mean, --std, --norm, --shape, --width, --external-data, "
                       "--real and -d are for models, and this is data");
    if (qc_importtable_read(&table, &o, err) || qc_import(&data, format, path, &o, err)) goto end;
    qc_progress_end();
    if (qc_dataset_sign(&data, qc_cli_command(), NULL, err) || qc_dataset_save(&data, output, err)) goto end;
    report(&data);
    status = 0;
end:
    qc_dataset_release(&data);
    return status;
}

int main(int argc, char **argv)
{
    QcErr err = {0};
    qc_importtable_make(&table, common, model_options, argc, argv);
    const char *path = qc_cli_parse(&program, argc, argv) ? argv[1] : "-";
    model.path = path, model.format = format, model.output = output;
    model.threads = qc_threads(threads), model.json = json;
    if (json && qc_is_standard(output))
        qc_fail(&err, QC_EUSAGE, "--json prints on standard output, so the data needs -o FILE");
    else if (!qc_output_refuse_overwrite(output, &path, 1, &err) && !qc_modelhints_foreign(path, format, &err))
        return qc_cli_end(&err, qc_modelimport_is_for(&model) ? import_model(&err) : import_data(path, &err));
    return qc_cli_end(&err, -1);
}
