/* bench_infer.c - measures the latency of the full quantized InceptionTime beside PyTorch in float, on one thread
 * and one window at a time. Also compares two threads with one thread on 16 windows. */
#include "bench.h"

#include <signal.h>

#include "../../lib/quant/qpredict.h"

enum { BATCH = 16, CALLS = 10, ROUNDS = 30, WIDTHS = 3 };

static QcErr err;
static float window[NET_VALUES];

static double now(void) { return bench_seconds(CLOCK_MONOTONIC); }

static void least(double *best, double t)
{
    if (t < *best) *best = t;
}

static void round_ours(Whole *n, double *best)
{
    for (int i = 0; i < CALLS; i++) {
        double start = now();
        whole_pass(n, window);
        least(best, now() - start);
    }
}

/* Best seconds of BATCH windows on one thread and on two. */
static int time_threads(double seconds[2], const QcQGraph *g)
{
    float mean[NET_CHANNELS], deviation[NET_CHANNELS], logits[BATCH * NET_CLASSES];
    QcNorm norm = {NET_CHANNELS, mean, deviation};
    QcDataset d = {0};
    if (qc_dataset_init(&d, BATCH, NET_CHANNELS, 1, NET_LENGTH, 0, &err)) return -1;
    for (int i = 0; i < BATCH * NET_VALUES; i++) d.x[i] = window[i % NET_VALUES];
    for (int c = 0; c < NET_CHANNELS; c++) mean[c] = 0, deviation[c] = 1;
    seconds[0] = seconds[1] = 1e9;
    int status = 0;
    for (int round = 0; round < 2 * ROUNDS && !status; round++)
        for (int threads = 1; threads <= 2 && !status; threads++) {
            double start = now();
            status = qc_qpredict(g, &d, &norm, threads, logits, &err);
            least(&seconds[threads - 1], now() - start);
        }
    qc_dataset_release(&d);
    return status;
}

int main(void)
{
    static Whole ours[WIDTHS];
    Child torch;
    QcGraph model;
    const char *wrong = NULL, *const argv[] = {"/usr/bin/python3", "tests/bench/infer_torch.py", "1", "10" /* CALLS */,
                                               NULL};
    double best[WIDTHS] = {1e9, 1e9, 1e9}, torch_best = 1e9, t, seconds[2];
    char what[64];
    int there = 1, status = 1;
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (child_start(&torch, argv)) return 1;
    const QcKernels *k = qc_kernels_choose(&wrong);
    if (!k) return fprintf(stderr, "bench_infer: there are no kernels '%s'\n", wrong), 1;
    net_window(window, NET_VALUES);
    if (whole_load(&model, &err)) goto end;
    for (int i = 0; i < WIDTHS; i++)
        if (whole_init(&ours[i], &model, window, 2 << i, k, &err)) goto end;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < WIDTHS; i++) round_ours(&ours[i], &best[i]);
        there = there && !child_ask(&torch, "go", &t, 1);
        if (there) least(&torch_best, t);
    }
    child_stop(&torch);
    puts("who\tbits\tus/window");
    for (int i = 0; i < WIDTHS; i++) printf("qcore %s\t%d\t%.1f\n", k->name, 2 << i, 1e6 * best[i]);
    if (there) printf("pytorch\t32\t%.1f\n", 1e6 * torch_best);
    else puts("skipped: python3-torch is missing");
    for (int i = 0; i < WIDTHS && there; i++) {
        snprintf(what, sizeof what, "latency-over-pytorch-%d-bits", 2 << i);
        bench_bar(what, torch_best / best[i], 10);
    }
    for (int i = 0; i < WIDTHS; i++) {
        if (time_threads(seconds, &ours[i].g)) goto end;
        printf("threads 1, 2\t%d\t%.1f\t%.1f\n", 2 << i, 1e6 * seconds[0] / BATCH, 1e6 * seconds[1] / BATCH);
        snprintf(what, sizeof what, "two-threads-over-one-%d-bits", 2 << i);
        bench_bar(what, seconds[0] / seconds[1], 1.8);
    }
    status = 0;
end:
    if (status) fprintf(stderr, "bench_infer: %s\n", err.text);
    for (int i = 0; i < WIDTHS; i++) whole_release(&ours[i]);
    return status;
}
