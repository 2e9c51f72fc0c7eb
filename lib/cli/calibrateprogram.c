#include "calibrateprogram.h"

#include <stdio.h>
#include <string.h>

#include "../base/file.h"
#include "../base/plural.h"
#include "../format/spareclasses.h"
#include "../live/plausible.h"
#include "describe.h"
#include "deviceoptions.h"
#include "runlog.h"

static const char *state, *coreset, *coreset_out, *output, *order = "shuffled";
static QcList streams, tests;
static int64_t batches, batch_size = 64, seed = 1, ask = -1;
static int json, memory, no_output;

static const QcOption rare[] = {
    {0, "memory", QC_OPTION_FLAG, &memory, NULL, "print the memory that it needs, by part, and end", 0, 0},
    {0, "no-output", QC_OPTION_FLAG, &no_output, NULL, "write no model", 0, 0},
    {0, "seed", QC_OPTION_INT, &seed, "N", "seed of stream order, draws and coreset", 0, 0},
    {0},
};

const QcOption qc_calibrate_options[] = {
    {'c', "coreset", QC_OPTION_TEXT, &coreset, "FILE", "coreset to start with", 0, 0},
    {'C', "coreset-out", QC_OPTION_TEXT, &coreset_out, "FILE", "write the coreset here after every batch", 0, 0},
    {'s', "stream", QC_OPTION_LIST, &streams, "FILE", "labelled stream; repeatable: one after another", 0, 0},
    {'t', "test", QC_OPTION_LIST, &tests, "FILE", "test data, evaluated after every batch; repeatable", 0, 0},
    {'o', "output", QC_OPTION_TEXT, &output, "FILE", "write the model here after every batch", 0, 0},
    {0, "state", QC_OPTION_TEXT, &state, "FILE", "keep the state here after every batch; resume from it", 0, 0},
    {0, "batches", QC_OPTION_INT, &batches, "N", "cut each stream into N batches; 0 = by -B", 0, 1000000},
    {'B', "batch-size", QC_OPTION_INT, &batch_size, "N", "examples per batch if --batches is not given", 1, 65535},
    {0, "ask", QC_OPTION_INT, &ask, "N", "label only N windows per batch: those asked for; -1 = all", -1, 65535},
    {0, "order", QC_OPTION_TEXT, &order, "KIND", "order of the stream: shuffled, recorded or classes", 0, 0},
    {0, "json", QC_OPTION_FLAG, &json, NULL, "one JSON object per batch, and a summary", 0, 0},
    QC_OPTION_TUNE,
    QC_OPTIONS_MORE(rare, QC_OPTIONS_RARE),
};

/* Decides where the model is written: to standard output, if no option says otherwise and the method makes a model.
 * m NULL: the model decides the method, and all these methods make a model. */
static int check_output(const QcMethod *m, const QcList *settings, QcErr *err)
{
    double values[QC_METHOD_SETTINGS];
    if (!m && settings && settings->n) return qc_fail(err, QC_EUSAGE, "--set goes with -m");
    if (m && qc_method_settings(values, m, settings ? settings->items : NULL, settings ? settings->n : 0, err))
        return -1;
    if (no_output && output) return qc_fail(err, QC_EUSAGE, "-o and --no-output exclude each other");
    const char *unsaved = m ? qc_method_unsaved(m, values) : NULL;
    if (unsaved && output) return qc_fail(err, QC_EUSAGE, "method %s makes no model for -o: %s", m->name, unsaved);
    if (!unsaved && !output && !memory && !no_output) output = "-";
    return 0;
}

/* The output may replace the model and the coreset, but no other input. */
static int check_inputs(const char *model, QcErr *err)
{
    const char *const others[] = {output, coreset_out}, *const own[] = {coreset, model};
    for (int i = 0; i < 2; i++)
        if (qc_output_refuse_overwrite(others[i], &own[i], 1, err) ||
            qc_output_refuse_overwrite(others[i], streams.items, streams.n, err) ||
            qc_output_refuse_overwrite(others[i], tests.items, tests.n, err))
            return -1;
    return 0;
}

/* A resumed session starts from its model and coreset again. */
static int check_state(const char *model, QcErr *err)
{
    if (!state) return 0;
    if (qc_is_standard(state)) return qc_fail(err, QC_EUSAGE, "--state needs a file");
    if ((output && model && qc_same_output(output, model)) || (coreset_out && qc_same_output(coreset_out, coreset)))
        return qc_fail(err, QC_EUSAGE,
                       "with --state the session must find its model and coreset again, so -o and -C need other files");
    if ((output && qc_same_output(output, state)) || (coreset_out && qc_same_output(coreset_out, state)))
        return qc_fail(err, QC_EUSAGE, "--state and an output name the same file");
    return 0;
}

static int make_options(QcSessionOptions *o, const QcCalibrateProgram *p, QcErr *err)
{
    if (qc_deviceoptions_check(err)) return -1;
    if (!coreset || !streams.n) return qc_fail(err, QC_EUSAGE, "a coreset (-c) and a stream (-s) are needed");
    if (coreset_out && qc_is_standard(coreset_out))
        return qc_fail(err, QC_EUSAGE, "the coreset is written after every batch, so -C needs a file");
    if (coreset_out && output && qc_same_output(coreset_out, output))
        return qc_fail(err, QC_EUSAGE, "-o and -C name the same file");
    if (tests.n > QC_SESSION_TESTS) return qc_fail(err, QC_EUSAGE, "at most %d test files (-t)", QC_SESSION_TESTS);
    const char *method = *p->method;
    *o = (QcSessionOptions){.tune = qc_deviceoptions_list.items,
                            .n_tune = qc_deviceoptions_list.n,
                            .asks = ask >= 0,
                            .ask = ask >= 0 ? (uint32_t)ask : 0,
                            .seed = (uint64_t)seed,
                            .batches = (uint32_t)batches,
                            .batch_size = (uint32_t)batch_size,
                            .state = state,
                            .command = qc_cli_command(),
                            .method = method ? qc_method_find(p->methods, method, err) : NULL,
                            .threads = p->threads ? (int)*p->threads : 0};
    if (p->settings) {
        o->settings = p->settings->items;
        o->n_settings = p->settings->n;
    }
    if ((method && !o->method) || check_output(o->method, p->settings, err)) return -1;
    return qc_stream_order_by_name(&o->order, order, err);
}

static int open_tests(QcInputs *inputs, const QcSession *s, QcErr *err)
{
    for (int t = 0; t < tests.n; t++)
        if (qc_inputs_open(&inputs[t], tests.items[t], &s->model, &s->g, 0, QC_LABELS_SOME, err)) return -1;
    return 0;
}

/* Warns about values outside the training range, and refuses a test set that is also a stream. */
static int check_data(const QcSession *s, const QcInputs *inputs, QcErr *err)
{
    if (memory) return 0;
    for (uint32_t k = 0; k < s->n_streams; k++)
        for (int t = 0; t < tests.n; t++)
            if (!memcmp(s->streams[k].data.digest, inputs[t].data.digest, QC_DIGEST_BYTES))
                return qc_fail(err, QC_EFORMAT, "%.200s is the same data as the stream: a test on it says nothing",
                               qc_input_name(tests.items[t]));
    for (int i = 0; i < streams.n + tests.n; i++) {
        char words[QC_PLAUSIBLE_WORDS];
        const QcInputs *data = i < streams.n ? &s->streams[i] : &inputs[i - streams.n];
        const char *path = i < streams.n ? streams.items[i] : tests.items[i - streams.n];
        int found = qc_plausible_inputs(words, data, &s->model, err);
        if (found < 0) return -1;
        if (found) qc_warn("%s: %s", qc_input_name(path), words);
    }
    return 0;
}

static int print_memory(const QcSession *s)
{
    QcMemory plan;
    QcKvWriter facts;
    qc_kv_open(&facts, json);
    qc_memory_of_session(&plan, s);
    qc_put_memory(&facts, &plan);
    qc_kv_close(&facts);
    return 0;
}

/* The classes that took spare rows, in one line. */
static void report_new_classes(const QcSession *s)
{
    char names[300] = "";
    uint32_t named = qc_named_classes(&s->model);
    size_t at = 0;
    if (named == s->known) return;
    for (uint32_t k = s->known; k < named && at < sizeof names; k++)
        at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", at ? ", " : "", s->model.labels[k]);
    qc_note("new: %s; %u spare row%s left", names, s->model.classes - named, qc_plural(s->model.classes - named, "s"));
}

static int run(QcSession *s, const QcInputs *inputs, QcErr *err)
{
    const QcMethod *m = s->learner.method;
    if (!m->on_device) qc_deviceoptions_warn_ignored(m->name, m->keeps);
    if (!m->keeps) qc_deviceoptions_warn_replaced(m->name, &s->learner.parameters);
    report_new_classes(s);
    if (memory) return print_memory(s);
    /* the model may go to standard output */
    QcRunLog log = {.to = output && qc_is_standard(output) ? stderr : stdout, .json = json, .n_tests = tests.n};
    QcSessionRun files = {.output = output,
                          .coreset = coreset_out,
                          .state = state,
                          .tests = inputs,
                          .n_tests = tests.n,
                          .report = qc_runlog_report,
                          .ctx = &log};
    return qc_session_run(s, &files, err);
}

int qc_calibrate_main(const QcCalibrateProgram *p, int argc, char **argv)
{
    QcErr err;
    QcSession session = {0};
    QcSessionOptions o;
    QcInputs inputs[QC_SESSION_TESTS];
    memset(inputs, 0, sizeof inputs);
    qc_cli_parse(p->program, argc, argv);
    int status = make_options(&o, p, &err) || check_inputs(argv[1], &err) || check_state(argv[1], &err) ||
                 (output && qc_output_check(output, 1, &err)) ||
                 (coreset_out && qc_output_check(coreset_out, 1, &err)) ||
                 qc_session_open(&session, argv[1], coreset, streams.items, streams.n, &o, &err) ||
                 open_tests(inputs, &session, &err) || check_data(&session, inputs, &err) ||
                 run(&session, inputs, &err);
    for (int t = 0; t < QC_SESSION_TESTS; t++) qc_inputs_close(&inputs[t]);
    qc_session_close(&session);
    return qc_cli_end(&err, status);
}
