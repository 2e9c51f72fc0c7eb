/* feedback.c - the fixed feedback matrices that carry the error to earlier layers. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../nn/cholesky.h"
#include "../nn/loss.h"
#include "../nn/run.h"
#include "../quant/fakequant.h"
#include "oracle.h"

/* Solves (a + lambda I) X = b for symmetric a [n][n], X and b [n][m], by Cholesky; b becomes X, or 0 if there is none.
 * a is used up. */
static void solve_ridge(double *a, double *b, uint32_t n, uint32_t m)
{
    double trace = 0;
    for (uint32_t i = 0; i < n; i++) trace += a[i * n + i];
    for (uint32_t i = 0; i < n; i++) a[i * n + i] += 1e-3 * trace / n + 1e-30;
    int singular = qc_cholesky(a, n);
    for (uint32_t c = 0; c < m && !singular; c++) qc_cholesky_solve(a, b + c, n, m);
    if (singular) memset(b, 0, (size_t)n * m * sizeof *b);
}

/* Sums over examples: a = sum e e^T [classes][classes]; b = sum e d^T [classes][channels of all layers with
 * feedback]. */
typedef struct Sums {
    const QcOracle *t;
    QcFakeQuant fakequant;
    QcRun *run;
    double *a, *b;
    uint32_t channels;
    float *dlogits, *grads;
} Sums;

static int has_feedback(const QcOracle *t, uint32_t l)
{
    return !t->flip->layers[l].exact && t->g->nodes[t->flip->layers[l].node].op != QC_Q_LOGITS;
}

/* Mean true error where the layer's ReLU is on, of one example and channel; gradient and value
 * [positions][channels]. */
static double mean_error(const float *gradient, const float *value, int masked, uint32_t positions, uint32_t channels)
{
    double sum = 0;
    uint32_t on = 0;
    for (uint32_t p = 0; p < positions; p++) {
        if (masked && !(value[(size_t)p * channels] > 0)) continue;
        sum += (double)gradient[(size_t)p * channels];
        on++;
    }
    return on ? sum / on : 0;
}

static void add_set(Sums *s, const QcWindows *set)
{
    const QcOracle *t = s->t;
    uint32_t classes = t->g->classes;
    const float *logits = qc_run_forward(s->run, set->x, set->n);
    qc_loss(s->dlogits, NULL, logits, set->label, set->n, classes);
    qc_run_backward(s->run, s->grads, s->dlogits);
    for (uint32_t i = 0; i < set->n; i++) {
        const float *e = s->dlogits + (size_t)i * classes;
        for (uint32_t j = 0; j < classes; j++)
            for (uint32_t k = 0; k < classes; k++) s->a[j * classes + k] += (double)e[j] * (double)e[k];
        uint32_t column = 0;
        for (uint32_t l = 0; l < t->flip->n_layers; l++) {
            if (!has_feedback(t, l)) continue;
            uint32_t at = s->fakequant.node_of[t->flip->layers[l].node];
            const QcNode *node = &s->fakequant.graph.nodes[at];
            uint32_t positions = node->height * node->width;
            size_t first = (size_t)i * positions * node->channels;
            const float *gradient = qc_run_gradient(s->run, at) + first, *value = qc_run_value(s->run, at) + first;
            for (uint32_t o = 0; o < node->channels; o++, column++) {
                double d = mean_error(gradient + o, value + o, t->flip->layers[l].masked, positions, node->channels);
                for (uint32_t k = 0; k < classes; k++) s->b[(size_t)k * s->channels + column] += (double)e[k] * d;
            }
        }
    }
}

/* Rounds each layer's matrix to int8 with one scale. */
static void round_feedback(const Sums *s, int8_t *feedback, float *feedback_scale)
{
    const QcOracle *t = s->t;
    uint32_t classes = t->g->classes, column = 0;
    for (uint32_t l = 0; l < t->flip->n_layers; l++) {
        feedback_scale[l] = 1;
        if (!has_feedback(t, l)) continue;
        uint32_t channels = t->g->nodes[t->flip->layers[l].node].channels;
        double top = 0;
        for (uint32_t k = 0; k < classes; k++)
            for (uint32_t o = 0; o < channels; o++) top = fmax(top, fabs(s->b[(size_t)k * s->channels + column + o]));
        double scale = top > 1e-30 ? top / 127 : 1;
        for (uint32_t o = 0; o < channels; o++)
            for (uint32_t k = 0; k < classes; k++)
                feedback[t->flip->layers[l].feedback + o * classes + k] =
                    (int8_t)lrint(s->b[(size_t)k * s->channels + column + o] / scale);
        feedback_scale[l] = (float)scale;
        column += channels;
    }
}

static int sums_init(Sums *s, QcArena *arena, QcErr *err)
{
    const QcOracle *t = s->t;
    uint32_t classes = t->g->classes, n = t->o->shifted + t->o->unshifted;
    for (uint32_t l = 0; l < t->flip->n_layers; l++)
        if (has_feedback(t, l)) s->channels += t->g->nodes[t->flip->layers[l].node].channels;
    if (qc_fakequant_init(&s->fakequant, t->g, err)) return -1;
    s->a = qc_arena_take(arena, (size_t)classes * classes, sizeof *s->a, err);
    s->b = qc_arena_take(arena, (size_t)classes * s->channels, sizeof *s->b, err);
    s->dlogits = qc_arena_take(arena, (size_t)n * classes, sizeof *s->dlogits, err);
    s->grads = qc_arena_take(arena, s->fakequant.graph.n_params, sizeof *s->grads, err);
    s->run = qc_run_new(&s->fakequant.graph, n, QC_RUN_TUNE, t->o->threads, err);
    if (!s->a || !s->b || !s->dlogits || !s->grads || !s->run) return -1;
    for (uint32_t l = 0; l < t->flip->n_layers; l++)
        if (has_feedback(t, l) && qc_run_keep(s->run, s->fakequant.node_of[t->flip->layers[l].node], err)) return -1;
    return 0;
}

int qc_fit_feedback(const QcOracle *t, int8_t *feedback, float *feedback_scale, uint32_t subjects, QcErr *err)
{
    QcArena arena = {0};
    Sums s = {.t = t};
    int status = sums_init(&s, &arena, err);
    for (uint32_t p = 0; !status && p < subjects; p++) {
        QcRng rng = qc_rng_seed(t->o->seed, QC_STREAM_FEEDBACK0 + p);
        QcArena own = {0};
        QcDrift drift;
        QcWindows set = {0};
        status = qc_drifts_init(&drift, t->o->kind, t->m, &own, err);
        if (!status) {
            qc_drifts_draw(&drift, t->o->strength, &rng);
            status = qc_oracle_set(t, &set, &drift, &rng, err);
        }
        if (!status) add_set(&s, &set);
        qc_windows_release(&set);
        qc_arena_release(&own);
    }
    if (!status) {
        solve_ridge(s.a, s.b, t->g->classes, s.channels);
        round_feedback(&s, feedback, feedback_scale);
    }
    qc_run_free(s.run);
    qc_fakequant_release(&s.fakequant);
    qc_arena_release(&arena);
    return status;
}
