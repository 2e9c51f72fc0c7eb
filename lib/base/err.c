#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int qc_fail(QcErr *err, QcCode code, const char *format, ...)
{
    if (!err) return -1;
    char text[sizeof err->text]; /* arguments may point into err->text */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    /* names that come out of files may carry control characters: a message stays one line */
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
    err->code = code;
    memcpy(err->text, text, sizeof text);
    return -1;
}

int qc_within(QcErr *err, const char *where)
{
    if (!err) return -1;
    return qc_fail(err, err->code, "%.150s: %.350s", where, err->text);
}

int qc_fail_memory(QcErr *err, const char *what)
{
    return qc_fail(err, QC_EFAIL, "out of memory for %s", what);
}
