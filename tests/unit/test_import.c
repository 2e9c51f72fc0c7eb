/* test_import.c - numbers compared with the C library's, tables and series with the values that were written, and
 * the real files. */
#include "suite.h"
#include "../../lib/base/rng.h"
#include "../../lib/data/import.h"
#include "../../lib/data/number.h"

#include <math.h>

#include "scratch.h"
#include "importing.h"

/* --- numbers -------------------------------------------------------------------------------------- */

static void assert_as_libc(const char *text)
{
    const char *at = text, *end = text + strlen(text);
    float value;
    ck_assert_ptr_null(qc_number_read(&value, &at, end));
    ck_assert_ptr_eq(at, end);
    float expected = (float)strtod(text, NULL);
    ck_assert_msg(!memcmp(&value, &expected, sizeof value), "%s gave %.9g instead of %.9g", text, value, expected);
}

START_TEST(numbers_equal_strtod)
{
    static const char *const texts[] = {"0",
                                        "-0",
                                        "+1.5",
                                        ".5",
                                        "5.",
                                        "1e3",
                                        "1E-3",
                                        "-2.5e+2",
                                        "123456789012345678901234567890",
                                        "0.000000000000000000000000000001234",
                                        "1e-45",
                                        "1e-400",
                                        "9007199254740993",
                                        "16777217",
                                        "1e22",
                                        "0.1",
                                        "3.4028234e28",
                                        "00012.50",
                                        "1.00000005960464477539062500000000000000001",
                                        "562949953421312.75"};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) assert_as_libc(texts[k]);
    QcRng rng = qc_rng_seed(1, 1);
    char text[64];
    for (int k = 0; k < 100000; k++) {
        double v = qc_rng_normal(&rng) * pow(10, (double)qc_rng_below(&rng, 40) - 20);
        snprintf(text, sizeof text, k % 2 ? "%.*g" : "%.*e", (int)qc_rng_below(&rng, 20), v);
        assert_as_libc(text);
    }
}
END_TEST

START_TEST(invalid_number_is_reported)
{
    static const char *const wrong[][2] = {{"nan", "is missing"},       {"-NaN", "is missing"},
                                           {"Inf", "is missing"},       {"+infinity", "is missing"},
                                           {"N/A", "is missing"},       {"NULL", "is missing"},
                                           {"na", "is missing"},        {"nano", "is not a number"},
                                           {"?", "is missing"},         {"", "is missing"},
                                           {"abc", "is not a number"},  {"-", "is not a number"},
                                           {".", "is not a number"},    {"e5", "is not a number"},
                                           {"1e31", "is out of range"}, {"-1e999999999", "is out of range"},
                                           {"--1", "is not a number"}};
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        const char *at = wrong[k][0];
        float value;
        const char *what = qc_number_read(&value, &at, at + strlen(at));
        ck_assert_ptr_nonnull(what);
        ck_assert_str_eq(what, wrong[k][1]);
        ck_assert_ptr_eq(at, wrong[k][0]);
    }
    const char *text = "1e+", *at = text; /* an exponent without digits belongs to what follows */
    float value;
    ck_assert_ptr_null(qc_number_read(&value, &at, text + 3));
    ck_assert_ptr_eq(at, text + 1);
}
END_TEST

/* --- tables and series that are right -------------------------------------------------------------- */

START_TEST(csv_with_header_groups_and_channels)
{
    const char *path = scratch_text("t.csv", "\xef\xbb\xbfwho,x1,x2,activity,y1,y2\r\np2,1,2,walk,3,4\r\n\r\np1,5,-6e1,"
                                             "\"sit 10\",7,8\r\np2,.5,0,\"sit 9\",0,0\r\n");
    QcDataset d;
    QcImportOptions o = {.channels = 2, .label = "activity", .group = "1"};
    ck_assert_msg(!import(&d, NULL, path, o), "%s", err.text);
    ck_assert_uint_eq(d.n, 3);
    ck_assert_uint_eq(d.channels, 2);
    ck_assert_uint_eq(d.length, 2);
    ck_assert_mem_eq(d.x, ((float[]){1, 2, 3, 4, 5, -60, 7, 8, .5f, 0, 0, 0}), 12 * sizeof(float));
    ck_assert_str_eq(d.labels.names[0], "sit 9");
    ck_assert_str_eq(d.labels.names[1], "sit 10");
    ck_assert_str_eq(d.labels.names[d.label[0]], "walk");
    ck_assert_str_eq(d.labels.names[d.label[1]], "sit 10");
    ck_assert_str_eq(d.groups.names[d.group[1]], "p1");
    uint64_t id = d.id[2];
    ck_assert_uint_lt(id, (uint64_t)1 << 53);
    qc_dataset_release(&d);
    o.groups = (const char *const[]){"p2"};
    o.n_groups = 1;
    ck_assert_msg(!import(&d, "csv", path, o), "%s", err.text);
    ck_assert_uint_eq(d.n, 2);
    ck_assert_uint_eq(d.id[1], id); /* ids do not depend on what else was taken */
    ck_assert_str_eq(d.labels.names[d.label[1]], "sit 9");
    ck_assert_int_eq(qc_dataset_save(&d, scratch_path("t.qcd"), &err), 0);
    qc_dataset_release(&d);
    ck_assert_msg(!qc_dataset_load(&d, scratch_path("t.qcd"), &err), "%s", err.text);
    ck_assert_uint_eq(d.n, 2);
    qc_dataset_release(&d);
    o.groups = (const char *const[]){"p3"};
    ck_assert_int_eq(import(&d, "csv", path, o), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "p3"));
}
END_TEST

START_TEST(csv_header_and_separator_are_detected)
{
    static const struct { const char *text; uint32_t n, length;
    } cases[] = {
        {"1,2,3,0\n4,5,6,1\n", 2, 3},
        {"0,1,2,label\n4,5,6,1\n", 1, 3},
        {"a;b;class\n1;2;x\n3;4;y", 2, 2},
        {"1 2  3 a\n4 5 6 b\n", 2, 3},
        {"1\t2\tfast, loud\n3\t4\tslow\n", 2, 2},
        {"1, 2, a\n3, 4, b\n", 2, 2},
        {"1.5,7\n", 1, 1},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        QcDataset d;
        ck_assert_msg(!import(&d, "csv", scratch_text("g.txt", cases[k].text), plain), "%zu: %s", k, err.text);
        ck_assert_uint_eq(d.n, cases[k].n);
        ck_assert_uint_eq(d.length, cases[k].length);
        qc_dataset_release(&d);
    }
    QcDataset d;
    ck_assert_int_eq(import(&d, "csv", scratch_text("u.csv", "1,2\n3,4\n"),
                            (QcImportOptions){.label = "none", .header = QC_HEADER_NO}),
                     0);
    ck_assert_uint_eq(d.length, 2);
    ck_assert_int_eq(d.label[1], -1);
    qc_dataset_release(&d);
}
END_TEST

START_TEST(ts_with_channels_and_header)
{
    QcDataset d;
    const char *path = scratch_text(
        "t.ts", "# words\n@problemName Toy\n@timestamps false\n@univariate false\n@dimensions 2\n@equalLength true\n"
                "@seriesLength 3\n@classLabel true up down\n@DATA\n1,2,3:4,5,6:down\n\n-1,0,1e-2:7, 8 ,9:up\n");
    ck_assert_msg(!import(&d, NULL, path, plain), "%s", err.text);
    ck_assert_uint_eq(d.n, 2);
    ck_assert_mem_eq(d.x, ((float[]){1, 2, 3, 4, 5, 6, -1, 0, .01f, 7, 8, 9}), 12 * sizeof(float));
    ck_assert_int_eq(d.label[0], 1);
    ck_assert_int_eq(d.label[1], 0);
    qc_dataset_release(&d);
    ck_assert_msg(!import(&d, "ts", scratch_text("t.ts", "@classLabel false\n@data\n1,2\n3,4"), plain), "%s", err.text);
    ck_assert_uint_eq(d.channels, 1);
    ck_assert_int_eq(d.label[1], -1);
    qc_dataset_release(&d);
}
END_TEST

/* --- what is uneven or not there -------------------------------------------------------------------- */

static void expect_values(const char *format, const char *text, QcImportOptions o, uint32_t n, uint32_t channels,
                          uint32_t length, const float *x)
{
    QcDataset d;
    ck_assert_msg(!import(&d, format, scratch_text("f", text), o), "%s: %s", text, err.text);
    ck_assert_msg(d.n == n && d.channels == channels && d.length == length, "%s: %u x %u x %u", text, d.n, d.channels,
                  d.length);
    for (uint32_t k = 0; k < n * channels * length; k++)
        ck_assert_msg(d.x[k] == x[k], "%s: value %u is %g instead of %g", text, k, d.x[k], x[k]);
    qc_dataset_release(&d);
}

START_TEST(unequal_series_are_padded_or_resampled)
{
    static const char ts[] = "@classLabel true a\n@data\n1,2,3,4:a\n1,4:a\n",
                      tsv[] = "1\t1\t2\t3\t4\n1\t1\t4\tNaN\tNaN\n";
    static const char arff[] = "@attribute a numeric\n@attribute b numeric\n@attribute c numeric\n@attribute d "
                               "numeric\n@attribute k {a}\n@data\n1,2,3,4,a\n1,4,?,?,a\n";
    const float padded[] = {1, 2, 3, 4, 1, 4, 0, 0}, stretched[] = {1, 2, 3, 4, 1, 2, 3, 4},
                longer[] = {1, 1.5f, 2, 2.5f, 3, 3.5f, 4, 1, 1.5f, 2, 2.5f, 3, 3.5f, 4};
    const char *const texts[][2] = {{"ts", ts}, {"tsv", tsv}, {"arff", arff}};
    for (int k = 0; k < 3; k++) {
        expect_values(texts[k][0], texts[k][1], (QcImportOptions){.unequal = QC_UNEQUAL_PAD}, 2, 1, 4, padded);
        expect_values(texts[k][0], texts[k][1], (QcImportOptions){.unequal = QC_UNEQUAL_RESAMPLE}, 2, 1, 4, stretched);
        expect_values(texts[k][0], texts[k][1], (QcImportOptions){.unequal = QC_UNEQUAL_RESAMPLE, .length = 7}, 2, 1, 7,
                      longer);
        QcDataset d;
        ck_assert_int_eq(import(&d, texts[k][0], scratch_text("f", texts[k][1]), plain), -1);
        ck_assert_int_eq(import(&d, texts[k][0], scratch_text("f", texts[k][1]),
                                (QcImportOptions){.unequal = QC_UNEQUAL_PAD, .length = 3}),
                         -1);
        ck_assert_ptr_nonnull(strstr(err.text, "has length 4, which is more than 3"));
    }
    expect_values("ts", "@dimensions 2\n@data\n1,2:3\n", (QcImportOptions){.unequal = QC_UNEQUAL_PAD}, 1, 2, 2,
                  (float[]){1, 2, 3, 0});
    expect_values("ts", "@dimensions 2\n@data\n1,2:3\n", (QcImportOptions){.unequal = QC_UNEQUAL_RESAMPLE}, 1, 2, 2,
                  (float[]){1, 2, 3, 3});
}
END_TEST

START_TEST(missing_values_are_filled_or_dropped)
{
    const QcImportOptions filled = {.missing = QC_MISSING_FILL}, dropped = {.missing = QC_MISSING_DROP};
    expect_values("ts", "@missing true\n@data\n?,2,NaN,,8,?\n1,2,3,4,5,6\n", filled, 2, 1, 6,
                  (float[]){2, 2, 4, 6, 8, 8, 1, 2, 3, 4, 5, 6});
    expect_values("ts", "@missing true\n@data\n?,2,NaN,,8,?\n1,2,3,4,5,6\n", dropped, 1, 1, 6,
                  (float[]){1, 2, 3, 4, 5, 6});
    expect_values("csv", "1,,3,a\n4,5,6,b\n", filled, 2, 1, 3, (float[]){1, 2, 3, 4, 5, 6});
    expect_values("csv", "1,,3,a\n4,5,6,b\n", dropped, 1, 1, 3, (float[]){4, 5, 6});
    QcDataset d;
    ck_assert_int_eq(
        import(&d, "csv", scratch_text("f", "1,2,a\n,,a\n"), (QcImportOptions){.missing = QC_MISSING_FILL}), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "f:2: a channel has no value at all"));
    ck_assert_int_eq(
        import(&d, "csv", scratch_text("f", "1,,a\n,3,a\n"), (QcImportOptions){.missing = QC_MISSING_DROP}), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "all are dropped"));
    expect_values("csv", "1,inf,3,a\n4,-NaN,6,a\n7,8,9,b\n", dropped, 1, 1, 3, (float[]){7, 8, 9});
    expect_values("csv", "1,inf,3,a\n4,N/A,6,a\n7,null,9,b\n", filled, 3, 1, 3, (float[]){1, 2, 3, 4, 5, 6, 7, 8, 9});
}
END_TEST

START_TEST(timestamps_are_resampled_to_equal_steps)
{
    const QcImportOptions o = {.unequal = QC_UNEQUAL_RESAMPLE};
    const float x[] = {1, 2, 3, 4, 5, 6};
    expect_values("ts", "@timeStamps true\n@dimensions 2\n@data\n(0,1),(10,2),(20,3):(0,4),(1e1,5),(20,6)\n", plain, 1,
                  2, 3, x);
    expect_values("ts",
                  "@timestamps true\n@dimensions 2\n@data\n(2024-02-28 23:00:00,1),(2024-02-29 "
                  "11:00:00,2),(2024-02-29T23:00,3):(2024-02-28T23:00,4),(2024-02-29T11:00,5),(2024-02-29T23:00Z,6)\n",
                  plain, 1, 2, 3, x);
    expect_values("ts", "@timeStamps true\n@data\n(0,0),(1,10),(4,40)\n", o, 1, 1, 3, (float[]){0, 20, 40});
}
END_TEST

START_TEST(table_rows_become_windows)
{
    const char *path =
        scratch_text("long.csv", "w,who,\"x, first\",y,label\n1,p1,1,10,\"say \"\"hi\"\"\"\n1,p1,2,20,\"say "
                                 "\"\"hi\"\"\"\n1,p2,3,30,b\n1,p2,4,40,b\n2,p2,5,50,b\n2,p2,6,60,b\n");
    QcImportOptions o = {.window_id = "w", .group = "who"};
    QcDataset d;
    ck_assert_msg(!import(&d, NULL, path, o), "%s", err.text);
    ck_assert_uint_eq(d.n, 3);
    ck_assert_mem_eq(d.x, ((float[]){1, 2, 10, 20, 3, 4, 30, 40, 5, 6, 50, 60}), 12 * sizeof(float));
    ck_assert_str_eq(d.labels.names[d.label[0]], "say \"hi\"");
    ck_assert_str_eq(d.groups.names[d.group[2]], "p2");
    qc_dataset_release(&d);
    o = (QcImportOptions){.window_id = "1", .header = QC_HEADER_NO};
    ck_assert_int_eq(import(&d, "csv", scratch_text("f", "1,1,a\n1,2,b\n"), o), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "f:2: window '1' has two labels"));
    ck_assert_int_eq(import(&d, "csv", scratch_text("f", "1,1,a\n2,2,a\n1,3,a\n"), o), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "f:3: window '1' begins again"));
    ck_assert_int_eq(import(&d, "csv", scratch_text("f", "1,1,a\n2,2,a\n2,3,a\n"), o), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "f:2: has length 2 instead of 1"));
    ck_assert_int_eq(import(&d, "csv", scratch_text("f", "1,1,a\n1,,a\n"), o), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "f:2: column 2 '' is missing"));
    o.channels = 2;
    ck_assert_int_eq(import(&d, "csv", scratch_text("f", "1,1,a\n"), o), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "--channels does not apply"));
}
END_TEST

START_TEST(arff_in_both_forms)
{
    QcDataset d;
    const char *text =
        "% words\n@RELATION 'a b'\n@ATTRIBUTE bag relational\n  @attribute 'step 1' numeric\n  @attribute s2 "
        "real\n@end bag\n"
        "@attribute activity {'to walk', sit}\n@data\n'1,2\\n3,4\\n5,6',sit\n\"-1,0\\n1e1,2\\n0,0\" , 'to walk'\n";
    ck_assert_msg(!import(&d, NULL, scratch_text("r.arff", text), plain), "%s", err.text);
    ck_assert_uint_eq(d.channels, 3);
    ck_assert_mem_eq(d.x, ((float[]){1, 2, 3, 4, 5, 6, -1, 0, 10, 2, 0, 0}), 12 * sizeof(float));
    ck_assert_str_eq(d.labels.names[0], "to walk");
    ck_assert_int_eq(d.label[0], 1);
    qc_dataset_release(&d);
    text =
        "@relation r\n@attribute c numeric\n@attribute a numeric\n@attribute b numeric\n@data\n7,1,2\n8,3,4\n7,5,6\n";
    ck_assert_msg(!import(&d, "arff", scratch_text("f", text), (QcImportOptions){.label = "c"}), "%s", err.text);
    ck_assert_uint_eq(d.length, 2);
    ck_assert_str_eq(d.labels.names[d.label[1]], "8");
    qc_dataset_release(&d);
    ck_assert_int_eq(import(&d, "arff", scratch_text("f", text), (QcImportOptions){.label = "none"}), 0);
    ck_assert_uint_eq(d.length, 3);
    ck_assert_int_eq(d.label[0], -1);
    qc_dataset_release(&d);
}
END_TEST

/* --- the real files ----------------------------------------------------------------------------------- */

START_TEST(ucr_files_are_read)
{
    static const struct { const char *name; uint32_t n, channels, length, classes;
    } files[] = {{"ucr/ArrowHead_TRAIN.ts", 36, 1, 251, 3},       {"ucr/ArrowHead_TEST.ts", 175, 1, 251, 3},
                 {"ucr/BasicMotions_TRAIN.ts", 40, 6, 100, 4},    {"ucr/BasicMotions_TEST.ts", 40, 6, 100, 4},
                 {"ucr/GunPoint_TRAIN.ts", 50, 1, 150, 2},        {"ucr/GunPoint_TEST.ts", 150, 1, 150, 2},
                 {"ucr/ItalyPowerDemand_TRAIN.ts", 67, 1, 24, 2}, {"ucr/ItalyPowerDemand_TEST.ts", 1029, 1, 24, 2}};
    for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
        const char *path = real(files[k].name);
        QcDataset d;
        if (!path) return;
        ck_assert_msg(!import(&d, NULL, path, plain), "%s", err.text);
        ck_assert_uint_eq(d.n, files[k].n);
        ck_assert_uint_eq(d.channels, files[k].channels);
        ck_assert_uint_eq(d.length, files[k].length);
        ck_assert_uint_eq(d.labels.n, files[k].classes);
        qc_dataset_release(&d);
    }
    QcDataset d;
    ck_assert_int_eq(import(&d, NULL, real("ucr/JapaneseVowels_TRAIN.ts"), plain), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "JapaneseVowels_TRAIN.ts:17: has length 26 instead of 20 (--unequal"));
}
END_TEST

/* The archive gives BasicMotions in two forms: they must agree. */
START_TEST(ts_and_arff_give_same_dataset)
{
    QcDataset a, b;
    const char *path = real("ucr/BasicMotions_TRAIN.ts");
    if (!path) return;
    ck_assert_int_eq(import(&a, NULL, path, plain), 0);
    ck_assert_msg(!import(&b, NULL, real("ucr/BasicMotions_TRAIN.arff"), plain), "%s", err.text);
    ck_assert_uint_eq(a.n, b.n);
    ck_assert_uint_eq(qc_dataset_values(&a), qc_dataset_values(&b));
    for (uint32_t i = 0; i < a.n; i++) ck_assert_str_eq(a.labels.names[a.label[i]], b.labels.names[b.label[i]]);
    ck_assert_mem_eq(a.x, b.x, a.n * qc_dataset_values(&a) * sizeof(float));
    qc_dataset_release(&a);
    qc_dataset_release(&b);
}
END_TEST

/* And GunPoint. */
START_TEST(ts_and_tsv_give_same_dataset)
{
    QcDataset a, b;
    const char *path = real("ucr/GunPoint_TRAIN.ts");
    if (!path) return;
    ck_assert_int_eq(import(&a, NULL, path, plain), 0);
    ck_assert_int_eq(import(&b, NULL, real("ucr/GunPoint_TRAIN.tsv"), plain), 0);
    ck_assert_uint_eq(a.n, b.n);
    ck_assert_uint_eq(a.length, b.length);
    for (uint32_t i = 0; i < a.n; i++) {
        ck_assert_str_eq(a.labels.names[a.label[i]], b.labels.names[b.label[i]]);
        ck_assert_uint_ne(a.id[i], b.id[i]);
    }
    for (uint32_t k = 0; k < a.n * a.length; k++) ck_assert_float_eq_tol(a.x[k], b.x[k], 1e-6f);
    qc_dataset_release(&a);
    qc_dataset_release(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("import");
    TCase *t = tcase_create("import");
    tcase_add_checked_fixture(t, scratch_make, scratch_remove);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, numbers_equal_strtod);
    tcase_add_test(t, invalid_number_is_reported);
    tcase_add_test(t, csv_with_header_groups_and_channels);
    tcase_add_test(t, csv_header_and_separator_are_detected);
    tcase_add_test(t, ts_with_channels_and_header);
    tcase_add_test(t, unequal_series_are_padded_or_resampled);
    tcase_add_test(t, missing_values_are_filled_or_dropped);
    tcase_add_test(t, timestamps_are_resampled_to_equal_steps);
    tcase_add_test(t, table_rows_become_windows);
    tcase_add_test(t, arff_in_both_forms);
    tcase_add_test(t, ucr_files_are_read);
    tcase_add_test(t, ts_and_tsv_give_same_dataset);
    tcase_add_test(t, ts_and_arff_give_same_dataset);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
