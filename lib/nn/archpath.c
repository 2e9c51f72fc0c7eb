#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/share.h"
#include "arch.h"

int qc_arch_find(char *path, size_t room, const char *name, QcErr *err)
{
    static const char *const endings[] = {"", ".yaml"};
    for (int i = 0; i < 2; i++)
        if (snprintf(path, room, "%s%s", name, endings[i]) < (int)room && !access(path, R_OK)) return 0;
    if (qc_share_find(path, room, "arch", name)) return 0;
    return qc_fail(err, QC_EIO, "there is no architecture file '%.200s'%s", name, strchr(name, '/') ? "" : ", nor one of that name in share/arch");
}
