/* bench_nets.c - measures a whole call, from floats to logits, of InceptionTime 16 x 3 and three networks with the
 * layers of MLPerf Tiny. ONNX Runtime runs the model that qc-export writes, in every int8 form that ONNX Runtime's
 * quantizer writes. One window, one thread, wall time; the programs run in turns, and the fastest call of each counts.
 * An Identity model of the same input shows the cost of a call of ONNX Runtime through node: ratios are given with this
 * cost and without it. */
#include "bench.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { CALLS = 40, ROUNDS = 25, RIVALS = 6, IDENTITY = 5, MOST_VALUES = 96 * 96 * 3 };
static const char *const rival_names[RIVALS] = {"float", "s8", "u8", "signed", "dynamic", "identity"};
static const NetShape shapes[] = {{"inceptiontime-16x3", 45, 1, 125, 19},
                                  {"ds-cnn", 1, 49, 10, 12},
                                  {"resnet8", 3, 32, 32, 10},
                                  {"mobilenet", 3, 96, 96, 2}};

static QcErr err;
static float window[MOST_VALUES];

static double round_ours(Whole *n)
{
    double best = 1e9;
    for (int i = 0; i < CALLS; i++) {
        double start = bench_seconds(CLOCK_MONOTONIC);
        whole_pass(n, window);
        best = fmin(best, bench_seconds(CLOCK_MONOTONIC) - start);
    }
    return best;
}

/* Makes FOLDER/NAME.onnx for each rival. */
static int write_rivals(const char *folder, const NetShape *shape, const char *dims, const QcGraph *model,
                        const QcQGraph *g)
{
    char path[128], command[256];
    static const QcOnnxCodes codes[] = {QC_ONNX_SAFE, QC_ONNX_INT8, QC_ONNX_SAFE};
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s.onnx", folder, rival_names[i]);
        if (net_write_onnx(path, shape, model, i ? g : NULL, codes[i], &err)) return -1;
    }
    snprintf(command, sizeof command, "/usr/bin/python3 tests/bench/rival_models.py %s %s", folder, dims);
    int status = system(command);
    return status ? qc_fail(&err, QC_EIO, "rival_models.py failed") : 0;
}

/* Fills best [RIVALS] and *ours with seconds. Returns 1, 0 if ONNX Runtime is missing, -1 on failure. */
static int measure(double *ours, double *best, const char *folder, const NetShape *shape, const QcKernels *k)
{
    QcGraph model;
    Whole net;
    Child rivals[RIVALS];
    char files[RIVALS][128], dims[64];
    int there = 1;
    if (shape->height == 1) snprintf(dims, sizeof dims, "1,%u,%u", shape->channels, shape->length);
    else snprintf(dims, sizeof dims, "1,%u,%u,%u", shape->channels, shape->height, shape->length);
    net_window(window, shape->channels * shape->height * shape->length);
    if (net_load(&model, shape, &err) || whole_init(&net, &model, window, 8, k, &err)) return -1;
    if (write_rivals(folder, shape, dims, &model, &net.g)) return -1;
    *ours = 1e9;
    for (int i = 0; i < RIVALS; i++) {
        snprintf(files[i], sizeof files[i], "%s/%s.onnx", folder, rival_names[i]);
        const char *const argv[] = {"node", "tests/bench/time_onnx.js", files[i], dims, "40" /* CALLS */, NULL};
        best[i] = 1e9;
        if (child_start(&rivals[i], argv)) return -1;
    }
    for (int round = 0; round < ROUNDS; round++) {
        *ours = fmin(*ours, round_ours(&net));
        for (int i = 0; i < RIVALS && there; i++) {
            double t;
            there = !child_ask(&rivals[i], "1", &t, 1);
            if (there) best[i] = fmin(best[i], t);
        }
    }
    for (int i = 0; i < RIVALS; i++) {
        child_stop(&rivals[i]);
        unlink(files[i]);
    }
    whole_release(&net);
    return there;
}

int main(void)
{
    const char *wrong = NULL;
    const QcKernels *k = qc_kernels_choose(&wrong);
    char folder[] = "/tmp/qc-nets-XXXXXX", what[96];
    double bars[sizeof shapes / sizeof *shapes][2];
    int there = 1;
    signal(SIGPIPE, SIG_IGN);
    if (!k) return fprintf(stderr, "bench_nets: there are no kernels '%s'\n", wrong), 1;
    if (!mkdtemp(folder)) return 1;
    puts("network\twho\tus/window");
    for (size_t n = 0; n < sizeof shapes / sizeof *shapes && there > 0; n++) {
        double ours, best[RIVALS], least = 1e9;
        there = measure(&ours, best, folder, &shapes[n], k);
        if (there < 0) fprintf(stderr, "bench_nets: %s\n", err.text);
        if (there <= 0) break;
        printf("%s\tqcore %s\t%.1f\n", shapes[n].arch, k->name, 1e6 * ours);
        for (int i = 0; i < RIVALS; i++) {
            printf("%s\tonnxruntime %s\t%.1f\n", shapes[n].arch, rival_names[i], 1e6 * best[i]);
            if (i > 0 && i < IDENTITY) least = fmin(least, best[i]);
        }
        bars[n][0] = least / ours;
        bars[n][1] = (least - best[IDENTITY]) / ours;
        fflush(stdout);
    }
    rmdir(folder);
    if (there < 0) return 1;
    if (!there) return puts("skipped: onnxruntime-node is missing (share/setup/install.sh --bench)"), 0;
    for (size_t n = 0; n < sizeof shapes / sizeof *shapes; n++)
        for (int less = 0; less < 2; less++) {
            snprintf(what, sizeof what, "%s-over-onnxruntime-int8%s", shapes[n].arch, less ? "-less-identity" : "");
            bench_bar(what, bars[n][less], 1.3);
        }
    return 0;
}
