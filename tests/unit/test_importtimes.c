/* test_importtimes.c - what qc-import concludes from times in a table or a .ts file, and what it refuses to
 * conclude. */
#include "suite.h"
#include "../../lib/data/import.h"

#include "scratch.h"
#include "importing.h"

static char said[4000];

static void hear(void *ctx, int warning, const char *sentence)
{
    (void)ctx;
    size_t n = strlen(said);
    snprintf(said + n, sizeof said - n, "%s%s\n", warning ? "warning: " : "", sentence);
}

/* A table of 200 rows, whose times are k * step for the row k, each time `repeats` times. */
static const char *times(const char *name, double step, int repeats)
{
    static char text[16000];
    size_t n = (size_t)snprintf(text, sizeof text, "%s,a,label\n", name);
    for (int k = 0; k < 200; k++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%.9g,%d,x\n", step * (k / repeats), k * 7 % 5);
    return scratch_text("f", text);
}

static int windows(const char *path, QcImportOptions o)
{
    QcDataset d;
    *said = 0;
    o.note = hear;
    if (import(&d, "csv", path, o)) return -1;
    int length = (int)d.length;
    qc_dataset_release(&d);
    return length;
}

typedef struct Unit {
    const char *name;
    double step; /* of 20 ms */
    const char *report;
} Unit;

static const Unit units[] = {
    {"time_s", 0.02, "time: time_s (seconds, 50 samples/s)"},
    {"t_ms", 20, "time: t_ms (milliseconds, 50 samples/s)"},
    {"time (ms)", 20, "milliseconds, 50"},
    {"time_msec", 20, "milliseconds, 50"},
    {"time_us", 20000, "microseconds, 50"},
    {"time [\xc2\xb5s]", 20000, "microseconds, 50"},
    {"time_microsec", 20000, "microseconds, 50"},
    {"t_ns", 2e7, "nanoseconds, 50"},
    {"time", 0.02, "time: time (seconds, 50 samples/s)"},
};

START_TEST(time_column_name_gives_unit)
{
    const Unit *u = &units[_i];
    const char *path = times(u->name, u->step, 1);
    ck_assert_msg(windows(path, (QcImportOptions){.window = "2s"}) == 100, "%s", err.text);
    ck_assert_msg(strstr(said, u->report) != NULL, "%s", said);
    ck_assert_int_eq(windows(path, (QcImportOptions){.window = "500ms"}), 25);
}
END_TEST

/* Whole steps, which would be milliseconds without a name that says seconds. */
START_TEST(whole_seconds_are_not_milliseconds)
{
    static const char *const names[] = {"time_s", "time (s)", "Time[s]", "t_s", "seconds", "elapsed_s"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        ck_assert_msg(windows(times(names[k], 10, 1), (QcImportOptions){.window = "100s"}) == 10, "%s: %s", names[k],
                      err.text);
        ck_assert(strstr(said, "(seconds, 0.1 samples/s)"));
    }
}
END_TEST

START_TEST(steps_without_unit_need_rate)
{
    static const char *const names[] = {"time", "timestamp", "t"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        const char *path = times(names[k], 10, 1);
        ck_assert_int_eq(windows(path, (QcImportOptions){.window = "10s"}), -1);
        ck_assert_int_eq(err.code, QC_EUSAGE);
        ck_assert(strstr(err.text, "has steps of 10, but no unit: give --rate HZ (100 if they are milliseconds, 0.1"));
        ck_assert_int_eq(windows(path, (QcImportOptions){.window = "1s", .rate = 100}), 100);
        ck_assert(strstr(said, "(steps of 10, unit not known)"));
        ck_assert_int_eq(windows(path, (QcImportOptions){.window = "50"}), 50);
    }
}
END_TEST

START_TEST(repeated_times_give_no_rate)
{
    const char *path = times("time_s", 1, 50);
    ck_assert_int_eq(windows(path, (QcImportOptions){.window = "2s"}), -1);
    ck_assert(strstr(err.text, "'time_s' repeats (50 rows per time): give --rate HZ, or --window as a number of"));
    ck_assert_int_eq(windows(path, (QcImportOptions){.window = "2s", .rate = 50}), 100);
    ck_assert_int_eq(windows(path, (QcImportOptions){.window = "100"}), 100);
}
END_TEST

START_TEST(rate_that_contradicts_times_is_refused)
{
    const char *path = times("time_s", 0.02, 1);
    ck_assert_int_eq(windows(path, (QcImportOptions){.window = "2s", .rate = 25}), -1);
    ck_assert(strstr(err.text, "--rate 25 contradicts 'time_s' (50 samples/s)"));
    ck_assert_int_eq(windows(path, (QcImportOptions){.window = "2s", .rate = 25, .time = "none", .ignore = "1"}), 50);
    ck_assert_int_eq(windows(path, (QcImportOptions){.window = "2s", .rate = 50}), 100);
    ck_assert_int_eq(windows(times("t_ms", 3, 1), (QcImportOptions){.window = "20", .rate = 300}), 20); /* rounded */
}
END_TEST

/* ---- .ts ---- */

static void expect_series(const char *series, QcUnequal unequal, uint32_t n, const float *x)
{
    QcDataset d;
    char text[400];
    *said = 0;
    snprintf(text, sizeof text, "@timeStamps true\n@data\n%s\n", series);
    const QcImportOptions o = {.unequal = unequal, .note = hear};
    ck_assert_msg(!import(&d, "ts", scratch_text("f", text), o), "%s: %s", series, err.text);
    ck_assert_uint_eq(d.n * d.channels * d.length, n);
    for (uint32_t k = 0; k < n; k++)
        ck_assert_msg(d.x[k] == x[k], "%s: value %u is %g instead of %g", series, k, d.x[k], x[k]);
    qc_dataset_release(&d);
}

static void expect_refused(const char *series, QcUnequal unequal, const char *sentence)
{
    QcDataset d;
    char text[400];
    snprintf(text, sizeof text, "@timeStamps true\n@data\n%s\n", series);
    ck_assert_int_eq(import(&d, "ts", scratch_text("f", text), (QcImportOptions){.unequal = unequal}), -1);
    ck_assert_msg(strstr(err.text, sentence) != NULL, "%s: %s", series, err.text);
}

/* Each value is its time, or ten times its time. */
START_TEST(channels_with_other_timestamps_are_aligned)
{
    const char *later = "(0,0),(1,1),(2,2),(3,3),(4,4):(2,20),(4,40),(6,60)",
               *apart = "(0,0),(1,1):(2,20),(3,30)";
    expect_series(later, QC_UNEQUAL_RESAMPLE, 6, (float[]){2, 3, 4, 20, 30, 40});
    expect_series("(0,0),(1,1),(2,2),(3,3):(0,0),(3,30)", QC_UNEQUAL_RESAMPLE, 8, (float[]){0, 1, 2, 3, 0, 10, 20, 30});
    expect_series("(0,0),(1,1),(2,2),(3,3):(0,0),(1,10)", QC_UNEQUAL_RESAMPLE, 4, (float[]){0, 1, 0, 10});
    expect_series("(0,0),(1,1),(2,2):(0,0),(2,20),(3,30)", QC_UNEQUAL_RESAMPLE, 6, (float[]){0, 1, 2, 0, 10, 20});
    expect_refused(later, QC_UNEQUAL_PAD, "f:3: channel 2 has other times than channel 1");
    expect_refused(apart, QC_UNEQUAL_REFUSE, "f:3: channel 2 has other times than channel 1");
    expect_refused(apart, QC_UNEQUAL_RESAMPLE, "f:3: the channels of this series share no time");
}
END_TEST

START_TEST(shorter_channels_with_the_same_timestamps_are_padded)
{
    expect_series("(0,5),(1,6),(2,7):(0,8),(1,9)", QC_UNEQUAL_PAD, 6, (float[]){5, 6, 7, 8, 9, 0});
}
END_TEST

START_TEST(series_of_other_steps_are_reported)
{
    expect_series("(0,1),(2,2),(4,3)\n(7,4),(9,5),(11,6)", QC_UNEQUAL_REFUSE, 6, (float[]){1, 2, 3, 4, 5, 6});
    ck_assert_str_eq(said, "");
    expect_series("(0,1),(2,2),(4,3)\n(0,4),(1,5),(2,6)", QC_UNEQUAL_REFUSE, 6, (float[]){1, 2, 3, 4, 5, 6});
    ck_assert_msg(strstr(said, "warning: 1 series has another step of time than the first, 2: windows") != NULL, "%s",
                  said);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("importtimes");
    TCase *t = tcase_create("importtimes");
    tcase_add_checked_fixture(t, scratch_make, scratch_remove);
    tcase_add_loop_test(t, time_column_name_gives_unit, 0, sizeof units / sizeof *units);
    tcase_add_test(t, whole_seconds_are_not_milliseconds);
    tcase_add_test(t, steps_without_unit_need_rate);
    tcase_add_test(t, repeated_times_give_no_rate);
    tcase_add_test(t, rate_that_contradicts_times_is_refused);
    tcase_add_test(t, channels_with_other_timestamps_are_aligned);
    tcase_add_test(t, shorter_channels_with_the_same_timestamps_are_padded);
    tcase_add_test(t, series_of_other_steps_are_reported);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
