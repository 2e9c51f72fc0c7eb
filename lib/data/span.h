/* span.h - a span of time in an option's text, as samples or in seconds. */
#ifndef QC_DATA_SPAN_H
#define QC_DATA_SPAN_H

#include <stdint.h>

#include "../base/err.h"

/* "200" or "2s" (seconds need the rate, in samples per second; 0 = not known). NULL gives `standard`. */
int qc_span_read(uint32_t *samples, const char *text, const char *option, double rate, uint32_t standard, QcErr *err);

/* "2s" or "500ms" in seconds; -1: it is none of these. */
int qc_span_seconds(double *seconds, const char *text);

#endif
