/* test_import.c - numbers against the C library's, tables and trees against what was written into them, and the real files. */
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

START_TEST(numbers_are_read_as_the_c_library_reads_them)
{
    static const char *const texts[] = {"0", "-0", "+1.5", ".5", "5.", "1e3", "1E-3", "-2.5e+2", "123456789012345678901234567890",
                                        "0.000000000000000000000000000001234", "1e-45", "1e-400", "9007199254740993", "16777217", "1e22",
                                        "0.1", "3.4028234e28", "00012.50", "1.00000005960464477539062500000000000000001", "562949953421312.75"};
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

START_TEST(what_is_no_number_is_told)
{
    static const char *const wrong[][2] = {{"nan", "is not finite"}, {"-NaN", "is not finite"}, {"Inf", "is not finite"}, {"+infinity", "is not finite"},
                                           {"?", "is missing"}, {"", "is missing"}, {"abc", "is not a number"}, {"-", "is not a number"}, {".", "is not a number"},
                                           {"e5", "is not a number"}, {"1e31", "is out of range"}, {"-1e999999999", "is out of range"}, {"--1", "is not a number"}};
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
    const char *path = scratch_text("t.csv", "\xef\xbb\xbfwho,x1,x2,activity,y1,y2\r\np2,1,2,walk,3,4\r\n\r\np1,5,-6e1,\"sit 10\",7,8\r\np2,.5,0,\"sit 9\",0,0\r\n");
    QcDataset d;
    QcImportOptions o = {.channels = 2, .label = "activity", .group = "1", .header = -1};
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

START_TEST(csv_guesses_header_and_separator)
{
    static const struct { const char *text; uint32_t n, length; } cases[] = {
        {"1,2,3,0\n4,5,6,1\n", 2, 3}, {"0,1,2,label\n4,5,6,1\n", 1, 3}, {"a;b;class\n1;2;x\n3;4;y", 2, 2}, {"1 2  3 a\n4 5 6 b\n", 2, 3},
        {"1\t2\tfast, loud\n3\t4\tslow\n", 2, 2}, {"1, 2, a\n3, 4, b\n", 2, 2}, {"1.5,7\n", 1, 1},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        QcDataset d;
        ck_assert_msg(!import(&d, "csv", scratch_text("g.txt", cases[k].text), plain), "%zu: %s", k, err.text);
        ck_assert_uint_eq(d.n, cases[k].n);
        ck_assert_uint_eq(d.length, cases[k].length);
        qc_dataset_release(&d);
    }
    QcDataset d;
    ck_assert_int_eq(import(&d, "csv", scratch_text("u.csv", "1,2\n3,4\n"), (QcImportOptions){.label = "none", .header = 0}), 0);
    ck_assert_uint_eq(d.length, 2);
    ck_assert_int_eq(d.label[1], -1);
    qc_dataset_release(&d);
}
END_TEST

START_TEST(ts_with_channels_and_header)
{
    QcDataset d;
    const char *path = scratch_text("t.ts", "# words\n@problemName Toy\n@timestamps false\n@univariate false\n@dimensions 2\n@equalLength true\n"
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

/* --- what is refused, and in which words ------------------------------------------------------------ */

typedef struct Refused {
    const char *format, *text, *sentence;
} Refused;

static const Refused refused[] = {
    {"csv", "", "f: "}, {"csv", "NA,2,3,a\n1,2,3,a\n", "f:1: "}, {"csv", "a,b,label\n", "f has a header, but no rows"}, {"csv", "1,2,a\n1,2,3,a\n", "f:2: 4 columns instead of 3"},
    {"csv", "1,2,a\n\n1,a\n", "f:3: 2 columns instead of 3"}, {"csv", "1,2,a\n1,nan,a\n", "f:2: column 2 'nan' is not finite"},
    {"csv", "1,2,a\n1,,a\n", "f:2: column 2 '' is missing"}, {"csv", "1,2,a\n-inf,1,a\n", "f:2: column 1 '-inf' is not finite"},
    {"csv", "1,2,a\n1e39,1,a\n", "f:2: column 1 '1e39' is out of range"}, {"csv", "1,2,a\n1,2x,a\n", "f:2: column 2 '2x' is not a number"},
    {"csv", "1,2,\n", "f:1: a name is empty"}, {"csv", "1,2,\xff\n", "not valid UTF-8"}, {"csv", "word\n", "no column is left for values"},
    {"ts", "1,2:a\n", "f:1: neither a comment"}, {"ts", "@classLabel true a\n", "no @data line"}, {"ts", "@data\n", "there are no series"},
    {"ts", "@classLabel true a b\n@data\n1,2:a\n1,2,3:b\n", "f:4: channel 1 has length 3 instead of 2"},
    {"ts", "@classLabel true a b\n@data\n1,2:a\n1,?:b\n", "f:4: value 2 of channel 1 '?' is missing"},
    {"ts", "@classLabel true a b\n@data\n1,2:a\n1,NaN:b\n", "f:4: value 2 of channel 1 'NaN' is not finite"},
    {"ts", "@classLabel true a b\n@data\n1,2:a\n1,2:c\n", "f:4: class 'c' is not one of those"},
    {"ts", "@classLabel true a b\n@data\n1,2:a\n1,2:3,4:b\n", "f:4: 3 parts between ':'"}, {"ts", "@classLabel true a\n@data\n1,2\n", "f:3: a class is expected"},
    {"ts", "@equalLength false\n@data\n", "f:1: the series are of unequal lengths"}, {"ts", "@missing true\n", "f:1: values are missing"},
    {"ts", "@timeStamps true\n", "f:1: series with time stamps"}, {"ts", "@targetLabel true\n", "f:1: the series have numbers to predict"},
    {"ts", "@dimensions 2\n@classLabel true a\n@data\n1:a\n", "f:4: 1 channels, but the header says 2"},
    {"ts", "@seriesLength 2\n@classLabel true a\n@data\n1:a\n", "f:4: a series of length 1, but the header says 2"},
    {"ts", "@dimensions many\n", "f:1: @dimensions is no sensible number"}, {"ts", "@riddle\n", "f:1: unknown header '@riddle'"},
    {"ts", "QCF1....", "is a file of ours already"}, {"dsa", "1,2\n", "is a file, but a UCI-DSA tree is a folder"},
};
enum { REFUSED = sizeof refused / sizeof *refused };

START_TEST(wrong_text_is_refused)
{
    const Refused *r = &refused[_i];
    QcDataset d;
    ck_assert_int_eq(import(&d, r->format, scratch_text("f", r->text), plain), -1);
    ck_assert_int_eq(err.code, QC_EFORMAT);
    ck_assert_msg(*r->text ? strstr(err.text, r->sentence) != NULL : strstr(err.text, "is empty") != NULL, "%s", err.text);
}
END_TEST

START_TEST(wrong_use_is_told)
{
    QcDataset d;
    const char *csv = scratch_text("f.csv", "1,2,3,a\n");
    ck_assert_int_eq(import(&d, "cvs", csv, plain), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "ts or csv"));
    ck_assert_int_eq(import(&d, NULL, scratch_text("f.dat", "1"), plain), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "-f"));
    ck_assert_int_eq(import(&d, NULL, csv, (QcImportOptions){.channels = 2, .header = -1}), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "3 columns of values cannot be divided into 2 channels"));
    ck_assert_int_eq(import(&d, NULL, csv, (QcImportOptions){.label = "9", .header = -1}), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "has 4"));
    ck_assert_int_eq(import(&d, NULL, csv, (QcImportOptions){.label = "z", .header = -1}), -1);
    ck_assert_int_eq(import(&d, NULL, csv, (QcImportOptions){.groups = &csv, .n_groups = 1, .header = -1}), -1);
    ck_assert_int_eq(import(&d, "ts", csv, (QcImportOptions){.channels = 2, .header = -1}), -1);
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
START_TEST(damaged_text_does_no_harm)
{
    static const char letters[] = "0123456789,:;\t \n\r\"@#.eE+-?nai\xff\x80";
    static const char *const texts[2] = {
        "# words\n@problemName Toy\n@timestamps false\n@dimensions 2\n@equalLength true\n@seriesLength 3\n@classLabel true up down\n@data\n1,2,3:4,5,6:down\n\n"
        "-1,0,1e-2:7, 8 ,9:up\n",
        "x1,x2,y1,y2,who,activity\r\n1,2,3,4,p2,walk\r\n\r\n5,-6e1,7,8,p1,\"sit 10\"\r\n.5,0,0,0,p2,\"sit 9\"\r\n"};
    const QcImportOptions options[2] = {plain, {.channels = 2, .group = "5", .header = -1}};
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
            case 2: length = qc_rng_below(&rng, 4) ? length : at + 1; break;                   /* now and then the end lost */
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

/* --- a tree of our own -------------------------------------------------------------------------------- */

static void make_tree(void)
{
    static const char *const folders[] = {"a01", "a01/p1", "a01/p2", "a10", "a10/p1", "a10/p2", "a02", "a02/p1", "a02/p2", "notes"};
    char name[64], text[64];
    for (size_t k = 0; k < sizeof folders / sizeof *folders; k++) ck_assert_int_eq(mkdir(scratch_path(folders[k]), 0755), 0);
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
    ck_assert_int_eq(import(&d, "dsa", scratch_path(""), (QcImportOptions){.groups = &p2, .n_groups = 1, .header = -1}), 0);
    ck_assert_uint_eq(d.n, 9);
    ck_assert_uint_eq(d.groups.n, 1);
    ck_assert_uint_eq(d.id[8], id);
    qc_dataset_release(&d);
    const char *p7 = "p7";
    ck_assert_int_eq(import(&d, "dsa", scratch_path(""), (QcImportOptions){.groups = &p7, .n_groups = 1, .header = -1}), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "p7"));
}
END_TEST

START_TEST(damaged_tree_is_refused)
{
    static const char *const damage[][2] = {
        {"1,2,3\n", "s10.txt: ends after 1 rows instead of 2"}, {"1,2,3\n4,5,6\n7,8,9\n", "s10.txt:3: more than the 2 rows"},
        {"1,2,3\n4,5\n", "s10.txt:2: 2 values instead of 3"}, {"1,2,3\n4,5,6,7\n", "s10.txt:2: 4 values instead of 3"},
        {"1,2,3\n4,nan,6\n", "s10.txt:2: value 2 'nan' is not finite"}, {"", "s10.txt: ends after 0 rows"}, {"1,2,3\n4,,6\n", "s10.txt:2: value 2 '' is missing"},
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
        ck_assert_int_eq(import(&d, "dsa", scratch_path(""), (QcImportOptions){.groups = &p1, .n_groups = 1, .header = -1}), 0);
        qc_dataset_release(&d);
    }
    scratch_text("a02/p2/s9.txt", "1,2,3\n4,5,6\n");
    ck_assert_int_eq(import(&d, "dsa", scratch_path(""), plain), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "two files for activity 2, person 2, segment 9"));
}
END_TEST

/* --- the real files ----------------------------------------------------------------------------------- */

START_TEST(ucr_files_are_read)
{
    static const struct { const char *name; uint32_t n, channels, length, classes; } files[] = {
        {"ucr/ArrowHead_TRAIN.ts", 36, 1, 251, 3}, {"ucr/ArrowHead_TEST.ts", 175, 1, 251, 3}, {"ucr/BasicMotions_TRAIN.ts", 40, 6, 100, 4},
        {"ucr/BasicMotions_TEST.ts", 40, 6, 100, 4}, {"ucr/GunPoint_TRAIN.ts", 50, 1, 150, 2}, {"ucr/GunPoint_TEST.ts", 150, 1, 150, 2},
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
    ck_assert_ptr_nonnull(strstr(err.text, "unequal lengths"));
}
END_TEST

/* The archive gives GunPoint in two forms: they must agree. */
START_TEST(ts_and_tsv_say_the_same)
{
    QcDataset a, b;
    const char *path = real("ucr/GunPoint_TRAIN.ts");
    if (!path) return;
    ck_assert_int_eq(import(&a, NULL, path, plain), 0);
    ck_assert_int_eq(import(&b, NULL, real("ucr/GunPoint_TRAIN.tsv"), (QcImportOptions){.label = "1", .header = -1}), 0);
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

START_TEST(uci_dsa_is_read)
{
    const char *archive = real("dsa/p1.tar.zst");
    char command[4096];
    if (!archive) return;
    snprintf(command, sizeof command, "cd '%s' && case '%s' in /*) f='%s';; *) f=\"$OLDPWD/%s\";; esac && tar -I zstd -xf \"$f\" --wildcards '*a0[29]/*'",
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
    Suite *suite = suite_create("import");
    TCase *t = tcase_create("import");
    tcase_add_checked_fixture(t, scratch_make, scratch_remove);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, numbers_are_read_as_the_c_library_reads_them);
    tcase_add_test(t, what_is_no_number_is_told);
    tcase_add_test(t, csv_with_header_groups_and_channels);
    tcase_add_test(t, csv_guesses_header_and_separator);
    tcase_add_test(t, ts_with_channels_and_header);
    tcase_add_loop_test(t, wrong_text_is_refused, 0, REFUSED);
    tcase_add_loop_test(t, damaged_text_does_no_harm, 0, 2);
    tcase_add_test(t, wrong_use_is_told);
    tcase_add_test(t, dsa_tree_becomes_windows);
    tcase_add_test(t, damaged_tree_is_refused);
    tcase_add_test(t, ucr_files_are_read);
    tcase_add_test(t, ts_and_tsv_say_the_same);
    tcase_add_test(t, uci_dsa_is_read);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
