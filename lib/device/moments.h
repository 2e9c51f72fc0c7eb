/* moments.h - running moments of labelled features: a mean per class and one scatter for all classes (Welford, 1962).
 *
 * Features are the integers that the LOGITS node reads, less their zero point. With average_window W, a class's mean
 * follows its latest W examples (exponentially weighted from the W-th on; Roberts, 1959), so that an earlier person
 * fades. The scatter is an upper triangle, row after row: row i has elements i .. n-1, n (n + 1) / 2 in all. Floats in
 * a fixed order; no allocation.
 */
#ifndef QC_DEVICE_MOMENTS_H
#define QC_DEVICE_MOMENTS_H

#include "../kernels/kernels.h"
#include "placing.h"

typedef struct QcMoments {
    uint32_t n, classes; /* features; classes */
    uint32_t *count;     /* [classes] examples so far */
    float *mean;         /* [classes][n] */
    float *scatter;      /* [n (n + 1) / 2] sum of (x - mean)(x - mean)' around the class's mean */
} QcMoments;

static inline uint64_t qc_triangle(uint32_t n) { return (uint64_t)n * (n + 1) / 2; }

/* Row i of an upper triangle, such that element j >= i is row[j]. */
static inline float *qc_triangle_row(float *triangle, uint32_t n, uint32_t i)
{
    return triangle + ((size_t)i * (2 * (size_t)n - i + 1) / 2 - i);
}

void qc_moments_place(QcMoments *m, uint32_t n, uint32_t classes, QcPlacing *p);
void qc_moments_clear(QcMoments *m);

/* No class counts as more than `most` examples from now on; the scatter counts as much less as they do. */
void qc_moments_forget(QcMoments *m, uint32_t most);

/* 0 if the moments cannot be moments of u8 features: not numbers, or too large. */
int qc_moments_are_sound(const QcMoments *m);

/* Collects differences d for scatter += weight d d', four at a time, so that the triangle is read and written a quarter
 * as often. */
enum { QC_QUEUE = 4 };
typedef struct QcScatterQueue {
    const QcKernels *kernels;
    float *scatter, *rows; /* [n (n + 1) / 2]; rows [QC_QUEUE][n]: scratch */
    uint32_t n, used;
    float weight[QC_QUEUE];
} QcScatterQueue;

/* Where the next difference [n] goes: fill it, then push it. */
static inline float *qc_queue_row(const QcScatterQueue *q) { return q->rows + (size_t)q->used * q->n; }
void qc_queue_push(QcScatterQueue *q, float weight);
void qc_queue_flush(QcScatterQueue *q);

/* Takes one example into a class's mean [n] and count, and its difference into the queue. features [n] u8. */
void qc_mean_add(float *mean, uint32_t *count, QcScatterQueue *q, const uint8_t *features, int32_t zero,
                 uint32_t average_window);

#endif
