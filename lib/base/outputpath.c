#include "outputpath.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

enum { LINKS_MAX = 40 };

const char *qc_outputpath_last(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *qc_outputpath_folder(const char *path)
{
    char *copy = strdup(path), *folder = copy ? strdup(dirname(copy)) : NULL;
    free(copy);
    return folder;
}

static void stat_folder(const char *path, struct stat *about)
{
    char *folder = qc_outputpath_folder(path);
    if (!folder || stat(folder, about)) *about = (struct stat){0};
    free(folder);
}

char *qc_outputpath_resolve(const char *path)
{
    char *target = strdup(path);
    for (int links = 0; target; links++) {
        char link[PATH_MAX];
        ssize_t length = readlink(target, link, sizeof link - 1);
        if (length < 0) return target; /* no link: the usual case */
        link[length] = 0;
        size_t folder = *link == '/' ? 0 : (size_t)(qc_outputpath_last(target) - target);
        size_t room = folder + (size_t)length + 1;
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
    char *target_a = qc_outputpath_resolve(a), *target_b = qc_outputpath_resolve(b);
    int same = 0;
    if (target_a && target_b && !strcmp(qc_outputpath_last(target_a), qc_outputpath_last(target_b))) {
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
