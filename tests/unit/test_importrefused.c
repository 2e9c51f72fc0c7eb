/* test_importrefused.c - texts that every importer refuses, with the sentences, and damaged texts, which must do no
 * harm. */
#include "suite.h"
#include "../../lib/base/rng.h"
#include "../../lib/data/import.h"

#include "scratch.h"
#include "importing.h"

typedef struct Refused {
    const char *format, *text, *sentence;
} Refused;

static const Refused refused[] = {
    {"csv", "", "f: "},
    {"csv", "NA,2,3,a\n1,2,3,a\n", "f:1: "},
    {"csv", "a,b,label\n", "f has a header, but no rows"},
    {"csv", "1,2,a\n1,2,3,a\n", "f:2: 4 columns instead of 3"},
    {"csv", "1,2,a\n\n1,a\n", "f:3: 2 columns instead of 3"},
    {"csv", "1,2,a\n1,nan,a\n", "f:2: column 2 'nan' is missing (--missing"},
    {"csv", "1,2,a\n1,,a\n", "f:2: column 2 '' is missing"},
    {"csv", "1,2,a\n-inf,1,a\n", "f:2: column 1 '-inf' is missing"},
    {"csv", "1,2,a\n1e39,1,a\n", "f:2: column 1 '1e39' is out of range"},
    {"csv", "1,2,a\n1,2x,a\n", "f:2: column 2 '2x' is not a number"},
    {"csv", "1,2,\xff\n", "not valid UTF-8"},
    {"csv", "a,b,label\r1,2,x\r3,4\r", "f:3: 2 columns instead of 3"},
    {"csv", "word\n", "no column is left for values"},
    {"ts", "1,2:a\n", "f:1: neither a comment"},
    {"ts", "@classLabel true a\n", "no @data line"},
    {"ts", "@data\n", "there are no series"},
    {"ts", "@classLabel true a b\n@data\n1,2:a\n1,2,3:b\n", "f:4: has length 3 instead of 2"},
    {"ts", "@classLabel true a b\n@data\n1,2:a\n1,?:b\n", "f:4: value 2 of channel 1 '?' is missing"},
    {"ts", "@classLabel true a b\n@data\n1,2:a\n1,NaN:b\n", "f:4: value 2 of channel 1 'NaN' is missing"},
    {"ts", "@classLabel true a b\n@data\n1,2:a\n1,2:c\n", "f:4: class 'c' is not one of those"},
    {"ts", "@classLabel true a b\n@data\n1,2:a\n1,2:3,4:b\n", "f:4: 3 parts between ':'"},
    {"ts", "@classLabel true a\n@data\n1,2\n", "f:3: a class is expected"},
    {"ts", "@dimensions 2\n@data\n1,2:3\n", "f:3: channel 2 has length 1 instead of 2"},
    {"ts", "@missing perhaps\n", "f:1: @missing is neither true nor false"},
    {"ts", "@timeStamps true\n@data\n1,2\n", "f:3: "},
    {"ts", "@timeStamps true\n@data\n(0,1),(0,2)\n", "f:3: time 2 of channel 1 is not after"},
    {"ts", "@timeStamps true\n@data\n(0,1),(1,2),(3,4)\n", "f:3: the times of channel 1 are not in equal steps"},
    {"ts", "@timeStamps true\n@data\n(0,1),(1,2):(0,1),(2,2)\n", "f:3: channel 2 has other times than channel 1"},
    {"ts", "@timeStamps true\n@data\n(0,1),(1,2):(1,1),(2,2)\n", "f:3: channel 2 has other times than channel 1"},
    {"ts", "@timeStamps true\n@data\n(0,1),(1,2):\n", "f:3: channel 2 has no values"},
    {"ts", "@timeStamps true\n@data\n(0,1),(1,2)x\n", "f:3: channel 1 is not a list"},
    {"ts", "@timeStamps true\n@data\n(0,1),(1;2)\n", "f:3: value 2 of channel 1 is not of the form"},
    {"ts", "@timeStamps true\n@data\n(2024-13-01,1),(2024-01-02,2)\n",
     "f:3: time 1 of channel 1 '2024-13-01' is neither"},
    {"ts", "@data\n(0,1),(1,2)\n", "f:2: a time stamp"},
    {"arff", "@attribute a numeric\n@data\n1\n", "f: no attribute is nominal"},
    {"arff", "@attribute a numeric\n", "no @data line"},
    {"arff", "1,2\n", "f:1: neither a comment"},
    {"arff", "@attribute a numeric\n@attribute c {x,y}\n@data\n1,z\n", "f:4: class 'z' is not one of those"},
    {"arff", "@attribute a numeric\n@attribute c {x,y}\n@data\n1,x,2\n", "f:4: more values than the 2 attributes"},
    {"arff", "@attribute a numeric\n@attribute c {x,y}\n@data\nx\n", "f:4: value 1 'x' is not a number"},
    {"arff", "@attribute a numeric\n@attribute c {x,y}\n@data\n3\n", "f:4: fewer values"},
    {"arff", "@attribute a numeric\n@attribute c {x,y}\n@data\n?,x\n", "f:4: value 1 '?' is missing"},
    {"arff", "@attribute a numeric\n@attribute c {x,y\n", "f:2: a list of classes without"},
    {"arff", "@attribute a complex\n", "f:1: attribute 'a' is neither numeric"},
    {"arff", "@attribute\n", "f:1: an attribute needs"},
    {"arff", "@attribute 'a numeric\n", "f:1: an attribute needs"},
    {"arff", "@attribute r relational\n@attribute a numeric\n@attribute c {x}\n@data\n'1',x\n",
     "f:3: attribute 'c' within"},
    {"arff", "@attribute r relational\n@attribute a numeric\n@end r\n@attribute c {x}\n@data\n'1\\n2',x\n'1',x\n",
     "f:7: 1 channels instead of 2"},
    {"arff", "@attribute r relational\n@attribute a numeric\n@end r\n@attribute c {x}\n@data\n'1,2',x\n",
     "f:6: channel 1 has 2 values instead of 1"},
    {"arff", "@attribute r relational\n@attribute a numeric\n@end r\n@attribute c {x}\n@data\n'1,x\n",
     "f:6: quotes do not close"},
    {"arff", "@attribute a numeric\n@attribute c {x}\n@data\n{0 1, 0 2}\n", "f:4: '0 2' is no pair"},
    {"arff", "@attribute a numeric\n@attribute c {x}\n@data\n{0 1\n",
     "f:4: a sparse example without its closing brace"},
    {"tsv", "1\t2\t3\n1\t2\n", "f:2: 2 columns instead of 3"},
    {"tsv", "1\t2\tNaN\n", "f:1: column 3 'NaN' is missing"},
    {"ts", "@targetLabel true\n", "f:1: the series have numbers to predict"},
    {"ts", "@dimensions 2\n@classLabel true a\n@data\n1:a\n", "f:4: 1 channels, but the header says 2"},
    {"ts", "@seriesLength 2\n@classLabel true a\n@data\n1:a\n", "f:4: a series of length 1, but the header says 2"},
    {"ts", "@dimensions many\n", "f:1: @dimensions is no sensible number"},
    {"ts", "QCF1....", "is a qcore file already"},
    {"dsa", "1,2\n", "is a file, but a UCI-DSA tree is a folder"},
};
enum { REFUSED = sizeof refused / sizeof *refused };

START_TEST(invalid_text_is_refused)
{
    const Refused *r = &refused[_i];
    QcDataset d;
    ck_assert_int_eq(import(&d, r->format, scratch_text("f", r->text), plain), -1);
    ck_assert_int_eq(err.code, QC_EFORMAT);
    ck_assert_msg(*r->text ? strstr(err.text, r->sentence) != NULL : strstr(err.text, "is empty") != NULL, "%s",
                  err.text);
}
END_TEST

START_TEST(wrong_usage_is_reported)
{
    QcDataset d;
    const char *csv = scratch_text("f.csv", "1,2,3,a\n");
    ck_assert_int_eq(import(&d, "cvs", csv, plain), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "tsv or csv"));
    ck_assert_int_eq(import(&d, NULL, scratch_text("f.dat", "1"), plain), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "-f"));
    ck_assert_int_eq(import(&d, NULL, csv, (QcImportOptions){.channels = 2}), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "3 columns of values cannot be divided into 2 channels"));
    ck_assert_int_eq(import(&d, NULL, csv, (QcImportOptions){.label = "9"}), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "has 4"));
    ck_assert_int_eq(import(&d, NULL, csv, (QcImportOptions){.label = "z"}), -1);
    ck_assert_int_eq(import(&d, NULL, csv, (QcImportOptions){.groups = &csv, .n_groups = 1}), -1);
    ck_assert_int_eq(import(&d, "ts", csv, (QcImportOptions){.channels = 2}), -1);
    ck_assert_int_eq(err.code, QC_EUSAGE);
    ck_assert_int_eq(import(&d, "csv", scratch_path("absent"), plain), -1);
    ck_assert_int_eq(err.code, QC_EIO);
    ck_assert_int_eq(import(&d, NULL, scratch_path("absent"), plain), -1);
    ck_assert_int_eq(err.code, QC_EIO);
    ck_assert_int_eq(import(&d, "csv", scratch_write("zero", "1,2\0", 4), plain), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "not a text file"));
}
END_TEST

/* Random damage: refused in one sentence, or a dataset that can be saved and loaded. */
START_TEST(damaged_text_is_refused_or_valid)
{
    static const char letters[] = "0123456789,:;\t \n\r\"@#.eE+-?nai\xff\x80";
    static const char *const texts[2] = {
        "# words\n@problemName Toy\n@timestamps false\n@dimensions 2\n@equalLength true\n@seriesLength 3\n@classLabel "
        "true up down\n@data\n1,2,3:4,5,6:down\n\n"
        "-1,0,1e-2:7, 8 ,9:up\n",
        "x1,x2,y1,y2,who,activity\r\n1,2,3,4,p2,walk\r\n\r\n5,-6e1,7,8,p1,\"sit 10\"\r\n.5,0,0,0,p2,\"sit 9\"\r\n"};
    const QcImportOptions options[2] = {plain, {.channels = 2, .group = "5"}};
    QcRng rng = qc_rng_seed(21, (uint64_t)_i);
    uint32_t imported = 0, refusals = 0;
    for (int k = 0; k < 1000; k++) {
        char text[400];
        size_t length = strlen(texts[_i]);
        memcpy(text, texts[_i], length);
        for (uint32_t hits = 1 + qc_rng_below(&rng, 2); hits; hits--) {
            size_t at = qc_rng_below(&rng, (uint32_t)length), tail = length - at - 1;
            switch (qc_rng_below(&rng, 8)) {
            case 0: memmove(text + at, text + at + 1, tail), length--; break;                  /* a byte lost */
            case 1: memmove(text + at + 1, text + at, tail + 1), length++; break;              /* a byte doubled */
            case 2: length = qc_rng_below(&rng, 4) ? length : at + 1; break; /* now and then the end lost */
            default: text[at] = letters[qc_rng_below(&rng, sizeof letters - 1)];
            }
        }
        QcDataset d;
        if (import(&d, _i ? "csv" : "ts", scratch_write("f", text, length), options[_i])) {
            ck_assert(err.code == QC_EFORMAT || err.code == QC_EUSAGE);
            ck_assert_uint_gt(strlen(err.text), 0);
            refusals++;
            continue;
        }
        ck_assert_int_eq(qc_dataset_save(&d, "/dev/null", &err), 0);
        QcContainer c;
        QcDataset back;
        qc_container_init(&c, QC_KIND_DATA);
        ck_assert_int_eq(qc_dataset_encode(&d, &c, &err), 0);
        ck_assert_msg(!qc_dataset_decode(&back, &c, &err), "%s", err.text);
        qc_container_release(&c);
        qc_dataset_release(&back);
        qc_dataset_release(&d);
        imported++;
    }
    ck_assert_uint_gt(imported, 20);
    ck_assert_uint_gt(refusals, 200);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("importrefused");
    TCase *t = tcase_create("importrefused");
    tcase_add_checked_fixture(t, scratch_make, scratch_remove);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, invalid_text_is_refused, 0, REFUSED);
    tcase_add_loop_test(t, damaged_text_is_refused_or_valid, 0, 2);
    tcase_add_test(t, wrong_usage_is_reported);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
