#include "outputlock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

enum { TRIES = 100 };

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

void qc_outputlock_let_go(const struct stat *about)
{
    int i = find_held(about);
    if (i < 0) return;
    close(held[i].file);
    held[i].is_used = 0;
}

void qc_outputlock_keep(int file)
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

int qc_outputlock_take(const char *target, const char *path, QcErr *err)
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
        if (locked) qc_outputlock_keep(file);
        else close(file);
        return 0;
    }
    return qc_fail(err, QC_EIO, "%.300s is being written by another process", path);
}
