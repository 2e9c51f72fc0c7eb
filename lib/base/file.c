#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t qc_max_bytes = QC_MAX_BYTES_DEFAULT;

int qc_is_standard(const char *path) { return !path || !strcmp(path, "-") || !strcmp(path, "/dev/stdout"); }
const char *qc_input_name(const char *path) { return qc_is_standard(path) ? "standard input" : path; }
const char *qc_output_name(const char *path) { return qc_is_standard(path) ? "standard output" : path; }

static int fail_read(QcErr *err, const char *path, int error)
{
    return qc_fail(err, QC_EIO, "cannot read %.300s: %s", qc_input_name(path), strerror(error));
}

static int refuse_size(QcErr *err, const char *path, uint64_t most)
{
    const char *advice = most < qc_max_bytes ? "" : " (raise --max-bytes to read it)";
    return qc_fail(err, QC_EFORMAT, "%.300s is larger than %llu bytes%s", qc_input_name(path), (unsigned long long)most, advice);
}

static int read_input(const char *path, uint64_t most, const char *magic, size_t n_magic, uint8_t **bytes, size_t *length, QcErr *err)
{
    if (most > qc_max_bytes) most = qc_max_bytes;
    FILE *in = qc_is_standard(path) ? stdin : fopen(path, "rb");
    if (!in) return fail_read(err, path, errno);
    if (in == stdin && feof(in)) return qc_fail(err, QC_EUSAGE, "only one of the inputs can be standard input");
    int status = -1;
    size_t used = 0, room = 0;
    uint8_t *buffer = NULL;
    struct stat about;
    /* a regular file tells its size, so that one allocation serves; pipes grow by doubling */
    size_t guess = !fstat(fileno(in), &about) && S_ISREG(about.st_mode) && about.st_size > 0 ? (size_t)about.st_size + 1 : 65536;
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

int qc_read_all(const char *path, uint8_t **bytes, size_t *length, QcErr *err) { return read_input(path, qc_max_bytes, "", 0, bytes, length, err); }

int qc_read_most(const char *path, uint64_t most, uint8_t **bytes, size_t *length, QcErr *err) { return read_input(path, most, "", 0, bytes, length, err); }

int qc_read_marked(const char *path, const char *magic, size_t n, uint8_t **bytes, size_t *length, QcErr *err)
{
    return read_input(path, qc_max_bytes, magic, n, bytes, length, err);
}

int qc_is_regular(const char *path)
{
    struct stat about;
    return !qc_is_standard(path) && !stat(path, &about) && S_ISREG(about.st_mode);
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
    p->descriptor = open(path, O_RDONLY | O_CLOEXEC);
    int failed = p->descriptor < 0 || fstat(p->descriptor, &about);
    if (failed) fail_read(err, path, errno);
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

/* The folder of a path, and where its last part begins. */
static const char *split_path(const char *path, struct stat *folder)
{
    char *copy = strdup(path);
    const char *slash = strrchr(path, '/');
    if (!copy || stat(dirname(copy), folder)) *folder = (struct stat){0};
    free(copy);
    return slash ? slash + 1 : path;
}

int qc_same_output(const char *a, const char *b)
{
    struct stat about, folder_a, folder_b;
    if (qc_is_standard(a) || qc_is_standard(b)) return qc_is_standard(a) && qc_is_standard(b);
    if (!stat(a, &about) && !S_ISREG(about.st_mode)) return 0; /* /dev/null takes any number */
    if (!strcmp(a, b)) return 1;
    const char *name_a = split_path(a, &folder_a), *name_b = split_path(b, &folder_b);
    return !strcmp(name_a, name_b) && folder_a.st_ino && folder_a.st_ino == folder_b.st_ino && folder_a.st_dev == folder_b.st_dev;
}

int qc_output_spares(const char *output, const char *const *inputs, int n, QcErr *err)
{
    for (int i = 0; i < n && output && !qc_is_standard(output); i++)
        if (inputs[i] && qc_same_output(output, inputs[i])) return qc_fail(err, QC_EUSAGE, "%.300s is read, so nothing can be written there: name another file", output);
    return 0;
}

static int fail_write(QcErr *err, const char *path, int error)
{
    return qc_fail(err, QC_EIO, "cannot write %.300s: %s", qc_output_name(path), strerror(error ? error : EIO));
}

/* The temporary files that there are, for a signal that ends the process; more than these stay behind. */
static char *volatile temporaries[8];

/* `now` stands where `before` did: one of them is NULL. */
static void note_temporary(const char *before, char *now)
{
    for (int i = 0; i < 8; i++)
        if (temporaries[i] == before) {
            temporaries[i] = now;
            return;
        }
}

void qc_output_abandon(void)
{
    for (int i = 0; i < 8; i++)
        if (temporaries[i]) unlink(temporaries[i]);
}

static const char *protected;

void qc_output_protect(const char *path) { protected = path; }

int qc_output_open(QcOutput *out, const char *path, int binary, QcErr *err)
{
    *out = (QcOutput){0};
    if (qc_output_spares(path, &protected, 1, err)) return -1;
    if (qc_is_standard(path)) {
        if (binary && isatty(STDOUT_FILENO))
            return qc_fail(err, QC_EUSAGE, "will not write binary data to a terminal (use -o FILE or a pipe)");
        out->stream = stdout;
        return 0;
    }
    struct stat about;
    if (!stat(path, &about) && !S_ISREG(about.st_mode)) { /* /dev/null, a pipe by name: no renaming over those */
        out->stream = S_ISDIR(about.st_mode) ? (errno = EISDIR, NULL) : fopen(path, "wb");
        out->path = out->stream ? strdup(path) : NULL;
        return out->path ? 0 : fail_write(err, path, errno);
    }
    size_t room = strlen(path) + 32;
    out->path = strdup(path);
    out->temporary = malloc(room);
    if (!out->path || !out->temporary) {
        qc_output_release(out);
        return qc_fail_memory(err, "a file name");
    }
    snprintf(out->temporary, room, "%s.tmp.%ld", path, (long)getpid());
    note_temporary(NULL, out->temporary);
    out->stream = fopen(out->temporary, "wb");
    if (!out->stream) {
        int error = errno;
        note_temporary(out->temporary, NULL);
        free(out->temporary);
        out->temporary = NULL;
        qc_output_release(out);
        return fail_write(err, path, error);
    }
    return 0;
}

int qc_output_check(const char *path, int binary, QcErr *err)
{
    QcOutput out;
    struct stat about;
    if (!qc_is_standard(path) && !stat(path, &about) && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode)) return 0; /* opening a pipe would be noticed */
    if (qc_output_open(&out, path, binary, err)) return -1;
    qc_output_release(&out);
    return 0;
}

/* The rename itself must survive a power cut; file systems that cannot fsync a folder are left alone. */
static void sync_folder(const char *path)
{
    char *copy = strdup(path);
    if (!copy) return;
    int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY);
    if (folder >= 0) {
        (void)fsync(folder);
        close(folder);
    }
    free(copy);
}

int qc_output_commit(QcOutput *out, QcErr *err)
{
    int status = 0;
    if (!ferror(out->stream)) errno = 0; /* else it still says why the last write failed */
    if (fflush(out->stream) || ferror(out->stream)) {
        status = fail_write(err, out->path, errno);
    } else if (out->temporary) {
        if (fsync(fileno(out->stream)))
            status = fail_write(err, out->path, errno);
        int closed = fclose(out->stream);
        out->stream = NULL;
        if (!status && closed) status = fail_write(err, out->path, errno);
        if (!status && rename(out->temporary, out->path)) status = fail_write(err, out->path, errno);
        if (!status) {
            sync_folder(out->path);
            note_temporary(out->temporary, NULL);
            free(out->temporary);
            out->temporary = NULL;
        }
    }
    qc_output_release(out);
    return status;
}

void qc_output_release(QcOutput *out)
{
    if (!out) return;
    if (out->stream && out->stream != stdout) fclose(out->stream);
    if (out->temporary) unlink(out->temporary);
    if (out->temporary) note_temporary(out->temporary, NULL);
    free(out->temporary);
    free(out->path);
    *out = (QcOutput){0};
}

int qc_write_all(const char *path, const void *bytes, size_t length, QcErr *err)
{
    QcOutput out;
    if (qc_output_open(&out, path, 1, err)) return -1;
    fwrite(bytes, 1, length, out.stream); /* commit looks at ferror */
    return qc_output_commit(&out, err);
}
