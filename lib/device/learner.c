#include "learner.h"

#include "../kernels/mem.h"
#include "learnerset.h"
#include "qmath.h"

/* ---- memory ---- */

static uint32_t tensor_bytes(const QcQTensor *t) { return (uint32_t)t->height * t->width * t->channels; }
static uint32_t window_bytes(const QcQGraph *g) { return tensor_bytes(&g->tensors[0]); }

/* Bytes that the last layer reads. If a head fits, this is shape.features. */
static uint32_t feature_bytes(const QcQGraph *g) { return tensor_bytes(&g->tensors[g->nodes[g->n_nodes - 1].in[0]]); }

/* All that must survive a power cut, in one block. */
static void lay_out_state(QcLearner *l, QcPlacing *p)
{
    const QcLearnerSetup *s = &l->setup;
    uint64_t start = p->used;
    qc_placing_part(p, "last layers and moments");
    l->state = qc_placing_take(p, 0);
    l->counters = qc_placing_take(p, sizeof *l->counters);
    for (int i = 0; i < 2; i++) qc_last_layer_place(&l->layers[i], &l->shape, p);
    if (qc_head_fits(s->graph)) qc_moments_place(&l->moments, l->shape.features, l->shape.classes, p);
    l->head_bytes = (uint32_t)(p->used - start);
    if (s->flips) s->flips->place_kept(&l->flipper, s->flip, p);
    l->learned_bytes = (uint32_t)(p->used - start);
    if (s->flips) {
        qc_placing_part(p, "codes that flips change");
        l->graph.codes = qc_placing_take(p, l->graph.n_code_bytes);
    }
    qc_placing_part(p, "coreset");
    qc_slots_place(&l->coreset, s->capacity, s->flips ? window_bytes(s->graph) : 0, feature_bytes(s->graph), p);
    l->state_bytes = (uint32_t)(p->used - start);
}

static void lay_out_ring(QcLearner *l, QcPlacing *p)
{
    const QcLearnerSetup *s = &l->setup;
    qc_placing_part(p, "ring of windows to label");
    qc_slots_place(&l->ring, s->ring, s->flips ? window_bytes(s->graph) : 0, feature_bytes(s->graph), p);
    l->answer = qc_placing_take(p, s->ring * sizeof *l->answer);
}

static void lay_out_set(QcLearner *l, QcPlacing *p)
{
    uint64_t z = (uint64_t)l->setup.capacity + l->setup.ring;
    qc_placing_part(p, "set of examples");
    l->set.row = qc_placing_take(p, z * sizeof *l->set.row);
    l->right = qc_placing_take(p, z);
    l->after = qc_placing_take(p, z);
    l->ever = qc_placing_take(p, z);
    l->misses = qc_placing_take(p, z * sizeof *l->misses);
    l->keys = qc_placing_take(p, z * sizeof *l->keys);
    l->count = qc_placing_take(p, l->shape.classes * sizeof *l->count);
    if (l->moments.n && l->graph.spare) {
        l->rows = qc_placing_take(p, l->shape.classes * sizeof *l->rows);
        l->class_of = qc_placing_take(p, l->shape.classes * sizeof *l->class_of);
    }
    l->logits = qc_placing_take(p, l->shape.classes * sizeof *l->logits);
}

/* A head is solved between forward passes, so its scratch lies where activations do, and goes on after them where it
 * is larger. */
static void lay_out_run(QcLearner *l, const QcKernels *kernels, QcPlacing *p)
{
    QcPlacing scratch = {.memory = p->memory ? p->memory + p->used : NULL};
    uint32_t unlabelled = l->setup.all_labelled ? 0 : l->setup.ring;
    uint64_t start = p->used;
    qc_qrun_lay_out(&l->run, &l->graph, kernels, !l->setup.flips, p);
    if (!l->moments.n) return;
    qc_head_scratch_place(&l->scratch, &l->shape, unlabelled, kernels, &scratch);
    qc_last_layer_place(&l->trial, &l->shape, &scratch);
    l->nearest = qc_placing_take(&scratch, unlabelled * sizeof *l->nearest);
    qc_placing_part(p, "solving, beyond activations");
    if (scratch.used > p->used - start) qc_placing_take(p, scratch.used - (p->used - start));
}

/* setup and graph are set. */
static void lay_out(QcLearner *l, const QcKernels *kernels, QcPlacing *p)
{
    const QcLearnerSetup *s = &l->setup;
    qc_head_shape(&l->shape, s->graph);
    lay_out_state(l, p);
    lay_out_ring(l, p);
    lay_out_set(l, p);
    lay_out_run(l, kernels, p);
    if (s->flips) s->flips->place(&l->flipper, &l->graph, &l->run, s->flip, &s->parameters, s->capacity + s->ring, p);
}

void qc_learner_plan(QcPlan *plan, const QcLearnerSetup *setup)
{
    QcLearner l = {.setup = *setup, .graph = *setup->graph};
    QcPlacing p = {.plan = plan};
    lay_out(&l, NULL, &p);
}

uint64_t qc_learner_bytes(const QcLearnerSetup *setup)
{
    QcPlan plan = {0};
    qc_learner_plan(&plan, setup);
    return qc_plan_bytes(&plan);
}

/* The last layer of a graph. */
static QcLastLayer layer_in(const QcQGraph *g)
{
    const QcQNode *node = &g->nodes[g->n_nodes - 1];
    return (QcLastLayer){qc_layer_codes(g, node), qc_layer_scale(g, node), qc_layer_bias(g, node)};
}

void qc_learner_place(QcLearner *l, const QcLearnerSetup *setup, const QcKernels *kernels, void *memory)
{
    *l = (QcLearner){.setup = *setup, .graph = *setup->graph, .flipper.score = setup->score};
    QcPlacing p = {.memory = memory};
    lay_out(l, kernels, &p);
    memset(l->state, 0, l->state_bytes);
    l->counters->share = setup->parameters.first_share;
    l->counters->trust = setup->parameters.first_trust;
    const QcLastLayer own = layer_in(setup->graph);
    for (int i = 0; i < 2; i++) qc_last_layer_copy(&l->shape, &l->layers[i], &own);
    if (setup->flips) memcpy(l->graph.codes, setup->graph->codes, setup->graph->n_code_bytes);
    qc_slots_clear(&l->coreset);
    qc_slots_clear(&l->ring);
    l->set.coreset = &l->coreset;
    l->set.ring = &l->ring;
    qc_learner_resume(l);
}

void qc_learner_resume(QcLearner *l)
{
    qc_learner_use_active(l);
    memset(l->ring.flags, QC_RING_EMPTY, l->ring.capacity); /* the windows in the ring were numbered before this
                                                             * state */
}

/* ---- predict and label ---- */

uint32_t qc_learner_row_of_age(const QcLearner *l, uint32_t age)
{
    return (l->next_row + l->ring.capacity - age) % l->ring.capacity;
}

void qc_learner_logits(QcLearner *l, float *logits, const uint8_t *window) { qc_qrun_forward(&l->run, logits, window); }

void qc_learner_fill(QcLearner *l, uint32_t slot, const uint8_t *window, const uint8_t *features, uint16_t label,
                     uint16_t misses, uint8_t flags, uint64_t id)
{
    QcSlots *s = &l->coreset;
    if (!features) qc_qrun_forward(&l->run, l->logits, window);
    memcpy(qc_slot_features(s, slot), features ? features : qc_learner_features(l), s->features);
    if (s->window) memcpy(qc_slot_window(s, slot), window, s->window);
    s->label[slot] = label;
    s->misses[slot] = misses;
    s->flags[slot] = flags;
    s->id[slot] = id;
}

static float probability_of(const float *logits, uint32_t best, uint32_t classes)
{
    float sum = 0;
    for (uint32_t k = 0; k < classes; k++) sum += qc_exp(logits[k] - logits[best]);
    return 1 / sum;
}

int qc_learner_predict(QcLearner *l, QcAnswer *answer, const uint8_t *window, uint64_t id)
{
    uint32_t row = l->next_row;
    int lost = l->ring.flags[row] == QC_RING_LABELLED;
    /* before activations take its place */
    if (l->ring.window) memcpy(qc_slot_window(&l->ring, row), window, l->ring.window);
    qc_qrun_forward(&l->run, l->logits, window);
    memcpy(qc_slot_features(&l->ring, row), qc_learner_features(l), l->ring.features);
    uint32_t best = qc_largest(l->logits, l->shape.classes);
    l->answer[row] = (uint16_t)best;
    l->ring.flags[row] = QC_RING_PREDICTED;
    l->ring.id[row] = id;
    l->next_row = (row + 1) % l->ring.capacity;
    *answer = (QcAnswer){l->counters->next++, (uint16_t)best, probability_of(l->logits, best, l->shape.classes)};
    return lost;
}

int64_t qc_learner_row(const QcLearner *l, uint32_t number)
{
    uint32_t age = l->counters->next - number; /* 1: the latest */
    if (age < 1 || age > l->ring.capacity || l->ring.flags[qc_learner_row_of_age(l, age)] == QC_RING_EMPTY) return -1;
    return qc_learner_row_of_age(l, age);
}

int qc_learner_is_labelled(const QcLearner *l, uint32_t number)
{
    int64_t row = qc_learner_row(l, number);
    return row >= 0 && (l->ring.flags[row] == QC_RING_LABELLED || l->ring.flags[row] == QC_RING_LEARNED);
}

int qc_learner_label(QcLearner *l, uint32_t number, uint16_t label)
{
    int64_t row = qc_learner_row(l, number);
    if (row < 0 || label >= l->shape.classes) return -1;
    if (l->ring.flags[row] != QC_RING_PREDICTED && l->ring.flags[row] != QC_RING_LABELLED) return -1;
    l->ring.label[row] = label;
    l->ring.flags[row] = QC_RING_LABELLED;
    return 0;
}

uint32_t qc_learner_classes(const QcLearner *l)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < l->shape.classes; k++)
        n += !l->moments.n || !qc_is_spare_row(&l->layers[l->counters->active], &l->shape, k);
    return n;
}

int qc_learner_answer(QcLearner *l, QcAnswer *answer, uint32_t number)
{
    int64_t row = qc_learner_row(l, number);
    if (row < 0) return -1;
    uint32_t best = qc_learner_logits_of(l, (uint32_t)row);
    *answer = (QcAnswer){number, (uint16_t)best, probability_of(l->logits, best, l->shape.classes)};
    return 0;
}

/* ---- in and out ---- */

void qc_learner_store(const QcLearner *l, QcQGraph *g)
{
    const QcLastLayer there = layer_in(g);
    if (l->setup.flips && g->codes != l->graph.codes) memcpy(g->codes, l->graph.codes, g->n_code_bytes);
    qc_last_layer_copy(&l->shape, &there, &l->layers[l->counters->active]);
}

int qc_learner_is_sound(const QcLearner *l)
{
    const QcLearnerCounters *c = l->counters;
    if (c->active > 1 || c->can_undo > 1 || !(c->share > 0 && c->share < 1e6f) ||
        !(c->trust > -1e6f && c->trust < 1e6f) || !(c->drift > -1e6f && c->drift < 1e6f))
        return 0;
    for (uint32_t i = 0; i < l->coreset.capacity; i++)
        if (!(l->coreset.flags[i] & QC_SLOT_EMPTY) && l->coreset.label[i] >= l->shape.classes) return 0;
    if (l->setup.flips && !l->setup.flips->is_sound(&l->flipper)) return 0;
    return qc_last_layer_is_sound(&l->layers[0], &l->shape) && qc_last_layer_is_sound(&l->layers[1], &l->shape) &&
           (!l->moments.n || qc_moments_are_sound(&l->moments));
}
