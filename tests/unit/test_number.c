/* Reading numbers from text gives the same double as strtod, and reads no byte beyond the end. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/base/rng.h"
#include "../../lib/data/number.h"
#include "suite.h"

/* The text ends where its memory block ends, so that the sanitizers report a read beyond it. */
static void expect_as_strtod(const char *text, const char *after)
{
    size_t n = strlen(text), m = strlen(after);
    char *copy = malloc(n + m + 1), *stop; /* never empty */
    memcpy(copy, text, n);
    memcpy(copy + n, after, m);
    const char *at = copy;
    double value = -1, right = strtod(text, &stop);
    const char *wrong = qc_number_read_double(&value, &at, copy + n + m);
    ck_assert_msg(!wrong, "%s: %s", text, wrong);
    ck_assert_msg(!memcmp(&value, &right, sizeof value), "%s: %a, not %a", text, value, right);
    ck_assert_msg((size_t)(at - copy) == (size_t)(stop - text), "%s%s: %zu letters", text, after, (size_t)(at - copy));
    free(copy);
}

static size_t digits(char *out, QcRng *rng, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) out[k] = (char)('0' + qc_rng_below(rng, 10));
    out[n] = 0;
    return n;
}

START_TEST(random_numbers_are_as_strtod_reads_them)
{
    static const char *const rests[] = {"", ",", ",1.5,2.5", ";-3.25;4", "\t99999999999999", " x", "-", "/", ":",
                                        "\xff\xff\xff\xff\xff\xff\xff\xff\xff", ",0.000001,0.000002,0.0003"};
    QcRng rng = qc_rng_seed(7, 1);
    for (int k = 0; k < 200000; k++) {
        char text[100];
        size_t n = 0;
        if (qc_rng_below(&rng, 2)) text[n++] = qc_rng_below(&rng, 4) ? '-' : '+';
        uint32_t whole = qc_rng_below(&rng, k % 5 ? 5 : 22), part = qc_rng_below(&rng, k % 3 ? 9 : 24);
        n += digits(text + n, &rng, whole + !part);
        if (part || qc_rng_below(&rng, 2)) text[n++] = '.';
        n += digits(text + n, &rng, part);
        if (!qc_rng_below(&rng, 8)) snprintf(text + n, sizeof text - n, "e%d", (int)qc_rng_below(&rng, 40) - 32);
        expect_as_strtod(text, rests[qc_rng_below(&rng, sizeof rests / sizeof *rests)]);
    }
}
END_TEST

START_TEST(edges_are_as_strtod_reads_them)
{
    static const char *const texts[] = {"0",
                                        "-0",
                                        "0.0",
                                        "-0.0",
                                        "-.5",
                                        ".5",
                                        "5.",
                                        "1e-30",
                                        "9007199254740993",
                                        "0.1234567",
                                        "0.12345678",
                                        "1234567.1234567",
                                        "12345678.1234567",
                                        "1234567.12345678",
                                        "9999999.9999999",
                                        "0000000.0000001",
                                        "1.e5",
                                        "1.5e5",
                                        "1.5E-5",
                                        "1.5e",
                                        "1.5e+",
                                        "123456789012345678901234567890e-10",
                                        "2.2250738585072011e-308",
                                        "0.1e-400",
                                        "1e22",
                                        "1e23"};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        expect_as_strtod(texts[k], "");
        expect_as_strtod(texts[k], ",");
        expect_as_strtod(texts[k], ",0.5,0.5,0.5,0.5,0.5");
    }
}
END_TEST

START_TEST(what_is_no_number_is_refused)
{
    static const struct {
        const char *text, *wrong;
    } cases[] = {{"", "is missing"},
                 {"nan", "is missing"},
                 {"-nan", "is missing"},
                 {"-Inf", "is missing"},
                 {"N/A", "is missing"},
                 {"?", "is missing"},
                 {"abc", "is not a number"},
                 {"-", "is not a number"},
                 {".", "is not a number"},
                 {"-.", "is not a number"},
                 {"e5", "is not a number"},
                 {"1e31", "is out of range"},
                 {"-1e400", "is out of range"},
                 {"1000001000001000001000001000001.5", "is out of range"}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const char *at = cases[k].text;
        double value = 5;
        const char *wrong = qc_number_read_double(&value, &at, at + strlen(at));
        ck_assert_msg(wrong && !strcmp(wrong, cases[k].wrong), "'%s': %s", cases[k].text, wrong ? wrong : "taken");
        ck_assert_ptr_eq(at, cases[k].text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("number");
    TCase *tcase = tcase_create("number");
    tcase_add_test(tcase, random_numbers_are_as_strtod_reads_them);
    tcase_add_test(tcase, edges_are_as_strtod_reads_them);
    tcase_add_test(tcase, what_is_no_number_is_refused);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
