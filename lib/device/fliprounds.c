#include "fliprounds.h"

#include "../kernels/mem.h"
#include "qmath.h"

#define PRIOR_COUNT 1.0f     /* prior examples of each class in the batch */
#define SMALLEST_SHARE 2e-5f
#define GROW 1.5f            /* factor of the share after an accepted proposal */
#define SHRINK 0.4f          /* factor after a refused proposal */
enum { BLOCK = 128 };        /* weights whose features are in memory at once */

/* Share of the weights above which steps become longer instead of more numerous. */
static float share_cap(const QcFlipper *f) { return f->weight_bits == 2 ? 1.0f : 0.3f; }

static uint32_t last_bytes(const QcQGraph *g)
{
    const QcQNode *node = &g->nodes[g->n_nodes - 1];
    return (uint32_t)(((uint64_t)node->n_codes * qc_code_bits(g, node) + 7) / 8);
}

static void place_kept(QcFlipper *f, const QcFlip *flip, QcPlacing *placing)
{
    qc_hebb_place_kept(&f->hebb, flip, placing);
}

static void place(QcFlipper *f, QcQGraph *g, QcQRun *run, const QcFlip *flip, const QcParameters *p, uint32_t most,
                  QcPlacing *placing)
{
    uint64_t z = most, classes = g->classes;
    f->flip = flip;
    f->g = g;
    f->weight_bits = g->bits;
    qc_hebb_place(&f->hebb, run, flip, p->block_sample, placing);
    qc_weightsample_place(&f->sample, g, flip->layers, &f->hebb.blocks, placing);
    qc_placing_part(placing, "errors and losses of flips");
    f->window = qc_placing_take(placing, z * sizeof *f->window);
    f->weight = qc_placing_take(placing, z * sizeof *f->weight);
    f->offset = qc_placing_take(placing, classes * sizeof *f->offset);
    f->count = qc_placing_take(placing, classes * sizeof *f->count);
    f->error = qc_placing_take(placing, z * classes * sizeof *f->error);
    f->loss = qc_placing_take(placing, z * sizeof *f->loss);
    f->visit = qc_placing_take(placing, z * sizeof *f->visit);
    f->last = qc_placing_take(placing, z);
    qc_placing_part(placing, "codes before flips");
    f->codes_before = qc_placing_take(placing, g->n_code_bytes);
    f->last_before = qc_placing_take(placing, last_bytes(g));
    f->mean_square_before = qc_placing_take(placing, flip->n_layers * sizeof *f->mean_square_before);
}

/* ---- the loss on the set ---- */

/* Weights classes equally. A batch of few classes must not lower the other classes: the class frequencies of the
 * batch are removed from the loss of its examples (logit adjustment; Menon et al., 2021). */
static void weigh(QcFlipper *f, const QcSet *set)
{
    uint32_t classes = f->g->classes, most = 0;
    float present = (float)qc_set_count(set, 0, f->count, classes);
    for (uint32_t i = 0; i < set->n; i++) {
        f->weight[i] = 1 / (present * (float)f->count[qc_set_label(set, i)]);
        f->window[i] = qc_set_window(set, i);
    }
    qc_set_count(set, set->n_kept, f->count, classes);
    for (uint32_t k = 0; k < classes; k++) most = f->count[k] > most ? f->count[k] : most;
    for (uint32_t k = 0; k < classes; k++)
        f->offset[k] = qc_ln(((float)f->count[k] + PRIOR_COUNT) / ((float)most + PRIOR_COUNT));
}

/* error = weight (softmax - onehot); returns the weighted cross-entropy. */
static float example_loss(float *error, const float *logits, uint16_t label, float weight, uint32_t classes)
{
    float largest = logits[qc_largest(logits, classes)], sum = 0;
    for (uint32_t k = 0; k < classes; k++) sum += error[k] = qc_exp(logits[k] - largest);
    for (uint32_t k = 0; k < classes; k++) error[k] = weight * (error[k] / sum - (k == label ? 1.0f : 0.0f));
    return weight * (qc_ln(sum) - (logits[label] - largest));
}

/* Forward over the set, hardest examples first. Ends early, with a sum of at least `limit`, if the loss cannot stay
 * below it. A miss: correct at the last pass and wrong now. */
static float forward(QcFlipper *f, const QcFlipTask *t, float limit, QcFlipCounts *counts)
{
    uint32_t classes = f->g->classes;
    float loss = 0, *logits = f->hebb.logits;
    for (uint32_t v = 0; v < t->set->n && loss < limit; v++) {
        uint32_t i = f->visit[v];
        uint16_t label = qc_set_label(t->set, i);
        qc_qrun_forward(f->hebb.run, logits, f->window[i]);
        int right = qc_largest(logits, classes) == label; /* the plain answer of the model: only the loss uses the
                                                           * class frequencies of the batch */
        for (uint32_t k = 0; i >= t->set->n_kept && k < classes; k++) logits[k] += f->offset[k];
        f->loss[i] = example_loss(f->error + (size_t)i * classes, logits, label, f->weight[i], classes);
        loss += f->loss[i];
        if (f->last[i] && !right && t->misses[i] < UINT16_MAX) t->misses[i]++;
        f->last[i] = (uint8_t)right;
        t->ever[i] |= (uint8_t)right;
        counts->forwards++;
    }
    return loss;
}

/* Keeps the model of the last whole pass. */
static void accept(QcFlipper *f, const QcFlipTask *t)
{
    memcpy(t->right, f->last, t->set->n);
    qc_weightsample_keep(&f->sample);
    for (uint32_t i = 1; i < t->set->n; i++) { /* the hardest first: an insertion sort, for the order changes little */
        uint32_t example = f->visit[i], at = i;
        for (; at > 0 && f->loss[f->visit[at - 1]] < f->loss[example]; at--) f->visit[at] = f->visit[at - 1];
        f->visit[at] = example;
    }
}

/* ---- scores ---- */

static void score_block(void *ctx, const QcBlock *block, const QcFlipStats *stats, const QcFlipScale *scale)
{
    QcFlipper *f = ctx;
    const QcFlipLayer *layer = &f->flip->layers[block->layer];
    uint8_t *bytes = f->sample.scores + block->start;
    for (uint32_t k = 0; k < block->n; k += BLOCK) {
        float features[BLOCK][QC_FLIP_FEATURES], scores[BLOCK];
        int direction[BLOCK];
        uint32_t n = block->n - k < BLOCK ? block->n - k : BLOCK;
        for (uint32_t i = 0; i < n; i++) {
            qc_flip_features(features[i], &direction[i], f->g, layer, stats, scale, k + i, block->first + k + i);
            scores[i] = f->score == QC_SCORE_GREEDY ? features[i][1] / 2 : 1; /* min(z, 6) / 6, or all alike */
        }
        if (f->score == QC_SCORE_NETWORK) qc_flip_scores(f->flip, f->hebb.run->k, scores, features, n);
        for (uint32_t i = 0; i < n; i++) bytes[k + i] = qc_flip_byte(scores[i], direction[i]);
    }
}

static void score(QcFlipper *f, const QcFlipTask *t, uint64_t seed, QcFlipCounts *counts)
{
    QcExamples z = {t->set->n, f->window, f->error};
    counts->forwards += qc_hebb_gather(&f->hebb, &z, seed, score_block, f);
    counts->statistics++;
}

/* ---- the rounds ---- */

static void begin(QcFlipper *f, const QcFlipTask *t)
{
    memcpy(f->codes_before, f->g->codes, f->g->n_code_bytes);
    memcpy(f->last_before, qc_layer_codes(f->g, &f->g->nodes[f->g->n_nodes - 1]), last_bytes(f->g));
    memcpy(f->mean_square_before, f->hebb.mean_square, f->flip->n_layers * sizeof *f->mean_square_before);
    qc_weightsample_begin(&f->sample);
    weigh(f, t->set);
    memcpy(f->last, t->right, t->set->n);
    for (uint32_t i = 0; i < t->set->n; i++) f->visit[i] = i;
}

static void run(QcFlipper *f, QcFlipCounts *counts, const QcFlipTask *t, QcRng *rng)
{
    const QcParameters *p = t->parameters;
    *counts = (QcFlipCounts){0};
    begin(f, t);
    float loss = forward(f, t, 1e30f, counts), cap = share_cap(f);
    accept(f, t);
    *t->share = qc_most(*t->share, p->first_share);
    for (uint32_t round = 0, fresh = 1; round < p->rounds && loss > t->stop; round++) {
        if (fresh) score(f, t, qc_rng_next(rng), counts);
        int32_t step = (int32_t)qc_least(*t->share / cap + 0.5f, 256.0f); /* 256 exceeds the range of codes */
        uint32_t flips = qc_weightsample_propose(&f->sample, qc_least(*t->share, cap), step > 1 ? step : 1,
                                                 f->weight_bits == 8, qc_rng_next(rng));
        float after = forward(f, t, loss, counts);
        counts->proposals++;
        fresh = after < loss; /* after a refusal: the same statistic, another proposal */
        if (fresh) {
            accept(f, t);
            loss = after;
            *t->share = qc_least(GROW * *t->share, p->largest_share);
            counts->accepted++;
            counts->flips += flips;
        } else {
            qc_weightsample_undo(&f->sample);
            *t->share = qc_most(SHRINK * *t->share, SMALLEST_SHARE);
        }
    }
}

static void restore(QcFlipper *f)
{
    memcpy(f->g->codes, f->codes_before, f->g->n_code_bytes);
    memcpy(qc_layer_codes(f->g, &f->g->nodes[f->g->n_nodes - 1]), f->last_before, last_bytes(f->g));
    memcpy(f->hebb.mean_square, f->mean_square_before, f->flip->n_layers * sizeof *f->mean_square_before);
}

static int is_sound(const QcFlipper *f)
{
    for (uint32_t l = 0; l < f->flip->n_layers; l++)
        if (!(f->hebb.mean_square[l] >= 0)) return 0;
    return 1;
}

const QcFlipRounds qc_flip_rounds = {place_kept, place, is_sound, run, restore};
