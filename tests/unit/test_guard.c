/* What an adapt does not change: the network below the last layer, the setup's graph, and the whole learner if the
 * guard refuses. Then undo. */
#include "suite.h"
#include "tiny.h"
#include "streaming.h"

/* A copy of all that the setup's graph has. */
typedef struct Model {
    uint8_t *codes;
    float *scale;
    int32_t *bias;
} Model;

static Model model_copy(const QcQGraph *g)
{
    return (Model){copy_of(g->codes, g->n_code_bytes), copy_of(g->scale, g->n_channels * sizeof *g->scale),
                   copy_of(g->bias, g->n_channels * sizeof *g->bias)};
}

static void model_release(Model *m)
{
    free(m->codes);
    free(m->scale);
    free(m->bias);
}

static void expect_model(const Model *m, const QcQGraph *g)
{
    ck_assert_mem_eq(m->codes, g->codes, g->n_code_bytes);
    ck_assert_mem_eq(m->scale, g->scale, g->n_channels * sizeof *g->scale);
    ck_assert_mem_eq(m->bias, g->bias, g->n_channels * sizeof *g->bias);
}

/* _i: kind. Without flips the codes of the learner's graph are the setup's own. Stored into a copy, the last layer is
 * all that differs. */
START_TEST(only_last_layer_changes)
{
    for (int bits = 2; bits <= 8; bits *= 2)
        for (int flips = 0; flips < 2; flips++) {
            Device d;
            uint32_t solved = 0, flipped = 0;
            device_begin(&d, (TinyKind)_i, bits, flips);
            Model before = model_copy(&d.t.g), stored = model_copy(&d.t.g);
            for (uint32_t n = 0; n < 4; n++) {
                QcAdaptReport r = learn(&d, n, n, n == 2 ? 2 : TINY_CLASSES);
                solved += r.solved;
                flipped += r.flips;
                expect_model(&before, &d.t.g);
            }
            ck_assert_uint_gt(solved, 0);
            QcQGraph copy = d.t.g;
            copy.codes = stored.codes, copy.scale = stored.scale, copy.bias = stored.bias;
            qc_learner_store(&d.l, &copy);
            const QcQNode *last = &copy.nodes[copy.n_nodes - 1];
            uint32_t end = last->code_byte + (uint32_t)qc_head_code_bytes(&d.l.shape);
            if (!flips) ck_assert(!flipped && d.l.graph.codes == d.t.g.codes);
            if (!flipped)
                ck_assert(!memcmp(before.codes, copy.codes, last->code_byte) &&
                          !memcmp(before.codes + end, copy.codes + end, copy.n_code_bytes - end));
            ck_assert(!memcmp(before.scale, copy.scale, last->channel * sizeof *copy.scale) &&
                      !memcmp(before.bias, copy.bias, last->channel * sizeof *copy.bias));
            for (uint64_t id = 5000; id < 5020; id++) { /* the stored model answers as the learner does */
                uint8_t q[TINY_VALUES];
                float ours[TINY_CLASSES], theirs[TINY_CLASSES];
                window_of(q, &d.t.g, id);
                qc_learner_logits(&d.l, ours, q);
                d.t.run.g = &copy;
                qc_qrun_forward(&d.t.run, theirs, q);
                d.t.run.g = &d.t.g;
                ck_assert_mem_eq(ours, theirs, sizeof ours);
            }
            model_release(&before);
            model_release(&stored);
            device_end(&d);
        }
}
END_TEST

enum { MANY = 4 * BATCH, RING = 59 };

/* A learner that has learned the source, and has most of it right. */
static void begin_learned(Device *d, TinyKind kind, int bits, int flips, uint64_t seed)
{
    QcAdaptReport r = {0};
    uint64_t ids[BATCH];
    device_make(d, kind, bits);
    d->setup = setup_of(bits, flips);
    d->setup.seed = seed;
    d->setup.ring = RING;
    device_place(d, &qc_kernels_scalar, 1);
    device_fill(d, CAPACITY);
    for (uint32_t n = 0; n < 2; n++) {
        for (uint32_t i = 0; i < BATCH; i++) ids[i] = 100 + (seed * 2 + n) * BATCH + i;
        observe(d, ids, BATCH, 0);
        qc_learner_adapt(&d->l, &r);
    }
}

/* Many windows of the source with the labels of other classes. */
static void observe_permuted(Device *d, uint32_t off)
{
    uint64_t ids[MANY];
    for (uint32_t i = 0; i < MANY; i++) ids[i] = 900 + i;
    observe(d, ids, MANY, off);
}

/* The state but for what a refused batch may change. */
static uint8_t *state_copy(const Device *d)
{
    QcLearnerCounters now = *d->l.counters;
    d->l.counters->adapts = d->l.counters->next = 0;
    uint8_t *copy = copy_of(d->l.state, d->l.state_bytes);
    *d->l.counters = now;
    return copy;
}

static uint32_t kept_right(Device *d)
{
    uint32_t right = 0;
    for (uint32_t s = 0; s < d->l.coreset.capacity; s++) {
        if (d->l.coreset.flags[s] & QC_SLOT_EMPTY) continue;
        right += class_outside(d, d->l.coreset.id[s]) == d->l.coreset.label[s];
    }
    return right;
}

/* _i: seed. A batch of permuted labels. */
START_TEST(loss_of_known_examples_is_refused)
{
    uint32_t refused = 0;
    for (int kind = 0; kind < TINY_KINDS; kind++)
        for (int flips = 0; flips < 2; flips++) {
            Device d;
            QcAdaptReport r;
            float logits[TINY_CLASSES], after[TINY_CLASSES];
            uint8_t q[TINY_VALUES];
            begin_learned(&d, (TinyKind)kind, 2 << (kind + flips) % 3, flips, (uint64_t)_i);
            ck_assert_uint_ge(kept_right(&d), CAPACITY - 3); /* there is much to lose */
            window_of(q, &d.t.g, 990);
            observe_permuted(&d, 1 + (uint32_t)_i % 3);
            qc_learner_logits(&d.l, logits, q);
            uint8_t *before = state_copy(&d);
            uint32_t adapts = d.l.counters->adapts, next = d.l.counters->next, can_undo = d.l.counters->can_undo;
            qc_learner_adapt(&d.l, &r);
            if (r.refused) {
                uint8_t *now = state_copy(&d);
                for (uint32_t at = 0; at < d.l.state_bytes; at++)
                    ck_assert_msg(before[at] == now[at], "kind %d flips %d: byte %u of %u", kind, flips, at,
                                  d.l.state_bytes);
                ck_assert(d.l.counters->adapts == adapts + 1 && d.l.counters->next == next);
                qc_learner_logits(&d.l, after, q);
                ck_assert_mem_eq(logits, after, sizeof logits);
                ck_assert(!r.solved && !r.flips && r.source_after == r.source_before && r.loss_after == r.loss_before);
                ck_assert_int_eq(qc_learner_label(&d.l, next - 1, 0), -1); /* the labels are dropped */
                ck_assert_int_eq(qc_learner_undo(&d.l), can_undo ? 0 : -1);
                free(now);
                refused++;
            }
            free(before);
            device_end(&d);
        }
    ck_assert_uint_ge(refused, 7); /* of 14: of 12 kept examples some are lost by chance */
}
END_TEST

/* RING windows of the source, each with a label that a generator deals it. */
static void observe_dealt(Device *d, uint64_t seed)
{
    QcRng rng = qc_rng_seed(seed, 1);
    for (uint32_t i = 0; i < RING; i++) {
        QcAnswer a = predict(d, 700 + i, NULL);
        ck_assert_int_eq(qc_learner_label(&d->l, a.number, (uint16_t)qc_rng_below(&rng, TINY_CLASSES)), 0);
    }
}

/* _i: seed. Nothing changes, whatever the kept examples would say. One of 14 may agree by chance. */
START_TEST(random_labels_are_refused)
{
    int refused = 0;
    for (int kind = 0; kind < TINY_KINDS; kind++)
        for (int flips = 0; flips < 2; flips++) {
            Device d;
            QcAdaptReport r;
            begin_learned(&d, (TinyKind)kind, 2 << (kind + flips) % 3, flips, (uint64_t)_i);
            observe_dealt(&d, (uint64_t)(_i * 10 + kind));
            uint8_t *before = state_copy(&d);
            qc_learner_adapt(&d.l, &r);
            uint8_t *now = state_copy(&d);
            if (r.refused) {
                ck_assert_mem_eq(before, now, d.l.state_bytes);
                ck_assert(!r.solved && !r.flips && !r.forwards && r.right_after == r.right_before);
                refused++;
            }
            free(before);
            free(now);
            device_end(&d);
        }
    ck_assert_int_ge(refused, 2 * TINY_KINDS - 1);
}
END_TEST

/* _i: seed. A model that is wrong about most of the stream learns true labels. It also learns labels of a batch that
 * is too small for the test. */
START_TEST(labels_that_contradict_the_model_are_learned)
{
    for (int kind = 0; kind < TINY_KINDS; kind++)
        for (uint32_t n = 1; n <= RING; n += n < 4 ? 1 : 55) {
            Device d;
            QcAdaptReport r;
            uint64_t ids[RING];
            device_make(&d, (TinyKind)kind, 8);
            d.setup = setup_of(8, 0);
            d.setup.ring = RING;
            device_place(&d, &qc_kernels_scalar, 1);
            device_fill(&d, CAPACITY);
            for (uint32_t i = 0; i < n; i++) ids[i] = SOURCE_IDS + 100 * (uint64_t)_i + i;
            observe(&d, ids, n, 0);
            qc_learner_adapt(&d.l, &r);
            ck_assert_msg(!r.refused, "kind %d: %u of %u right", kind, r.right_before, r.n);
            device_end(&d);
        }
}
END_TEST

/* With a guard of 1 nothing is refused. */
START_TEST(guard_1_accepts_everything)
{
    Device d;
    QcAdaptReport r;
    begin_learned(&d, TINY_PLAIN, 8, 0, 1);
    d.l.setup.parameters.guard = 1;
    observe_permuted(&d, 1);
    qc_learner_adapt(&d.l, &r);
    ck_assert(!r.refused && r.solved);
    observe_dealt(&d, 1);
    qc_learner_adapt(&d.l, &r);
    ck_assert(!r.refused);
    device_end(&d);
}
END_TEST

static void logits_of_some(Device *d, float (*logits)[TINY_CLASSES])
{
    for (uint32_t i = 0; i < 10; i++) {
        uint8_t q[TINY_VALUES];
        window_of(q, &d->t.g, 6000 + i);
        qc_learner_logits(&d->l, logits[i], q);
    }
}

/* _i: kind. Before the first adapt there is no way back; after each that changed the last layer there is one step;
 * batches of few classes, whose new last layer was no better, and refused batches leave the way back as it was. */
START_TEST(undo_restores_previous_layer)
{
    uint32_t undone = 0, kept = 0;
    for (int bits = 2; bits <= 8; bits *= 2) {
        Device d;
        float before[10][TINY_CLASSES], last[10][TINY_CLASSES], now[10][TINY_CLASSES];
        device_begin(&d, (TinyKind)_i, bits, 0);
        ck_assert_int_eq(qc_learner_undo(&d.l), -1);
        logits_of_some(&d, last);
        memcpy(before, last, sizeof last);
        int can_undo = 0;
        for (uint32_t n = 0; n < 24; n++) {
            QcAdaptReport r = learn(&d, n, n, n % 3 ? 1 + n % 2 : TINY_CLASSES);
            logits_of_some(&d, now);
            ck_assert((memcmp(now, last, sizeof now) != 0) == r.solved);
            if (r.solved) memcpy(before, last, sizeof last), can_undo = 1;
            memcpy(last, now, sizeof now);
            ck_assert_uint_eq(d.l.counters->can_undo, can_undo);
            kept += !r.solved && can_undo;
            if (n % 4 != 3 || !can_undo) continue;
            ck_assert_int_eq(qc_learner_undo(&d.l), 0);
            logits_of_some(&d, now);
            ck_assert_mem_eq(now, before, sizeof now);
            ck_assert_int_eq(qc_learner_undo(&d.l), -1);
            memcpy(last, now, sizeof now);
            can_undo = 0;
            undone++;
        }
        device_end(&d);
    }
    ck_assert(undone > 3 && kept > 0);
}
END_TEST

/* Flips change the codes below the last layer: there is no way back over them. */
START_TEST(undo_is_impossible_after_flips)
{
    uint32_t flipped = 0;
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        Device d;
        device_begin(&d, (TinyKind)kind, 2, 1);
        for (uint32_t n = 0; n < 5; n++) {
            QcAdaptReport r = learn(&d, n, n, TINY_CLASSES);
            if (r.flips) ck_assert_int_eq(qc_learner_undo(&d.l), -1);
            flipped += r.flips;
        }
        device_end(&d);
    }
    ck_assert_uint_gt(flipped, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("guard");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, only_last_layer_changes, 0, TINY_KINDS);
    tcase_add_loop_test(t, loss_of_known_examples_is_refused, 1, 11);
    tcase_add_loop_test(t, random_labels_are_refused, 1, 5);
    tcase_add_loop_test(t, labels_that_contradict_the_model_are_learned, 0, 4);
    tcase_add_test(t, guard_1_accepts_everything);
    tcase_add_loop_test(t, undo_restores_previous_layer, 0, TINY_KINDS);
    tcase_add_test(t, undo_is_impossible_after_flips);
    suite_add_tcase(s, t);
    return run_suite(s);
}
