/* experimentfile.h - an experiment's description as one YAML tree, merged with the description that it extends.
 *
 *   from: people.yaml     # a description that lies beside this one, or is named from there, or comes with the programs
 *                         (share.h: "people" does, too)
 *
 * Its own keys win: `let` and `paths` name by name, `steps` likewise; any other key as a whole. A step of its
 * own takes the place of the step of the same name, and a new one comes before the next one that does, or last. A let
 * or path of the other that is an axis here is that axis.
 */
#ifndef QC_LAB_EXPERIMENTFILE_H
#define QC_LAB_EXPERIMENTFILE_H

#include "../format/yaml.h"

enum { QC_EXPERIMENT_FILES = 8 };

typedef struct QcExperimentFile {
    QcYamlDocument documents[QC_EXPERIMENT_FILES];
    uint32_t n;
    QcArena arena;
    const QcYaml *root; /* a map; nodes say which file they stand in */
} QcExperimentFile; /* all zero = empty and valid */

/* path: "-", a file, or else the name of one that comes with the programs. */
int qc_experiment_file_load(QcExperimentFile *f, const char *path, QcErr *err);
void qc_experiment_file_release(QcExperimentFile *f);

#endif
