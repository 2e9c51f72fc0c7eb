/* importing.h - helpers that tests of importers share. Include after check.h and scratch.h. */
#ifndef QC_TESTS_IMPORTING_H
#define QC_TESTS_IMPORTING_H

#include "../../lib/data/import.h"

static QcErr err;
static const QcImportOptions plain = {0};

static inline int import(QcDataset *d, const char *format, const char *path, QcImportOptions o)
{
    return qc_import(d, format, path, &o, &err);
}

/* A file of the real data, or NULL, having said so, where it is not there. */
static inline const char *real(const char *name)
{
    static char path[512];
    const char *data = getenv("QC_DATA");
    snprintf(path, sizeof path, "%s/%s", data ? data : "../shared/data", name);
    struct stat about;
    if (!stat(path, &about)) return path;
    fprintf(stderr, "skipped: %s is not there\n", path);
    return NULL;
}

#endif
