/* progress.c - words and a progress line for the person at the terminal; JSON and safe text for stdout. */
#include <math.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/clock.h"
#include "parser.h"

static int line_shown; /* a progress line stands on the terminal */

void qc_say(const char *format, ...)
{
    if (qc_cli_quiet()) return;
    qc_progress_end();
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void qc_warn(const char *format, ...)
{
    qc_progress_end();
    fprintf(stderr, "%s: warning: ", qc_cli_name());
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void qc_progress(uint64_t done, uint64_t total, const char *format, ...)
{
    static double start, drawn;
    static uint64_t first, before = UINT64_MAX;
    if (qc_cli_quiet() || !isatty(STDERR_FILENO)) return;
    double t = qc_seconds();
    if (done < before) { /* something new has begun */
        start = t;
        first = done;
        drawn = 0;
    }
    before = done;
    if (t - drawn < 0.1 && done < total) return;
    drawn = t;
    char text[160];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "\r\033[K%llu/%llu  %s", (unsigned long long)done, (unsigned long long)total, text);
    if (done > first && done < total) {
        double left = (t - start) / (double)(done - first) * (double)(total - done);
        fprintf(stderr, left < 90 ? "  %.0f s left" : "  %.0f min left", left < 90 ? left : left / 60);
    }
    fflush(stderr);
    line_shown = 1;
}

void qc_progress_end(void)
{
    if (!line_shown) return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    line_shown = 0;
}

/* Length of a well-formed UTF-8 sequence at s, 0 where there is none; arguments of programs may be anything. */
static int sequence(const unsigned char *s)
{
    int n = *s < 0x80 ? 1 : *s >= 0xc2 && *s < 0xe0 ? 2 : *s >= 0xe0 && *s < 0xf0 ? 3 : *s >= 0xf0 && *s < 0xf5 ? 4 : 0;
    for (int i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    return n;
}

void qc_json_text(const char *text)
{
    putchar('"');
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        int n = sequence(s);
        if (*s == '"' || *s == '\\') printf("\\%c", *s);
        else if (*s < 0x20 || *s == 0x7f) printf("\\u%04x", *s);
        else if (n) fwrite(s, 1, (size_t)n, stdout);
        else fputs("\xef\xbf\xbd", stdout);
        s += n ? n : 1;
    }
    putchar('"');
}

void qc_json_real(double value, int digits)
{
    if (isfinite(value)) printf("%.*f", digits, value);
    else fputs("null", stdout);
}

void qc_print_text(const char *text)
{
    for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
        if (*s < 0x20 || *s == 0x7f || (*s == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0)) printf("\\x%02x", *s); /* 0xc2 0x80..9f: C1 controls */
        else putchar(*s);
    }
}

int qc_threads(int64_t asked)
{
    if (asked > 0) return asked < 1024 ? (int)asked : 1024;
    cpu_set_t cpus;
    if (!sched_getaffinity(0, sizeof cpus, &cpus)) return CPU_COUNT(&cpus);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}
