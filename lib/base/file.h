/* file.h - inputs that are read whole (file.c), outputs that are written whole or not at all (output.c).
 *
 * An output goes to a temporary file in its own folder, is flushed and fsynced, renamed over PATH, and the folder is
 * fsynced: kill -9 at any moment leaves the old file or the new file. The new file has the permissions of the old file;
 * a symbolic link stays, and the file that it points to is replaced. Of two processes that write the same output, one
 * is refused. "-" and NULL mean stdin or stdout; /dev/stdout and /dev/fd/1 mean stdout.
 */
#ifndef QC_BASE_FILE_H
#define QC_BASE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "err.h"

#define QC_MAX_BYTES_DEFAULT ((uint64_t)8 << 30) /* larger inputs are refused unless the user raises it */

extern uint64_t qc_max_bytes; /* --max-bytes; QC_MAX_BYTES_DEFAULT at start */

/* Reads all of `path` ("-" or NULL = stdin, read incrementally) into one malloc'd buffer, which the caller frees.
 * Refuses more than qc_max_bytes. An empty input is not an error here. */
int qc_read_all(const char *path, uint8_t **bytes, size_t *length, QcErr *err);
/* The same for small inputs: it also refuses more than `most` bytes, and reads no more of them. */
int qc_read_most(const char *path, uint64_t most, uint8_t **bytes, size_t *length, QcErr *err);
/* As qc_read_all if the input begins with the n bytes of `magic`. Of any other input, which may never end, only the
 * beginning is read. */
int qc_read_marked(const char *path, const char *magic, size_t n, uint8_t **bytes, size_t *length, QcErr *err);

/* A regular file that is held open, so that pieces of it can be read later. */
typedef struct QcPieces {
    int descriptor;
    uint64_t length; /* when it was opened */
    char *path;
} QcPieces;

/* 1 if the path names a regular file, which can be read in pieces: no standard stream, pipe or device. */
int qc_is_regular(const char *path);
/* Refuses a path to anything else: for paths that come from the content of a file, not from the user. */
int qc_need_regular(const char *path, QcErr *err);
/* Refuses more than qc_max_bytes, and anything but a regular file. For paths that come from the content of a file or a
 * folder, too: no pipe stops it. */
QcPieces *qc_pieces_open(const char *path, QcErr *err);
/* n bytes from `at` on; fewer are a failure. Any number of threads may read at a time. */
int qc_pieces_read(const QcPieces *p, void *to, uint64_t at, size_t n, QcErr *err);
void qc_pieces_close(QcPieces *p);

/* "standard input" or the path: for messages. */
const char *qc_input_name(const char *path);
const char *qc_output_name(const char *path);

/* 1 if the path means a standard stream. */
int qc_is_standard(const char *path);

/* 1 if one output would replace the other: the same name in the same folder, however it is spelt ("x" and "./x"). */
int qc_same_output(const char *a, const char *b);

/* Refuses an output that would replace one of the n inputs (QC_EUSAGE). Any path may be NULL. */
int qc_output_refuse_overwrite(const char *output, const char *const *inputs, int n, QcErr *err);

/* No output may replace this file either, which is read before all others (--config); the caller's for good, or
 * NULL. */
void qc_output_protect(const char *path);

typedef struct QcOutput {
    FILE *stream;    /* write here; stdout for "-" */
    char *path;      /* as it was given; NULL for stdout */
    char *target;    /* the file that takes its place at the end; NULL if the stream is the output itself */
    char *temporary; /* its name until then; NULL while it has none */
} QcOutput;

/* For tests. 1: temporary files have names from the start, as on file systems without O_TMPFILE. */
extern int qc_output_named;

/* Opens; `binary` refuses a terminal. On failure nothing is left behind. */
int qc_output_open(QcOutput *out, const char *path, int binary, QcErr *err);

/* Before long work: fails if opening would (a terminal for binary output, a folder that is not there or not
 * writable). Leaves nothing. */
int qc_output_check(const char *path, int binary, QcErr *err);

/* Makes the output visible under its name, or says why not (then the old file is whole). Releases `out`. */
int qc_output_commit(QcOutput *out, QcErr *err);

/* The same of two outputs that belong together: both are whole on the disk before the first old file is replaced. */
int qc_output_commit_pair(QcOutput *a, QcOutput *b, QcErr *err);

/* Gives up: removes the temporary file. Zero or NULL: nothing happens. */
void qc_output_release(QcOutput *out);

/* Removes the temporary files of all open outputs: for a process that a signal ends. Async-signal-safe. */
void qc_output_cleanup(void);

/* Makes new names in the folder of `path` survive a power cut; file systems that cannot fsync a folder are left
 * alone. */
void qc_sync_folder(const char *path);

/* open + write + commit in one call. */
int qc_write_all(const char *path, const void *bytes, size_t length, QcErr *err);

#endif
