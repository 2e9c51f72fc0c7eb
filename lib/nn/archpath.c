#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch.h"

static int try_path(char *path, size_t room, const char *folder, const char *below, const char *name)
{
    static const char *const endings[] = {"", ".yaml"};
    for (int i = 0; i < 2; i++) {
        int length = snprintf(path, room, "%s%s%s%s", folder, below, name, endings[i]);
        if (length > 0 && (size_t)length < room && !access(path, R_OK)) return 1;
    }
    return 0;
}

int qc_arch_find(char *path, size_t room, const char *name, QcErr *err)
{
    if (try_path(path, room, "", "", name)) return 0;
    const char *share = getenv("QC_SHARE");
    if (!strchr(name, '/')) {
        char program[4096];
        ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
        program[length > 0 ? length : 0] = 0;
        const char *folder = dirname(program); /* bin/ */
        if ((share && try_path(path, room, share, "/arch/", name)) || try_path(path, room, folder, "/../share/arch/", name) ||
            try_path(path, room, folder, "/../share/qcore/arch/", name))
            return 0;
    }
    return qc_fail(err, QC_EIO, "there is no architecture file '%.200s'%s", name, strchr(name, '/') ? "" : ", nor one of that name in share/arch");
}
