#include "learner.h"

#include "../kernels/mem.h"
#include "learnerset.h"
#include "qmath.h"

#define GUESS_UNTIL 2.0f
#define TRUST_MEMORY 0.7f

/* ---- memory ---- */

static const QcQNode *last_node(const QcLearner *l) { return &l->graph.nodes[l->graph.n_nodes - 1]; }

static uint32_t tensor_bytes(const QcQTensor *t) { return (uint32_t)t->height * t->width * t->channels; }
static uint32_t window_bytes(const QcQGraph *g) { return tensor_bytes(&g->tensors[0]); }

/* All that the last layer reads. If a head fits, that is shape.features. */
static uint32_t feature_bytes(const QcQGraph *g) { return tensor_bytes(&g->tensors[g->nodes[g->n_nodes - 1].in[0]]); }

/* All that is kept when the power goes, in one block. */
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
    l->logits = qc_placing_take(p, l->shape.classes * sizeof *l->logits);
}

/* A head is solved between forward passes, so its scratch lies where activations do, and goes on behind them where it
 * is larger. */
static void lay_out_run(QcLearner *l, const QcKernels *kernels, QcPlacing *p)
{
    QcPlacing scratch = {.memory = p->memory ? p->memory + p->used : NULL};
    uint64_t start = p->used;
    qc_qrun_lay_out(&l->run, &l->graph, kernels, !l->setup.flips, p);
    if (!l->moments.n) return;
    qc_head_scratch_place(&l->scratch, &l->shape, l->setup.ring, kernels, &scratch);
    qc_last_layer_place(&l->trial, &l->shape, &scratch);
    l->nearest = qc_placing_take(&scratch, l->setup.ring * sizeof *l->nearest);
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

static void copy_layer(const QcLearner *l, const QcLastLayer *to, const QcLastLayer *from)
{
    memcpy(to->codes, from->codes, (size_t)qc_head_code_bytes(&l->shape));
    memcpy(to->scale, from->scale, l->shape.classes * sizeof *to->scale);
    memcpy(to->bias, from->bias, l->shape.classes * sizeof *to->bias);
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
    const QcLastLayer own = layer_in(setup->graph);
    for (int i = 0; i < 2; i++) copy_layer(l, &l->layers[i], &own);
    if (setup->flips) memcpy(l->graph.codes, setup->graph->codes, setup->graph->n_code_bytes);
    qc_slots_clear(&l->coreset);
    qc_slots_clear(&l->ring);
    l->set.coreset = &l->coreset;
    l->set.ring = &l->ring;
    qc_learner_resume(l);
}

static void answer_by_active(QcLearner *l) { l->graph.last = &l->layers[l->counters->active]; }

void qc_learner_resume(QcLearner *l)
{
    answer_by_active(l);
    memset(l->ring.flags, QC_RING_EMPTY, l->ring.capacity); /* its windows have numbers of another life */
}

/* ---- predict and label ---- */

/* The ring's row of the window that is `age` windows old (1: the latest), age <= capacity. */
static uint32_t row_of(const QcLearner *l, uint32_t age)
{
    return (l->next_row + l->ring.capacity - age) % l->ring.capacity;
}

static uint8_t *features_in(const QcLearner *l) { return qc_qrun_tensor(&l->run, last_node(l)->in[0]); }

void qc_learner_logits(QcLearner *l, float *logits, const uint8_t *window) { qc_qrun_forward(&l->run, logits, window); }

void qc_learner_fill(QcLearner *l, uint32_t slot, const uint8_t *window, const uint8_t *features, uint16_t label,
                     uint16_t misses, uint8_t flags, uint64_t id)
{
    QcSlots *s = &l->coreset;
    if (!features) qc_qrun_forward(&l->run, l->logits, window);
    memcpy(qc_slot_features(s, slot), features ? features : features_in(l), s->features);
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
    memcpy(qc_slot_features(&l->ring, row), features_in(l), l->ring.features);
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
    if (age < 1 || age > l->ring.capacity || l->ring.flags[row_of(l, age)] == QC_RING_EMPTY) return -1;
    return row_of(l, age);
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

/* ---- the set, and how a last layer does on it ---- */

void qc_learner_gather(QcLearner *l)
{
    QcSet *set = &l->set;
    set->n = 0;
    for (uint32_t s = 0; s < l->coreset.capacity; s++)
        if (!(l->coreset.flags[s] & QC_SLOT_EMPTY)) set->row[set->n++] = s;
    set->n_kept = set->n;
    for (uint32_t age = l->ring.capacity; age >= 1; age--) { /* the oldest first */
        uint32_t row = row_of(l, age);
        if (l->ring.flags[row] == QC_RING_LABELLED) set->row[set->n++] = row;
    }
    set->n_unlabelled = 0;
    for (uint32_t age = l->ring.capacity; age >= 1 && l->setup.parameters.guess_weight > 0; age--)
        if (l->ring.flags[row_of(l, age)] == QC_RING_PREDICTED) set->row[set->n + set->n_unlabelled++] = row_of(l, age);
    for (uint32_t i = 0; i < set->n; i++) {
        const QcSlots *from = qc_set_slots(set, i);
        l->misses[i] = i < set->n_kept ? from->misses[set->row[i]] : 0;
        l->ever[i] = i < set->n_kept && !(from->flags[set->row[i]] & QC_SLOT_NEVER_RIGHT);
    }
}

/* Logits of features by a last layer; codes: unpacked, NULL if no head fits. */
static void logits_by(QcLearner *l, const QcLastLayer *layer, const int8_t *codes, const uint8_t *features)
{
    if (codes) {
        qc_head_logits(l->logits, &l->shape, codes, layer->scale, layer->bias, features);
    } else {
        memcpy(features_in(l), features, l->coreset.features);
        l->graph.last = layer;
        qc_qrun_logits(&l->run, l->logits);
        answer_by_active(l);
    }
}

uint32_t qc_learner_logits_of(QcLearner *l, uint32_t row)
{
    const QcLastLayer *active = &l->layers[l->counters->active];
    logits_by(l, active, l->moments.n ? qc_head_unpack(l->scratch.codes, active, &l->shape) : NULL,
              qc_slot_features(&l->ring, row));
    return qc_largest(l->logits, l->shape.classes);
}

int qc_learner_answer(QcLearner *l, QcAnswer *answer, uint32_t number)
{
    int64_t row = qc_learner_row(l, number);
    if (row < 0) return -1;
    uint32_t best = qc_learner_logits_of(l, (uint32_t)row);
    *answer = (QcAnswer){number, (uint16_t)best, probability_of(l->logits, best, l->shape.classes)};
    return 0;
}

/* right [set]: which examples a last layer has right, by their features. Returns its loss. */
static float judge(QcLearner *l, uint8_t *right, const QcLastLayer *layer)
{
    const QcSet *set = &l->set;
    uint32_t classes = l->shape.classes;
    float loss = 0, present = (float)qc_set_count(set, 0, l->count, classes);
    const int8_t *codes = l->moments.n ? qc_head_unpack(l->scratch.codes, layer, &l->shape) : NULL;
    for (uint32_t i = 0; i < set->n; i++) {
        uint16_t label = qc_set_label(set, i);
        logits_by(l, layer, codes, qc_set_features(set, i));
        right[i] = qc_largest(l->logits, classes) == label;
        loss += qc_cross_entropy(l->logits, label, classes) / (present * (float)l->count[label]);
    }
    return loss;
}

static uint32_t right_of_source(const QcLearner *l, const uint8_t *right)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < l->set.n_kept; i++) n += qc_set_is_source(&l->set, i) && right[i];
    return n;
}

static void report_before(QcLearner *l, QcAdaptReport *report)
{
    report->n = l->set.n - l->set.n_kept;
    for (uint32_t i = l->set.n_kept; i < l->set.n; i++)
        report->right_before += l->answer[l->set.row[i]] == qc_set_label(&l->set, i);
    report->loss_before = report->loss_after = judge(l, l->right, &l->layers[l->counters->active]);
    for (uint32_t i = 0; i < l->set.n_kept; i++) report->source += (uint32_t)qc_set_is_source(&l->set, i);
    report->source_before = right_of_source(l, l->right);
    for (uint32_t i = 0; i < l->set.n; i++) l->ever[i] |= l->right[i];
}

static void report_after(QcLearner *l, QcAdaptReport *report)
{
    for (uint32_t i = l->set.n_kept; i < l->set.n; i++) report->right_after += l->after[i];
    report->source_after = right_of_source(l, l->after);
}

/* ---- the task of a new head ---- */

/* A window without a label counts by its answer. */
static int has_few_classes(QcLearner *l)
{
    uint32_t classes = qc_set_count(&l->set, l->set.n_kept, l->count, l->shape.classes);
    for (uint32_t u = 0; u < l->set.n_unlabelled; u++)
        classes += (uint32_t)(l->count[l->answer[l->set.row[l->set.n + u]]]++ == 0);
    return (float)classes <= l->setup.parameters.few_class_threshold * (float)l->shape.classes;
}

/* Labelled windows since one was the first of its class, after the set is learned. */
static uint32_t waited_after(const QcLearner *l, const QcHeadTask *t)
{
    uint32_t waited = l->counters->waited;
    for (uint32_t i = 0; i < l->set.n; i++) {
        if (!qc_head_is_new(t, i)) continue;
        uint16_t label = qc_set_label(&l->set, i);
        int shown = l->moments.count[label] > 0;
        for (uint32_t j = 0; j < i && !shown; j++) shown = qc_head_is_new(t, j) && qc_set_label(&l->set, j) == label;
        waited = shown ? waited + 1 : 0;
    }
    return waited;
}

QcHeadTask qc_learner_task(QcLearner *l)
{
    QcHeadTask t = {.shape = &l->shape, .parameters = &l->setup.parameters, .stream = &l->moments, .set = &l->set};
    t.takes_kept = l->counters->seen == 0;
    t.few_classes = has_few_classes(l);
    t.waited = l->moments.n ? waited_after(l, &t) : 0;
    return t;
}

/* The same as qc_guess_score of the last layer that answers. */
static float answer_score(QcLearner *l)
{
    float sum = 0;
    for (uint32_t i = l->set.n_kept; i < l->set.n; i++) {
        qc_learner_logits_of(l, l->set.row[i]);
        float loss = qc_cross_entropy(l->logits, qc_set_label(&l->set, i), l->shape.classes);
        sum += qc_ln(qc_exp(-loss) + QC_LEAST_SHARE);
    }
    return sum;
}

/* Windows without a label count while labels are few, as long as labels confirm what is guessed of them: with
 * GUESS_UNTIL labels per class, labels alone are better. */
static void choose_guesses(QcLearner *l, QcHeadTask *t)
{
    if (!l->moments.n || !l->set.n_unlabelled) return;
    if (l->set.n > l->set.n_kept) {
        float answered = answer_score(l); /* first, because guesses take the scratch */
        l->counters->trust = TRUST_MEMORY * l->counters->trust + (qc_guess_score(&l->scratch, t) - answered);
    }
    float labelled = (float)l->counters->seen + (float)(l->set.n - l->set.n_kept);
    t->guesses = l->counters->trust > 0 && !t->few_classes && labelled < GUESS_UNTIL * (float)l->shape.classes;
}

/* ---- the step ---- */

static QcAdaptMode choose_mode(const QcLearner *l, const QcHeadTask *t, const QcAdaptReport *report)
{
    const QcParameters *p = &l->setup.parameters;
    int can_solve = l->moments.n && qc_head_can_solve(t);
    if (!l->setup.flips || !p->rounds || !report->n) return QC_HEAD_ONLY;
    if (t->few_classes) return can_solve ? QC_HEAD_ONLY : QC_FLIPS_THEN_HEAD; /* flips would forget the classes that the
                                                                                 batch lacks */
    if (can_solve && p->skip_flips > 0 && (float)report->right_before >= p->skip_flips * (float)report->n)
        return QC_FLIPS_SKIPPED;
    return QC_FLIPS_THEN_HEAD;
}

static void observe_slot(QcLearner *l, const QcSlots *slots, uint32_t row, QcAdaptReport *report)
{
    qc_qrun_forward(&l->run, l->logits, qc_slot_window(slots, row));
    memcpy(qc_slot_features(slots, row), features_in(l), slots->features);
    report->forwards++;
}

/* Of the set, and of windows that still wait for a label. */
static void observe_features(QcLearner *l, QcAdaptReport *report)
{
    for (uint32_t i = 0; i < l->set.n; i++) observe_slot(l, qc_set_slots(&l->set, i), l->set.row[i], report);
    for (uint32_t row = 0; row < l->ring.capacity; row++)
        if (l->ring.flags[row] == QC_RING_PREDICTED) observe_slot(l, &l->ring, row, report);
}

static void flip(QcLearner *l, QcRng *rng, QcAdaptReport *report)
{
    const QcParameters *p = &l->setup.parameters;
    QcFlipCounts counts;
    QcFlipTask task = {.set = &l->set,
                       .parameters = p,
                       .stop = l->moments.n ? p->stop_loss : p->temperature_loss,
                       .right = l->after,
                       .ever = l->ever,
                       .misses = l->misses,
                       .share = &l->counters->share};
    l->setup.flips->run(&l->flipper, &counts, &task, rng);
    report->proposals = counts.proposals;
    report->accepted = counts.accepted;
    report->flips = counts.flips;
    report->forwards += counts.forwards;
    report->statistics = counts.statistics;
    if (counts.accepted) observe_features(l, report);
}

/* Tries a new last layer; report->solved says whether it should answer from now on, and l->after what the layer that
 * then answers has right. A batch of few classes gets a new head only if that is better on the set: it says little of
 * the classes that it lacks. */
static void refit(QcLearner *l, const QcHeadTask *t, QcAdaptReport *report)
{
    const QcLastLayer *active = &l->layers[l->counters->active];
    float solved, loss = report->loss_after = report->flips ? judge(l, l->after, active) : report->loss_before;
    int is_wanted = l->moments.n && qc_head_can_solve(t) && (!t->few_classes || loss > t->parameters->temperature_loss);
    if (!is_wanted) return;
    int is_solved = qc_head_solve(&l->trial, l->after, &solved, &l->scratch, t);
    report->operations = l->scratch.operations;
    if (!is_solved || (t->few_classes && !(solved < 0.9999f * loss))) { /* by more than a sum in another order */
        judge(l, l->after, active);
        return;
    }
    report->loss_after = solved;
    report->solved = 1;
}

/* Of the kept examples of one origin, were more right before than the guard allows? By two standard deviations of the
 * number that it allows, or by more than a single example: of few examples, some are lost by chance. */
static int loses_too_much(const QcLearner *l, int source)
{
    float n = 0, lost = 0;
    for (uint32_t i = 0; i < l->set.n_kept; i++) {
        if (qc_set_is_source(&l->set, i) != source) continue;
        n++;
        lost += (float)l->right[i] - (float)l->after[i];
    }
    float guard = l->setup.parameters.guard;
    return lost > guard * n + qc_most(1, 2 * qc_sqrt(guard * (1 - guard) * n));
}

/* ---- commit or refuse ---- */

static void count_misses(QcLearner *l)
{
    for (uint32_t i = 0; i < l->set.n; i++) {
        if (l->right[i] && !l->after[i] && l->misses[i] < UINT16_MAX) l->misses[i]++;
        l->ever[i] |= l->after[i];
    }
}

static void learn_moments(QcLearner *l, const QcHeadTask *t)
{
    QcMoments *m = &l->moments;
    QcScatterQueue queue = {.kernels = l->scratch.kernels, .scatter = m->scatter, .rows = l->scratch.queue, .n = m->n};
    l->counters->waited = t->waited;
    for (uint32_t i = 0; m->n && i < l->set.n; i++)
        if (qc_head_is_new(t, i)) {
            uint16_t label = qc_set_label(&l->set, i);
            qc_mean_add(m->mean + (size_t)label * m->n, &m->count[label], &queue, qc_set_features(&l->set, i),
                        l->shape.zero, l->setup.parameters.average_window);
        }
    qc_queue_flush(&queue);
}

static void count_origins(const QcLearner *l, QcAdaptReport *report)
{
    const QcSlots *s = &l->coreset;
    for (uint32_t slot = 0; slot < s->capacity; slot++) {
        int in_batch = 0;
        if (s->flags[slot] & QC_SLOT_EMPTY) continue;
        for (uint32_t i = l->set.n_kept; i < l->set.n && !in_batch; i++)
            in_batch = l->ring.id[l->set.row[i]] == s->id[slot];
        if (!(s->flags[slot] & QC_SLOT_STREAM)) report->from_source++;
        else if (in_batch) report->from_batch++;
        else report->from_stream++;
    }
}

static void update_coreset(QcLearner *l, QcRng *rng)
{
    QcSlots *s = &l->coreset;
    uint32_t kept = l->set.n_kept;
    for (uint32_t i = 0; i < kept; i++) {
        s->misses[l->set.row[i]] = l->misses[i];
        if (l->ever[i]) s->flags[l->set.row[i]] &= (uint8_t)~QC_SLOT_NEVER_RIGHT;
    }
    QcBatch batch = {l->set.n - kept, l->set.row + kept, l->ring.windows, l->ring.feature, l->ring.label, l->ring.id};
    qc_slots_update(s, &batch, l->misses + kept, l->ever + kept, l->counters->seen,
                    (QcUpdate)l->setup.parameters.update, rng, l->keys);
}

static void leave_ring(QcLearner *l)
{
    for (uint32_t i = l->set.n_kept; i < l->set.n; i++) l->ring.flags[l->set.row[i]] = QC_RING_LEARNED;
}

static void commit(QcLearner *l, const QcHeadTask *t, QcRng *rng, QcAdaptReport *report)
{
    report_after(l, report);
    count_misses(l);
    if (report->n) learn_moments(l, t);
    if (report->solved) {
        l->counters->active = 1 - l->counters->active;
        copy_layer(l, &l->layers[l->counters->active], &l->trial);
        l->counters->can_undo = 1;
    }
    if (report->flips) l->counters->can_undo = 0;
    answer_by_active(l);
    update_coreset(l, rng);
    l->counters->seen += report->n;
}

static void refuse(QcLearner *l, const QcLearnerCounters *before, QcAdaptReport *report)
{
    uint32_t adapts = l->counters->adapts;
    float trust = l->counters->trust;
    *l->counters = *before;
    l->counters->adapts = adapts;
    l->counters->trust = trust;
    if (report->mode == QC_FLIPS_THEN_HEAD) l->setup.flips->restore(&l->flipper);
    if (report->flips) observe_features(l, report);
    report->refused = 1;
    report->solved = report->flips = 0;
    report->loss_after = judge(l, l->after, &l->layers[l->counters->active]);
    report_after(l, report);
}

void qc_learner_adapt(QcLearner *l, QcAdaptReport *report)
{
    const QcLearnerCounters before = *l->counters;
    QcRng rng = qc_rng_seed(l->setup.seed, QC_STREAM_BATCH0 + l->counters->adapts);
    *report = (QcAdaptReport){0};
    qc_learner_gather(l);
    QcHeadTask task = qc_learner_task(l);
    choose_guesses(l, &task);
    if (l->set.n == l->set.n_kept && !task.guesses) return;
    l->counters->adapts++;
    report_before(l, report);
    report->mode = choose_mode(l, &task, report);
    memcpy(l->after, l->right, l->set.n);
    if (report->mode == QC_FLIPS_THEN_HEAD) flip(l, &rng, report);
    refit(l, &task, report);
    if (loses_too_much(l, 1) || loses_too_much(l, 0)) refuse(l, &before, report);
    else commit(l, &task, &rng, report);
    leave_ring(l);
    count_origins(l, report);
}

int qc_learner_undo(QcLearner *l)
{
    if (!l->counters->can_undo) return -1;
    l->counters->active = 1 - l->counters->active;
    l->counters->can_undo = 0;
    answer_by_active(l);
    return 0;
}

/* ---- in and out ---- */

void qc_learner_store(const QcLearner *l, QcQGraph *g)
{
    const QcLastLayer there = layer_in(g);
    if (l->setup.flips && g->codes != l->graph.codes) memcpy(g->codes, l->graph.codes, g->n_code_bytes);
    copy_layer(l, &there, &l->layers[l->counters->active]);
}

static int is_sound_layer(const QcLearner *l, const QcLastLayer *layer)
{
    for (uint32_t k = 0; k < l->shape.classes; k++)
        if (!(layer->scale[k] > 0 && layer->scale[k] < 1e20f) || layer->bias[k] < -l->shape.largest_bias ||
            layer->bias[k] > l->shape.largest_bias)
            return 0;
    return 1;
}

int qc_learner_is_sound(const QcLearner *l)
{
    const QcLearnerCounters *c = l->counters;
    if (c->active > 1 || c->can_undo > 1 || !(c->share > 0 && c->share < 1e6f) ||
        !(c->trust > -1e6f && c->trust < 1e6f))
        return 0;
    for (uint32_t i = 0; i < l->coreset.capacity; i++)
        if (!(l->coreset.flags[i] & QC_SLOT_EMPTY) && l->coreset.label[i] >= l->shape.classes) return 0;
    if (l->setup.flips && !l->setup.flips->is_sound(&l->flipper)) return 0;
    return is_sound_layer(l, &l->layers[0]) && is_sound_layer(l, &l->layers[1]) &&
           (!l->moments.n || qc_moments_are_sound(&l->moments));
}
