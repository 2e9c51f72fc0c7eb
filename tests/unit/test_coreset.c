/* The device's coreset: it covers the classes and keeps the share of each count of misses. Impossible requests are
 * refused, and the report counts what the coreset holds. */
#include <stdio.h>
#include <string.h>

#include "suite.h"
#include "../../lib/coreset/choose.h"

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

/* Of 30 slots: 27.24 without a miss, 1.18 with one, 1.18 with three, .39 never right; the last has the largest
 * remainder. */
START_TEST(coreset_covers_classes_and_fills_miss_quotas)
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

static void expect_choice_refused(const QcDataset *d, const QcMissLog *log, QcChooseOptions o, QcCode code,
                                  const char *words)
{
    QcDataset core;
    QcErr err = {0};
    ck_assert_int_eq(qc_choose(&core, d, log, &o, &err), -1);
    ck_assert_int_eq(err.code, code);
    ck_assert_msg(strstr(err.text, words) != NULL, "'%s' does not say '%s'", err.text, words);
    ck_assert_ptr_null(core.arena.blocks);
}

START_TEST(impossible_requests_are_refused)
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

START_TEST(report_counts_coreset_content)
{
    static const struct {
        const char *name;
        uint32_t whole;
    } levels[] = {{"0", 345}, {"1", 15}, {"3", 15}, {"never right", 5}};
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
    TCase *chosen = tcase_create("chosen");
    tcase_add_test(chosen, coreset_covers_classes_and_fills_miss_quotas);
    tcase_add_test(chosen, impossible_requests_are_refused);
    tcase_add_test(chosen, report_counts_coreset_content);
    suite_add_tcase(suite, chosen);
    return run_suite(suite);
}
