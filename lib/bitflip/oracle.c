#include "oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../device/hebb.h"
#include "../nn/loss.h"
#include "../quant/emit.h"
#include "../quant/tune.h"

const QcOracleOptions qc_oracle_defaults = {
    .strength = 1,
    .snapshots = 2,
    .shifted = 60,
    .unshifted = 30,
    .steps = 45,
    .batch = 48,
    .moved = 0.2,
    .rows_a_layer = 4000,
    .threads = 1,
    .seed = 1,
};

void qc_oraclesamples_release(QcOracleSamples *l)
{
    free(l->rows);
    *l = (QcOracleSamples){0};
}

int qc_oracle_set(const QcOracle *t, QcWindows *out, const QcDrift *drift, QcRng *rng, QcErr *err)
{
    uint32_t n = t->o->shifted + t->o->unshifted;
    uint32_t *index = malloc((n ? n : 1) * sizeof *index);
    if (!index) return qc_fail_memory(err, "a set of examples");
    for (uint32_t i = 0; i < n; i++) index[i] = qc_rng_below(rng, t->source->n);
    int status = qc_windows_pick(out, t->source, index, n, err);
    for (uint32_t i = 0; !status && i < t->o->shifted; i++)
        qc_drifts_apply(drift, out->x + i * out->values, t->source->x + index[i] * out->values, rng);
    free(index);
    return status;
}

/* Features of every weight of the net on one set. */
typedef struct Survey {
    const QcOracle *t;
    float (*features)[QC_FLIP_FEATURES]; /* [n_codes] */
    int8_t *dir;                         /* [n_codes] */
} Survey;

static void see_piece(void *ctx, const QcBlock *piece, const QcFlipStats *stats, const QcFlipScale *scale)
{
    Survey *s = ctx;
    const QcFlipLayer *layer = &s->t->flip->layers[piece->layer];
    uint32_t first = s->t->g->nodes[layer->node].code + piece->first;
    for (uint32_t i = 0; i < piece->n; i++) {
        int dir;
        qc_flip_features(s->features[first + i], &dir, s->t->g, layer, stats, scale, i, piece->first + i);
        s->dir[first + i] = (int8_t)dir;
    }
}

/* Forward over the set for the errors, then the Hebbian pass: what the device does. */
static int survey(Survey *s, const QcWindows *set, QcErr *err)
{
    const QcQGraph *g = s->t->g;
    const QcKernels *kernels = qc_need_kernels(err);
    uint64_t run_bytes = (qc_qgraph_bytes(g) + 63) / 64 * 64;
    QcQRun run = {.g = g};
    QcHebb hebb;
    QcPlacing count = {0};
    qc_hebb_place_kept(&hebb, s->t->flip, &count);
    qc_hebb_place(&hebb, &run, s->t->flip, g->n_codes, &count);
    uint8_t *memory = qc_aligned_new(run_bytes + count.used, "the forward passes of a survey", err);
    uint8_t *q = malloc(set->n * set->values);
    const uint8_t **x = malloc(set->n * sizeof *x);
    float *error = malloc((size_t)set->n * g->classes * sizeof *error);
    int status = -1;
    if (!kernels) goto end;
    if (!memory || !q || !x || !error) {
        qc_fail_memory(err, "the Hebbian pass");
        goto end;
    }
    QcPlacing p = {.memory = memory + run_bytes};
    qc_qrun_place(&run, g, kernels, memory);
    qc_hebb_place_kept(&hebb, s->t->flip, &p);
    qc_hebb_place(&hebb, &run, s->t->flip, g->n_codes, &p);
    for (uint32_t i = 0; i < set->n; i++) {
        uint8_t *window = q + i * set->values;
        qc_q_input(window, set->x + i * set->values, (uint32_t)set->values, &g->tensors[0]);
        x[i] = window;
        qc_qrun_forward(&run, hebb.logits, window);
        qc_loss(error + (size_t)i * g->classes, NULL, hebb.logits, &set->label[i], 1, g->classes);
    }
    for (size_t i = 0; i < (size_t)set->n * g->classes; i++) error[i] /= (float)set->n;
    QcExamples z = {set->n, x, error};
    qc_hebb_gather(&hebb, &z, 0, see_piece, s);
    status = 0;
end:
    free(memory);
    free(q);
    free(x);
    free(error);
    return status;
}

static int add_row(QcOracleSamples *l, const float *features, uint8_t target, QcErr *err)
{
    if (l->n == l->room) {
        size_t room = l->room ? 2 * l->room : 4096;
        QcOracleSample *rows = realloc(l->rows, room * sizeof *rows);
        if (!rows) return qc_fail_memory(err, "the training samples of the flip network");
        l->rows = rows;
        l->room = room;
    }
    memcpy(l->rows[l->n].features, features, sizeof l->rows[l->n].features);
    l->rows[l->n++].target = target;
    return 0;
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The movement above which a weight is among the `share` that moved most. */
static float threshold(const float *movement, uint32_t n, double share, float *scratch)
{
    for (uint32_t i = 0; i < n; i++) scratch[i] = fabsf(movement[i]);
    qsort(scratch, n, sizeof *scratch, compare_floats);
    uint32_t at = (uint32_t)((1 - share) * n);
    return fmaxf(scratch[at < n ? at : n - 1], 1e-6f);
}

/* All weights of a layer that moved and twice as many that did not, at most rows_a_layer in all. */
static int add_layer(const Survey *s, QcOracleSamples *samples, const QcQNode *node, const float *movement, float limit,
                     uint32_t *order, QcRng *rng, QcErr *err)
{
    uint32_t moved = 0, most_moved = s->t->o->rows_a_layer / 3, stayed = 0, taken = 0;
    for (uint32_t j = 0; j < node->n_codes; j++) {
        order[j] = node->code + j;
        moved += fabsf(movement[node->code + j]) >= limit;
    }
    if (moved > most_moved) moved = most_moved;
    qc_rng_shuffle(rng, order, node->n_codes);
    for (uint32_t i = 0; i < node->n_codes; i++) {
        uint32_t j = order[i];
        float m = movement[j];
        uint8_t target = QC_TARGET_STAY;
        if (!s->dir[j]) continue;
        if (fabsf(m) >= limit) {
            if (taken++ >= moved) continue;
            target = (m > 0) == (s->dir[j] > 0) ? QC_TARGET_WITH : QC_TARGET_AGAINST;
        } else if (stayed++ >= 2 * moved) {
            continue;
        }
        if (add_row(samples, s->features[j], target, err)) return -1;
    }
    return 0;
}

static int snapshot(Survey *s, QcFakeQuant *fakequant, const QcDrift *drift, QcOracleSamples *samples, QcRng *rng,
                    float *movement, float *scratch, QcErr *err)
{
    QcQGraph *g = s->t->g;
    const QcOracleOptions *o = s->t->o;
    QcWindows set = {0};
    int status = -1;
    if (qc_oracle_set(s->t, &set, drift, rng, err)) return -1;
    if (survey(s, &set, err)) goto end;
    QcTuneOptions tune = {.steps = o->steps,
                          .batch = o->batch < set.n ? o->batch : set.n,
                          .rate = qc_tune_rate(g->bits),
                          .cosine = 0,
                          .seed = qc_rng_next(rng),
                          .threads = o->threads};
    qc_fakequant_reset(fakequant);
    if (qc_tune(fakequant, set.x, set.label, set.n, &tune, err)) goto end;
    for (uint32_t i = 0; i < g->n_nodes; i++)
        for (uint32_t j = 0; j < g->nodes[i].n_codes; j++) {
            uint32_t at = g->nodes[i].code + j;
            movement[at] = fakequant->master[at] - (float)qc_code_get(g, &g->nodes[i], j);
        }
    float limit = threshold(movement, g->n_codes, o->moved, scratch);
    for (uint32_t l = 0; l < s->t->flip->n_layers; l++)
        if (add_layer(s, samples, &g->nodes[s->t->flip->layers[l].node], movement, limit, (uint32_t *)scratch, rng,
                      err))
            goto end;
    qc_pack_masters(g, fakequant->master); /* the next snapshot starts where this one ended */
    status = 0;
end:
    qc_windows_release(&set);
    return status;
}

int qc_oracle_sample(const QcOracle *t, QcOracleSamples *samples, uint64_t subject, QcErr *err)
{
    QcArena arena = {0};
    QcFakeQuant fakequant = {0};
    QcDrift drift;
    uint64_t stream = subject < 306 ? QC_STREAM_SUBJECT0 + subject : QC_STREAM_SUBJECT306 + subject - 306;
    QcRng rng = qc_rng_seed(t->o->seed, stream);
    uint32_t n = t->g->n_codes;
    int status = -1;
    Survey s = {
        .t = t, .features = qc_arena_take(&arena, n, sizeof *s.features, err), .dir = qc_arena_take(&arena, n, 1, err)};
    float *movement = qc_arena_take(&arena, n, sizeof *movement, err),
          *scratch = qc_arena_take(&arena, n, sizeof *scratch, err);
    uint8_t *codes = qc_arena_take(&arena, t->g->n_code_bytes, 1, err);
    if (!s.features || !s.dir || !movement || !scratch || !codes) goto end;
    if (qc_drifts_init(&drift, t->o->kind, t->m, &arena, err)) goto end;
    qc_drifts_draw(&drift, t->o->strength, &rng);
    if (qc_fakequant_init(&fakequant, t->g, err)) goto end;
    memcpy(codes, t->g->codes, t->g->n_code_bytes);
    status = 0;
    for (uint32_t i = 0; !status && i < t->o->snapshots; i++)
        status = snapshot(&s, &fakequant, &drift, samples, &rng, movement, scratch, err);
    memcpy(t->g->codes, codes, t->g->n_code_bytes);
end:
    qc_fakequant_release(&fakequant);
    qc_arena_release(&arena);
    return status;
}
