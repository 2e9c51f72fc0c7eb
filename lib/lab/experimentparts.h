/* experimentparts.h - inside experiment.c: what reading a description (experimentread.c) and making its jobs
 * (experimentjobs.c) share. Not for others. */
#ifndef QC_LAB_EXPERIMENTPARTS_H
#define QC_LAB_EXPERIMENTPARTS_H

#include "../base/digest.h"
#include "experiment.h"

typedef enum QcNameKind { QC_NAME_AXIS, QC_NAME_LET, QC_NAME_PATH, QC_NAME_STEP } QcNameKind;

typedef struct QcName {
    QcNameKind kind;
    const char *name, *value; /* value: of lets and paths */
    uint32_t index;           /* of axes and steps */
} QcName;

/* What is only needed while jobs are made. */
typedef struct QcJobMaker {
    QcExperiment *e;
    QcName names[QC_EXPERIMENT_NAMES];
    uint32_t n_names;
    const QcYaml *axes, *without, *only;
    QcNameTable said[QC_EXPERIMENT_AXES];          /* values that an axis had before --set gave it others */
    const QcYaml *commands[QC_EXPERIMENT_STEPS];
    uint32_t room;
    uint32_t *table, slots;                        /* hash table of job + 1 by digest */
    char (*digests)[QC_DIGEST_TEXT];               /* [room] of jobs */
    uint32_t job_of[QC_EXPERIMENT_STEPS];          /* of the combination in hand */
} QcJobMaker;

/* How many of a text's first bytes can be a name's. */
size_t qc_word_length(const char *text);
int qc_is_plain(const char *text); /* 1: a shell takes it as it is */
/* NULL: there is none. */
const QcName *qc_experiment_name(const QcJobMaker *m, const char *name, size_t length);

/* The description in m->e->file becomes names, axes and steps. */
int qc_experiment_read(QcJobMaker *m, const char *const *settings, int n, QcErr *err);
/* 1 if all that the map says of axes holds for the combination; values may have {NAME}. */
int qc_experiment_map_holds(QcJobMaker *m, uint32_t combination, const QcYaml *map, QcErr *err);
/* All combinations become jobs. */
int qc_experiment_make_jobs(QcJobMaker *m, QcErr *err);

#endif
