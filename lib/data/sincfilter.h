/* sincfilter.h - series at another rate: a low-pass filter below the lower of the two Nyquist frequencies, a sinc under
 * a Hann window of 32 zero crossings. */
#ifndef QC_DATA_SINCFILTER_H
#define QC_DATA_SINCFILTER_H

#include <stdint.h>

#include "../base/err.h"

/* Samples that n at `from` Hz become at `to` Hz: at least 1 if n is not 0; 0 = too many. */
uint32_t qc_sinc_length(uint32_t n, uint32_t from, uint32_t to);
/* out[length] from x[n]; beyond its ends x is 0. */
int qc_sinc_resample(float *out, uint32_t length, const float *x, uint32_t n, uint32_t from, uint32_t to, QcErr *err);

#endif
