/* headbench.h - features of a source and of a stream in a learner's layout, and all inputs of a closed-form head.
 * Include after tiny.h.
 *
 * Source examples are in the coreset. The first `learned` examples of the stream are already in the moments; the others
 * are in the ring.
 */
#ifndef QC_TESTS_HEADBENCH_H
#define QC_TESTS_HEADBENCH_H

#include "guarded.h"

#include "../../lib/device/head.h"

enum { SOURCE = 22, STREAM = 60, ALL = SOURCE + STREAM, MOST = 24 };

typedef struct Bench {
    Tiny t;
    QcHeadShape shape;
    QcParameters parameters;
    uint8_t q[ALL][MOST]; /* features of the source's examples, then of the stream's */
    uint16_t label[ALL];
    uint8_t used[ALL];    /* is part of the source or of the stream */
    uint32_t learned;     /* stream examples that are in the moments */
    QcMoments stream;
    QcSlots coreset, ring;
    QcSet set;
    QcHeadTask task;
    QcHeadScratch scratch;
    QcLastLayer layer;
    uint8_t right[ALL]; /* [set.n] by the layer that was solved */
    float loss, queue[QC_QUEUE * MOST];
    Guarded memory[2]; /* of the scratch; of all else */
} Bench;

static Bench b;

static inline void bench_lay_out(QcPlacing *scratch, QcPlacing *others)
{
    qc_head_scratch_place(&b.scratch, &b.shape, STREAM, &qc_kernels_scalar, scratch);
    qc_moments_place(&b.stream, b.shape.features, b.shape.classes, others);
    qc_slots_place(&b.coreset, SOURCE, 0, b.shape.features, others);
    qc_slots_place(&b.ring, STREAM, 0, b.shape.features, others);
    b.set.row = qc_placing_take(others, ALL * sizeof *b.set.row);
    qc_last_layer_place(&b.layer, &b.shape, others);
}

/* The stream lies elsewhere than the source, and lacks class 3. */
static inline void bench_draw_features(void)
{
    QcRng rng = qc_rng_seed(5, 5);
    for (uint32_t e = 0; e < ALL; e++) {
        b.label[e] = (uint16_t)(e >= SOURCE ? e % 3 : e % TINY_CLASSES);
        b.used[e] = 1;
        for (uint32_t i = 0; i < b.shape.features; i++)
            b.q[e][i] = (uint8_t)fmax(0, fmin(255, 80 + (i % TINY_CLASSES == b.label[e] ? 70 : 0) +
                                                       (e < SOURCE ? 0 : 15) + 14 * qc_rng_normal(&rng)));
    }
}

static inline void bench_begin(TinyKind kind, int bits)
{
    QcPlacing scratch = {0}, others = {0};
    tiny_make(&b.t, kind, bits, 8, 3);
    qc_head_shape(&b.shape, &b.t.g);
    ck_assert(qc_head_fits(&b.t.g));
    ck_assert_uint_le(b.shape.features, MOST);
    b.parameters = qc_parameters_default(bits);
    b.learned = 0;
    bench_lay_out(&scratch, &others);
    scratch = (QcPlacing){.memory = guarded_take(&b.memory[0], scratch.used, kind % 2)};
    others = (QcPlacing){.memory = guarded_take(&b.memory[1], others.used, kind % 2)};
    bench_lay_out(&scratch, &others);
    b.set.coreset = &b.coreset;
    b.set.ring = &b.ring;
    b.task = (QcHeadTask){.shape = &b.shape,
                          .n_rows = b.shape.classes,
                          .parameters = &b.parameters,
                          .stream = &b.stream,
                          .set = &b.set};
    bench_draw_features();
}

static inline void bench_end(void)
{
    for (int i = 0; i < 2; i++) guarded_release(&b.memory[i]);
    tiny_release(&b.t);
}

static inline void bench_put(QcSlots *slots, uint32_t row, uint32_t e)
{
    memcpy(qc_slot_features(slots, row), b.q[e], b.shape.features);
    slots->label[row] = b.label[e];
    slots->flags[row] = 0;
    b.set.row[b.set.n++] = row;
}

static inline void bench_learn(QcScatterQueue *queue, uint32_t e)
{
    uint16_t label = b.label[e];
    qc_mean_add(b.stream.mean + label * b.shape.features, &b.stream.count[label], queue, b.q[e], b.shape.zero,
                b.parameters.average_window);
}

/* Brings the examples where their features are read from. */
static inline void bench_gather(void)
{
    QcScatterQueue queue = {
        .kernels = &qc_kernels_scalar, .scatter = b.stream.scatter, .rows = b.queue, .n = b.shape.features};
    qc_moments_clear(&b.stream);
    b.set.n = 0;
    for (uint32_t e = 0; e < SOURCE; e++)
        if (b.used[e]) bench_put(&b.coreset, e, e);
    b.set.n_kept = b.set.n;
    for (uint32_t e = SOURCE; e < ALL; e++) {
        if (!b.used[e]) continue;
        if (e < SOURCE + b.learned) bench_learn(&queue, e);
        else bench_put(&b.ring, e - SOURCE, e);
    }
    qc_queue_flush(&queue);
}

static inline int bench_solve(void)
{
    bench_gather();
    return qc_head_solve(&b.layer, b.right, &b.loss, &b.scratch, &b.task);
}

/* Of the examples of class k in [first, end), all are left out, or all but the first. */
static inline void leave_out(uint32_t k, uint32_t first, uint32_t end, uint32_t but)
{
    for (uint32_t e = first; e < end; e++) {
        if (b.label[e] != k) continue;
        b.used[e] = but > 0;
        but = 0;
    }
}

/* What the LOGITS node says of an example's features with `layer` as the last layer; the class with the largest
 * logit. */
static inline uint32_t class_of(const QcLastLayer *layer, const uint8_t *q, float *logits)
{
    b.t.g.last = layer;
    memcpy(qc_qrun_tensor(&b.t.run, b.t.g.nodes[b.t.g.n_nodes - 1].in[0]), q, b.shape.features);
    qc_qrun_logits(&b.t.run, logits);
    b.t.g.last = NULL;
    return qc_largest(logits, TINY_CLASSES);
}

#endif
