/* How an adapt learns: by the closed-form head alone, by flips first, or with flips skipped; from windows labelled
 * late. Its memory is exactly the promised memory. */
#include "suite.h"
#include "tiny.h"
#include "streaming.h"

static uint64_t add_to_hash(uint64_t hash, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) hash = qc_hash64(hash, ((const uint8_t *)bytes)[i]);
    return hash;
}

static uint64_t codes_of(const Device *d)
{
    const QcQGraph *g = &d->l.graph;
    return add_to_hash(0, g->codes, g->n_code_bytes);
}

/* _i: kind. Batches of few classes never skip flips: they have none. */
START_TEST(flips_are_skipped_if_batch_is_already_correct)
{
    uint32_t skipped = 0, poor = 0;
    for (int bits = 2; bits <= 8; bits *= 2) {
        Device d;
        device_begin(&d, (TinyKind)_i, bits, 1);
        d.l.setup.parameters.skip_flips = 0.7f;
        for (uint32_t n = 0; n < 8; n++) {
            const int few = n % 3 == 2;
            uint64_t codes = codes_of(&d), learned = d.l.moments.count[n % TINY_CLASSES];
            float share = d.l.counters->share;
            QcAdaptReport r = learn(&d, n, n, few ? 1 : TINY_CLASSES);
            ck_assert_uint_eq(r.mode, few                                     ? QC_HEAD_ONLY
                                      : (float)r.right_before >= 0.7f * BATCH ? QC_FLIPS_SKIPPED
                                                                              : QC_FLIPS_THEN_HEAD);
            if (!r.refused) ck_assert_uint_gt(d.l.moments.count[n % TINY_CLASSES], learned);
            poor += r.mode == QC_FLIPS_THEN_HEAD;
            if (r.mode == QC_FLIPS_THEN_HEAD) continue;
            ck_assert(codes_of(&d) == codes && d.l.counters->share == share && !r.flips && !r.proposals &&
                      !r.statistics && !r.forwards);
            skipped += r.mode == QC_FLIPS_SKIPPED;
        }
        device_end(&d);
    }
    ck_assert(skipped > 0 && poor > 0);
}
END_TEST

/* A skip_flips of 0 never skips. */
START_TEST(skip_flips_0_never_skips)
{
    Device d;
    device_begin(&d, TINY_PLAIN, 8, 1);
    d.l.setup.parameters.skip_flips = 0;
    for (uint32_t n = 0; n < 5; n++) ck_assert_uint_eq(learn(&d, n, n, TINY_CLASSES).mode, QC_FLIPS_THEN_HEAD);
    device_end(&d);
}
END_TEST

/* A flip network that makes no proposals changes nothing: last layers, moments and answers are the same as without
 * it, with batches of few classes in between. */
START_TEST(flip_network_without_proposals_changes_nothing)
{
    uint32_t solved = 0;
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        Device with, without;
        const int bits = 2 << (kind + _i) % 3;
        device_begin(&with, (TinyKind)kind, bits, 1);
        with.l.setup.parameters.rounds = 0;
        device_begin(&without, (TinyKind)kind, bits, 0);
        ck_assert_uint_lt(qc_learner_bytes(&without.setup), qc_learner_bytes(&with.setup));
        for (uint32_t n = 0; n < 6; n++) {
            QcAdaptReport r[2] = {learn(&with, n, n, n % 3 == 2 ? 1 : TINY_CLASSES),
                                  learn(&without, n, n, n % 3 == 2 ? 1 : TINY_CLASSES)};
            ck_assert(r[0].right_before == r[1].right_before && r[0].right_after == r[1].right_after &&
                      r[0].loss_before == r[1].loss_before && r[0].loss_after == r[1].loss_after);
            ck_assert(r[0].solved == r[1].solved && r[0].refused == r[1].refused &&
                      r[0].operations == r[1].operations && !r[0].flips && !r[0].proposals);
            ck_assert_uint_eq(with.l.head_bytes, without.l.head_bytes);
            ck_assert_mem_eq(with.l.state, without.l.state, with.l.head_bytes);
            solved += r[1].solved;
        }
        device_end(&with);
        device_end(&without);
    }
    ck_assert_uint_gt(solved, 0);
}
END_TEST

/* A class without any example has no mean: then flips run, also in batches of few classes. */
START_TEST(flips_run_if_class_has_no_example)
{
    const int bits = 2 << _i % 3;
    uint32_t proposals = 0;
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        Device d;
        device_begin(&d, (TinyKind)kind, bits, 1);
        for (uint32_t i = 0; i < CAPACITY; i++)
            if (d.l.coreset.label[i] == TINY_CLASSES - 1) d.l.coreset.flags[i] = QC_SLOT_EMPTY;
        for (uint32_t k = 0; k < TINY_CLASSES; k++) {
            QcAdaptReport r = learn(&d, k, k, 1);
            if (k < TINY_CLASSES - 1) ck_assert(!r.solved && r.mode == QC_FLIPS_THEN_HEAD);
            else ck_assert(!r.proposals && r.mode == QC_HEAD_ONLY);
            proposals += r.proposals;
        }
        device_end(&d);
    }
    ck_assert_uint_gt(proposals, 0);
}
END_TEST

/* Windows that were predicted before flips and are labelled after them: the adapt that learns from them sees the
 * network as it is now. */
START_TEST(late_labels_use_features_of_current_codes)
{
    uint32_t flipped = 0;
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        Device d;
        QcAdaptReport r;
        Outside o;
        uint64_t ids[BATCH];
        uint32_t number[BATCH], right, source;
        device_make(&d, (TinyKind)kind, 2);
        d.setup = setup_of(2, 1);
        d.setup.ring = 2 * BATCH;
        d.setup.parameters.guard = 1;
        device_place(&d, &qc_kernels_scalar, 1);
        device_fill(&d, CAPACITY);
        ids_of_batch(ids, 50, 0, TINY_CLASSES);
        for (uint32_t i = 0; i < BATCH; i++) number[i] = predict(&d, ids[i], NULL).number;
        flipped += learn(&d, 0, 0, TINY_CLASSES).flips;
        for (uint32_t i = 0; i < BATCH; i++) ck_assert_int_eq(qc_learner_label(&d.l, number[i], label_of(ids[i])), 0);
        outside_take(&o, &d, ids, BATCH);
        double before = outside_loss(&o, &d, &right, &source);
        qc_learner_adapt(&d.l, &r);
        ck_assert_uint_eq(r.n, BATCH);
        ck_assert_double_eq_tol((double)r.loss_before, before, 2e-5 * (1 + before));
        double after = outside_loss(&o, &d, &right, &source);
        ck_assert_double_eq_tol((double)r.loss_after, after, 2e-5 * (1 + after));
        ck_assert_uint_eq(r.right_after, right);
        device_end(&d);
    }
    ck_assert_uint_gt(flipped, 0);
}
END_TEST

/* All that a learner changes, after some batches of many and few classes. */
static uint64_t outcome(TinyKind kind, int bits, int flips, const QcKernels *kernels, uint64_t seed,
                        uint32_t block_sample, int at_end)
{
    Device d;
    uint64_t hash = 0;
    device_make(&d, kind, bits);
    d.setup = setup_of(bits, flips);
    d.setup.seed = seed;
    if (block_sample) d.setup.parameters.block_sample = block_sample;
    device_place(&d, kernels, at_end);
    device_fill(&d, CAPACITY);
    for (uint32_t n = 0; n < 4; n++) {
        QcAdaptReport r = learn(&d, n, n, n % 3 ? n % 3 : TINY_CLASSES);
        hash = add_to_hash(hash, &r.loss_before, sizeof r.loss_before);
        hash = add_to_hash(hash, &r.loss_after, sizeof r.loss_after);
    }
    hash = add_to_hash(hash, d.l.state, d.l.state_bytes);
    device_end(&d);
    return hash;
}

START_TEST(same_seed_gives_same_bytes)
{
    for (int flips = 0; flips < 2; flips++) {
        int bits = 2 << (_i + flips) % 3;
        uint64_t first = outcome((TinyKind)_i, bits, flips, &qc_kernels_scalar, 1, 0, 0);
        ck_assert_uint_ne(first, outcome((TinyKind)_i, bits, flips, &qc_kernels_scalar, 2, 0, 1));
        for (const QcKernels *const *k = qc_kernels_available(); *k; k++)
            for (int at_end = 0; at_end < 2; at_end++)
                ck_assert_msg(outcome((TinyKind)_i, bits, flips, *k, 1, 0, at_end) == first, "%s", (*k)->name);
        if (!flips) continue; /* with room for a block of weights at a time too */
        ck_assert_uint_eq(outcome((TinyKind)_i, bits, 1, &qc_kernels_scalar, 1, 1, 1),
                          outcome((TinyKind)_i, bits, 1, &qc_kernels_scalar, 1, 1, 0));
    }
}
END_TEST

/* The parts of the plan are the whole, and what is too large is counted in full. */
START_TEST(memory_equals_plan)
{
    for (int flips = 0; flips < 2; flips++) {
        Device d;
        QcPlan plan = {0};
        device_begin(&d, (TinyKind)_i, 2, flips);
        qc_learner_plan(&plan, &d.setup);
        ck_assert(plan.n > 3 && qc_plan_bytes(&plan) == qc_learner_bytes(&d.setup));
        ck_assert(d.l.head_bytes <= d.l.learned_bytes && d.l.learned_bytes < d.l.state_bytes);
        ck_assert(d.l.state >= d.memory.pages && d.l.state + d.l.state_bytes <= d.memory.pages + d.memory.mapped);
        ck_assert_int_eq(d.l.run.inference_only, !flips);
        d.setup.capacity = 0x8000000cu;
        ck_assert_uint_gt(qc_learner_bytes(&d.setup),
                          (uint64_t)0x8000000cu * (d.l.shape.features + (flips ? TINY_VALUES : 0)));
        device_end(&d);
    }
}
END_TEST

/* A last layer that is too large for a head, and another with groups, which the head cannot have. _i: which. */
static void make_unfitted(Device *d, int which, QcQNode *nodes)
{
    QcErr err;
    float x[TINY_RANGE_WINDOWS * TINY_VALUES];
    if (which == 0) {
        QcGraph *g = &d->t.model;
        ck_assert_int_eq(qc_graph_init(g, TINY_CHANNELS, 1, TINY_LENGTH, NULL), 0);
        uint32_t wide = tiny_ok(
            qc_graph_linear(g, "wide", tiny_op(g, "flat", QC_OP_FLATTEN, 0), QC_HEAD_MAX_FEATURES + 1, 1, NULL));
        tiny_ok(qc_graph_linear(g, "last", tiny_op(g, "relu", QC_OP_RELU, wide), TINY_CLASSES, 1, NULL));
        ck_assert_int_eq(qc_graph_finish(g, NULL), 0);
        tiny_settle(g, 3);
        tiny_windows(x, TINY_RANGE_WINDOWS, 1, 4);
        ck_assert_msg(!qc_emit(&d->t.g, &d->t.master, g, x, TINY_RANGE_WINDOWS, 4, 0, 8, 1, &d->t.arena, &err), "%s",
                      err.text);
    } else {
        tiny_make(&d->t, TINY_PLAIN, 4, 8, 8);
        QcQGraph *g = &d->t.g;
        memcpy(nodes, g->nodes, g->n_nodes * sizeof *nodes);
        nodes[g->n_nodes - 1].groups = 2;
        nodes[g->n_nodes - 1].n_codes /= 2;
        g->n_codes -= nodes[g->n_nodes - 1].n_codes;
        g->nodes = nodes;
    }
    tiny_place(&d->t, &qc_kernels_scalar);
    tiny_flip(&d->flip, &d->t, 4);
}

START_TEST(unsupported_last_layer_adapts_by_flips_only)
{
    for (int at_end = 0; at_end < 2; at_end++) {
        Device d = {0};
        QcQNode nodes[32];
        uint32_t accepted = 0;
        make_unfitted(&d, _i, nodes);
        ck_assert(!qc_head_fits(&d.t.g));
        d.setup = setup_of(4, 1);
        device_place(&d, &qc_kernels_scalar, at_end);
        device_fill(&d, CAPACITY);
        ck_assert_uint_eq(d.l.moments.n, 0);
        for (uint32_t n = 0; n < 4; n++) {
            Outside o;
            QcAdaptReport r;
            uint32_t right, source;
            uint64_t ids[BATCH];
            ids_of_batch(ids, n, n, n % 2 ? 1 : TINY_CLASSES);
            observe(&d, ids, BATCH, 0);
            outside_take(&o, &d, ids, BATCH);
            double before = outside_loss(&o, &d, &right, &source);
            qc_learner_adapt(&d.l, &r);
            ck_assert_double_eq_tol((double)r.loss_before, before, 2e-5 * (1 + before));
            ck_assert_uint_eq(r.right_before, right);
            double after = outside_loss(&o, &d, &right, &source);
            ck_assert_double_eq_tol((double)r.loss_after, after, 2e-5 * (1 + after));
            ck_assert(r.right_after == right && r.source_after == source && !r.solved && r.mode == QC_FLIPS_THEN_HEAD);
            accepted += r.accepted;
        }
        ck_assert(accepted > 0 && qc_learner_is_sound(&d.l));
        device_end(&d);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("adaptmodes");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, flips_are_skipped_if_batch_is_already_correct, 0, TINY_KINDS);
    tcase_add_test(t, skip_flips_0_never_skips);
    tcase_add_loop_test(t, flip_network_without_proposals_changes_nothing, 0, 3);
    tcase_add_loop_test(t, flips_run_if_class_has_no_example, 0, 3);
    tcase_add_test(t, late_labels_use_features_of_current_codes);
    tcase_add_loop_test(t, same_seed_gives_same_bytes, 0, TINY_KINDS);
    tcase_add_loop_test(t, memory_equals_plan, 0, TINY_KINDS);
    tcase_add_loop_test(t, unsupported_last_layer_adapts_by_flips_only, 0, 2);
    suite_add_tcase(s, t);
    return run_suite(s);
}
