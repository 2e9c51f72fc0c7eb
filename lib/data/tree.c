#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/file.h"

int qc_is_folder(const char *path)
{
    struct stat about;
    return !stat(path, &about) && S_ISDIR(about.st_mode);
}

int qc_path_ends_in(const char *path, const char *ending)
{
    size_t n = strlen(path), e = strlen(ending);
    if (n > 3 && !strcasecmp(path + n - 3, ".gz") && strcasecmp(ending, ".gz")) n -= 3;
    return n > e && !strncasecmp(path + n - e, ending, e);
}

int qc_need_folder(const char *path, const char *what, QcErr *err)
{
    if (qc_is_standard(path))
        return qc_fail(err, QC_EUSAGE, "%s is a folder and does not come from standard input", what);
    if (qc_is_folder(path)) return 0;
    int absent = access(path, F_OK) != 0;
    return qc_fail(err, absent ? QC_EIO : QC_EFORMAT, "%.300s %s, but %s is a folder", path,
                   absent ? "is not there" : "is a file", what);
}

int qc_path_join(char out[QC_PATH_ROOM], const char *folder, const char *name, QcErr *err)
{
    size_t a = strlen(folder), b = strlen(name);
    if (a + b + 2 > QC_PATH_ROOM) return qc_fail(err, QC_EIO, "the path %.200s... is too long", folder);
    memcpy(out, folder, a);
    out[a] = '/';
    memcpy(out + a + 1, name, b + 1);
    return 0;
}

int qc_path_name(char out[QC_PATH_ROOM], const char *path, QcErr *err)
{
    char real[PATH_MAX];
    if (!realpath(path, real)) return qc_fail(err, QC_EIO, "cannot read %.300s: %s", path, strerror(errno));
    const char *slash = strrchr(real, '/');
    snprintf(out, QC_PATH_ROOM, "%.*s", QC_PATH_ROOM - 1, slash[1] ? slash + 1 : real);
    return 0;
}

uint32_t qc_name_number(const char *name, const char *prefix, const char *suffix)
{
    size_t length = strlen(prefix);
    if (strncmp(name, prefix, length)) return 0;
    uint32_t number = 0;
    const char *at = name + length;
    if (*at < '0' || *at > '9') return 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        number = number * 10 + (uint32_t)(*at - '0');
        if (number > 999999) return 0;
    }
    return strcmp(at, suffix) ? 0 : number;
}

static int compare_entries(const void *a, const void *b)
{
    const QcEntry *p = a, *q = b;
    return strverscmp(p->name, q->name);
}

static int add_entry(QcFolder *folder, uint32_t *room, const char *path, const char *name, QcArena *arena, QcErr *err)
{
    char whole[QC_PATH_ROOM];
    struct stat about;
    if (qc_path_join(whole, path, name, err)) return -1;
    if (stat(whole, &about) || !(S_ISDIR(about.st_mode) || S_ISREG(about.st_mode))) return 0;
    if (folder->n == *room) {
        *room = *room ? *room * 2 : 64;
        QcEntry *larger = realloc(folder->entries, *room * sizeof *larger);
        if (!larger) return qc_fail_memory(err, "a list of files");
        folder->entries = larger;
    }
    char *copy = qc_arena_text(arena, whole, strlen(whole), err);
    if (!copy) return -1;
    folder->entries[folder->n++] =
        (QcEntry){.name = copy + strlen(path) + 1, .path = copy, .is_folder = S_ISDIR(about.st_mode)};
    return 0;
}

int qc_folder_read(QcFolder *folder, const char *path, QcArena *arena, QcErr *err)
{
    *folder = (QcFolder){0};
    DIR *open = opendir(path);
    if (!open) return qc_fail(err, QC_EIO, "cannot read the folder %.300s: %s", path, strerror(errno));
    uint32_t room = 0;
    int status = 0;
    for (struct dirent *e; !status && (e = readdir(open));)
        if (*e->d_name != '.') status = add_entry(folder, &room, path, e->d_name, arena, err);
    closedir(open);
    QcEntry *kept = status ? NULL : qc_arena_take(arena, folder->n, sizeof *kept, err);
    if (kept && folder->n) {
        qsort(folder->entries, folder->n, sizeof *kept, compare_entries);
        memcpy(kept, folder->entries, folder->n * sizeof *kept);
    }
    free(folder->entries);
    folder->entries = kept;
    return kept ? 0 : -1;
}
