/* spent.h - memory of copied values, which is returned to the system in large pieces. */
#ifndef QC_DATA_SPENT_H
#define QC_DATA_SPENT_H

#include <stdint.h>

typedef struct QcSpent {
    const char *from, *to;
    const float *own;
} QcSpent; /* all zero = nothing yet */

/* x[n] has been copied and is lost from here on, at once or with what follows it. own: the malloc'd block that x is in,
 * NULL for an arena's; malloc's bookkeeping after such a block must stay. */
void qc_spent_add(QcSpent *spent, const float *own, const float *x, uint64_t n);

#endif
