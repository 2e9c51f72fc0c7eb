/* gunzip.h - inputs that are compressed with gzip (RFC 1952): any number of members, bounded by inflate.h, checksums
 * right. */
#ifndef QC_DATA_GUNZIP_H
#define QC_DATA_GUNZIP_H

#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"

/* qc_read_all; input in gzip format is inflated. */
int qc_read_unpacked(const char *path, uint8_t **bytes, size_t *length, QcErr *err);

#endif
