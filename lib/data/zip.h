/* zip.h - members of a ZIP archive in memory (what .npz is): stored or deflated, with or without the 64-bit extension.
 *
 * The archive is not trusted: before memory is taken, places and lengths are bounded by its bytes, and the inflated
 * size of a member by inflate.h.
 */
#ifndef QC_DATA_ZIP_H
#define QC_DATA_ZIP_H

#include <stddef.h>
#include <stdint.h>

#include "../base/nametable.h"
#include "../base/inputview.h"

typedef struct QcZipMember {
    char *name;
    uint32_t method, crc;
    uint64_t compressed, length, at; /* at: its local header */
} QcZipMember;

typedef struct QcZip {
    const char *name; /* of the archive, for messages */
    QcInputView *view;
    QcZipMember *members; /* [n], from the arena */
    uint32_t n;
    QcNameTable table;
} QcZip;

/* The archive is borrowed. */
int qc_zip_open(QcZip *zip, QcInputView *archive, const char *name, QcArena *arena, QcErr *err);
const QcZipMember *qc_zip_find(const QcZip *zip, const char *name); /* NULL: none */
/* The member's bytes, from malloc, the caller's; its checksum is right. */
int qc_zip_read(uint8_t **bytes, const QcZip *zip, const QcZipMember *member, QcErr *err);
/* The same without a copy if the member is stored: then *stays points into the archive, and *own is empty. */
int qc_zip_view(const uint8_t **stays, QcInputView *own, const QcZip *zip, const QcZipMember *member, QcErr *err);

#endif
