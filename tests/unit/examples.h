/* examples.h - a data set of seven examples for tests of operations on data sets. Include after check.h. */
#ifndef QC_TESTS_EXAMPLES_H
#define QC_TESTS_EXAMPLES_H

#include <string.h>

#include "../../lib/base/rng.h"
#include "../../lib/data/dataset.h"

enum { N = 7, CHANNELS = 3, LENGTH = 5 };

static QcErr err;

/* Examples of three classes, two people, four recordings, one without a label. */
static inline void make(QcDataset *d, uint32_t capacity)
{
    static const char *const labels[] = {"walk", "sit", "lie \xc3\xa4"}, *const groups[] = {"p1", "p2"},
                             *const recordings[] = {"r1", "r2", "r3", "r4"};
    ck_assert_int_eq(qc_dataset_init(d, N, CHANNELS, 1, LENGTH, capacity, &err), 0);
    for (int k = 0; k < 3; k++) ck_assert_int_eq(qc_names_add(&d->labels, &d->arena, labels[k], NULL, &err), 0);
    for (int k = 0; k < 2; k++) ck_assert_int_eq(qc_names_add(&d->groups, &d->arena, groups[k], NULL, &err), 0);
    for (int k = 0; k < 4; k++) ck_assert_int_eq(qc_names_add(&d->recordings, &d->arena, recordings[k], NULL, &err), 0);
    QcRng rng = qc_rng_seed(3, 1);
    for (uint32_t k = 0; k < N * CHANNELS * LENGTH; k++) d->x[k] = (float)qc_rng_normal(&rng);
    for (uint32_t i = 0; i < N; i++) {
        d->label[i] = (int32_t)(i % 4) - 1;
        d->id[i] = 900000000000u - i * 17;
        d->group[i] = i % 2;
        d->recording[i] = (i * 3) % 4;
        if (capacity) {
            d->misses[i] = i * i;
            d->flags[i] = (uint8_t)i;
        }
    }
    ck_assert_int_eq(qc_dataset_sign(d, "test seed=1", NULL, &err), 0);
}

static inline void assert_same_names(const QcNames *a, const QcNames *b)
{
    ck_assert_uint_eq(a->n, b->n);
    for (uint32_t k = 0; k < a->n; k++) ck_assert_str_eq(a->names[k], b->names[k]);
}

#endif
