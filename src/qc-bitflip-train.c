/* qc-bitflip-train - a quantized model in, the same model with its bit-flip network out. */
#include <stdio.h>
#include <string.h>

#include "../lib/base/clock.h"
#include "../lib/base/file.h"
#include "../lib/bitflip/bitflip.h"
#include "../lib/cli/cli.h"
#include "../lib/format/flipfile.h"
#include "../lib/format/qgraphfile.h"
#include "../lib/format/spareclasses.h"

static const char *coreset_path, *data_path, *output = "-", *drift = "auto";
static int64_t subjects = 8, test_subjects = 2, oracle_steps = 45, steps = 1500, seed = 1, threads;
static double strength = 1;
static int json;
static QcList ablated;

static const QcOption options[] = {
    {'c', "coreset", QC_OPTION_TEXT, &coreset_path, "FILE", "coreset: trained on if there is no -d", 0, 0},
    {'d', "data", QC_OPTION_TEXT, &data_path, "FILE", "training data to train on", 0, 0},
    {'o', "output", QC_OPTION_TEXT, &output, "FILE", "the model with its bit-flip network", 0, 0},
    {0, "drift", QC_OPTION_TEXT, &drift, "KIND", "simulated drift: auto, inertial, series, image or bands", 0, 0},
    {0, "strength", QC_OPTION_REAL, &strength, "R", "strength of the simulated drifts", 0.01, 10},
    {0, "subjects", QC_OPTION_INT, &subjects, "N", "synthetic subjects to train on", 1, 10000},
    {0, "test-subjects", QC_OPTION_INT, &test_subjects, "N", "synthetic subjects held out for the report", 0, 10000},
    {0, "oracle-steps", QC_OPTION_INT, &oracle_steps, "N", "steps of back-propagation per set of examples", 1, 100000},
    {0, "steps", QC_OPTION_INT, &steps, "N", "steps of the network's training", 1, 1000000},
    {0, "ablate", QC_OPTION_LIST, &ablated, "FEATURE",
     "size, evidence, code, row, column, layer, depth or kind", 0, 0},
    {0, "seed", QC_OPTION_INT, &seed, "N", "seed of all random numbers", 0, 0},
    {0, "threads", QC_OPTION_INT, &threads, "N", "0 = all cores", 0, 256},
    {0, "json", QC_OPTION_FLAG, &json, NULL, "the report as JSON", 0, 0},
    {0},
};

static const QcProgram program = {"qc-bitflip-train",
                                  "train the network that predicts which weights to step",
                                  "-c CORESET | -d DATA [-o FILE] [options] [MODEL]", options, 1};

static void progress(const char *what, uint32_t done, uint32_t of) { qc_progress(done, of, "%s", what); }

/* A figure over nothing is none. */
static const char *figure(char text[32], double value, int known)
{
    snprintf(text, 32, json ? "%.6g" : "%.4f", value);
    return known ? text : json ? "null" : "nan";
}

static void report(FILE *to, const QcFlip *flip, const QcBitflipReport *r)
{
    const char *form =
        json ? "{\"samples\": %zu, \"test_samples\": %zu, \"base_rate\": %s, \"sign_right\": %s, "
               "\"precision_network\": %s, "
               "\"precision_hebb\": %s, \"precision_hebb_in_layer\": %s, \"bytes\": %zu}\n"
             : "samples\t%zu\nsamples of held-out subjects\t%zu\nbase rate\t%s\nsign right\t%s\nprecision of the top "
               "5 %%, network\t%s\n"
               "precision of the top 5 %%, |h| alone\t%s\n"
               "precision of the top 5 %%, |h| relative to its layer\t%s\nbytes of network and feedback\t%zu\n";
    size_t bytes = sizeof *flip - offsetof(QcFlip, mean) + flip->n_feedback + flip->n_layers * sizeof(float);
    char text[5][32];
    int known = r->test_samples > 0;
    fprintf(to, form, r->samples, r->test_samples, figure(text[0], r->base, known), figure(text[1], r->sign, known),
            figure(text[2], r->network, known), figure(text[3], r->hebb, known),
            figure(text[4], r->hebb_in_layer, known), bytes);
}

static int check_usage(QcBitflipOptions *o, QcErr *err)
{
    const char *const inputs[] = {coreset_path, data_path};
    if (!coreset_path && !data_path)
        return qc_fail(err, QC_EUSAGE, "there is nothing to train on: give a coreset (-c) or training data (-d)");
    *o = qc_bitflip_defaults;
    o->oracle = qc_oracle_defaults;
    o->oracle.strength = strength;
    o->oracle.steps = (uint32_t)oracle_steps;
    o->subjects = (uint32_t)subjects;
    o->test_subjects = (uint32_t)test_subjects;
    o->steps = (uint32_t)steps;
    o->seed = (uint64_t)seed;
    o->threads = qc_threads(threads);
    o->progress = progress;
    for (int i = 0; i < ablated.n; i++)
        if (qc_flipnet_ablate(&o->ablated, ablated.items[i], err)) return -1;
    return qc_output_refuse_overwrite(output, inputs, 2, err) || qc_output_check(output, 1, err) ? -1 : 0;
}

static int load_model(QcModelFile *m, QcQGraph *g, const char *path, QcArena *arena, QcErr *err)
{
    if (qc_modelfile_load(m, path, err)) return -1;
    if (qc_qgraphfile_decode(g, m, arena, err)) return qc_within(err, qc_input_name(path));
    if (qc_named_classes(m) < m->classes)
        return qc_fail(err, QC_EUNSUPPORTED,
                       "%.200s has spare classes, which flips do not learn: quantize it without --spare-classes",
                       qc_input_name(path));
    return 0;
}

static int save(QcModelFile *m, const QcFlip *flip, const uint8_t digest[QC_DIGEST_BYTES], QcErr *err)
{
    QcInput input = {data_path ? "data" : "coreset", digest};
    return qc_flipfile_encode(m, flip, err) || qc_modelfile_stamp(m, qc_cli_command(), &input, 1, err) ||
                   qc_modelfile_save(m, output, err)
               ? -1
               : 0;
}

int main(int argc, char **argv)
{
    QcErr err;
    QcModelFile model = {0};
    QcWindows windows = {0};
    QcArena arena = {0};
    QcQGraph g;
    QcFlip flip;
    QcBitflipReport r;
    QcBitflipOptions o;
    uint8_t digest[QC_DIGEST_BYTES];
    double start = qc_seconds();
    qc_cli_parse(&program, argc, argv);
    int status = check_usage(&o, &err) || load_model(&model, &g, argv[1], &arena, &err) ||
                 qc_drifts_choose(&o.oracle.kind, drift, &model, &err) ||
                 qc_windows_load_source(&windows, digest, &model, coreset_path, data_path, &err) ||
                 qc_bitflip_train(&flip, &r, &g, &model, &windows, &o, &arena, &err);
    qc_progress_end();
    if (!status && !(status = save(&model, &flip, digest, &err))) {
        report(qc_is_standard(output) ? stderr : stdout, &flip, &r);
        char signs[80] = "no subject is held out";
        if (r.test_samples)
            snprintf(signs, sizeof signs, "accuracy of signs %.4f on %zu held-out samples", r.sign, r.test_samples);
        qc_note("%s; %.1f s; %llu bytes", signs, qc_seconds() - start,
                (unsigned long long)qc_container_bytes(&model.container));
    }
    qc_windows_release(&windows);
    qc_modelfile_release(&model);
    qc_arena_release(&arena);
    return qc_cli_end(&err, status);
}
