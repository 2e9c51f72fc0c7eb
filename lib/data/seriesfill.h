/* seriesfill.h - missing values (NaN) of a series filled in, and counted. */
#ifndef QC_DATA_SERIESFILL_H
#define QC_DATA_SERIESFILL_H

#include "import.h"

typedef struct QcFilled {
    uint64_t values; /* filled in so far */
    uint32_t longest; /* the longest run of them */
    uint64_t left; /* values of runs that were too long */
} QcFilled;

/* What is missing becomes a straight line between the neighbours that are there; at the ends, the nearest one. Runs of
 * more than `most` stay missing. 0 if no value is there at all (nothing is filled). */
int qc_series_fill(float *x, uint32_t n, uint32_t most, QcFilled *filled);

/* Notes how many of `all` values were filled, and warns if a run is long for a window of `window` steps. */
void qc_filled_note(const QcFilled *filled, uint64_t all, uint32_t window, const QcImportOptions *o);

#endif
