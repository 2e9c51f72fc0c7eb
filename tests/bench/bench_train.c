/* Training throughput and peak memory beside PyTorch's: InceptionTime (32 filters, depth 6), 45 channels x 125, 19 classes, batch 64, two threads. Both
 * sides take turns within one run, a few steps each; a step is forward, loss, backward and Adam. Reported is the median step. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../lib/base/rng.h"
#include "../../lib/nn/arch.h"
#include "../../lib/nn/loss.h"
#include "../../lib/nn/optim.h"
#include "../../lib/nn/run.h"

enum { CHANNELS = 45, LENGTH = 125, CLASSES = 19, BATCH = 64, THREADS = 2, STEPS = 4, ROUNDS = 6, WARM = 1 /* rounds that do not count */ };

typedef struct Ours {
    QcGraph g;
    QcRun *run;
    QcOptim optim;
    float *x, *dlogits, *grads;
    int32_t labels[BATCH];
} Ours;

typedef struct Torch {
    FILE *to, *from;
    pid_t pid;
} Torch;

static QcErr err;

static int start_ours(Ours *o)
{
    char path[4096], name[QC_NAME_MAX + 1];
    if (qc_arch_find(path, sizeof path, "inceptiontime", &err) || qc_arch_load(&o->g, name, path, CHANNELS, 1, LENGTH, CLASSES, &err)) return -1;
    qc_graph_reset(&o->g, 1);
    o->run = qc_run_new(&o->g, BATCH, QC_RUN_TRAIN, THREADS, &err);
    if (!o->run || qc_optim_init(&o->optim, QC_OPTIM_ADAM, o->g.n_params, 1e-3, 1e-2, &err)) return -1;
    o->x = malloc(sizeof(float) * BATCH * LENGTH * CHANNELS);
    o->dlogits = malloc(sizeof(float) * BATCH * CLASSES);
    o->grads = malloc(sizeof(float) * o->g.n_params);
    QcRng rng = qc_rng_seed(1, 1);
    for (int i = 0; i < BATCH * LENGTH * CHANNELS; i++) o->x[i] = (float)qc_rng_normal(&rng);
    for (int i = 0; i < BATCH; i++) o->labels[i] = (int32_t)qc_rng_below(&rng, CLASSES);
    return 0;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double step_ours(Ours *o)
{
    double start = now();
    const float *logits = qc_run_forward(o->run, o->x, BATCH);
    qc_loss(o->dlogits, NULL, logits, o->labels, BATCH, CLASSES);
    qc_run_backward(o->run, o->grads, o->dlogits);
    qc_optim_step(&o->optim, o->g.params, o->grads, 1, NULL);
    return now() - start;
}

static int start_torch(Torch *t)
{
    int in[2], out[2];
    char steps[16], threads[16], batch[16];
    snprintf(steps, sizeof steps, "%d", STEPS);
    snprintf(threads, sizeof threads, "%d", THREADS);
    snprintf(batch, sizeof batch, "%d", BATCH);
    if (pipe(in) || pipe(out)) return -1;
    t->pid = fork();
    if (!t->pid) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execl("/usr/bin/python3", "python3", "tests/bench/train_torch.py", steps, threads, batch, (char *)NULL);
        _exit(77);
    }
    close(in[0]);
    close(out[1]);
    t->to = fdopen(in[1], "w");
    t->from = fdopen(out[0], "r");
    return 0;
}

/* One round; seconds [STEPS], peak memory in kilobytes. */
static int round_torch(Torch *t, double *seconds, double *memory)
{
    fputs("go\n", t->to);
    fflush(t->to);
    for (int i = 0; i < STEPS; i++)
        if (fscanf(t->from, "%lf", &seconds[i]) != 1) return -1;
    return fscanf(t->from, "%lf", memory) == 1 ? 0 : -1;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof *values, ascending);
    return values[n / 2];
}

int main(void)
{
    enum { ALL = STEPS * ROUNDS };
    double ours[ALL], theirs[ALL], memory = 0, idle[STEPS];
    Ours o = {0};
    Torch t = {0};
    signal(SIGPIPE, SIG_IGN);
    if (start_torch(&t)) return 1; /* first: a process that has threads should not fork */
    if (start_ours(&o)) {
        fprintf(stderr, "bench_train: %s\n", err.text);
        return 1;
    }
    int there = 1;
    for (int round = -WARM; round < ROUNDS; round++) {
        for (int i = 0; i < STEPS; i++) (round < 0 ? idle : ours + round * STEPS)[i] = step_ours(&o);
        there = there && !round_torch(&t, round < 0 ? idle : theirs + round * STEPS, &memory);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double rate = BATCH / median(ours, ALL), mine = (double)usage.ru_maxrss;
    puts("who\twindows/s\tms/step\tpeak_kB");
    printf("qcore\t%.1f\t%.2f\t%.0f\n", rate, 1e3 * BATCH / rate, mine);
    fclose(t.to);
    fclose(t.from);
    waitpid(t.pid, NULL, 0);
    if (!there) {
        puts("skipped: python3-torch is missing");
        return 0;
    }
    double rival = BATCH / median(theirs, ALL);
    printf("pytorch\t%.1f\t%.2f\t%.0f\n", rival, 1e3 * BATCH / rival, memory);
    printf("bar train-throughput-over-pytorch %.2f >= 1.0 %s\n", rate / rival, rate >= rival ? "ok" : "short");
    printf("bar pytorch-memory-over-train-memory %.2f >= 2.0 %s\n", memory / mine, memory >= 2 * mine ? "ok" : "short");
    qc_run_free(o.run);
    qc_optim_release(&o.optim);
    qc_graph_release(&o.g);
    free(o.x);
    free(o.dlogits);
    free(o.grads);
    return 0;
}
