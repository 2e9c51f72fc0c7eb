/* experiment.h - an experiment as a YAML file describes it: axes, and the commands that each combination of their
 * values needs.
 *
 *   from: other.yaml                   # an experiment that this one extends (experimentfile.h); optional
 *   name: people                       # a word for tables
 *   paths: {data: parts}               # where things lie: not part of what is run
 *   let: {arch: inceptiontime-16x3}    # the same for all
 *   axes: {seed: [1, 2], source: [p1, p2], target: [p1, p2], method: [qcore, none]}
 *                                      # a value `default` is nothing in a command: [default, --rounds=40]
 *   without: [{source: "{target}"}]    # combinations in which all of a map's axes have these values ([A, B]: one of
 *                                      these) are left out
 *   only: [...]                        # likewise, if it is there: what is in none of its maps is left out
 *   steps:                             # in order; {NAME}: an axis, a let, a path, {out}: this step's result, {STEP}:
 *                                      the result of an earlier step
 *     float: qc-train -d {data}/{source}.train.qcd -o {out} --seed {seed}
 *     idle: ""                         # no command: removes the step of the other experiment
 *     run: qc-calibrate -m {method} ... --json --no-output {float} > {out}
 *   report: run                        # the step whose results are reported; the last one if not said
 *
 * A job is one command. Its result is DIR/STEP-DIGEST, where the digest is of the command with all that it depends on,
 * so combinations share what they have in common; a changed description makes other names. A job is done once
 * DIR/STEP-DIGEST.done is there, which its own command line makes at the very end.
 */
#ifndef QC_LAB_EXPERIMENT_H
#define QC_LAB_EXPERIMENT_H

#include "../base/nametable.h"
#include "experimentfile.h"

enum {
    QC_EXPERIMENT_AXES = 16,
    QC_EXPERIMENT_STEPS = 32,
    QC_EXPERIMENT_NAMES = 64,
    QC_EXPERIMENT_COMBINATIONS = 1000000
};

typedef struct QcExperimentAxis {
    const char *name;
    uint32_t n;
    const char **values; /* [n] */
    QcNameTable table;   /* of the values */
} QcExperimentAxis;

typedef struct QcJob {
    const char *command; /* for a shell; without what marks it as done */
    const char *out;     /* path of its result */
    const char *mark;    /* path of the empty file that says that the result is whole, quoted for a shell */
    uint32_t step;
    uint32_t needs[QC_EXPERIMENT_STEPS], n_needs; /* jobs that must be done before, as indices */
} QcJob;

typedef struct QcExperiment {
    QcExperimentFile file;
    QcArena arena;
    const char *name, *dir;
    uint32_t n_axes, n_steps, report; /* report: a step */
    QcExperimentAxis axes[QC_EXPERIMENT_AXES];
    const char *steps[QC_EXPERIMENT_STEPS];
    uint32_t n_combinations;          /* of all axes, the excluded ones included; the last axis runs fastest */
    const uint32_t *values;           /* NULL; of a table of runs (runaxes.h): [n_combinations][n_axes] the combinations
                                         that it has */
    uint32_t n_jobs;
    QcJob *jobs;                      /* [n_jobs] each once, a job after all that it needs */
    uint32_t *reported;               /* [n_combinations] job of the reported step, or UINT32_MAX if the combination
                                         is left out */
} QcExperiment;

/* settings: n texts "NAME=VALUE" that replace lets and paths ("NAME=a,b" an axis' values). dir: where results lie. */
int qc_experiment_load(QcExperiment *e, const char *path, const char *dir, const char *const *settings, int n,
                       QcErr *err);
void qc_experiment_release(QcExperiment *e);

/* Which value of an axis a combination has. */
uint32_t qc_experiment_value(const QcExperiment *e, uint32_t combination, uint32_t axis);
/* 1: the job's result is there and whole. */
int qc_job_done(const QcJob *job);

#endif
