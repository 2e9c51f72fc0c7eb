/* container.h - the one file format of all programs: named sections in a checked envelope; see qc-formats(5).
 *
 * Layout, little-endian: header (magic "QCF1", kind u32, version u32, number of sections u32, file length u64), table
 * of sections (name 16 bytes zero-padded, flags u32, crc32 u32, offset u64, length u64), sections at 64-byte boundaries
 * with zero padding, and at the end the SHA-256 of all before it and the end mark "QCF1END\n". The reader checks
 * everything before it gives out a byte: magic, kind, version, length equal to the file's, sections ascending without
 * overlap or holes, names unique, checksums, digest, end mark, nothing after it. Unknown sections with
 * QC_SECTION_OPTIONAL are kept and passed on; an unknown critical one is an error (qc_container_expect).
 */
#ifndef QC_FORMAT_CONTAINER_H
#define QC_FORMAT_CONTAINER_H

#include "../base/digest.h"
#include "../base/file.h"
#include "bytes.h"

typedef enum QcKind {
    QC_KIND_ANY = 0,
    QC_KIND_MODEL = 1,
    QC_KIND_DATA = 2,
    QC_KIND_MISSLOG = 3,
    QC_KIND_CHECKPOINT = 4
} QcKind;
const char *qc_kind_name(QcKind kind); /* "model", "data", "miss log", "checkpoint" */

enum { QC_SECTION_OPTIONAL = 1, QC_MAX_SECTIONS = 64 };

typedef struct QcSection {
    char name[17];
    uint32_t flags;
    const uint8_t *bytes; /* owned by the container; NULL: they stayed in the file */
    size_t length;
    uint64_t offset;      /* in the file that was read */
    uint8_t *own;         /* malloc'd bytes of a section that was added; else NULL */
} QcSection;

typedef struct QcContainer {
    QcKind kind;
    uint32_t n;
    QcSection sections[QC_MAX_SECTIONS];
    uint8_t digest[QC_DIGEST_BYTES]; /* of the whole file read, as sha256sum prints it; zero for a new
                                        one */
    uint64_t length;                 /* bytes of that file */
    QcArena arena;                   /* all section bytes */
    uint8_t *file;                   /* the bytes read; sections point into it */
    QcPieces *pieces;                /* the file, if it is held open (qc_container_open) */
} QcContainer;

/* Reads and checks; kind QC_KIND_ANY takes any. err names the file. */
int qc_container_load(QcContainer *c, const char *path, QcKind kind, QcErr *err);
/* The same without the file in memory: it is read and checked in pieces, and the section `stays` (NULL: none) is left
 * there. A path that is no regular file is loaded. */
int qc_container_open(QcContainer *c, const char *path, QcKind kind, const char *stays, QcErr *err);
/* takes over `file` (malloc'd), on failure too */
int qc_container_decode(QcContainer *c, uint8_t *file, size_t length, QcKind kind, QcErr *err);

void qc_container_init(QcContainer *c, QcKind kind);
/* Takes over the writer's bytes (the writer is empty afterwards, on failure too); replaces a section of that name. */
int qc_container_add(QcContainer *c, const char *name, uint32_t flags, QcWriter *w, QcErr *err);
/* The same with bytes that stay the caller's and must outlive the container. */
int qc_container_borrow(QcContainer *c, const char *name, uint32_t flags, const void *bytes, size_t length,
                        QcErr *err);
void qc_container_remove(QcContainer *c, const char *name); /* nothing happens if there is none */
int qc_container_save(const QcContainer *c, const char *path, QcErr *err); /* same content = same bytes */
int qc_container_encode(const QcContainer *c, QcWriter *w, QcErr *err);
/* To a stream that is open: `path` is for messages. */
int qc_container_write(const QcContainer *c, const QcOutput *out, const char *path, QcErr *err);
uint64_t qc_container_bytes(const QcContainer *c); /* of the file as it would be saved */

/* A cursor over a section; 0 when there is none of that name (the cursor is then empty), 1 when there is. */
int qc_container_find(const QcContainer *c, const char *name, QcCursor *cursor);
/* Fails if a critical section has a name that is not in the NULL-terminated list. */
int qc_container_expect(const QcContainer *c, const char *const *known, QcErr *err);

void qc_container_release(QcContainer *c);

#endif
