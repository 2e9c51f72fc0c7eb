#include "predict_q.h"

#include <pthread.h>
#include <stdlib.h>

#include "../format/qgraphfile.h"
#include "../nn/graphfile.h"
#include "../nn/train.h"
#include "../quant/windows.h"

enum { MAX_THREADS = 256 };

typedef struct Share { /* of one thread: windows first, first + step, ... */
    const QcQGraph *g;
    const QcDataset *d;
    const QcNorm *norm;
    float *logits;
    uint32_t first, step;
    QcQRun run;
    void *memory;   /* of the run */
    float *window;  /* normalised */
    uint8_t *input; /* quantized */
} Share;

static void *predict_share(void *ctx)
{
    Share *s = ctx;
    uint32_t values = (uint32_t)qc_dataset_values(s->d);
    for (uint32_t i = s->first; i < s->d->n; i += s->step) {
        qc_dataset_batch_window(s->window, s->d, i, s->norm);
        qc_q_input(s->input, s->window, values, &s->g->tensors[0]);
        qc_qrun_forward(&s->run, s->logits + (size_t)i * s->g->classes, s->input);
    }
    return NULL;
}

static int share_init(Share *s, const QcKernels *kernels, QcErr *err)
{
    size_t values = (size_t)qc_dataset_values(s->d), bytes = (qc_qgraph_bytes(s->g) + 63u) / 64u * 64u;
    s->memory = aligned_alloc(64, bytes ? bytes : 64);
    s->window = malloc(values * sizeof *s->window);
    s->input = malloc(values);
    if (!s->memory || !s->window || !s->input) return qc_fail_memory(err, "the integer forward pass");
    qc_qrun_place(&s->run, s->g, kernels, s->memory);
    return 0;
}

static void share_release(Share *s)
{
    free(s->memory);
    free(s->window);
    free(s->input);
}

/* The caller's thread takes the first share; a share whose thread cannot be started is done here too. */
static void run_shares(Share *shares, int n)
{
    pthread_t threads[MAX_THREADS];
    int started[MAX_THREADS];
    for (int t = 1; t < n; t++) started[t] = !pthread_create(&threads[t], NULL, predict_share, &shares[t]);
    predict_share(&shares[0]);
    for (int t = 1; t < n; t++) {
        if (started[t]) pthread_join(threads[t], NULL);
        else predict_share(&shares[t]);
    }
}

int qc_qpredict(const QcQGraph *g, const QcDataset *d, const QcNorm *norm, int threads, float *logits, QcErr *err)
{
    const QcKernels *kernels = qc_kernels_need(err);
    if (!kernels) return -1;
    if (!d->n) return 0;
    int n = threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads, status = 0;
    if ((uint32_t)n > d->n) n = (int)d->n;
    Share *shares = calloc((size_t)n, sizeof *shares);
    if (!shares) return qc_fail_memory(err, "the integer forward pass");
    for (int t = 0; t < n && !status; t++) {
        shares[t] = (Share){.g = g, .d = d, .norm = norm, .logits = logits, .first = (uint32_t)t, .step = (uint32_t)n};
        status = share_init(&shares[t], kernels, err);
    }
    if (!status) run_shares(shares, n);
    for (int t = 0; t < n; t++) share_release(&shares[t]);
    free(shares);
    return status;
}

/* The graph in the file must agree with the file's own description, which the data was matched with. */
static int check_shape(const QcModelFile *m, uint32_t channels, uint32_t height, uint32_t length, uint32_t classes, QcErr *err)
{
    if (channels == m->channels && height == m->height && length == m->length && classes == m->classes) return 0;
    return qc_fail(err, QC_EFORMAT, "the model's graph takes %u x %u x %u and gives %u classes, but its description says %u x %u x %u and %u", channels, height,
                   length, classes, m->channels, m->height, m->length, m->classes);
}

static int predict_float(const QcModelFile *m, const QcDataset *d, int threads, float *logits, QcErr *err)
{
    QcGraph g;
    if (qc_graph_decode(&g, m, err)) return -1;
    const QcNode *in = &g.nodes[0];
    int status = check_shape(m, in->channels, in->height, in->width, g.classes, err) || qc_predict(&g, d, &m->norm, threads, logits, err) ? -1 : 0;
    qc_graph_release(&g);
    return status;
}

static int predict_integer(const QcModelFile *m, const QcDataset *d, int threads, float *logits, QcErr *err)
{
    QcArena arena = {0};
    QcQGraph g;
    int status = qc_qgraph_decode(&g, m, &arena, err);
    const QcQTensor *in = status ? NULL : &g.tensors[0];
    if (!status) status = check_shape(m, in->channels, in->height, in->width, g.classes, err);
    if (!status) status = qc_qpredict(&g, d, &m->norm, threads, logits, err);
    qc_arena_release(&arena);
    return status;
}

int qc_model_predict(const QcModelFile *m, const QcDataset *d, int threads, float *logits, QcErr *err)
{
    return (qc_modelfile_is_quantized(m) ? predict_integer : predict_float)(m, d, threads, logits, err);
}
