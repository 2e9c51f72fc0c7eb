/* The last layer in closed form, against the formulas of lda.h taken directly, in double precision, from all examples at once. */
#include "suite.h"
#include "tiny.h"
#include "lastlayer.h"

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

/* Stream example j of class k, from 1, and how many there are. */
static uint32_t examples_of(const uint8_t *at[STREAM], uint32_t k)
{
    uint32_t n = 0;
    for (uint32_t e = SOURCE; e < ALL; e++)
        if (b.label[e] == k) at[n++] = b.q[e];
    return n;
}

/* Of the first n examples: up to `recent` all alike; then each one's weight falls by the same share with every one that follows. */
static double weight_of(uint32_t j, uint32_t n, uint32_t recent)
{
    double share = 1.0 / recent;
    return n <= recent ? 1.0 / n : share * pow(1 - share, n - fmax(j, recent));
}

START_TEST(earlier_examples_fade)
{
    const uint32_t recent = (uint32_t)_i;
    begin(TINY_PLAIN, 8);
    double zero = b.t.g.tensors[b.l.node->in[0]].zero, s[TRIANGLE] = {0};
    b.l.recent = recent;
    see_all();
    for (uint32_t k = 0; k < 3; k++) {
        const uint8_t *at[STREAM];
        uint32_t n = examples_of(at, k);
        double mean[MOST];
        ck_assert_uint_eq(n, 20);
        for (uint32_t seen = 0; seen <= n; seen++) { /* the mean of the first `seen`, and how far the next one is from it */
            for (uint32_t i = 0; i < b.l.n; i++) mean[i] = 0;
            for (uint32_t j = 1; j <= seen; j++)
                for (uint32_t i = 0; i < b.l.n; i++) mean[i] += weight_of(j, seen, recent) * (at[j - 1][i] - zero);
            double moves = 1 - 1 / fmin(seen + 1, recent);
            for (uint32_t i = 0; i < b.l.n && seen < n; i++)
                for (uint32_t j = 0; j <= i; j++) s[i * (i + 1) / 2 + j] += moves * (at[seen][i] - zero - mean[i]) * (at[seen][j] - zero - mean[j]);
        }
        for (uint32_t i = 0; i < b.l.n; i++) ck_assert_double_eq_tol((double)b.l.stream.mean[k * b.l.n + i], mean[i], 1e-3);
    }
    for (uint32_t i = 0; i < b.l.n; i++)
        for (uint32_t j = 0; j <= i; j++) ck_assert_double_eq_tol((double)b.l.stream.scatter[i * (i + 1) / 2 + j], s[i * (i + 1) / 2 + j], 1e-4 * s[i * (i + 3) / 2]);
    ck_assert(qc_lda_solve(&b.l));
    end();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lda");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, the_head_is_that_of_the_formulas, 0, 7);
    tcase_add_test(t, the_order_of_examples_does_not_matter);
    tcase_add_loop_test(t, earlier_examples_fade, 5, 21);
    suite_add_tcase(s, t);
    return run_suite(s);
}
