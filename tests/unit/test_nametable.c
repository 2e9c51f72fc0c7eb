/* Names in a table and in its users: data sets, YAML, ZIP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suite.h"
#include "../../lib/base/nametable.h"
#include "../../lib/data/dataset.h"
#include "../../lib/format/yaml.h"

enum { MANY = 50000, KEYS = 20000 };
static QcErr err;

START_TEST(each_name_has_its_index)
{
    QcArena arena = {0};
    QcNameTable t = {0};
    char name[64];
    ck_assert_int_eq(qc_nametable_find(&t, "n0"), -1);
    for (uint32_t i = 0; i < MANY; i++) {
        int n = snprintf(name, sizeof name, "%s%u", i % 3 ? "n" : "a longer name, of more than one word ", i);
        ck_assert_int_eq(qc_nametable_add(&t, &arena, qc_arena_text(&arena, name, (size_t)n, &err), i, &err), 0);
    }
    ck_assert_uint_eq(t.n, MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "%s%u", i % 3 ? "n" : "a longer name, of more than one word ", i);
        ck_assert_int_eq(qc_nametable_find(&t, name), i);
        ck_assert_int_eq(qc_nametable_add(&t, &arena, name, 7, &err), 1);
        snprintf(name, sizeof name, "%s%u", i % 3 ? "a longer name, of more than one word " : "n", i);
        ck_assert_int_eq(qc_nametable_find(&t, name), -1);
    }
    ck_assert_int_eq(qc_nametable_add(&t, &arena, "", MANY, &err), 0);
    ck_assert_int_eq(qc_nametable_find(&t, ""), MANY);
    qc_arena_release(&arena);
}
END_TEST

/* Names that differ in one place alone, on either side of a word's end. */
START_TEST(similar_names_are_distinguished)
{
    QcArena arena = {0};
    QcNameTable t = {0};
    uint32_t n = 0;
    for (size_t length = 1; length <= 33; length++)
        for (size_t at = 0; at < length; at++) {
            char *name = qc_arena_take(&arena, length + 1, 1, &err);
            memset(name, 'x', length);
            name[at] = 'y';
            ck_assert_int_eq(qc_nametable_add(&t, &arena, name, n, &err), 0);
            ck_assert_int_eq(qc_nametable_find(&t, name), n++);
        }
    qc_arena_release(&arena);
}
END_TEST

START_TEST(dataset_with_many_names)
{
    QcArena arena = {0};
    QcNames names = {0};
    char name[16];
    uint32_t index;
    for (int turn = 0; turn < 2; turn++)
        for (uint32_t i = 0; i < MANY; i++) {
            snprintf(name, sizeof name, "r%u", i);
            ck_assert_int_eq(qc_names_add(&names, &arena, name, &index, &err), 0);
            ck_assert_uint_eq(index, i);
        }
    ck_assert_uint_eq(names.n, MANY);
    ck_assert_int_eq(qc_names_find(&names, "r49999"), 49999);
    ck_assert_int_eq(qc_names_find(&names, "r50000"), -1);
    qc_arena_release(&arena);
}
END_TEST

/* The second of two equal keys is reported, with its line, wherever the first stands. */
START_TEST(duplicate_key_among_many_is_reported)
{
    static const uint32_t firsts[] = {0, 15, 16, KEYS - 1};
    static char text[KEYS * 16 + 64];
    for (size_t k = 0; k < sizeof firsts / sizeof *firsts; k++) {
        QcYamlDocument d;
        char wanted[64];
        size_t n = 0;
        for (uint32_t i = 0; i < KEYS; i++) n += (size_t)snprintf(text + n, sizeof text - n, "k%u: 1\n", i);
        ck_assert_msg(!qc_yaml_parse(&d, text, n, "y", 1, &err), "%s", err.text);
        ck_assert_uint_eq(d.root->n, KEYS);
        qc_yaml_release(&d);
        n += (size_t)snprintf(text + n, sizeof text - n, "k%u: 1\n", firsts[k]);
        ck_assert_int_eq(qc_yaml_parse(&d, text, n, "y", 1, &err), -1);
        snprintf(wanted, sizeof wanted, "y:%d:1: key 'k%u' appears twice", KEYS + 1, firsts[k]);
        ck_assert_str_eq(err.text, wanted);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nametable");
    TCase *tcase = tcase_create("nametable");
    tcase_add_test(tcase, each_name_has_its_index);
    tcase_add_test(tcase, similar_names_are_distinguished);
    tcase_add_test(tcase, dataset_with_many_names);
    tcase_add_test(tcase, duplicate_key_among_many_is_reported);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
