#include "tune.h"

#include <stdlib.h>
#include <string.h>

#include "../base/sampler.h"
#include "../nn/loss.h"
#include "../nn/optim.h"
#include "../nn/run.h"

double qc_tune_rate(int bits) { return bits == 2 ? 0.015 : bits == 4 ? 0.05 : 0.3; }

typedef struct Tune {
    QcArena arena;
    QcRun *run;
    QcOptim optim, bias_optim;
    QcSampler sampler;
    float *x, *grads, *dlatent, *dlogits;
    float *bias, *dbias; /* [n_channels] in units of the layer's output step */
    int32_t *labels;
} Tune;

static int tune_init(Tune *t, QcShadow *s, uint32_t n, const QcTuneOptions *o, QcErr *err)
{
    const QcQGraph *g = s->g;
    const QcQTensor *in = &g->tensors[0];
    size_t window = (size_t)in->height * in->width * in->channels;
    t->run = qc_run_new(&s->graph, o->batch, QC_RUN_TUNE, o->threads, err);
    t->x = qc_arena_take(&t->arena, o->batch * window, sizeof *t->x, err);
    t->grads = qc_arena_take(&t->arena, s->graph.n_params, sizeof *t->grads, err);
    t->dlatent = qc_arena_take(&t->arena, g->n_codes, sizeof *t->dlatent, err);
    t->dlogits = qc_arena_take(&t->arena, (size_t)o->batch * g->classes, sizeof *t->dlogits, err);
    t->labels = qc_arena_take(&t->arena, o->batch, sizeof *t->labels, err);
    t->bias = qc_arena_take(&t->arena, g->n_channels, sizeof *t->bias, err);
    t->dbias = qc_arena_take(&t->arena, g->n_channels, sizeof *t->dbias, err);
    uint32_t *order = qc_arena_take(&t->arena, n, sizeof *order, err);
    if (!t->run || !t->x || !t->grads || !t->dlatent || !t->dlogits || !t->labels || !t->bias || !t->dbias || !order) return -1;
    if (qc_optim_init(&t->optim, QC_OPTIM_ADAM, g->n_codes, o->rate, 0, err)) return -1;
    if (qc_optim_init(&t->bias_optim, QC_OPTIM_ADAM, g->n_channels, o->rate * o->bias_rate, 0, err)) return -1;
    qc_sampler_begin(&t->sampler, order, n, qc_rng_seed(o->seed, 71));
    return 0;
}

static void tune_release(Tune *t)
{
    qc_run_free(t->run);
    qc_optim_release(&t->optim);
    qc_optim_release(&t->bias_optim);
    qc_arena_release(&t->arena);
}

/* A bias moves in units of the step of its output tensor (of its class's weight scale for the logits), so that one rate fits all layers. */
static void move_biases(Tune *t, QcShadow *s, double scale)
{
    const QcQGraph *g = s->g;
    for (int back = 0; back < 2; back++) {
        for (uint32_t i = 0; i < g->n_nodes; i++) {
            const QcQNode *n = &g->nodes[i];
            if (!n->n_codes) continue;
            size_t at = s->graph.nodes[s->node_of[i]].bias;
            for (uint32_t c = 0; c < n->channels; c++) {
                float unit = n->op == QC_Q_LOGITS ? 0.1f : g->tensors[n->out].scale;
                if (back) {
                    s->graph.params[at + c] = t->bias[n->channel + c] * unit;
                } else {
                    t->bias[n->channel + c] = s->graph.params[at + c] / unit;
                    t->dbias[n->channel + c] = t->grads[at + c] * unit;
                }
            }
        }
        if (!back) qc_optim_step(&t->bias_optim, t->bias, t->dbias, scale, NULL);
    }
}

int qc_tune(QcShadow *s, const float *windows, const int32_t *labels, uint32_t n, const QcTuneOptions *o, QcErr *err)
{
    const QcQTensor *in = &s->g->tensors[0];
    size_t window = (size_t)in->height * in->width * in->channels;
    Tune t = {0};
    int status = -1;
    if (tune_init(&t, s, n, o, err)) goto end;
    for (uint32_t step = 0; step < o->steps; step++) {
        for (uint32_t b = 0; b < o->batch; b++) {
            uint32_t i = qc_sampler_next(&t.sampler);
            memcpy(t.x + b * window, windows + i * window, window * sizeof *t.x);
            t.labels[b] = labels[i];
        }
        qc_shadow_round(s);
        const float *logits = qc_run_forward(t.run, t.x, o->batch);
        qc_loss(t.dlogits, NULL, logits, t.labels, o->batch, s->g->classes);
        qc_run_backward(t.run, t.grads, t.dlogits);
        qc_shadow_gradient(s, t.dlatent, t.grads);
        double scale = o->cosine ? qc_schedule_cosine(step, o->steps) : 1;
        qc_optim_step(&t.optim, s->latent, t.dlatent, scale, NULL);
        qc_shadow_clamp(s);
        if (o->bias_rate > 0) move_biases(&t, s, scale);
        if (o->every && (step + 1) % o->every == 0) {
            int stop = o->watch(o->ctx, s, step + 1, err);
            if (stop < 0) goto end;
            if (stop) break;
        }
    }
    qc_shadow_round(s);
    status = 0;
end:
    tune_release(&t);
    return status;
}
