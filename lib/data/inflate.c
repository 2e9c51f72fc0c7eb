#include "inflate.h"

#include "../base/file.h"

uint64_t qc_inflate_limit(uint64_t compressed)
{
    if (qc_max_bytes != QC_MAX_BYTES_DEFAULT) return qc_max_bytes;
    uint64_t usual = compressed < (uint64_t)1 << 50 ? compressed * 256 : UINT64_MAX, least = (uint64_t)64 << 20;
    if (usual < least) usual = least;
    return usual < qc_max_bytes ? usual : qc_max_bytes;
}

int qc_inflate_check(const char *name, uint64_t compressed, uint64_t inflated, QcErr *err)
{
    uint64_t limit = qc_inflate_limit(compressed);
    if (inflated <= limit) return 0;
    return qc_fail(
        err, QC_EFORMAT,
        "%.300s: %llu bytes inflate to more than %llu, too much for measurements (--max-bytes allows it)", name,
        (unsigned long long)compressed, (unsigned long long)limit);
}
