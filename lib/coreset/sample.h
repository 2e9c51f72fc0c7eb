/* sample.h - which examples to keep: by the PMF of their misses, and by the rules that it is compared with
 * (qc-method(7)).
 *
 * Pure functions of arrays; the same seed gives the same choice. No example is ever taken twice.
 */
#ifndef QC_CORESET_SAMPLE_H
#define QC_CORESET_SAMPLE_H

#include <stdint.h>

#include "../base/err.h"
#include "../base/rng.h"

typedef enum QcSampleRule {
    /* a level of difficulty (so many misses; never right) gets its share of the slots by largest remainder; within that,
     * classes as even as the levels allow, and any example of a level's class as likely as the next */
    QC_SAMPLE_PMF,
    QC_SAMPLE_PROPORTIONAL, /* without replacement, weights misses + 0.1 + 0.5 [never right] */
    QC_SAMPLE_RANDOM,       /* uniform */
    QC_SAMPLE_BALANCED,     /* classes as even as they can be, uniform within a class */
    QC_SAMPLE_HARDEST,      /* largest weights first, ties at random */
    QC_SAMPLE_RULES
} QcSampleRule;

extern const char *const qc_sample_names[QC_SAMPLE_RULES];
int qc_sample_find(const char *name); /* -1: no such rule */

typedef struct QcCandidates {
    uint32_t n, classes;
    const int32_t *label;   /* [n] 0 .. classes-1 */
    const uint32_t *misses; /* [n] */
    const uint8_t *never;   /* [n] 1: never right */
} QcCandidates;

/* chosen [slots]: indices, ascending; slots <= n. Fails only when memory is out. */
int qc_sample(uint32_t *chosen, const QcCandidates *c, uint32_t slots, QcSampleRule rule, uint64_t seed, QcErr *err);

/* quota[l]: slots of a level that has size[l] of n examples, by largest remainder; ties at random. Sums to slots <= n;
 * quota[l] <= size[l]. */
int qc_sample_quota(uint32_t *quota, const uint32_t *size, uint32_t levels, uint32_t n, uint32_t slots, QcRng *rng,
                    QcErr *err);

/* taken [levels][classes] <= size [levels][classes], row l summing to quota[l], such that the column sums (classes) are
 * as even as can be. */
int qc_sample_even(uint32_t *taken, const uint32_t *size, const uint32_t *quota, uint32_t levels, uint32_t classes,
                   QcRng *rng, QcErr *err);

#endif
