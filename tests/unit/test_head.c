/* The closed-form head as a last layer: the floats equal the LOGITS node's, the integers separate the classes, and
 * the network below is unchanged. */
#include "suite.h"
#include "tiny.h"
#include "headbench.h"

static void draw_layer(QcRng *rng)
{
    for (uint64_t i = 0; i < qc_head_code_bytes(&b.shape); i++) b.layer.codes[i] = (uint8_t)qc_rng_next(rng);
    for (uint32_t k = 0; k < TINY_CLASSES; k++) {
        b.layer.scale[k] = 0.001f + qc_rng_unit(rng);
        b.layer.bias[k] = (int32_t)qc_rng_below(rng, 4000) - 2000;
    }
}

/* _i: kind. Any codes and features, biases as large as they may be among them. */
START_TEST(logits_equal_logits_node)
{
    for (int bits = 2; bits <= 8; bits *= 2) {
        int8_t room[TINY_CLASSES * MOST];
        float logits[TINY_CLASSES], node[TINY_CLASSES];
        uint8_t q[MOST];
        QcRng rng = qc_rng_seed((uint64_t)bits, 9);
        bench_begin((TinyKind)_i, bits);
        for (int trial = 0; trial < 50; trial++) {
            draw_layer(&rng);
            b.layer.bias[0] = trial % 3 == 0 ? b.shape.largest_bias : trial % 3 == 1 ? -b.shape.largest_bias : 0;
            for (uint32_t i = 0; i < b.shape.features; i++)
                q[i] = trial < 2 ? (uint8_t)(255 * trial) : (uint8_t)qc_rng_next(&rng);
            const int8_t *codes = qc_head_unpack(room, &b.layer, &b.shape);
            qc_head_logits(logits, &b.shape, codes, b.layer.scale, b.layer.bias, q);
            class_of(&b.layer, q, node);
            ck_assert_mem_eq(logits, node, sizeof logits);
        }
        bench_end();
    }
}
END_TEST

/* The model's own last layer as a QcLastLayer answers as the model does. */
START_TEST(last_layer_struct_equals_model)
{
    for (int bits = 2; bits <= 8; bits *= 2) {
        bench_begin((TinyKind)_i, bits);
        QcQGraph *g = &b.t.g;
        const QcQNode *node = &g->nodes[g->n_nodes - 1];
        const QcLastLayer own = {g->codes + node->code_byte, g->scale + node->channel, g->bias + node->channel};
        ck_assert(b.shape.features == node->n_codes / TINY_CLASSES && b.shape.bits == qc_code_bits(g, node) &&
                  b.shape.zero == g->tensors[node->in[0]].zero);
        ck_assert_int_eq(b.shape.largest_bias, qc_largest_bias(g, node));
        for (uint32_t e = 0; e < ALL; e++) {
            float as_layer[TINY_CLASSES], as_it_is[TINY_CLASSES];
            class_of(&own, b.q[e], as_layer);
            class_of(NULL, b.q[e], as_it_is);
            ck_assert_mem_eq(as_layer, as_it_is, sizeof as_layer);
        }
        bench_end();
    }
}
END_TEST

/* Unpacked codes are those that qc_code_get reads, and what a head solves lies packed in the same way. */
START_TEST(codes_are_packed_as_in_logits_node)
{
    for (int bits = 2; bits <= 8; bits *= 2) {
        int8_t room[TINY_CLASSES * MOST];
        QcRng rng = qc_rng_seed((uint64_t)bits, 10);
        bench_begin((TinyKind)_i, bits);
        QcQGraph g = b.t.g;
        const QcQNode *node = &g.nodes[g.n_nodes - 1];
        g.last = &b.layer;
        draw_layer(&rng);
        const int8_t *codes = qc_head_unpack(room, &b.layer, &b.shape);
        for (uint32_t j = 0; j < TINY_CLASSES * b.shape.features; j++)
            ck_assert_int_eq(codes[j], qc_code_get(&g, node, j));
        ck_assert(bench_solve());
        for (uint32_t j = 0; j < TINY_CLASSES * b.shape.features; j++)
            ck_assert_int_eq(b.scratch.codes[j], qc_code_get(&g, node, j));
        bench_end();
    }
}
END_TEST

static uint32_t wrong_of(uint32_t first, uint32_t end)
{
    uint32_t wrong = 0;
    float logits[TINY_CLASSES];
    for (uint32_t e = first; e < end; e++) wrong += class_of(&b.layer, b.q[e], logits) != b.label[e];
    return wrong;
}

START_TEST(separable_classes_are_separated_by_integer_codes)
{
    for (int bits = 2; bits <= 8; bits *= 2) {
        bench_begin(TINY_PLAIN, bits);
        ck_assert(bench_solve());
        uint32_t wrong = wrong_of(SOURCE, ALL);
        ck_assert_msg(wrong <= 2, "%d bits: %u of %d", bits, wrong, STREAM);
        ck_assert_uint_gt(b.scratch.operations, 0);
        uint32_t right = 0;
        for (uint32_t i = b.set.n_kept; i < b.set.n; i++) right += b.right[i];
        ck_assert_uint_eq(wrong + right, STREAM);
        bench_end();
    }
}
END_TEST

/* scale codes (x - centre) + bias, times the temperature: to half a unit of the integer bias. The model is as it
 * was. */
START_TEST(logits_node_equals_float_formula_of_head)
{
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        bench_begin((TinyKind)kind, 2 << kind % 3);
        QcQGraph *g = &b.t.g;
        uint8_t *before = memcpy(malloc(g->n_code_bytes), g->codes, g->n_code_bytes);
        const QcHeadScratch *s = &b.scratch;
        ck_assert(bench_solve());
        double temperature = (double)(b.layer.scale[0] * b.shape.step) / (double)s->scale[0];
        for (uint32_t e = 0; e < ALL; e++) {
            float logits[TINY_CLASSES];
            class_of(&b.layer, b.q[e], logits);
            for (uint32_t k = 0; k < TINY_CLASSES; k++) {
                double sum = (double)s->bias[k], scale = (double)s->scale[k];
                for (uint32_t i = 0; i < b.shape.features; i++)
                    sum +=
                        scale * s->codes[k * b.shape.features + i] * (b.q[e][i] - b.shape.zero - (double)s->centre[i]);
                ck_assert_double_eq_tol((double)logits[k], temperature * sum,
                                        temperature * (0.5 * scale + 1e-4 * (1 + fabs((double)s->bias[k]))));
            }
        }
        ck_assert_mem_eq(before, g->codes, g->n_code_bytes);
        free(before);
        bench_end();
    }
}
END_TEST

/* A scatter of nothing, and one from so few examples that there is none: the means still tell the classes apart. */
START_TEST(classes_without_variance_are_separated)
{
    for (uint32_t first_unused = TINY_CLASSES; first_unused <= ALL; first_unused += ALL - TINY_CLASSES) {
        bench_begin(TINY_INCEPTION, 2);
        for (uint32_t e = 0; e < ALL; e++) {
            b.used[e] = e < first_unused;
            for (uint32_t i = 0; i < b.shape.features; i++)
                b.q[e][i] = (uint8_t)(60 + (i % TINY_CLASSES == b.label[e] ? 70 : 0));
        }
        ck_assert(bench_solve());
        ck_assert_uint_eq(wrong_of(0, ALL), 0);
        bench_end();
    }
}
END_TEST

/* Three classes around a fourth, whose row is next to nothing: only its bias tells it from them. */
START_TEST(class_at_center_of_others_is_separated)
{
    static const int at[TINY_CLASSES][2] = {{40, 0}, {-20, 30}, {-20, -30}, {0, 0}};
    for (int bits = 2; bits <= 8; bits *= 2) {
        bench_begin(TINY_INCEPTION, bits);
        for (uint32_t e = 0; e < ALL; e++) {
            b.label[e] = (uint16_t)(e % TINY_CLASSES);
            b.used[e] = e < TINY_CLASSES;
            for (uint32_t i = 0; i < b.shape.features; i++)
                b.q[e][i] = (uint8_t)(100 + (i % 4 < 2 ? at[b.label[e]][i % 4] : 0));
        }
        ck_assert(bench_solve());
        ck_assert_uint_eq(wrong_of(0, ALL), 0);
        bench_end();
    }
}
END_TEST

/* In double, with libm. */
START_TEST(cross_entropy_equals_libm)
{
    QcRng rng = qc_rng_seed(1, 12);
    for (int trial = 0; trial < 2000; trial++) {
        float logits[TINY_CLASSES];
        double sum = 0;
        uint32_t best = 0;
        for (int k = 0; k < TINY_CLASSES; k++) logits[k] = (float)((trial % 5 ? 3 : 60) * qc_rng_normal(&rng));
        for (uint32_t k = 0; k < TINY_CLASSES; k++)
            sum += exp((double)logits[k]), best = logits[k] > logits[best] ? k : best;
        ck_assert_uint_eq(qc_largest(logits, TINY_CLASSES), best);
        for (uint16_t k = 0; k < TINY_CLASSES; k++) {
            double loss = log(sum) - (double)logits[k];
            ck_assert_double_eq_tol((double)qc_cross_entropy(logits, k, TINY_CLASSES), loss,
                                    2e-6 * (1 + fabs(loss) + fabs((double)logits[k])));
        }
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("head");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, logits_equal_logits_node, 0, TINY_KINDS);
    tcase_add_loop_test(t, last_layer_struct_equals_model, 0, TINY_KINDS);
    tcase_add_loop_test(t, codes_are_packed_as_in_logits_node, 0, TINY_KINDS);
    tcase_add_test(t, separable_classes_are_separated_by_integer_codes);
    tcase_add_test(t, logits_node_equals_float_formula_of_head);
    tcase_add_test(t, classes_without_variance_are_separated);
    tcase_add_test(t, class_at_center_of_others_is_separated);
    tcase_add_test(t, cross_entropy_equals_libm);
    suite_add_tcase(s, t);
    return run_suite(s);
}
