/* lockedfile.h - a file that is written in place by one process at a time. */
#ifndef QC_BASE_LOCKEDFILE_H
#define QC_BASE_LOCKEDFILE_H

#include <stdint.h>

#include "err.h"

/* Opens a regular file for reading and writing, or makes an empty one, and locks it until it is closed or the process
 * ends. Returns the descriptor; *size: its bytes. After success `path` names this very file, so no other process has
 * another file of this name locked. Refuses a file that another process has locked. Sentences do not name the path
 * (qc_within). */
int qc_lockedfile_open(const char *path, uint64_t *size, QcErr *err);

#endif
