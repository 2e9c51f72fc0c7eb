#include "bench.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/base/rng.h"
#include "../../lib/format/qgraphfile.h"
#include "../../lib/nn/arch.h"
#include "../../lib/nn/graphfile.h"
#include "../../lib/quant/emit.h"
#include "../../lib/quant/qinput.h"

double bench_seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof *values, ascending);
    return values[n / 2];
}

void bench_bar(const char *name, double value, double least)
{
    printf("bar %s %.2f >= %g %s\n", name, value, least, value >= least ? "ok" : "short");
}

/* ---- rivals ---- */

int child_start(Child *c, const char *const *argv)
{
    int in[2], out[2];
    if (pipe(in) || pipe(out)) return -1;
    c->pid = fork();
    if (!c->pid) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        for (int fd = 3; fd < 64; fd++) close(fd); /* the pipes of others, too */
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(77);
    }
    close(in[0]);
    close(out[1]);
    c->to = fdopen(in[1], "w");
    c->from = fdopen(out[0], "r");
    return 0;
}

int child_ask(Child *c, const char *line, double *answers, int n)
{
    fprintf(c->to, "%s\n", line);
    fflush(c->to);
    for (int i = 0; i < n; i++)
        if (fscanf(c->from, "%lf", &answers[i]) != 1) return -1;
    return 0;
}

void child_stop(Child *c)
{
    fclose(c->to);
    fclose(c->from);
    waitpid(c->pid, NULL, 0);
}

/* ---- the network ---- */

int net_load(QcGraph *model, const NetShape *shape, QcErr *err)
{
    char path[4096], name[QC_NAME_MAX + 1];
    if (qc_arch_find(path, sizeof path, shape->arch, err)) return -1;
    if (qc_arch_load(model, name, path, 0, shape->channels, shape->height, shape->length, shape->classes, err))
        return -1;
    qc_graph_reset(model, 1);
    return 0;
}

int whole_load(QcGraph *model, QcErr *err)
{
    return net_load(model, &(NetShape){"inceptiontime", NET_CHANNELS, 1, NET_LENGTH, NET_CLASSES}, err);
}

void net_window(float *window, uint32_t values)
{
    QcRng rng = qc_rng_seed(1, 1);
    for (uint32_t i = 0; i < values; i++) window[i] = (float)qc_rng_normal(&rng);
}

int net_write_onnx(const char *path, const NetShape *shape, const QcGraph *model, const QcQGraph *g, QcOnnxCodes codes,
                   QcErr *err)
{
    enum { MOST_CHANNELS = 64 };
    QcModelFile m;
    char text[NET_CLASSES][12], *labels[NET_CLASSES];
    float mean[MOST_CHANNELS] = {0}, deviation[MOST_CHANNELS];
    QcNorm norm = {shape->channels, mean, deviation};
    for (int c = 0; c < MOST_CHANNELS; c++) deviation[c] = 1;
    for (uint32_t k = 0; k < shape->classes; k++) snprintf(labels[k] = text[k], sizeof *text, "%u", k);
    if (qc_modelfile_init(&m, "bench", shape->channels, shape->height, shape->length, shape->classes, labels, &norm,
                          err))
        return -1;
    int status =
        (g ? qc_qgraphfile_encode(&m, g, err) : qc_graph_encode(&m, model, err)) || qc_onnx_save(&m, path, codes, err)
            ? -1
            : 0;
    qc_modelfile_release(&m);
    return status;
}

int whole_init(Whole *n, const QcGraph *model, const float *window, int bits, const QcKernels *k, QcErr *err)
{
    float *master;
    *n = (Whole){0};
    if (qc_emit(&n->g, &master, model, window, 1, bits, 0, 8, 1, &n->arena, err)) return -1;
    n->memory = aligned_alloc(QC_PLACING_ALIGN, qc_qgraph_bytes(&n->g));
    qc_qrun_place(&n->run, &n->g, k, n->memory);
    return 0;
}

void whole_release(Whole *n)
{
    qc_arena_release(&n->arena);
    free(n->memory);
}

void whole_pass(Whole *n, const float *window)
{
    float logits[NET_CLASSES];
    const QcQTensor *input = &n->g.tensors[0];
    uint8_t *in = qc_qrun_tensor(&n->run, 0);
    qc_q_input(in, window, (uint32_t)input->height * input->width * input->channels, input);
    qc_qrun_forward(&n->run, logits, in);
}
