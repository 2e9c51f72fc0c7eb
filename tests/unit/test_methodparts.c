/* The numerics of the methods: ridge regression compared with a direct solve, SPSA with the gradient, refitted codes
 * with brute force. */
#include <math.h>
#include <string.h>

#include "suite.h"
#include "../../lib/base/rng.h"
#include "../../lib/lab/refit.h"
#include "../../lib/lab/ridge.h"
#include "../../lib/nn/cholesky.h"
#include "../../lib/lab/spsa.h"

/* ---- linear algebra ---- */

enum { N = 7, M = 3, EXAMPLES = 40 };

static float example[EXAMPLES][N - 1];
static uint32_t label_of[EXAMPLES];
static double weight_of[EXAMPLES];

static void make_examples(uint64_t seed)
{
    QcRng rng = qc_rng_seed(seed, 1);
    for (int i = 0; i < EXAMPLES; i++) {
        for (int j = 0; j < N - 1; j++) example[i][j] = (float)(qc_rng_normal(&rng) + j);
        label_of[i] = qc_rng_below(&rng, M);
        weight_of[i] = 0.2 + (double)qc_rng_unit(&rng);
    }
}

/* W by elimination with pivots on the normal equations, written out anew. */
static void solve_directly(double w[M][N], double lambda)
{
    double a[N][N + M] = {{0}}, trace = 0;
    for (int e = 0; e < EXAMPLES; e++)
        for (int i = 0; i < N; i++) {
            double xi = i < N - 1 ? (double)example[e][i] : 1;
            for (int j = 0; j < N; j++) a[i][j] += weight_of[e] * xi * (j < N - 1 ? (double)example[e][j] : 1);
            a[i][N + label_of[e]] += weight_of[e] * xi;
        }
    for (int i = 0; i < N; i++) trace += a[i][i];
    for (int i = 0; i < N; i++) a[i][i] += lambda * trace / N;
    for (int i = 0; i < N; i++) {
        int pivot = i;
        for (int r = i; r < N; r++) pivot = fabs(a[r][i]) > fabs(a[pivot][i]) ? r : pivot;
        for (int j = 0; j < N + M; j++) {
            double t = a[i][j];
            a[i][j] = a[pivot][j];
            a[pivot][j] = t;
        }
        for (int r = 0; r < N; r++) {
            double f = a[r][i] / a[i][i];
            for (int j = i; j < N + M && r != i; j++) a[r][j] -= f * a[i][j];
        }
    }
    for (int k = 0; k < M; k++)
        for (int i = 0; i < N; i++) w[k][i] = a[i][N + k] / a[i][i];
}

static void assert_close(const float *got, double want[M][N])
{
    for (int k = 0; k < M; k++)
        for (int i = 0; i < N; i++)
            ck_assert_double_eq_tol((double)got[k * N + i], want[k][i], 1e-5 * (1 + fabs(want[k][i])));
}

START_TEST(ridge_equals_direct_solve)
{
    double memory[2][N * N + N * M], want[M][N];
    float w[M * N];
    const double lambdas[] = {0, 1e-3, 0.1, 10};
    ck_assert_uint_eq(qc_ridge_doubles(N, M), N * N + N * M);
    for (int l = 0; l < 4; l++) {
        QcRidge first, second;
        make_examples(l + 1);
        qc_ridge_place(&first, N, M, memory[0]);
        qc_ridge_place(&second, N, M, memory[1]);
        /* any order, in two parts */
        for (int e = EXAMPLES - 1; e >= 0; e--)
            qc_ridge_add(e % 3 ? &first : &second, example[e], label_of[e], 2 * weight_of[e]);
        qc_ridge_scale(&first, 0.5);
        qc_ridge_join(&first, &second, 0.5);
        ck_assert_int_eq(qc_ridge_solve(&first, w, lambdas[l]), 0);
        solve_directly(want, lambdas[l]);
        assert_close(w, want);
    }
}
END_TEST

START_TEST(ridge_equals_recursive_least_squares)
{
    double p[N][N] = {{0}}, want[M][N] = {{0}}, memory[N * N + N * M], trace = 0;
    const double lambda = 0.01;
    float w[M * N];
    QcRidge r;
    make_examples(9);
    qc_ridge_place(&r, N, M, memory);
    for (int e = 0; e < EXAMPLES; e++) {
        trace += weight_of[e];
        for (int i = 0; i < N - 1; i++) trace += weight_of[e] * (double)example[e][i] * (double)example[e][i];
        qc_ridge_add(&r, example[e], label_of[e], weight_of[e]);
    }
    for (int i = 0; i < N; i++) p[i][i] = 1 / (lambda * trace / N);
    for (int e = 0; e < EXAMPLES; e++) { /* the textbook's form: P keeps the inverse, an example at a time */
        double px[N] = {0}, down = 1 / weight_of[e], x[N];
        for (int i = 0; i < N; i++) x[i] = i < N - 1 ? (double)example[e][i] : 1;
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) px[i] += p[i][j] * x[j];
        for (int i = 0; i < N; i++) down += x[i] * px[i];
        for (int k = 0; k < M; k++) {
            double miss = label_of[e] == (uint32_t)k;
            for (int i = 0; i < N; i++) miss -= want[k][i] * x[i];
            for (int i = 0; i < N; i++) want[k][i] += px[i] / down * miss;
        }
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) p[i][j] -= px[i] * px[j] / down;
    }
    ck_assert_int_eq(qc_ridge_solve(&r, w, lambda), 0);
    assert_close(w, want);
}
END_TEST

START_TEST(not_positive_definite_matrix_is_refused)
{
    double a[4] = {1, 0, 2, 3}, memory[N * N + N * M]; /* 1 2; 2 3 */
    float w[M * N] = {5};
    QcRidge r;
    ck_assert_int_eq(qc_cholesky(a, 2), -1);
    qc_ridge_place(&r, N, M, memory);
    ck_assert_int_eq(qc_ridge_solve(&r, w, 0), -1); /* nothing seen */
    ck_assert_float_eq(w[0], 5);
}
END_TEST

/* ---- spsa ---- */

static double quadratic(void *ctx, const float *theta)
{
    double sum = 0;
    (void)ctx;
    for (int i = 0; i < 4; i++) {
        sum += (i + 1) * (double)theta[i] * (double)theta[i] - (double)theta[i];
        if (i) sum += 0.5 * (double)theta[i] * (double)theta[i - 1];
    }
    return sum;
}

static void gradient(double g[4], const float *theta)
{
    for (int i = 0; i < 4; i++) {
        g[i] = 2 * (i + 1) * (double)theta[i] - 1;
        if (i) g[i] += 0.5 * (double)theta[i - 1];
        if (i < 3) g[i] += 0.5 * (double)theta[i + 1];
    }
}

START_TEST(spsa_is_unbiased_on_quadratic)
{
    const float theta[4] = {0.5f, -1, 0.25f, 2}, keep[4] = {0.5f, -1, 0.25f, 2};
    float direction[4], room[4];
    double g[4], sum[4] = {0}, squares[4] = {0};
    enum { DRAWS = 20000 };
    QcRng rng = qc_rng_seed(3, 3);
    gradient(g, theta);
    for (int d = 0; d < DRAWS; d++) {
        double slope = qc_spsa_slope(direction, room, theta, 4, 0.25, quadratic, NULL, &rng), along = 0;
        for (int i = 0; i < 4; i++) {
            ck_assert(direction[i] == 1 || direction[i] == -1);
            along += g[i] * (double)direction[i];
            sum[i] += slope * (double)direction[i];
            squares[i] += slope * slope;
        }
        ck_assert_double_eq_tol(slope, along, 1e-5); /* on a quadratic the central difference is the slope, whatever its
                                                        width */
    }
    ck_assert_mem_eq(theta, keep, sizeof theta);
    for (int i = 0; i < 4; i++) {
        double mean = sum[i] / DRAWS, error = sqrt((squares[i] / DRAWS - mean * mean) / DRAWS);
        ck_assert_msg(fabs(mean - g[i]) < 5 * error, "%g, not %g +- %g", mean, g[i], error);
    }
}
END_TEST

/* ---- refit ---- */

enum { CODES = 4, ROWS = 9 };

typedef struct Problem {
    float x[CODES * ROWS], square[CODES], weight[ROWS], y[ROWS], residual[ROWS];
    int32_t code[CODES], start[CODES];
    QcRefit r;
} Problem;

static void make_problem(Problem *p, uint64_t seed, float hold)
{
    QcRng rng = qc_rng_seed(seed, 5);
    p->r = (QcRefit){.n = ROWS,
                     .k = CODES,
                     .x = p->x,
                     .square = p->square,
                     .weight = p->weight,
                     .scale = 0.3f,
                     .hold = hold,
                     .low = -2,
                     .high = 1};
    for (int i = 0; i < ROWS; i++) {
        p->weight[i] = i == 3 ? 0 : 0.1f + qc_rng_unit(&rng);
        p->y[i] = (float)qc_rng_normal(&rng);
        p->residual[i] = 0.1f - p->y[i];
    }
    for (int j = 0; j < CODES; j++) {
        p->square[j] = 0;
        p->code[j] = p->start[j] = (int32_t)qc_rng_below(&rng, 4) - 2;
        for (int i = 0; i < ROWS; i++) {
            p->x[j * ROWS + i] = (float)qc_rng_normal(&rng);
            p->square[j] += p->weight[i] * p->x[j * ROWS + i] * p->x[j * ROWS + i];
            p->residual[i] += 0.3f * p->x[j * ROWS + i] * (float)p->code[j];
        }
    }
}

static double error_of(const Problem *p, const int32_t *code)
{
    double error = 0;
    for (int i = 0; i < ROWS; i++) {
        double miss = 0.1 - (double)p->y[i];
        for (int j = 0; j < CODES; j++) miss += 0.3 * (double)p->x[j * ROWS + i] * code[j];
        error += (double)p->weight[i] * miss * miss;
    }
    for (int j = 0; j < CODES; j++) error += (double)p->r.hold * (code[j] - p->start[j]) * (code[j] - p->start[j]);
    return error;
}

START_TEST(refit_ends_in_local_minimum_of_error)
{
    uint32_t moved = 0, best = 0;
    for (int trial = 0; trial < 200; trial++) {
        Problem p;
        make_problem(&p, trial, trial % 2 ? 0.2f : 0);
        double error = error_of(&p, p.code), least = INFINITY;
        for (uint32_t moves = 1; moves;) { /* one sweep at a time */
            moves = qc_refit_codes(&p.r, p.residual, p.code, p.start, 1);
            double now = error_of(&p, p.code);
            ck_assert_double_le(now, error + 1e-6);
            error = now;
            moved += moves;
        }
        for (int i = 0; i < ROWS; i++) {
            double miss = 0.1 - (double)p.y[i];
            for (int j = 0; j < CODES; j++) miss += 0.3 * (double)p.x[j * ROWS + i] * p.code[j];
            ck_assert_double_eq_tol((double)p.residual[i], miss, 1e-5);
        }
        for (int all = 0; all < 256; all++) { /* every choice of four codes of two bits */
            int32_t other[CODES];
            int differ = 0;
            for (int j = 0; j < CODES; j++) {
                other[j] = (all >> 2 * j & 3) - 2;
                differ += other[j] != p.code[j];
            }
            double e = error_of(&p, other);
            if (differ == 1) ck_assert_double_ge(e, error - 1e-6);
            least = fmin(least, e);
        }
        best += error < least + 1e-6;
    }
    ck_assert_uint_gt(moved, 200);
    ck_assert_uint_gt(best, 100); /* most often nothing is better */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("methodparts");
    TCase *parts = tcase_create("parts");
    tcase_add_test(parts, ridge_equals_direct_solve);
    tcase_add_test(parts, ridge_equals_recursive_least_squares);
    tcase_add_test(parts, not_positive_definite_matrix_is_refused);
    tcase_add_test(parts, spsa_is_unbiased_on_quadratic);
    tcase_add_test(parts, refit_ends_in_local_minimum_of_error);
    suite_add_tcase(suite, parts);
    return run_suite(suite);
}
