/* npzwrite.h - NumPy arrays into one archive (.npz), stored as they are, so that numpy.load takes them. Everything is
 * put together in memory. */
#ifndef QC_DATA_NPZWRITE_H
#define QC_DATA_NPZWRITE_H

#include "../format/bytes.h"

typedef struct QcNpzMember {
    char name[96];
    uint32_t crc, length, at; /* at: its local header */
} QcNpzMember;

typedef struct QcNpz {
    QcWriter out;
    QcNpzMember *members; /* [n], malloc'd */
    uint32_t n, room;
} QcNpz; /* all zero = empty and valid */

/* Begins an array of this type ("<f4") and shape; its elements, little-endian and in C order, are then put to npz->out,
 * and qc_npz_end says that was all. name: below 92 bytes; at most 65535 arrays. */
void qc_npz_begin(QcNpz *npz, const char *name, const char *descr, const uint64_t *shape, uint32_t rank);
void qc_npz_end(QcNpz *npz);
/* n texts (UTF-8), as an array of fixed length. */
void qc_npz_texts(QcNpz *npz, const char *name, const char *const *texts, uint32_t n);
/* Fails if the archive is larger than 4 GB. Nothing is written then. */
int qc_npz_save(QcNpz *npz, const char *path, QcErr *err);
void qc_npz_release(QcNpz *npz);

#endif
