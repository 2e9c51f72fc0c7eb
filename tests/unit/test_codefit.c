/* Integer codes of a head: their margin loss is compared with the loss after rounding, after every single step, and
 * of all possible codes. Losses are computed from codes, scales and biases in double precision. */
#include <math.h>

#include "suite.h"
#include "guarded.h"

#include "../../lib/base/rng.h"
#include "../../lib/device/head.h"

enum { MOST = 12 };
#define TARGET_MARGIN 4.0 /* as in codefit.c */

typedef struct Problem {
    QcHeadShape shape;
    uint32_t n, classes;
    double s[MOST][MOST];
    float weights[MOST * MOST], bias[MOST]; /* of the real-valued head */
    QcHeadScratch head;
    int8_t codes[MOST * MOST]; /* of 8 bits: they belong to the layer that is solved */
    Guarded memory;
} Problem;

/* Means apart in some features and a scatter that joins neighbours. The weights are means over the scatter's diagonal:
 * about the right direction, no more. */
static void problem_begin(Problem *p, uint32_t n, uint32_t classes, uint32_t bits, uint64_t seed)
{
    QcRng rng = qc_rng_seed(seed, 1);
    QcPlacing count = {0};
    *p = (Problem){.shape = {.features = n, .classes = classes, .bits = bits, .step = 1}, .n = n, .classes = classes};
    qc_head_scratch_place(&p->head, &p->shape, 0, &qc_kernels_scalar, &count);
    QcPlacing there = {.memory = guarded_take(&p->memory, count.used, seed % 2)};
    qc_head_scratch_place(&p->head, &p->shape, 0, &qc_kernels_scalar, &there);
    if (bits == 8) p->head.codes = p->codes;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j <= i; j++) {
            float value = i == j ? 1 + qc_rng_unit(&rng) : i == j + 1 ? 0.4f : 0;
            qc_triangle_row(p->head.scatter, n, j)[i] = value;
            p->s[i][j] = p->s[j][i] = (double)value;
        }
    for (uint32_t k = 0; k < classes; k++)
        for (uint32_t i = 0; i < n; i++) {
            float *mean = p->head.mean + k * n, *w = p->weights + k * n;
            mean[i] = 1.5f * (float)qc_rng_normal(&rng);
            w[i] = mean[i] / (float)p->s[i][i];
            p->bias[k] -= 0.5f * w[i] * mean[i];
        }
}

static void solve(Problem *p)
{
    memcpy(p->head.weights, p->weights, p->n * p->classes * sizeof *p->weights);
    memcpy(p->head.bias, p->bias, p->classes * sizeof *p->bias);
    p->head.operations = 0;
    qc_codes_fit(&p->head, &p->shape);
    ck_assert_uint_gt(p->head.operations, 0);
}

/* w_k' S w_l */
static double product(const Problem *p, const double *a, const double *b)
{
    double sum = 0;
    for (uint32_t i = 0; i < p->n; i++)
        for (uint32_t j = 0; j < p->n; j++) sum += a[i] * b[j] * p->s[i][j];
    return sum;
}

/* The formula at the top of codefit.c, pair by pair. */
static double margin_loss(const Problem *p, const int8_t *codes, const float *scale, const float *bias)
{
    double sum = 0;
    for (uint32_t k = 0; k < p->classes; k++)
        for (uint32_t l = 0; l < p->classes; l++) {
            double d[MOST], margin = (double)bias[k] - (double)bias[l];
            if (k == l) continue;
            for (uint32_t i = 0; i < p->n; i++) {
                d[i] = (double)scale[k] * codes[k * p->n + i] - (double)scale[l] * codes[l * p->n + i];
                margin += d[i] * (double)p->head.mean[k * p->n + i];
            }
            double lack = TARGET_MARGIN - margin / sqrt(fmax(product(p, d, d), 1e-12));
            if (lack > 0) sum += lack * lack;
        }
    return sum;
}

static double loss_of_rounding(const Problem *p, float share)
{
    int8_t codes[MOST * MOST];
    float scale[MOST], limit = (float)(1 << (p->shape.bits - 1));
    for (uint32_t k = 0; k < p->classes; k++) {
        float largest = 0;
        for (uint32_t i = 0; i < p->n; i++) largest = fmaxf(largest, fabsf(p->weights[k * p->n + i]));
        scale[k] = share * largest / (limit - 0.5f);
        for (uint32_t i = 0; i < p->n; i++)
            codes[k * p->n + i] = (int8_t)fmaxf(-limit, fminf(limit - 1, roundf(p->weights[k * p->n + i] / scale[k])));
    }
    return margin_loss(p, codes, scale, p->bias);
}

/* The least over shares of the largest weight that the largest code stands for. */
static double least_loss_of_rounding(const Problem *p)
{
    static const float shares[] = {1, 0.85f, 0.7f, 0.6f, 0.5f, 0.4f, 0.3f};
    double least = HUGE_VAL;
    for (int i = 0; i < 7; i++) least = fmin(least, loss_of_rounding(p, shares[i]));
    return least;
}

static double loss_of_head(const Problem *p) { return margin_loss(p, p->head.codes, p->head.scale, p->head.bias); }

/* 12 features: a block of eight and a rest. */
START_TEST(codes_are_in_range_and_not_worse_than_rounding)
{
    double gain = 0;
    for (uint32_t n = 7; n <= 12; n += 5)
        for (uint64_t seed = 1; seed <= 8; seed++) {
            Problem p;
            const int limit = 1 << (_i - 1);
            problem_begin(&p, n, 5, (uint32_t)_i, seed);
            solve(&p);
            double rounded = least_loss_of_rounding(&p), solved = loss_of_head(&p);
            for (uint32_t j = 0; j < p.n * p.classes; j++)
                ck_assert(p.head.codes[j] >= -limit && p.head.codes[j] < limit);
            for (uint32_t k = 0; k < p.classes; k++) ck_assert(p.head.scale[k] > 0 && isfinite(p.head.bias[k]));
            ck_assert_msg(solved <= rounded * 1.001 + 1e-3, "%d bits, seed %d: %g, rounded %g", _i, (int)seed, solved,
                          rounded);
            gain += rounded - solved;
            guarded_release(&p.memory);
        }
    ck_assert_double_gt(gain, 0.5);
}
END_TEST

/* Logits, products and S w are updated at each step; at the end they equal the codes' own. */
START_TEST(incremental_sums_equal_direct_sums)
{
    Problem p;
    problem_begin(&p, 12, 6, (uint32_t)_i, 30);
    solve(&p);
    double w[MOST][MOST];
    for (uint32_t k = 0; k < p.classes; k++)
        for (uint32_t i = 0; i < p.n; i++) w[k][i] = (double)p.head.scale[k] * p.head.codes[k * p.n + i];
    for (uint32_t k = 0; k < p.classes; k++) {
        for (uint32_t l = 0; l < p.classes; l++) {
            double logit = (double)p.head.bias[k], there = product(&p, w[k], w[l]);
            for (uint32_t i = 0; i < p.n; i++) logit += w[k][i] * (double)p.head.mean[l * p.n + i];
            ck_assert_double_eq_tol((double)p.head.logits[k * p.classes + l], logit, 1e-3 * (1 + fabs(logit)));
            ck_assert_double_eq_tol((double)p.head.product[k * p.classes + l], there, 1e-3 * (1 + fabs(there)));
        }
        for (uint32_t i = 0; i < p.n; i++) {
            double scattered = 0;
            for (uint32_t j = 0; j < p.n; j++) scattered += p.s[i][j] * w[k][j];
            ck_assert_double_eq_tol((double)p.head.weights[k * p.n + i], scattered, 1e-3 * (1 + fabs(scattered)));
        }
    }
    guarded_release(&p.memory);
}
END_TEST

/* The loss if *value were another. */
static double loss_with(const Problem *p, float *value, double other)
{
    float was = *value;
    *value = (float)other;
    double loss = loss_of_head(p);
    *value = was;
    return loss;
}

static double best_step_of_codes(Problem *p)
{
    double best = HUGE_VAL;
    int limit = 1 << (p->shape.bits - 1);
    for (uint32_t j = 0; j < p->n * p->classes; j++)
        for (int step = -1; step <= 1; step += 2) {
            int8_t was = p->head.codes[j];
            if (was + step < -limit || was + step >= limit) continue;
            p->head.codes[j] = (int8_t)(was + step);
            best = fmin(best, loss_of_head(p));
            p->head.codes[j] = was;
        }
    return best;
}

/* Scales by a tenth, biases by three tenths of the deviation that their row has alone. */
static double best_step_of_rows(Problem *p)
{
    double best = HUGE_VAL;
    for (uint32_t k = 0; k < p->classes; k++) {
        double w[MOST];
        float *scale = &p->head.scale[k], *bias = &p->head.bias[k];
        for (uint32_t i = 0; i < p->n; i++) w[i] = (double)*scale * p->head.codes[k * p->n + i];
        for (int sign = -1; sign <= 1; sign += 2) {
            best = fmin(best, loss_with(p, scale, (double)*scale * (1 + 0.1 * sign)));
            best = fmin(best, loss_with(p, bias, (double)*bias + sign * 0.3 * sqrt(product(p, w, w))));
        }
    }
    return best;
}

START_TEST(no_single_code_step_lowers_loss)
{
    for (uint32_t bits = 2; bits <= 4; bits *= 2)
        for (uint64_t seed = 50; seed < 70; seed++) {
            Problem p;
            problem_begin(&p, 3, 3, bits, seed);
            p.bias[seed % 3] += seed & 1 ? 2 : -2; /* these two are wrong enough that codes alone do not mend it */
            for (uint32_t i = 0; i < p.n; i++) p.weights[(seed + 1) % 3 * p.n + i] *= 1.5f;
            solve(&p);
            double solved = loss_of_head(&p);
            ck_assert_double_ge(best_step_of_codes(&p), solved * 0.995 - 1e-3);
            ck_assert_double_ge(best_step_of_rows(&p), solved * 0.99 - 1e-3);
            guarded_release(&p.memory);
        }
}
END_TEST

/* Over all values of codes j and later, with these scales and biases. */
static double least_loss(const Problem *p, int8_t *codes, uint32_t j)
{
    double least = HUGE_VAL;
    int limit = 1 << (p->shape.bits - 1);
    if (j == p->n * p->classes) return margin_loss(p, codes, p->head.scale, p->head.bias);
    for (int code = -limit; code < limit; code++) {
        codes[j] = (int8_t)code;
        least = fmin(least, least_loss(p, codes, j + 1));
    }
    return least;
}

START_TEST(loss_is_near_exhaustive_optimum)
{
    double solved = 0, least = 0;
    for (uint64_t seed = 100; seed < 130; seed++) {
        Problem p;
        int8_t codes[MOST * MOST];
        problem_begin(&p, 2, 3, 2, seed);
        solve(&p);
        solved += loss_of_head(&p);
        least += least_loss(&p, codes, 0);
        guarded_release(&p.memory);
    }
    ck_assert_double_le(solved, 1.01 * least);
}
END_TEST

/* A row of zeros gets a scale in which its bias can be expressed; a single class has no pair and ends at once. */
START_TEST(zero_rows_and_single_class_are_fitted)
{
    Problem p;
    problem_begin(&p, 4, 3, 2, 7);
    for (uint32_t i = 0; i < p.n; i++) p.weights[i] = 0;
    solve(&p);
    ck_assert(p.head.scale[0] > 0 && isfinite(p.head.bias[0]) && isfinite(loss_of_head(&p)));
    for (uint32_t j = 0; j < p.n * p.classes; j++) p.weights[j] = 0;
    solve(&p);
    for (uint32_t k = 0; k < p.classes; k++) ck_assert(p.head.scale[k] > 0 && isfinite(p.head.bias[k]));
    guarded_release(&p.memory);
    problem_begin(&p, 4, 1, 2, 8);
    solve(&p);
    ck_assert(p.head.scale[0] > 0 && isfinite(p.head.bias[0]));
    guarded_release(&p.memory);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("codefit");
    TCase *t = tcase_create("all");
    for (int bits = 2; bits <= 8; bits *= 2) {
        tcase_add_loop_test(t, codes_are_in_range_and_not_worse_than_rounding, bits, bits + 1);
        tcase_add_loop_test(t, incremental_sums_equal_direct_sums, bits, bits + 1);
    }
    tcase_add_test(t, no_single_code_step_lowers_loss);
    tcase_add_test(t, loss_is_near_exhaustive_optimum);
    tcase_add_test(t, zero_rows_and_single_class_are_fitted);
    suite_add_tcase(s, t);
    return run_suite(s);
}
