#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"

uint64_t qc_max_bytes = QC_MAX_BYTES_DEFAULT;

int qc_is_standard(const char *path)
{
    static const char *const names[] = {"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"};
    for (size_t k = 0; path && k < sizeof names / sizeof *names; k++)
        if (!strcmp(path, names[k])) return 1;
    return !path;
}

const char *qc_input_name(const char *path) { return qc_is_standard(path) ? "standard input" : path; }
const char *qc_output_name(const char *path) { return qc_is_standard(path) ? "standard output" : path; }

static int fail_read(QcErr *err, const char *path, int error)
{
    return qc_fail(err, QC_EIO, "cannot read %.300s: %s", qc_input_name(path), strerror(error));
}

static int refuse_size(QcErr *err, const char *path, uint64_t most)
{
    const char *advice = most < qc_max_bytes ? "" : " (raise --max-bytes to read it)";
    return qc_fail(err, QC_EFORMAT, "%.300s is larger than %llu bytes%s", qc_input_name(path), (unsigned long long)most,
                   advice);
}

static int read_input(const char *path, uint64_t most, const char *magic, size_t n_magic, uint8_t **bytes,
                      size_t *length, QcErr *err)
{
    if (most > qc_max_bytes) most = qc_max_bytes;
    FILE *in = qc_is_standard(path) ? stdin : fopen(path, "rb");
    if (!in) return fail_read(err, path, errno);
    if (in == stdin && feof(in)) return qc_fail(err, QC_EUSAGE, "only one of the inputs can be standard input");
    int status = -1;
    size_t used = 0, room = 0;
    uint8_t *buffer = NULL;
    struct stat about;
    /* the size of a regular file is known, so one allocation is enough; pipes grow by doubling */
    size_t guess =
        !fstat(fileno(in), &about) && S_ISREG(about.st_mode) && about.st_size > 0 ? (size_t)about.st_size + 1 : 65536;
    for (;;) {
        if (used == room) {
            if (used > most) {
                refuse_size(err, path, most);
                goto end;
            }
            room = !room ? guess : room > SIZE_MAX / 2 ? SIZE_MAX : room * 2;
            if (room > most + 1) room = (size_t)most + 1;
            uint8_t *larger = realloc(buffer, room);
            if (!larger) {
                qc_fail_memory(err, qc_input_name(path));
                goto end;
            }
            buffer = larger;
            qc_advise_large(buffer + used, room - used);
        }
        errno = 0;
        size_t got = fread(buffer + used, 1, room - used, in);
        used += got;
        if (ferror(in)) {
            fail_read(err, path, errno ? errno : EIO);
            goto end;
        }
        if (!got || (used >= n_magic && memcmp(buffer, magic, n_magic))) break;
    }
    *bytes = buffer;
    *length = used;
    buffer = NULL;
    status = 0;
end:
    free(buffer);
    if (in != stdin) fclose(in);
    return status;
}

int qc_read_all(const char *path, uint8_t **bytes, size_t *length, QcErr *err)
{
    return read_input(path, qc_max_bytes, "", 0, bytes, length, err);
}

int qc_read_most(const char *path, uint64_t most, uint8_t **bytes, size_t *length, QcErr *err)
{
    return read_input(path, most, "", 0, bytes, length, err);
}

int qc_read_marked(const char *path, const char *magic, size_t n, uint8_t **bytes, size_t *length, QcErr *err)
{
    return read_input(path, qc_max_bytes, magic, n, bytes, length, err);
}

int qc_is_regular(const char *path)
{
    struct stat about;
    return !qc_is_standard(path) && !stat(path, &about) && S_ISREG(about.st_mode);
}

static int refuse_kind(QcErr *err, const char *path)
{
    return qc_fail(err, QC_EIO, "cannot read %.300s: it is no regular file", path);
}

int qc_need_regular(const char *path, QcErr *err)
{
    struct stat about;
    if (stat(path, &about)) return fail_read(err, path, errno);
    return S_ISREG(about.st_mode) ? 0 : refuse_kind(err, path);
}

QcPieces *qc_pieces_open(const char *path, QcErr *err)
{
    struct stat about;
    QcPieces *p = calloc(1, sizeof *p);
    if (p) p->path = strdup(path);
    if (!p || !p->path) {
        free(p);
        qc_fail_memory(err, "a file name");
        return NULL;
    }
    p->descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int failed = p->descriptor < 0 || fstat(p->descriptor, &about);
    if (failed) fail_read(err, path, errno);
    else if (!S_ISREG(about.st_mode)) failed = refuse_kind(err, path);
    else if ((p->length = (uint64_t)about.st_size) > qc_max_bytes) failed = refuse_size(err, path, qc_max_bytes);
    if (!failed) return p;
    qc_pieces_close(p);
    return NULL;
}

int qc_pieces_read(const QcPieces *p, void *to, uint64_t at, size_t n, QcErr *err)
{
    for (ssize_t got; n > 0; at += (uint64_t)got, n -= (size_t)got, to = (char *)to + got) {
        do got = pread(p->descriptor, to, n, (off_t)at);
        while (got < 0 && errno == EINTR);
        if (got < 0) return fail_read(err, p->path, errno);
        if (!got) return qc_fail(err, QC_EFORMAT, "%.300s became shorter while it was read", p->path);
    }
    return 0;
}

void qc_pieces_close(QcPieces *p)
{
    if (!p) return;
    if (p->descriptor >= 0) close(p->descriptor);
    free(p->path);
    free(p);
}
