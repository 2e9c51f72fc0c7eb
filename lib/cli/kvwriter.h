/* kvwriter.h - key-value writer: prints "key: value" lines for people, or one JSON object for programs.
 *
 * Everything goes to stdout. Keys of a list's items are NULL. Text out of files is made safe to print.
 */
#ifndef QC_CLI_KVWRITER_H
#define QC_CLI_KVWRITER_H

#include <stdint.h>

typedef struct QcKvWriter {
    int json;
    int depth;        /* objects and lists that are open, the outermost not counted */
    int in_line;      /* text: the object that is a list's item stands on one line */
    int started[16];  /* a value was already printed at this depth */
    char closer[16];  /* of JSON: } or ] */
} QcKvWriter;

void qc_kv_open(QcKvWriter *s, int json);
void qc_kv_close(QcKvWriter *s); /* ends the outermost object */

void qc_kv_object(QcKvWriter *s, const char *key);
void qc_kv_list(QcKvWriter *s, const char *key);
void qc_kv_end(QcKvWriter *s); /* of the innermost object or list */

void qc_kv_text(QcKvWriter *s, const char *key, const char *text);
void qc_kv_int(QcKvWriter *s, const char *key, int64_t value);
void qc_kv_real(QcKvWriter *s, const char *key, double value); /* nine significant digits; null if it is no number */
void qc_kv_flag(QcKvWriter *s, const char *key, int value);

#endif
