/* gunzip.h - inputs that are compressed with gzip (RFC 1952): any number of members, bounded by inflate.h, checksums
 * right. */
#ifndef QC_DATA_GUNZIP_H
#define QC_DATA_GUNZIP_H

#include "../base/inputview.h"

/* As qc_inputview_open, but input in gzip format is inflated into memory of the view. -1 with a sentence. */
int qc_gunzip_view(QcInputView *v, const char *path, QcErr *err);

#endif
