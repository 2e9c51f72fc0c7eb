/* cfront.h - a front-end for sound as C source: its tables, for device/frontend.h. */
#ifndef QC_EXPORT_CFRONT_H
#define QC_EXPORT_CFRONT_H

#include <stdio.h>

#include "../device/frontend.h"

/* `static const QcFrontEnd NAME`, with its arrays before it; without coefficients no dct. */
void qc_c_front(FILE *to, const char *name, const QcFrontEnd *f);

#endif
