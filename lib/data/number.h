/* number.h - decimal numbers out of text, the same in every locale, and fast enough for files that hold nothing
 * else. */
#ifndef QC_DATA_NUMBER_H
#define QC_DATA_NUMBER_H

#include "dataset.h"

/* Reads the number at *at (which ends before `end`) and moves *at after it. Returns NULL, or what is wrong, to be put
 * after the text that was found: "is not a number", "is missing", "is out of range". *at then stays. */
const char *qc_number_read(float *value, const char **at, const char *end);
/* The same with all digits of a double, for times and counts. */
const char *qc_number_read_double(double *value, const char **at, const char *end);

/* 1 for what tables write instead of a value that is missing, in either case and with any sign: nothing, ?, NaN,
 * inf, NA, N/A, NULL, None. All readers of text take the same. */
int qc_number_is_missing(const char *at, const char *end);

#endif
