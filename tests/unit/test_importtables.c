/* test_importtables.c - tables as spreadsheets, loggers, pandas and R write them: the exact values, or one sentence. */
#include <uchar.h>

#include "suite.h"
#include "../../lib/data/import.h"

#include "scratch.h"
#include "importing.h"
#include "tabletext.h"

START_TEST(decimal_comma_is_read_in_quotes_times_and_dates)
{
    const QcImportOptions comma = {.decimal = 1}, seconds = {.decimal = 1, .window = "1s"};
    check("v,w,label\n\"1,5\",\"2,25\",a\n\"-,5\",3,b\n", comma, "1.5 2.25 a; -0.5 3 b; ", NULL);
    check("t;v;label\n0,0;1,5;a\n0,5;2,5;a\n1,0;3;a\n1,5;4;a\n", seconds, "1.5 2.5 a; 3 4 a; ",
          "time: t (seconds, 2 samples/s)");
    check("t;v;label\n2026-03-02 10:00:00,0;1,5;a\n2026-03-02 10:00:00,5;2,5;a\n", seconds, "1.5 2.5 a; ",
          "2 samples/s");
    check("\xef\xbb\xbfv;w;label\r\n1,5;2;a\r\n3;4;b\r\n", comma, "1.5 2 a; 3 4 b; ", NULL);
    check("1.0\t1,5\n1.0\t2,5\n2.0\t3,5\n", comma, "1.5 1; 2.5 1; 3.5 2; ",
          "label: column 1 (2 classes)"); /* no times */
    refuse("v,w,label\n\"1,5\",2,a\n\"2,5\",2,b\n", plain, QC_EFORMAT, "--decimal , reads them");
}
END_TEST

START_TEST(thousands_separators_are_refused)
{
    refuse("v,w,label\n\"1,234\",2,a\n\"2,345\",2,b\n", plain, QC_EFORMAT, "--decimal , reads 1.234; separators of");
    refuse("v,w,label\n\"1,234,567\",2,a\n\"2,345\",2,b\n", plain, QC_EFORMAT, "numbers such as 1,234");
    refuse("v,w,label\n\"1,234.5\",2,a\n\"2,345.0\",2,b\n", plain, QC_EFORMAT, "separators of thousands must be taken");
    refuse("v;w;label\n1.234,5;2;a\n2.345,5;2;b\n", (QcImportOptions){.decimal = 1}, QC_EFORMAT,
           "separators of thousands must be taken");
    refuse("v;w;label\n1.234;2,5;a\n2,5;2,5;b\n", (QcImportOptions){.decimal = 1}, QC_EFORMAT,
           "has a point, but --decimal is a comma");
}
END_TEST

START_TEST(duplicate_column_names_need_numbers)
{
    const char *table = "ax,ax,label\n1,2,a\n4,1,b\n";
    check(table, plain, "1 2 a; 4 1 b; ", "f: columns 1 and 2 are both called 'ax'");
    check(table, (QcImportOptions){.columns = "2"}, "2 a; 1 b; ", NULL);
    refuse(table, (QcImportOptions){.columns = "ax"}, QC_EUSAGE, "are both called 'ax': give the number of the values");
    refuse(table, (QcImportOptions){.label = "AX"}, QC_EUSAGE, "give the number of the label");
}
END_TEST

/* A column `name` of the values first + k * step (at most `most` of them before it starts anew) beside others. */
static const char *counter(const char *name, double first, double step, int most)
{
    static char text[4000];
    size_t n = (size_t)snprintf(text, sizeof text, "a,%s,label\n", name);
    for (int k = 0; k < 64; k++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%d,%g,%c\n", k * 7 % 5, first + step * (k % most),
                              "ab"[k / 32]);
    return text;
}

START_TEST(rising_column_needs_a_decision)
{
    static const char *const names[] = {"counter", "position", "frame", "x9"};
    const QcImportOptions samples = {.window = "4"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        refuse(counter(names[k], 100, 1, 64), plain, QC_EUSAGE, "rises from row to row, as counters and times do");
        refuse(counter(names[k], 0.5, 20, 64), samples, QC_EUSAGE, "leave it out with --ignore ");
        refuse(counter(names[k], 0, 0.02, 32), samples, QC_EUSAGE, "rises from row to row"); /* two recordings */
    }
    QcDataset d;
    ck_assert_int_eq(import(&d, "csv", scratch_text("f", counter("counter", 9, 1, 64)),
                            (QcImportOptions){.ignore = "counter"}), 0);
    ck_assert_int_eq((int)d.length, 1);
    qc_dataset_release(&d);
    ck_assert_int_eq(import(&d, "csv", scratch_text("f", counter("counter", 9, 1, 64)),
                            (QcImportOptions){.columns = "1,2"}), 0);
    ck_assert_int_eq((int)d.length, 2);
    qc_dataset_release(&d);
    ck_assert_int_eq(import(&d, "csv", scratch_text("f", counter("sawtooth", 0, 1, 3)), plain), 0);
    qc_dataset_release(&d);
}
END_TEST

START_TEST(unambiguous_dates_are_read)
{
    static const char *const forms[][4] = {
        {"02.03.2026 10:00:00", "02.03.2026 10:00:01", "02.03.2026 10:00:02", "02.03.2026 10:00:03"},
        {"31.5.2026 23:59:58", "31.5.2026 23:59:59", "1.6.2026 00:00:00", "1.6.2026 00:00:01"},
        {"3/2/2026 9:59:59 AM", "3/2/2026 10:00:00 AM", "3/2/2026 10:00:01 AM", "3/2/2026 10:00:02 AM"},
        {"2/28/2026 11:59:59 PM", "3/1/2026 12:00:00 AM", "3/1/2026 12:00:01 AM", "3/1/2026 12:00:02 AM"},
        {"28/2/2026 23:59:59", "1/3/2026 0:00:00", "1/3/2026 0:00:01", "1/3/2026 0:00:02"},
        {"2026/03/02 10:00:00", "2026/03/02 10:00:01", "2026/03/02 10:00:02", "2026/03/02 10:00:03"},
        {"28-Feb-2026 23:59:59", "01-Mar-2026 00:00:00", "01-Mar-2026 00:00:01", "01-Mar-2026 00:00:02"},
        {"9:59:59.000", "10:00:00.000", "10:00:01.000", "10:00:02.000"},
    };
    char table[400];
    for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) {
        snprintf(table, sizeof table, "time,v,label\n%s,1,a\n%s,2,a\n%s,3,a\n%s,4,a\n", forms[k][0], forms[k][1],
                 forms[k][2], forms[k][3]);
        check(table, (QcImportOptions){.window = "4s"}, "1 2 3 4 a; ", "time: time (dates, 1 samples/s)");
    }
    check("date,time,v,label\n2026-03-02,10:00:00,1,a\n2026-03-02,10:00:01,2,a\n2026-03-02,10:00:02,3,a\n",
          (QcImportOptions){.window = "3s"}, "1 2 3 a; ", "time: time (dates, 1 samples/s); ignored: date");
    refuse("time,v,label\n3/2/2026,1,a\n4/2/2026,2,a\n5/2/2026,3,a\n", (QcImportOptions){.window = "2"}, QC_EUSAGE,
           "the day or the month may be first: write them as 2026-03-02");
    refuse("time,v,label\n28-Feb-2026,1,a\n30-Feb-2026,2,a\n", (QcImportOptions){.window = "2"}, QC_EFORMAT, "30-Feb");
    refuse("time,v,label\n13/2/2026,1,a\n2/13/2026,2,a\n", (QcImportOptions){.window = "2"}, QC_EUSAGE,
           "the day or the month may be first");
}
END_TEST

START_TEST(lines_before_table_are_not_rows)
{
    check("Device: X\nRate: 50\n\nax,ay,label\n1,2,a\n4,5,b\n", plain, "1 2 a; 4 5 b; ", "lines 1 to 3 ('Device: X'");
    check("Rate,50\nUnit,g\nName;,x\nax,ay,az,label\n1,2,3,a\n4,5,6,b\n", plain, "1 2 3 a; 4 5 6 b; ",
          "lines 1 to 3 ('Rate,50'");
    check("ax,ay,label\nm/s2,m/s2,-\n1,2,a\n4,5,b\n", plain, "1 2 a; 4 5 b; ",
          "line 2 ('m/s2,m/s2,-' ...) is a second row");
    check("a,b,label,note\n1,2,u,\n4,3,v,\n", plain, "1 2 u; 4 3 v; ", "ignored: note");
    check("a,b,label\n1,2,nan\n4,5,None\n7,8,NaN\n", plain, "1 2 -; 4 5 None; 7 8 -; ", "2 rows have no label");
    check("a,b,label\n1,2,True\n4,5,False\n", plain, "1 2 True; 4 5 False; ", NULL);
    refuse("1,2,a\n1,2,3,a\n1,2,3,b\n", plain, QC_EFORMAT, "f:2: 4 columns instead of 3");
    refuse("walk,1,2\nwalk,1,2,3\nsit,1,2,3\n", plain, QC_EFORMAT, "f:2: 4 columns instead of 3");
}
END_TEST

/* Lines of a name and a value over a table of two or three columns. */
START_TEST(narrow_tables_may_have_lines_above_them)
{
    const QcImportOptions windows = {.window = "2"}, unlabelled = {.window = "2", .label = "none"};
    const char *rows = "ax,label\n1.5,walk\n2.5,sit\n3.5,sit\n", *values = "1.5 walk; 2.5 sit; 3.5 sit; ";
    static const char *const above[] = {"Rate,50\n", "Device,X1\n", "Device,X1\nRate,50\n", "a log of device X\n"};
    char table[200];
    for (size_t k = 0; k < sizeof above / sizeof *above; k++) {
        snprintf(table, sizeof table, "%s%s", above[k], rows);
        check(table, plain, values, "above the header");
    }
    check("Subject,P1\nDate,2026-03-02\nax,ay,label\n1,2,u\n3,4,v\n", plain, "1 2 u; 3 4 v; ", "lines 1 to 2");
    check("Subject;P1\nt;ax\n0;1\n1;2\n2;3\n3;4\n", windows, "1 2 -; 3 4 -; ", "1 channel ax; no label; time: t");
    check("Rate,50\n,ax,ay,label,\n0,1,2,u,\n1,3,4,v,\n", plain, "1 2 u; 3 4 v; ", "above the header");
    check("made by X\n\tax\tay\tlabel\n0\t1\t2\tu\n1\t3\t4\tv\n2\t5\t6\tu\n", plain, "1 2 u; 3 4 v; 5 6 u; ",
          "2 values (ax, ay), 1 channel per row; label: label (2 classes); ignored: column 1");
    check("time,acc\ns,g\n0,1\n1,2\n2,3\n3,4\n", windows, "1 2 -; 3 4 -; ", "line 2 ('s,g' ...) is a second row");
    refuse("Rate,50\nDevice,X\nax,ay\n1,2\n2,3\n3,4\n", unlabelled, QC_EUSAGE, "may both be the header: remove");
    refuse("Rate,50\n1.5,walk\n2.5,sit\n", plain, QC_EUSAGE, "give --header yes or no");
    refuse("Rate,50\n1.5,2.5\n2.5,3.5\n", unlabelled, QC_EUSAGE, "give --header yes or no");
    refuse("1.5f,2,u\n2,3,v\n", plain, QC_EUSAGE, "give --header yes or no");
}
END_TEST

START_TEST(cells_in_quotes_may_have_line_ends)
{
    check("a,b,label\n1,2,\"u\nx\"\n3,4,v\n", plain, "1 2 u\nx; 3 4 v; ", NULL);
    check("note,b,label\n\"say \"\"hi\"\",\n\nyou\",2,u\nx,4,v\n", (QcImportOptions){.ignore = "note"}, "2 u; 4 v; ",
          NULL);
    check("\"acc\nx\",\"acc\ny\",label\n1,2,u\n3,4,v\n", plain, "1 2 u; 3 4 v; ", "2 values (acc\nx, acc\ny)");
    check("size,b,label\n5\" pipe,2,u\n6\" pipe,4,v\n", (QcImportOptions){.ignore = "size"}, "2 u; 4 v; ", NULL);
    refuse("a,b,label\n1,2,\"u\n3,4,v\n", plain, QC_EFORMAT, "f:2: a quoted cell is not closed");
    refuse("a,b,label\n1,2,\"u\n3,4,\"v\"\n", plain, QC_EFORMAT, "a quoted cell is not closed");
}
END_TEST

START_TEST(lines_may_end_in_any_way)
{
    check("a,b,label\r1,2,u\r3,4,v\r", plain, "1 2 u; 3 4 v; ", NULL);
    check("a,b,label\r\n1,2,u\r3,4,v\n5,6,u\r\n", plain, "1 2 u; 3 4 v; 5 6 u; ", NULL);
    check("a,b,label\r\r\n1,2,u\r\r\n\r\r\n3,4,v\r\r\n", plain, "1 2 u; 3 4 v; ", NULL);
    refuse("a,b,label\r1,2,u\r3,x,v\r", plain, QC_EFORMAT, "f:3: column 2 'x'");
    refuse("a,b,label\r\r\n1,2,u\r\r\n3,x,v\r\r\n", plain, QC_EFORMAT, "f:3: column 2 'x'");
}
END_TEST

/* Row names of R have no name in the header; row numbers of a selection are not 0, 1, 2, ... */
START_TEST(row_names_are_no_values)
{
    check("ax label\n11 0.5 1\n20 1.5 2\n31 1.4 2\n", plain, "0.5 1; 1.5 2; 1.39999998 2; ", "ignored: column 1");
    check("Unnamed: 0.1,Unnamed: 0,ax,label\n0,11,0.5,u\n1,20,1.5,v\n2,3,1,v\n", plain, "0.5 u; 1.5 v; 1 v; ",
          "ignored: Unnamed: 0.1, Unnamed: 0");
    check(",ax,label\n11,0.5,u\n20,1.5,v\n31,1,v\n", plain, "0.5 u; 1.5 v; 1 v; ", "ignored: column 1");
    check(",0,1,2\n0,1.5,2,u\n1,3.5,9,v\n2,1,1,u\n", plain, "1.5 2 u; 3.5 9 v; 1 1 u; ", "ignored: column 1");
    check(",outcome,v\n781730,1,9.5\n275277,1,8\n414992,2,7\n", plain, "9.5 1; 8 1; 7 2; ",
          "label: outcome (2 classes)");
    check("ax ay label\n11 0.5 1 1\n20 1.5 3 2\n", (QcImportOptions){.columns = "1,ax"}, "11 0.5 1; 20 1.5 2; ", NULL);
}
END_TEST

START_TEST(times_of_other_forms_are_no_classes)
{
    static const char *const times[] = {"10:30", "10:30:15:250", "02/03/26 10:30", "0 days 00:00:01"};
    const QcImportOptions samples = {.window = "2"};
    char table[200];
    for (size_t k = 0; k < sizeof times / sizeof *times; k++) {
        const char *t = times[k];
        snprintf(table, sizeof table, "time,ax,ay\n%s,1.5,2\n%s,2.5,3\n%s,3.5,1\n%s,4,1\n", t, t, t, t);
        refuse(table, samples, QC_EUSAGE, "'time' has times of an unknown form: write them as 2026-03-02");
        snprintf(table, sizeof table, "%s,1.5,2\n%s,2.5,3\n%s,3.5,1\n%s,4,1\n", t, t, t, t);
        if (k < 2) refuse(table, samples, QC_EUSAGE, "leave them out with --ignore 1");
    }
    check("time,ax,ay\n10:30,1.5,2\n10:31,2.5,3\n", (QcImportOptions){.ignore = "time", .label = "none"},
          "1.5 2 -; 2.5 3 -; ", NULL);
    check("time,ax,ay\nday,1.5,2\nnight,2.5,3\n", (QcImportOptions){.label = "time"}, "1.5 2 day; 2.5 3 night; ", NULL);
}
END_TEST

START_TEST(dates_without_signs_are_refused)
{
    static const char *const times[] = {"20260302100059,20260302100100,20260302100101",
                                        "20260331,20260401,20260402", "2026030223,2026030300,2026030301",
                                        "20260302100059900,20260302100100000,20260302100100100"};
    char table[300], first[20], second[20], third[20];
    for (size_t k = 0; k < sizeof times / sizeof *times; k++) {
        ck_assert_int_eq(sscanf(times[k], "%19[0-9],%19[0-9],%19[0-9]", first, second, third), 3);
        snprintf(table, sizeof table, "time,v,label\n%s,1,u\n%s,2,u\n%s,3,u\n", first, second, third);
        refuse(table, (QcImportOptions){.window = "3"}, QC_EUSAGE, "has dates without separators, such as 2026");
    }
    check("t_ms,v,label\n20261302,1,u\n20261322,2,u\n20261342,3,u\n", (QcImportOptions){.window = "3"}, "1 2 3 u; ",
          "50 samples/s"); /* no month */
}
END_TEST

/* Recordings of several pages each: only their own memory is returned to the system. */
START_TEST(many_recordings_keep_their_values)
{
    enum { RECORDINGS = 50, STEPS = 1500, ROOM = 2000000 };
    static const struct {
        QcImportOptions o;
        uint32_t per_recording, stride, length;
    } cases[] = {{{.window = "whole"}, 1, 0, STEPS},
                 {{.window = "whole", .unequal = QC_UNEQUAL_RESAMPLE, .length = 750}, 1, 0, 750},
                 {{.window = "100"}, 15, 100, 100},
                 {{.window = "100", .stride = "40", .missing = QC_MISSING_DROP}, 36, 40, 100}};
    char *table = malloc(ROOM);
    size_t n = (size_t)sprintf(table, "ax,ay,label\n");
    for (int k = 0; k < RECORDINGS; k++)
        for (int t = 0; t < STEPS; t++) n += (size_t)sprintf(table + n, "%d.5,%d,%c\n", t * 7 % 97, k, "uv"[k % 2]);
    ck_assert_uint_lt(n, ROOM);
    const char *path = scratch_text("f", table);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        QcDataset d;
        uint32_t wrong = 0;
        ck_assert_msg(!import(&d, "csv", path, cases[c].o), "%s", err.text);
        ck_assert_uint_eq(d.n, RECORDINGS * cases[c].per_recording);
        ck_assert_uint_eq(d.length, cases[c].length);
        for (uint32_t i = 0; i < d.n; i++)
            for (uint32_t t = 0; t < d.length; t++) {
                const float *x = qc_dataset_window(&d, i);
                uint32_t step = i % cases[c].per_recording * cases[c].stride + t;
                int resampled = cases[c].length == 750;
                wrong += !resampled && x[t] != (float)(step * 7 % 97) + 0.5f;
                wrong += x[d.length + t] != (float)(i / cases[c].per_recording);
            }
        ck_assert_uint_eq(wrong, 0);
        qc_dataset_release(&d);
    }
    free(table);
}
END_TEST

START_TEST(utf16_becomes_utf8)
{
    static const char16_t text[] = u"\ufeffa;b;label\r\n1;2;\u00e4\u20ac\U0001f600\r\n3;4;v\r\n";
    enum { UNITS = sizeof text / sizeof *text - 1 };
    for (int big = 0; big < 2; big++)
        for (int bad = 0; bad < 3; bad++) {
            uint8_t bytes[2 * UNITS];
            QcDataset d;
            for (size_t k = 0; k < UNITS; k++) {
                unsigned unit = bad == 1 && text[k] == 0xd83d ? 'x' : bad == 2 && text[k] == 0xde00 ? 'x' : text[k];
                bytes[2 * k + (big ? 1 : 0)] = (uint8_t)unit;
                bytes[2 * k + (big ? 0 : 1)] = (uint8_t)(unit >> 8);
            }
            ck_assert_int_eq(import(&d, "csv", scratch_write("f", bytes, sizeof bytes), plain), bad ? -1 : 0);
            if (bad) ck_assert_ptr_nonnull(strstr(err.text, "text in UTF-16, but is damaged"));
            else ck_assert_str_eq(text_of(&d), "1 2 \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80; 3 4 v; ");
            qc_dataset_release(&d);
        }
}
END_TEST

START_TEST(filled_values_are_reported)
{
    const QcImportOptions fill = {.missing = QC_MISSING_FILL}, cut = {.missing = QC_MISSING_FILL, .window = "4"};
    check("1,2,3,4,5,6,7,8,9,a\n1,2,,4,5,6,7,8,9,b\n", fill, "1 2 3 4 5 6 7 8 9 a; 1 2 3 4 5 6 7 8 9 b; ",
          "1 missing value (5.6 %) was filled in; the longest run has 1 step");
    check("1,2,3,4,a\n,,,4,b\n", fill, "1 2 3 4 a; 4 4 4 4 b; ",
          "warning: 3 missing values (38 %) were filled in; the longest run has 3 steps of a window of 4");
    /* a run of a window's length is no measurement; its windows are dropped */
    check("v,label\n1,a\n2,a\n,a\n4,a\n5,a\n,a\n,a\n,a\n,a\n,a\n7,a\n8,a\n9,a\n10,a\n11,a\n12,a\n", cut,
          "1 2 3 4 a; 9 10 11 12 a; ", "2 of 4 windows were dropped: a value is missing");
    ck_assert(strstr(said, "1 missing value"));
}
END_TEST

START_TEST(rows_out_of_order_are_refused)
{
    const QcImportOptions two = {.window = "2"};
    refuse("t,user,v,label\n1,A,1,a\n1,B,2,a\n2,A,3,a\n2,B,4,a\n3,A,5,a\n3,B,6,a\n", two, QC_EFORMAT,
           "rows of different 'user' alternate (4 times in 6 rows): sort the rows");
    refuse("t,v,label\n6,1,a\n5,2,a\n4,3,a\n3,4,a\n2,5,a\n", two, QC_EFORMAT,
           "the times of 't' go back in 4 of the first 5 rows: sort the rows");
    refuse("t,v,label\n1,1,a\n101,2,a\n2,3,a\n102,4,a\n3,5,a\n103,4,a\n", two, QC_EFORMAT, "go back in 2 of ");
    check("t,user,v,label\n1,A,1,a\n2,A,2,a\n1,B,3,a\n2,B,4,a\n3,A,5,a\n4,A,6,a\n", two,
          "1 2 a; 3 4 a; 5 6 a; ", "recordings by 'user' come back 1 time after another");
    check("t,v,label\n1,1,a\n2,2,a\n3,3,a\n4,4,a\n5,9,a\n6,9,a\n1,5,a\n2,6,a\n3,7,a\n4,8,a\n", two,
          "1 2 a; 3 4 a; 9 9 a; 5 6 a; 7 8 a; ", "time goes back 1 time: no window crosses such a place");
}
END_TEST

START_TEST(measured_rate_gives_nearest_window_length)
{
    char table[2000];
    size_t n = (size_t)snprintf(table, sizeof table, "t_ms,v,label\n");
    for (int k = 0; k < 60; k++)
        n += (size_t)snprintf(table + n, sizeof table - n, "%d,%d,a\n", (k * 100 + 1) / 3, k * 7 % 5);
    QcDataset d;
    const char *path = scratch_text("f", table);
    ck_assert_msg(!import(&d, "csv", path, (QcImportOptions){.window = "500ms", .note = hear}), "%s", err.text);
    ck_assert_int_eq((int)d.length, 15);
    qc_dataset_release(&d);
    *said = 0;
    ck_assert_msg(!import(&d, "csv", path, (QcImportOptions){.window = "510ms", .note = hear}), "%s", err.text);
    ck_assert_int_eq((int)d.length, 15);
    ck_assert_msg(strstr(said, "--window 510ms is 15 samples at 29.9") != NULL, "%s", said);
    qc_dataset_release(&d);
    refuse(table, (QcImportOptions){.window = "510ms", .rate = 30}, QC_EUSAGE,
           "--window 510ms is 15.3 samples at 30 samples/s: give a number of samples (15)");
    check("t_ms,v,label\n0,1,a\n10,2,a\n30,3,a\n40,2,a\n60,1,a\n70,5,a\n", (QcImportOptions){.window = "6"},
          "1 2 3 2 1 5 a; ", "'t_ms' has steps of 10 to 20: windows take its samples as even");
}
END_TEST

START_TEST(columns_follow_order_of_list)
{
    check("ax,ay,az,label\n1,2,3,a\n4,5,7,b\n", (QcImportOptions){.columns = "az,ax", .features = 1},
          "3 1 a; 7 4 b; ", "2 channels az, ax;");
}
END_TEST

/* The same columns in another order, or another rate, in the second file of a folder. */
/* Short recordings lie side by side in memory. */
START_TEST(files_of_a_folder_keep_their_values)
{
    enum { FILES = 8, STEPS = 200, MORE = 17 };
    QcDataset d;
    char name[40], text[STEPS * 20], folder[300] = "";
    uint32_t wrong = 0;
    for (int f = 0; f < FILES; f++) {
        size_t n = (size_t)sprintf(text, "x,y\n");
        for (int t = 0; t < STEPS + MORE * (f / 2); t++) n += (size_t)sprintf(text + n, "%d,%d\n", t * 7 % 97, f);
        snprintf(name, sizeof name, "%c_u%d.csv", "ab"[f % 2], f / 2);
        snprintf(folder, sizeof folder, "%s", scratch_text(name, text));
    }
    *strrchr(folder, '/') = 0;
    QcImportOptions o = {.window = "whole", .unequal = QC_UNEQUAL_PAD, .name_pattern = "{label}_{group}.csv"};
    for (int k = 0; k < 2; k++) {
        ck_assert_msg(!import(&d, "csv", folder, o), "%s", err.text);
        ck_assert_uint_eq(d.n, FILES);
        for (uint32_t i = 0; i < d.n; i++) {
            const char *group = d.groups.names[d.group[i]];
            uint32_t u = (uint32_t)(group[1] - '0'), f = 2 * u + (uint32_t)d.label[i], steps = STEPS + MORE * u;
            for (uint32_t t = 0; t < d.length; t++) {
                const float *x = qc_dataset_window(&d, i);
                wrong += x[d.length + t] != (t < steps || k ? (float)f : 0);
                wrong += !k && x[t] != (t < steps ? (float)(t * 7 % 97) : 0);
            }
        }
        ck_assert_uint_eq(wrong, 0);
        qc_dataset_release(&d);
        o.unequal = QC_UNEQUAL_RESAMPLE;
    }
}
END_TEST

START_TEST(files_of_a_folder_must_agree)
{
    QcDataset d;
    QcImportOptions o = {.window = "2", .note = hear};
    char folder[300];
    snprintf(folder, sizeof folder, "%s", scratch_text("one.csv", "t_s,ax,ay,label\n0,1,2,a\n1,3,4,a\n"));
    *strrchr(folder, '/') = 0;
    scratch_text("two.csv", "t_s,ay,ax,label\n0,1,2,a\n1,3,4,a\n");
    ck_assert_int_eq(import(&d, "csv", folder, o), -1);
    ck_assert_msg(strstr(err.text, "two.csv: its columns of values have other names") != NULL, "%s", err.text);
    o.columns = "ax,ay";
    ck_assert_msg(!import(&d, "csv", folder, o), "%s", err.text);
    ck_assert_str_eq(text_of(&d), "1 3 2 4 a; 2 4 1 3 a; ");
    qc_dataset_release(&d);
    scratch_text("two.csv", "t_s,ax,ay,label\n0,1,2,a\n2,3,4,a\n");
    ck_assert_int_eq(import(&d, "csv", folder, o), -1);
    ck_assert_msg(strstr(err.text, "two.csv has 0.5 samples/s, the files before it 1") != NULL, "%s", err.text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("importtables");
    TCase *t = tcase_create("importtables");
    tcase_add_checked_fixture(t, scratch_make, scratch_remove);
    tcase_add_test(t, decimal_comma_is_read_in_quotes_times_and_dates);
    tcase_add_test(t, thousands_separators_are_refused);
    tcase_add_test(t, duplicate_column_names_need_numbers);
    tcase_add_test(t, rising_column_needs_a_decision);
    tcase_add_test(t, unambiguous_dates_are_read);
    tcase_add_test(t, lines_before_table_are_not_rows);
    tcase_add_test(t, filled_values_are_reported);
    tcase_add_test(t, narrow_tables_may_have_lines_above_them);
    tcase_add_test(t, cells_in_quotes_may_have_line_ends);
    tcase_add_test(t, lines_may_end_in_any_way);
    tcase_add_test(t, row_names_are_no_values);
    tcase_add_test(t, times_of_other_forms_are_no_classes);
    tcase_add_test(t, dates_without_signs_are_refused);
    tcase_add_test(t, utf16_becomes_utf8);
    tcase_add_test(t, many_recordings_keep_their_values);
    tcase_add_test(t, rows_out_of_order_are_refused);
    tcase_add_test(t, measured_rate_gives_nearest_window_length);
    tcase_add_test(t, columns_follow_order_of_list);
    tcase_add_test(t, files_of_a_folder_keep_their_values);
    tcase_add_test(t, files_of_a_folder_must_agree);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
