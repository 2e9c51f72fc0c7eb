#include "lockedfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIES = 1000 };

/* 1: locked, and the path names this file; 0: another process replaced or removed the file before the lock. */
static int lock(int file, const char *path, uint64_t *size, QcErr *err)
{
    struct stat about, named;
    if (fstat(file, &about)) return qc_fail(err, QC_EIO, "cannot be read: %s", strerror(errno));
    if (!S_ISREG(about.st_mode)) return qc_fail(err, QC_EFORMAT, "is no regular file");
    if (flock(file, LOCK_EX | LOCK_NB))
        return qc_fail(err, QC_EIO, errno == EWOULDBLOCK ? "is in use by another process" : "cannot be locked: %s",
                       strerror(errno));
    /* the size while the file is locked */
    if (fstat(file, &about)) return qc_fail(err, QC_EIO, "cannot be read: %s", strerror(errno));
    *size = (uint64_t)about.st_size;
    return !stat(path, &named) && named.st_ino == about.st_ino && named.st_dev == about.st_dev;
}

int qc_lockedfile_open(const char *path, uint64_t *size, QcErr *err)
{
    for (int tries = 0; tries < TRIES; tries++) {
        int file = open(path, O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0666);
        if (file < 0) return qc_fail(err, QC_EIO, "cannot be opened: %s", strerror(errno));
        int status = lock(file, path, size, err);
        if (status > 0) return file;
        close(file);
        if (status < 0) return -1;
    }
    return qc_fail(err, QC_EIO, "is replaced by other processes all the time");
}
