#include "view.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "file.h"

enum { PIECE = 1 << 20 }; /* bytes that are given back at a time: a multiple of any page */

/* A regular file with content, mapped. 0: it cannot be mapped, so it is to be read. */
static int map(QcView *v, const char *path)
{
    struct stat about;
    int file = qc_is_standard(path) ? -1 : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return 0;
    if (!fstat(file, &about) && S_ISREG(about.st_mode) && about.st_size > 0 &&
        (uint64_t)about.st_size <= qc_max_bytes && (uint64_t)about.st_size <= SIZE_MAX / 2) {
        void *bytes = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, file, 0);
        if (bytes != MAP_FAILED) *v = (QcView){.bytes = bytes, .length = (size_t)about.st_size};
    }
    close(file);
    return v->bytes != NULL;
}

int qc_view_open(QcView *v, const char *path, QcErr *err)
{
    uint8_t *own = NULL;
    size_t length;
    *v = (QcView){0};
    if (map(v, path)) return 0;
    if (qc_read_all(path, &own, &length, err)) return -1; /* says why it cannot be read, too */
    qc_view_own(v, own, length);
    return 0;
}

void qc_view_own(QcView *v, uint8_t *own, size_t length) { *v = (QcView){.bytes = own, .length = length, .own = own}; }

/* Whole pieces before `at` that were not passed before. */
static size_t take_passed(QcView *v, const void *at, const uint8_t **from)
{
    size_t end = (size_t)((const uint8_t *)at - v->bytes) / PIECE * PIECE, n = end > v->passed ? end - v->passed : 0;
    *from = v->bytes + v->passed;
    v->passed += n;
    return n;
}

void qc_view_pass(QcView *v, const void *at)
{
    const uint8_t *from;
    if (v->own || !v->bytes) return;
    size_t n = take_passed(v, at, &from);
    if (n) (void)madvise((void *)(uintptr_t)from, n, MADV_DONTNEED);
#ifdef MADV_POPULATE_READ
    size_t left = v->length - v->passed;
    if (n) (void)madvise((void *)(uintptr_t)(from + n), left < PIECE ? left : PIECE, MADV_POPULATE_READ);
#endif
}

void qc_view_drop(QcView *v, const void *at)
{
    const uint8_t *from;
    if (!v->own) return qc_view_pass(v, at);
    size_t n = take_passed(v, at, &from);
    if (n) qc_give_back((void *)(uintptr_t)from, n);
}

void qc_view_again(QcView *v)
{
    qc_view_pass(v, v->bytes + v->length);
    v->passed = 0;
}

void qc_view_digest(QcView *v, uint8_t digest[QC_DIGEST_BYTES])
{
    QcDigest d;
    qc_digest_init(&d);
    for (size_t at = 0, n; at < v->length; at += n) {
        n = v->length - at < PIECE ? v->length - at : PIECE;
        qc_digest_add(&d, v->bytes + at, n);
        qc_view_pass(v, v->bytes + at + n);
    }
    qc_digest_end(&d, digest);
    qc_view_again(v);
}

void qc_view_close(QcView *v)
{
    if (!v) return;
    if (v->own) free(v->own);
    else if (v->bytes) munmap((void *)(uintptr_t)v->bytes, v->length);
    *v = (QcView){0};
}
