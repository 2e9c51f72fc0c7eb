/* outputpath.h - parts of an output's path, and the file that it names. */
#ifndef QC_BASE_OUTPUTPATH_H
#define QC_BASE_OUTPUTPATH_H

/* The last part of a path; points into it. */
const char *qc_outputpath_last(const char *path);
/* The folder of a path. malloc'd; NULL: no memory. */
char *qc_outputpath_folder(const char *path);
/* The file that a path names after symbolic links in its last part; the file need not exist. malloc'd; NULL with
 * errno. */
char *qc_outputpath_resolve(const char *path);

#endif
