/* dispatch.c - selects the kernels for this processor. Host only: the device library gets a table from its caller. */
#include "kernels.h"

#include <stdlib.h>
#include <string.h>
#if defined(__arm__) || defined(__aarch64__)
#include <sys/auxv.h>
#endif

const QcKernels *const *qc_kernels_available(void)
{
    static const QcKernels *const plain[] = {&qc_kernels_scalar, NULL};
#ifdef __x86_64__
    static const QcKernels *const avx2[] = {&qc_kernels_scalar, &qc_kernels_avx2, NULL};
    static const QcKernels *const vnni[] = {&qc_kernels_scalar, &qc_kernels_avx2, &qc_kernels_avx512vnni, NULL};
    /* what both the processor can do and the system saves between threads */
    int has_avx2 = __builtin_cpu_supports("avx2"),
        has_512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
    if (has_avx2 && has_512 && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni")) return vnni;
    if (has_avx2) return avx2;
#elif defined(__aarch64__)
    static const QcKernels *const neon[] = {&qc_kernels_scalar, &qc_kernels_neon, NULL};
    static const QcKernels *const neondot[] = {&qc_kernels_scalar, &qc_kernels_neon, &qc_kernels_neondot, NULL};
    return getauxval(AT_HWCAP) & HWCAP_ASIMDDP ? neondot : neon; /* every such processor has NEON */
#elif defined(__arm__)
    static const QcKernels *const neon[] = {&qc_kernels_scalar, &qc_kernels_neon, NULL};
    if (getauxval(AT_HWCAP) & HWCAP_ARM_NEON) return neon;
#endif
    return plain;
}

const QcKernels *qc_kernels_choose(const char **wrong)
{
    static const QcKernels *chosen; /* threads may ask at the same time: they find the same table */
    const QcKernels *best = __atomic_load_n(&chosen, __ATOMIC_RELAXED);
    if (best) return best;
    const char *name = getenv("QC_ISA");
    for (const QcKernels *const *k = qc_kernels_available(); *k; k++)
        if (!name || !*name || strcmp((*k)->name, name) == 0) best = *k;
    if (!best && wrong) *wrong = name;
    __atomic_store_n(&chosen, best, __ATOMIC_RELAXED);
    return best;
}
