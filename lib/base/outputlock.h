/* outputlock.h - locks (flock) of output files: if two processes write the same output, the second is refused.
 *
 * A process holds a lock until it ends: on each file that it has written, and on each existing file that it is about to
 * replace. The kernel drops these locks at every end of a process. If a file system has no locks, nothing is refused.
 */
#ifndef QC_BASE_OUTPUTLOCK_H
#define QC_BASE_OUTPUTLOCK_H

#include <sys/stat.h>

#include "err.h"

/* Locks the existing file `target`, unless this process has locked it; afterwards the name is still of the locked file.
 * 1: there is no such file. -1: another process has it; the message names `path`. */
int qc_outputlock_take(const char *target, const char *path, QcErr *err);
/* Takes ownership of the descriptor of a locked file; < 0: nothing happens. */
void qc_outputlock_keep(int file);
/* Drops the lock of this file, if this process has one. */
void qc_outputlock_let_go(const struct stat *about);

#endif
