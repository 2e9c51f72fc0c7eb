#include "kvwriter.h"

#include <math.h>
#include <stdio.h>

#include "cli.h"

static const int max_depth = 15;

/* What stands before a value: the comma of JSON, or the indentation of text. */
static void begin(QcKvWriter *s, const char *key)
{
    if (s->json) {
        if (s->started[s->depth]) fputs(", ", stdout);
        else if (!s->depth) putchar('{'); /* not before the first fact: whoever fails before it prints nothing */
        if (key) {
            qc_json_text(key);
            fputs(": ", stdout);
        }
    } else {
        if (!s->in_line) printf("%*s", 2 * s->depth, "");
        else if (s->started[s->depth]) fputs(", ", stdout);
        if (key) qc_print_text(key);
        fputs(!key ? "-" : s->in_line ? "" : ":", stdout);
    }
    s->started[s->depth] = 1;
}

static void go_in(QcKvWriter *s, const char *key, char opener, char closer)
{
    begin(s, key);
    if (s->json) putchar(opener);
    else if (!key && opener == '{') s->in_line = 1, putchar(' ');
    else putchar('\n');
    if (s->depth < max_depth) s->depth++;
    s->started[s->depth] = 0;
    s->closer[s->depth] = closer;
}

void qc_kv_open(QcKvWriter *s, int json)
{
    *s = (QcKvWriter){.json = json};
}

void qc_kv_close(QcKvWriter *s)
{
    if (s->json) puts(s->started[0] ? "}" : "{}");
}

void qc_kv_object(QcKvWriter *s, const char *key) { go_in(s, key, '{', '}'); }
void qc_kv_list(QcKvWriter *s, const char *key) { go_in(s, key, '[', ']'); }

void qc_kv_end(QcKvWriter *s)
{
    if (s->json) putchar(s->closer[s->depth]);
    else if (s->in_line) putchar('\n');
    s->in_line = 0;
    s->depth--;
}

static void end(const QcKvWriter *s)
{
    if (!s->json && !s->in_line) putchar('\n');
}

void qc_kv_text(QcKvWriter *s, const char *key, const char *text)
{
    begin(s, key);
    if (s->json) {
        qc_json_text(text);
    } else {
        putchar(' ');
        qc_print_text(text);
    }
    end(s);
}

void qc_kv_int(QcKvWriter *s, const char *key, int64_t value)
{
    begin(s, key);
    printf(s->json ? "%lld" : " %lld", (long long)value);
    end(s);
}

void qc_kv_real(QcKvWriter *s, const char *key, double value)
{
    begin(s, key);
    if (!s->json) putchar(' ');
    if (isfinite(value)) printf("%.9g", value);
    else fputs(s->json ? "null" : "none", stdout);
    end(s);
}

void qc_kv_flag(QcKvWriter *s, const char *key, int value)
{
    begin(s, key);
    printf(s->json ? "%s" : " %s", s->json ? (value ? "true" : "false") : (value ? "yes" : "no"));
    end(s);
}
