/* Outputs (file.h). How a new file replaces an old one:
 *
 *     open      a file without a name in the target's folder (O_TMPFILE), or, if the system has none, a file with an
 *               unpredictable name
 *     commit    flush, fsync; name it TARGET.tmp.XXXXXXXXXXXX; rename that to TARGET, over the file that is locked, or
 *               over none; fsync the folder
 *
 * The target is locked (outputlock.h), and so is a temporary file. If nobody holds the lock of a temporary file, its
 * process is dead, and the next process that writes this output removes the file.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "outputlock.h"
#include "outputpath.h"

enum {
    RANDOM_BYTES = 6,
    SUFFIX_LENGTH = 5 + 2 * RANDOM_BYTES,
    NAME_KEPT = NAME_MAX - SUFFIX_LENGTH,
    TRIES = 100,
    PERMISSIONS = 07777
};
static const char infix[] = ".tmp.";

int qc_output_named;

static int fail_write(QcErr *err, const char *path, int error)
{
    if (error == ENOMEM) return qc_fail_memory(err, qc_output_name(path));
    return qc_fail(err, QC_EIO, "cannot write %.300s: %s", qc_output_name(path), strerror(error ? error : EIO));
}

static const char *protected;

void qc_output_protect(const char *path) { protected = path; }

/* ---- temporary files ---- */

/* Names of the current temporary files, for a signal that ends the process. */
enum { NAMES_MAX = 16 };
static char *volatile temporaries[NAMES_MAX];

/* Replaces `before` by `now`; one of them is NULL. -1: the list is full. */
static int note_temporary(const char *before, char *now)
{
    for (int i = 0; i < NAMES_MAX; i++)
        if (temporaries[i] == before) {
            temporaries[i] = now;
            return 0;
        }
    return -1;
}

void qc_output_cleanup(void)
{
    for (int i = 0; i < NAMES_MAX; i++)
        if (temporaries[i]) unlink(temporaries[i]);
}

static void forget_name(QcOutput *out)
{
    if (out->temporary) note_temporary(out->temporary, NULL);
    free(out->temporary);
    out->temporary = NULL;
}

/* A new, unpredictable name, noted before there is a file. */
static int choose_name(QcOutput *out)
{
    uint8_t random[RANDOM_BYTES];
    const char *name = qc_outputpath_last(out->target);
    size_t folder = (size_t)(name - out->target), room = folder + NAME_MAX + 1;
    forget_name(out);
    char *path = malloc(room);
    if (!path) {
        errno = ENOMEM;
        return -1;
    }
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        free(path);
        return -1;
    }
    int n = snprintf(path, room, "%.*s%.*s%s", (int)folder, out->target, NAME_KEPT, name, infix);
    for (int i = 0; i < RANDOM_BYTES; i++) n += snprintf(path + n, room - (size_t)n, "%02x", random[i]);
    if (note_temporary(NULL, path)) {
        free(path);
        errno = EMFILE;
        return -1;
    }
    out->temporary = path;
    return 0;
}

static int open_unnamed(const char *target, mode_t mode)
{
#ifdef O_TMPFILE
    if (qc_output_named || access("/proc/self/fd", X_OK)) return -1; /* commit names the file through this folder */
    char *folder = qc_outputpath_folder(target);
    int file = folder ? open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, mode) : -1;
    free(folder);
    return file;
#else
    (void)target, (void)mode;
    return -1;
#endif
}

/* Another process may take the file for a dead process's file and remove it before it is locked. Then try again. */
static int open_named(QcOutput *out, mode_t mode)
{
    for (int tries = 0; tries < TRIES; tries++) {
        struct stat about;
        if (choose_name(out)) return -1;
        int file = open(out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        if (file < 0 && errno == EEXIST) continue;
        if (file < 0) return -1;
        (void)flock(file, LOCK_EX | LOCK_NB);
        if (!fstat(file, &about) && about.st_nlink) return file;
        close(file);
    }
    return -1;
}

static int give_name(QcOutput *out)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fileno(out->stream));
    for (int tries = 0; tries < TRIES; tries++) {
        if (choose_name(out)) return -1;
        if (!linkat(AT_FDCWD, link, AT_FDCWD, out->temporary, AT_SYMLINK_FOLLOW)) return 0;
        if (errno != EEXIST) break;
    }
    int error = errno;
    forget_name(out);
    errno = error;
    return -1;
}

static int is_temporary_of(const char *entry, const char *name)
{
    size_t kept = strlen(name) < NAME_KEPT ? strlen(name) : NAME_KEPT, length = strlen(infix);
    if (strncmp(entry, name, kept) || strncmp(entry + kept, infix, length)) return 0;
    entry += kept + length;
    return strlen(entry) == 2 * RANDOM_BYTES && strspn(entry, "0123456789abcdef") == 2 * RANDOM_BYTES;
}

/* Removes temporary files that dead processes left beside the target: their lock is free. */
static void sweep(const char *target)
{
    char *path = qc_outputpath_folder(target);
    DIR *folder = path ? opendir(path) : NULL;
    free(path);
    for (struct dirent *e; folder && (e = readdir(folder));) {
        struct stat about;
        if (!is_temporary_of(e->d_name, qc_outputpath_last(target))) continue;
        int file = openat(dirfd(folder), e->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (file < 0) continue;
        if (!fstat(file, &about) && S_ISREG(about.st_mode) && about.st_uid == geteuid() &&
            !flock(file, LOCK_EX | LOCK_NB))
            unlinkat(dirfd(folder), e->d_name, 0);
        close(file);
    }
    if (folder) closedir(folder);
}

/* ---- outputs ---- */

/* Opens a stream that is no regular file: standard output, /dev/null, a pipe by name. Such a file is not replaced by
 * renaming. */
static int open_stream(QcOutput *out, const char *path, const struct stat *about, QcErr *err)
{
    out->stream = S_ISDIR(about->st_mode) ? (errno = EISDIR, NULL) : fopen(path, "wb");
    out->path = out->stream ? strdup(path) : NULL;
    return out->path ? 0 : fail_write(err, path, errno);
}

/* The new file gets the owner and the permissions of the file that it replaces; until then only its owner can open
 * it. */
static void copy_permissions(int file, const struct stat *old)
{
    struct stat now;
    /* if it is not allowed, this process stays the owner */
    if (!fstat(file, &now) && (now.st_uid != old->st_uid || now.st_gid != old->st_gid) &&
        fchown(file, old->st_uid, old->st_gid))
        errno = 0;
    (void)fchmod(file, old->st_mode & PERMISSIONS);
}

static int open_temporary(QcOutput *out, QcErr *err)
{
    struct stat old;
    int replaces = !lstat(out->target, &old);
    mode_t mode = replaces ? S_IRUSR | S_IWUSR : 0666;
    int file = open_unnamed(out->target, mode);
    if (file >= 0) (void)flock(file, LOCK_EX | LOCK_NB);
    else file = open_named(out, mode);
    if (file < 0) {
        int error = errno;
        forget_name(out);
        return fail_write(err, out->path, error);
    }
    if (replaces) copy_permissions(file, &old);
    out->stream = fdopen(file, "wb");
    if (out->stream) return 0;
    close(file);
    return fail_write(err, out->path, errno);
}

int qc_output_open(QcOutput *out, const char *path, int binary, QcErr *err)
{
    *out = (QcOutput){0};
    if (qc_output_refuse_overwrite(path, &protected, 1, err)) return -1;
    if (qc_is_standard(path)) {
        if (binary && isatty(STDOUT_FILENO))
            return qc_fail(err, QC_EUSAGE, "will not write binary data to a terminal (use -o FILE or a pipe)");
        out->stream = stdout;
        return 0;
    }
    struct stat about;
    if (!stat(path, &about) && !S_ISREG(about.st_mode)) return open_stream(out, path, &about, err);
    out->path = strdup(path);
    out->target = out->path ? qc_outputpath_resolve(path) : NULL;
    int status = !out->target ? fail_write(err, path, errno) : qc_outputlock_take(out->target, path, err);
    if (status >= 0) sweep(out->target);
    if (status >= 0) status = open_temporary(out, err);
    if (status) qc_output_release(out);
    return status;
}

int qc_output_check(const char *path, int binary, QcErr *err)
{
    QcOutput out;
    struct stat about;
    /* do not open a pipe: its reader would notice */
    if (!qc_is_standard(path) && !stat(path, &about) && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode)) return 0;
    if (qc_output_open(&out, path, binary, err)) return -1;
    qc_output_release(&out);
    return 0;
}

void qc_sync_folder(const char *path)
{
    char *name = qc_outputpath_folder(path);
    int folder = name ? open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    free(name);
    if (folder < 0) return;
    (void)fsync(folder);
    close(folder);
}

/* Fails with EEXIST if `to` exists and the file system can tell. */
static int rename_new(const char *from, const char *to)
{
#ifdef RENAME_NOREPLACE
    if (!renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE)) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
#endif
    return rename(from, to);
}

/* A file that another process makes in the moment between the lock and the rename is not replaced. */
static int rename_locked(QcOutput *out, QcErr *err)
{
    for (int tries = 0; tries < TRIES; tries++) {
        struct stat old;
        int is_new = qc_outputlock_take(out->target, out->path, err), known = is_new == 0 && !lstat(out->target, &old);
        if (is_new < 0) return -1;
        if (!(is_new ? rename_new : rename)(out->temporary, out->target)) {
            if (known) qc_outputlock_let_go(&old);
            return 0;
        }
        if (!is_new || errno != EEXIST) break;
    }
    return fail_write(err, out->path, errno);
}

/* All that can fail for want of room: the file is whole then, under a temporary name. */
static int prepare(QcOutput *out, QcErr *err)
{
    if (!ferror(out->stream)) errno = 0; /* else errno still has the cause of the last failed write */
    if (fflush(out->stream) || ferror(out->stream)) return fail_write(err, out->path, errno);
    if (!out->target) return 0;
    return fsync(fileno(out->stream)) || (!out->temporary && give_name(out)) ? fail_write(err, out->path, errno) : 0;
}

static int take_place(QcOutput *out, QcErr *err)
{
    int lock = fcntl(fileno(out->stream), F_DUPFD_CLOEXEC, 3), closed = fclose(out->stream);
    out->stream = NULL;
    if (closed ? fail_write(err, out->path, errno) : rename_locked(out, err)) {
        if (lock >= 0) close(lock);
        return -1;
    }
    forget_name(out);
    qc_sync_folder(out->target);
    qc_outputlock_keep(lock);
    return 0;
}

int qc_output_commit(QcOutput *out, QcErr *err)
{
    int status = prepare(out, err);
    if (!status && out->target) status = take_place(out, err);
    qc_output_release(out);
    return status;
}

int qc_output_commit_pair(QcOutput *a, QcOutput *b, QcErr *err)
{
    int status = prepare(a, err) || prepare(b, err) || (a->target && take_place(a, err)) ? -1 : 0;
    if (!status && b->target && take_place(b, err)) {
        char why[sizeof err->text];
        if (err) {
            snprintf(why, sizeof why, "%.400s", err->text);
            status = qc_fail(err, err->code, "%s; %.300s is new already", why, qc_output_name(a->path));
        }
        status = -1;
    }
    qc_output_release(a);
    qc_output_release(b);
    return status;
}

void qc_output_release(QcOutput *out)
{
    if (!out) return;
    if (out->stream && out->stream != stdout) fclose(out->stream);
    if (out->temporary) unlink(out->temporary);
    forget_name(out);
    free(out->target);
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
