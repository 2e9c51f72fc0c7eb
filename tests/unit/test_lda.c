/* The last layer in closed form, against the formulas of lda.h taken directly, in double precision, from all examples at once. */
#include "suite.h"
#include "tiny.h"

#include "../../lib/device/lda.h"

enum { SOURCE = 22, STREAM = 60, ALL = SOURCE + STREAM, MOST = 24, TRIANGLE = MOST * (MOST + 1) / 2 };

typedef struct Bench {
    Tiny t;
    QcLda l;
    void *memory;
    uint8_t q[ALL][MOST]; /* features of the source's examples, then the stream's */
    uint16_t label[ALL];
    uint8_t *codes;       /* as they were */
    float scale[TINY_CLASSES];
    int32_t bias[TINY_CLASSES];
} Bench;

static Bench b;

static void begin(TinyKind kind, int bits)
{
    QcPlacing count = {0};
    QcRng rng = qc_rng_seed(5, 5);
    tiny_make(&b.t, kind, bits, 8, 3);
    qc_lda_place(&b.l, &b.t.g, 0.03f, 3, &count);
    qc_lda_place_scratch(&b.l, &count);
    b.memory = aligned_alloc(64, count.used);
    QcPlacing p = {.memory = b.memory};
    qc_lda_place(&b.l, &b.t.g, 0.03f, 3, &p);
    qc_lda_place_scratch(&b.l, &p);
    qc_lda_clear(&b.l);
    for (uint32_t e = 0; e < ALL; e++) { /* the stream lies elsewhere than the source; class 3 is rare there */
        b.label[e] = (uint16_t)(e >= SOURCE && e % 16 ? e % 3 : e % TINY_CLASSES);
        for (uint32_t i = 0; i < b.l.n; i++)
            b.q[e][i] = (uint8_t)fmax(0, fmin(255, 80 + (i % TINY_CLASSES == b.label[e] ? 70 : 0) + (e < SOURCE ? 0 : 15) + 14 * qc_rng_normal(&rng)));
    }
    const QcQNode *node = b.l.node;
    b.codes = malloc(b.t.g.n_code_bytes);
    memcpy(b.codes, b.t.g.codes, b.t.g.n_code_bytes);
    memcpy(b.scale, b.t.g.scale + node->channel, sizeof b.scale);
    memcpy(b.bias, b.t.g.bias + node->channel, sizeof b.bias);
}

static void end(void)
{
    free(b.codes);
    free(b.memory);
    tiny_release(&b.t);
}

static int is_untouched(void)
{
    const QcQNode *node = b.l.node;
    return !memcmp(b.codes, b.t.g.codes, b.t.g.n_code_bytes) && !memcmp(b.scale, b.t.g.scale + node->channel, sizeof b.scale) &&
           !memcmp(b.bias, b.t.g.bias + node->channel, sizeof b.bias);
}

static void see(uint32_t e)
{
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
    for (uint32_t e = first; e < end; e++) n += b.label[e] == k;
    for (uint32_t e = first; e < end; e++)
        for (uint32_t i = 0; i < b.l.n && b.label[e] == k; i++) mean[i] += (b.q[e][i] - zero) / n;
    for (uint32_t e = first; e < end; e++) {
        double x[MOST];
        if (b.label[e] != k) continue;
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
        double w = fmax(worth, c / 3); /* a quarter of all, at least */
        seen += c > 1;
        for (uint32_t i = 0; i < n; i++) {
            x[i] = stream[i] - source[i];
            d->mean[k][i] = (w * source[i] + c * stream[i]) / (w + c);
        }
        if (c > 0) add_outer(d, x, w * c / (w + c));
        weight += m - 1 + c + (c > 0 ? w : 0);
    }
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < n; j++) d->s[i][j] /= weight;
    for (uint32_t i = 0; i < n; i++) trace += d->s[i][i];
    for (uint32_t i = 0; i < n; i++) d->s[i][i] += ridge * pow(TINY_CLASSES / seen, 2) * trace / n;
    for (uint32_t k = 0; k < TINY_CLASSES; k++) {
        divide(d, d->weights[k], d->mean[k]);
        for (uint32_t i = 0; i < n; i++) d->bias[k] -= 0.5 * d->weights[k][i] * d->mean[k][i];
    }
}

START_TEST(the_head_is_that_of_the_formulas)
{
    for (int kind = 0; kind < TINY_KINDS; kind++) {
        Direct d;
        begin((TinyKind)kind, 8);
        ck_assert_uint_le(b.l.n, MOST);
        see_all();
        ck_assert(qc_lda_solve(&b.l));
        solve_directly(&d, 0.03, 3);
        for (uint32_t i = 0; i < b.l.n; i++)
            for (uint32_t j = 0; j <= i; j++) ck_assert_double_eq_tol((double)b.l.source.scatter[i * (i + 1) / 2 + j], d.s[i][j], 1e-3 * d.s[i][i]);
        for (uint32_t k = 1; k < TINY_CLASSES; k++) /* heads that differ by what all rows have in common are the same: so rows less the first */
            for (uint32_t e = 0; e < ALL; e++) {
                double zero = b.t.g.tensors[b.l.node->in[0]].zero, ours = (double)b.l.bias[k] - (double)b.l.bias[0], theirs = d.bias[k] - d.bias[0];
                for (uint32_t i = 0; i < b.l.n; i++) {
                    double x = b.q[e][i] - zero;
                    ours += ((double)b.l.weights[k * b.l.n + i] - (double)b.l.weights[i]) * (x - (double)b.l.x[i]); /* seen from the mean of the classes */
                    theirs += (d.weights[k][i] - d.weights[0][i]) * x;
                }
                ck_assert_double_eq_tol(ours, theirs, 0.01 * (1 + fabs(theirs)));
            }
        end();
    }
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

START_TEST(what_is_apart_is_told_apart_by_integers)
{
    for (int bits = 2; bits <= 8; bits *= 2) {
        uint32_t right = 0;
        begin(TINY_PLAIN, bits);
        see_all();
        ck_assert(qc_lda_solve(&b.l));
        for (uint32_t e = SOURCE; e < ALL; e++) {
            float logits[TINY_CLASSES];
            uint32_t best = 0;
            memcpy(qc_qrun_tensor(&b.t.run, b.l.node->in[0]), b.q[e], b.l.n);
            qc_qrun_logits(&b.t.run, logits);
            for (uint32_t k = 1; k < TINY_CLASSES; k++) best = logits[k] > logits[best] ? k : best;
            right += best == b.label[e];
        }
        ck_assert_msg(right >= STREAM - 2, "%d bits: %u of %d", bits, right, STREAM);
        end();
    }
}
END_TEST

START_TEST(the_other_last_layer_comes_back)
{
    begin(TINY_INCEPTION, 2);
    see_all();
    ck_assert(qc_lda_solve(&b.l));
    ck_assert(!is_untouched());
    float solved = b.t.g.scale[b.l.node->channel];
    qc_lda_swap(&b.l);
    ck_assert(is_untouched());
    qc_lda_swap(&b.l);
    ck_assert(b.t.g.scale[b.l.node->channel] == solved);
    end();
}
END_TEST

START_TEST(a_class_without_an_example_leaves_all_as_it_is)
{
    begin(TINY_PLAIN, 4);
    qc_lda_begin(&b.l);
    for (uint32_t e = 0; e < ALL; e++)
        if (b.label[e] != 2) see(e);
    ck_assert(!qc_lda_solve(&b.l));
    ck_assert(is_untouched());
    end();
}
END_TEST

START_TEST(a_statistic_that_cannot_be_is_seen)
{
    const float bad[] = {NAN, INFINITY, -INFINITY, 1e30f};
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
    ck_assert(qc_lda_is_sound(&b.l));
    end();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lda");
    TCase *t = tcase_create("all");
    tcase_add_test(t, the_head_is_that_of_the_formulas);
    tcase_add_test(t, the_order_of_examples_does_not_matter);
    tcase_add_test(t, what_is_apart_is_told_apart_by_integers);
    tcase_add_test(t, the_other_last_layer_comes_back);
    tcase_add_test(t, a_class_without_an_example_leaves_all_as_it_is);
    tcase_add_test(t, a_statistic_that_cannot_be_is_seen);
    suite_add_tcase(s, t);
    return run_suite(s);
}
