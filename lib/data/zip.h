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
    QcInputView *view; /* borrowed: the archive's bytes */
    QcZipMember *members; /* [n], from the arena */
    uint32_t n;
    QcNameTable table;
} QcZip;

/* archive, name: borrowed until the last read. -1 with a sentence. */
int qc_zip_open(QcZip *zip, QcInputView *archive, const char *name, QcArena *arena, QcErr *err);
const QcZipMember *qc_zip_find(const QcZip *zip, const char *name); /* NULL: none */
/* The member's bytes, from malloc, the caller's; its checksum is right. */
int qc_zip_read(uint8_t **bytes, const QcZip *zip, const QcZipMember *member, QcErr *err);
/* The member's bytes without a copy if it is stored (method 0): then *stays points into the archive, and *own is all
 * zero. Else *own has the inflated bytes, which the caller closes, and *stays points into them. */
int qc_zip_view(const uint8_t **stays, QcInputView *own, const QcZip *zip, const QcZipMember *member, QcErr *err);

#endif
