/* test_dataset.c - data sets in memory: parts and joined sets keep their names, and models find the values and
 * labels that they need. */
#include "suite.h"

#include <stdio.h>

#include "examples.h"

/* --- cutting and joining ------------------------------------------------------------------------ */

START_TEST(subset_keeps_all_fields_of_an_example)
{
    QcDataset d, part;
    make(&d, 10);
    const uint32_t index[] = {5, 1, 3}; /* all of p2 */
    ck_assert_int_eq(qc_dataset_subset(&part, &d, index, 3, 4, &err), 0);
    ck_assert_uint_eq(part.n, 3);
    ck_assert_uint_eq(part.capacity, 4);
    assert_same_names(&part.labels, &d.labels);
    ck_assert_uint_eq(part.groups.n, 1);
    for (uint32_t k = 0; k < 3; k++) {
        uint32_t i = index[k];
        ck_assert_uint_eq(part.id[k], d.id[i]);
        ck_assert_int_eq(part.label[k], d.label[i]);
        ck_assert_str_eq(part.groups.names[part.group[k]], "p2");
        ck_assert_str_eq(part.recordings.names[part.recording[k]], d.recordings.names[d.recording[i]]);
        ck_assert_mem_eq(qc_dataset_window(&part, k), qc_dataset_window(&d, i), CHANNELS * LENGTH * sizeof(float));
        ck_assert_uint_eq(part.misses[k], d.misses[i]);
        ck_assert_uint_eq(part.flags[k], d.flags[i]);
    }
    qc_dataset_release(&part);
    ck_assert_int_eq(qc_dataset_subset(&part, &d, index, 3, 2, &err), -1);
    ck_assert_int_eq(err.code, QC_EUSAGE);
    qc_dataset_release(&d);
}
END_TEST

START_TEST(join_restores_subsets)
{
    QcDataset d, a, b, all;
    make(&d, 0);
    ck_assert_int_eq(qc_dataset_subset(&a, &d, (const uint32_t[]){1, 3, 5}, 3, 0, &err), 0);
    ck_assert_int_eq(qc_dataset_subset(&b, &d, (const uint32_t[]){6, 0, 2, 4}, 4, 0, &err), 0);
    ck_assert_int_eq(qc_dataset_join(&all, (const QcDataset *const[]){&a, &b}, 2, &err), 0);
    ck_assert_uint_eq(all.n, N);
    for (uint32_t k = 0; k < N; k++) {
        uint32_t i = (const uint32_t[]){1, 3, 5, 6, 0, 2, 4}[k];
        ck_assert_uint_eq(all.id[k], d.id[i]);
        ck_assert_int_eq(all.label[k], d.label[i]);
        ck_assert_str_eq(all.groups.names[all.group[k]], d.groups.names[d.group[i]]);
        ck_assert_str_eq(all.recordings.names[all.recording[k]], d.recordings.names[d.recording[i]]);
        ck_assert_mem_eq(qc_dataset_window(&all, k), qc_dataset_window(&d, i), CHANNELS * LENGTH * sizeof(float));
    }
    qc_dataset_release(&all);
    ck_assert_int_eq(qc_dataset_join(&all, (const QcDataset *const[]){&a, &d}, 2, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "of data set 1 and example"));
    qc_dataset_release(&a);
    ck_assert_int_eq(qc_dataset_init(&a, 1, CHANNELS + 1, 1, LENGTH, 0, &err), 0);
    ck_assert_int_eq(qc_dataset_join(&all, (const QcDataset *const[]){&d, &a}, 2, &err), -1);
    ck_assert_int_eq(err.code, QC_EFORMAT);
    qc_dataset_release(&a);
    qc_dataset_release(&b);
    qc_dataset_release(&d);
}
END_TEST

START_TEST(name_table_grows_and_stays_unique)
{
    QcNames names = {0};
    QcArena arena = {0};
    char name[16];
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t k = 0; k < 300; k++) {
            uint32_t index;
            snprintf(name, sizeof name, "n%u", k);
            ck_assert_int_eq(qc_names_add(&names, &arena, name, &index, &err), 0);
            ck_assert_uint_eq(index, k);
        }
    ck_assert_uint_eq(names.n, 300);
    ck_assert_int_eq(qc_names_find(&names, "n300"), -1);
    ck_assert_int_eq(qc_names_add(&names, &arena, "st\xc3\xa4nd", NULL, &err), 0);
    ck_assert_int_eq(qc_names_add(&names, &arena, "st\xe4nd", NULL, &err), -1); /* a file with it could not be read */
    ck_assert_int_eq(err.code, QC_EFORMAT);
    ck_assert_uint_eq(names.n, 301);
    qc_arena_release(&arena);
}
END_TEST

/* --- what models want --------------------------------------------------------------------------- */

START_TEST(normalized_windows_have_mean_0_and_deviation_1)
{
    QcDataset d;
    QcNorm norm;
    make(&d, 0);
    for (uint32_t i = 0; i < N; i++)
        for (uint32_t t = 0; t < LENGTH; t++) {
            d.x[(i * CHANNELS + 1) * LENGTH + t] = 1234.567f;        /* a dead sensor */
            d.x[(i * CHANNELS + 2) * LENGTH + t] += 1e4f;            /* far from zero */
        }
    ck_assert_int_eq(qc_norm_measure(&norm, &d, &d.arena, &err), 0);
    ck_assert_float_eq(norm.mean[1], 1234.567f);
    ck_assert_float_eq(norm.deviation[1], 1);
    double sum[CHANNELS] = {0}, squares[CHANNELS] = {0};
    float out[LENGTH][CHANNELS];
    for (uint32_t i = 0; i < N; i++) {
        qc_dataset_batch_window(&out[0][0], &d, i, &norm);
        for (uint32_t t = 0; t < LENGTH; t++)
            for (uint32_t c = 0; c < CHANNELS; c++) {
                float x = d.x[(i * CHANNELS + c) * LENGTH + t];
                ck_assert_float_eq(out[t][c], (x - norm.mean[c]) / norm.deviation[c]);
                sum[c] += out[t][c];
                squares[c] += (double)out[t][c] * out[t][c];
            }
    }
    for (int c = 0; c < CHANNELS; c++) {
        ck_assert_double_eq_tol(sum[c] / (N * LENGTH), 0, 2e-3);
        ck_assert_double_eq_tol(squares[c] / (N * LENGTH), c == 1 ? 0 : 1, 2e-3);
    }
    qc_dataset_release(&d);
}
END_TEST

START_TEST(labels_are_matched_by_name)
{
    QcDataset d;
    QcModelFile m;
    QcNorm norm;
    int32_t *map;
    make(&d, 0);
    ck_assert_int_eq(qc_norm_measure(&norm, &d, &d.arena, &err), 0);
    char *classes[] = {"lie \xc3\xa4", "run", "walk", "sit"};
    ck_assert_int_eq(qc_modelfile_init(&m, "m", CHANNELS, 1, LENGTH, 4, classes, &norm, &err), 0);
    ck_assert_int_eq(qc_dataset_match(&d, &m, QC_LABELS_OPTIONAL, &map, &d.arena, &err), 0);
    ck_assert_int_eq(map[0], 2);
    ck_assert_int_eq(map[1], 3);
    ck_assert_int_eq(map[2], 0);
    ck_assert_int_eq(qc_dataset_match(&d, &m, QC_LABELS_ALL, &map, &d.arena, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "example 0"));
    ck_assert_int_eq(qc_dataset_match(&d, &m, QC_LABELS_SOME, &map, &d.arena, &err), 0);
    int32_t label[N];
    memcpy(label, d.label, sizeof label);
    for (int i = 0; i < N; i++) d.label[i] = -1;
    ck_assert_int_eq(qc_dataset_match(&d, &m, QC_LABELS_OPTIONAL, &map, &d.arena, &err), 0);
    ck_assert_int_eq(qc_dataset_match(&d, &m, QC_LABELS_SOME, &map, &d.arena, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "no example of the data has a label"));
    memcpy(d.label, label, sizeof label);
    strcpy(m.labels[3], "nap");
    ck_assert_int_eq(qc_dataset_match(&d, &m, QC_LABELS_OPTIONAL, &map, &d.arena, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "'sit'"));
    m.channels++;
    ck_assert_int_eq(qc_dataset_match(&d, &m, QC_LABELS_OPTIONAL, &map, &d.arena, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "3 channels, but the model takes 4"));
    qc_modelfile_release(&m);
    qc_dataset_release(&d);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dataset");
    TCase *t = tcase_create("dataset");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, subset_keeps_all_fields_of_an_example);
    tcase_add_test(t, join_restores_subsets);
    tcase_add_test(t, name_table_grows_and_stays_unique);
    tcase_add_test(t, normalized_windows_have_mean_0_and_deviation_1);
    tcase_add_test(t, labels_are_matched_by_name);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
