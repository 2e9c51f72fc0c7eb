/* statefile.h - a learner's state (lib/device/state.h) in a file: two slots after one block that says what the file is.
 * Blocks are written in place and reach the disk in order, so a kill or a power cut leaves the last whole state. One
 * process at a time has it open.
 */
#ifndef QC_FORMAT_STATEFILE_H
#define QC_FORMAT_STATEFILE_H

#include "../base/err.h"
#include "../device/state.h"

typedef struct QcStateFile {
    int file, is_open;
    int error; /* errno of the last call that failed */
    const char *path; /* the caller's */
    int was_there; /* 1: the file existed, with another size than a file without a state has: loading nothing then means
                      that it was cut or damaged */
    QcFlash flash;
    QcState state;
} QcStateFile;

/* Opens, or makes, the file for a learner that is placed; f must stay at its address. A file that is no state is
 * refused and left alone. */
int qc_statefile_open(QcStateFile *f, const char *path, const QcLearner *l, uint64_t identity, QcErr *err);
/* 1: the last whole state is in l; 0: there is none yet. Fails if the file's state is of another model, coreset or
 * parameters. */
int qc_statefile_load(QcStateFile *f, QcLearner *l, QcErr *err);
int qc_statefile_save(QcStateFile *f, const QcLearner *l, QcErr *err);
void qc_statefile_close(QcStateFile *f); /* all zero: nothing happens */

#endif
