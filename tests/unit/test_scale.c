/* Scales, rounding and fixed-point factors, compared with exact arithmetic and with a min-max scale. */
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "suite.h"
#include "../../lib/base/rng.h"
#include "../../lib/quant/emit.h"
#include "../../lib/quant/scale.h"

enum { N = 257 };

/* Rows of very different kinds: normal, heavy-tailed, one-sided, one outlier, tiny, huge. */
static void row_of(float *w, int kind, QcRng *rng)
{
    for (int i = 0; i < N; i++) {
        double x = qc_rng_normal(rng);
        if (kind == 1) x = x * x * x;
        if (kind == 2) x = fabs(x);
        if (kind == 3) x = -fabs(x);
        if (kind == 4 && i == 7) x = 60;
        if (kind == 5) x *= 1e-25;
        if (kind == 6) x *= 1e25;
        w[i] = (float)x;
    }
}

static double squared_error(const float *w, float scale, int bits)
{
    double error = 0;
    for (int i = 0; i < N; i++) {
        double d = (double)w[i] - (double)scale * qc_scale_to_code(w[i], scale, bits);
        error += d * d;
    }
    return error;
}

START_TEST(codes_stay_in_range_and_round_to_the_nearest)
{
    const int bits[] = {2, 4, 8};
    QcRng rng = qc_rng_seed(1, 1);
    for (int b = 0; b < 3; b++) {
        int32_t low = qc_code_low(bits[b]), high = qc_code_high(bits[b]);
        ck_assert_int_eq(high - low + 1, 1 << bits[b]);
        const float extremes[] = {0, -0.0f, FLT_MAX, -FLT_MAX, FLT_MIN, 1e-40f, INFINITY, -INFINITY};
        for (size_t i = 0; i < sizeof extremes / sizeof *extremes; i++) {
            int32_t code = qc_scale_to_code(extremes[i], 0.01f, bits[b]);
            ck_assert(code >= low && code <= high);
            if (fabsf(extremes[i]) > 1e9f) ck_assert_int_eq(code, extremes[i] > 0 ? high : low);
        }
        for (int i = 0; i < 500; i++) {
            float w = (float)(3 * qc_rng_normal(&rng)), scale = 0.001f + qc_rng_unit(&rng);
            int32_t code = qc_scale_to_code(w, scale, bits[b]);
            ck_assert(code >= low && code <= high);
            for (int32_t other = low; other <= high; other++) /* none is nearer, up to the rounding of the division */
                ck_assert(fabs((double)w - (double)scale * code) <=
                          fabs((double)w - (double)scale * other) + 1e-6 * fabs((double)w));
        }
    }
    ck_assert_int_eq(qc_scale_to_code(0.5f, 1, 8), 1); /* half goes away from zero, both ways */
    ck_assert_int_eq(qc_scale_to_code(-0.5f, 1, 8), -1);
    ck_assert_int_eq(qc_scale_to_code(-2.5f, 1, 8), -3);
}
END_TEST

START_TEST(row_error_is_at_most_that_of_min_max_scale)
{
    QcRng rng = qc_rng_seed(2, 1);
    float w[N];
    for (int bits = 2; bits <= 8; bits += bits == 2 ? 2 : 4)
        for (int kind = 0; kind < 7; kind++)
            for (int trial = 0; trial < 2; trial++) {
                row_of(w, kind, &rng);
                float top = 0, scale = qc_scale_of_weights(w, N, bits);
                for (int i = 0; i < N; i++) top = fmaxf(top, fabsf(w[i]));
                ck_assert(isfinite(scale) && scale > 0);
                double plain = squared_error(w, top / (float)qc_code_high(bits), bits),
                       ours = squared_error(w, scale, bits);
                ck_assert_msg(ours <= plain * (1 + 1e-5), "kind %d at %d bits: %g against %g", kind, bits, ours, plain);
                if (kind == 0 && bits == 2)
                    ck_assert_msg(ours < 0.9 * plain, "a search over 2-bit scales of normal weights must gain: %g, %g",
                                  ours, plain);
            }
}
END_TEST

START_TEST(zero_and_near_zero_rows_have_valid_scale)
{
    float zero[N] = {0}, one[N] = {0}, faint[N];
    ck_assert_float_eq(qc_scale_of_weights(zero, N, 4), 1);
    one[3] = -0.75f; /* a single weight is kept as it is, at each width */
    for (int bits = 2; bits <= 8; bits += bits == 2 ? 2 : 4) {
        float scale = qc_scale_of_weights(one, N, bits);
        ck_assert_float_eq_tol(scale * (float)qc_scale_to_code(one[3], scale, bits), -0.75f, 1e-3f);
        ck_assert_int_eq(qc_scale_to_code(one[2], scale, bits), 0);
    }
    for (int i = 0; i < N; i++) faint[i] = (float)(i - N / 2) * 1e-44f;
    float scale = qc_scale_of_weights(faint, N, 8);
    ck_assert(scale > 0 && isnormal(scale));
    for (int i = 0; i < N; i++) ck_assert(abs(qc_scale_to_code(faint[i], scale, 8)) <= 128);
}
END_TEST

static double values_error(const float *x, uint64_t n, float scale, uint32_t zero, int bits)
{
    double error = 0, low = -(double)zero, high = (double)((1u << bits) - 1 - zero);
    for (uint64_t i = 0; i < n; i++) {
        double d = (double)x[i] - (double)scale * fmin(fmax(rint((double)x[i] / (double)scale), low), high);
        error += d * d;
    }
    return error;
}

START_TEST(activations_are_signed_only_if_negative_values_exist)
{
    QcRng rng = qc_rng_seed(3, 1);
    float x[N], scale;
    uint32_t zero;
    for (int bits = 2; bits <= 8; bits++)
        for (int kind = 0; kind < 7; kind++) {
            row_of(x, kind, &rng);
            if (kind == 2) x[0] = 0;
            float top = 0, bottom = 0;
            for (int i = 0; i < N; i++) top = fmaxf(top, x[i]), bottom = fminf(bottom, x[i]);
            qc_scale_of_values(&scale, &zero, x, N, bits);
            ck_assert_uint_eq(zero, kind == 2 ? 0 : 1u << (bits - 1));
            ck_assert(isfinite(scale) && scale > 0);
            float plain = zero ? fmaxf(top / (float)((1u << bits) - 1 - zero), -bottom / (float)zero)
                               : top / (float)((1u << bits) - 1);
            if (kind >= 5) continue; /* squares of 1e25 and 1e-25 are no floats: it is enough that the scale is one */
            ck_assert_msg(values_error(x, N, scale, zero, bits) <= values_error(x, N, plain, zero, bits) * (1 + 1e-4),
                          "kind %d, %d bits: %g against %g", kind, bits, values_error(x, N, scale, zero, bits),
                          values_error(x, N, plain, zero, bits));
        }
    memset(x, 0, sizeof x);
    qc_scale_of_values(&scale, &zero, x, N, 8);
    ck_assert(scale > 0 && zero == 0);
}
END_TEST

START_TEST(huge_activations_keep_resolution)
{
    float x[4] = {1e25f, 5e24f, 2.5e24f, 0}, scale;
    uint32_t zero;
    qc_scale_of_values(&scale, &zero, x, 4, 8);
    ck_assert_uint_eq(zero, 0);
    ck_assert_msg(scale > 1e25f / 255 / 5 && scale < 1e25f / 255 * 1.01f, "the scale is %g for values up to 1e25",
                  (double)scale);
}
END_TEST

START_TEST(fixed_point_factor_is_nearest_of_31_bits)
{
    QcRng rng = qc_rng_seed(4, 1);
    for (int i = 0; i < 20000; i++) {
        double real = ldexp(0.5 + 0.5 * (double)qc_rng_unit(&rng) + 0x1p-26 * (double)qc_rng_unit(&rng),
                            (int)qc_rng_below(&rng, 60) - 30);
        int32_t m;
        uint8_t s;
        if (!(real < 0x1p30)) continue;
        ck_assert_int_eq(qc_fixed_point(&m, &s, real), 0);
        ck_assert(m >= 1 << 30 && s >= 1 && s <= 62);
        long double exact = (long double)real * ldexpl(1, s); /* 53 bits times a power of two: exact */
        ck_assert(fabsl(exact - m) <= 0.5L);
        /* and so a sum, rescaled in 128 bits, is where the real product lies, to half a step and the factor's own
         * error */
        int64_t sum = (int64_t)(qc_rng_next(&rng) >> 33) - (1 << 30);
        __int128 wide = (__int128)sum * m + ((__int128)1 << (s - 1));
        long double rescaled = (long double)(int64_t)(wide >> s), product = (long double)sum * (long double)real;
        ck_assert(fabsl(rescaled - product) <= 0.5L + fabsl(product) * 0x1p-31L + 1e-9L);
    }
}
END_TEST

START_TEST(fixed_point_factor_at_range_limits)
{
    int32_t m = -1;
    uint8_t s = 99;
    ck_assert_int_eq(qc_fixed_point(&m, &s, 0), -1);
    ck_assert_int_eq(qc_fixed_point(&m, &s, -1), -1);
    ck_assert_int_eq(qc_fixed_point(&m, &s, NAN), -1);
    ck_assert_int_eq(qc_fixed_point(&m, &s, INFINITY), -1);
    ck_assert_int_eq(qc_fixed_point(&m, &s, 0x1p30), -1);
    ck_assert_int_eq(m, -1); /* a refusal writes nothing */
    ck_assert_int_eq(qc_fixed_point(&m, &s, 1), 0);
    ck_assert(ldexp(m, -s) == 1.0);
    const double reals[] = {0x1p-31, 0x1p-32, 0x1.8p-40, 0x1p-62,         0x1p-63,
                            1e-30,   1e-300,  DBL_MIN,   0x1.fffffffcp29, 1 - 0x1p-53};
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        ck_assert_int_eq(qc_fixed_point(&m, &s, reals[i]), 0);
        ck_assert(m >= 0 && s >= 1 && s <= 62);
        ck_assert_msg(fabs(ldexp(m, -s) - reals[i]) <= fmax(0x1p-62, reals[i] * 0x1p-30), "%a became %d >> %d",
                      reals[i], m, s);
    }
    /* the last reals below 2^30 round up to it: refused, or a factor with a shift that the device can make */
    const double last[] = {nextafter(0x1p30, 0), 0x1p30 - 0.01, 0x1p30 - 0.25, 0x1p30 - 0.5};
    for (size_t i = 0; i < sizeof last / sizeof *last; i++)
        if (!qc_fixed_point(&m, &s, last[i]))
            ck_assert_msg(s >= 1 && m >= 0, "%a became %d with shift %d", last[i], m, s);
}
END_TEST

static void snapping_graph(QcGraph *g)
{
    ck_assert_int_eq(qc_graph_init(g, 3, 1, 8, NULL), 0);
    ck_assert_int_eq(qc_graph_conv(g, "c", 0, 5, qc_window_same_1d(3), 1, 1, NULL), 1);
    ck_assert_int_eq(qc_graph_simple(g, "b", QC_OP_BATCHNORM, 1, NULL), 2);
    ck_assert_int_eq(qc_graph_simple(g, "p", QC_OP_GAP, 2, NULL), 3);
    ck_assert_int_eq(qc_graph_linear(g, "l", 3, 4, 1, NULL), 4);
    ck_assert_int_eq(qc_graph_finish(g, NULL), 0);
    qc_graph_reset(g, 5);
    memset(g->params + g->nodes[1].weight + 9, 0, 9 * sizeof(float)); /* a dead channel */
}

static int all_on_a_grid(const float *w, uint32_t row, int bits)
{
    float step = 0; /* the smallest difference of two weights is a whole number of steps: try all top / code */
    float top = 0;
    for (uint32_t j = 0; j < row; j++) top = fmaxf(top, fabsf(w[j]));
    if (!(top > 0)) return 1;
    for (int32_t k = 1; k <= -qc_code_low(bits); k++) {
        int fits = 1;
        step = top / (float)k;
        for (uint32_t j = 0; j < row; j++) {
            float q = w[j] / step;
            fits &= fabsf(q - rintf(q)) < 1e-3f && q >= (float)qc_code_low(bits) - 0.01f &&
                    q <= (float)qc_code_high(bits) + 0.01f;
        }
        if (fits) return 1;
    }
    return 0;
}

START_TEST(snapping_is_idempotent)
{
    for (int bits = 2; bits <= 8; bits += bits == 2 ? 2 : 4) {
        QcGraph g;
        snapping_graph(&g);
        float *before = malloc(g.n_params * sizeof *before), *once = malloc(g.n_params * sizeof *once),
              *saved = malloc(g.n_params * sizeof *saved);
        memcpy(before, g.params, g.n_params * sizeof *before);
        qc_snap_weights(&g, bits, saved);
        ck_assert_mem_eq(saved, before, g.n_params * sizeof *before);
        memcpy(once, g.params, g.n_params * sizeof *once);
        for (uint32_t o = 0; o < 5; o++) ck_assert(all_on_a_grid(g.params + g.nodes[1].weight + 9 * o, 9, bits));
        for (uint32_t o = 0; o < 4; o++) ck_assert(all_on_a_grid(g.params + g.nodes[4].weight + 5 * o, 5, bits));
        ck_assert_mem_eq(g.params + g.nodes[1].bias, before + g.nodes[1].bias, 5 * sizeof(float)); /* weights only */
        ck_assert_mem_eq(g.params + g.nodes[2].weight, before + g.nodes[2].weight, 5 * sizeof(float));
        qc_snap_weights(&g, bits, NULL);
        for (size_t i = 0; i < g.n_params; i++) /* a grid of 80 candidates need not hold the old scale to the bit */
            ck_assert_msg(fabsf(g.params[i] - once[i]) <= 0.01f * fabsf(once[i]), "%d bits, %zu: %g became %g", bits, i,
                          (double)once[i], (double)g.params[i]);
        free(before);
        free(once);
        free(saved);
        qc_graph_release(&g);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scale");
    TCase *tests = tcase_create("scale");
    tcase_add_test(tests, codes_stay_in_range_and_round_to_the_nearest);
    tcase_add_test(tests, row_error_is_at_most_that_of_min_max_scale);
    tcase_add_test(tests, zero_and_near_zero_rows_have_valid_scale);
    tcase_add_test(tests, activations_are_signed_only_if_negative_values_exist);
    tcase_add_test(tests, huge_activations_keep_resolution);
    tcase_add_test(tests, fixed_point_factor_is_nearest_of_31_bits);
    tcase_add_test(tests, fixed_point_factor_at_range_limits);
    tcase_add_test(tests, snapping_is_idempotent);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
