/* bench_infer.c - latency of the whole quantized InceptionTime (32 filters, depth 6; 45 channels x 125, 19 classes; weights as they are before training)
 * beside PyTorch's float on one thread, one window at a time; and two threads beside one at 16 windows. All take turns; the best of many rounds counts,
 * because others share this machine. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../lib/base/rng.h"
#include "../../lib/nn/arch.h"
#include "../../lib/quant/emit.h"
#include "../../lib/quant/qinput.h"
#include "../../lib/quant/qpredict.h"

enum { CHANNELS = 45, LENGTH = 125, CLASSES = 19, VALUES = CHANNELS * LENGTH, BATCH = 16, CALLS = 10, ROUNDS = 30, WIDTHS = 3 };

typedef struct Ours {
    QcQGraph g;
    QcArena arena;
    QcQRun run;
    void *memory;
    double best; /* seconds of one window */
} Ours;

typedef struct Torch {
    FILE *to, *from;
    pid_t pid;
    double best;
} Torch;

static QcErr err;
static float window[VALUES];

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int start_ours(Ours *o, const QcGraph *model, int bits, const QcKernels *k)
{
    float *latent;
    *o = (Ours){.best = 1e9};
    if (qc_emit(&o->g, &latent, model, window, 1, bits, 8, 1, &o->arena, &err)) return -1;
    o->memory = aligned_alloc(64, (qc_qgraph_bytes(&o->g) + 63) / 64 * 64);
    qc_qrun_place(&o->run, &o->g, k, o->memory);
    return 0;
}

/* From a window of floats to logits. */
static void round_ours(Ours *o)
{
    float logits[CLASSES];
    for (int i = 0; i < CALLS; i++) {
        double start = now();
        qc_q_input(qc_qrun_tensor(&o->run, 0), window, VALUES, &o->g.tensors[0]);
        qc_qrun_forward(&o->run, logits, qc_qrun_tensor(&o->run, 0));
        double t = now() - start;
        if (t < o->best) o->best = t;
    }
}

static int start_torch(Torch *t)
{
    int in[2], out[2];
    char calls[16];
    snprintf(calls, sizeof calls, "%d", CALLS);
    *t = (Torch){.best = 1e9};
    if (pipe(in) || pipe(out)) return -1;
    t->pid = fork();
    if (!t->pid) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execl("/usr/bin/python3", "python3", "tests/bench/infer_torch.py", "1", calls, (char *)NULL);
        _exit(77);
    }
    close(in[0]);
    close(out[1]);
    t->to = fdopen(in[1], "w");
    t->from = fdopen(out[0], "r");
    return 0;
}

static int round_torch(Torch *t)
{
    double best;
    fputs("go\n", t->to);
    fflush(t->to);
    if (fscanf(t->from, "%lf", &best) != 1) return -1;
    if (best < t->best) t->best = best;
    return 0;
}

static void bar(const char *name, double value, double least) { printf("bar %s %.2f >= %.1f %s\n", name, value, least, value >= least ? "ok" : "short"); }

/* Best seconds of BATCH windows on one thread and on two. */
static int time_threads(double seconds[2], const QcQGraph *g)
{
    float mean[CHANNELS], deviation[CHANNELS], logits[BATCH * CLASSES];
    QcNorm norm = {CHANNELS, mean, deviation};
    QcDataset d = {0};
    if (qc_dataset_init(&d, BATCH, CHANNELS, 1, LENGTH, 0, &err)) return -1;
    for (int i = 0; i < BATCH * VALUES; i++) d.x[i] = window[i % VALUES];
    for (int c = 0; c < CHANNELS; c++) mean[c] = 0, deviation[c] = 1;
    seconds[0] = seconds[1] = 1e9;
    int status = 0;
    for (int round = 0; round < 2 * ROUNDS && !status; round++)
        for (int threads = 1; threads <= 2 && !status; threads++) {
            double start = now();
            status = qc_qpredict(g, &d, &norm, threads, logits, &err);
            double t = now() - start;
            if (t < seconds[threads - 1]) seconds[threads - 1] = t;
        }
    qc_dataset_release(&d);
    return status;
}

int main(void)
{
    static Ours ours[WIDTHS];
    Torch torch;
    QcGraph model;
    char path[4096], name[QC_NAME_MAX + 1];
    const char *wrong = NULL;
    double seconds[2];
    int there = 1, status = 1;
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (start_torch(&torch)) return 1; /* first: a process that has threads should not fork */
    const QcKernels *k = qc_kernels_choose(&wrong);
    if (!k) return fprintf(stderr, "bench_infer: there are no kernels '%s'\n", wrong), 1;
    QcRng rng = qc_rng_seed(1, 1);
    for (int i = 0; i < VALUES; i++) window[i] = (float)qc_rng_normal(&rng);
    if (qc_arch_find(path, sizeof path, "inceptiontime", &err) || qc_arch_load(&model, name, path, CHANNELS, 1, LENGTH, CLASSES, &err)) goto end;
    qc_graph_reset(&model, 1);
    for (int i = 0; i < WIDTHS; i++)
        if (start_ours(&ours[i], &model, 2 << i, k)) goto end;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < WIDTHS; i++) round_ours(&ours[i]);
        there = there && !round_torch(&torch);
    }
    fclose(torch.to);
    fclose(torch.from);
    waitpid(torch.pid, NULL, 0);
    puts("who\tbits\tus/window");
    for (int i = 0; i < WIDTHS; i++) printf("qcore %s\t%d\t%.1f\n", k->name, 2 << i, 1e6 * ours[i].best);
    if (there) printf("pytorch\t32\t%.1f\n", 1e6 * torch.best);
    else puts("skipped: python3-torch is missing");
    for (int i = 0; i < WIDTHS && there; i++) {
        char what[64];
        snprintf(what, sizeof what, "latency-over-pytorch-%d-bits", 2 << i);
        bar(what, torch.best / ours[i].best, 10);
    }
    for (int i = 0; i < WIDTHS; i++) {
        char what[64];
        if (time_threads(seconds, &ours[i].g)) goto end;
        printf("threads 1, 2\t%d\t%.1f\t%.1f\n", 2 << i, 1e6 * seconds[0] / BATCH, 1e6 * seconds[1] / BATCH);
        snprintf(what, sizeof what, "two-threads-over-one-%d-bits", 2 << i);
        bar(what, seconds[0] / seconds[1], 1.8);
    }
    status = 0;
end:
    if (status) fprintf(stderr, "bench_infer: %s\n", err.text);
    for (int i = 0; i < WIDTHS; i++) {
        qc_arena_release(&ours[i].arena);
        free(ours[i].memory);
    }
    return status;
}
