#include "runaxes.h"

#include <stdlib.h>
#include <string.h>

#include "experimentparts.h"

/* ---- the runs, in the order of the files ---- */

static int by_order(const void *a, const void *b)
{
    const QcKnownRun *x = *(const QcKnownRun *const *)a, *y = *(const QcKnownRun *const *)b;
    return x->order < y->order ? -1 : x->order > y->order;
}

static const QcKnownRun **sort_runs(QcArena *arena, const QcRunTable *t, QcErr *err)
{
    const QcKnownRun **runs = qc_arena_take(arena, t->n, sizeof *runs, err);
    for (uint32_t i = 0; runs && i < t->n; i++) runs[i] = &t->runs[i];
    if (runs && t->n) qsort(runs, t->n, sizeof *runs, by_order);
    return runs;
}

/* ---- axes ---- */

/* The column of the axis in a run's own table; -1: it has none. */
static int64_t column_of(const QcRunAxes *axes, const char *name)
{
    for (uint32_t a = 0; a < axes->n; a++)
        if (!strcmp(axes->names[a], name)) return a;
    return -1;
}

static int add_axes(QcExperiment *e, const QcRunAxes *axes, QcErr *err)
{
    if (!axes->n || axes->n > QC_EXPERIMENT_AXES)
        return qc_fail(err, QC_EFORMAT, "%.200s: a table of runs has 1 to %d axes, and this has %u", axes->file,
                       QC_EXPERIMENT_AXES, axes->n);
    for (uint32_t a = 0; a < axes->n; a++) {
        const char *name = axes->names[a];
        if (!*name || name[qc_word_length(name)])
            return qc_fail(err, QC_EFORMAT, "%.200s: '%.40s' is no name of an axis: letters, digits and _ make one",
                           axes->file, name);
        if (qc_is_column(name))
            return qc_fail(err, QC_EFORMAT, "%.200s: '%.40s' is the name of another column of tables, and of no axis",
                           axes->file, name);
        if (column_of(axes, name) != a)
            return qc_fail(err, QC_EFORMAT, "%.200s: two columns '%.40s'", axes->file, name);
        e->axes[a].name = name;
    }
    e->n_axes = axes->n;
    return 0;
}

static int check_axes(const QcExperiment *e, const QcRunAxes *axes, const char *first, QcErr *err)
{
    uint32_t same = 0;
    for (uint32_t a = 0; a < e->n_axes; a++) same += column_of(axes, e->axes[a].name) >= 0;
    return same == e->n_axes && axes->n == e->n_axes
               ? 0
               : qc_fail(err, QC_EFORMAT, "%.150s and %.150s have different axes: name the experiment that both are of",
                         first, axes->file);
}

/* The index of a value, which becomes one of the axis' values if it is new; -1 on failure. */
static int64_t add_value(QcExperimentAxis *axis, QcArena *arena, const char *value, const QcRunAxes *of, QcErr *err)
{
    int64_t known = qc_nametable_find(&axis->table, value);
    if (known >= 0) return known;
    if (!qc_is_plain(value))
        return qc_fail(err, QC_EFORMAT, "%.200s: '%.40s' of axis '%.40s' is not a plain word", of->file, value,
                       axis->name);
    axis->values[axis->n] = value;
    return qc_nametable_add(&axis->table, arena, value, axis->n, err) < 0 ? -1 : (int64_t)axis->n++;
}

/* ---- settings ---- */

/* 1 if "a,b,..." has the value. */
static int has_value(const char *list, const char *value)
{
    size_t length = strlen(value);
    for (;; list++) {
        size_t n = strcspn(list, ",");
        if (n == length && !memcmp(list, value, n)) return 1;
        list += n;
        if (!*list) return 0;
    }
}

/* "a,b" of the last setting of the axis; NULL: all values count. */
static const char *values_wanted(const char *axis, const char *const *settings, int n)
{
    size_t length = strlen(axis);
    for (int i = n; i-- > 0;)
        if (!strncmp(settings[i], axis, length) && settings[i][length] == '=') return settings[i] + length + 1;
    return NULL;
}

static int is_wanted(const QcExperiment *e, const QcKnownRun *run, const char *const *settings, int n)
{
    for (uint32_t a = 0; a < e->n_axes; a++) {
        const char *wanted = values_wanted(e->axes[a].name, settings, n);
        if (wanted && !has_value(wanted, run->values[column_of(run->axes, e->axes[a].name)])) return 0;
    }
    return 1;
}

static int has_run(const QcRunTable *t, const char *axis, const char *value)
{
    for (uint32_t i = 0; i < t->n; i++) {
        int64_t column = column_of(t->runs[i].axes, axis);
        if (column >= 0 && !strcmp(t->runs[i].values[column], value)) return 1;
    }
    return 0;
}

static int check_setting(const QcExperiment *e, const QcRunTable *t, const char *setting, QcErr *err)
{
    uint32_t a = 0;
    size_t length = strcspn(setting, "=");
    char value[256];
    while (a < e->n_axes && (strlen(e->axes[a].name) != length || memcmp(e->axes[a].name, setting, length))) a++;
    if (a == e->n_axes || !setting[length])
        return qc_fail(err, QC_EUSAGE, "--set '%.60s': AXIS=VALUE of an axis of the table of runs is expected",
                       setting);
    for (const char *list = setting + length; *list;) {
        size_t n = strcspn(++list, ",");
        if (n >= sizeof value) return qc_fail(err, QC_EUSAGE, "--set '%.60s': the value is too long", setting);
        memcpy(value, list, n);
        value[n] = 0;
        if (!has_run(t, e->axes[a].name, value))
            return qc_fail(err, QC_EUSAGE, "--set '%.60s': no run of the table has '%.40s'", setting, value);
        list += n;
    }
    return 0;
}

/* ---- the experiment ---- */

/* People look for the experiment's name: the file's, without folder and ends. */
static const char *name_of(QcArena *arena, const char *file, QcErr *err)
{
    static const char *const ends[] = {".gz", ".tsv", ".runs"};
    const char *slash = strrchr(file, '/');
    if (slash) file = slash + 1;
    size_t length = strlen(file);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t n = strlen(ends[i]);
        if (length > n && !memcmp(file + length - n, ends[i], n)) length -= n;
    }
    return qc_arena_text(arena, file, length, err);
}

static int add_run(QcExperiment *e, uint32_t *values, const QcKnownRun *run, QcErr *err)
{
    for (uint32_t a = 0; a < e->n_axes; a++) {
        const char *value = run->values[column_of(run->axes, e->axes[a].name)];
        int64_t v = add_value(&e->axes[a], &e->arena, value, run->axes, err);
        if (v < 0) return -1;
        values[a] = (uint32_t)v;
    }
    if (strchr(run->name, '/'))
        return qc_fail(err, QC_EFORMAT, "%.200s: '%.60s' is no name of a run", run->axes->file, run->name);
    e->jobs[e->n_jobs] = (QcJob){.command = "", .out = run->name, .mark = ""};
    e->reported[e->n_jobs] = e->n_jobs;
    e->n_jobs++;
    return 0;
}

typedef struct Combination {
    const uint32_t *values; /* [n] */
    uint32_t n, job;
} Combination;

static int by_values(const void *a, const void *b)
{
    const Combination *x = a, *y = b;
    return memcmp(x->values, y->values, x->n * sizeof *x->values);
}

/* The mean over both would be of two experiments. */
static int check_twice(QcExperiment *e, const char *file, QcErr *err)
{
    Combination *all = qc_arena_take(&e->arena, e->n_jobs, sizeof *all, err);
    if (!all) return -1;
    for (uint32_t j = 0; j < e->n_jobs; j++)
        all[j] = (Combination){e->values + (size_t)j * e->n_axes, e->n_axes, j};
    if (e->n_jobs) qsort(all, e->n_jobs, sizeof *all, by_values);
    for (uint32_t j = 1; j < e->n_jobs; j++)
        if (!by_values(&all[j - 1], &all[j]))
            return qc_fail(err, QC_EFORMAT,
                           "%.150s: %.60s and %.60s are of different commands and have the same values of all axes: "
                           "name the experiment",
                           file, e->jobs[all[j - 1].job].out, e->jobs[all[j].job].out);
    return 0;
}

static int build(QcExperiment *e, const QcRunTable *t, const char *const *settings, int n, QcErr *err)
{
    const QcKnownRun **runs = sort_runs(&e->arena, t, err);
    if (!runs) return -1;
    if (!t->n) return qc_fail(err, QC_EFORMAT, "the table has no run");
    const QcRunAxes *first = runs[0]->axes;
    if (add_axes(e, first, err) || !(e->name = name_of(&e->arena, first->file, err))) return -1;
    for (uint32_t a = 0; a < e->n_axes; a++)
        if (!(e->axes[a].values = qc_arena_take(&e->arena, t->n, sizeof *e->axes[a].values, err))) return -1;
    for (int i = 0; i < n; i++)
        if (check_setting(e, t, settings[i], err)) return -1;
    uint32_t *values = qc_arena_take(&e->arena, (uint64_t)t->n * e->n_axes, sizeof *values, err);
    e->reported = qc_arena_take(&e->arena, t->n, sizeof *e->reported, err);
    e->jobs = calloc(t->n, sizeof *e->jobs);
    if (!values || !e->reported) return -1;
    if (!e->jobs) return qc_fail_memory(err, "the runs of a table");
    for (uint32_t i = 0; i < t->n; i++) {
        if (runs[i]->axes != first && check_axes(e, runs[i]->axes, first->file, err)) return -1;
        if (is_wanted(e, runs[i], settings, n) &&
            add_run(e, values + (size_t)e->n_jobs * e->n_axes, runs[i], err))
            return -1;
    }
    e->values = values;
    e->n_combinations = e->n_jobs;
    if (!e->n_jobs) return qc_fail(err, QC_EUSAGE, "no run of the table has all the values of --set");
    return check_twice(e, first->file, err);
}

int qc_experiment_of_runs(QcExperiment *e, const QcRunTable *table, const char *const *settings, int n, QcErr *err)
{
    *e = (QcExperiment){.dir = NULL};
    int status = build(e, table, settings, n, err);
    if (status) qc_experiment_release(e);
    return status;
}
