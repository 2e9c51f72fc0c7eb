/* qc-eval - how good a model is on labelled data: integer forward for a quantized model, float forward for a float
 * one. */
#include "../lib/base/file.h"
#include "../lib/cli/cli.h"
#include "../lib/cli/profile.h"
#include "../lib/cli/scoretable.h"
#include "../lib/data/npy.h"
#include "../lib/format/qgraphfile.h"
#include "../lib/format/spareclasses.h"
#include "../lib/quant/qpredict.h"

static QcList data_paths;
static const char *logits_path, *layers_path;
static int json, confusion, profile;
static int64_t threads = 0, windows;

static const QcOption options[] = {
    {'d', "data", QC_OPTION_LIST, &data_paths, "FILE", "data to evaluate on (repeatable; '-' = standard input)", 0, 0},
    {0, "json", QC_OPTION_FLAG, &json, NULL, "one JSON object per data file", 0, 0},
    {0, "confusion", QC_OPTION_FLAG, &confusion, NULL, "also the confusion matrix: true classes down", 0, 0},
    {0, "logits", QC_OPTION_TEXT, &logits_path, "FILE", "write the logits as a NumPy file, examples x classes", 0, 0},
    {0, "dump-layers", QC_OPTION_TEXT, &layers_path, "FILE", "write the integers of every layer as text instead", 0, 0},
    {0, "profile", QC_OPTION_FLAG, &profile, NULL, "print the time of a prediction by layer instead", 0, 0},
    {'n', "windows", QC_OPTION_INT, &windows, "N", "windows of --dump-layers (0: 1) or --profile (0: 100)", 0, 1000000},
    {0, "threads", QC_OPTION_INT, &threads, "N", "threads (0 = all cores)", 0, 256},
    {0}};

static const QcProgram program = {"qc-eval", "evaluate a float or quantized model on data", "-d FILE [options] [MODEL]",
                                  options, 1};

/* One data file: load, predict, score, print. */
static int evaluate(const QcModelFile *m, const char *path, QcErr *err)
{
    QcDataset data = {0};
    QcArena arena = {0};
    QcScore score = {0};
    int32_t *map, *label;
    float *logits;
    int status = -1;
    if ((qc_modelfile_is_quantized(m) ? qc_dataset_open : qc_dataset_load)(&data, path, err)) return -1;
    if (qc_dataset_match(&data, m, logits_path ? QC_LABELS_OPTIONAL : QC_LABELS_SOME, &map, &arena, err)) {
        qc_within(err, qc_input_name(path));
        goto end;
    }
    logits = qc_arena_take(&arena, data.n, m->classes * sizeof *logits, err);
    label = qc_arena_take(&arena, data.n, sizeof *label, err);
    if (!logits || !label || qc_model_predict(m, &data, qc_threads(threads), logits, err)) goto end;
    for (uint32_t i = 0; i < data.n; i++) label[i] = data.label[i] < 0 ? -1 : map[data.label[i]];
    if (logits_path && qc_npy_save(logits_path, logits, data.n, m->classes, err)) goto end;
    if (qc_score(&score, logits, label, data.n, m->classes, err)) goto end;
    qc_print_score(qc_input_name(path), &score, m, json, confusion);
    status = 0;
end:
    qc_score_release(&score);
    qc_arena_release(&arena);
    qc_dataset_release(&data);
    return status;
}

/* Layer by layer: --dump-layers and --profile. */
static int look_inside(const QcModelFile *m, const char *path, QcErr *err)
{
    QcDataset data = {0};
    QcArena arena = {0};
    QcQGraph g;
    QcKvWriter facts;
    int32_t *map;
    qc_kv_open(&facts, json);
    int status = qc_qgraphfile_decode(&g, m, &arena, err) || qc_dataset_open(&data, path, err) ? -1 : 0;
    if (!status && qc_dataset_match(&data, m, QC_LABELS_OPTIONAL, &map, &arena, err))
        status = qc_within(err, qc_input_name(path));
    if (!status && layers_path)
        status = qc_dump_layers(layers_path, &g, &data, &m->norm, windows ? (uint32_t)windows : 1, err);
    if (!status && profile) status = qc_profile(&facts, &g, &data, &m->norm, windows ? (uint32_t)windows : 100, err);
    if (!status && profile && json) qc_kv_close(&facts);
    qc_dataset_release(&data);
    qc_arena_release(&arena);
    return status;
}

static int validate(int has_model, QcErr *err)
{
    int from_stdin = !has_model;
    if (!data_paths.n) return qc_fail(err, QC_EUSAGE, "say which data to evaluate on (-d FILE)");
    if (logits_path && data_paths.n > 1) return qc_fail(err, QC_EUSAGE, "--logits takes one -d at a time");
    if (logits_path && qc_is_standard(logits_path))
        return qc_fail(err, QC_EUSAGE, "the figures go to standard output, so --logits needs a file");
    if (layers_path && profile && qc_is_standard(layers_path))
        return qc_fail(err, QC_EUSAGE, "the profile goes to standard output, so --dump-layers needs a file");
    if ((layers_path || profile) && (data_paths.n > 1 || logits_path || confusion))
        return qc_fail(err, QC_EUSAGE, "--dump-layers and --profile take one -d, and no --logits or --confusion");
    if (windows && !layers_path && !profile) return qc_fail(err, QC_EUSAGE, "-n goes with --dump-layers or --profile");
    if ((layers_path || profile) && qc_cli_refuse("threads", "on --dump-layers and --profile", err)) return -1;
    if (layers_path && !profile && qc_cli_refuse("json", "on --dump-layers", err)) return -1;
    for (int i = 0; i < data_paths.n; i++) from_stdin += qc_is_standard(data_paths.items[i]);
    return from_stdin > 1 ? qc_fail(err, QC_EUSAGE, "only one of the inputs can be standard input") : 0;
}

static int refuse_overwrite(const char *output, const char *model_path, QcErr *err)
{
    return qc_output_refuse_overwrite(output, &model_path, 1, err) ||
                   qc_output_refuse_overwrite(output, data_paths.items, data_paths.n, err)
               ? -1
               : 0;
}

int main(int argc, char **argv)
{
    int operands = qc_cli_parse(&program, argc, argv);
    const char *model_path = operands ? argv[1] : NULL;
    QcErr err = {0};
    QcModelFile model = {0};
    int status = validate(!qc_is_standard(model_path), &err) ? -1 : 0;
    if (!status && (refuse_overwrite(logits_path, model_path, &err) || refuse_overwrite(layers_path, model_path, &err)))
        status = -1;
    if (!status) status = qc_modelfile_load(&model, model_path, &err) || qc_drop_spare_classes(&model, &err) ? -1 : 0;
    for (int i = 0; i < data_paths.n && !status; i++)
        status = (layers_path || profile ? look_inside : evaluate)(&model, data_paths.items[i], &err);
    qc_modelfile_release(&model);
    return qc_cli_end(&err, status);
}
