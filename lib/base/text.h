/* text.h - text from outside (names in files, paths, arguments), made safe to print.
 *
 * Unsafe are: control characters (C0, DEL, C1), bytes that are no UTF-8, line and paragraph separators, marks that
 * change the direction of writing, and the two code points that XML does not allow. All other text stays, but
 * characters with a meaning in the output form are escaped by the rules of that form.
 */
#ifndef QC_BASE_TEXT_H
#define QC_BASE_TEXT_H

#include <stddef.h>
#include <stdio.h>

typedef enum QcTextForm {
    QC_TEXT_PLAIN,    /* messages, tables, terminals: an unsafe byte is \xNN; a backslash stays */
    QC_TEXT_JSON,     /* between the quotes of a string; bytes that are no UTF-8 become U+FFFD */
    QC_TEXT_LATEX,    /* running text; unsafe as in plain text */
    QC_TEXT_MARKDOWN, /* cell of a table: no markup but emphasis by _; unsafe as in plain text */
    QC_TEXT_GNUPLOT,  /* between double quotes; unsafe as in plain text */
    QC_TEXT_XML       /* HTML and SVG, between tags or in an attribute; unsafe as in plain text */
} QcTextForm;

enum { QC_TEXT_PIECE = 24 }; /* bytes that the next character can become, the terminating zero included */

/* Writes the escaped form of the first character of `text` into `piece`. Returns how many bytes of the text that is; 0
 * at the text's end. */
size_t qc_text_next(char piece[QC_TEXT_PIECE], const char *text, QcTextForm form);

/* 1 if all of it is UTF-8 (RFC 3629) without zero bytes. */
int qc_text_is_utf8(const char *text, size_t length);

/* All of it to a stream. */
void qc_text_put(FILE *to, const char *text, QcTextForm form);

/* All of it, or as many whole characters as fit with a terminating zero, into `out` (room > 0). `out` and `text` must
 * not overlap. */
void qc_text_copy(char *out, size_t room, const char *text, QcTextForm form);

#endif
