#include "share.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_there(char *path, size_t room, const char *share, const char *below, const char *folder, const char *name)
{
    static const char *const endings[] = {"", ".yaml"};
    for (int i = 0; i < 2; i++) {
        int length = snprintf(path, room, "%s%s/%s/%s%s", share, below, folder, name, endings[i]);
        if (length > 0 && (size_t)length < room && !access(path, R_OK)) return 1;
    }
    return 0;
}

int qc_share_find(char *path, size_t room, const char *folder, const char *name)
{
    const char *share = getenv("QC_SHARE");
    if (strchr(name, '/')) return 0;
    if (share && is_there(path, room, share, "", folder, name)) return 1;
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = 0;
    const char *bin = dirname(program);
    return is_there(path, room, bin, "/../share", folder, name) ||
           is_there(path, room, bin, "/../share/qcore", folder, name);
}
