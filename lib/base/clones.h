/* clones.h - QC_CLONES before a function of plain loops: it is compiled for wider vectors, too, and the program takes
 * what its processor has. Results are the same bits, since nothing is contracted (-ffp-contract=off) and no sum is
 * reordered. Elsewhere than on x86-64 with glibc it is compiled once; so it is by Clang, of which 14 calls functions of
 * other files by a name that it does not define. */
#ifndef QC_BASE_CLONES_H
#define QC_BASE_CLONES_H

#include <stddef.h> /* says whose library it is */

#ifdef __has_attribute
#if defined __x86_64__ && defined __GLIBC__ && !defined __clang__ && __has_attribute(target_clones)
#define QC_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#endif
#endif
#ifndef QC_CLONES
#define QC_CLONES
#endif

#endif
