/* Training of a flip network: the fitted feedback, the network itself, and its section in a model file. */

#include "suite.h"
#include "tiny.h"
#include "tinyfile.h"

#include "../../lib/bitflip/bitflip.h"
#include "../../lib/format/flipfile.h"
#include "../../lib/format/qgraphfile.h"

/* ---- feedback ---- */

/* Without a ReLU in between, the true error of a layer is a matrix times e (all but constant over time): the fit
 * must find this matrix from errors whose sum is 0. With a ReLU after the layer itself the mean is taken over the
 * positions where the ReLU is on. So the matrix is the same except for the few positions at the ends. */
START_TEST(feedback_fit_recovers_known_matrix)
{
    enum { C1 = 5, C2 = 6, KERNEL = 3 };
    Tiny t = {0};
    QcErr err;
    QcFlip flip;
    int8_t *feedback;
    float *scale;
    begin(0.6);
    ck_assert_int_eq(qc_graph_init(&t.model, TINY_CHANNELS, 1, TINY_LENGTH, NULL), 0);
    uint32_t at = tiny_conv(&t.model, "c1", 0, C1, KERNEL, 1);
    if (_i) at = tiny_op(&t.model, "r1", QC_OP_RELU, at);
    at = tiny_conv(&t.model, "c2", at, C2, KERNEL, 1);
    tiny_ok(qc_graph_linear(&t.model, "last", tiny_op(&t.model, "gap", QC_OP_GAP, at), TINY_CLASSES, 1, NULL));
    ck_assert_int_eq(qc_graph_finish(&t.model, NULL), 0);
    tiny_settle(&t.model, 8);
    float *loud = malloc(sizeof source_x); /* ranges with room to spare: where values are clipped no error comes back */
    for (int v = 0; v < N * TINY_VALUES; v++) loud[v] = 4 * source_x[v];
    ck_assert_msg(!qc_emit(&t.g, &t.master, &t.model, loud, N, 8, 0, 8, 1, &t.arena, &err), "%s", err.text);
    free(loud);
    ck_assert_int_eq(qc_flipfile_allocate(&flip, &t.g, &feedback, &scale, &t.arena, NULL), 0);
    ck_assert_uint_eq(flip.n_feedback, C1 * TINY_CLASSES);
    QcOracleOptions o = qc_oracle_defaults;
    o.strength = 0;
    QcOracle oracle = {&t.g, &flip, &source, &model, &o};
    ck_assert_msg(!qc_fit_feedback(&oracle, feedback, scale, 6, &err), "%s", err.text);
    const QcQNode *second = &t.g.nodes[flip.layers[1].node], *last = &t.g.nodes[t.g.n_nodes - 1];
    double planted[C1][TINY_CLASSES] = {{0}}, apart = 0, size = 0;
    for (uint32_t i = 0; i < C1; i++) {
        double mean = 0;
        for (uint32_t k = 0; k < TINY_CLASSES; k++) {
            for (uint32_t o2 = 0; o2 < C2; o2++)
                for (uint32_t j = 0; j < KERNEL; j++)
                    planted[i][k] += (double)t.g.scale[last->channel + k] * qc_code_get(&t.g, last, k * C2 + o2) /
                                     TINY_LENGTH * (double)t.g.scale[second->channel + o2] *
                                     qc_code_get(&t.g, second, (o2 * KERNEL + j) * C1 + i) *
                                     (TINY_LENGTH - abs((int)j - KERNEL / 2)) / TINY_LENGTH;
            mean += planted[i][k] / TINY_CLASSES;
        }
        for (uint32_t k = 0; k < TINY_CLASSES; k++) {
            double ours = (double)scale[0] * feedback[flip.layers[0].feedback + i * TINY_CLASSES + k];
            apart += pow(ours - (planted[i][k] - mean), 2);
            size += pow(planted[i][k] - mean, 2);
        }
    }
    ck_assert_msg(sqrt(apart / size) < (_i ? 0.2 : 0.03), "the fit is %.3f of the matrix away", sqrt(apart / size));
    tiny_release(&t);
    end();
}
END_TEST

/* ---- the network ---- */

static uint8_t rule(const float *f)
{
    return f[0] - f[4] > 0.8f ? QC_TARGET_WITH : f[0] - f[4] < -0.8f ? QC_TARGET_AGAINST : QC_TARGET_STAY;
}

static QcOracleSamples samples_by_rule(size_t n, uint64_t seed)
{
    QcOracleSamples l = {calloc(n, sizeof(QcOracleSample)), n, n};
    QcRng rng = qc_rng_seed(seed, 1);
    for (size_t i = 0; i < n; i++) {
        for (int f = 0; f < QC_FLIP_FEATURES - 1; f++)
            l.rows[i].features[f] = (float)(f + (1 + 0.3 * f) * qc_rng_normal(&rng));
        l.rows[i].features[0] = (float)qc_rng_normal(&rng);
        l.rows[i].features[4] = (float)qc_rng_normal(&rng);
        l.rows[i].features[QC_FLIP_FEATURES - 1] = 5; /* says nothing */
        l.rows[i].target = rule(l.rows[i].features);
    }
    return l;
}

START_TEST(network_quantized_to_8_bits_keeps_learned_rule)
{
    QcErr err;
    QcFlip flip = {0}, again = {0};
    QcBitflipReport report = {0};
    QcBitflipOptions o = qc_bitflip_defaults;
    o.steps = 400;
    o.batch = 256;
    o.rate = 1e-2;
    QcOracleSamples learn = samples_by_rule(4000, 1), test = samples_by_rule(2000, 2);
    ck_assert_msg(!qc_flipnet_train(&flip, &learn, &o, &err), "%s", err.text);
    ck_assert_int_eq(qc_flipnet_train(&again, &learn, &o, &err), 0);
    ck_assert_mem_eq(flip.w1, again.w1, sizeof flip.w1);
    ck_assert_mem_eq(flip.b3, again.b3, sizeof flip.b3);
    ck_assert_float_eq_tol(flip.mean[3], 3, 0.2f);
    ck_assert_float_eq_tol(flip.inverse[3], 1 / 1.9f, 0.05f);
    ck_assert_float_eq(flip.inverse[QC_FLIP_FEATURES - 1], 0);
    for (int o1 = 0; o1 < QC_FLIP_HIDDEN; o1++) { /* each row uses its 8 bits */
        int top = 0;
        for (int i = 0; i < QC_FLIP_FEATURES; i++) top = abs(flip.w1[o1][i]) > top ? abs(flip.w1[o1][i]) : top;
        ck_assert_int_eq(top, 127);
    }
    ck_assert_msg(!qc_flipnet_judge(&report, &flip, &test, &err), "%s", err.text);
    double with = 0, against = 0, found = 0, score_with = 0;
    for (size_t i = 0; i < test.n; i++) {
        float score;
        qc_flip_scores(&flip, &qc_kernels_scalar, &score, &test.rows[i].features, 1);
        with += test.rows[i].target == QC_TARGET_WITH;
        against += test.rows[i].target == QC_TARGET_AGAINST;
        found += test.rows[i].target == QC_TARGET_WITH && score > 0.5f;
        score_with += test.rows[i].target != QC_TARGET_WITH && score > 0.5f;
    }
    ck_assert_double_eq_tol(report.base, with / (double)test.n, 1e-12);
    ck_assert_double_eq_tol(report.sign, with / (with + against), 1e-12);
    ck_assert_msg(report.network > 0.98, "precision of the top 5 %% is %.3f", report.network);
    ck_assert_msg(found > 0.9 * with && score_with < 0.1 * with, "%g of %g found, %g others", found, with, score_with);
    free(learn.rows);
    free(test.rows);
}
END_TEST

START_TEST(ablated_feature_has_no_effect)
{
    static const char *const names[] = {"size", "evidence", "code", "row", "column", "layer", "depth", "kind"};
    QcErr err;
    QcFlip flip = {0};
    QcBitflipOptions o = qc_bitflip_defaults;
    uint32_t all = 0;
    for (size_t k = 0; k < 8; k++) {
        uint32_t one = 0;
        ck_assert_int_eq(qc_flipnet_ablate(&one, names[k], &err), 0);
        ck_assert_uint_eq(all & one, 0); /* no feature goes by two names */
        all |= one;
    }
    ck_assert_uint_eq(all, (1u << QC_FLIP_FEATURES) - 1); /* and none by no name */
    ck_assert_int_eq(qc_flipnet_ablate(&all, "sise", &err), -1);
    ck_assert_int_eq(err.code, QC_EUSAGE);
    o.steps = 20;
    o.batch = 64;
    ck_assert_int_eq(qc_flipnet_ablate(&o.ablated, "evidence", &err), 0);
    QcOracleSamples learn = samples_by_rule(500, 1);
    ck_assert_msg(!qc_flipnet_train(&flip, &learn, &o, &err), "%s", err.text);
    for (int f = 0; f < QC_FLIP_FEATURES - 1; f++) { /* another value of a feature: another score, unless it is left
                                                        out */
        int same = 1;
        for (size_t i = 0; i < learn.n && same; i++) {
            float before, after, x[1][QC_FLIP_FEATURES];
            memcpy(x, learn.rows[i].features, sizeof x);
            qc_flip_scores(&flip, &qc_kernels_scalar, &before, x, 1);
            x[0][f] += 3;
            qc_flip_scores(&flip, &qc_kernels_scalar, &after, x, 1);
            same = memcmp(&before, &after, sizeof before) == 0;
        }
        ck_assert_int_eq(same, (int)(o.ablated >> f & 1) || flip.inverse[f] == 0);
        ck_assert(!(o.ablated >> f & 1) || same);
    }
    free(learn.rows);
}
END_TEST

/* ---- the section ---- */

static void container_of(QcModelFile *m, const Tiny *t, const QcFlip *flip)
{
    QcErr err;
    ck_assert_msg(!qc_qgraphfile_encode(m, &t->g, &err), "%s", err.text);
    ck_assert_msg(!qc_flipfile_encode(m, flip, &err), "%s", err.text);
}

START_TEST(flip_section_round_trip)
{
    Tiny t;
    QcErr err = {0};
    QcFlip flip, read;
    begin(1);
    tiny_make(&t, (TinyKind)_i, 4, 8, 1);
    ck_assert_int_eq(qc_flipfile_decode(&read, &model, &t.g, &t.arena, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "no bit-flip network yet"));
    tiny_flip(&flip, &t, 1);
    container_of(&model, &t, &flip);
    ck_assert_msg(!qc_flipfile_decode(&read, &model, &t.g, &t.arena, &err), "%s", err.text);
    ck_assert(read.n_layers == flip.n_layers && read.n_feedback == flip.n_feedback);
    ck_assert_mem_eq(read.layers, flip.layers, flip.n_layers * sizeof *flip.layers);
    if (flip.n_feedback) ck_assert_mem_eq(read.feedback, flip.feedback, flip.n_feedback);
    ck_assert_mem_eq(read.feedback_scale, flip.feedback_scale, flip.n_layers * sizeof(float));
    ck_assert_mem_eq((const uint8_t *)&read + offsetof(QcFlip, mean), (const uint8_t *)&flip + offsetof(QcFlip, mean),
                     sizeof flip - offsetof(QcFlip, mean));
    Tiny other; /* the network of one graph is not the network of another */
    tiny_make(&other, (TinyKind)((_i + 1) % TINY_KINDS), 4, 8, 1);
    ck_assert_int_eq(qc_flipfile_decode(&read, &model, &other.g, &other.arena, &err), -1);
    ck_assert(err.code == QC_EFORMAT && strstr(err.text, "but the graph has"));
    tiny_release(&other);
    tiny_release(&t);
    end();
}
END_TEST

START_TEST(forged_flip_sections_are_refused_or_harmless)
{
    Tiny t;
    QcFlip flip, read;
    QcRng rng = qc_rng_seed(1, 1);
    float f[2][QC_FLIP_FEATURES], scores[2];
    uint32_t refused = 0;
    begin(1);
    tiny_make(&t, TINY_RESIDUAL, 4, 8, 1);
    tiny_flip(&flip, &t, 1);
    container_of(&model, &t, &flip);
    QcCursor c;
    ck_assert_int_eq(qc_container_find(&model.container, "flip", &c), 1);
    size_t length = 0;
    const uint8_t *good = NULL;
    for (uint32_t s = 0; s < model.container.n; s++)
        if (!strcmp(model.container.sections[s].name, "flip"))
            good = model.container.sections[s].bytes, length = model.container.sections[s].length;
    uint8_t *kept = malloc(length);
    memcpy(kept, good, length);
    for (int v = 0; v < 2 * QC_FLIP_FEATURES; v++)
        f[v / QC_FLIP_FEATURES][v % QC_FLIP_FEATURES] = (float)qc_rng_normal(&rng);
    for (int round = 0; round < 2000; round++) {
        QcErr err = {0};
        QcWriter w = {0};
        QcArena arena = {0};
        size_t n = round % 4 ? length : qc_rng_below(&rng, (uint32_t)length); /* a quarter is cut short */
        qc_put_bytes(&w, kept, n);
        for (int k = 0; n && round % 4 && k < 1 + round % 3; k++)
            w.bytes[qc_rng_below(&rng, (uint32_t)n)] = (uint8_t)(round % 2 ? qc_rng_next(&rng) : 0xff);
        if (round % 16 == 1) qc_put_u32(&w, 0); /* and some are too long */
        ck_assert_int_eq(qc_container_add(&model.container, "flip", 0, &w, &err), 0);
        int status = qc_flipfile_decode(&read, &model, &t.g, &arena, &err);
        if (status) {
            refused++;
            ck_assert(err.code == QC_EFORMAT && err.text[0]);
        } else {
            ck_assert(round % 4 && round % 16 != 1);
            qc_flip_scores(&read, &qc_kernels_scalar, scores, f, 2);
            ck_assert(scores[0] >= 0 && scores[0] <= 1 && scores[1] >= 0 && scores[1] <= 1);
        }
        qc_arena_release(&arena);
    }
    ck_assert_uint_ge(refused, 500);
    free(kept);
    tiny_release(&t);
    end();
}
END_TEST

/* ---- all of it ---- */

START_TEST(trained_network_beats_base_rate_and_repeats)
{
    Tiny t;
    QcErr err = {0};
    QcFlip flip, again;
    QcBitflipReport report, second;
    begin(1);
    tiny_make(&t, TINY_RESIDUAL, _i ? 8 : 2, 8, 3);
    QcBitflipOptions o = qc_bitflip_defaults;
    o.oracle = qc_oracle_defaults;
    o.oracle.shifted = 24;
    o.oracle.unshifted = 12;
    o.oracle.steps = 20;
    o.oracle.batch = 24;
    o.subjects = 5;
    o.test_subjects = 3;
    o.steps = 300;
    o.batch = 256;
    uint8_t *codes = malloc(t.g.n_code_bytes);
    memcpy(codes, t.g.codes, t.g.n_code_bytes);
    ck_assert_msg(!qc_bitflip_train(&flip, &report, &t.g, &model, &source, &o, &t.arena, &err), "%s", err.text);
    ck_assert_mem_eq(codes, t.g.codes, t.g.n_code_bytes);
    ck_assert(report.samples > 200 && report.test_samples > 100);
    ck_assert_msg(report.network > report.base + 0.05, "precision %.3f, base rate %.3f", report.network, report.base);
    ck_assert_msg(report.sign > 0.55, "weights move with the Hebbian direction in only %.3f of the cases", report.sign);
    ck_assert_msg(!qc_bitflip_train(&again, &second, &t.g, &model, &source, &o, &t.arena, &err), "%s", err.text);
    ck_assert_mem_eq((const uint8_t *)&again + offsetof(QcFlip, mean), (const uint8_t *)&flip + offsetof(QcFlip, mean),
                     sizeof flip - offsetof(QcFlip, mean));
    QcWindows none = {.values = TINY_VALUES};
    ck_assert_int_eq(qc_bitflip_train(&again, &second, &t.g, &model, &none, &o, &t.arena, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "no example"));
    free(codes);
    tiny_release(&t);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bitflip");
    TCase *tests = tcase_create("bitflip");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, feedback_fit_recovers_known_matrix, 0, 2);
    tcase_add_test(tests, network_quantized_to_8_bits_keeps_learned_rule);
    tcase_add_test(tests, ablated_feature_has_no_effect);
    tcase_add_loop_test(tests, flip_section_round_trip, 0, TINY_KINDS);
    tcase_add_test(tests, forged_flip_sections_are_refused_or_harmless);
    tcase_add_loop_test(tests, trained_network_beats_base_rate_and_repeats, 0, 2);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
