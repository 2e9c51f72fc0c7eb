/* Frames of a stream that comes in pieces: any cut gives the same frames. Breaks where rows, times or values are
 * wrong; columns by name and number. */
#include <math.h>

#include "suite.h"

#include "../../lib/live/framereader.h"

enum { CHANNELS = 3, LENGTH = 16, ROOM = 4096 };
static float mean[CHANNELS], deviation[CHANNELS] = {1, 1, 1};
static char *labels[] = {"sitting", "walking, fast", "5\" pipe", "null"};
static QcModelFile model = {.channels = CHANNELS,
                                  .height = 1,
                                  .length = LENGTH,
                                  .classes = 4,
                                  .labels = labels,
                                  .norm = {CHANNELS, mean, deviation}};

/* What a reader makes of bytes, as text: "1 2 3;" is a frame, "1 2 3@walking;" with a label, "!" a break that is said,
 * "." one that is not. */
static void read_all(char out[ROOM], QcFrameReader *r, const QcFrameOptions *o, const void *bytes, size_t n,
                     size_t piece)
{
    QcErr err;
    size_t at = 0, room;
    char *to = out;
    ck_assert_msg(!qc_framereader_open(r, &model, o, &err), "%s", err.text);
    *to = 0;
    for (int ended = 0; !ended;) {
        QcFrameKind kind;
        uint8_t *into = qc_framereader_room(r, &room);
        size_t some = n - at < piece ? n - at : piece;
        ck_assert_uint_ge(room, some);
        memcpy(into, (const uint8_t *)bytes + at, some);
        qc_framereader_add(r, some);
        at += some;
        ended = some == 0;
        for (;;) {
            ck_assert_msg(!qc_framereader_next(r, &kind, &err), "%s", err.text);
            if (kind == QC_FRAME_NONE) break;
            if (kind == QC_FRAME_BREAK)
                to += sprintf(to, "%s", *r->words ? "!" : ".");
            else
                to += sprintf(to, "%g %g %g%s%s;", (double)r->x[0], (double)r->x[1], (double)r->x[2],
                              r->class_index >= 0 ? "@" : "", r->class_index >= 0 ? labels[r->class_index] : "");
        }
    }
}

static void expect(const QcFrameOptions *o, const char *text, const char *wanted)
{
    for (size_t piece = 1; piece <= strlen(text); piece += piece < 4 ? 1 : piece) {
        char out[ROOM];
        QcFrameReader r;
        read_all(out, &r, o, text, strlen(text), piece);
        ck_assert_msg(!strcmp(out, wanted), "pieces of %zu: '%s', not '%s'", piece, out, wanted);
        qc_framereader_close(&r);
    }
}

static void refuse(const QcFrameOptions *o, const char *text, const char *words)
{
    QcErr err;
    QcFrameReader r;
    QcFrameKind kind;
    size_t room;
    ck_assert(!qc_framereader_open(&r, &model, o, &err));
    memcpy(qc_framereader_room(&r, &room), text, strlen(text));
    qc_framereader_add(&r, strlen(text));
    int status = qc_framereader_next(&r, &kind, &err);
    while (!status && kind != QC_FRAME_NONE) status = qc_framereader_next(&r, &kind, &err);
    if (!status) qc_framereader_add(&r, 0);
    if (!status) status = qc_framereader_next(&r, &kind, &err);
    ck_assert_int_eq(status, -1);
    ck_assert_msg(strstr(err.text, words) != NULL, "'%s' has no '%s'", err.text, words);
    qc_framereader_close(&r);
}

START_TEST(table_formats_are_read)
{
    const QcFrameOptions plain = {0};
    expect(&plain, "1,2,3\n4,5,6\n", "1 2 3;4 5 6;");
    expect(&plain, "1;2;3\r\n\r\n# words\r\n4;5;6", "1 2 3;4 5 6;");
    expect(&plain, "  1   2 3\n4 5    6  \n", "1 2 3;4 5 6;");
    expect(&plain, "a\tb\tc\n1\t2\t3\n", "1 2 3;");
    expect(&plain,
           "\xef\xbb\xbf"
           "a,b,c\n1,2,3\n",
           "1 2 3;");
    expect(&plain, ",a,b,c\n0,1,2,3\n1,4,5,6\n", "1 2 3;4 5 6;"); /* pandas' row numbers */
    expect(&plain, "a,b,c,\n1,2,3,\n4,5,6,\n", "1 2 3;4 5 6;");
    expect(&plain, "time,date,a,b,c\n10:00:00.0,2026-03-02,1,2,3\n10:00:00.5,2026-03-02,4,5,6\n", "1 2 3;4 5 6;");
    expect(&plain, "id,user,a,b,c,label\n7,p1,1,2,3,sitting\n8,p1,4,5,6,\n9,p1,7,8,9,\"sitting\"\n",
           "1 2 3@sitting;4 5 6;7 8 9@sitting;");
    expect(&plain, "a;b;c;activity\n1;2;3;\"walking, fast\"\n1;2;3;flying\n", "1 2 3@walking, fast;1 2 3;");
}
END_TEST

START_TEST(columns_are_found_by_name_and_number)
{
    expect(&(QcFrameOptions){.columns = "c,a,b"}, "a,b,x,c\n1,2,0,3\n", "3 1 2;");
    expect(&(QcFrameOptions){.columns = "2-4"}, "9,1,2,3,9\n", "1 2 3;");
    expect(&(QcFrameOptions){.columns = "4,2-3", .label_column = "1"}, "sitting,1,2,3\n", "3 1 2@sitting;");
    expect(&(QcFrameOptions){.time_column = "1"}, "0,1,2,3\n1,4,5,6\n", "1 2 3;4 5 6;");
    expect(&(QcFrameOptions){.time_column = "none", .columns = "t,a,b"}, "t,a,b\n5,1,2\n3,4,5\n",
           "5 1 2;3 4 5;"); /* no time goes back */
    refuse(&(QcFrameOptions){0}, "1,2,3,4\n", "4 columns of values, the model takes 3");
    refuse(&(QcFrameOptions){0}, "a,b\n", "2 columns of values");
    refuse(&(QcFrameOptions){0}, "Rate,50\nUnit,g\n1,2\n3,4\n", "2 columns of values");
    refuse(&(QcFrameOptions){0}, "1,2\na,b,c\n1,2,3\n", "2 columns of values");
    refuse(&(QcFrameOptions){.columns = "a,b,q"}, "a,b,c\n", "none is 'q'");
    refuse(&(QcFrameOptions){.columns = "1,2,9"}, "a,b,c\n", "none is '9'");
    refuse(&(QcFrameOptions){.columns = "1,2,a"}, "a,b,c\n", "names column 1 twice");
    refuse(&(QcFrameOptions){.label_column = "what"}, "a,b,c\n", "none is 'what'");
}
END_TEST

START_TEST(lines_above_the_header_are_left_out)
{
    const QcFrameOptions plain = {0};
    char out[ROOM];
    QcFrameReader r;
    static const char text[] = "Device: X\nRate,50\n\na,b,c\n1,2,3\n4,5,6\n";
    expect(&plain, text, "1 2 3;4 5 6;");
    read_all(out, &r, &plain, text, strlen(text), 7);
    ck_assert_str_eq(r.note, "2 lines above the header were left out");
    qc_framereader_close(&r);
    refuse(&plain, "Rate,50\n1,2,3\n4,5,6\n", "2 columns of values"); /* no header after it */
}
END_TEST

START_TEST(cells_in_quotes_hold_separators)
{
    expect(&(QcFrameOptions){0}, "time,a,b,c,label\n\"2026-03-02 10:00:00,5\",1,2,3,\"walking, fast\"\n",
           "1 2 3@walking, fast;");
    expect(&(QcFrameOptions){0}, "\"a\tb\",b,c\n1,2,3\n", "1 2 3;");
    expect(&(QcFrameOptions){0}, "5\",b,c\n1,2,3\n", "1 2 3;");
    expect(&(QcFrameOptions){0}, "a,b,c,label\n1,2,3,\"5\"\" pipe\"\n", "1 2 3@5\" pipe;");
    expect(&(QcFrameOptions){0}, "1,2,3\n1,\"2,3\n4,5,6\n", "1 2 3;!4 5 6;");
}
END_TEST

START_TEST(class_may_be_named_like_a_missing_value)
{
    expect(&(QcFrameOptions){0}, "a,b,c,label\n1,2,3,null\n4,5,6,NA\n7,8,9,NULL\n", "1 2 3@null;4 5 6;7 8 9;");
}
END_TEST

START_TEST(dates_with_slashes_need_a_known_order)
{
    const QcFrameOptions plain = {0};
    static const char words[] = "the day or the month may be first: send dates as 2026-03-02";
    expect(&plain, "time,a,b,c\n13/2/2026 11:59:59 PM,1,2,3\n14/2/2026 12:00:00 AM,4,5,6\n1/3/2026 12:00:01 AM,7,8,9\n",
           "1 2 3;4 5 6;7 8 9;");
    expect(&plain, "time,a,b,c\n2/28/2026 23:59:59,1,2,3\n3/1/2026 0:00:00,4,5,6\n2/3/2026 0:00:01,7,8,9\n",
           "1 2 3;4 5 6;!7 8 9;"); /* the third of February: time goes back */
    refuse(&plain, "time,a,b,c\n3/2/2026 10:00:00,1,2,3\n", words);
    refuse(&plain, "time,a,b,c\nnoon,1,2,3\n3/2/2026 10:00:00,1,2,3\n", words);
    expect(&(QcFrameOptions){.time_column = "none", .columns = "a,b,c"}, "time,a,b,c\n3/2/2026 10:00:00,1,2,3\n",
           "1 2 3;");
}
END_TEST

START_TEST(bad_rows_end_a_segment_and_are_reported_once)
{
    const QcFrameOptions plain = {0};
    expect(&plain, "1,2,3\n4,5\n6,7,8,9\n1,2,3\n", "1 2 3;!.1 2 3;");
    expect(&plain, "1,2,3\n1,x,3\n1,2,3\n1,2,1e39\n1,2,3\n", "1 2 3;!1 2 3;!1 2 3;");
    expect(&plain, "a,b,c\n1,2,3\na,b,c\n4,5,6\n", "1 2 3;!4 5 6;"); /* the sensor's program began anew */
}
END_TEST

START_TEST(missing_values_repeat_previous_value_for_a_limited_time)
{
    const QcFrameOptions plain = {0};
    expect(&plain, "1,2,3\n,5,nan\n7,NA,9\n", "1 2 3;1 5 3;7 5 9;");
    expect(&plain, ",5,6\n1,,6\n1,2,3\n", "!.1 2 3;"); /* nothing to take */
    expect(&plain, "1,2,3\n,2,3\n,2,3\n,2,3\n,2,3\n1,2,3\n",
           "1 2 3;1 2 3;1 2 3;!.1 2 3;"); /* two of sixteen frames may lack it */
}
END_TEST

START_TEST(time_gaps_end_a_segment)
{
    const QcFrameOptions plain = {0};
    char text[ROOM], wanted[ROOM] = "";
    static const struct {
        const char *name, *form;
        double unit;
    } columns[] = {{"t", "%.3f", 1},
                   {"t_ms", "%.0f", 1e3},
                   {"timestamp", "%.3f", 1},
                   {"time", "1970-01-01T00:00:%06.3f", 1},
                   {"time", "2024-02-29 23:59:%06.3f", 1}};
    for (size_t k = 0; k < sizeof columns / sizeof *columns; k++)
        for (int skip = 1; skip <= 4; skip++) { /* frames that are missing after the 20th, plus one; 25 Hz */
            char *to = text + sprintf(text, "%s,a,b,c\n", columns[k].name), *want = wanted;
            for (int n = 0; n < 24; n++) {
                double time = .04 * (n < 20 ? n : n + skip - 1) * columns[k].unit;
                to += sprintf(to, columns[k].form, time);
                to += sprintf(to, ",%d,2,3\n", n);
                want += sprintf(want, "%s%d 2 3;", n == 20 && skip >= 3 ? "!" : "", n);
            }
            expect(&plain, text, wanted);
        }
    expect(&plain, "t,a,b,c\n1,1,2,3\n2,1,2,3\n2,4,2,3\n1,1,2,3\n2,1,2,3\n", "1 2 3;1 2 3;4 2 3;!1 2 3;1 2 3;");
    expect(&plain, "t,a,b,c\n1,1,2,3\nnoon,1,2,3\n2,1,2,3\n", "1 2 3;!1 2 3;");
}
END_TEST

/* Frames that come three times as slowly are gaps until the step is known; times that jitter back are none. */
START_TEST(step_of_time_may_change)
{
    char text[ROOM], out[ROOM], wanted[ROOM];
    QcFrameReader r;
    int n = sprintf(text, "t,a,b,c\n"), w = 0;
    double time = 0;
    for (int i = 0; i < 40; i++, time += i < 16 ? .04 : .12) {
        n += sprintf(text + n, "%.4f,%d,2,3\n", time, i);
        w += sprintf(wanted + w, "%s%d 2 3;", i >= 16 && i < 16 + QC_CLOCK_STEPS ? "!" : "", i);
    }
    read_all(out, &r, &(QcFrameOptions){0}, text, strlen(text), ROOM);
    ck_assert_str_eq(out, wanted);
    ck_assert_str_eq(r.note, "line 25: frames come every 0.12 s now, not every 0.04 s");
    qc_framereader_close(&r);
    n = sprintf(text, "t,a,b,c\n");
    w = 0;
    for (int i = 0; i < 40; i++) {
        double late = i == 30 ? .055 : i == 20 ? .07 : 0; /* the next frame is .015 or .03 s earlier */
        n += sprintf(text + n, "%.4f,%d,2,3\n", .04 * i + late, i);
        w += sprintf(wanted + w, "%s%d 2 3;", i == 20 || i == 21 ? "!" : "", i);
    }
    expect(&(QcFrameOptions){0}, text, wanted);
}
END_TEST

START_TEST(clocks_without_date_start_again)
{
    const QcFrameOptions plain = {0};
    expect(&plain, "time,a,b,c\n23:59:59.96,1,2,3\n23:59:59.98,4,5,6\n00:00:00.00,7,8,9\n0:00:00.02,1,2,3\n",
           "1 2 3;4 5 6;7 8 9;1 2 3;");
    expect(&plain, "time,a,b,c\n11:59:59.9 PM,1,2,3\n12:00:00.0 AM,4,5,6\n", "1 2 3;4 5 6;");
    expect(&plain, "time,a,b,c\n59:59.9,1,2,3\n0:00.0,4,5,6\n0:00.1,7,8,9\n", "1 2 3;4 5 6;7 8 9;");
    /* a frame of the day before comes late */
    expect(&plain, "time,a,b,c\n23:59:59.9,1,2,3\n0:00:00.1,4,5,6\n23:59:59.95,7,8,9\n0:00:00.2,1,2,3\n",
           "1 2 3;4 5 6;!7 8 9;1 2 3;");
    expect(&plain, "time,a,b,c\n14:00:00.0,1,2,3\n13:00:00.0,4,5,6\n", "1 2 3;!4 5 6;"); /* another time zone */
    char text[ROOM];
    int n = sprintf(text, "time,a,b,c\n"); /* half an hour is missing over midnight */
    for (int i = 0; i < 10; i++) n += sprintf(text + n, "23:50:%02d.0,1,2,3\n", i);
    sprintf(text + n, "0:20:09.0,4,5,6\n");
    QcFrameReader r;
    char out[ROOM];
    read_all(out, &r, &plain, text, strlen(text), ROOM);
    ck_assert_msg(strstr(out, "1 2 3;!4 5 6;") != NULL, "%s", out);
    ck_assert_double_eq_tol(r.seconds, 86400 + 1209, 1e-6);
    qc_framereader_close(&r);
}
END_TEST

START_TEST(raw_binary_numbers_are_read)
{
    static const int16_t i16[] = {1, -2, 3, 32767, -32768, 0, 7};
    float f32[] = {1.5f, -2, 3, NAN, 5, 6, 1e38f, 0, 0, 9, 8};
    for (size_t piece = 1; piece < 12; piece++) {
        char out[ROOM];
        QcFrameReader r;
        read_all(out, &r, &(QcFrameOptions){.raw = QC_RAW_I16, .rate = 50}, i16, sizeof i16, piece);
        ck_assert_str_eq(out, "1 -2 3;32767 -32768 0;");
        ck_assert_double_eq_tol(r.seconds, .02, 1e-12);
        ck_assert_str_eq(r.note, "2 bytes at the end are no whole frame of 6 bytes: is --raw right?");
        qc_framereader_close(&r);
        read_all(out, &r, &(QcFrameOptions){.raw = QC_RAW_F32}, f32, sizeof f32, piece);
        ck_assert_str_eq(out, "1.5 -2 3;1.5 5 6;1.5 0 0;");
        ck_assert(isnan(r.seconds));
        ck_assert_str_eq(r.name[2], "3");
        qc_framereader_close(&r);
    }
}
END_TEST

START_TEST(sound_file_headers_are_refused)
{
    static const uint8_t wav[44] = "RIFF....WAVEfmt ";
    QcFrameReader r;
    QcFrameKind kind;
    QcErr err;
    size_t room;
    ck_assert(!qc_framereader_open(&r, &model, &(QcFrameOptions){.raw = QC_RAW_I16}, &err));
    memcpy(qc_framereader_room(&r, &room), wav, sizeof wav);
    qc_framereader_add(&r, sizeof wav);
    ck_assert_int_eq(qc_framereader_next(&r, &kind, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "RIFF"));
    qc_framereader_close(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("framereader");
    TCase *c = tcase_create("framereader");
    tcase_add_test(c, table_formats_are_read);
    tcase_add_test(c, columns_are_found_by_name_and_number);
    tcase_add_test(c, bad_rows_end_a_segment_and_are_reported_once);
    tcase_add_test(c, lines_above_the_header_are_left_out);
    tcase_add_test(c, cells_in_quotes_hold_separators);
    tcase_add_test(c, class_may_be_named_like_a_missing_value);
    tcase_add_test(c, dates_with_slashes_need_a_known_order);
    tcase_add_test(c, missing_values_repeat_previous_value_for_a_limited_time);
    tcase_add_test(c, time_gaps_end_a_segment);
    tcase_add_test(c, step_of_time_may_change);
    tcase_add_test(c, clocks_without_date_start_again);
    tcase_add_test(c, raw_binary_numbers_are_read);
    tcase_add_test(c, sound_file_headers_are_refused);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
