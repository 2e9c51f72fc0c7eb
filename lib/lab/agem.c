/* a-gem - averaged gradient episodic memory (Chaudhry et al., ICLR 2019).
 *
 * A step descends the cross-entropy of the batch alone; its gradient g is projected where it conflicts with the
 * gradient m of a draw from the memory:
 *     g~ = g - (g.m / m.m) m   where g.m < 0, else g,
 * both with respect to the latents, in code steps (and to the biases, in output steps, where they move). The projected
 * gradient goes into Adam, as every method's.
 */
#include "agem.h"

#include "losses.h"
#include "rivaltable.h"
#include "replay.h"

#include <string.h>

int qc_agem_project(float *g, const float *m, uint32_t n)
{
    double gm = 0, mm = 0;
    for (uint32_t i = 0; i < n; i++) {
        gm += (double)g[i] * (double)m[i];
        mm += (double)m[i] * (double)m[i];
    }
    if (gm >= 0 || mm == 0) return 0;
    double share = gm / mm;
    for (uint32_t i = 0; i < n; i++) g[i] = (float)((double)g[i] - share * (double)m[i]);
    return 1;
}

typedef struct Agem {
    QcReplay replay;
    float *memory; /* [n_moving] m */
} Agem;

static int open(QcMethodRun *l, QcErr *err)
{
    Agem *a = l->state = qc_method_take(l, 1, sizeof *a, err);
    if (!a || qc_replay_open(&a->replay, l, 1, err)) return -1;
    return (a->memory = qc_method_take(l, a->replay.n_moving, sizeof *a->memory, err)) ? 0 : -1;
}

static int gradient(QcReplay *r, uint32_t first, uint32_t n, QcErr *err)
{
    const float *logits = qc_replay_forward(r, first, n, err);
    if (!logits) return -1;
    qc_loss_among(r->dlogits, logits, r->label + first, NULL, NULL, n, r->classes);
    qc_replay_backward(r);
    return 0;
}

static int next(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    Agem *a = l->state;
    QcReplay *r = &a->replay;
    qc_replay_begin(r, l, batch);
    for (uint32_t step = 0; step < r->steps; step++) {
        qc_replay_draw(r, l);
        if (r->n_old) {
            if (gradient(r, r->n_fresh, r->n_old, err)) return -1;
            memcpy(a->memory, r->dlatent, r->n_moving * sizeof *a->memory);
        }
        if (gradient(r, 0, r->n_fresh, err)) return -1;
        if (r->n_old) qc_agem_project(r->dlatent, a->memory, r->n_moving);
        qc_replay_step(r);
    }
    qc_replay_end(r, l, report);
    return 0;
}

static void close(QcMethodRun *l) { qc_replay_release(l->state); }

static const QcSetting settings[] = {QC_REPLAY_SETTINGS, {0}};

const QcMethod qc_method_a_gem = {
    .name = "a-gem",
    .summary = "averaged gradient episodic memory: no step against the memory's gradient",
    .settings = settings,
    .backward = 1,
    .open = open,
    .next = next,
    .close = close,
};
