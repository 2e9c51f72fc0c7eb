#include "tune.h"

#include <stdlib.h>
#include <string.h>

#include "../base/sampler.h"
#include "../nn/loss.h"
#include "../nn/run.h"
#include "biastune.h"

double qc_tune_rate(int bits) { return bits == 2 ? 0.015 : bits == 4 ? 0.05 : 0.3; }

void qc_tune_pace(QcOptim *o, const QcQGraph *g, double (*rate)(int bits))
{
    const QcQNode *last = &g->nodes[g->n_nodes - 1];
    o->paced = last->code; /* to the end: it is the last */
    o->pace = rate((int)qc_code_bits(g, last)) / rate(g->bits);
}

typedef struct Tune {
    QcArena arena;
    QcRun *run;
    QcOptim optim;
    QcBiasTune biases;
    QcSampler sampler;
    float *x, *grads, *dmaster, *dbias, *dlogits;
    int32_t *labels;
} Tune;

static int tune_init(Tune *t, QcFakeQuant *s, uint32_t n, const QcTuneOptions *o, QcErr *err)
{
    const QcQGraph *g = s->g;
    const QcQTensor *in = &g->tensors[0];
    size_t window = (size_t)in->height * in->width * in->channels;
    t->run = qc_run_new(&s->graph, o->batch, QC_RUN_TUNE, o->threads, err);
    t->x = qc_arena_take(&t->arena, o->batch * window, sizeof *t->x, err);
    t->grads = qc_arena_take(&t->arena, s->graph.n_params, sizeof *t->grads, err);
    t->dmaster = qc_arena_take(&t->arena, g->n_codes, sizeof *t->dmaster, err);
    t->dbias = qc_arena_take(&t->arena, g->n_channels, sizeof *t->dbias, err);
    t->dlogits = qc_arena_take(&t->arena, (size_t)o->batch * g->classes, sizeof *t->dlogits, err);
    t->labels = qc_arena_take(&t->arena, o->batch, sizeof *t->labels, err);
    uint32_t *order = qc_arena_take(&t->arena, n, sizeof *order, err);
    if (!t->run || !t->x || !t->grads || !t->dmaster || !t->dbias || !t->dlogits || !t->labels || !order) return -1;
    if (qc_optim_init(&t->optim, QC_OPTIM_ADAM, g->n_codes, o->rate, 0, err)) return -1;
    qc_tune_pace(&t->optim, g, qc_tune_rate);
    if (qc_biastune_init(&t->biases, g, o->rate * o->bias_rate, err)) return -1;
    qc_sampler_begin(&t->sampler, order, n, qc_rng_seed(o->seed, QC_STREAM_TUNING));
    return 0;
}

static void tune_release(Tune *t)
{
    qc_run_free(t->run);
    qc_optim_release(&t->optim);
    qc_biastune_release(&t->biases);
    qc_arena_release(&t->arena);
}

int qc_tune(QcFakeQuant *s, const float *windows, const int32_t *labels, uint32_t n, const QcTuneOptions *o, QcErr *err)
{
    const QcQTensor *in = &s->g->tensors[0];
    size_t window = (size_t)in->height * in->width * in->channels;
    Tune t = {0};
    QcRng drifts = qc_rng_seed(o->seed, QC_STREAM_AUGMENT);
    int status = -1;
    if (tune_init(&t, s, n, o, err)) goto end;
    for (uint32_t step = 0; step < o->steps; step++) {
        for (uint32_t b = 0; b < o->batch; b++) {
            uint32_t i = qc_sampler_next(&t.sampler);
            memcpy(t.x + b * window, windows + i * window, window * sizeof *t.x);
            if (o->augment) qc_augment_window(o->augment, t.x + b * window, &drifts);
            t.labels[b] = labels[i];
        }
        qc_fakequant_round(s);
        const float *logits = qc_run_forward(t.run, t.x, o->batch);
        qc_loss(t.dlogits, NULL, logits, t.labels, o->batch, s->g->classes);
        qc_run_backward(t.run, t.grads, t.dlogits);
        qc_fakequant_gradient(s, t.dmaster, t.grads);
        double scale = o->cosine ? qc_schedule_cosine(step, o->steps) : 1;
        qc_optim_step(&t.optim, s->master, t.dmaster, scale, NULL);
        qc_fakequant_clamp(s);
        if (o->bias_rate > 0) {
            qc_biastune_gradient(s, t.dbias, t.grads);
            qc_biastune_step(&t.biases, s, t.dbias, scale);
        }
        if (o->every && (step + 1) % o->every == 0) {
            int stop = o->watch(o->ctx, s, step + 1, err);
            if (stop < 0) goto end;
            if (stop) break;
        }
    }
    qc_fakequant_round(s);
    status = 0;
end:
    tune_release(&t);
    return status;
}
