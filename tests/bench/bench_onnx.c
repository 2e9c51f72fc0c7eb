/* bench_onnx.c - latency of the whole InceptionTime (32 filters, depth 6; 45 channels x 125, 19 classes; weights as they are before training) beside ONNX
 * Runtime on the same model as qc-export writes it: float, and 8 bits in both ways of writing its weights. One thread each, 1 and 64 windows at a time, in
 * turns; processor time, and the best of many rounds, because others share this machine. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../lib/base/rng.h"
#include "../../lib/format/qgraphfile.h"
#include "../../lib/nn/arch.h"
#include "../../lib/nn/graphfile.h"
#include "../../lib/onnx/onnxout.h"
#include "../../lib/quant/emit.h"
#include "../../lib/quant/qinput.h"

enum { CHANNELS = 45, LENGTH = 125, CLASSES = 19, VALUES = CHANNELS * LENGTH, CALLS = 5, ROUNDS = 12, BATCHES = 2, WIDTHS = 3, RIVALS = 3 };
static const int batches[BATCHES] = {1, 64};

typedef struct Ours {
    QcQGraph g;
    QcArena arena;
    QcQRun run;
    void *memory;
    double best[BATCHES]; /* seconds of one window */
} Ours;

typedef struct Rival {
    const char *name;
    FILE *to, *from;
    pid_t pid;
    double best[BATCHES];
} Rival;

static QcErr err;
static float window[VALUES];

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int start_ours(Ours *o, const QcGraph *model, int bits, const QcKernels *k)
{
    float *latent;
    *o = (Ours){.best = {1e9, 1e9}};
    if (qc_emit(&o->g, &latent, model, window, 1, bits, 8, 1, &o->arena, &err)) return -1;
    o->memory = aligned_alloc(64, (qc_qgraph_bytes(&o->g) + 63) / 64 * 64);
    qc_qrun_place(&o->run, &o->g, k, o->memory);
    return 0;
}

/* From windows of floats to logits. */
static void round_ours(Ours *o)
{
    float logits[CLASSES];
    for (int b = 0; b < BATCHES; b++)
        for (int i = 0; i < (b ? 1 : CALLS); i++) {
            double start = now();
            for (int n = 0; n < batches[b]; n++) {
                qc_q_input(qc_qrun_tensor(&o->run, 0), window, VALUES, &o->g.tensors[0]);
                qc_qrun_forward(&o->run, logits, qc_qrun_tensor(&o->run, 0));
            }
            double t = (now() - start) / batches[b];
            if (t < o->best[b]) o->best[b] = t;
        }
}

static int start_rival(Rival *r, const char *name, const char *model)
{
    int in[2], out[2];
    char calls[16];
    snprintf(calls, sizeof calls, "%d", CALLS);
    *r = (Rival){.name = name, .best = {1e9, 1e9}};
    if (pipe(in) || pipe(out)) return -1;
    r->pid = fork();
    if (!r->pid) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        for (int fd = 3; fd < 64; fd++) close(fd); /* the pipes of the others, too */
        execlp("node", "node", "tests/bench/infer_onnx.js", model, calls, (char *)NULL);
        _exit(77);
    }
    close(in[0]);
    close(out[1]);
    r->to = fdopen(in[1], "w");
    r->from = fdopen(out[0], "r");
    return 0;
}

static int round_rival(Rival *r)
{
    for (int b = 0; b < BATCHES; b++) {
        double best;
        fprintf(r->to, "%d\n", batches[b]);
        fflush(r->to);
        if (fscanf(r->from, "%lf", &best) != 1) return -1;
        best /= batches[b];
        if (best < r->best[b]) r->best[b] = best;
    }
    return 0;
}

static void stop_rival(Rival *r)
{
    fclose(r->to);
    fclose(r->from);
    waitpid(r->pid, NULL, 0);
}

/* A model file around the float graph (g NULL) or the quantized one, as ONNX at `path`. */
static int write_onnx(const char *path, const QcGraph *model, const QcQGraph *g, QcOnnxCodes codes)
{
    QcModelFile m;
    static char text[CLASSES][4], *labels[CLASSES];
    float mean[CHANNELS] = {0}, deviation[CHANNELS];
    QcNorm norm = {CHANNELS, mean, deviation};
    for (int c = 0; c < CHANNELS; c++) deviation[c] = 1;
    for (int k = 0; k < CLASSES; k++) snprintf(labels[k] = text[k], sizeof *text, "%d", k);
    if (qc_modelfile_init(&m, "bench", CHANNELS, 1, LENGTH, CLASSES, labels, &norm, &err)) return -1;
    int status = (g ? qc_qgraph_encode(&m, g, &err) : qc_graph_encode(&m, model, &err)) || qc_onnx_save(&m, path, codes, &err) ? -1 : 0;
    qc_modelfile_release(&m);
    return status;
}

int main(void)
{
    static Ours ours[WIDTHS];
    Rival rivals[RIVALS];
    QcGraph model;
    char path[4096], name[QC_NAME_MAX + 1], folder[] = "/tmp/qc-onnx-XXXXXX", files[RIVALS][64];
    static const char *const names[RIVALS] = {"onnxruntime float", "onnxruntime u8", "onnxruntime s8"};
    const char *wrong = NULL;
    int there = 1, status = 1;
    signal(SIGPIPE, SIG_IGN);
    const QcKernels *k = qc_kernels_choose(&wrong);
    if (!k) return fprintf(stderr, "bench_onnx: there are no kernels '%s'\n", wrong), 1;
    if (!mkdtemp(folder)) return 1;
    QcRng rng = qc_rng_seed(1, 1);
    for (int i = 0; i < VALUES; i++) window[i] = (float)qc_rng_normal(&rng);
    if (qc_arch_find(path, sizeof path, "inceptiontime", &err) || qc_arch_load(&model, name, path, CHANNELS, 1, LENGTH, CLASSES, &err)) goto end;
    qc_graph_reset(&model, 1);
    for (int i = 0; i < WIDTHS; i++)
        if (start_ours(&ours[i], &model, 2 << i, k)) goto end;
    for (int i = 0; i < RIVALS; i++) {
        snprintf(files[i], sizeof files[i], "%s/%d.onnx", folder, i);
        if (write_onnx(files[i], &model, i ? &ours[2].g : NULL, i == 2 ? QC_ONNX_INT8 : QC_ONNX_SAFE) || start_rival(&rivals[i], names[i], files[i])) goto end;
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < WIDTHS; i++) round_ours(&ours[i]);
        for (int i = 0; i < RIVALS; i++) there = there && !round_rival(&rivals[i]);
    }
    for (int i = 0; i < RIVALS; i++) stop_rival(&rivals[i]);
    puts("who\tbits\tus/window alone\tus/window of 64");
    for (int i = 0; i < WIDTHS; i++) printf("qcore %s\t%d\t%.1f\t%.1f\n", k->name, 2 << i, 1e6 * ours[i].best[0], 1e6 * ours[i].best[1]);
    for (int i = 0; i < RIVALS && there; i++) printf("%s\t%d\t%.1f\t%.1f\n", names[i], i ? 8 : 32, 1e6 * rivals[i].best[0], 1e6 * rivals[i].best[1]);
    if (!there) puts("skipped: onnxruntime-node is missing (share/setup/install.sh --bench)");
    for (int b = 0; b < BATCHES && there; b++) {
        double quicker = rivals[1].best[b] < rivals[2].best[b] ? rivals[1].best[b] : rivals[2].best[b], value = quicker / ours[2].best[b];
        printf("bar 8-bits-over-onnxruntime-int8-batch-%d %.2f >= 2 %s\n", batches[b], value, value >= 2 ? "ok" : "short");
    }
    status = 0;
end:
    if (status) fprintf(stderr, "bench_onnx: %s\n", err.text);
    for (int i = 0; i < RIVALS; i++) unlink(files[i]);
    rmdir(folder);
    for (int i = 0; i < WIDTHS; i++) {
        qc_arena_release(&ours[i].arena);
        free(ours[i].memory);
    }
    return status;
}
