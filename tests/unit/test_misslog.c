/* Misses counted by hand, and the miss log's file: it is read back whole, and impossible, cut or damaged logs are
 * refused. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"
#include "../../lib/base/rng.h"
#include "../../lib/coreset/misslog.h"

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

START_TEST(misses_of_bit_widths_are_added)
{
    const uint64_t ids[2] = {0, 1};
    const uint8_t bits[2] = {2, 8}, right[2] = {1, 0}, wrong[2] = {0, 0};
    QcMissLog log;
    ck_assert_int_eq(qc_misslog_init(&log, ids, 2, bits, 2, NULL), 0);
    qc_misslog_observe(&log, 0, right); /* right at 2 bits and then wrong at 8 is no miss: the two are looked at
                                           apart */
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

START_TEST(other_bit_widths_are_removed)
{
    static const uint64_t ids[] = {7, 3};
    static const uint8_t bits[] = {2, 4, 8}, right[] = {1, 1}, wrong[] = {0, 1}, both[] = {8, 4}, none[] = {3};
    QcMissLog log;
    QcErr err;
    ck_assert_int_eq(qc_misslog_init(&log, ids, 2, bits, 3, NULL), 0);
    for (uint32_t b = 0; b < 3; b++)
        for (uint32_t k = 0; k < 2 * b + 2; k++)
            qc_misslog_observe(&log, b, k % 2 ? wrong : right); /* b + 1 misses of the first */
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

START_TEST(bit_lists_are_parsed)
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
            /* every tenth is never right */
            for (uint32_t i = 0; i < n; i++) right[i] = i % 10 && qc_rng_below(&rng, 10) < i % 10 + b;
            qc_misslog_observe(log, b, right);
        }
    }
    free(ids);
    free(right);
}

START_TEST(miss_log_round_trip)
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

/* For any bytes, reading ends with a consistent log or with a message. */
START_TEST(mutated_logs_are_refused_or_valid)
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
            for (uint32_t i = 0; i < again.n; i++)
                ck_assert(!qc_misslog_never_right(&again, i) || !qc_misslog_total(&again, i));
            qc_misslog_release(&again);
        }
        w.bytes[at] = kept;
    }
    qc_writer_release(&w);
    qc_misslog_release(&log);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("misslog");
    TCase *misses = tcase_create("misses");
    tcase_add_test(misses, misses_are_counted);
    tcase_add_test(misses, misses_of_bit_widths_are_added);
    tcase_add_test(misses, other_bit_widths_are_removed);
    tcase_add_test(misses, bit_lists_are_parsed);
    tcase_add_test(misses, miss_log_round_trip);
    tcase_add_test(misses, impossible_logs_are_refused);
    tcase_add_test(misses, truncated_logs_are_refused);
    tcase_add_test(misses, mutated_logs_are_refused_or_valid);
    suite_add_tcase(suite, misses);
    return run_suite(suite);
}
