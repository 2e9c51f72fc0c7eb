/* bench_onnx.c - measures the latency of the full InceptionTime beside ONNX Runtime on the model that qc-export
 * writes: in float, and in 8 bits with both forms of weights. One thread each, 1 and 64 windows at a time; processor
 * time. */
#include "bench.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { CALLS = 5, ROUNDS = 12, BATCHES = 2, WIDTHS = 3, RIVALS = 3 };
static const int batches[BATCHES] = {1, 64};

typedef struct Side {
    const char *name;
    Child child;          /* of a rival */
    double best[BATCHES]; /* seconds of one window */
} Side;

static QcErr err;
static float window[NET_VALUES];

static void least(double *best, double t)
{
    if (t < *best) *best = t;
}

static void round_ours(Whole *n, Side *s)
{
    for (int b = 0; b < BATCHES; b++)
        for (int i = 0; i < (b ? 1 : CALLS); i++) {
            double start = bench_seconds(CLOCK_PROCESS_CPUTIME_ID);
            for (int k = 0; k < batches[b]; k++) whole_pass(n, window);
            least(&s->best[b], (bench_seconds(CLOCK_PROCESS_CPUTIME_ID) - start) / batches[b]);
        }
}

static int round_rival(Side *s)
{
    for (int b = 0; b < BATCHES; b++) {
        double t;
        if (child_ask(&s->child, b ? "64" : "1", &t, 1)) return -1;
        least(&s->best[b], t / batches[b]);
    }
    return 0;
}

static const NetShape shape = {"inceptiontime", NET_CHANNELS, 1, NET_LENGTH, NET_CLASSES};

int main(void)
{
    static Whole nets[WIDTHS];
    Side ours[WIDTHS], rivals[RIVALS];
    QcGraph model;
    char folder[] = "/tmp/qc-onnx-XXXXXX", files[RIVALS][64], what[64];
    static const char *const names[RIVALS] = {"onnxruntime float", "onnxruntime u8", "onnxruntime s8"};
    const char *wrong = NULL;
    int there = 1, status = 1;
    signal(SIGPIPE, SIG_IGN);
    const QcKernels *k = qc_kernels_choose(&wrong);
    if (!k) return fprintf(stderr, "bench_onnx: there are no kernels '%s'\n", wrong), 1;
    if (!mkdtemp(folder)) return 1;
    net_window(window, NET_VALUES);
    if (whole_load(&model, &err)) goto end;
    for (int i = 0; i < WIDTHS; i++) {
        ours[i] = (Side){.name = k->name, .best = {1e9, 1e9}};
        if (whole_init(&nets[i], &model, window, 2 << i, k, &err)) goto end;
    }
    for (int i = 0; i < RIVALS; i++) {
        const char *const argv[] = {"node", "tests/bench/infer_onnx.js", files[i], "5" /* CALLS */, NULL};
        rivals[i] = (Side){.name = names[i], .best = {1e9, 1e9}};
        snprintf(files[i], sizeof files[i], "%s/%d.onnx", folder, i);
        if (net_write_onnx(files[i], &shape, &model, i ? &nets[2].g : NULL, i == 2 ? QC_ONNX_INT8 : QC_ONNX_SAFE,
                           &err) ||
            child_start(&rivals[i].child, argv))
            goto end;
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < WIDTHS; i++) round_ours(&nets[i], &ours[i]);
        for (int i = 0; i < RIVALS; i++) there = there && !round_rival(&rivals[i]);
    }
    for (int i = 0; i < RIVALS; i++) child_stop(&rivals[i].child);
    puts("who\tbits\tus/window alone\tus/window of 64");
    for (int i = 0; i < WIDTHS; i++)
        printf("qcore %s\t%d\t%.1f\t%.1f\n", ours[i].name, 2 << i, 1e6 * ours[i].best[0], 1e6 * ours[i].best[1]);
    for (int i = 0; i < RIVALS && there; i++)
        printf("%s\t%d\t%.1f\t%.1f\n", rivals[i].name, i ? 8 : 32, 1e6 * rivals[i].best[0], 1e6 * rivals[i].best[1]);
    if (!there) puts("skipped: onnxruntime-node is missing (share/setup/install.sh --bench)");
    for (int b = 0; b < BATCHES && there; b++) {
        double quicker = rivals[1].best[b] < rivals[2].best[b] ? rivals[1].best[b] : rivals[2].best[b];
        snprintf(what, sizeof what, "8-bits-over-onnxruntime-int8-batch-%d", batches[b]);
        bench_bar(what, quicker / ours[2].best[b], 2);
    }
    status = 0;
end:
    if (status) fprintf(stderr, "bench_onnx: %s\n", err.text);
    for (int i = 0; i < RIVALS; i++) unlink(files[i]);
    rmdir(folder);
    for (int i = 0; i < WIDTHS; i++) whole_release(&nets[i]);
    return status;
}
