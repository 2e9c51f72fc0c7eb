/* qc-calibrate - a quantized model is calibrated on a labelled stream: on the device's own way, by forward passes only, or by a rival's. */
#include <stdio.h>
#include <string.h>

#include "../lib/base/file.h"
#include "../lib/cli/deviceoptions.h"
#include "../lib/methods/memory.h"
#include "../lib/methods/sessionrun.h"

static const char *state, *coreset, *coreset_out, *output, *order = "shuffled", *method;
static QcList streams, tests, settings;
static int64_t batches, batch_size = 64, seed = 1, threads;
static int json, memory;

static const QcOption options[] = {
    {'c', "coreset", QC_OPTION_TEXT, &coreset, "FILE", "coreset to start with", 0, 0},
    {'C', "coreset-out", QC_OPTION_TEXT, &coreset_out, "FILE", "write the coreset here after every batch", 0, 0},
    {'s', "stream", QC_OPTION_LIST, &streams, "FILE", "labelled stream; repeatable: one after another", 0, 0},
    {'t', "test", QC_OPTION_LIST, &tests, "FILE", "test data, evaluated after every batch; repeatable", 0, 0},
    {'o', "output", QC_OPTION_TEXT, &output, "FILE", "write the model here after every batch", 0, 0},
    {'m', "method", QC_OPTION_TEXT, &method, "NAME", "calibrator: qcore, where the model has a bit-flip network, and closed, where not; none, flip-random, flip-greedy, bn, head, bn+head, proto, spsa, refit, er, er-ace, der, der++, a-gem, camel, deepc", 0, 0},
    {0, "set", QC_OPTION_LIST, &settings, "NAME=VALUE", "setting of the method; repeatable", 0, 0},
    {0, "state", QC_OPTION_TEXT, &state, "FILE", "keep the device's state here after every batch, and go on from it", 0, 0},
    {0, "batches", QC_OPTION_INT, &batches, "N", "cut each stream into N batches; 0 = by -B", 0, 1000000},
    {'B', "batch-size", QC_OPTION_INT, &batch_size, "N", "examples of a batch where --batches is not given", 1, 65535},
    {0, "order", QC_OPTION_TEXT, &order, "KIND", "of the stream: shuffled, recorded or classes", 0, 0},
    {0, "seed", QC_OPTION_INT, &seed, "N", "of stream order, draws and coreset", 0, 0},
    {0, "threads", QC_OPTION_INT, &threads, "N", "of methods with back-propagation; the device has one; 0 = 1", 0, 256},
    {0, "memory", QC_OPTION_FLAG, &memory, NULL, "say what it needs memory for, and do nothing else", 0, 0},
    {0, "json", QC_OPTION_FLAG, &json, NULL, "one JSON object a batch and a summary", 0, 0},
    QC_OPTIONS_MORE(qc_device_options, "of the step on the device"),
};

static const QcProgram program = {"qc-calibrate", "calibrate a quantized model on a labelled stream with forward passes only",
                                  "-c CORESET -s STREAM [-s STREAM]... [-t TEST]... [-C FILE] [-o FILE] [MODEL]", options, 1};

/* -o and --choose where they make no sense. */
static int check_method(const QcMethod *m, QcChoose how, QcErr *err)
{
    double values[QC_METHOD_SETTINGS];
    if (!m) { /* by the model, once it is there: either makes one */
        if (!output && !memory) output = "-";
        return settings.n ? qc_fail(err, QC_EUSAGE, "--set goes with -m") : 0;
    }
    if (strcmp(method, "qcore") && how != QC_CHOOSE_NETWORK) return qc_fail(err, QC_EUSAGE, "--choose goes with -m qcore, not with -m %s", method);
    if (qc_method_settings(values, m, settings.items, settings.n, err)) return -1;
    const char *unsaved = qc_method_unsaved(m, values);
    if (unsaved && output && !strcmp(output, "/dev/null")) output = NULL; /* nobody wants a model: so one command line serves all methods */
    if (unsaved && output) return qc_fail(err, QC_EUSAGE, "method %s makes no model for -o: %s", method, unsaved);
    if (!unsaved && !output && !memory) output = "-";
    return 0;
}

/* The model may be replaced by what becomes of it, and so may the coreset; nothing else that is read. */
static int check_inputs(const char *model, QcErr *err)
{
    const char *const others[] = {output, coreset_out}, *const own[] = {coreset, model};
    for (int i = 0; i < 2; i++)
        if (qc_output_spares(others[i], &own[i], 1, err) || qc_output_spares(others[i], streams.items, streams.n, err) || qc_output_spares(others[i], tests.items, tests.n, err)) return -1;
    return 0;
}

/* A session that goes on starts from its model and coreset once more. */
static int check_state(const char *model, QcErr *err)
{
    if (!state) return 0;
    if (qc_is_standard(state)) return qc_fail(err, QC_EUSAGE, "--state needs a file");
    if ((output && model && qc_same_output(output, model)) || (coreset_out && qc_same_output(coreset_out, coreset)))
        return qc_fail(err, QC_EUSAGE, "with --state the session must find its model and coreset again, so -o and -C need other files");
    if ((output && qc_same_output(output, state)) || (coreset_out && qc_same_output(coreset_out, state)))
        return qc_fail(err, QC_EUSAGE, "--state and an output name the same file");
    return 0;
}

static int make_options(QcSessionOptions *o, QcErr *err)
{
    QcCalibrateOptions device;
    if (!coreset || !streams.n) return qc_fail(err, QC_EUSAGE, "a coreset (-c) and a stream (-s) are needed");
    if (coreset_out && qc_is_standard(coreset_out)) return qc_fail(err, QC_EUSAGE, "the coreset is written after every batch, so -C needs a file");
    if (coreset_out && output && qc_same_output(coreset_out, output)) return qc_fail(err, QC_EUSAGE, "-o and -C name the same file");
    if (tests.n > QC_JOURNAL_TESTS) return qc_fail(err, QC_EUSAGE, "at most %d test files (-t)", QC_JOURNAL_TESTS);
    if (qc_device_options_read(&device, (uint64_t)seed, err)) return -1;
    if (!method && device.choose != QC_CHOOSE_NETWORK) method = "qcore";
    *o = (QcSessionOptions){.device = device, .batches = (uint32_t)batches, .batch_size = (uint32_t)batch_size, .command = qc_cli_command(),
                            .method = method ? qc_method_find(method, err) : NULL, .settings = settings.items, .n_settings = settings.n, .threads = (int)threads};
    if ((method && !o->method) || check_method(o->method, device.choose, err)) return -1;
    return qc_stream_order_by_name(&o->order, order, err);
}

static int open_tests(QcInputs *inputs, const QcSession *s, QcErr *err)
{
    for (int t = 0; t < tests.n; t++)
        if (qc_inputs_open(&inputs[t], tests.items[t], &s->model, &s->g, 0, 1, err)) return -1;
    return 0;
}

static int tell_memory(const QcSession *s)
{
    QcMemory plan;
    QcSheet sheet;
    qc_sheet_open(&sheet, json);
    qc_memory_of_session(&plan, s);
    qc_put_memory(&sheet, &plan);
    qc_sheet_close(&sheet);
    return 0;
}

static int run(QcSession *s, const QcInputs *inputs, QcErr *err)
{
    const QcMethod *m = s->learner.method;
    if (!m->on_device) qc_device_options_in_vain(m->name, m->keeps);
    if (memory) return tell_memory(s);
    QcSessionRun files = {.output = output, .coreset = coreset_out, .state = state, .tests = inputs, .n_tests = tests.n, .json = json};
    return qc_session_run(s, &files, err);
}

int main(int argc, char **argv)
{
    QcErr err;
    QcSession session = {0};
    QcSessionOptions o;
    QcInputs inputs[QC_JOURNAL_TESTS];
    memset(inputs, 0, sizeof inputs);
    qc_cli_parse(&program, argc, argv);
    int status = make_options(&o, &err) || check_inputs(argv[1], &err) || check_state(argv[1], &err) || (output && qc_output_check(output, 1, &err)) || (coreset_out && qc_output_check(coreset_out, 1, &err)) ||
                 qc_session_open(&session, argv[1], coreset, streams.items, streams.n, &o, &err) || open_tests(inputs, &session, &err) || run(&session, inputs, &err);
    for (int t = 0; t < QC_JOURNAL_TESTS; t++) qc_inputs_close(&inputs[t]);
    qc_session_close(&session);
    return qc_cli_end(&err, status);
}
