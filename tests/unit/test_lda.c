/* The last layer in closed form, against the formulas of lda.h taken directly, in double precision, from all examples at once. */
#include "suite.h"
#include "guarded.h"
#include "tiny.h"

#include "../../lib/device/lda.h"

enum { SOURCE = 22, STREAM = 60, ALL = SOURCE + STREAM, MOST = 24, TRIANGLE = MOST * (MOST + 1) / 2 };

typedef struct Bench {
    Tiny t;
    QcLda l;
    Guarded memory;
    uint8_t q[ALL][MOST]; /* features of the source's examples, then the stream's */
    uint16_t label[ALL];
    uint8_t used[ALL];    /* is seen */
    uint8_t *codes;       /* these three: as they were */
    float *scale;
    int32_t *bias;
} Bench;

static Bench b;

static void *copy_of(const void *bytes, size_t n) { return memcpy(malloc(n), bytes, n); }

static void lay_out(QcPlacing *p)
{
    qc_lda_place(&b.l, &b.t.g, 0.03f, 3, p);
    qc_lda_place_scratch(&b.l, p);
}

static void begin(TinyKind kind, int bits)
{
    QcPlacing count = {0};
    QcRng rng = qc_rng_seed(5, 5);
    tiny_make(&b.t, kind, bits, 8, 3);
    lay_out(&count);
    QcPlacing p = {.memory = guarded_take(&b.memory, count.used, kind % 2)};
    lay_out(&p);
    qc_lda_clear(&b.l);
    ck_assert_uint_le(b.l.n, MOST);
    for (uint32_t e = 0; e < ALL; e++) { /* the stream lies elsewhere than the source, and lacks class 3 */
        b.label[e] = (uint16_t)(e >= SOURCE ? e % 3 : e % TINY_CLASSES);
        b.used[e] = 1;
        for (uint32_t i = 0; i < b.l.n; i++)
            b.q[e][i] = (uint8_t)fmax(0, fmin(255, 80 + (i % TINY_CLASSES == b.label[e] ? 70 : 0) + (e < SOURCE ? 0 : 15) + 14 * qc_rng_normal(&rng)));
    }
    b.codes = copy_of(b.t.g.codes, b.t.g.n_code_bytes);
    b.scale = copy_of(b.t.g.scale, b.t.g.n_channels * sizeof *b.scale);
    b.bias = copy_of(b.t.g.bias, b.t.g.n_channels * sizeof *b.bias);
}

static void end(void)
{
    free(b.codes);
    free(b.scale);
    free(b.bias);
    guarded_release(&b.memory);
    tiny_release(&b.t);
}

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

static void see(uint32_t e)
{
    if (!b.used[e]) return;
    if (e < SOURCE) qc_lda_see_source(&b.l, b.q[e], b.label[e]);
    else qc_lda_see_stream(&b.l, b.q[e], b.label[e]);
}

static void see_all(void)
{
    qc_lda_begin(&b.l);
    for (uint32_t e = 0; e < ALL; e++) see(e);
}

/* ---- directly ---- */

typedef struct Direct {
    double mean[TINY_CLASSES][MOST], s[MOST][MOST], weights[TINY_CLASSES][MOST], bias[TINY_CLASSES];
} Direct;

static void add_outer(Direct *d, const double *x, double weight)
{
    for (uint32_t i = 0; i < b.l.n; i++)
        for (uint32_t j = 0; j < b.l.n; j++) d->s[i][j] += weight * x[i] * x[j];
}

/* Examples [first, end) of class k: how many, and their mean; their scatter goes to d. */
static double part_of(Direct *d, double *mean, uint32_t k, uint32_t first, uint32_t end)
{
    double n = 0, zero = b.t.g.tensors[b.l.node->in[0]].zero;
    memset(mean, 0, MOST * sizeof *mean);
    for (uint32_t e = first; e < end; e++) n += b.label[e] == k && b.used[e];
    for (uint32_t e = first; e < end; e++)
        for (uint32_t i = 0; i < b.l.n && b.label[e] == k && b.used[e]; i++) mean[i] += (b.q[e][i] - zero) / n;
    for (uint32_t e = first; e < end; e++) {
        double x[MOST];
        if (b.label[e] != k || !b.used[e]) continue;
        for (uint32_t i = 0; i < b.l.n; i++) x[i] = b.q[e][i] - zero - mean[i];
        add_outer(d, x, 1);
    }
    return n;
}

/* x = S^-1 y, by elimination. */
static void divide(const Direct *d, double *x, const double *y)
{
    double a[MOST][MOST + 1];
    uint32_t n = b.l.n;
    for (uint32_t i = 0; i < n; i++) {
        memcpy(a[i], d->s[i], n * sizeof **a);
        a[i][n] = y[i];
    }
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t r = 0; r < n; r++) {
            double times = a[r][i] / a[i][i];
            for (uint32_t j = i; j <= n && r != i; j++) a[r][j] -= times * a[i][j];
        }
    for (uint32_t i = 0; i < n; i++) x[i] = a[i][n] / a[i][i];
}

static void solve_directly(Direct *d, double ridge, double worth)
{
    double weight = 0, seen = 0, trace = 0;
    uint32_t n = b.l.n;
    *d = (Direct){0};
    for (uint32_t k = 0; k < TINY_CLASSES; k++) {
        double source[MOST], stream[MOST], x[MOST], m = part_of(d, source, k, 0, SOURCE), c = part_of(d, stream, k, SOURCE, ALL);
        double w = m > 0 ? fmax(worth, c / 3) : 0; /* a quarter of all, at least */
        seen += c > 1;
        for (uint32_t i = 0; i < n; i++) {
            x[i] = stream[i] - source[i];
            d->mean[k][i] = (w * source[i] + c * stream[i]) / (w + c);
        }
        if (c > 0) add_outer(d, x, w * c / (w + c));
        weight += fmax(m - 1, 0) + c + (c > 0 ? w : 0);
    }
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < n; j++) d->s[i][j] /= weight;
    for (uint32_t i = 0; i < n; i++) trace += d->s[i][i];
    for (uint32_t i = 0; i < n; i++) d->s[i][i] += ridge * pow(TINY_CLASSES / fmax(seen, 1), 2) * trace / n;
    for (uint32_t k = 0; k < TINY_CLASSES; k++) {
        divide(d, d->weights[k], d->mean[k]);
        for (uint32_t i = 0; i < n; i++) d->bias[k] -= 0.5 * d->weights[k][i] * d->mean[k][i];
    }
}

/* What the real-number head says of an example: of class k ahead of class 0, for heads that differ by what all rows have in common are the same. */
static double lead_of(uint32_t k, const uint8_t *q)
{
    double sum = (double)b.l.bias[k] - (double)b.l.bias[0], zero = b.t.g.tensors[b.l.node->in[0]].zero;
    for (uint32_t i = 0; i < b.l.n; i++) /* seen from the mean of the classes */
        sum += ((double)b.l.weights[k * b.l.n + i] - (double)b.l.weights[i]) * (q[i] - zero - (double)b.l.x[i]);
    return sum;
}

static double lead_directly(const Direct *d, uint32_t k, const uint8_t *q)
{
    double sum = d->bias[k] - d->bias[0], zero = b.t.g.tensors[b.l.node->in[0]].zero;
    for (uint32_t i = 0; i < b.l.n; i++) sum += (d->weights[k][i] - d->weights[0][i]) * (q[i] - zero);
    return sum;
}

static void compare_with_formulas(void)
{
    static Direct d;
    see_all();
    ck_assert(qc_lda_solve(&b.l));
    solve_directly(&d, 0.03, 3);
    for (uint32_t i = 0; i < b.l.n; i++)
        for (uint32_t j = 0; j <= i; j++) ck_assert_double_eq_tol((double)b.l.source.scatter[i * (i + 1) / 2 + j], d.s[i][j], 1e-4 * d.s[i][i]);
    for (uint32_t k = 1; k < TINY_CLASSES; k++)
        for (uint32_t e = 0; e < ALL; e++) {
            double theirs = lead_directly(&d, k, b.q[e]);
            ck_assert_double_eq_tol(lead_of(k, b.q[e]), theirs, 0.01 * (1 + fabs(theirs)));
        }
}

/* Of the examples of class k in [first, end), all are left out, or all but one. */
static void leave_out(uint32_t k, uint32_t first, uint32_t end, uint32_t but)
{
    for (uint32_t e = first; e < end; e++) {
        if (b.label[e] != k) continue;
        b.used[e] = but > 0;
        but = 0;
    }
}

START_TEST(the_head_is_that_of_the_formulas)
{
    enum { AS_IT_IS, NO_SOURCE_OF_ONE, ONE_SOURCE_OF_ONE, ONE_STREAM_OF_ONE, ONE_CLASS_STREAMS, NO_STREAM, NO_SOURCE };
    begin((TinyKind)(_i % TINY_KINDS), 8);
    if (_i == NO_SOURCE_OF_ONE) leave_out(1, 0, SOURCE, 0);
    if (_i == ONE_SOURCE_OF_ONE) leave_out(1, 0, SOURCE, 1), leave_out(3, 0, SOURCE, 1);
    if (_i == ONE_STREAM_OF_ONE) leave_out(2, SOURCE, ALL, 1);
    for (uint32_t k = 0; k < TINY_CLASSES; k++)
        if (_i == NO_STREAM || (_i == ONE_CLASS_STREAMS && k)) leave_out(k, SOURCE, ALL, 0);
    for (uint32_t e = 0; e < ALL && _i == NO_SOURCE; e++) b.used[e] = e >= SOURCE, b.label[e] = (uint16_t)(e % TINY_CLASSES);
    compare_with_formulas();
    end();
}
END_TEST

START_TEST(the_order_of_examples_does_not_matter)
{
    begin(TINY_PLAIN, 4);
    see_all();
    float scatter[TRIANGLE], mean[TINY_CLASSES * MOST];
    size_t n = b.l.n, triangle = n * (n + 1) / 2;
    memcpy(scatter, b.l.stream.scatter, triangle * sizeof *scatter);
    memcpy(mean, b.l.stream.mean, n * TINY_CLASSES * sizeof *mean);
    qc_lda_clear(&b.l);
    qc_lda_begin(&b.l);
    for (uint32_t e = ALL; e-- > 0;) see(e);
    for (size_t i = 0; i < triangle; i++) ck_assert_float_eq_tol(scatter[i], b.l.stream.scatter[i], 1e-3f * (1 + scatter[triangle - 1]));
    for (size_t i = 0; i < n * TINY_CLASSES; i++) ck_assert_float_eq_tol(mean[i], b.l.stream.mean[i], 1e-3f);
    end();
}
END_TEST

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
    Suite *s = suite_create("lda");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, the_head_is_that_of_the_formulas, 0, 7);
    tcase_add_test(t, the_order_of_examples_does_not_matter);
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
