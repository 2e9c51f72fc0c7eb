/* One table defines how every form of output writes text from outside (lib/base/text.c). */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suite.h"
#include "../../lib/base/err.h"
#include "../../lib/base/text.h"

enum { FORMS = 6 };

static const struct {
    const char *text, *forms[FORMS]; /* plain, JSON, LaTeX, Markdown, gnuplot, XML; NULL: as in plain text */
} table[] = {
    {"", {""}},
    {"walking", {"walking"}},
    {"Gehen \xc3\xa4\xe2\x82\xac\xf0\x9f\x9a\xb6",
     {"Gehen \xc3\xa4\xe2\x82\xac\xf0\x9f\x9a\xb6"}}, /* two, three and four bytes */
    /* controls: C0, DEL, C1 */
    {"a\nb", {"a\\x0ab", "a\\u000ab", "a\\textbackslash{}x0ab", "a\\\\x0ab", "a\\\\x0ab"}},
    {"\t\r\x1b[2J",
     {"\\x09\\x0d\\x1b[2J", "\\u0009\\u000d\\u001b[2J",
      "\\textbackslash{}x09\\textbackslash{}x0d\\textbackslash{}x1b[2J", "\\\\x09\\\\x0d\\\\x1b\\[2J",
      "\\\\x09\\\\x0d\\\\x1b[2J"}},
    {"\x7f", {"\\x7f", "\\u007f", "\\textbackslash{}x7f", "\\\\x7f", "\\\\x7f"}},
    {"\xc2\x9b"
     "31m",
     {"\\xc2\\x9b31m", "\\u009b31m", "\\textbackslash{}xc2\\textbackslash{}x9b31m", "\\\\xc2\\\\x9b31m",
      "\\\\xc2\\\\x9b31m"}},
    {"\xc2\x80\xc2\x9f\xc2\xa0",
     {"\\xc2\\x80\\xc2\\x9f\xc2\xa0", "\\u0080\\u009f\xc2\xa0",
      "\\textbackslash{}xc2\\textbackslash{}x80\\textbackslash{}xc2\\textbackslash{}x9f\xc2\xa0",
      "\\\\xc2\\\\x80\\\\xc2\\\\x9f\xc2\xa0", "\\\\xc2\\\\x80\\\\xc2\\\\x9f\xc2\xa0"}},
    /* no UTF-8: a byte alone, one that is cut off, too long a form, a surrogate, beyond the last character, bytes that
     * never occur */
    {"\x9b", {"\\x9b", "\xef\xbf\xbd", "\\textbackslash{}x9b", "\\\\x9b", "\\\\x9b"}},
    {"\xe2\x82",
     {"\\xe2\\x82", "\xef\xbf\xbd\xef\xbf\xbd", "\\textbackslash{}xe2\\textbackslash{}x82", "\\\\xe2\\\\x82",
      "\\\\xe2\\\\x82"}},
    {"\xc3(", {"\\xc3(", "\xef\xbf\xbd(", "\\textbackslash{}xc3(", "\\\\xc3(", "\\\\xc3("}},
    {"\xc0\x8a",
     {"\\xc0\\x8a", "\xef\xbf\xbd\xef\xbf\xbd", "\\textbackslash{}xc0\\textbackslash{}x8a", "\\\\xc0\\\\x8a",
      "\\\\xc0\\\\x8a"}},
    {"\xe0\x82\x9b",
     {"\\xe0\\x82\\x9b", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
      "\\textbackslash{}xe0\\textbackslash{}x82\\textbackslash{}x9b", "\\\\xe0\\\\x82\\\\x9b",
      "\\\\xe0\\\\x82\\\\x9b"}},
    {"\xed\xa0\x80",
     {"\\xed\\xa0\\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
      "\\textbackslash{}xed\\textbackslash{}xa0\\textbackslash{}x80", "\\\\xed\\\\xa0\\\\x80",
      "\\\\xed\\\\xa0\\\\x80"}},
    {"\xf0\x80\x80\x9b",
     {"\\xf0\\x80\\x80\\x9b", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
      "\\textbackslash{}xf0\\textbackslash{}x80\\textbackslash{}x80\\textbackslash{}x9b",
      "\\\\xf0\\\\x80\\\\x80\\\\x9b", "\\\\xf0\\\\x80\\\\x80\\\\x9b"}},
    {"\xf4\x90\x80\x80",
     {"\\xf4\\x90\\x80\\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
      "\\textbackslash{}xf4\\textbackslash{}x90\\textbackslash{}x80\\textbackslash{}x80",
      "\\\\xf4\\\\x90\\\\x80\\\\x80", "\\\\xf4\\\\x90\\\\x80\\\\x80"}},
    {"\xff\xfe",
     {"\\xff\\xfe", "\xef\xbf\xbd\xef\xbf\xbd", "\\textbackslash{}xff\\textbackslash{}xfe", "\\\\xff\\\\xfe",
      "\\\\xff\\\\xfe"}},
    {"\xf4\x8f\xbf\xbd", {"\xf4\x8f\xbf\xbd"}}, /* the last characters */
    /* marks that turn the direction of writing, separators of lines */
    {"a\xe2\x80\xae"
     "b\xe2\x81\xa6",
     {"a\\xe2\\x80\\xaeb\\xe2\\x81\\xa6", "a\\u202eb\\u2066",
      "a\\textbackslash{}xe2\\textbackslash{}x80\\textbackslash{}xaeb\\textbackslash{}xe2\\textbackslash{}"
      "x81\\textbackslash{}xa6",
      "a\\\\xe2\\\\x80\\\\xaeb\\\\xe2\\\\x81\\\\xa6", "a\\\\xe2\\\\x80\\\\xaeb\\\\xe2\\\\x81\\\\xa6"}},
    {"\xe2\x80\xa8\xe2\x80\xa9",
     {"\\xe2\\x80\\xa8\\xe2\\x80\\xa9", "\\u2028\\u2029",
      "\\textbackslash{}xe2\\textbackslash{}x80\\textbackslash{}xa8\\textbackslash{}xe2\\textbackslash{}"
      "x80\\textbackslash{}xa9",
      "\\\\xe2\\\\x80\\\\xa8\\\\xe2\\\\x80\\\\xa9", "\\\\xe2\\\\x80\\\\xa8\\\\xe2\\\\x80\\\\xa9"}},
    /* what means something in the form itself */
    {"\"a\\b\"", {"\"a\\b\"", "\\\"a\\\\b\\\"", "\"a\\textbackslash{}b\"", "\"a\\\\b\"", "\\\"a\\\\b\\\"",
                   "&quot;a\\b&quot;"}},
    {"it's", {"it's", NULL, NULL, NULL, NULL, "it&#39;s"}},
    {"\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd",
     {"\\xef\\xbf\\xbe\\xef\\xbf\\xbf\xef\xbf\xbd", "\\ufffe\\uffff\xef\xbf\xbd",
      "\\textbackslash{}xef\\textbackslash{}xbf\\textbackslash{}xbe\\textbackslash{}xef\\textbackslash{}xbf"
      "\\textbackslash{}xbf\xef\xbf\xbd",
      "\\\\xef\\\\xbf\\\\xbe\\\\xef\\\\xbf\\\\xbf\xef\xbf\xbd",
      "\\\\xef\\\\xbf\\\\xbe\\\\xef\\\\xbf\\\\xbf\xef\xbf\xbd"}},
    {"`id`", {"`id`", NULL, NULL, "\\`id\\`", "\\140id\\140"}},
    {"a|b_c*d[e](f)<g>&h;~$i$",
     {"a|b_c*d[e](f)<g>&h;~$i$", NULL,
      "a\\textbar{}b\\_c*d[e](f)\\textless{}g\\textgreater{}\\&h;\\textasciitilde{}\\$i\\$",
      "a\\|b_c\\*d\\[e\\](f)\\<g\\>\\&h;\\~\\$i\\$", NULL,
      "a|b_c*d[e](f)&lt;g&gt;&amp;h;~$i$"}},
    {"100%#{}^", {"100%#{}^", NULL, "100\\%\\#\\{\\}\\textasciicircum{}", NULL, NULL}},
};

START_TEST(texts_are_escaped_in_each_form)
{
    for (int f = 0; f < FORMS; f++) {
        const char *wanted = table[_i].forms[f] ? table[_i].forms[f] : table[_i].forms[0], *text = table[_i].text;
        char *put, copy[256];
        size_t length;
        FILE *to = open_memstream(&put, &length);
        qc_text_put(to, text, (QcTextForm)f);
        fclose(to);
        ck_assert_msg(!strcmp(put, wanted), "row %d, form %d: %s", _i, f, put);
        qc_text_copy(copy, sizeof copy, text, (QcTextForm)f);
        ck_assert_str_eq(copy, wanted);
        for (size_t room = 1; room <= length; room++) { /* a beginning of it, never half a character */
            qc_text_copy(copy, room, text, (QcTextForm)f);
            size_t n = strlen(copy);
            ck_assert(n < room && !memcmp(copy, wanted, n));
            char whole[256];
            qc_text_copy(whole, sizeof whole, copy, QC_TEXT_PLAIN);
            ck_assert_str_eq(whole, copy);
        }
        free(put);
    }
}
END_TEST

/* Whatever the bytes are: the output is UTF-8 without a control character, and plain text of it is itself. */
START_TEST(random_bytes_become_safe_text)
{
    uint64_t state = 1;
    for (int turn = 0; turn < 20000; turn++) {
        char text[9], out[256], again[256];
        for (int i = 0; i < 8; i++)
            text[i] = (char)((state = state * 6364136223846793005u + 1442695040888963407u) >> 56);
        if (turn % 2)
            for (int i = 0; i < 8; i += 2) text[i] = "\xc2\xe2\xf0\xed"[i / 2]; /* beginnings of sequences */
        text[8] = 0;
        for (int f = 0; f < FORMS; f++) {
            qc_text_copy(out, sizeof out, text, (QcTextForm)f);
            qc_text_copy(again, sizeof again, out, QC_TEXT_PLAIN);
            ck_assert_str_eq(again, out);
        }
    }
}
END_TEST

/* The same texts as files may have. */
START_TEST(utf8_is_told_from_other_bytes)
{
    static const struct {
        const char *text;
        size_t length;
        int is_utf8;
    } rows[] = {{"", 0, 1},
                {"a\xc3\xa4", 3, 1},
                {"a\xc3\xa4", 2, 0},
                {"\xe4nd", 3, 0},
                {"\xe2\x82\xac", 3, 1},
                {"\xe2\x82\xac", 2, 0},
                {"\xf0\x9f\x98\x80", 4, 1},
                {"\xf0\x9f\x98\x80", 3, 0},
                {"a\0b", 3, 0},
                {"\xed\xa0\x80", 3, 0},
                {"\xc0\x80", 2, 0},
                {"\xf4\x90\x80\x80", 4, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(qc_text_is_utf8(rows[i].text, rows[i].length) == rows[i].is_utf8, "row %zu", i);
}
END_TEST

START_TEST(messages_are_one_line)
{
    QcErr err;
    qc_fail(&err, QC_EFORMAT, "class '%s' of %.5s", "a\n\x1b[2J\xc2\x9b", "\xff\xfe");
    ck_assert_str_eq(err.text, "class 'a\\x0a\\x1b[2J\\xc2\\x9b' of \\xff\\xfe");
    qc_within(&err, "f\n");
    ck_assert_str_eq(err.text, "f\\x0a: class 'a\\x0a\\x1b[2J\\xc2\\x9b' of \\xff\\xfe"); /* not escaped twice */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text");
    TCase *tcase = tcase_create("text");
    tcase_add_loop_test(tcase, texts_are_escaped_in_each_form, 0, sizeof table / sizeof *table);
    tcase_add_test(tcase, random_bytes_become_safe_text);
    tcase_add_test(tcase, utf8_is_told_from_other_bytes);
    tcase_add_test(tcase, messages_are_one_line);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
