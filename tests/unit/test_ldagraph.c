/* The last layer in closed form in the graph: its integers tell apart what is apart, the other layer comes back, and where nothing can be solved all stays as it is. */
#include "suite.h"
#include "tiny.h"
#include "lastlayer.h"

static int is_untouched(void)
{
    const QcQGraph *g = &b.t.g;
    return !memcmp(b.codes, g->codes, g->n_code_bytes) && !memcmp(b.scale, g->scale, g->n_channels * sizeof *b.scale) &&
           !memcmp(b.bias, g->bias, g->n_channels * sizeof *b.bias);
}

/* Of all the graph only the last layer's part may differ. */
static int is_the_rest_untouched(void)
{
    const QcQGraph *g = &b.t.g;
    const QcQNode *node = b.l.node;
    uint32_t after = node->code_byte + qc_lda_code_bytes(&b.l);
    return !memcmp(b.codes, g->codes, node->code_byte) && !memcmp(b.codes + after, g->codes + after, g->n_code_bytes - after) &&
           !memcmp(b.scale, g->scale, node->channel * sizeof *b.scale) && !memcmp(b.bias, g->bias, node->channel * sizeof *b.bias);
}

static uint32_t class_of(const uint8_t *q, float *logits)
{
    uint32_t best = 0;
    memcpy(qc_qrun_tensor(&b.t.run, b.l.node->in[0]), q, b.l.n);
    qc_qrun_logits(&b.t.run, logits);
    for (uint32_t k = 1; k < TINY_CLASSES; k++) best = logits[k] > logits[best] ? k : best;
    return best;
}

static uint32_t wrong_of(uint32_t first, uint32_t end)
{
    uint32_t wrong = 0;
    float logits[TINY_CLASSES];
    for (uint32_t e = first; e < end; e++) wrong += class_of(b.q[e], logits) != b.label[e];
    return wrong;
}

START_TEST(what_is_apart_is_told_apart_by_integers)
{
    for (int bits = 2; bits <= 8; bits *= 2) {
        begin(TINY_PLAIN, bits);
        see_all();
        ck_assert(qc_lda_solve(&b.l));
        uint32_t wrong = wrong_of(SOURCE, ALL);
        ck_assert_msg(wrong <= 2, "%d bits: %u of %d", bits, wrong, STREAM);
        end();
    }
}
END_TEST

/* scale codes x + bias, where x is seen from the mean of the classes: to half a unit of the integer bias. */
START_TEST(the_graph_says_what_the_coded_head_says)
{
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        begin((TinyKind)kind, 2 << kind % 3);
        const QcIntHead *h = &b.l.head;
        double zero = b.t.g.tensors[b.l.node->in[0]].zero;
        see_all();
        ck_assert(qc_lda_solve(&b.l));
        for (uint32_t e = 0; e < ALL; e++) {
            float logits[TINY_CLASSES];
            class_of(b.q[e], logits);
            for (uint32_t k = 0; k < TINY_CLASSES; k++) {
                double sum = (double)h->bias[k], scale = (double)h->scale[k];
                for (uint32_t i = 0; i < b.l.n; i++) sum += scale * h->codes[k * b.l.n + i] * (b.q[e][i] - zero - (double)b.l.x[i]);
                ck_assert_double_eq_tol((double)logits[k], sum, 0.5 * scale + 1e-4 * (1 + fabs((double)h->bias[k])));
            }
        }
        for (uint32_t j = 0; j < TINY_CLASSES * b.l.n; j++) ck_assert_int_eq(qc_code_get(&b.t.g, b.l.node, j), h->codes[j]);
        ck_assert(is_the_rest_untouched());
        end();
    }
}
END_TEST

START_TEST(the_other_last_layer_comes_back)
{
    for (int kind = 0; kind < TINY_KINDS; kind++) { /* one that ends in the middle of a byte would be among them */
        begin((TinyKind)kind, 2);
        see_all();
        ck_assert(qc_lda_solve(&b.l));
        ck_assert(!is_untouched());
        float logits[2][TINY_CLASSES];
        class_of(b.q[0], logits[0]);
        qc_lda_swap(&b.l);
        ck_assert(is_untouched());
        qc_lda_swap(&b.l);
        class_of(b.q[0], logits[1]);
        ck_assert_mem_eq(logits[0], logits[1], sizeof logits[0]);
        end();
    }
}
END_TEST

/* A scatter of nothing, and one from so few that there is none: the means still say it. */
START_TEST(examples_that_do_not_vary_are_told_apart)
{
    for (uint32_t first_unused = TINY_CLASSES; first_unused <= ALL; first_unused += ALL - TINY_CLASSES) {
        begin(TINY_INCEPTION, 2);
        for (uint32_t e = 0; e < ALL; e++) {
            b.used[e] = e < first_unused;
            for (uint32_t i = 0; i < b.l.n; i++) b.q[e][i] = (uint8_t)(60 + (i % TINY_CLASSES == b.label[e] ? 70 : 0));
        }
        see_all();
        ck_assert(qc_lda_solve(&b.l));
        ck_assert_uint_eq(wrong_of(0, ALL), 0);
        end();
    }
}
END_TEST

/* Three classes around a fourth, whose row is next to nothing: only its bias tells it from them. */
START_TEST(a_class_in_the_middle_of_the_others_is_told_apart)
{
    static const int at[TINY_CLASSES][2] = {{40, 0}, {-20, 30}, {-20, -30}, {0, 0}};
    for (int bits = 2; bits <= 8; bits *= 2) {
        begin(TINY_INCEPTION, bits);
        for (uint32_t e = 0; e < ALL; e++) {
            b.label[e] = (uint16_t)(e % TINY_CLASSES);
            b.used[e] = e < TINY_CLASSES;
            for (uint32_t i = 0; i < b.l.n; i++) b.q[e][i] = (uint8_t)(100 + (i % 4 < 2 ? at[b.label[e]][i % 4] : 0));
        }
        see_all();
        ck_assert(qc_lda_solve(&b.l));
        ck_assert_uint_eq(wrong_of(0, ALL), 0);
        end();
    }
}
END_TEST

START_TEST(a_class_without_an_example_leaves_all_as_it_is)
{
    begin(TINY_PLAIN, 4);
    leave_out(2, 0, ALL, 0);
    see_all();
    ck_assert(!qc_lda_solve(&b.l));
    ck_assert(is_untouched());
    leave_out(2, 0, ALL, 1);
    qc_lda_clear(&b.l);
    see_all();
    ck_assert(qc_lda_solve(&b.l)); /* one is enough */
    end();
}
END_TEST

/* What no examples could have led to, as a forged state might have it. */
START_TEST(a_scatter_that_is_none_leaves_all_as_it_is)
{
    begin(TINY_PLAIN, 4);
    see_all();
    b.l.stream.scatter[2] = -1e9f;
    ck_assert(!qc_lda_solve(&b.l));
    ck_assert(is_untouched());
    end();
}
END_TEST

START_TEST(a_statistic_that_cannot_be_is_seen)
{
    const float bad[] = {NAN, INFINITY, -INFINITY, 1e15f};
    begin(TINY_PLAIN, 4);
    see_all();
    ck_assert(qc_lda_is_sound(&b.l));
    for (int i = 0; i < 4; i++) {
        float mean = b.l.stream.mean[3], scatter = b.l.stream.scatter[4];
        b.l.stream.mean[3] = bad[i];
        ck_assert(!qc_lda_is_sound(&b.l));
        b.l.stream.mean[3] = mean;
        b.l.stream.scatter[4] = bad[i];
        ck_assert(!qc_lda_is_sound(&b.l));
        b.l.stream.scatter[4] = scatter;
    }
    b.l.stream.mean[3] = -255;
    b.l.stream.mean[0] = 255;
    b.l.stream.scatter[0] = 65025.0f * 1e9f; /* of a thousand million examples */
    ck_assert(qc_lda_is_sound(&b.l));
    b.l.stream.mean[b.l.n * TINY_CLASSES - 1] = 257;
    ck_assert(!qc_lda_is_sound(&b.l));
    b.l.stream.mean[b.l.n * TINY_CLASSES - 1] = 0;
    b.l.stream.count[1] = UINT32_MAX; /* one more, and there would be none */
    ck_assert(!qc_lda_is_sound(&b.l));
    end();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ldagraph");
    TCase *t = tcase_create("all");
    tcase_add_test(t, what_is_apart_is_told_apart_by_integers);
    tcase_add_test(t, the_graph_says_what_the_coded_head_says);
    tcase_add_test(t, the_other_last_layer_comes_back);
    tcase_add_test(t, examples_that_do_not_vary_are_told_apart);
    tcase_add_test(t, a_class_in_the_middle_of_the_others_is_told_apart);
    tcase_add_test(t, a_class_without_an_example_leaves_all_as_it_is);
    tcase_add_test(t, a_scatter_that_is_none_leaves_all_as_it_is);
    tcase_add_test(t, a_statistic_that_cannot_be_is_seen);
    suite_add_tcase(s, t);
    return run_suite(s);
}
