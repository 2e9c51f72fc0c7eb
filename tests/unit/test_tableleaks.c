/* Which columns of a table are the label, and which give it away. */
#include <stdio.h>
#include <string.h>

#include "suite.h"
#include "scratch.h"
#include "importing.h"
#include "tabletext.h"

/* A table: v, then `cells` of the row's class. Three classes have three rows each in turn. */
static const char *coded(const char *header, const char *const cells[3])
{
    static char text[4000];
    size_t n = (size_t)snprintf(text, sizeof text, "%s\n", header);
    for (int k = 0; k < 36; k++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%d.5,%s\n", k * 7 % 11, cells[k / 3 % 3]);
    return text;
}

/* `rows` rows of values that say nothing, in `order` of classes (1: one class after the other), each with a code that
 * `code` makes. */
static const char *many_coded(const char *header, uint32_t rows, uint32_t classes, int in_order,
                              void (*code)(char text[60], uint32_t row, uint32_t class))
{
    static char text[400000];
    char cells[60];
    size_t n = (size_t)snprintf(text, sizeof text, "%s\n", header);
    for (uint32_t k = 0; k < rows; k++) {
        uint32_t class = in_order ? k / (rows / classes) : k % classes;
        code(cells, k, class);
        n += (size_t)snprintf(text + n, sizeof text - n, "%u.5,%s,c%u\n", k * 7 % 11, cells, class);
    }
    return text;
}

static void code_number(char text[60], uint32_t row, uint32_t class)
{
    (void)row;
    sprintf(text, "%u", (class * 7 + 3) % 60);
}

static void code_with_hole(char text[60], uint32_t row, uint32_t class)
{
    *text = 0;
    if (row != 7) sprintf(text, "%u.25", class);
}

static void code_with_slip(char text[60], uint32_t row, uint32_t class)
{
    sprintf(text, "%u", row == 77 ? class + 1 : class);
}

static void marks(char text[60], uint32_t row, uint32_t class)
{
    (void)row;
    sprintf(text, "%d,%d,%d", class == 0, class == 1, class == 2);
}

static void one_mark(char text[60], uint32_t row, uint32_t class)
{
    sprintf(text, "%d,%u,%d", class == 0, row / 5 % 2, 0);
}

/* More classes, a table in the order of its classes, missing cells, and columns for each class beside the label. */
START_TEST(codes_of_the_label_are_found_in_large_tables)
{
    QcDataset d;
    QcImportOptions fill = {.missing = QC_MISSING_FILL};
    refuse(many_coded("v,code,label", 600, 60, 0, code_number), plain, QC_EUSAGE, "'code' encodes the label");
    refuse(many_coded("v,code,label", 12000, 3, 1, code_number), plain, QC_EUSAGE,
           "'code' encodes the label 'label' in each of 12000 rows");
    refuse(many_coded("v,code,label", 90, 3, 0, code_with_hole), fill, QC_EUSAGE, "'code' encodes the label");
    refuse(many_coded("v,is_x,is_y,is_z,label", 90, 3, 0, marks), plain, QC_EUSAGE,
           "'is_x' to 'is_z' encode the label 'label' (one-hot) in each of 90 rows");
    ck_assert_int_eq(import(&d, "csv", scratch_text("f", many_coded("v,code,label", 12000, 3, 1, code_with_slip)),
                            plain), 0);
    qc_dataset_release(&d);
    ck_assert_int_eq(import(&d, "csv", scratch_text("f", many_coded("v,a,b,c,label", 90, 3, 0, one_mark)), plain), 0);
    qc_dataset_release(&d);
}
END_TEST

START_TEST(columns_that_say_the_label_need_a_decision)
{
    static const char *const code[] = {"4,u", "7,v", "9,w"}, *const other[] = {"4,u", "7,v", "4,w"},
                      *const hot[] = {"1,0,0", "0,1,0", "0,0,1"}, *const free[] = {"0,0,0", "1,1,0", "1,0,1"};
    QcDataset d;
    refuse(coded("v,code,label", code), plain, QC_EUSAGE,
           "'code' encodes the label 'label' in each of 36 rows");
    ck_assert_int_eq(import(&d, "csv", scratch_text("f", coded("v,code,label", code)),
                            (QcImportOptions){.columns = "v,code"}), 0);
    qc_dataset_release(&d);
    ck_assert_int_eq(import(&d, "csv", scratch_text("f", coded("v,code,label", other)), plain), 0);
    qc_dataset_release(&d);
    refuse(coded("v,a,b,c", hot), plain, QC_EUSAGE, "'a' to 'c' are one label in several columns (one-hot)");
    ck_assert_int_eq(import(&d, "csv", scratch_text("f", coded("v,a,b,c", free)), plain), 0);
    qc_dataset_release(&d);
}
END_TEST

/* In a table of few rows, distinct numbers are no classes, unless they are 0, 1, 2, ... */
START_TEST(numbers_that_all_differ_are_no_classes)
{
    refuse("-192,-1379,1\n265,2825,1\n-3708,-2186,1\n", plain, QC_EUSAGE, "which column of");
    check("0,1.5,7\n1,2.5,8\n2,0.5,7.5\n", plain, "1.5 7 0; 2.5 8 1; 0.5 7.5 2; ", "label: column 1 (3 classes)");
}
END_TEST

START_TEST(doubtful_class_names_are_reported)
{
    check("a,b,label\n1,2,walk\n3,4,Walk\n", plain, "1 2 walk; 3 4 Walk; ", "warning: the classes 'Walk' and 'walk'");
    check("a,b,label\n1,2,NA\n3,4,u\n", plain, "1 2 NA; 3 4 u; ", "warning: 'NA' was taken as a class");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tableleaks");
    TCase *t = tcase_create("tableleaks");
    tcase_add_checked_fixture(t, scratch_make, scratch_remove);
    tcase_add_test(t, codes_of_the_label_are_found_in_large_tables);
    tcase_add_test(t, columns_that_say_the_label_need_a_decision);
    tcase_add_test(t, numbers_that_all_differ_are_no_classes);
    tcase_add_test(t, doubtful_class_names_are_reported);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
