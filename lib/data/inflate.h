/* inflate.h - what compressed input may grow to, before memory is spent on it.
 *
 * Deflate can blow up a thousandfold; measurements do not compress like that. So an input may inflate to 64 MiB, or to
 * 256 times its own size if that is more, and never above qc_max_bytes. A user who has set --max-bytes has said what
 * is wanted: then that alone counts.
 */
#ifndef QC_DATA_INFLATE_H
#define QC_DATA_INFLATE_H

#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"

uint64_t qc_inflate_limit(uint64_t compressed);
/* -1: "NAME inflates from A to more than B bytes, ...". `compressed` bytes become `inflated`. */
int qc_inflate_check(const char *name, uint64_t compressed, uint64_t inflated, QcErr *err);

#endif
