/* Parsing: the command line is first collected as texts and stored later, so that -h shows the defaults, and
 * --config sets only options that the command line has not set. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/file.h"
#include "parser.h"

extern const char qc_commit[];
__attribute__((weak)) const char qc_commit[] = ""; /* the Makefile gives programs another where there is a repository */

static int quiet;
static const char *config_path;
static int64_t max_bytes;
static const QcProgram *running;

const QcOption qc_cli_common[] = {
    {'h', "help", QC_OPTION_FLAG, NULL, NULL, "show this help", 0, 0},
    {0, "version", QC_OPTION_FLAG, NULL, NULL, "show the version", 0, 0},
    {'q', "quiet", QC_OPTION_FLAG, &quiet, NULL, "only errors and warnings on stderr", 0, 0},
    {0, "config", QC_OPTION_TEXT, &config_path, "FILE", "take long options from a YAML file; the command line wins", 0,
     0},
    {0, "max-bytes", QC_OPTION_INT, &max_bytes, "N", "refuse larger inputs", 1, (double)((uint64_t)1 << 62)},
    {0}};

const char *qc_cli_name(void) { return running ? running->name : "qcore"; }
int qc_cli_quiet(void) { return quiet; }

static void die_usage(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void die_usage(const char *format, ...)
{
    fprintf(stderr, "%s: ", qc_cli_name());
    va_list args;
    va_start(args, format);
    qc_cli_message(format, args);
    va_end(args);
    fprintf(stderr, "try '%s -h'\n", qc_cli_name());
    exit(QC_EUSAGE);
}

static void die_memory(void)
{
    fprintf(stderr, "%s: out of memory\n", qc_cli_name());
    exit(QC_EFAIL);
}

/* --- an option and what was said about it --------------------------------------------------- */

void qc_option_add_text(QcOptionTexts *g, const char *text)
{
    const char **items = realloc(g->texts.items, ((size_t)g->texts.n + 1) * sizeof *items);
    if (!items) die_memory();
    items[g->texts.n++] = text;
    g->texts.items = items;
}

static void add_table(QcOptionTexts **given, int *n, const QcOption *table)
{
    for (const QcOption *o = table; o->name; o++) {
        *given = realloc(*given, ((size_t)*n + 1) * sizeof **given);
        if (!*given) die_memory();
        (*given)[(*n)++] = (QcOptionTexts){.option = o};
    }
}

static QcOptionTexts *all_given(const QcProgram *program, int *n)
{
    QcOptionTexts *given = NULL;
    *n = 0;
    for (const QcOption *table = program->options; table; table = qc_cli_next(table)) add_table(&given, n, table);
    add_table(&given, n, qc_cli_common);
    return given;
}

QcOptionTexts *qc_option_find(QcOptionTexts *given, int n, const char *name, size_t length)
{
    for (int i = 0; i < n; i++)
        if (strlen(given[i].option->name) == length && !strncmp(given[i].option->name, name, length)) return &given[i];
    return NULL;
}

/* The only option that begins with `name`. NULL: none does; if many do, it is wrong usage. */
static QcOptionTexts *find_prefix(QcOptionTexts *given, int n, const char *name, size_t length)
{
    QcOptionTexts *found = NULL;
    for (int i = 0; i < n; i++) {
        if (!length || strncmp(given[i].option->name, name, length)) continue;
        if (found)
            die_usage("--%.*s may be --%s or --%s", (int)length, name, found->option->name, given[i].option->name);
        found = &given[i];
    }
    return found;
}

static QcOptionTexts *find_letter(QcOptionTexts *given, int n, char letter)
{
    for (int i = 0; i < n; i++)
        if (given[i].option->letter == letter) return &given[i];
    return NULL;
}

int qc_option_store(const QcOption *o, const char *text, char *wrong, size_t room)
{
    char *end;
    errno = 0;
    int ranged = o->low != 0 || o->high != 0;
    if (o->kind == QC_OPTION_FLAG) {
        int yes = !strcmp(text, "true") || !strcmp(text, "yes") || !strcmp(text, "on");
        if (!yes && strcmp(text, "false") && strcmp(text, "no") && strcmp(text, "off")) {
            snprintf(wrong, room, "--%s is true or false, not '%.100s'", o->name, text);
            return -1;
        }
        *(int *)o->value = yes;
    } else if (o->kind == QC_OPTION_INT) {
        long long value = strtoll(text, &end, 10);
        if (end == text || *end || errno || (ranged && ((double)value < o->low || (double)value > o->high))) {
            if (ranged)
                snprintf(wrong, room, "--%s must be a whole number from %.0f to %.0f, not '%.100s'", o->name, o->low,
                         o->high, text);
            else snprintf(wrong, room, "--%s must be a whole number, not '%.100s'", o->name, text);
            return -1;
        }
        *(int64_t *)o->value = value;
    } else if (o->kind == QC_OPTION_REAL) {
        double value = strtod(text, &end);
        int standing_in = o->low == -1; /* for a value that the program chooses: -1 alone below 0 */
        int outside = ranged && (value < o->low || value > o->high || (standing_in && value < 0 && value > -1));
        if (end == text || *end || !isfinite(value) || outside) {
            if (standing_in)
                snprintf(wrong, room, "--%s must be -1 or a number from 0 to %g, not '%.100s'", o->name, o->high, text);
            else if (ranged)
                snprintf(wrong, room, "--%s must be a number from %g to %g, not '%.100s'", o->name, o->low, o->high,
                         text);
            else snprintf(wrong, room, "--%s must be a number, not '%.100s'", o->name, text);
            return -1;
        }
        *(double *)o->value = value;
    } else if (o->kind == QC_OPTION_TEXT) {
        *(const char **)o->value = text;
    }
    return 0; /* a LIST gets its texts at the end, all at once */
}

/* --- the command line ----------------------------------------------------------------------- */

/* -h and --version act at once, whatever else is there. */
static void note(const QcProgram *program, QcOptionTexts *g, const char *text, const char *next)
{
    if (g->option == &qc_cli_common[0]) {
        qc_cli_help(program, !strcmp(text, "all") || (next && !strcmp(next, "all")));
        exit(qc_cli_end(NULL, 0));
    }
    if (g->option == &qc_cli_common[1]) {
        char commit[64] = "";
        if (*qc_commit) snprintf(commit, sizeof commit, " (commit %s)", qc_commit);
        printf("%s %s%s\n", program->name, QC_VERSION, commit);
        exit(qc_cli_end(NULL, 0));
    }
    qc_option_add_text(g, text);
}

/* "--name", "--name=value" or "--name value"; returns how many further arguments were used. */
static int take_long(const QcProgram *program, QcOptionTexts *given, int n, const char *argument, const char *next)
{
    const char *name = argument + 2, *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    QcOptionTexts *g = qc_option_find(given, n, name, length);
    if (!g) g = find_prefix(given, n, name, length);
    const char *meant = g ? NULL : qc_cli_meant(program, name, length);
    if (meant) die_usage("there is no option --%.*s; did you mean --%s?", (int)length, name, meant);
    if (!g) die_usage("there is no option --%.*s", (int)length, name);
    int flag = g->option->kind == QC_OPTION_FLAG;
    if (!equals && !flag && !next) die_usage("--%s needs a value (%s)", g->option->name, g->option->meta);
    note(program, g, equals ? equals + 1 : flag ? "true" : next, next);
    return !equals && !flag;
}

/* "-q", "-b4", "-b 4", "-qb4" */
static int take_letters(const QcProgram *program, QcOptionTexts *given, int n, const char *argument, const char *next)
{
    for (const char *letter = argument + 1; *letter; letter++) {
        QcOptionTexts *g = find_letter(given, n, *letter);
        if (!g) die_usage("there is no option -%c", *letter);
        if (g->option->kind == QC_OPTION_FLAG) {
            note(program, g, "true", next);
            continue;
        }
        if (!letter[1] && !next) die_usage("-%c needs a value (%s)", *letter, g->option->meta);
        note(program, g, letter[1] ? letter + 1 : next, NULL);
        return !letter[1];
    }
    return 0;
}

static int take_arguments(const QcProgram *program, QcOptionTexts *given, int n, int argc, char **argv)
{
    int operands = 0;
    for (int i = 1; i < argc; i++) {
        char *argument = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;
        if (!strcmp(argument, "--")) {
            for (i++; i < argc; i++) argv[1 + operands++] = argv[i];
        } else if (!strncmp(argument, "--", 2)) {
            i += take_long(program, given, n, argument, next);
        } else if (argument[0] == '-' && argument[1]) {
            i += take_letters(program, given, n, argument, next);
        } else {
            argv[1 + operands++] = argument;
        }
    }
    argv[1 + operands] = NULL; /* operands < argc, and argv[argc] is NULL already */
    return operands;
}

/* The last value counts, as is usual, but not of an option that names a file to read or lists values: who gives two of
 * these expects that both count. */
static void check_repeated(const QcOptionTexts *g)
{
    const QcOption *o = g->option;
    if (o->kind != QC_OPTION_TEXT || !o->meta || (strcmp(o->meta, "FILE") && strcmp(o->meta, "LIST"))) return;
    if (o->letter == 'o') return;
    for (int k = 1; k < g->texts.n; k++)
        if (strcmp(g->texts.items[k], g->texts.items[0]))
            die_usage("--%s takes one %s, but '%.100s' and '%.100s' were given", o->name,
                      strcmp(o->meta, "FILE") ? "list" : "file", g->texts.items[0], g->texts.items[k]);
}

static void store_given(const QcOptionTexts *given, int n)
{
    char wrong[300];
    for (int i = 0; i < n; i++) check_repeated(&given[i]);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < given[i].texts.n; k++)
            if (qc_option_store(given[i].option, given[i].texts.items[k], wrong, sizeof wrong)) die_usage("%s", wrong);
}

static void read_config(QcOptionTexts *given, int n)
{
    static QcYamlDocument document; /* options point into it for the life of the process */
    QcErr err = {0};
    if (qc_config_apply(given, n, &document, config_path, &err)) exit(qc_cli_end(&err, -1));
}

/* --- the whole ---------------------------------------------------------------------------------- */

/* A standard stream that the caller closed must not become the descriptor of the next file that is opened. Writing
 * to this stream then fails, as it should. */
static void hold_standard_streams(void)
{
    static const int wrong_way[3] = {O_WRONLY, O_RDONLY, O_WRONLY};
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", wrong_way[fd]) < 0) exit(QC_EIO);
}

static void end_by_signal(int number)
{
    qc_output_cleanup();
    signal(number, SIG_DFL);
    raise(number); /* blocked until the handler returns */
}

/* SIGBUS: another process shortened a mapped input (base/inputview.h), which was read beyond its new end. */
static void end_by_fault(int number, siginfo_t *about, void *context)
{
    static const char sentence[] = ": an input became shorter while it was read\n";
    (void)context;
    if (about->si_code != BUS_ADRERR) end_by_signal(number);
    qc_output_cleanup();
    const char *name = qc_cli_name();
    if (write(2, name, strlen(name)) > 0 && write(2, sentence, sizeof sentence - 1) > 0) _exit(QC_EIO);
    _exit(QC_EIO);
}

/* A process that a signal ends leaves no temporary files; a signal that is ignored (nohup) stays ignored. */
static void set_signals(void)
{
    static const int ends[] = {SIGHUP,    SIGINT,  SIGQUIT, SIGTERM, SIGALRM,
                               SIGVTALRM, SIGPROF, SIGUSR1, SIGUSR2, SIGXCPU};
    struct sigaction old, end = {.sa_handler = end_by_signal},
                          fault = {.sa_sigaction = end_by_fault, .sa_flags = SA_SIGINFO};
    sigfillset(&end.sa_mask);
    sigfillset(&fault.sa_mask);
    sigaction(SIGBUS, &fault, NULL);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (!sigaction(ends[i], NULL, &old) && old.sa_handler == SIG_DFL) sigaction(ends[i], &end, NULL);
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a write that fails: exit status 4 */
    signal(SIGXFSZ, SIG_IGN); /* and so is a file that may not grow */
}

static QcOptionTexts *spoken; /* lists of the program point into it for the life of the process */
static int n_spoken;

/* A flag that a file sets to false was not given. */
static int is_given(const QcOptionTexts *g)
{
    return g->texts.n && (g->option->kind != QC_OPTION_FLAG || *(const int *)g->option->value);
}

int qc_cli_refuse(const char *names, const char *why, QcErr *err)
{
    for (size_t n; *names; names += n + (names[n] == ' ')) {
        const QcOptionTexts *g = qc_option_find(spoken, n_spoken, names, n = strcspn(names, " "));
        if (g && is_given(g)) return qc_fail(err, QC_EUSAGE, "--%s has no effect %s", g->option->name, why);
    }
    return 0;
}

int qc_cli_parse(const QcProgram *program, int argc, char **argv)
{
    running = program;
    hold_standard_streams();
    set_signals();
    max_bytes = (int64_t)qc_max_bytes;
    int n;
    QcOptionTexts *given = spoken = all_given(program, &n);
    n_spoken = n;
    int operands = take_arguments(program, given, n, argc, argv);
    store_given(given, n);
    if (config_path) read_config(given, n);
    qc_output_protect(config_path);
    if (operands > program->operands_max) {
        if (!program->operands_max) die_usage("no operand is expected, but '%.200s' was given", argv[1]);
        die_usage("at most %d operand%s expected, but '%.200s' is one more", program->operands_max,
                  program->operands_max == 1 ? " is" : "s are", argv[1 + program->operands_max]);
    }
    qc_max_bytes = (uint64_t)max_bytes;
    for (int i = 0; i < n; i++) {
        if (given[i].option->kind == QC_OPTION_LIST && given[i].texts.n)
            *(QcList *)given[i].option->value = given[i].texts;
        qc_cli_note_command(program, given[i].option, &given[i].texts);
    }
    return operands;
}

/* A reader of standard output that stops early (head) is not reported; the exit status shows it. */
static int reader_left(const char *text)
{
    const char *broken = strerror(EPIPE), *at = strstr(text, broken);
    return strstr(text, "standard output") && at && !at[strlen(broken)];
}

int qc_cli_end(const QcErr *err, int status)
{
    qc_progress_end();
    int code = status ? (err && err->code != QC_OK ? (int)err->code : QC_EFAIL) : 0;
    if (status && !(err && reader_left(err->text)))
        fprintf(stderr, "%s: %s\n", qc_cli_name(), err && err->text[0] ? err->text : "failed");
    errno = 0;
    int unwritten = fflush(stdout) || ferror(stdout);
    if (unwritten && !status) {
        if (errno != EPIPE) /* 0: an earlier write failed, and its reason is not known any more */
            fprintf(stderr, "%s: cannot write standard output%s%s\n", qc_cli_name(), errno ? ": " : "",
                    errno ? strerror(errno) : "");
        code = QC_EIO;
    }
    return code;
}
