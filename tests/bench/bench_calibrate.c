/* bench_calibrate.c - measures what a device saves. One batch of about 90 windows is calibrated by forward passes
 * and flips, or by the last layer alone. It is compared with 30 steps of float training on 48 windows each, as
 * replay with back-propagation takes. One thread each, in turns within one run; medians. Also prints the working
 * memory of a calibration.
 *
 * Two models of 2 bits: QCore as published, with flips, and the model that qc-quantize makes by default (the
 * recommended model: deviations, a last layer of 8 bits).
 *
 *   bench_calibrate                                  on synthetic subjects like UCI-DSA, InceptionTime 16 x 3
 *   bench_calibrate FLOAT QUANTIZED CORESET STREAM RECOMMENDED   on these files
 */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../lib/bitflip/bitflip.h"
#include "../../lib/data/synth.h"
#include "../../lib/format/flipfile.h"
#include "../../lib/format/qgraphfile.h"
#include "../../lib/lab/rivaltable.h"
#include "../../lib/live/session.h"
#include "../../lib/nn/arch.h"
#include "../../lib/nn/graphfile.h"
#include "../../lib/nn/loss.h"
#include "../../lib/nn/run.h"
#include "../../lib/nn/train.h"
#include "../../lib/quant/quantize.h"

enum {
    BATCH = 90,
    STEPS = 30,
    STEP_BATCH = 48,
    CAPACITY = 30,
    ROUNDS = 5,
    MOST_BATCHES = 3 /* calibrated in a round */
};

static QcErr err;
static char folder[] = "/tmp/bench_calibrate.XXXXXX";
enum { FLOAT, PUBLISHED, CORESET, STREAM, RECOMMENDED, N_FILES };
static char made[N_FILES][64];
static const char *files[] = {made[FLOAT], made[PUBLISHED], made[CORESET], made[STREAM], made[RECOMMENDED]};

static double now(void) { return bench_seconds(CLOCK_MONOTONIC); }

/* ---- models and data if no files are given: trained briefly, so that they err on another subject ---- */

static int person(QcDataset *out, const QcDataset *all, const char *name)
{
    uint32_t *order = malloc(all->n * sizeof *order), n;
    int status = !order || qc_split_pick_groups(order, &n, all, &name, 1, &err) ||
                 qc_dataset_subset(out, all, order, n, 0, &err);
    free(order);
    return status;
}

static int save_coreset(const QcDataset *source)
{
    QcDataset coreset;
    uint32_t index[CAPACITY];
    for (uint32_t i = 0; i < CAPACITY; i++) index[i] = i * source->n / CAPACITY; /* the classes lie one after another */
    if (qc_dataset_subset(&coreset, source, index, CAPACITY, CAPACITY, &err)) return -1;
    for (uint32_t i = 0; i < CAPACITY; i++) {
        coreset.misses[i] = 1;
        coreset.flags[i] = i % 3 < 2 ? QC_EXAMPLE_RESERVED : 0;
    }
    int status = qc_dataset_save(&coreset, files[CORESET], &err);
    qc_dataset_release(&coreset);
    return status;
}

static int train_float(QcModelFile *m, QcGraph *g, QcDataset *d)
{
    char path[4096], name[QC_NAME_MAX + 1];
    QcNorm norm;
    int32_t *map;
    QcTrainOptions o = qc_train_defaults;
    o.epochs = 8;
    o.batch = STEP_BATCH;
    o.threads = 1;
    if (qc_arch_find(path, sizeof path, "inceptiontime-16x3", &err) || qc_norm_measure(&norm, d, &d->arena, &err))
        return -1;
    if (qc_arch_load(g, name, path, 0, d->channels, d->height, d->length, d->labels.n, &err)) return -1;
    if (qc_modelfile_init(m, name, d->channels, d->height, d->length, d->labels.n, d->labels.names, &norm, &err))
        return -1;
    qc_graph_reset(g, 1);
    if (qc_dataset_match(d, m, 1, &map, &d->arena, &err) || qc_train(g, d, &m->norm, map, &o, &err)) return -1;
    return qc_graph_encode(m, g, &err) || qc_modelfile_save(m, files[FLOAT], &err);
}

static const QcQuantizeOptions quantize_options = {
    .bits = 2, .activation_bits = 8, .epochs = 4, .batch = STEP_BATCH, .seed = 1, .threads = 1};

static int quantize_published(QcModelFile *m, const QcGraph *graph, const QcWindows *windows, QcArena *arena)
{
    QcQGraph g;
    QcFlip flip;
    QcQuantizeReport quantized;
    QcBitflipReport flip_report;
    QcBitflipOptions b = qc_bitflip_defaults;
    b.oracle = qc_oracle_defaults;
    b.subjects = 2;
    b.test_subjects = 1;
    b.oracle.steps = 15;
    b.steps = 300;
    if (qc_quantize(&g, &quantized, graph, windows, 0, &quantize_options, arena, &err) ||
        qc_qgraphfile_encode(m, &g, &err))
        return -1;
    if (qc_bitflip_train(&flip, &flip_report, &g, m, windows, &b, arena, &err) ||
        qc_flipfile_encode(m, &flip, &err))
        return -1;
    return qc_modelfile_save(m, files[PUBLISHED], &err);
}

static int quantize_recommended(const QcGraph *graph, const QcWindows *windows, QcArena *arena)
{
    QcQGraph g;
    QcGraph wide = {0};
    QcModelFile m = {0};
    QcQuantizeReport quantized;
    QcQuantizeOptions o = quantize_options;
    o.last_bits = 8;
    int status = qc_modelfile_load(&m, files[FLOAT], &err) || qc_graph_with_std(&wide, graph, &err) ||
                 qc_quantize(&g, &quantized, &wide, windows, 0, &o, arena, &err) ||
                 qc_qgraphfile_encode(&m, &g, &err) || qc_modelfile_save(&m, files[RECOMMENDED], &err);
    qc_graph_release(&wide);
    qc_modelfile_release(&m);
    return status;
}

static int make_files(void)
{
    QcDataset all = {0}, source = {0}, target = {0};
    QcModelFile m = {0};
    QcGraph g = {0};
    QcWindows windows = {0};
    QcArena arena = {0};
    QcSynthOptions o = qc_synth_defaults;
    o.subjects = 2;
    o.activities = 19;
    o.windows = 10;
    o.channels = 45;
    o.length = 125;
    if (!mkdtemp(folder)) return qc_fail(&err, QC_EIO, "%s cannot be made", folder);
    for (int i = 0; i < N_FILES; i++) snprintf(made[i], sizeof made[i], "%s/%d", folder, i);
    int status = qc_synth(&all, &o, &err) || person(&source, &all, "p1") || person(&target, &all, "p2") ||
                 save_coreset(&source) || qc_dataset_save(&target, files[STREAM], &err) ||
                 train_float(&m, &g, &source) || qc_windows_init(&windows, &source, &m, &err) ||
                 quantize_published(&m, &g, &windows, &arena) || quantize_recommended(&g, &windows, &arena);
    qc_windows_release(&windows);
    qc_modelfile_release(&m);
    qc_graph_release(&g);
    qc_dataset_release(&all);
    qc_dataset_release(&source);
    qc_dataset_release(&target);
    qc_arena_release(&arena);
    return status;
}

static void remove_files(void)
{
    if (files[0] != made[0]) return;
    for (int i = 0; i < N_FILES; i++) unlink(files[i]);
    rmdir(folder);
}

/* ---- 30 steps of float training ---- */

typedef struct Rival {
    QcGraph g;
    QcOptim optim;
    QcWindows windows;
    float *x, *grads, *dlogits;
    int32_t labels[STEP_BATCH];
} Rival;

static int start_rival(Rival *r)
{
    QcModelFile m = {0};
    QcDataset d = {0};
    int status = qc_modelfile_load(&m, files[FLOAT], &err) || qc_graph_decode(&r->g, &m, &err) ||
                 qc_dataset_load(&d, files[STREAM], &err) || qc_windows_init(&r->windows, &d, &m, &err) ||
                 qc_optim_init(&r->optim, QC_OPTIM_ADAM, r->g.n_params, 1e-3, 0, &err);
    qc_dataset_release(&d);
    qc_modelfile_release(&m);
    if (status) return -1;
    r->x = malloc(STEP_BATCH * r->windows.values * sizeof *r->x);
    r->grads = malloc(r->g.n_params * sizeof *r->grads);
    r->dlogits = malloc((size_t)STEP_BATCH * r->g.classes * sizeof *r->dlogits);
    return r->x && r->grads && r->dlogits ? 0 : qc_fail_memory(&err, "a batch");
}

static void stop_rival(Rival *r)
{
    qc_optim_release(&r->optim);
    qc_windows_release(&r->windows);
    qc_graph_release(&r->g);
    free(r->x);
    free(r->grads);
    free(r->dlogits);
}

/* Seconds, without the setup of the run. Restores the parameters. */
static int train_steps(Rival *r, QcRunMode mode, double *seconds)
{
    QcGraph copy;
    if (qc_graph_clone(&copy, &r->g, &err)) return -1;
    QcRun *run = qc_run_new(&copy, STEP_BATCH, mode, 1, &err);
    if (!run) return -1;
    *seconds = 0;
    for (uint32_t step = 0; step <= STEPS; step++) {
        double start = now();
        for (uint32_t i = 0; i < STEP_BATCH; i++) {
            uint32_t at = (step * STEP_BATCH + i) * 7 % r->windows.n;
            memcpy(r->x + i * r->windows.values, r->windows.x + at * r->windows.values,
                   r->windows.values * sizeof *r->x);
            r->labels[i] = r->windows.label[at];
        }
        const float *logits = qc_run_forward(run, r->x, STEP_BATCH);
        qc_loss(r->dlogits, NULL, logits, r->labels, STEP_BATCH, r->g.classes);
        qc_run_backward(run, r->grads, r->dlogits);
        qc_optim_step(&r->optim, copy.params, r->grads, 1, NULL);
        if (step) *seconds += now() - start; /* the first step warms up */
    }
    qc_run_free(run);
    qc_graph_release(&copy);
    return 0;
}

/* ---- calibration ---- */

typedef struct Ours {
    const char *method;
    int file;         /* the model: PUBLISHED or RECOMMENDED */
    const char *tune; /* NAME=VALUE or NULL */
    double ms[ROUNDS * MOST_BATCHES];
    double adapt[ROUNDS * MOST_BATCHES]; /* time to adapt, as a share of the time to predict the batch */
    int n;
    uint64_t memory, model, packed, coreset, layer, batch;
    double forwards, statistics;
} Ours;

static uint64_t largest_layer(const QcQGraph *g)
{
    uint64_t most = 0;
    for (uint32_t t = 0; t < g->n_tensors; t++) {
        uint64_t bytes = (uint64_t)g->tensors[t].height * g->tensors[t].width * g->tensors[t].channels;
        if (bytes > most) most = bytes;
    }
    return most;
}

static int calibrate(Ours *o)
{
    QcSession s;
    QcSessionOptions options = {
        .batch_size = BATCH, .method = qc_method_find(qc_rival_table, o->method, &err), .command = "bench_calibrate"};
    if (o->tune) options.tune = &o->tune, options.n_tune = 1;
    QcDataset d;
    if (qc_dataset_load(&d, files[STREAM], &err)) return -1;
    options.batches = d.n / BATCH > 0 ? d.n / BATCH : 1;
    qc_dataset_release(&d);
    if (qc_session_open(&s, files[o->file], files[CORESET], &files[STREAM], 1, &options, &err)) return -1;
    o->memory = s.learner.bytes;
    o->model = s.model_bytes;
    o->batch = s.batch_bytes;
    o->packed = s.g.n_code_bytes;
    o->coreset = (uint64_t)s.coreset.data.capacity * s.learner.window;
    o->layer = largest_layer(&s.g);
    for (uint32_t b = 0; b < s.batches && b < MOST_BATCHES; b++) {
        QcMethodReport r;
        if (qc_session_next(&s, &r, &o->ms[o->n], &err)) return -1;
        o->adapt[o->n] = r.predict_ms > 0 ? (o->ms[o->n] - r.predict_ms) / r.predict_ms : 0;
        o->n++;
        o->forwards += r.forwards;
        o->statistics += r.step.statistics;
    }
    qc_session_close(&s);
    return 0;
}

/* ---- the report ---- */

static double time_of(Ours *o, double trained, double tuned)
{
    return bench_median(o->ms, o->n) * 1e-3 / (tuned < trained ? tuned : trained);
}

/* The bars hold for the defaults of qc-calibrate: the first method with a bit-flip network, the last with the
 * recommended model. */
static void report(double trained, double tuned, Ours *ours, int n)
{
    static const char *models[N_FILES] = {[PUBLISHED] = "published", [RECOMMENDED] = "recommended"};
    printf("what\tmodel\tparameter\tms\tforwards\tstatistics\tworking_bytes\tmodel_bytes\tbatch_bytes"
           "\tadapt_of_predict\n");
    printf("%d training steps of %d\t-\t-\t%.0f\t-\t-\t-\t-\t-\t-\n", STEPS, STEP_BATCH, 1e3 * trained);
    printf("the same, batch norm fixed\t-\t-\t%.0f\t-\t-\t-\t-\t-\t-\n", 1e3 * tuned);
    for (int i = 0; i < n; i++) {
        Ours *o = &ours[i];
        double batches = o->n;
        printf("one calibration, %s\t%s\t%s\t%.1f\t%.0f\t%.1f\t%llu\t%llu\t%llu\t%.3f\n", o->method, models[o->file],
               o->tune ? o->tune : "-", bench_median(o->ms, o->n), o->forwards / batches, o->statistics / batches,
               (unsigned long long)o->memory, (unsigned long long)o->model, (unsigned long long)o->batch,
               bench_median(o->adapt, o->n));
    }
    printf("packed weights %llu, coreset %llu, largest layer's activations of a window %llu bytes\n",
           (unsigned long long)ours->packed, (unsigned long long)ours->coreset, (unsigned long long)ours->layer);
    double time = time_of(ours, trained, tuned), closed = time_of(&ours[n - 1], trained, tuned);
    double memory = (double)(ours->memory + ours->model) / (double)(ours->packed + ours->coreset + ours->layer);
    printf("bar calibrate-time %.3f <= 0.25 %s\n", time, time <= 0.25 ? "ok" : "short");
    printf("bar calibrate-time-closed %.4f <= 0.25 %s\n", closed, closed <= 0.25 ? "ok" : "short");
    double adapt = bench_median(ours[n - 1].adapt, ours[n - 1].n);
    printf("bar adapt-of-predict-closed %.3f <= 0.25 %s\n", adapt, adapt <= 0.25 ? "ok" : "short");
    printf("bar calibrate-memory %.2f <= 4 %s\n", memory, memory <= 4 ? "ok" : "short");
}

int main(int argc, char **argv)
{
    enum { WAYS = 4 };
    static Ours ours[WAYS] = {{.method = "qcore", .file = PUBLISHED},
                              {.method = "qcore", .file = PUBLISHED, .tune = "block_sample=16384"},
                              {.method = "closed", .file = PUBLISHED},
                              {.method = "closed", .file = RECOMMENDED}};
    double trained[ROUNDS], tuned[ROUNDS];
    Rival rival = {0};
    for (int i = 0; argc == N_FILES + 1 && i < N_FILES; i++) files[i] = argv[i + 1];
    int status = (argc != N_FILES + 1 && make_files()) || start_rival(&rival);
    for (int round = 0; !status && round < ROUNDS; round++) {
        status = train_steps(&rival, QC_RUN_TRAIN, &trained[round]) || train_steps(&rival, QC_RUN_TUNE, &tuned[round]);
        for (int i = 0; !status && i < WAYS; i++) status = calibrate(&ours[i]);
    }
    if (status) fprintf(stderr, "bench_calibrate: %s\n", err.text);
    else report(bench_median(trained, ROUNDS), bench_median(tuned, ROUNDS), ours, WAYS);
    stop_rival(&rival);
    remove_files();
    return status ? 1 : 0;
}
