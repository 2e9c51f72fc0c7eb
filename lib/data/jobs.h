/* jobs.h - many independent pieces of work on a few threads, with the same outcome for any number of them.
 *
 * Pieces are handed out in order. When some fail, the sentence of the first of them (by index, not by time) is the one
 * that is reported, as if they had been done one after another.
 */
#ifndef QC_DATA_JOBS_H
#define QC_DATA_JOBS_H

#include <stdint.h>

#include "../base/err.h"

enum { QC_JOBS_MAX = 256 };

typedef struct QcJobs {
    uint32_t threads;                                    /* at most; 0 = 1 */
    int (*work)(void *ctx, uint32_t i, QcErr *err);      /* piece i; touches nothing that another piece touches */
    void *ctx;
    void (*progress)(void *ctx, uint64_t done, uint64_t total); /* one call at a time; NULL = none */
    void *progress_ctx;
} QcJobs;

int qc_jobs_run(const QcJobs *jobs, uint32_t n, QcErr *err);

#endif
