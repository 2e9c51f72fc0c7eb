/* replaying.h - runs a method with back-propagation, with its settings in one string. Include after tiny.h. */
#ifndef QC_TESTS_REPLAYING_H
#define QC_TESTS_REPLAYING_H

enum { BATCH = 16 };
#include "learning.h"

static Bench b;

/* settings: "NAME=VALUE NAME=VALUE", at most eight */
static inline void begin(const QcMethod *m, TinyKind kind, int bits, uint64_t seed, const char *settings)
{
    char copy[256], *texts[8];
    int n = 0;
    snprintf(copy, sizeof copy, "%s", settings);
    for (char *text = strtok(copy, " "); text; text = strtok(NULL, " ")) texts[n++] = text;
    bench_open_seeded(&b, m, kind, bits, seed, (const char *const *)texts, n);
}

static inline void end(void) { bench_close(&b); }

static inline QcMethodReport learn(uint32_t which, uint32_t n)
{
    QcErr err;
    QcMethodReport report;
    QcBatch batch = batch_of(&b, which);
    batch.n = n;
    ck_assert_msg(!qc_method_next(&b.l, &report, &batch, NULL, &err), "%s", err.text);
    return report;
}

static inline int32_t code_at(const QcQNode *n, uint32_t j) { return qc_code_get(&b.t.g, n, j); }

#endif
