/* gunzip.h - inputs that are compressed with gzip (RFC 1952): any number of members, bounded by inflate.h, checksums
 * right. */
#ifndef QC_DATA_GUNZIP_H
#define QC_DATA_GUNZIP_H

#include "../base/view.h"

/* qc_view_open; input in gzip format is inflated. */
int qc_view_unpacked(QcView *v, const char *path, QcErr *err);

#endif
