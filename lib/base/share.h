/* share.h - files that come with the programs: architectures, experiments. */
#ifndef QC_BASE_SHARE_H
#define QC_BASE_SHARE_H

#include <stddef.h>

/* The path of `name`, or of name.yaml, in the folder ("arch") of $QC_SHARE, or of ../share or ../share/qcore as seen
 * from the program. 0: there is no such file, or the name has a '/' and so is a path itself. */
int qc_share_find(char *path, size_t room, const char *folder, const char *name);

#endif
