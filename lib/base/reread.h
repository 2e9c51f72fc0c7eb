/* reread.h - an input that comes as a stream and is read more than once: its kind is found first, then it is read as
 * what it is. */
#ifndef QC_BASE_REREAD_H
#define QC_BASE_REREAD_H

#include "err.h"

/* path: standard input or a pipe: all of it goes to a file without a name, which becomes standard input, and "-" is
 * returned. Refuses more than qc_max_bytes. Any other path is returned as it is. NULL with a sentence. */
const char *qc_reread_open(const char *path, QcErr *err);
/* The next reader of standard input begins at its first byte. No effect on any other path. */
void qc_reread_again(const char *path);

#endif
