/* statefile.h - a learner's state (lib/device/state.h) in a file: two slots after a block that identifies the file, and
 * a third one for the state before the latest adapt that can be undone. Blocks are written in place and reach the disk
 * in order, so a kill or a power cut leaves the last whole state. One process at a time has it open.
 */
#ifndef QC_FORMAT_STATEFILE_H
#define QC_FORMAT_STATEFILE_H

#include "../base/digest.h"
#include "../base/err.h"
#include "../device/state.h"
#include "modelfile.h"

/* What a state belongs to. The file's first block names the owner, so that a refusal can say what differs; 0
 * there: an older file, which does not name it. */
typedef struct QcStateOwner {
    uint64_t model, coreset; /* the first 8 bytes of the files' digests */
    uint64_t settings;       /* of session, seed and parameters */
    uint64_t identity;       /* of all of these */
} QcStateOwner;

/* session: "live", or the method of qc-calibrate; model, coreset: digests of the files. */
QcStateOwner qc_stateowner_of(const char *session, uint64_t seed, const QcParameters *parameters,
                              const uint8_t model[QC_DIGEST_BYTES], const uint8_t coreset[QC_DIGEST_BYTES]);

/* A part of the file as flash memory. */
typedef struct QcStatePart {
    struct QcStateFile *file;
    uint64_t from; /* byte of the file */
    QcFlash flash;
    QcState state;
} QcStatePart;

typedef struct QcStateFile {
    int file, is_open;
    int error; /* errno of the last call that failed */
    const char *path; /* the caller's */
    int was_there; /* 1: the file existed, with another size than a file without a state has: loading nothing then means
                      that it was cut or damaged */
    QcStateOwner owner; /* the caller's, of qc_statefile_open */
    QcStatePart latest, before; /* two slots; one slot */
} QcStateFile;

/* Opens, or makes, the file for a learner that is placed; f must stay at its address. A file that is no state is
 * refused and left alone. */
int qc_statefile_open(QcStateFile *f, const char *path, const QcLearner *l, const QcStateOwner *owner, QcErr *err);
/* 1: the last whole state is in l; 0: there is none yet. Fails if the file's state is of another owner: the sentence
 * says whether model, coreset or settings differ. */
int qc_statefile_load(QcStateFile *f, QcLearner *l, QcErr *err);
/* Names of spare rows (spareclasses.h) that the sessions of a state have taken lie in the file's first block. Reads
 * them into a model whose spare rows have no names yet, before a learner is placed; without a file, none. */
void qc_statefile_read_names(QcModelFile *m, const char *path);
/* After a state was loaded: refuses it if it has learned more classes than the `named` of the model and of its own
 * names, some of which are damaged then. */
int qc_statefile_check_names(const QcLearner *l, uint32_t named, QcErr *err);
/* Names of the classes from `first` on, before a state that knows them is saved. */
int qc_statefile_write_names(QcStateFile *f, const QcModelFile *m, uint32_t first, QcErr *err);
int qc_statefile_save(QcStateFile *f, const QcLearner *l, QcErr *err);
/* Call before the state after an adapt is saved. `before` is the state before this adapt: l->state_bytes bytes, at a
 * multiple of 8. */
int qc_statefile_save_before(QcStateFile *f, const QcLearner *l, void *before, QcErr *err);
/* 1: the state before the latest adapt that can be undone is in l; 0: there is none, and l is as it was. */
int qc_statefile_load_before(QcStateFile *f, QcLearner *l, QcErr *err);
int qc_statefile_drop_before(QcStateFile *f, QcErr *err); /* once it is the latest state */
void qc_statefile_close(QcStateFile *f); /* all zero: nothing happens */

#endif
