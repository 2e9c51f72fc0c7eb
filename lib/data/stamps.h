/* stamps.h - the times of samples: numbers or dates, and series brought to equal steps. */
#ifndef QC_DATA_STAMPS_H
#define QC_DATA_STAMPS_H

#include "lines.h"

/* A number as it is; a date in seconds since 1970: 2024-05-31, 2024/5/31, 31.5.2024 or 31-May-2024, after a blank or T
 * a clock (23:59, 23:59:58.5, 11:59:58 PM), after the clock Z or +02:00; or a clock with seconds (23:59:58, 59:58.5)
 * alone in seconds of the day or hour. -1: none of them. */
int qc_stamp_read(double *time, QcField field);
/* A date of the form 31/5/2024 (day_first) or 5/31/2024, and the clock after it. */
int qc_stamp_read_slashed(double *time, QcField field, int day_first);
/* 1 if all steps are equal, up to a millionth of the whole. times[n] ascending. */
int qc_stamps_even(const double *times, uint32_t n);
/* out[k] = x at the time from + step * k, k < n_out: on the line between its neighbours in times[n] (ascending, n > 0).
 * Before the first time and after the last the nearest value counts. */
void qc_stamps_resample(float *out, uint32_t n_out, double from, double step, const float *x, const double *times,
                        uint32_t n);

#endif
