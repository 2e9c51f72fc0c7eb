/* view.h - the bytes of an input that is read in order, without a copy of them.
 *
 * A regular file is mapped: its pages belong to the system, and qc_view_pass gives them back. Any other input (a pipe, a
 * device) is read into memory. A file that another process shortens ends this one with SIGBUS (lib/cli/cli.c).
 */
#ifndef QC_BASE_VIEW_H
#define QC_BASE_VIEW_H

#include <stddef.h>
#include <stdint.h>

#include "digest.h"
#include "err.h"

typedef struct QcView {
    const uint8_t *bytes; /* [length]; not NULL after qc_view_open */
    size_t length;
    uint8_t *own;  /* malloc'd, the view's; NULL: `bytes` is mapped */
    size_t passed; /* bytes whose pages were given back */
} QcView; /* all zero = nothing is open */

/* path: "-" or NULL = stdin. Refuses more than qc_max_bytes. An empty input is not an error. */
int qc_view_open(QcView *v, const char *path, QcErr *err);
/* Takes over `own`, which is malloc'd. */
void qc_view_own(QcView *v, uint8_t *own, size_t length);
/* The bytes before `at` are not needed soon. They stay valid: reading them again takes time. */
void qc_view_pass(QcView *v, const void *at);
/* As qc_view_pass, but the bytes before `at` are lost if they are in memory of the view. */
void qc_view_drop(QcView *v, const void *at);
/* The whole view is read again from its beginning. */
void qc_view_again(QcView *v);
void qc_view_digest(QcView *v, uint8_t digest[QC_DIGEST_BYTES]);
void qc_view_close(QcView *v); /* NULL or zero: nothing happens */

#endif
