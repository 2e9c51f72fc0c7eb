/* qc-quantize - a float model in, a quantized model out. */
#include "../lib/base/clock.h"
#include "../lib/base/file.h"
#include "../lib/cli/augmentoption.h"
#include "../lib/cli/cli.h"
#include "../lib/cli/quantizereport.h"
#include "../lib/device/head.h"
#include "../lib/format/qgraphfile.h"
#include "../lib/format/spareclasses.h"
#include "../lib/nn/graphfile.h"
#include "../lib/quant/accuracy.h"
#include "../lib/quant/driftfit.h"
#include "../lib/quant/quantize.h"
#include "../lib/quant/rangefit.h"

static int64_t bits = 8, last_bits = 8, activation_bits = 8, spare_classes, epochs = 10, batch = 48, seed = 1, threads;
static double augment = -1, rate;
static int json, with_std, without_std, force;
static const char *coreset_path, *data_path, *drift, *output = "-";

static const QcOption rare[] = {
    {0, "augment", QC_OPTION_REAL, &augment, "R", "calibrate under synthetic drifts; -1: as the model was trained", -1,
     QC_AUGMENT_MOST},
    {0, "drift", QC_OPTION_TEXT, &drift, "KIND", "kind of drift: auto, inertial, series, image or bands", 0, 0},
    {0, "rate", QC_OPTION_REAL, &rate, "R", "learning rate in quantization steps; 0 = by the bits", 0, 100},
    {0},
};

static const QcOption options[] = {
    {'b', "bits", QC_OPTION_INT, &bits, "N", "bits of a weight: 2, 4 or 8", 2, 8},
    {0, "last-bits", QC_OPTION_INT, &last_bits, "N", "bits of a weight of the last layer: 2, 4 or 8", 2, 8},
    {'a', "activation-bits", QC_OPTION_INT, &activation_bits, "N", "bits of an activation: 4 or 8", 4, 8},
    {'c', "coreset", QC_OPTION_TEXT, &coreset_path, "FILE", "coreset: ranges and calibration", 0, 0},
    {'d', "data", QC_OPTION_TEXT, &data_path, "FILE", "training data: calibrates better than the coreset alone", 0, 0},
    {'o', "output", QC_OPTION_TEXT, &output, "FILE", "the quantized model", 0, 0},
    {0, "std", QC_OPTION_FLAG, &with_std, NULL, "refuse a model whose last layer cannot read deviations", 0, 0},
    {0, "no-std", QC_OPTION_FLAG, &without_std, NULL, "the last layer reads no deviations of features, only means", 0,
     0},
    {0, "spare-classes", QC_OPTION_INT, &spare_classes, "N", "classes that the device can learn later", 0,
     QC_HEAD_MAX_CLASSES},
    {'B', "batch-size", QC_OPTION_INT, &batch, "N", "examples per step of calibration", 1, 4096},
    {0, "epochs", QC_OPTION_INT, &epochs, "N", "epochs of calibration; 0 = rounding only", 0, 100000},
    {0, "seed", QC_OPTION_INT, &seed, "N", "seed of all random numbers", 0, 0},
    {0, "threads", QC_OPTION_INT, &threads, "N", "0 = all cores", 0, 256},
    {0, "force", QC_OPTION_FLAG, &force, NULL, "start even from a model that only guesses", 0, 0},
    {0, "json", QC_OPTION_FLAG, &json, NULL, "the report as JSON (on stderr if stdout has the model)", 0, 0},
    QC_OPTIONS_MORE(rare, QC_OPTIONS_RARE),
    {0},
};

static const QcProgram program = {"qc-quantize", "quantize a float model to 2, 4 or 8 bits and calibrate it",
                                  "[-b 2|4|8] -c CORESET | -d DATA [-o FILE] [options] [MODEL]", options, 1};

static void progress(uint32_t epoch, uint32_t of, double loss, double accuracy)
{
    qc_progress(epoch, of, "epoch %u/%u  held-out loss %.4f  accuracy %.3f", epoch, of, loss, accuracy);
}

static int is_width(int64_t n) { return n == 2 || n == 4 || n == 8; }

/* The float model; its last layer also reads standard deviations, if it can and may. They double its features, and the
 * device solves so many at most. */
static int load_graph(QcGraph *graph, const QcModelFile *model, QcErr *err)
{
    QcGraph wide;
    if (qc_graph_decode(graph, model, err)) return -1;
    const QcNode *last = &graph->nodes[graph->n_nodes - 1];
    size_t features = last->n_weight / last->channels;
    if (without_std || (!with_std && 2 * features > QC_HEAD_MAX_FEATURES)) return 0;
    if (qc_graph_with_std(&wide, graph, err)) {
        if (err->code != QC_EUNSUPPORTED || with_std) return -1;
        qc_note("the last layer reads no deviations: it does not follow a global average of several positions");
        return 0;
    }
    qc_graph_release(graph);
    *graph = wide;
    return 0;
}

/* As the float model was trained, if no option says otherwise. 1: *a augments; 0: nothing does. */
static int choose_augmentation(QcAugment *a, const QcModelFile *m, const char *path, QcArena *arena, QcErr *err)
{
    if (augment < 0 && !drift) {
        int is_known = qc_augment_decode(&augment, &drift, m, err);
        if (is_known <= 0) return is_known ? qc_within(err, path) : 0;
        qc_note("calibrated under synthetic drifts of kind %s, as the float model was trained", drift);
    }
    return qc_cli_augment(a, augment, drift, m, arena, err);
}

static int check_usage(QcQuantizeOptions *o, const char *model_path, QcErr *err)
{
    const char *const inputs[] = {coreset_path, data_path, model_path};
    if (with_std && without_std) return qc_fail(err, QC_EUSAGE, "--std and --no-std exclude each other");
    if (!is_width(bits) || !is_width(last_bits) || (activation_bits != 4 && activation_bits != 8))
        return qc_fail(err, QC_EUSAGE, "-b and --last-bits are 2, 4 or 8 and -a is 4 or 8");
    if (!coreset_path && !data_path)
        return qc_fail(err, QC_EUSAGE,
                       "real data is needed for the ranges of activations: give a coreset (-c) or training data (-d)");
    *o = (QcQuantizeOptions){.bits = (int)bits,
                             .last_bits = (int)last_bits,
                             .activation_bits = (int)activation_bits,
                             .epochs = (uint32_t)epochs,
                             .batch = (uint32_t)batch,
                             .rate = rate,
                             .seed = (uint64_t)seed,
                             .threads = qc_threads(threads),
                             .progress = progress};
    return qc_output_refuse_overwrite(output, inputs, 3, err) || qc_output_check(output, 1, err) ? -1 : 0;
}

int main(int argc, char **argv)
{
    QcErr err;
    QcModelFile model = {0};
    QcGraph graph = {0};
    QcWindows windows = {0};
    QcArena arena = {0};
    QcQGraph g;
    QcQuantizeOptions o;
    QcQuantizeReport r;
    QcAugment augmentation;
    uint8_t digest[QC_DIGEST_BYTES];
    int status = -1;
    double start = qc_seconds();
    qc_cli_parse(&program, argc, argv);
    if (check_usage(&o, argv[1], &err) || qc_modelfile_load(&model, argv[1], &err)) goto end;
    if (load_graph(&graph, &model, &err)) {
        qc_within(&err, qc_input_name(argv[1]));
        goto end;
    }
    if (qc_windows_load_source(&windows, digest, &model, coreset_path, data_path, &err)) goto end;
    if (!force && qc_windows_refuse_guessing(&graph, &windows, o.threads, &err)) goto end;
    int augments = choose_augmentation(&augmentation, &model, qc_input_name(argv[1]), &arena, &err);
    if (augments < 0) goto end;
    o.augment = augments ? &augmentation : NULL;
    if (qc_quantize(&g, &r, &graph, &windows, !data_path, &o, &arena, &err)) goto end;
    qc_progress_end();
    if (qc_add_spare_classes(&model, &g, (uint32_t)spare_classes, &arena, &err)) goto end;
    QcInput input = {data_path ? "data" : "coreset", digest};
    if (qc_qgraphfile_encode(&model, &g, &err) || qc_fit_add_driftbase(&model, &g, &windows, &arena, &err) ||
        qc_range_add(&model, &windows, &arena, &err) ||
        qc_modelfile_stamp(&model, qc_cli_command(), &input, 1, &err))
        goto end;
    if (qc_modelfile_save(&model, output, &err)) goto end;
    qc_print_quantized(qc_is_standard(output) ? stderr : stdout, &r, &g, o.activation_bits, json);
    unsigned long long bytes = qc_container_bytes(&model.container);
    if (r.held_out)
        qc_note("accuracy %.4f on %u held-out examples; %.1f s; %llu bytes", r.accuracy, r.held_out,
                qc_seconds() - start, bytes);
    else qc_note("no example is held out; %.1f s; %llu bytes", qc_seconds() - start, bytes);
    status = 0;
end:
    qc_progress_end();
    qc_windows_release(&windows);
    qc_graph_release(&graph);
    qc_modelfile_release(&model);
    qc_arena_release(&arena);
    return qc_cli_end(&err, status);
}
