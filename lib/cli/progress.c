/* progress.c - messages and a progress line on the terminal; JSON and safe text for standard output. */
#include <math.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/text.h"
#include "parser.h"

static int line_shown; /* a progress line stands on the terminal */

/* A message whose arguments may come from files. */
void qc_cli_message(const char *format, va_list args)
{
    char *text;
    qc_progress_end();
    if (vasprintf(&text, format, args) < 0) return;
    qc_text_put(stderr, text, QC_TEXT_PLAIN);
    fputc('\n', stderr);
    free(text);
}

void qc_note(const char *format, ...)
{
    if (qc_cli_quiet()) return;
    va_list args;
    va_start(args, format);
    qc_cli_message(format, args);
    va_end(args);
}

void qc_warn(const char *format, ...)
{
    qc_progress_end();
    fprintf(stderr, "%s: warning: ", qc_cli_name());
    va_list args;
    va_start(args, format);
    qc_cli_message(format, args);
    va_end(args);
}

void qc_progress(uint64_t done, uint64_t total, const char *format, ...)
{
    static double start, drawn;
    static uint64_t first, before = UINT64_MAX;
    if (qc_cli_quiet() || !isatty(STDERR_FILENO)) return;
    double t = qc_seconds();
    if (done < before) { /* a new task has begun */
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
    fprintf(stderr, "\r\033[K%llu/%llu  ", (unsigned long long)done, (unsigned long long)total);
    qc_text_put(stderr, text, QC_TEXT_PLAIN);
    if (done > first && done < total) {
        double left = (t - start) / (double)(done - first) * (double)(total - done);
        fprintf(stderr, left < 90 ? "  %.0f s left" : "  %.0f min left", left < 90 ? left : left / 60);
    }
    fflush(stderr);
    line_shown = 1;
}

/* A byte that is not printed as it is takes four columns; many characters of three and four bytes take two. */
void qc_status_line(const char *text, int columns)
{
    char piece[QC_TEXT_PIECE];
    int used = 0;
    if (qc_cli_quiet() || !isatty(STDERR_FILENO)) return;
    fputs("\r\033[K", stderr);
    while (*text) {
        text += qc_text_next(piece, text, QC_TEXT_PLAIN);
        used += piece[0] == '\\' ? 4 : (unsigned char)piece[0] >= 0xe0 ? 2 : 1;
        if (used >= columns) break;
        fputs(piece, stderr);
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

void qc_json_text(const char *text)
{
    putchar('"');
    qc_text_put(stdout, text, QC_TEXT_JSON);
    putchar('"');
}

void qc_json_real(double value, int digits)
{
    if (isfinite(value)) printf("%.*f", digits, value);
    else fputs("null", stdout);
}

void qc_print_text(const char *text) { qc_text_put(stdout, text, QC_TEXT_PLAIN); }

int qc_threads(int64_t asked)
{
    if (asked > 0) return asked < 1024 ? (int)asked : 1024;
    cpu_set_t cpus;
    if (!sched_getaffinity(0, sizeof cpus, &cpus)) return CPU_COUNT(&cpus);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}
