#include "inputview.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "file.h"

enum { PIECE = 1 << 20 }; /* bytes that are returned at a time: a multiple of every page size */

/* Maps a regular file that is not empty. 1: mapped; 0: the input must be read into memory. */
static int map(QcInputView *v, const char *path)
{
    struct stat about;
    int file = qc_is_standard(path) ? -1 : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return 0;
    if (!fstat(file, &about) && S_ISREG(about.st_mode) && about.st_size > 0 &&
        (uint64_t)about.st_size <= qc_max_bytes && (uint64_t)about.st_size <= SIZE_MAX / 2) {
        void *bytes = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, file, 0);
        if (bytes != MAP_FAILED) *v = (QcInputView){.bytes = bytes, .length = (size_t)about.st_size};
    }
    close(file);
    return v->bytes != NULL;
}

int qc_inputview_open(QcInputView *v, const char *path, QcErr *err)
{
    uint8_t *own = NULL;
    size_t length;
    *v = (QcInputView){0};
    if (map(v, path)) return 0;
    if (qc_read_all(path, &own, &length, err)) return -1; /* also reports why open failed */
    qc_inputview_own(v, own, length);
    return 0;
}

void qc_inputview_own(QcInputView *v, uint8_t *own, size_t length)
{
    *v = (QcInputView){.bytes = own, .length = length, .own = own};
}

/* Marks the whole pieces before `at` as passed: *from = the first new one. Returns their bytes. */
static size_t take_passed(QcInputView *v, const void *at, const uint8_t **from)
{
    size_t end = (size_t)((const uint8_t *)at - v->bytes) / PIECE * PIECE, n = end > v->passed ? end - v->passed : 0;
    *from = v->bytes + v->passed;
    v->passed += n;
    return n;
}

void qc_inputview_pass(QcInputView *v, const void *at)
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

void qc_inputview_drop(QcInputView *v, const void *at)
{
    const uint8_t *from;
    if (!v->own) return qc_inputview_pass(v, at);
    size_t n = take_passed(v, at, &from);
    if (n) qc_give_back((void *)(uintptr_t)from, n);
}

void qc_inputview_again(QcInputView *v)
{
    qc_inputview_pass(v, v->bytes + v->length);
    v->passed = 0;
}

void qc_inputview_digest(QcInputView *v, uint8_t digest[QC_DIGEST_BYTES])
{
    QcDigest d;
    qc_digest_init(&d);
    for (size_t at = 0, n; at < v->length; at += n) {
        n = v->length - at < PIECE ? v->length - at : PIECE;
        qc_digest_add(&d, v->bytes + at, n);
        qc_inputview_pass(v, v->bytes + at + n);
    }
    qc_digest_end(&d, digest);
    qc_inputview_again(v);
}

void qc_inputview_close(QcInputView *v)
{
    if (!v) return;
    if (v->own) free(v->own);
    else if (v->bytes) munmap((void *)(uintptr_t)v->bytes, v->length);
    *v = (QcInputView){0};
}
