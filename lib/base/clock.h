/* clock.h - a monotonic clock to measure durations; its origin is arbitrary. */
#ifndef QC_BASE_CLOCK_H
#define QC_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t qc_nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline double qc_seconds(void) { return 1e-9 * (double)qc_nanoseconds(); }

#endif
