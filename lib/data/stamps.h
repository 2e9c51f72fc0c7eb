/* stamps.h - the times of samples: numbers or dates, and series brought to equal steps. */
#ifndef QC_DATA_STAMPS_H
#define QC_DATA_STAMPS_H

#include "lines.h"

/* A number as it is, or a date (2024-05-31, 2024-05-31 23:59, 2024-05-31T23:59:58.5, with Z or +02:00 after the clock)
 * in seconds since 1970. -1: neither. */
int qc_stamp_read(double *time, QcField field);
/* 1 if all steps are equal, up to a millionth of the whole. times[n] ascending. */
int qc_stamps_even(const double *times, uint32_t n);
/* x[n] at times[n] (ascending) becomes x[n] at n equal steps from the first time to the last. */
int qc_stamps_resample(float *x, const double *times, uint32_t n, QcErr *err);

#endif
