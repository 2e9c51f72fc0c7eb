/* Misses counted by hand, the miss log's file, and the choice of examples: distribution by chi-square, evenness against every possible filling. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"
#include "../../lib/coreset/choose.h"

/* --- misses ---------------------------------------------------------------------------------- */

/* Five examples seen four times at one bit-width; a row is one observation. */
START_TEST(misses_are_counted)
{
    static const uint8_t seen[4][5] = {{1, 0, 0, 1, 0}, {0, 1, 0, 1, 1}, {1, 1, 0, 1, 0}, {0, 0, 0, 1, 1}};
    static const uint32_t expected[5] = {2, 1, 0, 0, 1};
    const uint64_t ids[5] = {10, 11, 12, 13, 14};
    const uint8_t bits[1] = {4};
    QcMissLog log;
    ck_assert_int_eq(qc_misslog_init(&log, ids, 5, bits, 1, NULL), 0);
    for (uint32_t i = 0; i < 5; i++) ck_assert(!qc_misslog_never_right(&log, i)); /* nothing was observed yet */
    for (int k = 0; k < 4; k++) qc_misslog_observe(&log, 0, seen[k]);
    for (uint32_t i = 0; i < 5; i++) {
        ck_assert_uint_eq(qc_misslog_total(&log, i), expected[i]);
        ck_assert_int_eq(qc_misslog_never_right(&log, i), i == 2);
        ck_assert_uint_eq(log.last[i], seen[3][i]);
    }
    ck_assert_uint_eq(log.observations[0], 4);
    qc_misslog_release(&log);
}
END_TEST

START_TEST(bit_widths_add_up)
{
    const uint64_t ids[2] = {0, 1};
    const uint8_t bits[2] = {2, 8}, right[2] = {1, 0}, wrong[2] = {0, 0};
    QcMissLog log;
    ck_assert_int_eq(qc_misslog_init(&log, ids, 2, bits, 2, NULL), 0);
    qc_misslog_observe(&log, 0, right); /* right at 2 bits and then wrong at 8 is no miss: the two are looked at apart */
    qc_misslog_observe(&log, 1, wrong);
    ck_assert_uint_eq(qc_misslog_total(&log, 0), 0);
    qc_misslog_observe(&log, 0, wrong);
    qc_misslog_observe(&log, 1, right);
    qc_misslog_observe(&log, 1, wrong);
    ck_assert_uint_eq(log.misses[0], 1);
    ck_assert_uint_eq(log.misses[2], 1);
    ck_assert_uint_eq(qc_misslog_total(&log, 0), 2);
    ck_assert(!qc_misslog_never_right(&log, 0));
    ck_assert(qc_misslog_never_right(&log, 1));
    qc_misslog_release(&log);
}
END_TEST

START_TEST(bit_widths_are_kept_and_forgotten)
{
    static const uint64_t ids[] = {7, 3};
    static const uint8_t bits[] = {2, 4, 8}, right[] = {1, 1}, wrong[] = {0, 1}, both[] = {8, 4}, none[] = {3};
    QcMissLog log;
    QcErr err;
    ck_assert_int_eq(qc_misslog_init(&log, ids, 2, bits, 3, NULL), 0);
    for (uint32_t b = 0; b < 3; b++)
        for (uint32_t k = 0; k < 2 * b + 2; k++) qc_misslog_observe(&log, b, k % 2 ? wrong : right); /* b + 1 misses of the first */
    ck_assert_uint_eq(qc_misslog_total(&log, 0), 6);
    ck_assert_int_eq(qc_misslog_keep(&log, none, 1, &err), -1);
    ck_assert_int_eq(err.code, QC_EUSAGE);
    ck_assert_ptr_nonnull(strstr(err.text, "2,4,8"));
    ck_assert_int_eq(qc_misslog_keep(&log, both, 2, &err), 0);
    ck_assert_uint_eq(qc_misslog_total(&log, 0), 5);
    ck_assert_int_eq(qc_misslog_keep(&log, both, 1, &err), 0);
    ck_assert_uint_eq(qc_misslog_total(&log, 0), 3);
    ck_assert_uint_eq(qc_misslog_total(&log, 1), 0);
    ck_assert_uint_eq(log.observations[0], 6);
    ck_assert(!qc_misslog_never_right(&log, 1));
    qc_misslog_release(&log);
}
END_TEST

START_TEST(lists_of_bits)
{
    static const char *const bad[] = {"", ",", "2,", ",2", "1", "9", "16", "2,2", "2 3", "2,,3", "x"};
    uint8_t bits[QC_MISS_MAX_BITS];
    uint32_t n;
    QcErr err;
    ck_assert_int_eq(qc_miss_bits(bits, &n, "2,3,8", &err), 0);
    ck_assert_uint_eq(n, 3);
    ck_assert_int_eq(memcmp(bits, "\2\3\10", 3), 0);
    ck_assert_int_eq(qc_miss_bits(bits, &n, "2,3,4,5,6,7,8", &err), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(qc_miss_bits(bits, &n, bad[i], &err) == -1, "\"%s\" was taken", bad[i]);
        ck_assert_int_eq(err.code, QC_EUSAGE);
    }
}
END_TEST

static void random_log(QcMissLog *log, uint32_t n, uint64_t seed)
{
    const uint8_t bits[3] = {2, 4, 8};
    QcRng rng = qc_rng_seed(seed, 0);
    uint64_t *ids = malloc(n * sizeof *ids);
    uint8_t *right = malloc(n);
    for (uint32_t i = 0; i < n; i++) ids[i] = 1000 - 3 * i;
    ck_assert_int_eq(qc_misslog_init(log, ids, n, bits, 3, NULL), 0);
    for (uint32_t k = 0; k < 7; k++) {
        for (uint32_t b = 0; b < 3; b++) {
            for (uint32_t i = 0; i < n; i++) right[i] = i % 10 && qc_rng_below(&rng, 10) < i % 10 + b; /* every tenth is never right */
            qc_misslog_observe(log, b, right);
        }
    }
    free(ids);
    free(right);
}

START_TEST(log_survives_its_file)
{
    char path[] = "/tmp/qc-misslog-XXXXXX";
    close(mkstemp(path));
    QcMissLog log, again;
    random_log(&log, 100, 1);
    ck_assert_int_eq(qc_provenance_add(&log.provenance, &log.arena, "test", NULL), 0);
    ck_assert_int_eq(qc_misslog_save(&log, path, NULL), 0);
    QcErr err = {0};
    ck_assert_msg(qc_misslog_load(&again, path, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(again.n, log.n);
    for (uint32_t i = 0; i < log.n; i++) {
        ck_assert_uint_eq(again.id[i], log.id[i]);
        ck_assert_uint_eq(qc_misslog_total(&again, i), qc_misslog_total(&log, i));
        ck_assert_int_eq(qc_misslog_never_right(&again, i), qc_misslog_never_right(&log, i));
    }
    ck_assert_str_eq(again.provenance.lines[0], "test");
    QcWriter one = {0}, two = {0};
    qc_misslog_put(&one, &log);
    qc_misslog_put(&two, &again);
    ck_assert(one.length == two.length && !memcmp(one.bytes, two.bytes, one.length));
    qc_writer_release(&one);
    qc_writer_release(&two);
    qc_misslog_release(&log);
    qc_misslog_release(&again);
    unlink(path);
}
END_TEST

/* Spoils one thing of a good log's bytes and expects a refusal. */
static void expect_refusal(void (*spoil)(QcMissLog *log))
{
    QcMissLog log, again;
    QcErr err = {0};
    QcWriter w = {0};
    random_log(&log, 20, 2);
    spoil(&log);
    qc_misslog_put(&w, &log);
    QcCursor c = {.bytes = w.bytes, .length = w.length};
    ck_assert_int_eq(qc_misslog_get(&again, &c, &err), -1);
    ck_assert_int_eq(err.code, QC_EFORMAT);
    ck_assert_ptr_null(again.arena.blocks);
    qc_writer_release(&w);
    qc_misslog_release(&log);
}

static void same_ids(QcMissLog *log) { log->id[3] = log->id[17]; }
static void too_many_misses(QcMissLog *log) { log->misses[5] = 4; } /* of 7 looks, 3 can be misses */
static void miss_without_time(QcMissLog *log) { log->misses[5] = 1, log->observations[0] = 1; }
static void odd_mark(QcMissLog *log) { log->last[7] = 2; }
static void one_bit(QcMissLog *log) { log->bits[0] = 1; }
static void bits_twice(QcMissLog *log) { log->bits[0] = log->bits[1]; }

START_TEST(impossible_logs_are_refused)
{
    expect_refusal(same_ids);
    expect_refusal(too_many_misses);
    expect_refusal(miss_without_time);
    expect_refusal(odd_mark);
    expect_refusal(one_bit);
    expect_refusal(bits_twice);
}
END_TEST

START_TEST(truncated_logs_are_refused)
{
    QcMissLog log, again;
    QcWriter w = {0};
    random_log(&log, 20, 3);
    qc_misslog_put(&w, &log);
    for (size_t length = 0; length < w.length; length++) {
        QcCursor c = {.bytes = w.bytes, .length = length};
        ck_assert_int_eq(qc_misslog_get(&again, &c, NULL), -1);
    }
    qc_writer_release(&w);
    qc_misslog_release(&log);
}
END_TEST

/* Whatever bytes come, reading ends with a log that holds together or with a sentence. */
START_TEST(mutated_logs_do_no_harm)
{
    QcMissLog log, again;
    QcWriter w = {0};
    QcRng rng = qc_rng_seed(4, 0);
    random_log(&log, 12, 4);
    qc_misslog_put(&w, &log);
    for (int trial = 0; trial < 5000; trial++) {
        uint32_t at = qc_rng_below(&rng, (uint32_t)(trial % 2 ? 24 : w.length));
        uint8_t kept = w.bytes[at];
        QcErr err = {0};
        QcCursor c = {.bytes = w.bytes, .length = w.length};
        w.bytes[at] = (uint8_t)qc_rng_below(&rng, 256);
        if (qc_misslog_get(&again, &c, &err)) {
            ck_assert_int_eq(err.code, QC_EFORMAT);
            ck_assert(err.text[0]);
        } else {
            for (uint32_t i = 0; i < again.n; i++) ck_assert(!qc_misslog_never_right(&again, i) || !qc_misslog_total(&again, i));
            qc_misslog_release(&again);
        }
        w.bytes[at] = kept;
    }
    qc_writer_release(&w);
    qc_misslog_release(&log);
}
END_TEST

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

/* Every set keeps the shares of the levels and is even over the classes. counts [WHOLE], long [DRAWS]: what became of the one slot that two levels have equal
 * claims to. */
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

START_TEST(pmf_keeps_the_distribution)
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
            for (uint32_t place = start[l]; place < end[l]; place++) within += pow(counts[place * 3 + k] - expected, 2) / expected;
            ck_assert_double_lt(within, chi_limit(size - 1)); /* without replacement it varies less yet */
        }
        double mean = (of_class[0] + of_class[1] + of_class[2]) / 3; /* and no class is favoured in a level */
        for (uint32_t k = 0; k < 3; k++) classes += pow(of_class[k] - mean, 2) / mean;
        ck_assert_double_lt(classes, chi_limit(2));
    }
}
END_TEST

/* Each of m is drawn k / m of the time; the counts' covariance makes the statistic chi-square of m - 1 degrees once scaled by (m - 1) / m. */
START_TEST(random_is_uniform)
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

START_TEST(proportional_follows_the_weights)
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

START_TEST(hardest_come_first)
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

START_TEST(quota_by_largest_remainder)
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

START_TEST(nothing_is_taken_twice)
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

START_TEST(no_filling_is_more_even)
{
    QcRng rng = qc_rng_seed(5, 0);
    for (int trial = 0; trial < 300; trial++) {
        uint32_t size[LEVELS * CLASSES], taken[LEVELS * CLASSES], quota[LEVELS], total[CLASSES] = {0}, none[CLASSES] = {0}, squares = 0;
        for (int l = 0; l < LEVELS; l++) {
            uint32_t sum = 0;
            for (int c = 0; c < CLASSES; c++) sum += size[l * CLASSES + c] = qc_rng_below(&rng, 3) * qc_rng_below(&rng, 3);
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

/* --- the device's coreset ---------------------------------------------------------------------- */

/* How often example i of the activities is lost: in classes 0 to 2, five are lost once and five thrice. */
static uint32_t losses(uint32_t i) { return i / 20 < 3 && i % 20 < 10 ? (i % 20 < 5 ? 1 : 3) : 0; }

/* 19 classes x 20; five of class 3 are never right. The log has the ids in another order than the data. */
static void activities(QcDataset *d, QcMissLog *log)
{
    enum { N = 380 };
    uint64_t ids[N];
    uint8_t right[N];
    const uint8_t bits[1] = {2};
    char name[16];
    uint32_t k;
    ck_assert_int_eq(qc_dataset_init(d, N, 1, 1, 2, 0, NULL), 0);
    for (uint32_t i = 0; i < N; i++) {
        snprintf(name, sizeof name, "a%02u", i / 20);
        ck_assert_int_eq(qc_names_add(&d->labels, &d->arena, name, &k, NULL), 0);
        d->label[i] = (int32_t)k;
        d->id[i] = 5000 + i;
        d->x[2 * i] = (float)i;
        ids[N - 1 - i] = d->id[i];
    }
    ck_assert_int_eq(qc_names_add(&d->groups, &d->arena, "p1", &k, NULL), 0);
    ck_assert_int_eq(qc_names_add(&d->recordings, &d->arena, "r1", &k, NULL), 0);
    ck_assert_int_eq(qc_misslog_init(log, ids, N, bits, 1, NULL), 0);
    for (uint32_t look = 0; look < 6; look++) {
        for (uint32_t i = 0; i < N; i++) {
            int never = i / 20 == 3 && i % 20 < 5, lost_now = look % 2 && look / 2 < losses(i);
            right[N - 1 - i] = !never && !lost_now;
        }
        qc_misslog_observe(log, 0, right);
    }
}

/* Of 30 slots: 27.24 without a miss, 1.18 with one, 1.18 with three, .39 never right; the last has the largest remainder. */
START_TEST(coreset_covers_and_reserves)
{
    QcDataset d, core;
    QcMissLog log;
    QcErr err = {0};
    activities(&d, &log);
    for (uint64_t seed = 1; seed <= 50; seed++) {
        QcChooseOptions o = qc_choose_defaults;
        uint32_t of_class[19] = {0}, reserved[19] = {0}, all = 0, never = 0, misses = 0;
        o.seed = seed;
        ck_assert_msg(qc_choose(&core, &d, &log, &o, &err) == 0, "%s", err.text);
        ck_assert(core.n == 30 && core.capacity == 30);
        for (uint32_t k = 0; k < core.n; k++) {
            uint32_t i = (uint32_t)(core.id[k] - 5000);
            ck_assert_int_eq(core.label[k], d.label[i]);
            ck_assert_float_eq(*qc_dataset_window(&core, k), (float)i);
            ck_assert_uint_eq(core.misses[k], losses(i));
            of_class[core.label[k]]++;
            reserved[core.label[k]] += core.flags[k] & QC_EXAMPLE_RESERVED;
            never += (core.flags[k] & QC_EXAMPLE_NEVER_RIGHT) != 0;
            misses += core.misses[k];
        }
        for (int c = 0; c < 19; c++) {
            ck_assert_uint_ge(of_class[c], 1); /* the PMF allows it */
            ck_assert_uint_le(of_class[c], 2);
            ck_assert_uint_ge(reserved[c], 1); /* 20 slots, 19 classes */
            all += reserved[c];
        }
        ck_assert_uint_eq(all, 20);
        ck_assert_uint_eq(never, 1);
        ck_assert_uint_eq(misses, 4);
        qc_dataset_release(&core);
    }
    qc_misslog_release(&log);
    qc_dataset_release(&d);
}
END_TEST

static void expect_choice_refused(const QcDataset *d, const QcMissLog *log, QcChooseOptions o, QcCode code, const char *words)
{
    QcDataset core;
    QcErr err = {0};
    ck_assert_int_eq(qc_choose(&core, d, log, &o, &err), -1);
    ck_assert_int_eq(err.code, code);
    ck_assert_msg(strstr(err.text, words) != NULL, "'%s' does not say '%s'", err.text, words);
    ck_assert_ptr_null(core.arena.blocks);
}

START_TEST(bad_wishes_are_refused)
{
    QcDataset d, core;
    QcMissLog log;
    QcChooseOptions o = qc_choose_defaults, more = o, rule = o;
    activities(&d, &log);
    more.size = 381;
    rule.rule = QC_SAMPLE_HARDEST;
    expect_choice_refused(&d, &log, more, QC_EFORMAT, "coreset of 381 examples");
    expect_choice_refused(&d, NULL, rule, QC_EUSAGE, "needs misses");
    log.id[0] = 1;
    expect_choice_refused(&d, &log, o, QC_EFORMAT, "example 1 that is not in the data");
    log.id[0] = 9999;
    expect_choice_refused(&d, &log, o, QC_EFORMAT, "example 5379 of the data is not in the miss log");
    d.label[4] = -1;
    expect_choice_refused(&d, NULL, o, QC_EFORMAT, "example 5004 of the data has no label");
    for (uint32_t i = 0; i < 20; i++) d.label[i] = 1;
    expect_choice_refused(&d, NULL, o, QC_EFORMAT, "class \"a00\" has no example");
    o.partial = 1;
    ck_assert_int_eq(qc_choose(&core, &d, NULL, &o, NULL), 0);
    qc_dataset_release(&core);
    qc_misslog_release(&log);
    qc_dataset_release(&d);
}
END_TEST

START_TEST(report_counts)
{
    static const struct { const char *name; uint32_t whole; } levels[] = {{"0", 345}, {"1", 15}, {"3", 15}, {"never right", 5}};
    QcDataset d, core;
    QcMissLog log;
    QcChooseReport r;
    activities(&d, &log);
    ck_assert_int_eq(qc_choose(&core, &d, &log, &qc_choose_defaults, NULL), 0);
    ck_assert_int_eq(qc_choose_report(&r, &core, &d, &log, NULL), 0);
    ck_assert_uint_eq(r.n, 19 + 4);
    uint32_t set[2] = {0}, reserved[2] = {0};
    for (uint32_t i = 0; i < r.n; i++) {
        int misses = i >= 19;
        ck_assert_str_eq(r.rows[i].kind, misses ? "misses" : "class");
        ck_assert_uint_eq(r.rows[i].whole, misses ? levels[i - 19].whole : 20);
        if (misses) ck_assert_str_eq(r.rows[i].name, levels[i - 19].name);
        set[misses] += r.rows[i].set;
        reserved[misses] += r.rows[i].reserved;
    }
    ck_assert(set[0] == 30 && set[1] == 30 && reserved[0] == 20 && reserved[1] == 20);
    qc_choose_report_release(&r);
    qc_dataset_release(&core);
    qc_misslog_release(&log);
    qc_dataset_release(&d);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("coreset");
    TCase *misses = tcase_create("misses"), *rules = tcase_create("rules"), *chosen = tcase_create("chosen");
    tcase_add_test(misses, misses_are_counted);
    tcase_add_test(misses, bit_widths_add_up);
    tcase_add_test(misses, bit_widths_are_kept_and_forgotten);
    tcase_add_test(misses, lists_of_bits);
    tcase_add_test(misses, log_survives_its_file);
    tcase_add_test(misses, impossible_logs_are_refused);
    tcase_add_test(misses, truncated_logs_are_refused);
    tcase_add_test(misses, mutated_logs_do_no_harm);
    tcase_add_test(rules, pmf_keeps_the_distribution);
    tcase_add_test(rules, random_is_uniform);
    tcase_add_test(rules, proportional_follows_the_weights);
    tcase_add_test(rules, hardest_come_first);
    tcase_add_test(rules, quota_by_largest_remainder);
    tcase_add_test(rules, nothing_is_taken_twice);
    tcase_add_test(rules, no_filling_is_more_even);
    tcase_add_test(chosen, coreset_covers_and_reserves);
    tcase_add_test(chosen, bad_wishes_are_refused);
    tcase_add_test(chosen, report_counts);
    suite_add_tcase(suite, misses);
    suite_add_tcase(suite, rules);
    suite_add_tcase(suite, chosen);
    return run_suite(suite);
}
