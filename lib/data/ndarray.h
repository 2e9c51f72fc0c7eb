/* ndarray.h - an array in NumPy's form (.npy, versions 1.0 to 3.0): its header understood, its values read one by one.
 *
 * Either byte order, C or Fortran order. Refused: objects (they are pickled code), records, complex numbers, dates, and
 * data that is not exactly as long as the shape says. The bytes are the caller's and must outlive the array.
 */
#ifndef QC_DATA_NDARRAY_H
#define QC_DATA_NDARRAY_H

#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"

enum { QC_RANK_MAX = 8 };

typedef struct QcNdarray {
    char kind;                 /* 'f' float, 'i' signed, 'u' unsigned, 'b' bool, 'U' text of UCS-4, 'S' text of bytes */
    uint32_t item;             /* bytes of an element; 0 only for empty texts */
    int swapped;               /* big-endian */
    uint32_t rank;
    uint64_t shape[QC_RANK_MAX];
    uint64_t stride[QC_RANK_MAX]; /* in elements */
    uint64_t count;            /* elements in all */
    const uint8_t *data;       /* [count][item] */
} QcNdarray;

/* `name` begins the sentence where the bytes are no such array. */
int qc_ndarray_parse(QcNdarray *a, const uint8_t *bytes, size_t length, const char *name, QcErr *err);

int qc_ndarray_is_text(const QcNdarray *a);
/* Element at this place in memory (the sum of index x stride). */
double qc_ndarray_real(const QcNdarray *a, uint64_t at);
/* n elements from `at` on, `stride` apart, as floats; *high: the largest size among them, NaN if one is no number. */
void qc_ndarray_floats(float *out, double *high, const QcNdarray *a, uint64_t at, uint64_t stride, uint64_t n);
/* As text of at most `room` bytes with the zero: a number without a fraction as digits. -1: it has a fraction, is too
 * long, or no valid text. */
int qc_ndarray_text(char *text, size_t room, const QcNdarray *a, uint64_t at);
/* As an unsigned whole number; -1 if it is none. */
int qc_ndarray_whole(uint64_t *value, const QcNdarray *a, uint64_t at);

#endif
