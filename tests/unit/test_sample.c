/* The rules that draw examples: distribution by chi-square, evenness over classes compared with every possible
 * allocation. */
#include <math.h>
#include <string.h>

#include "suite.h"
#include "../../lib/coreset/sample.h"

/* --- the rules ------------------------------------------------------------------------------- */

/* The value that chi-square of k degrees exceeds once in 10,000 (Wilson and Hilferty, 1931). */
static double chi_limit(double k)
{
    double t = 1 - 2 / (9 * k) + 3.719 * sqrt(2 / (9 * k));
    return k * t * t * t;
}

enum { WHOLE = 300, DRAWS = 2000 };

typedef struct World {
    int32_t label[WHOLE];
    uint32_t misses[WHOLE];
    uint8_t never[WHOLE];
} World;

/* Of each of 3 classes: 60 without a miss, 25 with one, 10 with four, 5 never right. Thirty slots: 18, 7.5, 3, 1.5. */
static QcCandidates world(World *w)
{
    for (uint32_t i = 0; i < WHOLE; i++) {
        uint32_t place = i / 3;
        w->label[i] = (int32_t)(i % 3);
        w->misses[i] = place < 60 ? 0 : place < 85 ? 1 : place < 95 ? 4 : 0;
        w->never[i] = place >= 95;
    }
    return (QcCandidates){WHOLE, 3, w->label, w->misses, w->never};
}

static uint32_t level_of(const World *w, uint32_t i) { return w->never[i] ? 3 : w->misses[i] == 4 ? 2 : w->misses[i]; }

/* Every set keeps the shares of the levels and is even over the classes. counts [WHOLE], long [DRAWS]: what became of
 * the one slot that two levels have equal claims to. */
static uint32_t draw_by_pmf(const World *w, const QcCandidates *c, uint32_t *counts)
{
    uint32_t chosen[30], to_level_1 = 0;
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        uint32_t of_level[4] = {0}, of_class[3] = {0};
        ck_assert_int_eq(qc_sample(chosen, c, 30, QC_SAMPLE_PMF, seed, NULL), 0);
        for (uint32_t k = 0; k < 30; k++) {
            of_level[level_of(w, chosen[k])]++;
            of_class[w->label[chosen[k]]]++;
            counts[chosen[k]]++;
        }
        ck_assert_uint_eq(of_level[0], 18);
        ck_assert_uint_eq(of_level[2], 3);
        ck_assert(of_level[1] == 7 || of_level[1] == 8);
        for (int k = 0; k < 3; k++) ck_assert_uint_eq(of_class[k], 10);
        to_level_1 += of_level[1] == 8;
    }
    return to_level_1;
}

START_TEST(pmf_rule_keeps_distribution_of_misses)
{
    static World w;
    static uint32_t counts[WHOLE];
    static const uint32_t start[4] = {0, 60, 85, 95}, end[4] = {60, 85, 95, 100};
    QcCandidates c = world(&w);
    double half = DRAWS / 2.0, to_level_1 = draw_by_pmf(&w, &c, counts);
    ck_assert_double_lt(2 * pow(to_level_1 - half, 2) / half, chi_limit(1));
    for (uint32_t l = 0; l < 4; l++) {
        double of_class[3] = {0}, classes = 0;
        for (uint32_t i = start[l] * 3; i < end[l] * 3; i++) of_class[i % 3] += counts[i];
        for (uint32_t k = 0; k < 3; k++) { /* within a level and class every example is as likely as the next */
            double within = 0, size = end[l] - start[l], expected = of_class[k] / size;
            for (uint32_t place = start[l]; place < end[l]; place++)
                within += pow(counts[place * 3 + k] - expected, 2) / expected;
            ck_assert_double_lt(within, chi_limit(size - 1)); /* without replacement it varies less yet */
        }
        double mean = (of_class[0] + of_class[1] + of_class[2]) / 3; /* and no class is favoured in a level */
        for (uint32_t k = 0; k < 3; k++) classes += pow(of_class[k] - mean, 2) / mean;
        ck_assert_double_lt(classes, chi_limit(2));
    }
}
END_TEST

/* Each of m is drawn k / m of the time; the counts' covariance makes the statistic chi-square of m - 1 degrees once
 * scaled by (m - 1) / m. */
START_TEST(random_rule_is_uniform)
{
    static World w;
    static uint32_t counts[WHOLE];
    QcCandidates c = world(&w);
    uint32_t chosen[30];
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        ck_assert_int_eq(qc_sample(chosen, &c, 30, QC_SAMPLE_RANDOM, seed, NULL), 0);
        for (uint32_t k = 0; k < 30; k++) counts[chosen[k]]++;
    }
    double p = 30.0 / WHOLE, sum = 0;
    for (uint32_t i = 0; i < WHOLE; i++) sum += pow(counts[i] - DRAWS * p, 2) / (DRAWS * p * (1 - p));
    ck_assert_double_lt(sum * (WHOLE - 1) / WHOLE, chi_limit(WHOLE - 1));
}
END_TEST

START_TEST(proportional_rule_follows_weights)
{
    enum { N = 6, SEEDS = 20000 };
    const int32_t label[N] = {0};
    const uint32_t misses[N] = {0, 1, 2, 3, 9, 0};
    const uint8_t never[N] = {0, 0, 0, 0, 0, 1};
    const double weight[N] = {.1, 1.1, 2.1, 3.1, 9.1, .6}, all = 16.1;
    QcCandidates c = {N, 1, label, misses, never};
    uint32_t first[N] = {0}, pair[N][N] = {{0}}, chosen[2];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        ck_assert_int_eq(qc_sample(chosen, &c, 1, QC_SAMPLE_PROPORTIONAL, seed, NULL), 0);
        first[chosen[0]]++;
        ck_assert_int_eq(qc_sample(chosen, &c, 2, QC_SAMPLE_PROPORTIONAL, seed, NULL), 0);
        pair[chosen[0]][chosen[1]]++;
    }
    double one = 0, two = 0;
    for (int i = 0; i < N; i++) {
        double expected = SEEDS * weight[i] / all;
        one += pow(first[i] - expected, 2) / expected;
        for (int k = i + 1; k < N; k++) { /* drawn in either order, the second from what is left */
            expected = SEEDS * weight[i] * weight[k] / all * (1 / (all - weight[i]) + 1 / (all - weight[k]));
            two += pow(pair[i][k] - expected, 2) / expected;
        }
    }
    ck_assert_double_lt(one, chi_limit(N - 1));
    ck_assert_double_lt(two, chi_limit(N * (N - 1) / 2 - 1));
}
END_TEST

START_TEST(hardest_rule_selects_most_missed_first)
{
    static World w;
    QcCandidates c = world(&w);
    uint32_t chosen[120], of_level[4] = {0};
    ck_assert_int_eq(qc_sample(chosen, &c, 120, QC_SAMPLE_HARDEST, 7, NULL), 0);
    for (uint32_t k = 0; k < 120; k++) of_level[level_of(&w, chosen[k])]++;
    ck_assert_uint_eq(of_level[2], 30); /* four misses */
    ck_assert_uint_eq(of_level[1], 75); /* one miss */
    ck_assert_uint_eq(of_level[3], 15); /* none, but never right */
    ck_assert_uint_eq(of_level[0], 0);
}
END_TEST

START_TEST(quotas_follow_largest_remainder)
{
    const uint32_t size[3] = {50, 30, 20};
    uint32_t quota[3];
    QcRng rng = qc_rng_seed(1, 0);
    ck_assert_int_eq(qc_sample_quota(quota, size, 3, 100, 7, &rng, NULL), 0); /* 3.5, 2.1, 1.4 */
    ck_assert(quota[0] == 4 && quota[1] == 2 && quota[2] == 1);
    ck_assert_int_eq(qc_sample_quota(quota, size, 3, 100, 100, &rng, NULL), 0);
    ck_assert(quota[0] == 50 && quota[1] == 30 && quota[2] == 20);
}
END_TEST

START_TEST(no_example_is_selected_twice)
{
    enum { N = 57, K = 5 };
    int32_t label[N];
    uint32_t misses[N], chosen[N], again[N];
    uint8_t never[N];
    QcCandidates c = {N, K, label, misses, never};
    QcRng rng = qc_rng_seed(6, 0);
    for (uint64_t seed = 0; seed < 200; seed++) {
        for (uint32_t i = 0; i < N; i++) {
            label[i] = (int32_t)(qc_rng_below(&rng, K) * qc_rng_below(&rng, 2));
            misses[i] = qc_rng_below(&rng, 4);
            never[i] = misses[i] == 0 && qc_rng_below(&rng, 3) == 0;
        }
        uint32_t slots = qc_rng_below(&rng, N + 1);
        for (int rule = 0; rule < QC_SAMPLE_RULES; rule++) {
            ck_assert_int_eq(qc_sample(chosen, &c, slots, (QcSampleRule)rule, seed, NULL), 0);
            for (uint32_t k = 1; k < slots; k++) ck_assert_uint_lt(chosen[k - 1], chosen[k]);
            if (slots) ck_assert_uint_lt(chosen[slots - 1], N);
            ck_assert_int_eq(qc_sample(again, &c, slots, (QcSampleRule)rule, seed, NULL), 0);
            ck_assert_int_eq(memcmp(chosen, again, slots * sizeof *chosen), 0);
        }
    }
}
END_TEST

/* --- evenness -------------------------------------------------------------------------------- */

enum { LEVELS = 3, CLASSES = 4 };

/* The least sum of squares of class totals over every filling: cell by cell, all of them. */
static uint32_t least_squares(const uint32_t *size, const uint32_t *left, uint32_t cell, uint32_t *total)
{
    if (cell == LEVELS * CLASSES) {
        uint32_t sum = 0;
        for (int c = 0; c < CLASSES; c++) sum += total[c] * total[c];
        return sum;
    }
    uint32_t rest[LEVELS], best = UINT32_MAX, level = cell / CLASSES, class = cell % CLASSES;
    memcpy(rest, left, sizeof rest);
    for (uint32_t take = 0; take <= size[cell] && take <= left[level]; take++) {
        rest[level] = left[level] - take;
        if (class == CLASSES - 1 && rest[level]) continue; /* a level's slots must be filled */
        total[class] += take;
        uint32_t sum = least_squares(size, rest, cell + 1, total);
        total[class] -= take;
        if (sum < best) best = sum;
    }
    return best;
}

START_TEST(even_fill_has_least_sum_of_squares)
{
    QcRng rng = qc_rng_seed(5, 0);
    for (int trial = 0; trial < 300; trial++) {
        uint32_t size[LEVELS * CLASSES], taken[LEVELS * CLASSES], quota[LEVELS], total[CLASSES] = {0},
                                                                                 none[CLASSES] = {0}, squares = 0;
        for (int l = 0; l < LEVELS; l++) {
            uint32_t sum = 0;
            for (int c = 0; c < CLASSES; c++)
                sum += size[l * CLASSES + c] = qc_rng_below(&rng, 3) * qc_rng_below(&rng, 3);
            quota[l] = qc_rng_below(&rng, (sum < 5 ? sum : 5) + 1);
        }
        ck_assert_int_eq(qc_sample_even(taken, size, quota, LEVELS, CLASSES, &rng, NULL), 0);
        for (int l = 0; l < LEVELS; l++) {
            uint32_t sum = 0;
            for (int c = 0; c < CLASSES; c++) {
                ck_assert_uint_le(taken[l * CLASSES + c], size[l * CLASSES + c]);
                sum += taken[l * CLASSES + c];
                total[c] += taken[l * CLASSES + c];
            }
            ck_assert_uint_eq(sum, quota[l]);
        }
        for (int c = 0; c < CLASSES; c++) squares += total[c] * total[c];
        ck_assert_uint_eq(squares, least_squares(size, quota, 0, none));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sample");
    TCase *rules = tcase_create("rules");
    tcase_add_test(rules, pmf_rule_keeps_distribution_of_misses);
    tcase_add_test(rules, random_rule_is_uniform);
    tcase_add_test(rules, proportional_rule_follows_weights);
    tcase_add_test(rules, hardest_rule_selects_most_missed_first);
    tcase_add_test(rules, quotas_follow_largest_remainder);
    tcase_add_test(rules, no_example_is_selected_twice);
    tcase_add_test(rules, even_fill_has_least_sum_of_squares);
    suite_add_tcase(suite, rules);
    return run_suite(suite);
}
