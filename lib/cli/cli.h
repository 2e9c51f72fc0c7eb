/* cli.h - what every program shares: option table, -h, --version, --config, progress, messages, exit status.
 *
 * A program fills a table of QcOption and a QcProgram, calls qc_cli_parse, makes its one library call, and ends with
 * `return qc_cli_end(&err, status)`. A letter means the same in every program (house.md). Words go to stderr, results
 * to stdout. Options of every program are added by the parser: -h/--help, --version, -q/--quiet, --config FILE.yaml,
 * --max-bytes N.
 */
#ifndef QC_CLI_CLI_H
#define QC_CLI_CLI_H

#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"

#define QC_VERSION "0.2.0"

typedef enum QcOptionKind {
    QC_OPTION_FLAG, /* int *       set to 1 */
    QC_OPTION_INT,  /* int64_t *   in [low, high] */
    QC_OPTION_REAL, /* double *    in [low, high]; low -1: -1, which stands for a default, or in [0, high] */
    QC_OPTION_TEXT, /* const char **; the last one counts, but a second FILE (except -o) or LIST is refused */
    QC_OPTION_LIST, /* QcList *    repeatable */
    QC_OPTION_MORE  /* see QC_OPTIONS_MORE */
} QcOptionKind;

typedef struct QcList {
    int n;
    const char **items; /* owned by the parser for the life of the process */
} QcList;

typedef struct QcOption {
    char letter;        /* 0 = none */
    const char *name;   /* long name without dashes; never NULL */
    QcOptionKind kind;
    void *value;        /* holds the default before parsing (shown by -h for numbers and texts) */
    const char *meta;   /* "FILE", "N", ...; NULL for flags */
    const char *help;   /* one line */
    double low, high;   /* of INT and REAL; both 0 = any */
} QcOption;

/* The last row of a table that goes on with another table, which programs share. title: a line above that table in -h;
 * NULL: none. */
#define QC_OPTIONS_MORE(table, title) {0, NULL, QC_OPTION_MORE, (void *)(table), NULL, title, 0, 0}
/* A title: the table is of options that few need, which -h leaves out and --help all shows. */
#define QC_OPTIONS_RARE "rarely needed"

typedef struct QcProgram {
    const char *name;     /* "qc-train" */
    const char *summary;  /* one line, no full stop */
    const char *synopsis; /* "[options] [MODEL]" */
    const QcOption *options; /* ends with {0}, or with QC_OPTIONS_MORE */
    int operands_max;
} QcProgram;

/* Parses argv. A long name may be cut short where only one option begins with it. Returns the number of operands (moved
 * to argv[1..n], argv[n+1] = NULL). --help and --version print on stdout and exit 0; wrong usage prints one sentence
 * and "try NAME -h" on stderr and exits 2. */
int qc_cli_parse(const QcProgram *program, int argc, char **argv);
/* Refuses the first option of `names`, long names with blanks between them, that was given on the command line or by
 * --config: "--NAME has no effect WHY" (QC_EUSAGE). 0: none was given. */
int qc_cli_refuse(const char *names, const char *why, QcErr *err);

/* Prints "NAME: sentence" when status != 0 and returns the exit status (err->code, or 0). Also notices that stdout
 * could not be written (full disk, closed pipe: exit 4). */
int qc_cli_end(const QcErr *err, int status);

/* "qc-train 0.1.0 seed=1 epochs=20 ...": the start of a provenance line. The seed, and every option that was given on
 * the command line or by --config, except those that cannot change the result: options whose meta is "FILE" or "DIR"
 * (files are named by their digests, so that a pipe and a file give the same bytes), and jobs, json, quiet, report,
 * resume, threads, config, max-bytes. Borrowed, for the life of the process. */
const char *qc_cli_command(void);

/* Words for the user, on stderr, unless -q. */
void qc_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, never silenced: "NAME: warning: ..." */
void qc_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A progress line, redrawn at most ten times a second, only where stderr is a terminal and not -q. `done` of `total`
 * gives the time left; `format` what to show beside it. */
void qc_progress(uint64_t done, uint64_t total, const char *format, ...) __attribute__((format(printf, 3, 4)));
void qc_status_line(const char *text, int columns); /* instead of a progress line, cut at the terminal's width */
void qc_progress_end(void); /* wipes the line */

/* Text as a JSON string with quotes and escapes (base/text.h), on stdout. Numbers: use printf; NaN must be printed as
 * null with qc_json_real, which prints `digits` digits after the point. */
void qc_json_text(const char *text);
void qc_json_real(double value, int digits);

/* Text out of a file, on stdout, for people: what is unsafe becomes \xNN (base/text.h), so that no file can drive a
 * terminal. */
void qc_print_text(const char *text);

int qc_threads(int64_t asked); /* 0 = all cores */

#endif
