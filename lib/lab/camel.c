/* camel - coresets by submodular selection (Li, Shen and Chen, "Camel: managing data for efficient stream learning",
 * SIGMOD 2022).
 *
 * The distance between the gradients of a subset and of all examples is bounded by how far each example lies from the
 * nearest chosen one of its class; to make that sum small is to make the facility location f(S) (cover.h) of s = d_max
 * - d large, which is done greedily. Two uses, as in the paper:
 *   selection  of the arriving batch `select` of its examples are learned from, each weighted by how many it
 *              represents;
 *   buffer     old slots and batch are merged and reduced to the open slots by the same f; what the reserved slots
 *              represent is represented already.
 * d: between the inputs of the last layer (features), or between gradients of the last layer's weights, (softmax -
 * onehot) of one example times its features. Examples of different classes are d_max apart. The steps themselves are
 * the steps of er.
 */
#include "cover.h"
#include "losses.h"
#include "rivaltable.h"
#include "replay.h"

#include <math.h>
#include <string.h>

enum { SELECT = QC_REPLAY_OWN, BY_GRADIENT };

typedef struct Camel {
    QcReplay replay;
    uint32_t n, features;
    /* Of the n examples looked at last, room for capacity + batch_max of each. */
    float *feature, *error; /* [n][features], [n][classes] */
    uint16_t *label;
    uint32_t *from;        /* slot, or index in the batch */
    uint8_t *may;          /* 1: selectable */
    float *similarity;     /* [n][n] */
    float *covered, *weight;
    uint32_t *chosen;
    float *row_weight;     /* [batch + replay] of a step's rows */
} Camel;

static const QcQNode *last_node(const QcQGraph *g) { return &g->nodes[g->n_nodes - 1]; }

static int open(QcMethodRun *l, QcErr *err)
{
    const QcQGraph *g = l->g;
    uint32_t all = l->capacity + l->batch_max;
    Camel *c = l->state = qc_method_take(l, 1, sizeof *c, err);
    if (!c || qc_replay_open(&c->replay, l, 0, err)) return -1;
    c->features = last_node(g)->n_codes / g->classes;
    c->feature = qc_method_take(l, all, c->features * sizeof(float), err);
    c->error = qc_method_take(l, all, g->classes * sizeof(float), err);
    c->label = qc_method_take(l, all, sizeof *c->label, err);
    c->from = qc_method_take(l, all, sizeof *c->from, err);
    c->similarity = qc_method_take(l, all, all * sizeof(float), err);
    c->covered = qc_method_take(l, all, sizeof(float), err);
    c->weight = qc_method_take(l, all, sizeof(float), err);
    c->may = qc_method_take(l, all, 1, err);
    c->chosen = qc_method_take(l, all, sizeof *c->chosen, err);
    c->row_weight = qc_method_take(l, c->replay.batch + c->replay.replay, sizeof(float), err);
    return c->feature && c->error && c->label && c->from && c->similarity && c->covered && c->weight && c->may &&
                   c->chosen && c->row_weight
               ? 0
               : -1;
}

/* ---- how alike examples are ---- */

static void see(void *ctx, QcQRun *run, uint32_t node, const QcQConv *conv)
{
    const QcQNode *last = last_node(run->g);
    const QcQTensor *in = &run->g->tensors[last->in[0]];
    float *feature = ctx;
    (void)conv;
    if (node != run->g->n_nodes - 1) return;
    const uint8_t *q = qc_qrun_tensor(run, last->in[0]);
    for (uint32_t i = 0; i < last->n_codes / last->channels; i++)
        feature[i] = in->scale * (float)((int32_t)q[i] - in->zero);
}

static void look(Camel *c, QcMethodRun *l, const uint8_t *x, uint16_t label, uint32_t from, int may)
{
    uint32_t classes = l->g->classes;
    int32_t wanted = label;
    float *logits = c->replay.dlogits; /* no pass is under way */
    qc_qrun_forward_seen(&l->run, logits, x, l->g->n_nodes - 1, see, c->feature + (size_t)c->n * c->features);
    qc_loss_among(c->error + (size_t)c->n * classes, logits, &wanted, NULL, NULL, 1, classes);
    c->label[c->n] = label;
    c->from[c->n] = from;
    c->may[c->n++] = (uint8_t)may;
}

static double dot(const float *a, const float *b, uint32_t n)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

/* |a x u - b x v|^2 = |a|^2 |u|^2 + |b|^2 |v|^2 - 2 (a.b)(u.v) for the gradients; |u - v|^2 for the features. */
static double inner(const Camel *c, const QcMethodRun *l, uint32_t i, uint32_t j)
{
    double feature = dot(c->feature + (size_t)i * c->features, c->feature + (size_t)j * c->features, c->features);
    if (l->setting[BY_GRADIENT] < 1) return feature;
    return feature * dot(c->error + (size_t)i * l->g->classes, c->error + (size_t)j * l->g->classes, l->g->classes);
}

static void compare(Camel *c, const QcMethodRun *l)
{
    uint32_t n = c->n;
    float *s = c->similarity, farthest = 0;
    for (uint32_t i = 0; i < n; i++) c->weight[i] = (float)inner(c, l, i, i);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j <= i; j++) {
            double square = (double)c->weight[i] + (double)c->weight[j] - 2 * inner(c, l, i, j);
            float d = i == j || square < 0 ? 0 : (float)sqrt(square);
            s[(size_t)i * n + j] = s[(size_t)j * n + i] = d;
            if (d > farthest) farthest = d;
        }
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < n; j++)
            s[(size_t)i * n + j] = c->label[i] == c->label[j] ? farthest - s[(size_t)i * n + j] : 0;
}

/* ---- selection ---- */

/* Selects examples of the batch to learn from; their weights have mean 1. */
static uint32_t choose_fresh(Camel *c, QcMethodRun *l, const QcBatch *batch)
{
    double all = 0;
    c->n = 0;
    for (uint32_t i = 0; i < batch->n; i++) look(c, l, batch->windows + (size_t)i * l->window, batch->labels[i], i, 1);
    compare(c, l);
    memset(c->covered, 0, c->n * sizeof *c->covered);
    uint32_t n = qc_cover_choose(c->chosen, c->covered, c->may, c->similarity, c->n,
                                 (uint32_t)ceil(l->setting[SELECT] * batch->n));
    qc_cover_weights(c->weight, c->chosen, n, c->similarity, c->n);
    for (uint32_t i = 0; i < n; i++) all += (double)c->weight[c->chosen[i]];
    for (uint32_t i = 0; i < n; i++)
        c->weight[c->chosen[i]] = all > 0 ? (float)((double)c->weight[c->chosen[i]] * n / all) : 1;
    return n;
}

static void loss(QcReplay *r, QcMethodRun *l, const float *logits)
{
    const Camel *c = l->state;
    for (uint32_t row = 0; row < r->n_fresh + r->n_old; row++)
        c->row_weight[row] = row < r->n_fresh ? c->weight[r->from[row]] : 1;
    qc_loss_among(r->dlogits, logits, r->label, c->row_weight, NULL, r->n_fresh + r->n_old, r->classes);
}

/* ---- the buffer ---- */

static void fill(QcSlots *slots, uint32_t s, const QcBatch *batch, uint32_t i)
{
    memcpy(slots->windows + (size_t)s * slots->window, batch->windows + (size_t)i * slots->window, slots->window);
    slots->label[s] = batch->labels[i];
    slots->misses[s] = 0;
    slots->flags[s] = QC_SLOT_STREAM;
    slots->id[s] = batch->ids[i];
}

/* The filled slots, then what of the batch is not among them; returns how many slots are open to it. */
static uint32_t merge(Camel *c, QcMethodRun *l, const QcBatch *batch, uint32_t *n_slots)
{
    const QcSlots *slots = l->slots;
    uint32_t room = 0;
    c->n = 0;
    for (uint32_t s = 0; s < slots->capacity; s++) {
        int empty = slots->flags[s] & QC_SLOT_EMPTY, is_open = empty || !(slots->flags[s] & QC_SLOT_RESERVED);
        room += (uint32_t)is_open;
        if (!empty) look(c, l, slots->windows + (size_t)s * slots->window, slots->label[s], s, is_open);
    }
    *n_slots = c->n;
    for (uint32_t i = 0; i < batch->n; i++)
        if (!qc_slots_hold(slots, batch->ids[i]))
            look(c, l, batch->windows + (size_t)i * l->window, batch->labels[i], i, 1);
    return room;
}

static void reduce(Camel *c, QcMethodRun *l, const QcBatch *batch, uint32_t room, uint32_t n_slots)
{
    QcSlots *slots = l->slots;
    compare(c, l);
    memset(c->covered, 0, c->n * sizeof *c->covered);
    for (uint32_t i = 0; i < n_slots; i++)
        for (uint32_t k = 0; !c->may[i] && k < c->n; k++)
            c->covered[k] = fmaxf(c->covered[k], c->similarity[(size_t)k * c->n + i]);
    uint32_t n = qc_cover_choose(c->chosen, c->covered, c->may, c->similarity, c->n, room);
    for (uint32_t i = 0; i < n_slots; i++) /* examples that were selectable but not selected */
        if (c->may[i]) slots->flags[c->from[i]] = QC_SLOT_EMPTY;
    for (uint32_t i = 0, s = 0; i < n; i++) {
        if (c->chosen[i] < n_slots) continue;
        while (!(slots->flags[s] & QC_SLOT_EMPTY)) s++;
        fill(slots, s, batch, c->from[c->chosen[i]]);
    }
}

static int next(QcMethodRun *l, QcMethodReport *report, const QcBatch *batch, QcErr *err)
{
    Camel *c = l->state;
    uint32_t looked = batch->n, n_slots, n_fresh = choose_fresh(c, l, batch);
    qc_replay_begin(&c->replay, l, batch);
    qc_replay_among(&c->replay, c->chosen, n_fresh);
    if (qc_replay_steps(&c->replay, l, c->replay.steps, loss, err)) return -1;
    qc_replay_end(&c->replay, l, report);
    uint32_t room = merge(c, l, batch, &n_slots);
    reduce(c, l, batch, room, n_slots);
    looked += c->n;
    report->forwards += looked;
    report->operations += l->macs * looked + ((uint64_t)batch->n * batch->n + (uint64_t)c->n * c->n) / 2 * c->features;
    return 0;
}

static void close(QcMethodRun *l) { qc_replay_release(l->state); }

static const QcSetting settings[] = {
    QC_REPLAY_SETTINGS, {"select", 0.5, 0.001, 1, "share of the batch that is learned from", 0},
    {"gradient", 0, 0, 1, "1: distance of last-layer gradients; 0: of features", 1}, {0},
};

const QcMethod qc_method_camel = {
    .name = "camel",
    .summary = "replay from coresets of batch and memory, by submodular selection",
    .settings = settings,
    .backward = 1,
    .keeps = 1,
    .open = open,
    .next = next,
    .close = close,
};
