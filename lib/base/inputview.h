/* inputview.h - all bytes of an input, for readers that read mostly in order: a file is not copied into memory.
 *
 * A regular file is mapped, and qc_inputview_pass returns pages that were read to the system. Any other input (a pipe,
 * a device) is read into memory. If another process shortens a mapped file, reading beyond its new end raises SIGBUS,
 * for which lib/cli/cli.c prints a message and ends the process.
 */
#ifndef QC_BASE_INPUTVIEW_H
#define QC_BASE_INPUTVIEW_H

#include <stddef.h>
#include <stdint.h>

#include "digest.h"
#include "err.h"

typedef struct QcInputView {
    const uint8_t *bytes; /* [length]; not NULL after qc_inputview_open */
    size_t length;
    uint8_t *own;  /* malloc'd, owned by the view; NULL: `bytes` is mapped */
    size_t passed; /* bytes whose pages were returned to the system */
} QcInputView; /* all zero = nothing is open */

/* path: "-" or NULL = stdin. Refuses more than qc_max_bytes. An empty input is not an error. Overwrites *v; close it
 * with qc_inputview_close. 0, or -1 with a sentence. */
int qc_inputview_open(QcInputView *v, const char *path, QcErr *err);
/* A view of own[length], which is malloc'd: the view takes ownership. */
void qc_inputview_own(QcInputView *v, uint8_t *own, size_t length);
/* Returns the pages before `at`, a place in the view, to the system. The bytes stay valid: the system reads them from
 * the file again if needed. */
void qc_inputview_pass(QcInputView *v, const void *at);
/* As qc_inputview_pass, but if the input is in memory, the bytes before `at` are lost. */
void qc_inputview_drop(QcInputView *v, const void *at);
/* Call before the view is read again from its beginning: all pages go back to the system. */
void qc_inputview_again(QcInputView *v);
/* SHA-256 of all bytes. */
void qc_inputview_digest(QcInputView *v, uint8_t digest[QC_DIGEST_BYTES]);
void qc_inputview_close(QcInputView *v); /* NULL or zero: nothing happens */

#endif
