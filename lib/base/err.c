#include "err.h"

#include <stdarg.h>
#include <stdio.h>

#include "text.h"

int qc_fail(QcErr *err, QcCode code, const char *format, ...)
{
    if (!err) return -1;
    char text[sizeof err->text]; /* arguments may point into err->text */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    err->code = code;
    qc_text_copy(err->text, sizeof err->text, text, QC_TEXT_PLAIN); /* names from files may contain line ends: a
                                                                     * message stays one line */
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
