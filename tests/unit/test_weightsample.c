/* From features to flips: the small network's score, its byte, and the sample of weights: counts, probabilities,
 * ties and undo. */

#include "suite.h"
#include "tiny.h"

#include "../../lib/device/weightsample.h"

typedef struct Drawing {
    Tiny t;
    QcFlip flip;
    QcBlockSample blocks; /* all weights, so that scores lie as codes do */
    QcWeightSample sample;
    void *memory;
    uint8_t *codes; /* as they were */
} Drawing;

static Drawing w;

static void draw_place(uint32_t capacity, QcPlacing *p)
{
    qc_block_sample_place(&w.blocks, &w.t.g, w.flip.layers, w.flip.n_layers, capacity, p);
    qc_weightsample_place(&w.sample, &w.t.g, w.flip.layers, &w.blocks, p);
}

static void draw_begin_of(TinyKind kind, int bits, uint32_t capacity)
{
    tiny_make(&w.t, kind, bits, 8, 2);
    tiny_flip(&w.flip, &w.t, 2);
    QcPlacing count = {0};
    draw_place(capacity, &count);
    w.memory = aligned_alloc(64, count.used);
    QcPlacing p = {.memory = w.memory};
    draw_place(capacity, &p);
    qc_block_sample_draw(&w.blocks, 1);
    qc_weightsample_begin(&w.sample);
    w.codes = malloc(w.t.g.n_code_bytes);
    memcpy(w.codes, w.t.g.codes, w.t.g.n_code_bytes);
}

static void draw_begin(TinyKind kind, int bits) { draw_begin_of(kind, bits, UINT32_MAX); }

static void draw_end(void)
{
    free(w.memory);
    free(w.codes);
    tiny_release(&w.t);
}

/* ---- scores ---- */

static double layer_of_network(double *out, const double *in, int n_out, int n_in, const int8_t *weights,
                               const float *s, const float *b, int relu)
{
    for (int o = 0; o < n_out; o++) {
        double sum = 0;
        for (int i = 0; i < n_in; i++) sum += weights[o * n_in + i] * in[i];
        out[o] = (double)b[o] + (double)s[o] * sum;
        if (relu) out[o] = fmax(out[o], 0);
    }
    return out[0];
}

START_TEST(network_equals_mlp_with_softmax)
{
    enum { M = 21 }; /* not a whole number of lanes */
    QcRng rng = qc_rng_seed(1, 8);
    float f[M][QC_FLIP_FEATURES], scores[M], alone;
    draw_begin(TINY_PLAIN, 2);
    for (int m = 0; m < M; m++)
        for (int k = 0; k < QC_FLIP_FEATURES; k++) f[m][k] = (float)(2 * qc_rng_normal(&rng));
    qc_flip_scores(&w.flip, &qc_kernels_scalar, scores, f, M);
    int positive = 0;
    for (int m = 0; m < M; m++) {
        double x[QC_FLIP_FEATURES], a[QC_FLIP_HIDDEN], b[QC_FLIP_HIDDEN], p[3];
        for (int k = 0; k < QC_FLIP_FEATURES; k++)
            x[k] = ((double)f[m][k] - (double)w.flip.mean[k]) * (double)w.flip.inverse[k];
        layer_of_network(a, x, QC_FLIP_HIDDEN, QC_FLIP_FEATURES, &w.flip.w1[0][0], w.flip.s1, w.flip.b1, 1);
        layer_of_network(b, a, QC_FLIP_HIDDEN, QC_FLIP_HIDDEN, &w.flip.w2[0][0], w.flip.s2, w.flip.b2, 1);
        layer_of_network(p, b, 3, QC_FLIP_HIDDEN, &w.flip.w3[0][0], w.flip.s3, w.flip.b3, 0);
        double sum = exp(p[0]) + exp(p[1]) + exp(p[2]);
        ck_assert_double_eq_tol((double)scores[m], fmax((exp(p[2]) - exp(p[0])) / sum, 0), 1e-4);
        positive += scores[m] > 0;
        qc_flip_scores(&w.flip, &qc_kernels_scalar, &alone, &f[m], 1);
        ck_assert_float_eq(alone, scores[m]); /* whatever lanes it went through */
    }
    ck_assert(positive > 2 && positive < M);
    draw_end();
}
END_TEST

START_TEST(score_bytes_keep_order_and_direction)
{
    uint8_t before = 0;
    for (float score = 1; score > 2e-5f; score *= 0.97f) {
        uint8_t up = qc_flip_byte(score, 1), down = qc_flip_byte(score, -1);
        ck_assert_uint_eq(up & QC_FLIP_UP, QC_FLIP_UP);
        ck_assert_uint_eq(down, up & 0x7f);
        ck_assert_uint_ge(down, before);
        if (down != QC_FLIP_NEVER) ck_assert_double_eq_tol(log2((double)score), -down / 8.0, 1 / 15.9);
        before = down;
    }
    ck_assert_uint_eq(qc_flip_byte(0, 1), QC_FLIP_NEVER);
    ck_assert_uint_eq(qc_flip_byte(0.5f, 0), QC_FLIP_NEVER);
    ck_assert_uint_eq(qc_flip_byte(NAN, 1), QC_FLIP_NEVER);
    ck_assert_uint_eq(qc_flip_byte(2, -1), 0);
}
END_TEST

/* ---- the draw ---- */

/* How many codes of node n differ from what they were; each by `step` in the direction of its score. */
static uint32_t count_stepped(uint32_t n, int32_t step)
{
    const QcQNode *node = &w.t.g.nodes[n];
    QcQGraph before = w.t.g;
    uint32_t stepped = 0;
    before.codes = w.codes;
    for (uint32_t j = 0; j < node->n_codes; j++) {
        int32_t by = qc_code_get(&w.t.g, node, j) - qc_code_get(&before, node, j);
        if (!by) continue;
        uint8_t byte = w.sample.scores[node->code + j];
        ck_assert_uint_ne(byte & 0x7f, QC_FLIP_NEVER);
        ck_assert_int_eq(by, byte & QC_FLIP_UP ? step : -step); /* a code that left its range would have wrapped to
                                                                   something else */
        stepped++;
    }
    return stepped;
}

static uint32_t count_all(int32_t step)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < w.t.g.n_nodes; i++) n += count_stepped(i, step);
    return n;
}

START_TEST(step_changes_exactly_the_proposed_weights)
{
    const int bits[] = {2, 4, 8};
    const float shares[] = {0, 1e-6f, 0.003f, 0.05f, 0.2f, 0.6f, 1};
    QcRng rng = qc_rng_seed(1, 1);
    for (int b = 0; b < 3; b++) {
        draw_begin((TinyKind)_i, bits[b]);
        uint32_t n = w.t.g.n_codes;
        for (int32_t step = 1; step <= (bits[b] == 2 ? 1 : 5); step += 2)
            for (size_t k = 0; k < sizeof shares / sizeof *shares; k++) {
                uint32_t candidates = 0, wanted = (uint32_t)(shares[k] * (float)n + 0.5f);
                for (uint32_t i = 0; i < w.t.g.n_nodes; i++) {
                    const int32_t limit = 1 << (qc_code_bits(&w.t.g, &w.t.g.nodes[i]) - 1);
                    for (uint32_t j = 0; j < w.t.g.nodes[i].n_codes; j++) {
                        uint8_t byte = (uint8_t)qc_rng_next(&rng);
                        if (qc_rng_below(&rng, 8) == 0) byte = QC_FLIP_NEVER;
                        w.sample.scores[w.t.g.nodes[i].code + j] = byte;
                        int32_t to = qc_code_get(&w.t.g, &w.t.g.nodes[i], j) + (byte & QC_FLIP_UP ? step : -step);
                        candidates += (byte & 0x7f) != QC_FLIP_NEVER && to >= -limit && to < limit;
                    }
                }
                wanted = wanted ? wanted : 1;
                uint32_t drawn = qc_weightsample_propose(&w.sample, shares[k], step, 0, qc_rng_next(&rng));
                ck_assert_uint_eq(drawn, wanted < candidates ? wanted : candidates);
                ck_assert_uint_eq(count_all(step), drawn);
                qc_weightsample_undo(&w.sample);
                ck_assert_mem_eq(w.t.g.codes, w.codes, w.t.g.n_code_bytes);
                qc_weightsample_undo(&w.sample); /* nothing left to undo */
                ck_assert_mem_eq(w.t.g.codes, w.codes, w.t.g.n_code_bytes);
            }
        draw_end();
    }
}
END_TEST

/* Where not all weights fit, whole blocks are sampled, and only their weights are stepped and put back. */
START_TEST(only_sampled_weights_are_stepped)
{
    draw_begin_of((TinyKind)_i, 8, 1);
    uint32_t most = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        uint32_t n = 0, stepped = 0;
        qc_block_sample_draw(&w.blocks, seed);
        memset(w.sample.scores, 0, w.blocks.capacity);
        ck_assert(w.blocks.n > 0 && w.blocks.n <= w.blocks.capacity && w.blocks.capacity < w.t.g.n_codes);
        uint32_t of_net = qc_weightsample_propose(&w.sample, 1, 1, 0, seed); /* half of the sample is enough */
        ck_assert_uint_eq(of_net, (uint32_t)(0.5f * (float)w.blocks.n + 0.5f));
        qc_weightsample_undo(&w.sample);
        qc_weightsample_propose(&w.sample, 1, 1, 1, seed);
        for (uint32_t i = 0; i < w.blocks.n_blocks; i++) {
            const QcBlock *block = &w.blocks.blocks[i];
            const QcQNode *node = &w.t.g.nodes[w.flip.layers[block->layer].node];
            ck_assert(block->channels <= QC_BLOCK_CHANNELS &&
                      block->n == block->channels * (node->n_codes / node->channels));
            ck_assert(block->start == QC_NOT_SAMPLED || block->start == n);
            n += block->start == QC_NOT_SAMPLED ? 0 : block->n;
            QcQGraph before = w.t.g;
            before.codes = w.codes;
            for (uint32_t j = block->first; j < block->first + block->n; j++) {
                int32_t was = qc_code_get(&before, node, j), is = qc_code_get(&w.t.g, node, j);
                ck_assert_int_eq(is, block->start == QC_NOT_SAMPLED || was == -(1 << (qc_code_bits(&w.t.g, node) - 1))
                                         ? was
                                         : was - 1);
                stepped += is != was;
            }
        }
        ck_assert_uint_eq(n, w.blocks.n);
        most = stepped > most ? stepped : most;
        qc_weightsample_undo(&w.sample);
        ck_assert_mem_eq(w.t.g.codes, w.codes, w.t.g.n_code_bytes);
    }
    ck_assert_uint_gt(most, 0);
    draw_end();
}
END_TEST

/* Keys of the last bin are equal: now and then several weights share it, and only as many as are still wanted
 * may be taken. */
START_TEST(ties_do_not_enlarge_sample)
{
    draw_begin(TINY_INCEPTION, 8);
    memset(w.sample.scores, 0, w.t.g.n_codes);
    for (uint64_t seed = 0; seed < 1500; seed++) {
        ck_assert_uint_eq(qc_weightsample_propose(&w.sample, 0.5f, 1, 0, seed),
                          (uint32_t)(0.5f * (float)w.t.g.n_codes + 0.5f));
        qc_weightsample_undo(&w.sample);
    }
    draw_end();
}
END_TEST

START_TEST(sample_takes_a_share_of_each_layer)
{
    draw_begin(TINY_INCEPTION, 8);
    memset(w.sample.scores, 0, w.t.g.n_codes); /* all down by 1, which few of 256 codes cannot */
    uint32_t total = qc_weightsample_propose(&w.sample, 0.25f, 1, 1, 9), sum = 0;
    for (uint32_t l = 0; l < w.flip.n_layers; l++) {
        uint32_t n = w.t.g.nodes[w.flip.layers[l].node].n_codes, stepped = count_stepped(w.flip.layers[l].node, 1);
        ck_assert_uint_eq(stepped, (uint32_t)(0.25f * (float)n + 0.5f));
        sum += stepped;
    }
    ck_assert_uint_eq(total, sum);
    qc_weightsample_undo(&w.sample);
    ck_assert_mem_eq(w.t.g.codes, w.codes, w.t.g.n_code_bytes);
    draw_end();
}
END_TEST

START_TEST(no_possible_step_gives_empty_sample)
{
    draw_begin(TINY_PLAIN, 2);
    ck_assert_uint_eq(qc_weightsample_propose(&w.sample, 0.5f, 1, 0, 1), 0); /* as begun: no weight has a score */
    memset(w.sample.scores, QC_FLIP_UP, w.t.g.n_codes);
    for (uint32_t i = 0; i < w.t.g.n_nodes; i++)
        for (uint32_t j = 0; j < w.t.g.nodes[i].n_codes; j++) qc_code_set(&w.t.g, &w.t.g.nodes[i], j, 1);
    ck_assert_uint_eq(qc_weightsample_propose(&w.sample, 1, 1, 0, 1), 0); /* all at the top */
    ck_assert_uint_eq(qc_weightsample_propose(&w.sample, 1, 1, 1, 1), 0);
    draw_end();
}
END_TEST

/* A single weight drawn many times: odds go with score^2, that is 2^(-level/4); among equals nobody is favoured; seeds
 * decide. */
START_TEST(higher_scores_are_sampled_more_often)
{
    enum { TRIALS = 2000, PARTS = 8 };
    draw_begin(TINY_PLAIN, 8);
    uint32_t n = w.t.g.n_codes, high = 0, part[PARTS] = {0}, moved_on = 0, before = 0;
    double n_high = 0, n_low = 0;
    for (uint32_t j = 0; j < n; j++) {
        w.sample.scores[j] = j % 3 ? 8 : 0; /* a third has score 1, the others a half */
        for (uint32_t i = 0; i < w.t.g.n_nodes; i++) {
            const QcQNode *node = &w.t.g.nodes[i];
            if (j < node->code || j >= node->code + node->n_codes) continue;
            if (qc_code_get(&w.t.g, node, j - node->code) == -128) qc_code_set(&w.t.g, node, j - node->code, -127);
        }
        if (j % 3) n_low++;
        else n_high++;
    }
    memcpy(w.codes, w.t.g.codes, w.t.g.n_code_bytes);
    for (uint64_t seed = 0; seed < TRIALS; seed++) {
        ck_assert_uint_eq(qc_weightsample_propose(&w.sample, 0, 1, 0, seed), 1);
        uint32_t j = 0;
        while (!(w.sample.stepped[j / 8] >> j % 8 & 1)) j++;
        high += j % 3 == 0;
        part[j * PARTS / n]++;
        moved_on += j != before;
        before = j;
        qc_weightsample_undo(&w.sample);
        if (seed % 100) continue;
        qc_weightsample_propose(&w.sample, 0, 1, 0, seed); /* the same seed, the same weight */
        ck_assert(w.sample.stepped[j / 8] >> j % 8 & 1);
        qc_weightsample_undo(&w.sample);
    }
    double p = 4 * n_high / (4 * n_high + n_low);
    ck_assert_msg(fabs(high - TRIALS * p) < 4.5 * sqrt(TRIALS * p * (1 - p)),
                  "the higher level was drawn %d times, not %.0f", (int)high, TRIALS * p);
    double chi = 0;
    for (int i = 0; i < PARTS; i++) chi += pow(part[i] - (double)TRIALS / PARTS, 2) / ((double)TRIALS / PARTS);
    ck_assert_msg(chi < 30, "chi square of 7 degrees over parts of the net: %g", chi);
    ck_assert_uint_gt(moved_on, TRIALS * 9 / 10);
    draw_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("draw");
    TCase *tests = tcase_create("draw");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, score_bytes_keep_order_and_direction);
    tcase_add_test(tests, network_equals_mlp_with_softmax);
    tcase_add_loop_test(tests, step_changes_exactly_the_proposed_weights, 0, TINY_KINDS);
    tcase_add_loop_test(tests, only_sampled_weights_are_stepped, 0, TINY_KINDS);
    tcase_add_test(tests, ties_do_not_enlarge_sample);
    tcase_add_test(tests, sample_takes_a_share_of_each_layer);
    tcase_add_test(tests, no_possible_step_gives_empty_sample);
    tcase_add_test(tests, higher_scores_are_sampled_more_often);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
