/* YAML trees: values, and messages with file, line and column. */
#include <stdlib.h>
#include <string.h>

#include "suite.h"
#include "../../lib/format/yaml.h"

static int parse(QcYamlDocument *d, const char *text, QcErr *err)
{
    return qc_yaml_parse(d, text, strlen(text), "f.yaml", 1, err);
}

START_TEST(yaml_values_are_read)
{
    static const char text[] = "name: net\nlayers:\n  - {kind: conv, k: 3}\n  - {kind: relu}\nrate: 1e-3\nbias: no\n";
    QcYamlDocument d;
    QcErr err = {0};
    int64_t k;
    double rate;
    int bias;
    ck_assert_msg(parse(&d, text, &err) == 0, "%s", err.text);
    const QcYaml *layers = qc_yaml_need(d.root, "layers", QC_YAML_LIST, &err);
    ck_assert_uint_eq(layers->n, 2);
    ck_assert_uint_eq(layers->items[0]->line, 3);
    ck_assert_uint_eq(layers->items[0]->column, 5);
    ck_assert_int_eq(qc_yaml_int(layers->items[0], "k", 1, 9, 5, &k, &err), 0);
    ck_assert_int_eq(k, 3);
    ck_assert_int_eq(qc_yaml_int(layers->items[1], "k", 1, 9, 5, &k, &err), 0);
    ck_assert_int_eq(k, 5);
    ck_assert_int_eq(qc_yaml_real(d.root, "rate", 0, 1, 0, &rate, &err), 0);
    ck_assert_double_eq(rate, 1e-3);
    ck_assert_int_eq(qc_yaml_flag(d.root, "bias", 1, &bias, &err), 0);
    ck_assert_int_eq(bias, 0);
    ck_assert_ptr_null(qc_yaml_get(d.root, "nothing"));
    ck_assert_str_eq(qc_yaml_get(d.root, "name")->text, "net");
    qc_yaml_release(&d);
    ck_assert_int_eq(parse(&d, "", &err), 0); /* an empty file: no keys */
    ck_assert_uint_eq(d.root->n, 0);
    qc_yaml_release(&d);
}
END_TEST

START_TEST(errors_name_line_and_column)
{
    static const struct {
        const char *text, *says;
    } wrong[] = {
        {"a: 1\nb: [1, 2\n", "f.yaml:3:1: "},
        {"a: 1\n\tb: 2\n", "f.yaml:2:1: "},
        {"a: 1\nb: 2\na: 3\n", "f.yaml:3:1: key 'a' appears twice"},
        {"a: &x 1\n", "f.yaml:1:4: tags, anchors"},
        {"a: !!str 1\n", "f.yaml:1:4: tags, anchors"},
        {"a: &x 1\nb: *x\n", "f.yaml:1:4: "},
        {"b: *x\n", "f.yaml:1:4: "},
        {"[a, b]: 1\n", "f.yaml:1:1: a key must be"},
        {"a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document"},
        {"a: \"\\0\"\n", "f.yaml:1:4: a text holds a zero byte"},
        {"a: \xff\n", "f.yaml: "},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        QcYamlDocument d;
        QcErr err = {0};
        ck_assert_msg(parse(&d, wrong[i].text, &err) == -1, "accepted: %s", wrong[i].text);
        ck_assert_int_eq(err.code, QC_EFORMAT);
        ck_assert_msg(!strncmp(err.text, wrong[i].says, strlen(wrong[i].says)), "'%s', expected '%s'", err.text,
                      wrong[i].says);
        ck_assert_ptr_null(d.root);
    }
}
END_TEST

START_TEST(getter_errors_name_line_and_column)
{
    static const char *const known[] = {"n", "f", "list", NULL};
    QcYamlDocument d;
    QcErr err = {0};
    int64_t n;
    double x;
    int flag;
    ck_assert_int_eq(parse(&d, "n: 12\nf:   7x\nlist: [1]\n", &err), 0);
    ck_assert_int_eq(qc_yaml_int(d.root, "n", 1, 9, 5, &n, &err), -1);
    ck_assert_str_eq(err.text, "f.yaml:1:4: n must be a whole number from 1 to 9, not '12'");
    ck_assert_int_eq(qc_yaml_real(d.root, "f", 0, 1, 0, &x, &err), -1);
    ck_assert_str_eq(err.text, "f.yaml:2:6: f must be a number from 0 to 1, not '7x'");
    ck_assert_int_eq(qc_yaml_flag(d.root, "n", 0, &flag, &err), -1);
    ck_assert_int_eq(qc_yaml_int(d.root, "list", 1, 9, 5, &n, &err), -1);
    ck_assert_str_eq(err.text, "f.yaml:3:7: list must be a whole number");
    ck_assert_ptr_null(qc_yaml_need(d.root, "m", QC_YAML_MAP, &err));
    ck_assert_str_eq(err.text, "f.yaml:1:1: m is missing");
    ck_assert_ptr_null(qc_yaml_need(d.root, "n", QC_YAML_MAP, &err));
    ck_assert_int_eq(qc_yaml_known(d.root, known, &err), 0);
    ck_assert_int_eq(qc_yaml_known(d.root, known + 1, &err), -1);
    ck_assert_str_eq(err.text, "f.yaml:1:1: key 'n' is not known here");
    qc_yaml_release(&d);
}
END_TEST

START_TEST(depth_and_size_are_bounded)
{
    enum { DEEP = 100000 };
    char *text = malloc(2 * DEEP + 1);
    QcYamlDocument d;
    QcErr err = {0};
    memset(text, '[', DEEP);
    text[DEEP] = 0;
    ck_assert_int_eq(parse(&d, text, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "nested too deeply"));
    for (int i = 0; i < DEEP; i++) memcpy(text + 2 * i, "0,", 2);
    text[0] = '[';
    text[2 * DEEP] = 0;
    ck_assert_int_eq(parse(&d, text, &err), -1);
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("yaml");
    TCase *tcase = tcase_create("yaml");
    tcase_add_test(tcase, yaml_values_are_read);
    tcase_add_test(tcase, errors_name_line_and_column);
    tcase_add_test(tcase, getter_errors_name_line_and_column);
    tcase_add_test(tcase, depth_and_size_are_bounded);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
