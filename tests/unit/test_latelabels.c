/* Labels by number and by time: which windows they name, labels before and after their windows, and refused labels. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "suite.h"

#include "../../lib/live/latelabels.h"

enum { RING = 8 };
static char *names[] = {"a", "b c"};
static QcModelFile model = {.classes = 2, .labels = names};
static QcWindowTimes windows[RING];

/* The lines' effect: for each line "N+N+=class" for windows that it names now, then "w" if it waits, "x" if it is
 * refused. */
static void say(char *out, QcLateLabels *l, const char *text)
{
    for (; *text; text++) {
        QcLateLabel label;
        uint32_t at = 0, number;
        int found = qc_latelabels_byte(l, *text, &label);
        if (found < 0) out += sprintf(out, "x");
        if (found <= 0) continue;
        while (qc_latelabels_find(l, &label, &at, &number)) out += sprintf(out, "%u+", number);
        out += sprintf(out, "=%u%s", label.class_index, qc_latelabels_wait(l, &label) ? "" : "w");
    }
    *out = 0;
}

static void expect(QcLateLabels *l, const char *text, const char *wanted)
{
    char out[512];
    say(out, l, text);
    ck_assert_msg(!strcmp(out, wanted), "%s: '%s', not '%s' (%s)", text, out, wanted, l->words);
}

/* Windows of 2 seconds, each second one, the first at `start`. */
static int next_window(QcLateLabels *l, uint32_t number, double start, uint32_t *class_index)
{
    return qc_latelabels_window(l, (QcWindowTimes){number, start + number, start + number + 2}, class_index);
}

START_TEST(labels_by_window_number)
{
    QcLateLabels l;
    uint32_t k;
    qc_latelabels_init(&l, &model, windows, RING, 0);
    for (uint32_t n = 0; n < 12; n++) ck_assert_int_eq(next_window(&l, n, 0, &k), 0);
    expect(&l, "11 a\n", "11+=0");
    expect(&l, "5-7 b c\n", "5+6+7+=1");
    expect(&l, "2-5 a\n", "4+5+=0"); /* the older ones have left the ring */
    expect(&l, "3 a\n", "=0");
    expect(&l, "10-14 a\n12 b c\n", "10+11+=0w=1w");
    ck_assert(next_window(&l, 12, 0, &k) == 1 && k == 1); /* the latest label counts */
    ck_assert(next_window(&l, 13, 0, &k) == 1 && k == 0);
    ck_assert(next_window(&l, 14, 0, &k) == 1 && k == 0);
    ck_assert(next_window(&l, 15, 0, &k) == 0);
    ck_assert_uint_eq(l.n, 0);
}
END_TEST

START_TEST(labels_by_time)
{
    static const double starts[] = {0, 1716508800 + 3600 * 10 + 120,
                                    1716508800 -
                                        4}; /* the stream's zero; 10:02 of a day; four seconds before midnight */
    static const char *const spans[] = {"0:00:03-0:00:06", "10:02:03-10:02:06", "23:59:59-00:00:02"},
                             *const later[] = {"0:00:14-0:00:16", "10:02:14-10:02:16", "00:00:10-00:00:12"};
    static const char *const opened = "3+4+5+6+7+=0w"; /* from a time to now */
    for (int s = 0; s < 3; s++) {
        QcLateLabels l;
        uint32_t k;
        char text[100];
        qc_latelabels_init(&l, &model, windows, RING, 0);
        for (uint32_t n = 0; n < 8; n++) ck_assert_int_eq(next_window(&l, n, starts[s], &k), 0); /* now: 9 */
        snprintf(text, sizeof text, "%s a\n", spans[s]);
        expect(&l, text, "3+4+=0");
        snprintf(text, sizeof text, "%.*s- a\n", (int)(strchr(spans[s], '-') - spans[s]), spans[s]);
        expect(&l, text, opened);
        snprintf(text, sizeof text, "%s b c\n", later[s]);
        expect(&l, text, "=1w");
        for (uint32_t n = 8; n < 20; n++) {
            int is_in = n == 14;
            ck_assert_int_eq(next_window(&l, n, starts[s], &k), is_in);
            if (is_in) ck_assert_uint_eq(k, 1);
        }
        ck_assert_uint_eq(l.n, 0);
    }
}
END_TEST

START_TEST(labels_by_date)
{
    QcLateLabels l;
    uint32_t k;
    qc_latelabels_init(&l, &model, windows, RING, 0);
    for (uint32_t n = 0; n < 8; n++) next_window(&l, n, 1716508800, &k); /* 2024-05-24 */
    expect(&l, "2024-05-24T00:00:02/2024-05-24T00:00:05 a\n", "2+3+=0");
    expect(&l, "2024-05-23T00:00:02/2024-05-23T00:00:05 a\n", "=0");
}
END_TEST

START_TEST(time_of_day_before_first_window)
{
    static const double starts[] = {0, 1716508800 + 3600 * 10 + 120, 1716508800 - 4};
    static const char *const spans[] = {"0:00:03-0:00:06 b c\n", "10:02:03-10:02:06 b c\n", "23:59:59-00:00:02 b c\n"};
    for (int s = 0; s < 3; s++) {
        QcLateLabels l;
        uint32_t k;
        qc_latelabels_init(&l, &model, windows, RING, 0);
        expect(&l, spans[s], "=1w");
        for (uint32_t n = 0; n < 12; n++) {
            int found = next_window(&l, n, starts[s], &k); /* from n to n + 2 seconds */
            ck_assert_int_eq(found, n == 3 || n == 4);
            if (found) ck_assert_uint_eq(k, 1);
        }
        ck_assert_uint_eq(qc_latelabels_unmatched(&l), 0);
    }
}
END_TEST

/* A clock without a date, over midnight; and hours since the zero of a stream without times of day. */
START_TEST(times_without_date)
{
    static const double start = 86400 - 120; /* 23:58 */
    QcLateLabels l;
    uint32_t k;
    for (int early = 0; early < 2; early++) {
        static const char span[] = "23:59:58-00:00:02 b c\n";
        uint32_t labelled = 0;
        qc_latelabels_init(&l, &model, windows, RING, 0);
        l.is_clock = 1;
        if (early) expect(&l, span, "=1w"); /* no window has come */
        for (uint32_t n = 0; n < 240; n++) {
            if (!early && n == 100) expect(&l, span, "=1w");
            labelled += (uint32_t)next_window(&l, n, start, &k);
        }
        ck_assert_uint_eq(labelled, 3); /* from 23:59:58, :59 and 0:00:00 */
        expect(&l, "0:01:55-0:01:59 a\n", "235+236+237+=0");
        expect(&l, "25:00:00-25:00:01 a\n", "x");
    }
    qc_latelabels_init(&l, &model, windows, RING, 0);
    for (uint32_t n = 0; n < 8; n++) next_window(&l, n, 100 * 3600, &k);
    expect(&l, "100:00:03-100:00:06 a\n", "3+4+=0");
}
END_TEST

START_TEST(lines_without_valid_label_are_refused)
{
    QcLateLabels l;
    uint32_t k;
    char text[2 * QC_LABELS_LINE];
    qc_latelabels_init(&l, &model, windows, RING, 0);
    expect(&l, "10:05:00-10:02:00 a\n", "x"); /* no span over midnight, whatever the day */
    expect(&l, "10:05:00- a\n0- a\n", "xx"); /* no window yet; a number */
    for (uint32_t n = 0; n < 8; n++) next_window(&l, n, 0, &k);
    expect(&l, "\n# words\n  \n", "");
    expect(&l, "3\n", "x");
    expect(&l, "3 q\n", "x");
    expect(&l, "x a\n-3 a\n3- a\n3.5 a\n", "xxxx");
    expect(&l, "5-3 a\n", "x");
    expect(&l, "-3 a\n- a\n9- a\n0:00:75- a\n", "xxxx");
    expect(&l, "0:00:05-0:00:03 a\n0:00:75-0:01:00 a\n", "xx");
    memset(text, 'a', sizeof text);
    memcpy(text + sizeof text - 8, "\n3 b c\n", 8);
    expect(&l, text, "x3+=1"); /* the line after a long one counts */
    qc_latelabels_init(&l, &model, windows, RING, 0);
    qc_latelabels_window(&l, (QcWindowTimes){0, NAN, NAN}, &k);
    expect(&l, "0:00:00-1:00:00 a\n", "x"); /* a stream without times */
    for (int n = 0; n < QC_LABELS_WAITING; n++) expect(&l, "100 a\n", "=0w");
    expect(&l, "100 a\n", "=0"); /* too many wait */
}
END_TEST

/* As qc-import names classes: 1.0 is 1. */
START_TEST(numeric_class_names)
{
    char *numbers[] = {"1", "2", "3.0", "", ""};
    QcModelFile numbered = {.classes = 5, .labels = numbers};
    QcLateLabels l;
    uint32_t k;
    qc_latelabels_init(&l, &numbered, windows, RING, 0);
    l.takes_classes = 1;
    for (uint32_t n = 0; n < 8; n++) next_window(&l, n, 0, &k);
    expect(&l, "3 2\n3 2.0\n3 +1\n3 2e+00\n", "3+=13+=13+=03+=1");
    expect(&l, "3 3.0\n", "3+=2"); /* the name of a class as it is comes first */
    expect(&l, "3 4.0\n3 4\n3 5.5\n3 5\n", "3+=33+=33+=4x");
    ck_assert_str_eq(numbers[3], "4");
    ck_assert_str_eq(numbers[4], "5.5");
    qc_arena_release(&numbered.arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("latelabels");
    TCase *c = tcase_create("latelabels");
    tcase_add_test(c, labels_by_window_number);
    tcase_add_test(c, labels_by_time);
    tcase_add_test(c, labels_by_date);
    tcase_add_test(c, time_of_day_before_first_window);
    tcase_add_test(c, times_without_date);
    tcase_add_test(c, lines_without_valid_label_are_refused);
    tcase_add_test(c, numeric_class_names);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
