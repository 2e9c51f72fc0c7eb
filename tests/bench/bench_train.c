/* bench_train.c - measures training throughput and peak memory beside PyTorch: InceptionTime (32 filters, depth 6),
 * 45 channels x 125, 19 classes, batch 64, two threads. Both programs run in turns within one run, a few steps each.
 * A step is forward, loss, backward and Adam. Prints the median step. Then one thread trains with batches cut into
 * slices, which make the bytes the same for any number of threads, and with whole batches. */
#include "bench.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "../../lib/base/rng.h"
#include "../../lib/nn/loss.h"
#include "../../lib/nn/optim.h"
#include "../../lib/nn/run.h"

enum { BATCH = 64, THREADS = 2, STEPS = 4, ROUNDS = 6, WARM = 1 /* rounds that do not count */ };

typedef struct Ours {
    QcGraph g;
    QcRun *run;
    QcOptim optim;
    float *x, *dlogits, *grads;
    int32_t labels[BATCH];
} Ours;

static QcErr err;

static int start_ours(Ours *o, int threads)
{
    if (whole_load(&o->g, &err)) return -1;
    o->run = qc_run_new(&o->g, BATCH, QC_RUN_TRAIN, threads, &err);
    if (!o->run || qc_optim_init(&o->optim, QC_OPTIM_ADAM, o->g.n_params, 1e-3, 1e-2, &err)) return -1;
    o->x = malloc(sizeof(float) * BATCH * NET_LENGTH * NET_CHANNELS);
    o->dlogits = malloc(sizeof(float) * BATCH * NET_CLASSES);
    o->grads = malloc(sizeof(float) * o->g.n_params);
    QcRng rng = qc_rng_seed(1, 1);
    for (int i = 0; i < BATCH * NET_LENGTH * NET_CHANNELS; i++) o->x[i] = (float)qc_rng_normal(&rng);
    for (int i = 0; i < BATCH; i++) o->labels[i] = (int32_t)qc_rng_below(&rng, NET_CLASSES);
    return 0;
}

static void end_ours(Ours *o)
{
    qc_run_free(o->run);
    qc_optim_release(&o->optim);
    qc_graph_release(&o->g);
    free(o->x);
    free(o->dlogits);
    free(o->grads);
}

static double step_ours(Ours *o, clockid_t clock)
{
    double start = bench_seconds(clock);
    const float *logits = qc_run_forward(o->run, o->x, BATCH);
    qc_loss(o->dlogits, NULL, logits, o->labels, BATCH, NET_CLASSES);
    qc_run_backward(o->run, o->grads, o->dlogits);
    qc_optim_step(&o->optim, o->g.params, o->grads, 1, NULL);
    return bench_seconds(clock) - start;
}

/* Processor time of a step with a whole batch, in parts of the time of a step in slices. */
static int compare_slices(double *ratio)
{
    enum { ALL = STEPS * ROUNDS };
    Ours each[2] = {0};
    double seconds[2][ALL];
    for (int k = 0; k < 2; k++) {
        qc_run_parts = k; /* 0: slices */
        if (start_ours(&each[k], 1)) return -1;
    }
    qc_run_parts = 0;
    for (int i = -STEPS; i < ALL; i++)
        for (int k = 0; k < 2; k++) {
            double step = step_ours(&each[k], CLOCK_PROCESS_CPUTIME_ID);
            if (i >= 0) seconds[k][i] = step;
        }
    *ratio = bench_median(seconds[1], ALL) / bench_median(seconds[0], ALL);
    for (int k = 0; k < 2; k++) end_ours(&each[k]);
    return 0;
}

int main(void)
{
    enum { ALL = STEPS * ROUNDS };
    /* seconds of each, and the peak memory in kilobytes */
    double ours[ALL], theirs[ALL], memory = 0, idle[STEPS], answers[STEPS + 1];
    static const char *const argv[] = {
        "/usr/bin/python3", "tests/bench/train_torch.py", "4", "2", "64" /* STEPS, THREADS, BATCH */, NULL};
    Ours o = {0};
    Child torch;
    signal(SIGPIPE, SIG_IGN);
    if (child_start(&torch, argv)) return 1; /* first, because a process with threads should not fork */
    if (start_ours(&o, THREADS)) {
        fprintf(stderr, "bench_train: %s\n", err.text);
        return 1;
    }
    int there = 1;
    for (int round = -WARM; round < ROUNDS; round++) {
        for (int i = 0; i < STEPS; i++) (round < 0 ? idle : ours + round * STEPS)[i] = step_ours(&o, CLOCK_MONOTONIC);
        there = there && !child_ask(&torch, "go", answers, STEPS + 1);
        if (there) memory = answers[STEPS];
        for (int i = 0; i < STEPS && there && round >= 0; i++) theirs[round * STEPS + i] = answers[i];
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double rate = BATCH / bench_median(ours, ALL), mine = (double)usage.ru_maxrss;
    puts("who\twindows/s\tms/step\tpeak_kB");
    printf("qcore\t%.1f\t%.2f\t%.0f\n", rate, 1e3 * BATCH / rate, mine);
    child_stop(&torch);
    end_ours(&o);
    if (there) {
        double rival = BATCH / bench_median(theirs, ALL);
        printf("pytorch\t%.1f\t%.2f\t%.0f\n", rival, 1e3 * BATCH / rival, memory);
        bench_bar("train-throughput-over-pytorch", rate / rival, 1);
        bench_bar("pytorch-memory-over-train-memory", memory / mine, 2);
    } else {
        puts("skipped: python3-torch is missing");
    }
    double ratio;
    if (compare_slices(&ratio)) {
        fprintf(stderr, "bench_train: %s\n", err.text);
        return 1;
    }
    bench_bar("one-slice-time-over-slices-time", ratio, .95);
    return 0;
}
