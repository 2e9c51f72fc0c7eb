/* qc-sweep: an experiment in; the commands that are still to be run out, one per line, for sh, xargs, GNU parallel or a
 * batch system. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../lib/cli/cli.h"
#include "../lib/lab/runtable.h"

static const char *dir = "runs", *only;
static QcList settings, tables;
static int ready, all, status_only, json;

static const QcOption options[] = {
    {'o', "output", QC_OPTION_TEXT, &dir, "DIR", "folder of the results", 0, 0},
    {0, "set", QC_OPTION_LIST, &settings, "NAME=VALUE", "a let or path, or an axis' values as A,B; repeatable", 0, 0},
    {0, "runs", QC_OPTION_LIST, &tables, "FILE", "table of finished runs (qc-report -f runs); repeatable", 0, 0},
    {0, "ready", QC_OPTION_FLAG, &ready, NULL, "only what can run now, in any order", 0, 0},
    {0, "step", QC_OPTION_TEXT, &only, "NAME", "only the commands of this step", 0, 0},
    {0, "all", QC_OPTION_FLAG, &all, NULL, "what is done already too", 0, 0},
    {0, "status", QC_OPTION_FLAG, &status_only, NULL, "print how much of each step is done instead", 0, 0},
    {0, "json", QC_OPTION_FLAG, &json, NULL, "with --status: as JSON", 0, 0},
    {0},
};

static const QcProgram program = {"qc-sweep", "print the commands of an experiment that are still to be run",
                                  "[options] EXPERIMENT", options, 1};

/* done [n_jobs]: what need not be run any more. */
static uint8_t *what_is_done(const QcExperiment *e, QcErr *err)
{
    QcRunTable known = {0};
    uint8_t *done = malloc(e->n_jobs + 1);
    if (!done) qc_fail_memory(err, "the jobs of an experiment");
    else if (qc_runtable_load(&known, tables.items, tables.n, err)) free(done), done = NULL;
    else qc_runtable_mark_done(&known, e, done);
    for (uint32_t j = 0; done && j < e->n_jobs; j++) done[j] |= (uint8_t)qc_job_done(&e->jobs[j]);
    qc_runtable_release(&known);
    return done;
}

static int can_run(const QcJob *job, const uint8_t *done)
{
    for (uint32_t i = 0; i < job->n_needs; i++)
        if (!done[job->needs[i]]) return 0;
    return 1;
}

/* Braces keep a command with && or | together; the mark is made only where it succeeded. */
static void print_commands(const QcExperiment *e, const uint8_t *done, int64_t step)
{
    uint32_t printed = 0, n = 0;
    for (uint32_t j = 0; j < e->n_jobs; j++) {
        const QcJob *job = &e->jobs[j];
        n += done[j];
        if ((done[j] && !all) || (step >= 0 && job->step != step) || (ready && !can_run(job, done))) continue;
        printf("{ %s ; } && : > %s\n", job->command, job->mark);
        printed++;
    }
    qc_note("%s: %u of %u commands are done, %u printed", e->name, n, e->n_jobs, printed);
}

static void print_status(const QcExperiment *e, const uint8_t *done)
{
    if (!json) printf("step\tdone\tof\n");
    for (uint32_t s = 0; s < e->n_steps; s++) {
        uint32_t n = 0, of = 0;
        for (uint32_t j = 0; j < e->n_jobs; j++) {
            if (e->jobs[j].step != s) continue;
            of++;
            n += done[j];
        }
        printf(json ? "{\"step\": \"%s\", \"done\": %u, \"of\": %u}\n" : "%s\t%u\t%u\n", e->steps[s], n, of);
    }
}

/* The commands write there. */
static int make_folder(QcErr *err)
{
    struct stat about;
    if (!mkdir(dir, 0777) || (errno == EEXIST && !stat(dir, &about) && S_ISDIR(about.st_mode))) return 0;
    return qc_fail(err, QC_EIO, "the folder %s cannot be made: %s", dir, strerror(errno));
}

static int find_step(const QcExperiment *e, int64_t *step, QcErr *err)
{
    *step = -1;
    for (uint32_t s = 0; only && s < e->n_steps; s++)
        if (!strcmp(e->steps[s], only)) *step = s;
    return only && *step < 0 ? qc_fail(err, QC_EUSAGE, "the experiment has no step '%.60s'", only) : 0;
}

static int sweep(const QcExperiment *e, QcErr *err)
{
    int64_t step;
    if (find_step(e, &step, err) || (!status_only && make_folder(err))) return -1;
    uint8_t *done = what_is_done(e, err);
    if (!done) return -1;
    if (!e->n_jobs) qc_warn("%s: without, only and --set leave no combination", e->name);
    if (status_only) print_status(e, done);
    else print_commands(e, done, step);
    free(done);
    return 0;
}

static int check(QcErr *err)
{
    if (!status_only && qc_cli_refuse("json", "without --status", err)) return -1;
    if (strpbrk(dir, "\r\n"))
        return qc_fail(err, QC_EUSAGE, "the folder's name has a line break, and a command is one line");
    if (*dir == '-')
        return qc_fail(err, QC_EUSAGE, "commands would take names in %.60s for options: write ./%.60s", dir, dir);
    return 0;
}

int main(int argc, char **argv)
{
    QcErr err;
    QcExperiment e = {0};
    if (!qc_cli_parse(&program, argc, argv))
        return qc_cli_end(&err, qc_fail(&err, QC_EUSAGE, "an experiment is needed: a YAML file"));
    int status = check(&err) || qc_experiment_load(&e, argv[1], dir, settings.items, settings.n, &err) ||
                 sweep(&e, &err);
    qc_experiment_release(&e);
    return qc_cli_end(&err, status);
}
