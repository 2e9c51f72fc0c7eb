/* Running moments of features compared with the moments of all examples at once, in double precision. */
#include "suite.h"
#include "tiny.h"
#include "headbench.h"

typedef struct Direct {
    double mean[TINY_CLASSES][MOST], scatter[MOST][MOST];
    uint32_t count[TINY_CLASSES];
} Direct;

static Direct direct;

/* The stream's examples of class k in the order in which they come; how many there are. */
static uint32_t examples_of(const uint8_t *at[STREAM], uint32_t k)
{
    uint32_t n = 0;
    for (uint32_t e = SOURCE; e < ALL; e++)
        if (b.label[e] == k) at[n++] = b.q[e];
    return n;
}

static void add_outer(const double *x, double weight)
{
    for (uint32_t i = 0; i < b.shape.features; i++)
        for (uint32_t j = 0; j < b.shape.features; j++) direct.scatter[i][j] += weight * x[i] * x[j];
}

/* In two passes: the means, then the scatter around them. */
static void take_directly(void)
{
    direct = (Direct){0};
    for (uint32_t k = 0; k < TINY_CLASSES; k++) {
        const uint8_t *at[STREAM];
        uint32_t n = direct.count[k] = examples_of(at, k);
        for (uint32_t j = 0; j < n; j++)
            for (uint32_t i = 0; i < b.shape.features; i++) direct.mean[k][i] += (double)(at[j][i] - b.shape.zero) / n;
        for (uint32_t j = 0; j < n; j++) {
            double x[MOST];
            for (uint32_t i = 0; i < b.shape.features; i++) x[i] = at[j][i] - b.shape.zero - direct.mean[k][i];
            add_outer(x, 1);
        }
    }
}

static void expect_direct(void)
{
    ck_assert_mem_eq(b.stream.count, direct.count, sizeof direct.count);
    for (uint32_t k = 0; k < TINY_CLASSES; k++)
        for (uint32_t i = 0; i < b.shape.features; i++)
            ck_assert_double_eq_tol((double)b.stream.mean[k * b.shape.features + i], direct.mean[k][i], 1e-3);
    for (uint32_t i = 0; i < b.shape.features; i++)
        for (uint32_t j = i; j < b.shape.features; j++) {
            double size = sqrt(direct.scatter[i][i] * direct.scatter[j][j]);
            ck_assert_double_eq_tol((double)qc_triangle_row(b.stream.scatter, b.shape.features, i)[j],
                                    direct.scatter[i][j], 1e-4 * size + 1e-9);
        }
}

/* A window of 0, or one that no class fills, leaves the plain mean. */
START_TEST(running_moments_equal_two_pass_moments)
{
    const uint32_t windows[] = {0, 20, 1000};
    for (int w = 0; w < 3; w++) {
        bench_begin((TinyKind)_i, 8);
        b.parameters.average_window = windows[w];
        b.learned = STREAM;
        bench_gather();
        take_directly();
        expect_direct();
        ck_assert(qc_moments_are_sound(&b.stream));
        bench_end();
    }
}
END_TEST

/* Of n examples, the weight of the j-th (from 1) in the mean: equal up to the window, then falling by the same factor
 * with each example that follows. */
static double weight_of(uint32_t j, uint32_t n, uint32_t window)
{
    double share = 1.0 / window;
    return n <= window ? 1.0 / n : share * pow(1 - share, n - fmax(j, window));
}

static void mean_of_first(double *mean, const uint8_t *const *at, uint32_t n, uint32_t window)
{
    for (uint32_t i = 0; i < b.shape.features; i++) mean[i] = 0;
    for (uint32_t j = 1; j <= n; j++)
        for (uint32_t i = 0; i < b.shape.features; i++)
            mean[i] += weight_of(j, n, window) * (at[j - 1][i] - b.shape.zero);
}

/* _i: the window; there are 20 examples of a class. */
START_TEST(earlier_examples_decay_beyond_window)
{
    const uint32_t window = (uint32_t)_i;
    bench_begin(TINY_PLAIN, 8);
    b.parameters.average_window = window;
    b.learned = STREAM;
    bench_gather();
    direct = (Direct){0};
    for (uint32_t k = 0; k < 3; k++) {
        const uint8_t *at[STREAM];
        uint32_t n = direct.count[k] = examples_of(at, k);
        ck_assert_uint_eq(n, 20);
        for (uint32_t seen = 0; seen < n; seen++) { /* the mean of the first `seen`, and the deviation of the next
                                                       example from it */
            double x[MOST];
            mean_of_first(direct.mean[k], at, seen, window);
            for (uint32_t i = 0; i < b.shape.features; i++) x[i] = at[seen][i] - b.shape.zero - direct.mean[k][i];
            add_outer(x, 1 - 1 / fmin(seen + 1, window));
        }
        mean_of_first(direct.mean[k], at, n, window);
    }
    expect_direct();
    bench_end();
}
END_TEST

START_TEST(order_of_examples_does_not_matter)
{
    bench_begin(TINY_PLAIN, 4);
    bench_gather();
    QcScatterQueue queue = {
        .kernels = &qc_kernels_scalar, .scatter = b.stream.scatter, .rows = b.queue, .n = b.shape.features};
    b.parameters.average_window = 0;
    for (uint32_t e = ALL; e-- > SOURCE;) bench_learn(&queue, e);
    qc_queue_flush(&queue);
    take_directly();
    expect_direct();
    bench_end();
}
END_TEST

/* After an outlier of 255 in a stream of zeros, a window of W remembers it by 1 / W. */
START_TEST(one_example_moves_mean_by_1_over_window)
{
    enum { N = 2, WINDOW = 4 };
    const uint8_t zeros[N] = {0, 0}, outlier[N] = {255, 0};
    float mean[N] = {0}, scatter[3] = {0}, rows[QC_QUEUE * N];
    uint32_t count = 0;
    QcScatterQueue queue = {.kernels = &qc_kernels_scalar, .scatter = scatter, .rows = rows, .n = N};
    for (int i = 0; i < 10; i++) qc_mean_add(mean, &count, &queue, zeros, 0, WINDOW);
    qc_mean_add(mean, &count, &queue, outlier, 0, WINDOW);
    qc_queue_flush(&queue);
    qc_queue_flush(&queue); /* of nothing */
    ck_assert_uint_eq(count, 11);
    ck_assert_float_eq(mean[0], 255.0f / WINDOW);
    ck_assert_float_eq(mean[1], 0);
    ck_assert_float_eq(scatter[0], 255.0f * 255.0f * 0.75f);
    ck_assert(scatter[1] == 0 && scatter[2] == 0);
}
END_TEST

START_TEST(impossible_moments_are_refused)
{
    const float bad[] = {NAN, INFINITY, -INFINITY, 1e15f};
    bench_begin(TINY_PLAIN, 4);
    b.learned = STREAM;
    bench_gather();
    QcMoments *m = &b.stream;
    float *last_mean = &m->mean[m->n * TINY_CLASSES - 1], *last_scatter = &m->scatter[qc_triangle(m->n) - 1];
    ck_assert(qc_moments_are_sound(m));
    for (int i = 0; i < 4; i++) {
        float mean = *last_mean, scatter = *last_scatter;
        *last_mean = bad[i];
        ck_assert(!qc_moments_are_sound(m));
        *last_mean = mean;
        *last_scatter = bad[i];
        ck_assert(!qc_moments_are_sound(m));
        *last_scatter = scatter;
    }
    m->mean[3] = -255;
    m->mean[0] = 255;
    m->scatter[0] = 65025.0f * 1e9f; /* of a thousand million examples */
    ck_assert(qc_moments_are_sound(m));
    *last_mean = 257;
    ck_assert(!qc_moments_are_sound(m));
    *last_mean = 0;
    m->count[1] = UINT32_MAX; /* the next example would make it 0 */
    ck_assert(!qc_moments_are_sound(m));
    bench_end();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("moments");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, running_moments_equal_two_pass_moments, 0, TINY_KINDS);
    tcase_add_loop_test(t, earlier_examples_decay_beyond_window, 5, 21);
    tcase_add_test(t, order_of_examples_does_not_matter);
    tcase_add_test(t, one_example_moves_mean_by_1_over_window);
    tcase_add_test(t, impossible_moments_are_refused);
    suite_add_tcase(s, t);
    return run_suite(s);
}
