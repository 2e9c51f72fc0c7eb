/* err.h - how every fallible function of the host side reports a failure.
 *
 * A function that can fail takes `QcErr *err` as its last argument, returns -1 or NULL, and only then writes
 * *err: a code (which is also the exit status of the program) and one sentence for the user.
 * `err` may be NULL if the caller does not need the reason. The caller owns the struct; nothing in it is allocated.
 */
#ifndef QC_BASE_ERR_H
#define QC_BASE_ERR_H

typedef enum QcCode {
    QC_OK = 0,
    QC_EFAIL = 1,        /* the work itself failed (out of memory, did not converge) */
    QC_EUSAGE = 2,       /* wrong usage of a program or function */
    QC_EFORMAT = 3,      /* an input's content is wrong */
    QC_EIO = 4,          /* reading or writing failed */
    QC_EUNSUPPORTED = 5  /* a well-formed model that cannot be supported */
} QcCode;

typedef struct QcErr {
    QcCode code;
    char text[512]; /* one sentence, no newline, no full stop */
} QcErr;

/* Writes the sentence; always returns -1, so that `return qc_fail(err, ...)` reads well. */
int qc_fail(QcErr *err, QcCode code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Prefixes the sentence with "where: "; always returns -1. */
int qc_within(QcErr *err, const char *where);

/* "out of memory ..." with code QC_EFAIL; always returns -1. */
int qc_fail_memory(QcErr *err, const char *what);

#endif
