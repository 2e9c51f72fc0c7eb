/* A head of few-bit codes: its fault, taken anew from codes, scales and biases in double precision, against that of rounding and of all single steps. */
#include <math.h>

#include "suite.h"
#include "guarded.h"

#include "../../lib/base/rng.h"
#include "../../lib/device/inthead.h"

enum { MOST = 8, TRIANGLE = MOST * (MOST + 1) / 2 };

typedef struct Problem {
    uint32_t n, classes;
    float scatter[TRIANGLE], mean[MOST * MOST], weights[MOST * MOST], bias[MOST];
    QcIntHead head;
    Guarded memory;
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
    QcPlacing there = {.memory = guarded_take(&p->memory, count.used, seed % 2)};
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

/* By the best of the shares of the widest weight that the widest code may stand for. */
static double least_fault_of_rounding(const Problem *p, int bits)
{
    static const float shares[] = {1, 0.85f, 0.7f, 0.6f, 0.5f, 0.4f, 0.3f};
    double least = HUGE_VAL;
    for (int i = 0; i < 7; i++) least = fmin(least, fault_of_rounding(p, bits, shares[i]));
    return least;
}

static double fault_of_head(const Problem *p) { return fault(p, p->head.codes, p->head.scale, p->head.bias); }

START_TEST(a_head_is_at_least_as_good_as_rounding)
{
    double gain = 0;
    for (int bits = 2; bits <= 8; bits *= 2)
        for (uint64_t seed = 1; seed <= 8; seed++) {
            Problem p;
            problem_begin(&p, 7, 5, bits, seed);
            qc_inthead_solve(&p.head, p.weights, p.bias);
            double rounded = least_fault_of_rounding(&p, bits), solved = fault_of_head(&p);
            for (uint32_t j = 0; j < p.n * p.classes; j++) ck_assert(p.head.codes[j] >= -(1 << (bits - 1)) && p.head.codes[j] < 1 << (bits - 1));
            for (uint32_t k = 0; k < p.classes; k++) ck_assert(p.head.scale[k] > 0 && isfinite(p.head.bias[k]));
            ck_assert_msg(solved <= rounded * 1.001 + 1e-3, "%d bits, seed %d: %g, rounded %g", bits, (int)seed, solved, rounded);
            gain += rounded - solved;
            guarded_release(&p.memory);
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
        guarded_release(&p.memory);
    }
}
END_TEST

/* For a moment *value is another: the fault then. */
static double fault_with(const Problem *p, float *value, double other)
{
    float was = *value;
    *value = (float)other;
    double then = fault_of_head(p);
    *value = was;
    return then;
}

static double best_step_of_codes(Problem *p)
{
    double best = HUGE_VAL;
    int limit = 1 << (p->head.bits - 1);
    for (uint32_t j = 0; j < p->n * p->classes; j++)
        for (int step = -1; step <= 1; step += 2) {
            int8_t was = p->head.codes[j];
            if (was + step < -limit || was + step >= limit) continue;
            p->head.codes[j] = (int8_t)(was + step);
            best = fmin(best, fault_of_head(p));
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
            best = fmin(best, fault_with(p, scale, (double)*scale * (1 + 0.1 * sign)));
            best = fmin(best, fault_with(p, bias, (double)*bias + sign * 0.3 * sqrt(product(p, w, w))));
        }
    }
    return best;
}

START_TEST(no_single_step_would_have_been_better)
{
    for (int bits = 2; bits <= 4; bits *= 2)
        for (uint64_t seed = 50; seed < 70; seed++) {
            Problem p;
            problem_begin(&p, 3, 3, bits, seed);
            p.bias[seed % 3] += seed & 1 ? 2 : -2; /* these two are wrong enough that codes alone do not mend it */
            for (uint32_t i = 0; i < p.n; i++) p.weights[(seed + 1) % 3 * p.n + i] *= 1.5f;
            qc_inthead_solve(&p.head, p.weights, p.bias);
            double solved = fault_of_head(&p);
            ck_assert_double_ge(best_step_of_codes(&p), solved * 0.995 - 1e-3);
            ck_assert_double_ge(best_step_of_rows(&p), solved * 0.99 - 1e-3);
            guarded_release(&p.memory);
        }
}
END_TEST

/* Of all that codes j and later could be with these scales and biases. */
static double least_fault(const Problem *p, int8_t *codes, uint32_t j)
{
    double least = HUGE_VAL;
    int limit = 1 << (p->head.bits - 1);
    if (j == p->n * p->classes) return fault(p, codes, p->head.scale, p->head.bias);
    for (int code = -limit; code < limit; code++) {
        codes[j] = (int8_t)code;
        least = fmin(least, least_fault(p, codes, j + 1));
    }
    return least;
}

START_TEST(hardly_any_other_codes_would_have_been_better)
{
    double solved = 0, least = 0;
    for (uint64_t seed = 100; seed < 130; seed++) {
        Problem p;
        int8_t codes[MOST * MOST];
        problem_begin(&p, 2, 3, 2, seed);
        qc_inthead_solve(&p.head, p.weights, p.bias);
        solved += fault_of_head(&p);
        least += least_fault(&p, codes, 0);
        guarded_release(&p.memory);
    }
    ck_assert_double_le(solved, 1.01 * least);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("inthead");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_head_is_at_least_as_good_as_rounding);
    tcase_add_test(t, what_is_kept_up_is_what_it_says);
    tcase_add_test(t, no_single_step_would_have_been_better);
    tcase_add_test(t, hardly_any_other_codes_would_have_been_better);
    suite_add_tcase(s, t);
    return run_suite(s);
}
