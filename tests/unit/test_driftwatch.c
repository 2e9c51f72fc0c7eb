/* The drift score: low on source windows in any order, above its threshold soon after features move, and low again
 * after the means of the stream are learned. */
#include <math.h>

#include "suite.h"
#include "tiny.h"

#include "../../lib/format/driftfile.h"
#include "../../lib/quant/driftfit.h"

enum { WINDOWS = 240, RING = 8 };

typedef struct Bench {
    Tiny t;
    QcArena arena;
    QcWindows w;
    QcDriftBase base;
    QcLearner l;
    void *memory;
} Bench;

/* Class i % TINY_CLASSES has a louder channel; `moved` shifts and amplifies all. */
static void make_values(float *x, uint32_t i, float moved)
{
    tiny_windows(x, 1, 1, 5000 + i);
    for (int v = 0; v < TINY_VALUES; v++) {
        if ((uint32_t)(v % TINY_CHANNELS) == i % TINY_CLASSES) x[v] += 1.5f;
        x[v] = x[v] * (1 + moved) + moved;
    }
}

static void bench_open(Bench *b, TinyKind kind)
{
    QcErr err;
    *b = (Bench){0};
    tiny_make(&b->t, kind, 8, 8, 3);
    b->w = (QcWindows){.n = WINDOWS, .values = TINY_VALUES};
    b->w.x = qc_arena_take(&b->arena, WINDOWS * TINY_VALUES, sizeof *b->w.x, &err);
    b->w.label = qc_arena_take(&b->arena, WINDOWS, sizeof *b->w.label, &err);
    for (uint32_t i = 0; i < WINDOWS; i++) {
        make_values(b->w.x + i * TINY_VALUES, i, 0);
        b->w.label[i] = (int32_t)(i % TINY_CLASSES);
    }
    ck_assert_int_eq(qc_fit_driftbase(&b->base, &b->t.g, &b->w, &b->arena, &err), 1);
    QcLearnerSetup setup = {
        .graph = &b->t.g, .parameters = qc_parameters_default(8), .seed = 1, .capacity = 0, .ring = RING};
    b->memory = qc_aligned_new(qc_learner_bytes(&setup), "a test", &err);
    qc_learner_place(&b->l, &setup, &qc_kernels_scalar, b->memory);
}

static void bench_close(Bench *b)
{
    free(b->memory);
    qc_arena_release(&b->arena);
    tiny_release(&b->t);
}

/* The figure after n windows from `first` on; *most: the largest. */
static float run(Bench *b, uint32_t first, uint32_t n, float moved, float *most)
{
    float figure = b->l.counters->drift = 0;
    *most = 0;
    for (uint32_t i = first; i < first + n; i++) {
        float x[TINY_VALUES];
        uint8_t q[TINY_VALUES];
        QcAnswer a;
        make_values(x, i, moved);
        qc_q_input(q, x, TINY_VALUES, &b->t.g.tensors[0]);
        qc_learner_predict(&b->l, &a, q, i);
        figure = qc_driftwatch_follow(&b->base, &b->l);
        *most = fmaxf(*most, figure);
    }
    return figure;
}

/* _i: kind */
START_TEST(drift_score_rises_on_drift_and_not_on_source)
{
    Bench b;
    float most;
    bench_open(&b, (TinyKind)_i);
    ck_assert(b.base.threshold >= 0.8f && b.base.threshold < 3);
    run(&b, 1000, 600, 0, &most); /* windows that the fit has not seen */
    ck_assert_msg(most < b.base.threshold, "source: %g of %g", (double)most, (double)b.base.threshold);
    float moved = run(&b, 2000, 100, -3, &most); /* upside down, twice as loud, and shifted */
    ck_assert_msg(moved > b.base.threshold, "moved: %g of %g", (double)moved, (double)b.base.threshold);
    ck_assert_float_le(moved, 3);
    bench_close(&b);
}
END_TEST

/* Unseen windows of a network that fits its training windows closely lie farther. */
START_TEST(threshold_rises_with_confidence)
{
    Bench b;
    QcErr err;
    QcDriftBase sure;
    bench_open(&b, TINY_PLAIN);
    const QcQNode *last = &b.t.g.nodes[b.t.g.n_nodes - 1];
    for (uint32_t k = 0; k < TINY_CLASSES; k++) b.t.g.scale[last->channel + k] *= 1e4f;
    ck_assert_int_eq(qc_fit_driftbase(&sure, &b.t.g, &b.w, &b.arena, &err), 1);
    ck_assert_msg(sure.threshold > 1.7f && sure.threshold > b.base.threshold, "%g, then %g",
                  (double)b.base.threshold, (double)sure.threshold);
    bench_close(&b);
}
END_TEST

START_TEST(drift_score_falls_after_means_are_learned)
{
    Bench b;
    float most;
    bench_open(&b, TINY_PLAIN);
    float before = run(&b, 2000, 200, 1, &most);
    for (uint32_t i = 0; i < 100; i++) { /* the stream's own means, by class as predicted */
        float x[TINY_VALUES];
        uint8_t q[TINY_VALUES];
        QcAnswer a;
        make_values(x, 3000 + i, 1);
        qc_q_input(q, x, TINY_VALUES, &b.t.g.tensors[0]);
        qc_learner_predict(&b.l, &a, q, i);
        float *mean = b.l.moments.mean + (size_t)a.class_index * b.l.moments.n;
        float n = (float)++b.l.moments.count[a.class_index];
        const uint8_t *latest = qc_slot_features(&b.l.ring, (b.l.next_row + RING - 1) % RING);
        for (uint32_t j = 0; j < b.l.moments.n; j++) mean[j] += ((float)(latest[j] - b.l.shape.zero) - mean[j]) / n;
    }
    float after = run(&b, 2000, 200, 1, &most);
    ck_assert_msg(after < before && after < b.base.threshold, "%g, then %g of %g", (double)before, (double)after,
                  (double)b.base.threshold);
    bench_close(&b);
}
END_TEST

/* The definition, in double. */
START_TEST(drift_scores_equal_definition)
{
    static const uint8_t mean[2][3] = {{10, 20, 30}, {0, 0, 255}}, features[3] = {12, 20, 27};
    static const float weight[3] = {.5f, 1, 2}, centre[2] = {.1f, -.2f}, learned[3] = {3, 12, 20};
    const QcDriftBase b = {.features = 3,
                           .classes = 2,
                           .mean = &mean[0][0],
                           .weight = weight,
                           .centre = centre,
                           .spread = .7f,
                           .threshold = 1,
                           .farthest = 4};
    double first = log((4 * .5 + 0 + 9 * 2) / 3 + .001),
           own = log((1 * .5 + 0 + 1 * 2) / 3 + .001); /* less the zero point 8: 4, 12, 19 */
    ck_assert_double_eq_tol((double)qc_driftwatch_score(&b, NULL, 0, features, 8, 0), (first - (double)centre[0]) / .7,
                            1e-5);
    ck_assert_double_eq_tol((double)qc_driftwatch_score(&b, learned, 0, features, 8, 0), (own - (double)centre[0]) / .7,
                            1e-5);
    double far = log(25 + .001); /* each feature counts 25 at most */
    ck_assert_double_eq_tol((double)qc_driftwatch_score(&b, NULL, 0, features, 8, 1), fmin(3, (far + .2) / .7), 1e-5);

    /* a spare class is as far as it was learned, wherever the place of its source lies */
    static const uint8_t near_spare[3] = {0, 0, 255};
    static const float learned_spare[3] = {50, 50, 50};
    ck_assert_double_eq_tol((double)qc_driftwatch_score(&b, NULL, 0, near_spare, 8, 1), -3, 1e-5);
    ck_assert_double_eq_tol((double)qc_driftwatch_score(&b, learned_spare, 1, near_spare, 8, 1), 3, 1e-5);
    ck_assert_double_eq_tol((double)qc_driftwatch_score(&b, learned, 1, features, 8, 1), (own + .2) / .7, 1e-5);

    uint32_t count[2] = {0, 1};
    float means[2][3] = {{4, 12, 19}, {5, 12, 20}}; /* of the stream: the first is of no example */
    const QcMoments stream = {.n = 3, .mean = &means[0][0], .count = count};
    double source = (4 * .5 + 0 + 9 * 2) / 3, learned_one = (1 * .5 + 0 + 1 * 2) / 3;
    ck_assert_double_eq_tol((double)qc_driftwatch_nearest(&b, NULL, 0, features, 8), source / 4, 1e-5);
    ck_assert_double_eq_tol((double)qc_driftwatch_nearest(&b, &stream, 0, features, 8), learned_one / 4, 1e-5);
    ck_assert_double_eq_tol((double)qc_driftwatch_nearest(&b, NULL, 2, features, 8), 25. / 4, 1e-5); /* no class */
}
END_TEST

/* Windows that the fit has not seen: of the source's classes, and of none of them. */
START_TEST(distance_is_above_1_for_windows_of_an_unknown_class)
{
    Bench b;
    uint32_t known = 0, unknown = 0;
    bench_open(&b, TINY_PLAIN);
    for (uint32_t i = 0; i < 400; i++) {
        float x[TINY_VALUES];
        uint8_t q[TINY_VALUES];
        QcAnswer a;
        make_values(x, 4000 + i, i < 300 ? 0 : -3);
        qc_q_input(q, x, TINY_VALUES, &b.t.g.tensors[0]);
        qc_learner_predict(&b.l, &a, q, i);
        *(i < 300 ? &known : &unknown) += qc_driftwatch_nearest_of_latest(&b.base, &b.l) > 1;
    }
    ck_assert_msg(known <= 15 && unknown >= 80, "far: %u of 300 known, %u of 100 unknown", known, unknown);
    bench_close(&b);
}
END_TEST

START_TEST(drift_base_in_model_file_is_dropped_if_lower_layers_changed)
{
    Bench b;
    QcErr err;
    QcDriftBase back;
    QcModelFile m = {0};
    float mean[TINY_CHANNELS] = {0}, deviation[TINY_CHANNELS] = {1, 1, 1};
    char *labels[] = {"a", "b", "c", "d"};
    const QcNorm norm = {TINY_CHANNELS, mean, deviation};
    bench_open(&b, TINY_PLAIN);
    QcQGraph *g = &b.t.g;
    ck_assert(!qc_modelfile_init(&m, "tiny", TINY_CHANNELS, 1, TINY_LENGTH, TINY_CLASSES, labels, &norm, &err));
    ck_assert_int_eq(qc_driftbase_decode(&back, &m, g, &b.arena, &err), 0);
    ck_assert_msg(!qc_driftbase_encode(&m, &b.base, g, &err), "%s", err.text);
    ck_assert_int_eq(qc_driftbase_decode(&back, &m, g, &b.arena, &err), 1);
    ck_assert(back.spread == b.base.spread && back.threshold == b.base.threshold);
    ck_assert(back.farthest == b.base.farthest && back.farthest > 0);
    ck_assert_mem_eq(back.mean, b.base.mean, (size_t)back.classes * back.features);
    ck_assert_mem_eq(back.weight, b.base.weight, back.features * sizeof(float));
    ck_assert_mem_eq(back.centre, b.base.centre, back.classes * sizeof(float));
    g->codes[g->nodes[g->n_nodes - 1].code_byte] ^= 1; /* the last layer learns */
    ck_assert_int_eq(qc_driftbase_decode(&back, &m, g, &b.arena, &err), 1);
    g->codes[0] ^= 1;
    ck_assert_int_eq(qc_driftbase_decode(&back, &m, g, &b.arena, &err), 0);
    b.base.spread = -1;
    ck_assert(!qc_driftbase_encode(&m, &b.base, g, &err));
    ck_assert_int_eq(qc_driftbase_decode(&back, &m, g, &b.arena, &err), -1);
    qc_modelfile_release(&m);
    bench_close(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("driftwatch");
    TCase *c = tcase_create("driftwatch");
    tcase_add_loop_test(c, drift_score_rises_on_drift_and_not_on_source, 0, TINY_KINDS);
    tcase_add_test(c, threshold_rises_with_confidence);
    tcase_add_test(c, drift_score_falls_after_means_are_learned);
    tcase_add_test(c, drift_scores_equal_definition);
    tcase_add_test(c, distance_is_above_1_for_windows_of_an_unknown_class);
    tcase_add_test(c, drift_base_in_model_file_is_dropped_if_lower_layers_changed);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
