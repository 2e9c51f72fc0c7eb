/* The linear discriminant compared with the formulas of discriminant.c, evaluated in double precision from all
 * examples at once. */
#include "suite.h"
#include "tiny.h"
#include "headbench.h"

typedef struct Direct {
    double mean[TINY_CLASSES][MOST], s[MOST][MOST], weights[TINY_CLASSES][MOST], bias[TINY_CLASSES];
} Direct;

static void add_outer(Direct *d, const double *x, double weight)
{
    for (uint32_t i = 0; i < b.shape.features; i++)
        for (uint32_t j = 0; j < b.shape.features; j++) d->s[i][j] += weight * x[i] * x[j];
}

/* Examples [first, end) of class k: how many, and their mean; their scatter goes to d. */
static double part_of(Direct *d, double *mean, uint32_t k, uint32_t first, uint32_t end)
{
    double n = 0;
    memset(mean, 0, MOST * sizeof *mean);
    for (uint32_t e = first; e < end; e++) n += b.label[e] == k && b.used[e];
    for (uint32_t e = first; e < end; e++)
        for (uint32_t i = 0; i < b.shape.features && b.label[e] == k && b.used[e]; i++)
            mean[i] += (b.q[e][i] - b.shape.zero) / n;
    for (uint32_t e = first; e < end; e++) {
        double x[MOST];
        if (b.label[e] != k || !b.used[e]) continue;
        for (uint32_t i = 0; i < b.shape.features; i++) x[i] = b.q[e][i] - b.shape.zero - mean[i];
        add_outer(d, x, 1);
    }
    return n;
}

/* x = S^-1 y, by elimination. */
static void divide(const Direct *d, double *x, const double *y)
{
    double a[MOST][MOST + 1];
    uint32_t n = b.shape.features;
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

/* Means of source and stream together, and their scatter. stream_starts: the first example of the stream. */
static void join_directly(Direct *d, double ridge, double prior_count, uint32_t stream_starts)
{
    double weight = 0, seen = 0, trace = 0;
    uint32_t n = b.shape.features;
    *d = (Direct){0};
    for (uint32_t k = 0; k < TINY_CLASSES; k++) {
        double source[MOST], stream[MOST], x[MOST], m = part_of(d, source, k, 0, stream_starts),
                                                    c = part_of(d, stream, k, stream_starts, ALL);
        double prior = m > 0 ? fmax(prior_count, c / 3) : 0; /* a quarter of all, at least */
        seen += c > 1;
        for (uint32_t i = 0; i < n; i++) {
            x[i] = stream[i] - source[i];
            d->mean[k][i] = (prior * source[i] + c * stream[i]) / (prior + c);
        }
        if (c > 0) add_outer(d, x, prior * c / (prior + c));
        weight += fmax(m - 1, 0) + c + (c > 0 ? prior : 0);
    }
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < n; j++) d->s[i][j] /= weight;
    for (uint32_t i = 0; i < n; i++) trace += d->s[i][i];
    for (uint32_t i = 0; i < n; i++) d->s[i][i] += ridge * pow(TINY_CLASSES / fmax(seen, 1), 2) * trace / n;
}

static void solve_directly(Direct *d, double ridge, double prior_count, uint32_t stream_starts)
{
    join_directly(d, ridge, prior_count, stream_starts);
    for (uint32_t k = 0; k < TINY_CLASSES; k++) {
        divide(d, d->weights[k], d->mean[k]);
        for (uint32_t i = 0; i < b.shape.features; i++) d->bias[k] -= 0.5 * d->weights[k][i] * d->mean[k][i];
    }
}

/* By how much the discriminant puts class k ahead of class 0: heads that differ by what all rows have in common are the
 * same. */
static double margin_of(uint32_t k, const uint8_t *q)
{
    const float *w = b.scratch.weights;
    uint32_t n = b.shape.features;
    double sum = (double)b.scratch.bias[k] - (double)b.scratch.bias[0];
    for (uint32_t i = 0; i < n; i++)
        sum += ((double)w[k * n + i] - (double)w[i]) * (q[i] - b.shape.zero - (double)b.scratch.centre[i]);
    return sum;
}

static double margin_directly(const Direct *d, uint32_t k, const uint8_t *q)
{
    double sum = d->bias[k] - d->bias[0];
    for (uint32_t i = 0; i < b.shape.features; i++)
        sum += (d->weights[k][i] - d->weights[0][i]) * (q[i] - b.shape.zero);
    return sum;
}

/* The examples are gathered. */
static void expect_formulas(uint32_t stream_starts)
{
    static Direct d;
    const uint32_t n = b.shape.features;
    ck_assert(qc_discriminant_solve(&b.scratch, &b.task));
    solve_directly(&d, (double)b.parameters.ridge, (double)b.parameters.prior_count, stream_starts);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = i; j < n; j++)
            ck_assert_double_eq_tol((double)qc_triangle_row(b.scratch.scatter, n, i)[j], d.s[i][j],
                                    1e-4 * sqrt(d.s[i][i] * d.s[j][j]));
    for (uint32_t k = 0; k < TINY_CLASSES; k++)
        for (uint32_t i = 0; i < n; i++)
            ck_assert_double_eq_tol((double)b.scratch.mean[k * n + i] + (double)b.scratch.centre[i], d.mean[k][i],
                                    1e-3);
    for (uint32_t k = 1; k < TINY_CLASSES; k++)
        for (uint32_t e = 0; e < ALL; e++) {
            double direct = margin_directly(&d, k, b.q[e]);
            ck_assert_double_eq_tol(margin_of(k, b.q[e]), direct, 0.01 * (1 + fabs(direct)));
        }
}

/* _i: what is missing. Each with a stream that is in the moments, in the ring, or in both. */
START_TEST(discriminant_equals_formulas)
{
    enum { AS_IT_IS, NO_SOURCE_OF_ONE, ONE_SOURCE_OF_ONE, ONE_STREAM_OF_ONE, ONE_CLASS_STREAMS, NO_STREAM, NO_SOURCE };
    for (uint32_t learned = 0; learned <= STREAM; learned += STREAM / 2) {
        bench_begin((TinyKind)(_i % TINY_KINDS), 8);
        b.learned = learned;
        b.parameters.average_window = 0;
        if (_i == NO_SOURCE_OF_ONE) leave_out(1, 0, SOURCE, 0);
        if (_i == ONE_SOURCE_OF_ONE) leave_out(1, 0, SOURCE, 1), leave_out(3, 0, SOURCE, 1);
        if (_i == ONE_STREAM_OF_ONE) leave_out(2, SOURCE, ALL, 1);
        for (uint32_t k = 0; k < TINY_CLASSES; k++)
            if (_i == NO_STREAM || (_i == ONE_CLASS_STREAMS && k)) leave_out(k, SOURCE, ALL, 0);
        for (uint32_t e = 0; e < ALL && _i == NO_SOURCE; e++)
            b.used[e] = e >= SOURCE, b.label[e] = (uint16_t)(e % TINY_CLASSES);
        bench_gather();
        expect_formulas(SOURCE);
        bench_end();
    }
}
END_TEST

/* 2 stream examples of a class: the prior count decides; 20: from 20 / 3 on it does, below a quarter of the class is
 * the source's whatever it is. */
START_TEST(source_mean_has_prior_count_and_minimum_share)
{
    const float priors[] = {0.01f, 1, 3, 6, 7, 50, 1e6f};
    for (int p = 0; p < 7; p++)
        for (int few = 0; few < 2; few++) {
            bench_begin(TINY_INCEPTION, 4);
            b.parameters.prior_count = priors[p];
            b.parameters.ridge = few ? 1 : 0.1f;
            for (uint32_t e = SOURCE + 6; e < ALL && few; e++) b.used[e] = 0;
            bench_gather();
            expect_formulas(SOURCE);
            bench_end();
        }
}
END_TEST

/* Stream examples that an earlier session left in the coreset count as the stream's, but only if the moments lack
 * them. */
START_TEST(stored_stream_examples_count_once)
{
    for (int takes = 0; takes < 2; takes++) {
        bench_begin(TINY_STD, 4);
        bench_gather();
        for (uint32_t e = SOURCE - 6; e < SOURCE; e++) b.coreset.flags[e] = QC_SLOT_STREAM;
        b.task.takes_kept = takes;
        for (uint32_t e = SOURCE - 6; e < SOURCE && !takes; e++) b.used[e] = 0; /* they have no part in anything */
        expect_formulas(SOURCE - 6);
        bench_end();
    }
}
END_TEST

/* A scatter that no examples could give, as in a forged state. */
START_TEST(scatter_not_positive_definite_is_refused)
{
    const float bad[] = {-1e9f, NAN, -INFINITY};
    for (int i = 0; i < 3; i++) {
        bench_begin(TINY_PLAIN, 4);
        bench_gather();
        ck_assert(qc_discriminant_solve(&b.scratch, &b.task));
        qc_triangle_row(b.stream.scatter, b.shape.features, 2)[2] = bad[i];
        ck_assert(!qc_discriminant_solve(&b.scratch, &b.task));
        ck_assert(!qc_head_solve(&b.layer, b.right, &b.loss, &b.scratch, &b.task));
        bench_end();
    }
}
END_TEST

START_TEST(class_without_example_is_refused)
{
    bench_begin(TINY_PLAIN, 4);
    leave_out(2, 0, ALL, 0);
    bench_gather();
    ck_assert(!qc_head_can_solve(&b.task));
    leave_out(2, 0, ALL, 1); /* a source example is enough */
    bench_gather();
    ck_assert(qc_head_can_solve(&b.task));
    leave_out(2, 0, ALL, 0);
    leave_out(2, SOURCE, ALL, 1); /* one of the ring too */
    bench_gather();
    ck_assert(qc_head_can_solve(&b.task));
    b.learned = STREAM; /* and one of the moments */
    bench_gather();
    ck_assert(qc_head_can_solve(&b.task));
    leave_out(2, SOURCE, ALL, 0);
    leave_out(2, 0, SOURCE, 1); /* a stream example of the coreset only if the moments lack it */
    bench_gather();
    for (uint32_t e = 0; e < SOURCE; e++)
        if (b.label[e] == 2) b.coreset.flags[e] = QC_SLOT_STREAM;
    ck_assert(!qc_head_can_solve(&b.task));
    b.task.takes_kept = 1;
    ck_assert(qc_head_can_solve(&b.task));
    bench_end();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("discriminant");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, discriminant_equals_formulas, 0, 7);
    tcase_add_test(t, source_mean_has_prior_count_and_minimum_share);
    tcase_add_test(t, stored_stream_examples_count_once);
    tcase_add_test(t, scatter_not_positive_definite_is_refused);
    tcase_add_test(t, class_without_example_is_refused);
    suite_add_tcase(s, t);
    return run_suite(s);
}
