#include "peak.h"

#include "../base/clock.h"

double qc_peak_rate(const QcPeakLoop *loop, double seconds)
{
    double best = 0, end = qc_seconds() + seconds;
    for (double start = qc_seconds(), stop; start < end; start = stop) {
        for (int i = 0; i < 16; i++) loop->work(NULL);
        stop = qc_seconds();
        double rate = 16 * loop->macs / (stop - start);
        if (rate > best) best = rate;
    }
    return best;
}

double qc_peak_measure(void)
{
    double best = 0;
    for (const QcPeakLoop *loop = qc_peak_loops(); loop->name; loop++) {
        double rate = qc_peak_rate(loop, 0.02);
        if (rate > best) best = rate;
    }
    return best;
}

#ifdef __x86_64__

enum { ROUNDS = 1000, CHAINS = 8 /* independent chains of products */ };

/* In assembler, so that no compiler moves, merges or spills the products. */
#define EACH_CHAIN(link)                                                                                          \
    link("2", "8") link("3", "9") link("4", "10") link("5", "11") link("6", "12") link("7", "13") link("2", "14") \
        link("3", "15")
#define MADD(sum, n) "vpmaddwd %%ymm0, %%ymm1, %%ymm" n "\n vpaddd %%ymm" n ", %%ymm" sum ", %%ymm" sum "\n"
#define MADDUBS(sum, n)                                                                                              \
    "vpmaddubsw %%ymm0, %%ymm1, %%ymm" n "\n vpmaddwd %%ymm" n ", %%ymm0, %%ymm" n "\n vpaddd %%ymm" n ", %%ymm" sum \
    ", %%ymm" sum "\n"
#define VNNI(sum, n) "vpdpbusd %%zmm0, %%zmm1, %%zmm" n "\n vpdpbusd %%zmm0, %%zmm1, %%zmm" sum "\n"
#define TOUCHED \
    "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

__attribute__((target("avx2"))) static void peak_madd(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) __asm__ volatile(EACH_CHAIN(MADD) : : : TOUCHED);
}

__attribute__((target("avx2"))) static void peak_maddubs(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) __asm__ volatile(EACH_CHAIN(MADDUBS) : : : TOUCHED);
}

__attribute__((target("avx512f,avx512vnni"))) static void peak_vnni(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) __asm__ volatile(EACH_CHAIN(VNNI) : : : TOUCHED);
}

const QcPeakLoop *qc_peak_loops(void)
{
    static const QcPeakLoop plain[] = {
        {"madd", peak_madd, 16. * ROUNDS * CHAINS}, {"maddubs+madd", peak_maddubs, 32. * ROUNDS * CHAINS}, {0}};
    static const QcPeakLoop vnni[] = {{"vpdpbusd", peak_vnni, 2 * 64. * ROUNDS * CHAINS}, {0}};
    return __builtin_cpu_supports("avx512vnni") ? vnni : plain;
}

#else

const QcPeakLoop *qc_peak_loops(void)
{
    static const QcPeakLoop none[] = {{NULL, NULL, 0}};
    return none;
}

#endif
