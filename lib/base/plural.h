/* plural.h - the ending of a noun after a number: "1 window", "2 windows". */
#ifndef QC_BASE_PLURAL_H
#define QC_BASE_PLURAL_H

#include <stdint.h>

/* ending, "s" or "es", unless n is 1 */
static inline const char *qc_plural(uint64_t n, const char *ending) { return n == 1 ? "" : ending; }

#endif
