/* The learner's parameters by name: defaults, ranges, --tune, and a digest that changes with each of them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suite.h"

#include "../../lib/format/parametertable.h"

static QcErr err;

static int tune(QcParameters *p, const char *text) { return qc_parameters_tune(p, &text, 1, &err); }

static int tune_to(QcParameters *p, const QcParameterRow *row, double value)
{
    char text[80];
    snprintf(text, sizeof text, "%s=%.17g", row->name, value);
    return tune(p, text);
}

static void expect_refused(const QcParameters *p, const char *text, const char *part_of_message)
{
    QcParameters other = *p;
    ck_assert_msg(tune(&other, text) == -1, "%s", text);
    ck_assert_int_eq(err.code, QC_EUSAGE);
    ck_assert_msg(strstr(err.text, part_of_message) != NULL, "%s: %s", text, err.text);
    ck_assert_mem_eq(&other, p, sizeof other);
}

/* Each row is a field of its own, and what it says of its defaults is true of the struct. */
START_TEST(table_rows_match_struct_fields)
{
    const int bits[] = {2, 4, 8};
    uint8_t taken[sizeof(QcParameters)] = {0};
    for (int i = 0; i < QC_PARAMETER_COUNT; i++) {
        const QcParameterRow *row = &qc_parameter_rows[i];
        for (int b = 0; b < 3; b++) {
            QcParameters p = qc_parameters_default(bits[b]);
            double value = qc_parameter_value(&p, row);
            ck_assert_double_eq_tol(value, row->at[b], 1e-7 * fabs(row->at[b]) + 1e-30);
            ck_assert_msg(value >= (double)(float)row->low && value <= row->high, "%s at %d bits", row->name, bits[b]);
        }
        ck_assert(row->low < row->high && row->meaning[0] && strlen(row->name) <= 24);
        for (size_t at = row->offset; at < row->offset + 4; at++) {
            ck_assert_uint_lt(at, sizeof taken);
            ck_assert_uint_eq(taken[at]++, 0);
        }
        for (int j = 0; j < i; j++) ck_assert_str_ne(row->name, qc_parameter_rows[j].name);
    }
    /* no padding, no field without a row */
    for (size_t at = 0; at < sizeof taken; at++) ck_assert_uint_eq(taken[at], 1);
}
END_TEST

START_TEST(defaults_depend_on_bits)
{
    QcParameters two = qc_parameters_default(2), four = qc_parameters_default(4), eight = qc_parameters_default(8),
                 other = qc_parameters_default(0);
    ck_assert(two.temperature_loss > four.temperature_loss && four.temperature_loss > eight.temperature_loss);
    ck_assert(two.first_share < four.first_share && four.first_share < eight.first_share);
    ck_assert_mem_eq(&other, &eight, sizeof other);
}
END_TEST

START_TEST(tune_sets_only_the_named_field)
{
    for (int i = 0; i < QC_PARAMETER_COUNT; i++) {
        const QcParameterRow *row = &qc_parameter_rows[i];
        QcParameters p = qc_parameters_default(2), before = p;
        double value = row->whole ? row->high - 1 : 0.75 * row->low + 0.25 * row->high;
        ck_assert_msg(tune_to(&p, row, value) == 0, "%s: %s", row->name, err.text);
        ck_assert_double_eq_tol(qc_parameter_value(&p, row), value, 1e-7 * value);
        ck_assert(memcmp(&p, &before, sizeof p));
        memcpy((char *)&p + row->offset, (char *)&before + row->offset, 4);
        ck_assert_mem_eq(&p, &before, sizeof p);
    }
}
END_TEST

START_TEST(range_limits_are_accepted)
{
    for (int i = 0; i < QC_PARAMETER_COUNT; i++) {
        const QcParameterRow *row = &qc_parameter_rows[i];
        const double beyond[] = {row->whole ? row->high + 1 : row->high * 1.001,
                                 row->whole ? row->low - 1 : row->low - 1e-7, NAN, INFINITY, -INFINITY};
        QcParameters p = qc_parameters_default(4), as_it_was = p;
        for (int j = 0; j < 5; j++) {
            char text[80];
            snprintf(text, sizeof text, "%s=%.17g", row->name, beyond[j]);
            expect_refused(&as_it_was, text, row->name);
        }
        ck_assert_int_eq(tune_to(&p, row, row->low), 0);
        ck_assert_double_eq(qc_parameter_value(&p, row), row->whole ? row->low : (double)(float)row->low);
        ck_assert_int_eq(tune_to(&p, row, row->high), 0);
        ck_assert_double_eq(qc_parameter_value(&p, row), row->whole ? row->high : (double)(float)row->high);
    }
}
END_TEST

START_TEST(unknown_name_or_invalid_number_is_refused)
{
    QcParameters p = qc_parameters_default(8);
    expect_refused(&p, "ridges=1", "the names are prior_count, average_window");
    expect_refused(&p, "ridge", "block_sample"); /* to the last of the names */
    expect_refused(&p, "=1", "the names are");
    expect_refused(&p, "", "the names are");
    expect_refused(&p, "ridg=1", "the names are");
    expect_refused(&p, "Ridge=1", "the names are");
    expect_refused(&p, " ridge=1", "the names are");
    expect_refused(&p, "ridge=", "number from");
    expect_refused(&p, "ridge=x", "number from");
    expect_refused(&p, "ridge=1x", "number from");
    expect_refused(&p, "ridge=0.1 0.2", "number from");
    expect_refused(&p, "ridge=1e999", "number from");
    expect_refused(&p, "rounds=2.5", "whole number");
    expect_refused(&p, "rounds=-1", "whole number");
    expect_refused(&p, "rounds=4294967297", "whole number");
    ck_assert_int_eq(tune(&p, "rounds=1e3"), 0);
    ck_assert_uint_eq(p.rounds, 1000);
}
END_TEST

/* One text after another; the last of the same name counts. What comes before a wrong one has been set, so that the
 * caller drops the struct. */
START_TEST(last_setting_of_a_name_counts)
{
    const char *texts[] = {"ridge=0.5", "rounds=7", "ridge=0.25"};
    QcParameters p = qc_parameters_default(8);
    ck_assert_int_eq(qc_parameters_tune(&p, texts, 3, &err), 0);
    ck_assert(p.ridge == 0.25f && p.rounds == 7);
    texts[1] = "round=7";
    ck_assert_int_eq(qc_parameters_tune(&p, texts, 3, &err), -1);
    ck_assert_int_eq(qc_parameters_tune(&p, texts, 0, &err), 0);
}
END_TEST

static void digest_of(uint8_t out[QC_DIGEST_BYTES], const QcParameters *p)
{
    QcDigest d;
    qc_digest_init(&d);
    qc_parameters_digest(&d, p);
    qc_digest_end(&d, out);
}

/* By the smallest step that a float or a whole number can take. */
START_TEST(digest_changes_with_every_parameter)
{
    QcParameters p = qc_parameters_default(4);
    uint8_t digests[QC_PARAMETER_COUNT + 1][QC_DIGEST_BYTES], again[QC_DIGEST_BYTES];
    digest_of(digests[QC_PARAMETER_COUNT], &p);
    digest_of(again, &p);
    ck_assert_mem_eq(digests[QC_PARAMETER_COUNT], again, sizeof again);
    for (int i = 0; i < QC_PARAMETER_COUNT; i++) {
        uint32_t bits, was;
        memcpy(&was, (char *)&p + qc_parameter_rows[i].offset, sizeof was);
        bits = was + 1;
        memcpy((char *)&p + qc_parameter_rows[i].offset, &bits, sizeof bits);
        digest_of(digests[i], &p);
        memcpy((char *)&p + qc_parameter_rows[i].offset, &was, sizeof was);
        for (int j = 0; j <= QC_PARAMETER_COUNT; j++)
            if (j < i || j == QC_PARAMETER_COUNT)
                ck_assert_msg(memcmp(digests[i], digests[j], QC_DIGEST_BYTES), "%s", qc_parameter_rows[i].name);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("parameters");
    TCase *t = tcase_create("all");
    tcase_add_test(t, table_rows_match_struct_fields);
    tcase_add_test(t, defaults_depend_on_bits);
    tcase_add_test(t, tune_sets_only_the_named_field);
    tcase_add_test(t, range_limits_are_accepted);
    tcase_add_test(t, unknown_name_or_invalid_number_is_refused);
    tcase_add_test(t, last_setting_of_a_name_counts);
    tcase_add_test(t, digest_changes_with_every_parameter);
    suite_add_tcase(s, t);
    return run_suite(s);
}
