/* clones.h - QC_CLONES before a function of plain loops compiles it for AVX2 and AVX-512, too; the program takes the
 * version that its processor can run. Results are the same bits: nothing is contracted (-ffp-contract=off), and no sum
 * is reordered. On other machines than x86-64 with glibc, and by Clang, the function is compiled once: Clang 14 calls
 * clones in other files by a name that it does not define. */
#ifndef QC_BASE_CLONES_H
#define QC_BASE_CLONES_H

#include <stddef.h> /* defines __GLIBC__ */

#ifdef __has_attribute
#if defined __x86_64__ && defined __GLIBC__ && !defined __clang__ && __has_attribute(target_clones)
#define QC_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#endif
#endif
#ifndef QC_CLONES
#define QC_CLONES
#endif

#endif
