/* qc-calibrate - a quantized model is calibrated on a labelled stream: on the device's own way, by forward passes only, or by a rival's. */
#include <stdio.h>
#include <string.h>

#include "../lib/base/file.h"
#include "../lib/cli/cli.h"
#include "../lib/methods/memory.h"
#include "../lib/methods/sessionrun.h"

static const char *state, *coreset, *coreset_out, *output, *order = "shuffled", *choose = "network", *update = "balanced", *method;
static QcList streams, tests, settings;
static int64_t batches, batch_size = 64, rounds = 20, chunk, by_layer = -1, second = 1, recent = 64, seed = 1, threads;
static double phi0, cap, phi_max, stop = -1, lead = 0.5, balance = 1, prior = 1, scarce = 0.5, rest = 0.9, temper = -1, unseen = 0.7, ridge = 0.03, worth = 3;
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
    {0, "rounds", QC_OPTION_INT, &rounds, "N", "draws of flips a batch, at most", 0, 10000},
    {0, "choose", QC_OPTION_TEXT, &choose, "HOW", "weights by network, random or greedy (|h|)", 0, 0},
    {0, "update", QC_OPTION_TEXT, &update, "RULE", "stream slots by misses, balanced, random or reservoir", 0, 0},
    {0, "phi0", QC_OPTION_REAL, &phi0, "R", "share of weights stepped in a batch's first draw; 0 = by the bits", 0, 1},
    {0, "cap", QC_OPTION_REAL, &cap, "R", "share above which steps get longer instead; 0 = by the bits", 0, 1},
    {0, "phi-max", QC_OPTION_REAL, &phi_max, "R", "largest share; 0 = by the bits", 0, 10},
    {0, "by-layer", QC_OPTION_INT, &by_layer, "0|1", "the share holds in each layer; -1 = by the bits", -1, 1},
    {0, "balance", QC_OPTION_REAL, &balance, "R", "0: every example weighs the same in the loss .. 1: every class does", 0, 1},
    {0, "prior", QC_OPTION_REAL, &prior, "N", "take the batch's class frequencies, smoothed by N, out of its loss; -1 = not", -1, 1000},
    {0, "scarce", QC_OPTION_REAL, &scarce, "R", "a batch with at most this share of the classes has the last layer in closed form, if better, and no flips; 0 = none", 0, 1},
    {0, "second", QC_OPTION_INT, &second, "0|1", "keep one beside that of the flips, and answer with that which arriving batches speak for", 0, 1},
    {0, "lead", QC_OPTION_REAL, &lead, "N", "examples by which that one is taken to be ahead at the beginning", 0, 1000000},
    {0, "rest", QC_OPTION_REAL, &rest, "R", "an arriving batch of which that one has at least this share right makes no flips; 0 = each does", 0, 1},
    {0, "temper", QC_OPTION_REAL, &temper, "LOSS", "logits of a last layer in closed form are large enough once the loss on coreset and batch is at or below; -1 = by the bits", -1, 100},
    {0, "unseen", QC_OPTION_REAL, &unseen, "R", "share of the margin by which classes that the stream has shown are held back while there are others; 0 = not", 0, 1},
    {0, "ridge", QC_OPTION_REAL, &ridge, "R", "of the last layer in closed form", 0.000001, 1000000},
    {0, "worth", QC_OPTION_REAL, &worth, "N", "stream examples that the source's mean of a class counts as in it", 0.01, 1000000},
    {0, "recent", QC_OPTION_INT, &recent, "N", "latest stream examples of a class that its mean in it follows; 0 = all alike", 0, 1000000},
    {0, "stop", QC_OPTION_REAL, &stop, "LOSS", "no more draws in a batch once the loss on coreset and batch is at or below; -1 = 0.3, or as --temper where flips learn alone", -1, 100},
    {0, "chunk", QC_OPTION_INT, &chunk, "N", "weights that are looked at together; 0 = 20480", 0, 1000000000},
    {0, "seed", QC_OPTION_INT, &seed, "N", "of stream order, draws and coreset", 0, 0},
    {0, "threads", QC_OPTION_INT, &threads, "N", "of methods with back-propagation; the device has one; 0 = 1", 0, 256},
    {0, "memory", QC_OPTION_FLAG, &memory, NULL, "say what it needs memory for, and do nothing else", 0, 0},
    {0, "json", QC_OPTION_FLAG, &json, NULL, "one JSON object a batch and a summary", 0, 0},
    {0},
};

static const QcProgram program = {"qc-calibrate", "calibrate a quantized model on a labelled stream with forward passes only",
                                  "-c CORESET -s STREAM [-s STREAM]... [-t TEST]... [-C FILE] [-o FILE] [MODEL]", options, 1};

static int index_of(int *at, const char *name, const char *const *names, const char *option, QcErr *err)
{
    for (*at = 0; names[*at]; ++*at)
        if (!strcmp(name, names[*at])) return 0;
    return qc_fail(err, QC_EUSAGE, "%s has no '%.40s' (see qc-calibrate -h)", option, name);
}

/* -o and --choose where they make no sense. */
static int check_method(const QcMethod *m, QcErr *err)
{
    double values[QC_METHOD_SETTINGS];
    if (!m) { /* by the model, once it is there: either makes one */
        if (!output && !memory) output = "-";
        return settings.n ? qc_fail(err, QC_EUSAGE, "--set goes with -m") : 0;
    }
    if (strcmp(method, "qcore") && strcmp(choose, "network")) return qc_fail(err, QC_EUSAGE, "--choose goes with -m qcore, not with -m %s", method);
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
    static const char *const chooses[] = {"network", "random", "greedy", NULL}, *const updates[] = {"misses", "balanced", "random", "reservoir", NULL};
    int how, rule;
    if (!coreset || !streams.n) return qc_fail(err, QC_EUSAGE, "a coreset (-c) and a stream (-s) are needed");
    if (coreset_out && qc_is_standard(coreset_out)) return qc_fail(err, QC_EUSAGE, "the coreset is written after every batch, so -C needs a file");
    if (coreset_out && output && qc_same_output(coreset_out, output)) return qc_fail(err, QC_EUSAGE, "-o and -C name the same file");
    if (tests.n > QC_JOURNAL_TESTS) return qc_fail(err, QC_EUSAGE, "at most %d test files (-t)", QC_JOURNAL_TESTS);
    if (index_of(&how, choose, chooses, "--choose", err) || index_of(&rule, update, updates, "--update", err)) return -1;
    if (!method && how != QC_CHOOSE_NETWORK) method = "qcore";
    *o = (QcSessionOptions){.batches = (uint32_t)batches, .batch_size = (uint32_t)batch_size, .command = qc_cli_command(),
                            .method = method ? qc_method_find(method, err) : NULL, .settings = settings.items, .n_settings = settings.n, .threads = (int)threads};
    if ((method && !o->method) || check_method(o->method, err)) return -1;
    o->device = qc_calibrate_defaults(8);
    o->device.rounds = (uint32_t)rounds;
    o->device.phi0 = (float)phi0;
    o->device.cap = (float)cap;
    o->device.phi_max = (float)phi_max;
    o->device.by_layer = (int)by_layer;
    o->device.balance = (float)balance;
    o->device.prior = (float)prior;
    o->device.scarce = (float)scarce;
    o->device.second = (int)second;
    o->device.lead = (float)lead;
    o->device.rest = (float)rest;
    o->device.temper = (float)temper;
    o->device.unseen = (float)unseen;
    o->device.ridge = (float)ridge;
    o->device.worth = (float)worth;
    o->device.recent = (uint32_t)recent;
    o->device.stop = (float)stop;
    o->device.chunk = (uint32_t)chunk;
    o->device.seed = (uint64_t)seed;
    o->device.choose = (QcChoose)how;
    o->device.update = (QcUpdate)rule;
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
