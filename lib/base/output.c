/* Outputs (file.h). How a new file replaces an old one:
 *
 *     open      a file without a name in the target's folder (O_TMPFILE), or, if the system has none, a file with an
 *               unpredictable name
 *     commit    flush, fsync; name it TARGET.tmp.XXXXXXXXXXXX; rename that to TARGET, over the file that is locked, or
 *               over none; fsync the folder
 *
 * A process holds a lock (flock) until it ends: on each file that it has written, and on each existing file that it
 * is about to replace. So if two processes write the same output, the second is refused. A temporary file is locked,
 * too. If nobody holds its lock, its process is dead, and the next process that writes this output removes the file.
 * The kernel drops these locks at every end of a process. If a file system has no locks, nothing is refused and
 * nothing is removed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

enum {
    RANDOM_BYTES = 6,
    SUFFIX_LENGTH = 5 + 2 * RANDOM_BYTES,
    NAME_KEPT = NAME_MAX - SUFFIX_LENGTH,
    LINKS_MAX = 40,
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

/* ---- names ---- */

/* The last part of a path. */
static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The folder of a path, malloc'd. */
static char *folder_of(const char *path)
{
    char *copy = strdup(path), *folder = copy ? strdup(dirname(copy)) : NULL;
    free(copy);
    return folder;
}

static void stat_folder(const char *path, struct stat *about)
{
    char *folder = folder_of(path);
    if (!folder || stat(folder, about)) *about = (struct stat){0};
    free(folder);
}

/* The file that a path names after symbolic links in its last part; the file need not exist. malloc'd; NULL with
 * errno. */
static char *resolve(const char *path)
{
    char *target = strdup(path);
    for (int links = 0; target; links++) {
        char link[PATH_MAX];
        ssize_t length = readlink(target, link, sizeof link - 1);
        if (length < 0) return target; /* no link: the usual case */
        link[length] = 0;
        size_t folder = *link == '/' ? 0 : (size_t)(last_part(target) - target), room = folder + (size_t)length + 1;
        char *next = links < LINKS_MAX ? malloc(room) : (errno = ELOOP, NULL);
        if (next) snprintf(next, room, "%.*s%s", (int)folder, target, link);
        free(target);
        target = next;
    }
    return NULL;
}

int qc_same_output(const char *a, const char *b)
{
    struct stat about, folder_a, folder_b;
    if (qc_is_standard(a) || qc_is_standard(b)) return qc_is_standard(a) && qc_is_standard(b);
    if (!stat(a, &about) && !S_ISREG(about.st_mode)) return 0; /* not a regular file, for example /dev/null: any
                                                                * number of writers */
    if (!strcmp(a, b)) return 1;
    char *target_a = resolve(a), *target_b = resolve(b);
    int same = 0;
    if (target_a && target_b && !strcmp(last_part(target_a), last_part(target_b))) {
        stat_folder(target_a, &folder_a);
        stat_folder(target_b, &folder_b);
        same = folder_a.st_ino && folder_a.st_ino == folder_b.st_ino && folder_a.st_dev == folder_b.st_dev;
    }
    free(target_a);
    free(target_b);
    return same;
}

int qc_output_refuse_overwrite(const char *output, const char *const *inputs, int n, QcErr *err)
{
    for (int i = 0; i < n && output && !qc_is_standard(output); i++)
        if (inputs[i] && qc_same_output(output, inputs[i]))
            return qc_fail(err, QC_EUSAGE, "%.300s is read, so nothing can be written there: name another file",
                           output);
    return 0;
}

static const char *protected;

void qc_output_protect(const char *path) { protected = path; }

/* ---- locks ---- */

/* Files that this process has locked; a new file replaces the oldest entry. */
static struct {
    int is_used, file;
    dev_t device;
    ino_t number;
} held[16];
static unsigned next_held;

static int find_held(const struct stat *about)
{
    for (int i = 0; i < 16; i++)
        if (held[i].is_used && held[i].device == about->st_dev && held[i].number == about->st_ino) return i;
    return -1;
}

static void let_go(const struct stat *about)
{
    int i = find_held(about);
    if (i < 0) return;
    close(held[i].file);
    held[i].is_used = 0;
}

/* Takes ownership of the descriptor, which has the lock. */
static void keep_lock(int file)
{
    struct stat about;
    if (file < 0) return;
    if (fstat(file, &about)) {
        close(file);
        return;
    }
    unsigned i = next_held++ % 16;
    if (held[i].is_used) close(held[i].file);
    held[i].is_used = 1;
    held[i].file = file;
    held[i].device = about.st_dev;
    held[i].number = about.st_ino;
}

/* Locks the existing file of the target, unless this process has locked it. Afterwards the name must still be of the
 * locked file. 1: there is no such file. */
static int lock_target(const char *target, const char *path, QcErr *err)
{
    for (int tries = 0; tries < TRIES; tries++) {
        struct stat about, named;
        int file = open(target, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), locked = 0;
        if (file < 0) return errno == ENOENT;
        int ours = fstat(file, &about) || !S_ISREG(about.st_mode) || find_held(&about) >= 0;
        if (!ours) locked = !flock(file, LOCK_EX | LOCK_NB);
        if (!ours && !locked && errno == EWOULDBLOCK) {
            close(file);
            return qc_fail(err, QC_EIO, "%.300s is being written by another process", path);
        }
        if (locked && (lstat(target, &named) || named.st_ino != about.st_ino || named.st_dev != about.st_dev)) {
            close(file);
            continue;
        }
        if (locked) keep_lock(file);
        else close(file);
        return 0;
    }
    return qc_fail(err, QC_EIO, "%.300s is being written by another process", path);
}

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
    const char *name = last_part(out->target);
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
    char *folder = folder_of(target);
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
    char *path = folder_of(target);
    DIR *folder = path ? opendir(path) : NULL;
    free(path);
    for (struct dirent *e; folder && (e = readdir(folder));) {
        struct stat about;
        if (!is_temporary_of(e->d_name, last_part(target))) continue;
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
    out->target = out->path ? resolve(path) : NULL;
    int status = !out->target ? fail_write(err, path, errno) : lock_target(out->target, path, err);
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
    char *name = folder_of(path);
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
        int is_new = lock_target(out->target, out->path, err), known = is_new == 0 && !lstat(out->target, &old);
        if (is_new < 0) return -1;
        if (!(is_new ? rename_new : rename)(out->temporary, out->target)) {
            if (known) let_go(&old);
            return 0;
        }
        if (!is_new || errno != EEXIST) break;
    }
    return fail_write(err, out->path, errno);
}

/* Gives the written and flushed file its name. */
static int take_place(QcOutput *out, QcErr *err)
{
    if (fsync(fileno(out->stream)) || (!out->temporary && give_name(out))) return fail_write(err, out->path, errno);
    int lock = fcntl(fileno(out->stream), F_DUPFD_CLOEXEC, 3), closed = fclose(out->stream);
    out->stream = NULL;
    if (closed ? fail_write(err, out->path, errno) : rename_locked(out, err)) {
        if (lock >= 0) close(lock);
        return -1;
    }
    forget_name(out);
    qc_sync_folder(out->target);
    keep_lock(lock);
    return 0;
}

int qc_output_commit(QcOutput *out, QcErr *err)
{
    int status = 0;
    if (!ferror(out->stream)) errno = 0; /* else errno still has the cause of the last failed write */
    if (fflush(out->stream) || ferror(out->stream)) status = fail_write(err, out->path, errno);
    else if (out->target) status = take_place(out, err);
    qc_output_release(out);
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
