/* The device's ln, exp and sqrt compared with libm's. */
#include <math.h>

#include "suite.h"

#include "../../lib/base/rng.h"
#include "../../lib/device/qmath.h"

static double worst_of(float (*ours)(float), double (*theirs)(double), float (*next)(QcRng *rng), int n)
{
    QcRng rng = qc_rng_seed(1, 1);
    double worst = 0;
    for (int i = 0; i < n; i++) {
        float x = next(&rng);
        double exact = theirs((double)x);
        if (exact != 0) worst = fmax(worst, fabs((double)ours(x) / exact - 1));
    }
    return worst;
}

static float any_size(QcRng *rng) { return ldexpf(1 + qc_rng_unit(rng), (int)qc_rng_below(rng, 252) - 126); }
static float about_one(QcRng *rng) { return 0.3f + 3 * qc_rng_unit(rng); }
static float next_to_one(QcRng *rng) { return 1 + 0x1p-23f * (float)((int)qc_rng_below(rng, 4000) - 1000); }
static float exponent(QcRng *rng) { return 174 * qc_rng_unit(rng) - 87; }
static float small_exponent(QcRng *rng) { return 2 * qc_rng_unit(rng) - 1; }
static float own_ln(float x) { return qc_ln(x); }
static float own_exp(float x) { return qc_exp(x); }
static float own_sqrt(float x) { return qc_sqrt(x); }
static float unit_above_zero(QcRng *rng) { return ((float)(qc_rng_next(rng) >> 41) + 0.5f) * 0x1p-23f; }

START_TEST(ln_exp_sqrt_equal_libm)
{
    const struct {
        const char *what;
        float (*ours)(float);
        double (*theirs)(double);
        float (*next)(QcRng *rng);
    } cases[] = {
        {"ln of any size", own_ln, log, any_size},
        {"ln about 1", own_ln, log, about_one},
        {"ln next to 1", own_ln, log, next_to_one},
        {"ln of a unit draw", own_ln, log, unit_above_zero},
        {"exp", own_exp, exp, exponent},
        {"exp about 0", own_exp, exp, small_exponent},
        {"sqrt about 1", own_sqrt, sqrt, about_one},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double worst = worst_of(cases[i].ours, cases[i].theirs, cases[i].next, 200000);
        ck_assert_msg(worst < 3e-7, "%s: off by %g", cases[i].what, worst);
    }
    for (int e = -99; e < 128; e++)
        ck_assert(fabs((double)qc_sqrt(ldexpf(1.3f, e)) / sqrt(ldexp((double)1.3f, e)) - 1) < 3e-7);
    ck_assert_float_eq(qc_ln(1), 0);
    ck_assert_float_eq(qc_exp(0), 1);
    ck_assert_float_eq(qc_exp(-88), 0);
    ck_assert_float_eq(qc_exp(-INFINITY), 0);
    ck_assert_float_eq(qc_exp(1e30f), qc_exp(87));
    ck_assert_float_eq(qc_sqrt(0), 0);
    ck_assert_float_eq(qc_sqrt(-1), 0);
    ck_assert_float_eq(qc_sqrt(4), 2);
    ck_assert(qc_ln(1 - 0x1p-24f) < 0); /* the largest draw still has a key above zero */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("qmath");
    TCase *t = tcase_create("all");
    tcase_add_test(t, ln_exp_sqrt_equal_libm);
    suite_add_tcase(s, t);
    return run_suite(s);
}
