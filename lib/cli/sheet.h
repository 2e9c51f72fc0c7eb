/* sheet.h - facts, told either as "key: value" lines for people or as one JSON object for programs; the caller states
 * them once.
 *
 * Everything goes to stdout. Keys of a list's items are NULL. Text out of files is made safe to print.
 */
#ifndef QC_CLI_SHEET_H
#define QC_CLI_SHEET_H

#include <stdint.h>

typedef struct QcSheet {
    int json;
    int depth;        /* objects and lists that are open, the outermost not counted */
    int in_line;      /* text: the object that is a list's item stands on one line */
    int started[16];  /* something was already told at this depth */
    char closer[16];  /* of JSON: } or ] */
} QcSheet;

void qc_sheet_open(QcSheet *s, int json);
void qc_sheet_close(QcSheet *s); /* ends the outermost object */

void qc_sheet_object(QcSheet *s, const char *key);
void qc_sheet_list(QcSheet *s, const char *key);
void qc_sheet_end(QcSheet *s); /* of the innermost object or list */

void qc_sheet_text(QcSheet *s, const char *key, const char *text);
void qc_sheet_int(QcSheet *s, const char *key, int64_t value);
void qc_sheet_real(QcSheet *s, const char *key, double value); /* nine digits that count; null where it is no number */
void qc_sheet_flag(QcSheet *s, const char *key, int value);

#endif
