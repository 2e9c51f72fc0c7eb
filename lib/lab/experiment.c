#include "experimentparts.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

uint32_t qc_experiment_value(const QcExperiment *e, uint32_t combination, uint32_t axis)
{
    if (e->values) return e->values[(size_t)combination * e->n_axes + axis];
    for (uint32_t a = e->n_axes; --a > axis;) combination /= e->axes[a].n;
    return combination % e->axes[axis].n;
}

int qc_experiment_load(QcExperiment *e, const char *path, const char *dir, const char *const *settings, int n,
                       QcErr *err)
{
    *e = (QcExperiment){.dir = dir};
    QcJobMaker *m = calloc(1, sizeof *m);
    if (!m) return qc_fail_memory(err, "an experiment");
    m->e = e;
    int status = qc_experiment_file_load(&e->file, path, err) || qc_experiment_read(m, settings, n, err) ||
                         qc_experiment_make_jobs(m, err)
                     ? -1
                     : 0;
    free(m->table);
    free(m->digests);
    free(m);
    if (status) qc_experiment_release(e);
    return status;
}

void qc_experiment_release(QcExperiment *e)
{
    if (!e) return;
    free(e->jobs);
    qc_experiment_file_release(&e->file);
    qc_arena_release(&e->arena);
    *e = (QcExperiment){0};
}

int qc_job_done(const QcJob *job)
{
    char path[4200];
    snprintf(path, sizeof path, "%s.done", job->out);
    return access(path, F_OK) == 0;
}
