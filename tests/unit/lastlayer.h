/* lastlayer.h - a last layer in closed form, examples of a source and of a stream for it, and the model as it was. Include behind tiny.h. */
#ifndef QC_TESTS_LASTLAYER_H
#define QC_TESTS_LASTLAYER_H

#include "guarded.h"

#include "../../lib/device/lda.h"

enum { SOURCE = 22, STREAM = 60, ALL = SOURCE + STREAM, MOST = 24, TRIANGLE = MOST * (MOST + 1) / 2 };

typedef struct Bench {
    Tiny t;
    QcLda l;
    Guarded memory;
    uint8_t q[ALL][MOST]; /* features of the source's examples, then the stream's */
    uint16_t label[ALL];
    uint8_t used[ALL];    /* is seen */
    uint8_t *codes;       /* these three: as they were */
    float *scale;
    int32_t *bias;
} Bench;

static Bench b;

static inline void *copy_of(const void *bytes, size_t n) { return memcpy(malloc(n), bytes, n); }

static inline void lay_out(QcPlacing *p)
{
    qc_lda_place(&b.l, &b.t.g, 0.03f, 3, 0, p);
    qc_lda_place_scratch(&b.l, p);
}

static inline void begin(TinyKind kind, int bits)
{
    QcPlacing count = {0};
    QcRng rng = qc_rng_seed(5, 5);
    tiny_make(&b.t, kind, bits, 8, 3);
    lay_out(&count);
    QcPlacing p = {.memory = guarded_take(&b.memory, count.used, kind % 2)};
    lay_out(&p);
    qc_lda_clear(&b.l);
    ck_assert_uint_le(b.l.n, MOST);
    for (uint32_t e = 0; e < ALL; e++) { /* the stream lies elsewhere than the source, and lacks class 3 */
        b.label[e] = (uint16_t)(e >= SOURCE ? e % 3 : e % TINY_CLASSES);
        b.used[e] = 1;
        for (uint32_t i = 0; i < b.l.n; i++)
            b.q[e][i] = (uint8_t)fmax(0, fmin(255, 80 + (i % TINY_CLASSES == b.label[e] ? 70 : 0) + (e < SOURCE ? 0 : 15) + 14 * qc_rng_normal(&rng)));
    }
    b.codes = copy_of(b.t.g.codes, b.t.g.n_code_bytes);
    b.scale = copy_of(b.t.g.scale, b.t.g.n_channels * sizeof *b.scale);
    b.bias = copy_of(b.t.g.bias, b.t.g.n_channels * sizeof *b.bias);
}

static inline void end(void)
{
    free(b.codes);
    free(b.scale);
    free(b.bias);
    guarded_release(&b.memory);
    tiny_release(&b.t);
}

static inline void see(uint32_t e)
{
    if (!b.used[e]) return;
    if (e < SOURCE) qc_lda_see_source(&b.l, b.q[e], b.label[e]);
    else qc_lda_see_stream(&b.l, b.q[e], b.label[e]);
}

static inline void see_all(void)
{
    qc_lda_begin(&b.l);
    for (uint32_t e = 0; e < ALL; e++) see(e);
}

/* Of the examples of class k in [first, end), all are left out, or all but one. */
static inline void leave_out(uint32_t k, uint32_t first, uint32_t end, uint32_t but)
{
    for (uint32_t e = first; e < end; e++) {
        if (b.label[e] != k) continue;
        b.used[e] = but > 0;
        but = 0;
    }
}

#endif
