#include "runtable.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "../data/lines.h"
#include "../data/number.h"

enum { COLUMNS = QC_FIGURE_COUNT + QC_EXPERIMENT_AXES + 2, UNKNOWN = -1, RUN = -2, TARGETS = -3 };

static const char *name_of(const QcJob *job)
{
    const char *slash = strrchr(job->out, '/');
    return slash ? slash + 1 : job->out;
}

/* ---- reading ---- */

/* What stands in each column: a figure, or RUN, TARGETS, UNKNOWN (an axis). */
typedef struct Columns {
    int n, of[COLUMNS];
    QcRunAxes *axes;
} Columns;

static int add_axis(QcRunAxes *axes, QcArena *arena, QcField field, QcErr *err)
{
    axes->names[axes->n] = qc_arena_text(arena, field.at, (size_t)(field.end - field.at), err);
    return axes->names[axes->n++] ? 0 : -1;
}

static int read_header(Columns *c, QcArena *arena, const QcLines *l, QcField line, QcErr *err)
{
    int runs = 0, targets = 0;
    QcField field;
    if (!(c->axes = qc_arena_take(arena, 1, sizeof *c->axes, err)) ||
        !(c->axes->names = qc_arena_take(arena, COLUMNS, sizeof *c->axes->names, err)))
        return -1;
    c->axes->file = l->name;
    for (c->n = 0; qc_field_next(&line, &field, '\t'); c->n++) {
        if (c->n == COLUMNS) return qc_lines_fail(l, err, "more than %d columns", COLUMNS);
        QcFigure f = qc_figure_find(field.at, (size_t)(field.end - field.at));
        int is_run = qc_field_is(field, "run"), is_targets = qc_field_is(field, "targets");
        c->of[c->n] = is_run ? RUN : is_targets ? TARGETS : f < QC_FIGURE_COUNT ? (int)f : UNKNOWN;
        runs += is_run;
        targets += is_targets;
        if (c->of[c->n] == UNKNOWN && add_axis(c->axes, arena, field, err)) return -1;
    }
    return runs == 1 && targets == 1
               ? 0
               : qc_lines_fail(
                     l, err, "this is no table of runs: qc-report -f runs makes one, with the columns run and targets");
}

static int read_value(double *value, const QcLines *l, QcField field, QcErr *err)
{
    *value = NAN;
    if (qc_field_is(field, "-")) return 0;
    const char *at = field.at, *wrong = qc_number_read_double(value, &at, field.end);
    if (!wrong && at != field.end) wrong = "is not a number";
    return wrong ? qc_lines_fail(l, err, "'%.*s' %s", QC_FIELD(field), wrong) : 0;
}

static int read_figure(double *value, QcFigure f, const QcLines *l, QcField field, QcErr *err)
{
    if (read_value(value, l, field, err)) return -1;
    return qc_figure_can_be(f, *value) ? 0
                                       : qc_lines_fail(l, err, "%s cannot be %.*s", qc_figure_name(f), QC_FIELD(field));
}

static int read_targets(QcRunResult *r, QcArena *arena, const QcLines *l, QcField list, QcErr *err)
{
    QcField field;
    if (!(r->target = qc_arena_take(arena, qc_field_count(list, ','), sizeof *r->target, err))) return -1;
    while (qc_field_next(&list, &field, ','))
        if (read_figure(&r->target[r->n_batches++], QC_FIGURE_TARGET, l, field, err)) return -1;
    return 0;
}

/* The last column is a list, so an incomplete list shows that the row was cut. */
static int is_whole(const QcRunResult *r)
{
    double last = r->figure[QC_FIGURE_LAST];
    return isnan(last) ? !r->n_batches || isnan(r->target[r->n_batches - 1])
                       : r->n_batches && fabs(r->target[r->n_batches - 1] - last) < 1e-8;
}

static int read_run(QcKnownRun *run, QcArena *arena, const Columns *c, const QcLines *l, QcField line, QcErr *err)
{
    QcField field;
    int n = 0, status = 0, axis = 0;
    *run = (QcKnownRun){.axes = c->axes, .values = qc_arena_take(arena, c->axes->n, sizeof *run->values, err)};
    if (!run->values) return -1;
    for (int f = 0; f < QC_FIGURE_COUNT; f++) run->result.figure[f] = NAN;
    for (; !status && qc_field_next(&line, &field, '\t'); n++) {
        int of = n < c->n ? c->of[n] : UNKNOWN;
        if (of == RUN)
            status = (run->name = qc_arena_text(arena, field.at, (size_t)(field.end - field.at), err)) ? 0 : -1;
        else if (of == TARGETS) status = read_targets(&run->result, arena, l, field, err);
        else if (of != UNKNOWN) status = read_figure(&run->result.figure[of], (QcFigure)of, l, field, err);
        else if (n < c->n)
            status = (run->values[axis++] = qc_arena_text(arena, field.at, (size_t)(field.end - field.at), err)) ? 0
                                                                                                                 : -1;
    }
    if (!status && n != c->n) status = qc_lines_fail(l, err, "%d columns, and the table has %d", n, c->n);
    return status || is_whole(&run->result)
               ? status
               : qc_lines_fail(l, err, "targets do not end with target_last: the row has been cut or changed");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const QcKnownRun *)a)->name, ((const QcKnownRun *)b)->name);
}

/* Merges the newer runs, which it sorts, into the table. */
static int add_runs(QcRunTable *t, QcKnownRun *newer, uint32_t n, QcErr *err)
{
    QcKnownRun *all = qc_arena_take(&t->arena, (uint64_t)t->n + n, sizeof *all, err);
    uint32_t count = 0, a = 0, b = 0;
    if (!all) return -1;
    qsort(newer, n, sizeof *newer, by_name);
    while (a < t->n || b < n) {
        int order = a == t->n ? 1 : b == n ? -1 : by_name(&t->runs[a], &newer[b]);
        QcKnownRun run = order < 0 ? t->runs[a++] : newer[b++];
        if (order == 0) run.order = t->runs[a++].order; /* instead of the earlier file's run */
        if (count && !strcmp(all[count - 1].name, run.name)) count--; /* twice in one file */
        all[count++] = run;
    }
    t->runs = all;
    t->n = count;
    return 0;
}

static int read_runs(QcRunTable *t, QcLines *l, QcErr *err)
{
    Columns columns = {0};
    QcField line;
    uint32_t lines = 0, n = 0;
    while (qc_lines_next(l, &line)) lines++;
    qc_lines_rewind(l);
    QcKnownRun *runs = qc_arena_take(&t->arena, lines, sizeof *runs, err);
    if (!runs) return -1;
    while (qc_lines_next(l, &line)) {
        if (line.at == line.end || *line.at == '#') continue;
        if (!qc_text_is_utf8(line.at, (size_t)(line.end - line.at)))
            return qc_lines_fail(l, err, "the line has bytes that are no UTF-8");
        if (columns.n ? read_run(&runs[n], &t->arena, &columns, l, line, err)
                      : read_header(&columns, &t->arena, l, line, err))
            return -1;
        runs[n].order = t->rows++;
        n += runs[n].name != NULL;
    }
    return columns.n ? add_runs(t, runs, n, err)
                     : qc_fail(err, QC_EFORMAT, "%.300s is empty: a table of runs begins with the names of its columns",
                               l->name);
}

int qc_runtable_load(QcRunTable *t, const char *const *paths, int n, QcErr *err)
{
    int status = 0;
    for (int i = 0; !status && i < n; i++) {
        QcLines l;
        if (qc_lines_open(&l, paths[i], err)) return -1;
        status = read_runs(t, &l, err);
        qc_lines_close(&l);
    }
    return status;
}

void qc_runtable_release(QcRunTable *t)
{
    if (!t) return;
    qc_arena_release(&t->arena);
    *t = (QcRunTable){.n = 0};
}

/* ---- looking up ---- */

const QcRunResult *qc_runtable_find(const QcRunTable *t, const QcJob *job)
{
    QcKnownRun key = {.name = name_of(job)};
    const QcKnownRun *found = t && t->n ? bsearch(&key, t->runs, t->n, sizeof *t->runs, by_name) : NULL;
    return found ? &found->result : NULL;
}

/* Jobs come after what they need, so that from the end on it is known of each whether anything is still to be run that
 * needs it. */
void qc_runtable_mark_done(const QcRunTable *t, const QcExperiment *e, uint8_t *done)
{
    enum { UNNEEDED, DONE, WANTED }; /* by those that need the job */
    memset(done, UNNEEDED, e->n_jobs);
    for (uint32_t j = e->n_jobs; j-- > 0;) {
        const QcJob *job = &e->jobs[j];
        done[j] = done[j] == DONE || (job->step == e->report && qc_runtable_find(t, job));
        for (uint32_t i = 0; i < job->n_needs; i++) {
            uint8_t *need = &done[job->needs[i]];
            *need = !done[j] || *need == WANTED ? WANTED : DONE;
        }
    }
}

/* ---- writing ---- */

static void print_value(FILE *to, double x)
{
    if (isnan(x)) fputs("-", to);
    else fprintf(to, "%.9g", x);
}

static void print_run(FILE *to, const QcExperiment *e, const QcRunResult *r)
{
    fputs(name_of(&e->jobs[e->reported[r->combination]]), to);
    for (uint32_t a = 0; a < e->n_axes; a++)
        fprintf(to, "\t%s", e->axes[a].values[qc_experiment_value(e, r->combination, a)]);
    for (int f = 0; f < QC_FIGURE_COUNT; f++) {
        fputs("\t", to);
        print_value(to, r->figure[f]);
    }
    for (uint32_t b = 0; b < r->n_batches; b++) {
        fputs(b ? "," : "\t", to);
        print_value(to, r->target[b]);
    }
    fputs(r->n_batches ? "\n" : "\t-\n", to);
}

void qc_runtable_print(FILE *to, const QcExperiment *e, const QcResults *results)
{
    fputs("run", to);
    for (uint32_t a = 0; a < e->n_axes; a++) fprintf(to, "\t%s", e->axes[a].name);
    for (int f = 0; f < QC_FIGURE_COUNT; f++) fprintf(to, "\t%s", qc_figure_name((QcFigure)f));
    fputs("\ttargets\n", to);
    for (uint32_t i = 0; i < results->n_runs; i++) print_run(to, e, &results->runs[i]);
}
