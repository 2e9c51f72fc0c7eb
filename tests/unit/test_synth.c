/* test_synth.c - synthetic subjects: the same when asked again, different from each other, and worth learning.
 *
 * "Learnable" is measured by a judge that needs no training: the nearest neighbour by mean and spread of the
 * channels. On UCI-DSA it gets .99 of person 1's last fifth by person 1, .72 of person 2's and .68 of person 3's. */
#include "suite.h"
#include "../../lib/data/split.h"
#include "../../lib/data/synth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 9, FEATURES = 2 * CHANNELS };

static QcErr err;

static void make(QcDataset *d, uint32_t people, double drift, uint64_t seed)
{
    QcSynthOptions o = qc_synth_defaults;
    o.subjects = people;
    o.drift = drift;
    o.seed = seed;
    ck_assert_msg(!qc_synth(d, &o, &err), "%s", err.text);
}

START_TEST(shape_names_and_ids)
{
    QcDataset d;
    QcSynthOptions o = {
        .activities = 14, .subjects = 2, .windows = 3, .channels = 7, .length = 11, .drift = 1, .seed = 4};
    ck_assert_int_eq(qc_synth(&d, &o, &err), 0);
    ck_assert_uint_eq(d.n, 84);
    ck_assert_uint_eq(d.channels, 7);
    ck_assert_uint_eq(d.height, 1);
    ck_assert_uint_eq(d.length, 11);
    ck_assert_uint_eq(d.labels.n, 14);
    ck_assert_uint_eq(d.recordings.n, 28);
    ck_assert_str_eq(d.groups.names[1], "p2");
    uint32_t seen[14][2] = {{0}};
    for (uint32_t i = 0; i < d.n; i++) {
        seen[d.label[i]][d.group[i]]++;
        for (uint32_t k = 0; k < i; k++) ck_assert_uint_ne(d.id[i], d.id[k]);
    }
    for (int c = 0; c < 14; c++) ck_assert(seen[c][0] == 3 && seen[c][1] == 3);
    for (uint32_t k = 0; k < d.n * qc_dataset_values(&d); k++) ck_assert(fabsf(d.x[k]) < 1000);
    qc_dataset_release(&d);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_bytes)
{
    QcDataset a, b, c;
    make(&a, 2, 1, 1);
    make(&b, 3, 1, 1);
    make(&c, 2, 1, 2);
    size_t bytes = a.n * qc_dataset_values(&a) * sizeof *a.x;
    ck_assert_mem_eq(a.x, b.x, bytes); /* a third person changes nothing for the first two */
    ck_assert_mem_eq(a.id, b.id, a.n * sizeof *a.id);
    ck_assert_mem_ne(a.x, c.x, bytes);
    qc_dataset_release(&a);
    qc_dataset_release(&b);
    qc_dataset_release(&c);
}
END_TEST

/* Mean and spread of each channel. */
static void describe(double out[FEATURES], const QcDataset *d, uint32_t i)
{
    const float *x = qc_dataset_window(d, i);
    for (uint32_t c = 0; c < CHANNELS; c++) {
        double sum = 0, squares = 0;
        for (uint32_t t = 0; t < d->length; t++) sum += x[c * d->length + t];
        sum /= d->length;
        for (uint32_t t = 0; t < d->length; t++) squares += (x[c * d->length + t] - sum) * (x[c * d->length + t] - sum);
        out[c] = sum;
        out[CHANNELS + c] = sqrt(squares / d->length);
    }
}

/* Deviation of each feature over some examples. */
static void measure_spread(double spread[FEATURES], const QcDataset *d, const uint32_t *index, uint32_t n)
{
    double sum[FEATURES] = {0}, squares[FEATURES] = {0}, f[FEATURES];
    for (uint32_t k = 0; k < n; k++) {
        describe(f, d, index[k]);
        for (int j = 0; j < FEATURES; j++) {
            sum[j] += f[j];
            squares[j] += f[j] * f[j];
        }
    }
    for (int j = 0; j < FEATURES; j++) spread[j] = sqrt(squares[j] / n - sum[j] / n * (sum[j] / n));
}

static int32_t nearest_label(const QcDataset *d, const uint32_t *index, uint32_t n, const double spread[FEATURES],
                             const double f[FEATURES])
{
    double nearest = INFINITY, other[FEATURES];
    int32_t label = -1;
    for (uint32_t k = 0; k < n; k++) {
        double distance = 0;
        describe(other, d, index[k]);
        for (int j = 0; j < FEATURES; j++) distance += pow((f[j] - other[j]) / spread[j], 2);
        if (distance < nearest) {
            nearest = distance;
            label = d->label[index[k]];
        }
    }
    return label;
}

static uint32_t keep_person(uint32_t *index, uint32_t n, const QcDataset *d, uint32_t person)
{
    uint32_t kept = 0;
    for (uint32_t k = 0; k < n; k++)
        if (d->group[index[k]] == person) index[kept++] = index[k];
    return kept;
}

/* Accuracy on one person's last fifth by neighbours among another's first four. */
static double judge(const QcDataset *d, uint32_t learnt, uint32_t tested)
{
    uint32_t *order = malloc(d->n * sizeof *order), n_train, right = 0;
    double spread[FEATURES], f[FEATURES];
    ck_assert_int_eq(qc_split(order, &n_train, d, &(QcSplitOptions){.by = QC_SPLIT_BLOCK, .test = 0.2}, &err), 0);
    uint32_t *test = order + n_train, n_test = keep_person(test, d->n - n_train, d, tested);
    n_train = keep_person(order, n_train, d, learnt);
    measure_spread(spread, d, order, n_train);
    for (uint32_t k = 0; k < n_test; k++) {
        describe(f, d, test[k]);
        right += nearest_label(d, order, n_train, spread, f) == d->label[test[k]];
    }
    free(order);
    return (double)right / n_test;
}

START_TEST(subject_is_learnable_and_differs_from_other_subjects)
{
    double own = 0, other = 0;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        QcDataset d;
        make(&d, 3, 1, seed);
        for (uint32_t p = 0; p < 3; p++) own += judge(&d, p, p) / 15;
        other += (judge(&d, 0, 1) + judge(&d, 0, 2)) / 10;
        qc_dataset_release(&d);
    }
    ck_assert_double_gt(own, 0.97);
    ck_assert_double_gt(other, 0.3);
    ck_assert_double_lt(other, 0.9);
}
END_TEST

START_TEST(subjects_without_drift_are_alike)
{
    QcDataset d;
    make(&d, 2, 0, 1);
    ck_assert_double_gt(judge(&d, 0, 1), 0.97);
    qc_dataset_release(&d);
}
END_TEST

START_TEST(invalid_options_are_refused)
{
    static const QcSynthOptions wrong[] = {
        {.subjects = 1, .windows = 1, .channels = 1, .length = 1, .drift = 1},
        {.activities = 1, .subjects = 1000, .windows = 1, .channels = 1, .length = 1},
        {.activities = 1, .subjects = 1, .windows = 1, .channels = 1000, .length = 1},
        {.activities = 1, .subjects = 1, .windows = 1, .channels = 1, .length = 1, .drift = -1},
        {.activities = 1, .subjects = 1, .windows = 1, .channels = 1, .length = 1, .drift = NAN},
        {.activities = 999, .subjects = 999, .windows = 999999, .channels = 1, .length = 1}};
    QcDataset d;
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        ck_assert_int_eq(qc_synth(&d, &wrong[k], &err), -1);
        ck_assert_int_eq(err.code, QC_EUSAGE);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("synth");
    TCase *t = tcase_create("synth");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, shape_names_and_ids);
    tcase_add_test(t, the_same_seed_gives_the_same_bytes);
    tcase_add_test(t, subject_is_learnable_and_differs_from_other_subjects);
    tcase_add_test(t, subjects_without_drift_are_alike);
    tcase_add_test(t, invalid_options_are_refused);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
