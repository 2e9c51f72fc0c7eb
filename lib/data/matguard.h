/* matguard.h - checks the bytes of a MATLAB file before libmatio reads it (see matfile.h). */
#ifndef QC_DATA_MATGUARD_H
#define QC_DATA_MATGUARD_H

#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"

/* -1 with a sentence that begins with `name` unless all of it is sound. */
int qc_mat_guard(const char *name, const uint8_t *bytes, size_t length, QcErr *err);

#endif
