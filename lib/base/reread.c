#include "reread.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

static int copy(FILE *from, FILE *to, const char *name, QcErr *err)
{
    char piece[1 << 16];
    uint64_t bytes = 0;
    errno = 0;
    for (size_t n; (n = fread(piece, 1, sizeof piece, from)) > 0;) {
        if ((bytes += n) > qc_max_bytes)
            return qc_fail(err, QC_EFORMAT, "%.300s is larger than %llu bytes (raise --max-bytes to read it)", name,
                           (unsigned long long)qc_max_bytes);
        if (fwrite(piece, 1, n, to) != n) return qc_fail(err, QC_EIO, "cannot store %.300s: %s", name, strerror(errno));
    }
    if (ferror(from)) return qc_fail(err, QC_EIO, "cannot read %.300s: %s", name, strerror(errno));
    return fflush(to) ? qc_fail(err, QC_EIO, "cannot store %.300s: %s", name, strerror(errno)) : 0;
}

static int is_stream(const char *path)
{
    struct stat about;
    if (qc_is_standard(path)) return lseek(STDIN_FILENO, 0, SEEK_CUR) < 0;
    return !stat(path, &about) && S_ISFIFO(about.st_mode);
}

const char *qc_reread_open(const char *path, QcErr *err)
{
    if (!is_stream(path)) return path;
    const char *name = qc_input_name(path), *result = NULL;
    FILE *from = qc_is_standard(path) ? stdin : fopen(path, "rb"), *to = from ? tmpfile() : NULL;
    if (!from) qc_fail(err, QC_EIO, "cannot read %.300s: %s", name, strerror(errno));
    else if (!to) qc_fail(err, QC_EIO, "cannot store %.300s: %s", name, strerror(errno));
    else if (!copy(from, to, name, err)) {
        if (dup2(fileno(to), STDIN_FILENO) >= 0) result = "-";
        else qc_fail(err, QC_EIO, "cannot store %.300s: %s", name, strerror(errno));
        qc_reread_again(result);
    }
    if (to) fclose(to);
    if (from && from != stdin) fclose(from);
    return result;
}

void qc_reread_again(const char *path)
{
    if (qc_is_standard(path)) rewind(stdin);
}
