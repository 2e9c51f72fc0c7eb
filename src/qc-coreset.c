/* qc-coreset - chooses the examples that a device keeps: by the misses that training logged, or that it observes
 * itself. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../lib/base/file.h"
#include "../lib/cli/choicetable.h"
#include "../lib/cli/cli.h"
#include "../lib/coreset/choose.h"
#include "../lib/nn/graphfile.h"

static const char *data_path, *log_path, *out_path, *rule = "pmf", *bits_text = "all";
static int64_t size = 30, seed = 1, threads = 0, epochs = 5;
static double reserve = 2.0 / 3, rate = 1e-4;
static int report, json, partial;

static const QcOption options[] = {
    {'n', "size", QC_OPTION_INT, &size, "N", "examples to choose, and the capacity of the set", 1, 1e9},
    {'d', "data", QC_OPTION_TEXT, &data_path, "FILE", "data to choose from ('-' = standard input)", 0, 0},
    {'L', "miss-log", QC_OPTION_TEXT, &log_path, "FILE", "misses counted by qc-train over this data", 0, 0},
    {'o', "output", QC_OPTION_TEXT, &out_path, "FILE", "write the coreset here instead of to standard output", 0, 0},
    {0, "sample", QC_OPTION_TEXT, &rule, "RULE", "pmf, proportional, random, balanced or hardest", 0, 0},
    {0, "reserve", QC_OPTION_REAL, &reserve, "FRACTION", "share of the slots that a stream never takes", 0, 1},
    {0, "partial", QC_OPTION_FLAG, &partial, NULL, "take data in which a class has no example", 0, 0},
    {0, "seed", QC_OPTION_INT, &seed, "N", "seed of the choice", 0, 0},
    {0, "report", QC_OPTION_FLAG, &report, NULL, "print classes and misses of both sets (TSV; needs -o)", 0, 0},
    {0, "json", QC_OPTION_FLAG, &json, NULL, "the report as JSON", 0, 0},
    {0, "miss-bits", QC_OPTION_TEXT, &bits_text, "LIST", "bit-widths whose misses count, as 4 or 2,8; or all", 0, 0},
    {0, "epochs", QC_OPTION_INT, &epochs, "N", "with MODEL and no -L: epochs of further training to observe", 1, 10000},
    {0, "rate", QC_OPTION_REAL, &rate, "R", "with MODEL and no -L: the rate of that training", 1e-9, 1},
    {0, "threads", QC_OPTION_INT, &threads, "N", "threads (0 = all cores)", 0, 256},
    {0}};

static const QcProgram program = {"qc-coreset", "choose a coreset from data by quantization misses",
                                  "-d FILE [options] [MODEL]", options, 1};

/* The training of a clone shows which examples the quantized model loses. */
static int observe(QcMissLog *log, const QcDataset *data, const QcModelFile *model, const int32_t *map, QcErr *err)
{
    QcGraph graph;
    if (qc_graph_decode(&graph, model, err)) return -1;
    int status = qc_misslog_begin(log, data, strcmp(bits_text, "all") ? bits_text : "2,3,4,8", err);
    QcMissWatch watch = {
        .log = log, .data = data, .norm = &model->norm, .map = map, .every = 1, .threads = qc_threads(threads)};
    if (!status) {
        qc_note("no miss log: observing misses over %" PRId64 " epochs of further training", epochs);
        status = qc_misslog_by_tuning(&watch, &graph, (uint32_t)epochs, rate, (uint64_t)seed, err);
    }
    qc_misswatch_release(&watch);
    qc_graph_release(&graph);
    return status;
}

static int load_log(QcMissLog *log, QcErr *err)
{
    uint8_t bits[QC_MISS_MAX_BITS];
    uint32_t n_bits;
    if (qc_misslog_load(log, log_path, err)) return -1;
    if (!strcmp(bits_text, "all")) return 0;
    return qc_miss_bits(bits, &n_bits, bits_text, err) || qc_misslog_keep(log, bits, n_bits, err) ? -1 : 0;
}

/* Where misses come from: the log, the model, or nowhere (*log stays empty). */
static int find_misses(QcMissLog *log, const QcDataset *data, const char *model_path, QcErr *err)
{
    QcModelFile model = {0};
    QcArena arena = {0};
    int32_t *map = NULL;
    int status = log_path ? load_log(log, err) : 0;
    if (!status && model_path) {
        status = qc_modelfile_load(&model, model_path, err);
        if (!status && qc_dataset_match(data, &model, QC_LABELS_ALL, &map, &arena, err))
            status = qc_within(err, qc_input_name(data_path));
        if (!status && !log_path && observe(log, data, &model, map, err))
            status = err->code == QC_EUSAGE ? -1 : qc_within(err, qc_input_name(model_path));
    }
    qc_modelfile_release(&model);
    qc_arena_release(&arena);
    return status;
}

static int add_provenance(QcDataset *coreset, const QcDataset *data, const QcMissLog *log, QcErr *err)
{
    char line[1024], of_data[QC_DIGEST_TEXT], of_log[QC_DIGEST_TEXT];
    qc_digest_text(of_data, data->digest);
    qc_digest_text(of_log, log->digest);
    int n = snprintf(line, sizeof line, "%.600s; data=sha256:%.16s", qc_cli_command(), of_data);
    if (log_path) snprintf(line + n, sizeof line - (size_t)n, " misses=sha256:%.16s", of_log);
    return qc_provenance_add(&coreset->provenance, &coreset->arena, line, err);
}

/* The distribution of misses says nothing where hardly anything was missed: the set is then next to a random one. */
static void warn_of_few_misses(const QcMissLog *log)
{
    uint32_t missed = qc_misslog_missed(log);
    if (missed < log->n / 50)
        qc_warn("only %u of %u examples were ever missed, so misses say little of which to choose", missed, log->n);
}

static int validate(int sampling, const char *model_path, QcErr *err)
{
    if (!data_path) return qc_fail(err, QC_EUSAGE, "say which data to choose from (-d FILE)");
    if (sampling < 0)
        return qc_fail(err, QC_EUSAGE,
                       "there is no rule '%.60s': pmf, proportional, random, balanced and hardest are known", rule);
    if (strcmp(bits_text, "all") && !log_path && !model_path)
        return qc_fail(err, QC_EUSAGE,
                       "--miss-bits says whose misses count, and there are none: give a miss log (-L FILE) or a model");
    if ((log_path || !model_path) && qc_cli_refuse("epochs rate", "unless a model is given without -L", err)) return -1;
    if ((report || json) && qc_is_standard(out_path))
        return qc_fail(err, QC_EUSAGE, "a report goes to standard output, so the coreset must go to a file (-o FILE)");
    if (qc_is_standard(data_path) + (log_path && qc_is_standard(log_path)) +
            (model_path && qc_is_standard(model_path)) >
        1)
        return qc_fail(err, QC_EUSAGE, "only one of the inputs can be standard input");
    return 0;
}

int main(int argc, char **argv)
{
    int operands = qc_cli_parse(&program, argc, argv), sampling = qc_sample_find(rule), status = -1;
    const char *model_path = operands ? argv[1] : NULL;
    QcErr err = {0};
    QcDataset data = {0}, coreset = {0};
    QcMissLog log = {0};
    QcChooseReport table = {0};
    const char *const inputs[] = {data_path, log_path, model_path};
    if (validate(sampling, model_path, &err) || qc_output_refuse_overwrite(out_path, inputs, 3, &err) ||
        qc_dataset_load(&data, data_path, &err))
        goto end;
    if (size > data.n) { /* said before misses are observed, which takes a while */
        qc_fail(&err, QC_EFORMAT, "%.300s: a coreset of %" PRId64 " examples cannot be chosen from data that has %u",
                qc_input_name(data_path), size, data.n);
        goto end;
    }
    if (find_misses(&log, &data, model_path, &err)) goto end;
    const QcMissLog *known = log.n_bits ? &log : NULL;
    QcChooseOptions o = {(uint32_t)size, reserve, (QcSampleRule)sampling, (uint64_t)seed, partial};
    if (qc_choose(&coreset, &data, known, &o, &err)) {
        if (err.code == QC_EFORMAT) qc_within(&err, qc_input_name(data_path));
        goto end;
    }
    if (!known && sampling == QC_SAMPLE_PMF)
        qc_note("neither a miss log nor a model: the examples were drawn with classes as even as they can be");
    if (known && sampling == QC_SAMPLE_PMF) warn_of_few_misses(known);
    if (add_provenance(&coreset, &data, &log, &err) || qc_dataset_save(&coreset, out_path, &err)) goto end;
    if ((report || json) && qc_choose_report(&table, &coreset, &data, known, &err)) goto end;
    if (report || json) qc_print_choice(&table, &coreset, &data, json);
    status = 0;
end:
    qc_choose_report_release(&table);
    qc_misslog_release(&log);
    qc_dataset_release(&coreset);
    qc_dataset_release(&data);
    return qc_cli_end(&err, status);
}
