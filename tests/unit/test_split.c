/* test_split.c - every example goes to exactly one part, parts have the requested sizes, and impossible splits are
 * refused. */
#include "suite.h"
#include "../../lib/data/split.h"

#include <stdlib.h>
#include <string.h>

static QcErr err;

/* Classes a, b, c ... of the given sizes, each cut into recordings of at most `recording` examples; people take turns
 * by recording. */
static void make(QcDataset *d, const uint32_t *sizes, uint32_t classes, uint32_t recording, uint32_t people)
{
    uint32_t n = 0, at = 0, recordings = 0;
    char name[16];
    for (uint32_t k = 0; k < classes; k++) n += sizes[k];
    ck_assert_int_eq(qc_dataset_init(d, n, 1, 1, 1, 0, &err), 0);
    for (uint32_t k = 0; k < classes; k++) {
        snprintf(name, sizeof name, "class-%c", 'a' + (int)k);
        ck_assert_int_eq(qc_names_add(&d->labels, &d->arena, name, NULL, &err), 0);
        for (uint32_t i = 0; i < sizes[k]; i++, at++) {
            if (i % recording == 0) {
                snprintf(name, sizeof name, "r%u", recordings++);
                ck_assert_int_eq(qc_names_add(&d->recordings, &d->arena, name, NULL, &err), 0);
            }
            d->label[at] = (int32_t)k;
            d->recording[at] = recordings - 1;
            d->group[at] = (recordings - 1) % people;
            d->id[at] = 1000 + at;
        }
    }
    for (uint32_t p = 0; p < people; p++) {
        snprintf(name, sizeof name, "p%u", p + 1);
        ck_assert_int_eq(qc_names_add(&d->groups, &d->arena, name, NULL, &err), 0);
    }
}

static void assert_permutation(const uint32_t *order, uint32_t n)
{
    uint8_t *seen = calloc(n, 1);
    for (uint32_t k = 0; k < n; k++) {
        ck_assert_uint_lt(order[k], n);
        ck_assert_uint_eq(seen[order[k]]++, 0);
    }
    free(seen);
}

static uint32_t count_label(const QcDataset *d, const uint32_t *order, uint32_t from, uint32_t to, int32_t label)
{
    uint32_t n = 0;
    for (uint32_t k = from; k < to; k++) n += d->label[order[k]] == label;
    return n;
}

/* UCI-DSA: the last 12 of the 60 segments of each activity. */
START_TEST(block_split_takes_end_of_each_recording)
{
    static const uint32_t sizes[] = {60, 60, 60};
    QcDataset d;
    uint32_t order[180], n_train;
    make(&d, sizes, 3, 60, 1);
    QcSplitOptions o = {.by = QC_SPLIT_BLOCK, .test = 0.2, .stratify = 1, .seed = (uint64_t)_i};
    ck_assert_msg(!qc_split(order, &n_train, &d, &o, &err), "%s", err.text);
    ck_assert_uint_eq(n_train, 144);
    assert_permutation(order, 180);
    for (uint32_t k = 0; k < 180; k++) ck_assert_int_eq(order[k] % 60 >= 48, k >= 144);
    qc_dataset_release(&d);
}
END_TEST

START_TEST(block_split_separates_class_and_recording)
{
    static const uint32_t sizes[] = {20, 30};
    QcDataset d;
    uint32_t order[50], n_train;
    make(&d, sizes, 2, 10, 1);
    for (uint32_t i = 0; i < 50; i++) d.recording[i] = 0; /* one recording of two classes: still the end of each */
    ck_assert_int_eq(
        qc_split(order, &n_train, &d, &(QcSplitOptions){.by = QC_SPLIT_BLOCK, .test = 0.1, .stratify = 1}, &err), 0);
    ck_assert_uint_eq(n_train, 45);
    static const uint32_t test[] = {18, 19, 47, 48, 49};
    ck_assert_mem_eq(order + 45, test, sizeof test);
    qc_dataset_release(&d);
}
END_TEST

/* Of ten recordings of four windows a tenth is four windows, the last ones of four recordings. */
START_TEST(block_split_adds_up_shares_of_short_recordings)
{
    static const uint32_t sizes[] = {40, 40}, test[] = {7, 15, 27, 35, 47, 55, 67, 75};
    QcDataset d;
    uint32_t order[80], n_train;
    make(&d, sizes, 2, 4, 1);
    QcSplitOptions o = {.by = QC_SPLIT_BLOCK, .test = 0.1, .stratify = 1};
    ck_assert_msg(!qc_split(order, &n_train, &d, &o, &err), "%s", err.text);
    assert_permutation(order, 80);
    ck_assert_uint_eq(n_train, 72);
    ck_assert_mem_eq(order + 72, test, sizeof test);
    o.test = 0.01;
    ck_assert_int_eq(qc_split(order, &n_train, &d, &o, &err), -1);
    ck_assert(strstr(err.text, "no class has enough examples for a fraction of 0.01"));
    qc_dataset_release(&d);
}
END_TEST

/* Both people have a session "r0", as in many tables; or a table has people, but no recordings. */
START_TEST(block_split_takes_end_of_each_group)
{
    static const uint32_t sizes[] = {20, 20};
    QcDataset d;
    uint32_t order[40], n_train;
    make(&d, sizes, 2, 10, 2);
    for (uint32_t i = 0; i < 40; i++) d.recording[i] = 0;
    if (_i) d.recordings.n = 0;
    QcSplitOptions o = {.by = QC_SPLIT_BLOCK, .test = 0.2, .stratify = 1};
    ck_assert_msg(!qc_split(order, &n_train, &d, &o, &err), "%s", err.text);
    ck_assert_uint_eq(n_train, 32);
    static const uint32_t test[] = {8, 9, 18, 19, 28, 29, 38, 39};
    ck_assert_mem_eq(order + 32, test, sizeof test);
    qc_dataset_release(&d);
}
END_TEST

START_TEST(recordings_of_two_groups_are_two)
{
    static const uint32_t sizes[] = {20, 20};
    QcDataset d;
    uint32_t order[40], n_train;
    make(&d, sizes, 2, 20, 2);
    for (uint32_t i = 0; i < 40; i++) d.label[i] = (int32_t)(i / 5 % 2), d.recording[i] = 0;
    QcSplitOptions o = {.by = QC_SPLIT_RECORDING, .test = 0.5, .stratify = 1};
    ck_assert_msg(!qc_split(order, &n_train, &d, &o, &err), "%s", err.text);
    ck_assert_uint_eq(n_train, 20);
    for (uint32_t k = 1; k < 20; k++) ck_assert_uint_eq(d.group[order[k]], d.group[order[0]]);
    qc_dataset_release(&d);
}
END_TEST

START_TEST(random_split_is_stratified_seeded_and_in_order)
{
    static const uint32_t sizes[] = {10, 35, 2, 53};
    QcDataset d;
    uint32_t order[100], again[100], other[100], n_train;
    make(&d, sizes, 4, 7, 3);
    QcSplitOptions o = {.by = QC_SPLIT_RANDOM, .test = 0.3, .stratify = 1, .seed = 11};
    ck_assert_int_eq(qc_split(order, &n_train, &d, &o, &err), 0);
    assert_permutation(order, 100);
    static const uint32_t expected[] = {3, 11, 1, 16}; /* .3 of each, rounded; at least one */
    for (int32_t c = 0; c < 4; c++) ck_assert_uint_eq(count_label(&d, order, n_train, 100, c), expected[c]);
    for (uint32_t k = 1; k < 100; k++)
        if (k != n_train) ck_assert_uint_lt(order[k - 1], order[k]);
    ck_assert_int_eq(qc_split(again, &n_train, &d, &o, &err), 0);
    ck_assert_mem_eq(order, again, sizeof order);
    o.seed = 12;
    ck_assert_int_eq(qc_split(other, &n_train, &d, &o, &err), 0);
    ck_assert_mem_ne(order, other, sizeof order);
    qc_dataset_release(&d);
}
END_TEST

START_TEST(whole_recordings_and_groups_stay_together)
{
    static const uint32_t sizes[] = {40, 60};
    QcDataset d;
    uint32_t order[100], n_train;
    make(&d, sizes, 2, 5, 4);
    QcSplitBy by = _i ? QC_SPLIT_GROUP : QC_SPLIT_RECORDING;
    ck_assert_msg(
        !qc_split(order, &n_train, &d, &(QcSplitOptions){.by = by, .test = 0.25, .stratify = 1, .seed = 5}, &err), "%s",
        err.text);
    assert_permutation(order, 100);
    ck_assert_uint_eq(n_train, 75);
    for (uint32_t k = 0; k < n_train; k++)
        for (uint32_t t = n_train; t < 100; t++) {
            uint32_t a = order[k], b = order[t];
            ck_assert(by == QC_SPLIT_GROUP ? d.group[a] != d.group[b] : d.recording[a] != d.recording[b]);
        }
    if (by == QC_SPLIT_RECORDING) ck_assert_uint_eq(count_label(&d, order, n_train, 100, 0), 10);
    qc_dataset_release(&d);
}
END_TEST

/* b NULL: one pattern */
#define leave(a, b) (QcSplitOptions){.leave = (const char *const[]){a, b}, .n_leave = (b) ? 2 : 1}

START_TEST(recordings_are_excluded_by_name)
{
    static const uint32_t sizes[] = {40, 60};
    QcDataset d;
    uint32_t order[100], n_train;
    make(&d, sizes, 2, 5, 4); /* r0 .. r19; r7 is the last of class a */
    ck_assert_msg(!qc_split(order, &n_train, &d, &leave("r*7", NULL), &err), "%s", err.text);
    assert_permutation(order, 100);
    ck_assert_uint_eq(n_train, 90);
    for (uint32_t k = 0; k < 10; k++) ck_assert_uint_eq(order[90 + k], k < 5 ? 35 + k : 80 + k);
    /* all of class a */
    ck_assert_int_eq(qc_split(order, &n_train, &d, &leave("r[0-7]", NULL), &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "'class-a'"));
    ck_assert_int_eq(qc_split(order, &n_train, &d, &leave("s1", NULL), &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "'s1'"));
    /* several patterns: recordings that fit any of them; each must fit a recording */
    ck_assert_msg(!qc_split(order, &n_train, &d, &leave("r7", "r17"), &err), "%s", err.text);
    ck_assert_uint_eq(n_train, 90);
    for (uint32_t k = 0; k < 10; k++) ck_assert_uint_eq(order[90 + k], k < 5 ? 35 + k : 80 + k);
    ck_assert_int_eq(qc_split(order, &n_train, &d, &leave("r7", "s1"), &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "'s1'"));
    qc_dataset_release(&d);
}
END_TEST

START_TEST(impossible_splits_are_refused)
{
    static const uint32_t lonely[] = {10, 1}, single[] = {1}, even[] = {20, 20};
    QcDataset d;
    uint32_t order[64], n_train;
    make(&d, lonely, 2, 100, 1);
    ck_assert_int_eq(qc_split(order, &n_train, &d, &(QcSplitOptions){.test = 0.2, .stratify = 1}, &err), -1);
    ck_assert_int_eq(err.code, QC_EUSAGE);
    ck_assert_ptr_nonnull(strstr(err.text, "'class-b' has only one example"));
    ck_assert_int_eq(qc_split(order, &n_train, &d, &(QcSplitOptions){.by = QC_SPLIT_BLOCK, .test = 0.2}, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "'class-b'"));
    ck_assert_int_eq(qc_split(order, &n_train, &d, &(QcSplitOptions){.by = QC_SPLIT_GROUP, .test = 0.2}, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "only one group"));
    qc_dataset_release(&d);
    make(&d, single, 1, 1, 1);
    ck_assert_int_eq(qc_split(order, &n_train, &d, &(QcSplitOptions){.test = 0.5}, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "only one example"));
    qc_dataset_release(&d);
    make(&d, even, 2, 20, 2); /* each class is one recording, each recording one group */
    ck_assert_int_eq(
        qc_split(order, &n_train, &d, &(QcSplitOptions){.by = QC_SPLIT_RECORDING, .test = 0.5, .stratify = 1}, &err),
        -1);
    ck_assert_ptr_nonnull(strstr(err.text, "only one recording"));
    ck_assert_int_eq(qc_split(order, &n_train, &d, &(QcSplitOptions){.by = QC_SPLIT_GROUP, .test = 0.5}, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "all 20 examples of class"));
    ck_assert_int_eq(qc_split(order, &n_train, &d, &(QcSplitOptions){.by = QC_SPLIT_BLOCK, .test = 0.01}, &err), -1);
    for (int k = 0; k < 3; k++) {
        ck_assert_int_eq(qc_split(order, &n_train, &d, &(QcSplitOptions){.test = (const double[]){0, 1, 1.5}[k]}, &err),
                         -1);
        ck_assert_int_eq(err.code, QC_EUSAGE);
    }
    qc_dataset_release(&d);
}
END_TEST

START_TEST(groups_are_selected_by_name)
{
    static const uint32_t sizes[] = {30};
    QcDataset d;
    uint32_t order[30], n;
    make(&d, sizes, 1, 5, 3);
    const char *names[] = {"p3", "p1"};
    ck_assert_int_eq(qc_split_pick_groups(order, &n, &d, names, 2, &err), 0);
    ck_assert_uint_eq(n, 20);
    for (uint32_t k = 0; k < n; k++) ck_assert_uint_ne(d.group[order[k]], 1);
    ck_assert_int_eq(qc_split_pick_groups(order, &n, &d, NULL, 0, &err), 0);
    ck_assert_uint_eq(n, 30);
    const char *nobody = "p4";
    ck_assert_int_eq(qc_split_pick_groups(order, &n, &d, &nobody, 1, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "p1, p2, p3"));
    qc_dataset_release(&d);
}
END_TEST

START_TEST(batches_hold_every_example_once)
{
    static const uint32_t sizes[] = {13, 40, 26, 24};
    QcDataset d;
    uint32_t order[103], starts[104];
    make(&d, sizes, 4, 7, 1);
    d.label[100] = -1;
    for (uint32_t batches = 1; batches <= 103; batches++) {
        QcStreamOrder kind = (QcStreamOrder)_i;
        ck_assert_int_eq(qc_split_batches(order, starts, &d, batches, kind, 9, &err), 0);
        assert_permutation(order, 103);
        ck_assert_uint_eq(starts[0], 0);
        ck_assert_uint_eq(starts[batches], 103);
        for (uint32_t b = 0; b < batches; b++) {
            uint32_t n = starts[b + 1] - starts[b];
            ck_assert(n == 103 / batches || n == 103 / batches + 1);
        }
        for (uint32_t k = 1; k < 103 && kind != QC_STREAM_SHUFFLED; k++) {
            /* unlabelled ones come last */
            uint32_t p = (uint32_t)d.label[order[k - 1]], q = (uint32_t)d.label[order[k]];
            ck_assert(kind == QC_STREAM_RECORDED ? order[k] == k : p < q || (p == q && order[k - 1] < order[k]));
        }
    }
    ck_assert_int_eq(qc_split_batches(order, starts, &d, 104, QC_STREAM_RECORDED, 9, &err), -1);
    ck_assert_int_eq(qc_split_batches(order, starts, &d, 0, QC_STREAM_RECORDED, 9, &err), -1);
    ck_assert_int_eq(err.code, QC_EUSAGE);
    qc_dataset_release(&d);
}
END_TEST

/* Where a shuffled stream puts an example is uniform: chi-square over tenths, 9 degrees of freedom, one in a million
 * above 45. */
START_TEST(shuffling_is_uniform)
{
    static const uint32_t sizes[] = {50};
    QcDataset d;
    uint32_t order[50], starts[11], hits[10] = {0};
    make(&d, sizes, 1, 50, 1);
    for (uint64_t seed = 0; seed < 2000; seed++) {
        ck_assert_int_eq(qc_split_batches(order, starts, &d, 10, QC_STREAM_SHUFFLED, seed, &err), 0);
        for (uint32_t k = 0; k < 50; k++)
            if (order[k] == 7) hits[k / 5]++;
    }
    double chi = 0;
    for (int b = 0; b < 10; b++) chi += (hits[b] - 200.0) * (hits[b] - 200.0) / 200;
    ck_assert_double_lt(chi, 45);
    qc_dataset_release(&d);
}
END_TEST

START_TEST(split_and_order_names_are_parsed)
{
    QcSplitBy by;
    QcStreamOrder kind;
    ck_assert_int_eq(qc_split_by_name(&by, "block", &err), 0);
    ck_assert_int_eq(by, QC_SPLIT_BLOCK);
    ck_assert_int_eq(qc_stream_order_by_name(&kind, "classes", &err), 0);
    ck_assert_int_eq(kind, QC_STREAM_CLASSES);
    ck_assert_int_eq(qc_split_by_name(&by, "blok", &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "random, block, recording or group"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("split");
    TCase *t = tcase_create("split");
    tcase_add_loop_test(t, block_split_takes_end_of_each_recording, 0, 2);
    tcase_add_test(t, block_split_separates_class_and_recording);
    tcase_add_test(t, block_split_adds_up_shares_of_short_recordings);
    tcase_add_loop_test(t, block_split_takes_end_of_each_group, 0, 2);
    tcase_add_test(t, recordings_of_two_groups_are_two);
    tcase_add_test(t, random_split_is_stratified_seeded_and_in_order);
    tcase_add_loop_test(t, whole_recordings_and_groups_stay_together, 0, 2);
    tcase_add_test(t, recordings_are_excluded_by_name);
    tcase_add_test(t, impossible_splits_are_refused);
    tcase_add_test(t, groups_are_selected_by_name);
    tcase_add_loop_test(t, batches_hold_every_example_once, 0, 3);
    tcase_add_test(t, shuffling_is_uniform);
    tcase_add_test(t, split_and_order_names_are_parsed);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
