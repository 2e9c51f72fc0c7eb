/* inputview.h - the bytes of an input that is read in order, without a copy of them.
 *
 * A regular file is mapped: its pages belong to the system, and qc_inputview_pass gives them back. Any other input (a
 * pipe, a device) is read into memory. A file that another process shortens ends this one with SIGBUS (lib/cli/cli.c).
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
    uint8_t *own;  /* malloc'd, the view's; NULL: `bytes` is mapped */
    size_t passed; /* bytes whose pages were given back */
} QcInputView; /* all zero = nothing is open */

/* path: "-" or NULL = stdin. Refuses more than qc_max_bytes. An empty input is not an error. */
int qc_inputview_open(QcInputView *v, const char *path, QcErr *err);
/* Takes over `own`, which is malloc'd. */
void qc_inputview_own(QcInputView *v, uint8_t *own, size_t length);
/* The bytes before `at` are not needed soon. They stay valid: reading them again takes time. */
void qc_inputview_pass(QcInputView *v, const void *at);
/* As qc_inputview_pass, but the bytes before `at` are lost if they are in memory of the view. */
void qc_inputview_drop(QcInputView *v, const void *at);
/* The whole view is read again from its beginning. */
void qc_inputview_again(QcInputView *v);
void qc_inputview_digest(QcInputView *v, uint8_t digest[QC_DIGEST_BYTES]);
void qc_inputview_close(QcInputView *v); /* NULL or zero: nothing happens */

#endif
