/* help.c - texts of a program about itself: -h, and its line in the provenance of a file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parser.h"

static void print_default(const QcOption *o)
{
    if (!o->value) return;
    if (o->kind == QC_OPTION_INT) printf(" [%lld]", (long long)*(int64_t *)o->value);
    if (o->kind == QC_OPTION_REAL) printf(" [%g]", *(double *)o->value);
    if (o->kind == QC_OPTION_TEXT && *(const char **)o->value) printf(" [%s]", *(const char **)o->value);
}

static void print_option(const QcOption *o)
{
    char left[64];
    const char *meta = o->meta ? o->meta : "";
    if (o->letter) snprintf(left, sizeof left, "-%c, --%s %s", o->letter, o->name, meta);
    else snprintf(left, sizeof left, "    --%s %s", o->name, meta);
    printf("  %-26s %s", left, o->help);
    print_default(o);
    putchar('\n');
}

const QcOption *qc_cli_last(const QcOption *table)
{
    while (table->name) table++;
    return table;
}

const QcOption *qc_cli_next(const QcOption *table)
{
    const QcOption *last = qc_cli_last(table);
    return last->kind == QC_OPTION_MORE ? last->value : NULL;
}

static void print_table(const QcOption *table)
{
    for (const QcOption *o = table; o->name; o++) print_option(o);
}

static int is_rare(const QcOption *last) { return last->help && !strcmp(last->help, QC_OPTIONS_RARE); }

void qc_cli_help(const QcProgram *program, int all)
{
    const QcOption *table = program->options;
    int hidden = 0;
    printf("%s - %s\n\nusage: %s %s\n\n", program->name, program->summary, program->name, program->synopsis);
    print_table(table);
    for (; qc_cli_next(table) && !qc_cli_last(table)->help; table = qc_cli_next(table)) print_table(qc_cli_next(table));
    print_table(qc_cli_common);
    for (; qc_cli_next(table); table = qc_cli_next(table)) {
        int left_out = is_rare(qc_cli_last(table)) && !all;
        hidden |= left_out;
        if (left_out) continue;
        printf("\n%s:\n", qc_cli_last(table)->help);
        print_table(qc_cli_next(table));
    }
    if (hidden) printf("\n'%s --help all' shows options that few need, too\n", program->name);
}

/* --- an option that is not there ------------------------------------------------------------------ */

enum { MOST_LETTERS = 40, MOST_WRONG = 2 };

/* Letters to change, add, leave out or swap with the next, to make b of a (Damerau, 1964; optimal string alignment). */
static int distance(const char *a, size_t n, const char *b)
{
    int row[3][MOST_LETTERS + 1];
    size_t m = strlen(b);
    if (n > MOST_LETTERS || m > MOST_LETTERS) return MOST_LETTERS;
    for (size_t j = 0; j <= m; j++) row[0][j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        int *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];
        now[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            int changed = before[j - 1] + (a[i - 1] != b[j - 1]), added = now[j - 1] + 1, dropped = before[j] + 1;
            now[j] = changed < added ? changed : added;
            if (dropped < now[j]) now[j] = dropped;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && earlier[j - 2] + 1 < now[j])
                now[j] = earlier[j - 2] + 1;
        }
    }
    return row[n % 3][m];
}

static const char *nearest(const char *best, int *least, const QcOption *table, const char *name, size_t length)
{
    for (const QcOption *o = table; o->name; o++) {
        int wrong = distance(name, length, o->name);
        if (wrong < *least && wrong < (int)strlen(o->name)) *least = wrong, best = o->name;
    }
    return best;
}

const char *qc_cli_meant(const QcProgram *program, const char *name, size_t length)
{
    int least = MOST_WRONG + 1;
    const char *best = nearest(NULL, &least, qc_cli_common, name, length);
    for (const QcOption *table = program->options; table; table = qc_cli_next(table))
        best = nearest(best, &least, table, name, length);
    return best;
}

/* --- the provenance line ------------------------------------------------------------------------ */

static char *command;

static void append(const char *text)
{
    size_t used = command ? strlen(command) : 0;
    char *longer = realloc(command, used + strlen(text) + 1);
    if (!longer) return; /* if memory runs out, the line is shortened */
    command = longer;
    strcpy(command + used, text);
}

static int leaves_no_trace(const QcOption *o)
{
    static const char *const names[] = {"json", "quiet", "report", "resume",
                                        "threads", "config", "max-bytes", NULL};
    if (o->meta && (!strcmp(o->meta, "FILE") || !strcmp(o->meta, "DIR"))) return 1;
    for (const char *const *name = names; *name; name++)
        if (!strcmp(*name, o->name)) return 1;
    return 0;
}

void qc_cli_note_command(const QcProgram *program, const QcOption *option, const QcList *texts)
{
    char number[64];
    if (!command) {
        append(program->name);
        append(" " QC_VERSION);
    }
    if (!strcmp(option->name, "seed") && option->kind == QC_OPTION_INT) {
        snprintf(number, sizeof number, " seed=%lld", (long long)*(int64_t *)option->value);
        append(number);
        return;
    }
    if (leaves_no_trace(option)) return;
    /* of a list every text counts, of anything else the last */
    for (int i = option->kind == QC_OPTION_LIST || !texts->n ? 0 : texts->n - 1; i < texts->n; i++) {
        append(" ");
        append(option->name);
        if (option->kind == QC_OPTION_FLAG) continue;
        append("=");
        append(texts->items[i]);
    }
}

const char *qc_cli_command(void) { return command ? command : qc_cli_name(); }
