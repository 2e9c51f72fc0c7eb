#include "qpredict.h"

#include <pthread.h>
#include <stdlib.h>

#include "../nn/loss.h"

enum { MAX_THREADS = 256 };

/* A source of windows. read: gives the i-th window, quantized; called by several threads at a time. */
typedef struct Source {
    uint32_t n;
    int (*read)(const void *from, uint8_t *q, uint32_t i, QcErr *err);
    const void *from;
} Source;

typedef struct Share { /* of one thread: it takes the next window after it has finished one, because processors may
                        * differ in load */
    const QcQGraph *g;
    const Source *source;
    float *logits;
    uint32_t *next, window; /* next: shared by all threads; window: current window of this thread */
    QcQRun run;
    void *memory; /* of the run */
    int status;
    QcErr err;
} Share;

static void *predict_share(void *ctx)
{
    Share *s = ctx;
    uint8_t *window = qc_qrun_tensor(&s->run, 0); /* the input tensor in the memory of the run */
    while (!s->status && (s->window = __atomic_fetch_add(s->next, 1, __ATOMIC_RELAXED)) < s->source->n) {
        s->status = s->source->read(s->source->from, window, s->window, &s->err);
        if (!s->status) qc_qrun_forward(&s->run, s->logits + (size_t)s->window * s->g->classes, window);
    }
    return NULL;
}

uint64_t qc_qpredict_bytes(QcPlan *plan, const QcQGraph *g)
{
    QcQRun run;
    QcPlacing p = {.plan = plan};
    qc_qrun_lay_out(&run, g, NULL, 1, &p);
    return p.used;
}

static int share_init(Share *s, const QcKernels *kernels, QcErr *err)
{
    s->memory = qc_aligned_new(qc_qpredict_bytes(NULL, s->g), "the integer forward pass", err);
    if (!s->memory) return -1;
    qc_qrun_place_inference(&s->run, s->g, kernels, s->memory);
    return 0;
}

/* The caller's thread takes the first share. If a thread cannot be started, the other threads take its windows. */
static void run_shares(Share *shares, int n)
{
    pthread_t threads[MAX_THREADS];
    int started[MAX_THREADS];
    for (int t = 1; t < n; t++) started[t] = !pthread_create(&threads[t], NULL, predict_share, &shares[t]);
    predict_share(&shares[0]);
    for (int t = 1; t < n; t++)
        if (started[t]) pthread_join(threads[t], NULL);
}

static int predict(const QcQGraph *g, const Source *source, int threads, float *logits, QcErr *err)
{
    const QcKernels *kernels = qc_need_kernels(err);
    if (!kernels) return -1;
    if (!source->n) return 0;
    int n = threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads, status = 0;
    uint32_t next = 0, wrong = source->n; /* the first window that could not be read; the same for any number of
                                           * threads */
    if ((uint32_t)n > source->n) n = (int)source->n;
    Share *shares = calloc((size_t)n, sizeof *shares);
    if (!shares) return qc_fail_memory(err, "the integer forward pass");
    for (int t = 0; t < n && !status; t++) {
        shares[t] = (Share){.g = g, .source = source, .logits = logits, .next = &next};
        status = share_init(&shares[t], kernels, err);
    }
    if (!status) run_shares(shares, n);
    for (int t = 0; t < n; t++) {
        if (shares[t].status && shares[t].window < wrong) {
            status = -1;
            wrong = shares[t].window;
            if (err) *err = shares[t].err;
        }
        free(shares[t].memory);
    }
    free(shares);
    return status;
}

/* ---- out of a data set ---- */

typedef struct Data {
    const QcDataset *d;
    const QcNorm *norm;
    const QcQTensor *input;
} Data;

static int read_data(const void *from, uint8_t *q, uint32_t i, QcErr *err)
{
    const Data *data = from;
    return qc_inputs_quantize(q, data->d, i, data->norm, data->input, err);
}

int qc_qpredict(const QcQGraph *g, const QcDataset *d, const QcNorm *norm, int threads, float *logits, QcErr *err)
{
    Data data = {d, norm, &g->tensors[0]};
    Source source = {d->n, read_data, &data};
    return predict(g, &source, threads, logits, err);
}

/* ---- out of floats in memory ---- */

typedef struct Floats {
    const QcWindows *w;
    const QcQTensor *input;
} Floats;

static int read_floats(const void *from, uint8_t *q, uint32_t i, QcErr *err)
{
    const Floats *f = from;
    (void)err;
    qc_q_input(q, f->w->x + i * f->w->values, (uint32_t)f->w->values, f->input);
    return 0;
}

int qc_windows_loss(double *loss, uint32_t *right, const QcWindows *w, const QcQGraph *g, int threads, QcErr *err)
{
    Floats floats = {w, &g->tensors[0]};
    Source source = {w->n, read_floats, &floats};
    float *logits = malloc((size_t)(w->n ? w->n : 1) * g->classes * sizeof *logits);
    if (!logits) return qc_fail_memory(err, "logits");
    int status = predict(g, &source, threads, logits, err);
    if (!status) *loss = w->n ? qc_loss(NULL, right, logits, w->label, w->n, g->classes) : 0;
    free(logits);
    return status;
}
