/* dispatch.c - which kernels this processor gets. Host only: the device library is handed a table. */
#include "kernels.h"

#include <stdlib.h>
#include <string.h>

const QcKernels *const *qc_kernels_available(void)
{
    static const QcKernels *const all[] = { &qc_kernels_scalar,
#ifdef __x86_64__
                                            &qc_kernels_avx2,
#endif
                                            NULL };
    static const QcKernels *const plain[] = { &qc_kernels_scalar, NULL };
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) return all;
    return plain;
#else
    (void)plain;
    return all;
#endif
}

const QcKernels *qc_kernels_choose(const char **wrong)
{
    static const QcKernels *chosen; /* threads may ask at once: they find the same */
    const QcKernels *best = __atomic_load_n(&chosen, __ATOMIC_RELAXED);
    if (best) return best;
    const char *name = getenv("QC_ISA");
    for (const QcKernels *const *k = qc_kernels_available(); *k; k++)
        if (!name || !*name || strcmp((*k)->name, name) == 0) best = *k;
    if (!best && wrong) *wrong = name;
    __atomic_store_n(&chosen, best, __ATOMIC_RELAXED);
    return best;
}
