/* test_importtrees.c - folders of recordings compared with the values that were written, and the real files. */
#include "suite.h"

#include "scratch.h"
#include "importing.h"

/* --- a tree of our own -------------------------------------------------------------------------------- */

static void make_tree(void)
{
    static const char *const folders[] = {"a01",    "a01/p1", "a01/p2", "a10",    "a10/p1",
                                          "a10/p2", "a02",    "a02/p1", "a02/p2", "notes"};
    char name[64], text[64];
    for (size_t k = 0; k < sizeof folders / sizeof *folders; k++)
        ck_assert_int_eq(mkdir(scratch_path(folders[k]), 0755), 0);
    for (int a = 0; a < 3; a++)
        for (int p = 1; p <= 2; p++)
            for (int s = 11; s >= 9; s--) { /* s09, s10, s11: not in the order of creation */
                int number = (const int[]){1, 2, 10}[a];
                snprintf(name, sizeof name, "a%02d/p%d/s%02d.txt", number, p, s);
                snprintf(text, sizeof text, "%d,%d,%d\n0.5,1.5,-2.5\n", number, p, s);
                scratch_text(name, text);
            }
    scratch_text("README", "words");
}

START_TEST(dsa_tree_becomes_windows)
{
    QcDataset d;
    make_tree();
    ck_assert_msg(!import(&d, NULL, scratch_path(""), plain), "%s", err.text);
    ck_assert_uint_eq(d.n, 18);
    ck_assert_uint_eq(d.channels, 3);
    ck_assert_uint_eq(d.length, 2);
    ck_assert_uint_eq(d.recordings.n, 6);
    for (uint32_t i = 0; i < d.n; i++) {
        uint32_t a = (const uint32_t[]){1, 2, 10}[i / 6], p = i / 3 % 2 + 1, s = 9 + i % 3;
        const float expected[] = {(float)a, .5f, (float)p, 1.5f, (float)s, -2.5f};
        ck_assert_mem_eq(qc_dataset_window(&d, i), expected, sizeof expected);
        ck_assert_uint_eq(d.id[i], a * 1000000 + p * 1000 + s);
        ck_assert_str_eq(d.labels.names[d.label[i]], a == 1 ? "a01" : a == 2 ? "a02" : "a10");
        ck_assert_str_eq(d.groups.names[d.group[i]], p == 1 ? "p1" : "p2");
        ck_assert_uint_eq(d.recording[i], i / 3);
    }
    uint64_t id = d.id[17];
    qc_dataset_release(&d);
    const char *p2 = "p2";
    ck_assert_int_eq(import(&d, "dsa", scratch_path(""), (QcImportOptions){.groups = &p2, .n_groups = 1}), 0);
    ck_assert_uint_eq(d.n, 9);
    ck_assert_uint_eq(d.groups.n, 1);
    ck_assert_uint_eq(d.id[8], id);
    qc_dataset_release(&d);
    const char *p7 = "p7";
    ck_assert_int_eq(import(&d, "dsa", scratch_path(""), (QcImportOptions){.groups = &p7, .n_groups = 1}), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "p7"));
}
END_TEST

START_TEST(damaged_tree_is_refused)
{
    static const char *const damage[][2] = {{"1,2,3\n", "s10.txt: ends after 1 rows instead of 2"},
                                            {"1,2,3\n4,5,6\n7,8,9\n", "s10.txt:3: more than the 2 rows"},
                                            {"1,2,3\n4,5\n", "s10.txt:2: 2 values instead of 3"},
                                            {"1,2,3\n4,5,6,7\n", "s10.txt:2: 4 values instead of 3"},
                                            {"1,2,3\n4,nan,6\n", "s10.txt:2: value 2 'nan' is missing"},
                                            {"", "s10.txt: ends after 0 rows"},
                                            {"1,2,3\n4,,6\n", "s10.txt:2: value 2 '' is missing"},
                                            {"1,2,3\n4,5.6.7,6\n", "s10.txt:2: value 2 '5.6.7' is not a number"}};
    QcDataset d;
    ck_assert_int_eq(import(&d, "dsa", scratch_path(""), plain), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "no folder a01"));
    ck_assert_int_eq(err.code, QC_EFORMAT);
    make_tree();
    for (size_t k = 0; k < sizeof damage / sizeof *damage; k++) {
        scratch_text("a02/p2/s10.txt", damage[k][0]);
        ck_assert_int_eq(import(&d, "dsa", scratch_path(""), plain), -1);
        ck_assert_int_eq(err.code, QC_EFORMAT);
        ck_assert_msg(strstr(err.text, damage[k][1]) != NULL, "%s", err.text);
        const char *p1 = "p1"; /* who is not asked for is not read */
        ck_assert_int_eq(import(&d, "dsa", scratch_path(""), (QcImportOptions){.groups = &p1, .n_groups = 1}), 0);
        qc_dataset_release(&d);
    }
    scratch_text("a02/p2/s9.txt", "1,2,3\n4,5,6\n");
    ck_assert_int_eq(import(&d, "dsa", scratch_path(""), plain), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "two files for activity 2, person 2, segment 9"));
}
END_TEST

START_TEST(uci_dsa_is_read)
{
    const char *archive = real("dsa/p1.tar.zst");
    char command[4096];
    if (!archive) return;
    snprintf(command, sizeof command,
             "cd '%s' && case '%s' in /*) f='%s';; *) f=\"$OLDPWD/%s\";; esac && tar -I zstd -xf \"$f\" --wildcards "
             "'*a0[29]/*'",
             scratch, archive, archive, archive);
    if (system(command)) {
        fprintf(stderr, "skipped: cannot unpack %s\n", archive);
        return;
    }
    QcDataset d;
    ck_assert_msg(!import(&d, NULL, scratch_path(""), plain), "%s", err.text);
    ck_assert_uint_eq(d.n, 120);
    ck_assert_uint_eq(d.channels, 45);
    ck_assert_uint_eq(d.length, 125);
    ck_assert_str_eq(d.labels.names[1], "a09");
    FILE *in = fopen(scratch_path("a09/p1/s17.txt"), "r");
    ck_assert_ptr_nonnull(in);
    for (uint32_t t = 0; t < 125; t++)
        for (uint32_t c = 0; c < 45; c++) {
            double v;
            ck_assert_int_eq(fscanf(in, c ? ",%lf" : "%lf", &v), 1);
            ck_assert_float_eq(qc_dataset_window(&d, 76)[c * 125 + t], (float)v);
        }
    fclose(in);
    qc_dataset_release(&d);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("importtrees");
    TCase *t = tcase_create("importtrees");
    tcase_add_checked_fixture(t, scratch_make, scratch_remove);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, dsa_tree_becomes_windows);
    tcase_add_test(t, damaged_tree_is_refused);
    tcase_add_test(t, uci_dsa_is_read);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
