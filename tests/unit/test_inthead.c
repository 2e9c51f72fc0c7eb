/* A head of few-bit codes: its fault, taken anew from codes, scales and biases in double precision, against that of rounding and of all single steps. */
#include <math.h>

#include "suite.h"

#include "../../lib/base/rng.h"
#include "../../lib/device/inthead.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 8, TRIANGLE = MOST * (MOST + 1) / 2 };

typedef struct Problem {
    uint32_t n, classes;
    float scatter[TRIANGLE], mean[MOST * MOST], weights[MOST * MOST], bias[MOST];
    QcIntHead head;
    void *memory;
} Problem;

/* Means apart in some features, a scatter that joins neighbours; the weights are means over the scatter's diagonal: right about the direction, no more. */
static void problem_begin(Problem *p, uint32_t n, uint32_t classes, int bits, uint64_t seed)
{
    QcRng rng = qc_rng_seed(seed, 1);
    *p = (Problem){.n = n, .classes = classes};
    for (uint32_t i = 0, at = 0; i < n; i++)
        for (uint32_t j = 0; j <= i; j++) p->scatter[at++] = i == j ? 1 + qc_rng_unit(&rng) : i == j + 1 ? 0.4f : 0;
    for (uint32_t k = 0; k < classes; k++)
        for (uint32_t i = 0; i < n; i++) {
            p->mean[k * n + i] = 1.5f * (float)qc_rng_normal(&rng);
            p->weights[k * n + i] = p->mean[k * n + i] / p->scatter[(i + 1) * (i + 2) / 2 - 1];
            p->bias[k] -= 0.5f * p->weights[k * n + i] * p->mean[k * n + i];
        }
    QcPlacing count = {0};
    qc_inthead_place(&p->head, n, classes, bits, &count);
    p->memory = aligned_alloc(64, count.used);
    QcPlacing there = {.memory = p->memory};
    qc_inthead_place(&p->head, n, classes, bits, &there);
    p->head.scatter = p->scatter;
    p->head.mean = p->mean;
}

/* w_k' S w_l */
static double product(const Problem *p, const double *a, const double *b)
{
    double sum = 0;
    for (uint32_t i = 0; i < p->n; i++)
        for (uint32_t j = 0; j < p->n; j++) sum += a[i] * b[j] * (double)p->scatter[i >= j ? i * (i + 1) / 2 + j : j * (j + 1) / 2 + i];
    return sum;
}

/* The formula of the header, pair by pair. */
static double fault(const Problem *p, const int8_t *codes, const float *scale, const float *bias)
{
    double sum = 0;
    for (uint32_t k = 0; k < p->classes; k++)
        for (uint32_t l = 0; l < p->classes; l++) {
            double d[MOST], margin = (double)bias[k] - (double)bias[l];
            if (k == l) continue;
            for (uint32_t i = 0; i < p->n; i++) {
                d[i] = (double)scale[k] * codes[k * p->n + i] - (double)scale[l] * codes[l * p->n + i];
                margin += d[i] * (double)p->mean[k * p->n + i];
            }
            double lack = (double)QC_INTHEAD_APART - margin / sqrt(fmax(product(p, d, d), 1e-12));
            if (lack > 0) sum += lack * lack;
        }
    return sum;
}

static double fault_of_rounding(const Problem *p, int bits, float share)
{
    int8_t codes[MOST * MOST];
    float scale[MOST], limit = (float)(1 << (bits - 1));
    for (uint32_t k = 0; k < p->classes; k++) {
        float widest = 0;
        for (uint32_t i = 0; i < p->n; i++) widest = fmaxf(widest, fabsf(p->weights[k * p->n + i]));
        scale[k] = share * widest / (limit - 0.5f);
        for (uint32_t i = 0; i < p->n; i++) codes[k * p->n + i] = (int8_t)fmaxf(-limit, fminf(limit - 1, roundf(p->weights[k * p->n + i] / scale[k])));
    }
    return fault(p, codes, scale, p->bias);
}

START_TEST(a_head_is_at_least_as_good_as_rounding)
{
    double gain = 0;
    for (int bits = 2; bits <= 8; bits *= 2)
        for (uint64_t seed = 1; seed <= 8; seed++) {
            Problem p;
            problem_begin(&p, 7, 5, bits, seed);
            qc_inthead_solve(&p.head, p.weights, p.bias);
            double rounded = fmin(fault_of_rounding(&p, bits, 1), fmin(fault_of_rounding(&p, bits, 0.7f), fault_of_rounding(&p, bits, 0.4f)));
            double solved = fault(&p, p.head.codes, p.head.scale, p.head.bias);
            for (uint32_t j = 0; j < p.n * p.classes; j++) ck_assert(p.head.codes[j] >= -(1 << (bits - 1)) && p.head.codes[j] < 1 << (bits - 1));
            for (uint32_t k = 0; k < p.classes; k++) ck_assert(p.head.scale[k] > 0 && isfinite(p.head.bias[k]));
            ck_assert_msg(solved <= rounded * 1.001 + 1e-3, "%d bits, seed %d: %g, rounded %g", bits, (int)seed, solved, rounded);
            gain += rounded - solved;
            free(p.memory);
        }
    ck_assert_double_gt(gain, 1);
}
END_TEST

START_TEST(what_is_kept_up_is_what_it_says)
{
    for (int bits = 2; bits <= 8; bits *= 2) {
        Problem p;
        problem_begin(&p, 8, 6, bits, 30);
        qc_inthead_solve(&p.head, p.weights, p.bias);
        double w[MOST][MOST];
        for (uint32_t k = 0; k < p.classes; k++)
            for (uint32_t i = 0; i < p.n; i++) w[k][i] = (double)p.head.scale[k] * p.head.codes[k * p.n + i];
        for (uint32_t k = 0; k < p.classes; k++)
            for (uint32_t l = 0; l < p.classes; l++) {
                double at = (double)p.head.bias[k], there = product(&p, w[k], w[l]);
                for (uint32_t i = 0; i < p.n; i++) at += w[k][i] * (double)p.mean[l * p.n + i];
                ck_assert_double_eq_tol((double)p.head.at[k * p.classes + l], at, 1e-3 * (1 + fabs(at)));
                ck_assert_double_eq_tol((double)p.head.product[k * p.classes + l], there, 1e-3 * (1 + fabs(there)));
            }
        free(p.memory);
    }
}
END_TEST

START_TEST(no_single_step_of_a_code_would_have_been_better)
{
    for (int bits = 2; bits <= 4; bits *= 2)
        for (uint64_t seed = 50; seed < 58; seed++) {
            Problem p;
            problem_begin(&p, 3, 3, bits, seed);
            qc_inthead_solve(&p.head, p.weights, p.bias);
            double best = fault(&p, p.head.codes, p.head.scale, p.head.bias);
            for (uint32_t j = 0; j < p.n * p.classes; j++)
                for (int step = -1; step <= 1; step += 2) {
                    int code = p.head.codes[j] + step;
                    if (code < -(1 << (bits - 1)) || code >= 1 << (bits - 1)) continue;
                    p.head.codes[j] = (int8_t)code;
                    ck_assert_double_ge(fault(&p, p.head.codes, p.head.scale, p.head.bias), best * 0.99 - 1e-3);
                    p.head.codes[j] = (int8_t)(code - step);
                }
            free(p.memory);
        }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("inthead");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_head_is_at_least_as_good_as_rounding);
    tcase_add_test(t, what_is_kept_up_is_what_it_says);
    tcase_add_test(t, no_single_step_of_a_code_would_have_been_better);
    suite_add_tcase(s, t);
    return run_suite(s);
}
