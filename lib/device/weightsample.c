#include "weightsample.h"

#include "../base/rng.h"
#include "../kernels/mem.h"
#include "qmath.h"

static size_t marks(const QcBlockSample *blocks) { return (blocks->capacity + 7) / 8; }

void qc_weightsample_place(QcWeightSample *s, const QcQGraph *g, const QcFlipLayer *layers,
                           const QcBlockSample *blocks, QcPlacing *p)
{
    s->g = g;
    s->layers = layers;
    s->blocks = blocks;
    qc_placing_part(p, "scores of weights");
    s->scores = qc_placing_take(p, blocks->capacity);
    qc_placing_part(p, "undo of a proposal");
    s->stepped = qc_placing_take(p, marks(blocks));
    qc_placing_part(p, "histogram of a proposal");
    s->histogram = qc_placing_take(p, QC_SAMPLE_BINS * sizeof *s->histogram);
    s->inverse = qc_placing_take(p, 128 * sizeof *s->inverse);
}

void qc_weightsample_begin(QcWeightSample *s)
{
    memset(s->scores, QC_FLIP_NEVER, s->blocks->capacity);
    qc_weightsample_keep(s);
    /* 2^(level / 4) */
    for (int level = 0; level < 128; level++) s->inverse[level] = qc_exp((float)level * 0.17328680f);
}

void qc_weightsample_keep(QcWeightSample *s) { memset(s->stepped, 0, marks(s->blocks)); }

/* Blocks first .. end-1: the blocks of a layer, or of the network. */
typedef struct Span {
    uint32_t first, end;
} Span;

static int may_step(const QcWeightSample *s, const QcQNode *node, uint32_t j, uint8_t byte, int32_t step)
{
    int32_t limit = 1 << (qc_code_bits(s->g, node) - 1),
            code = qc_code_get(s->g, node, j) + (byte & QC_FLIP_UP ? step : -step);
    return code >= -limit && code < limit;
}

/* Bits of -ln(u) / score^2; small keys are drawn first. Positive floats have the order of their bits. */
static uint32_t key_bits(const QcWeightSample *s, uint32_t code, uint8_t byte, uint64_t seed)
{
    float u = ((float)(qc_hash64(seed, code) >> 41) + 0.5f) * 0x1p-23f; /* in (0, 1), never either end */
    return qc_float_bits(-qc_ln(u) * s->inverse[byte & 0x7f]);
}

typedef struct Draw {
    QcWeightSample *s;
    uint64_t seed;
    int32_t step;
    uint32_t left;              /* still to be taken from the last bin */
    uint32_t coarse, fine;      /* bins of the threshold */
    uint32_t taken;
} Draw;

/* A candidate: weight j of a node, score `at`. */
typedef void (*Visit)(Draw *draw, const QcQNode *node, uint32_t j, uint32_t at, uint32_t bits);

/* Visits the candidates of a span with their keys. */
static void walk(Draw *draw, const Span *span, Visit visit)
{
    QcWeightSample *s = draw->s;
    for (uint32_t i = qc_block_sample_next(s->blocks, span->first); i < span->end;
         i = qc_block_sample_next(s->blocks, i + 1)) {
        const QcBlock *block = &s->blocks->blocks[i];
        const QcQNode *node = &s->g->nodes[s->layers[block->layer].node];
        for (uint32_t k = 0; k < block->n; k++) {
            uint32_t j = block->first + k, at = block->start + k;
            uint8_t byte = s->scores[at];
            if ((byte & 0x7f) == QC_FLIP_NEVER || !may_step(s, node, j, byte, draw->step)) continue;
            visit(draw, node, j, at, key_bits(s, node->code + j, byte, draw->seed));
        }
    }
}

static void count_coarse(Draw *draw, const QcQNode *node, uint32_t j, uint32_t at, uint32_t bits)
{
    (void)node, (void)j, (void)at;
    draw->s->histogram[bits >> 20]++;
}

static void count_fine(Draw *draw, const QcQNode *node, uint32_t j, uint32_t at, uint32_t bits)
{
    (void)node, (void)j, (void)at;
    if (bits >> 20 == draw->coarse) draw->s->histogram[(bits >> 9) & 2047]++;
}

static void take(Draw *draw, const QcQNode *node, uint32_t j, uint32_t at, uint32_t bits)
{
    QcWeightSample *s = draw->s;
    uint32_t limit = draw->coarse << 11 | draw->fine, bin = bits >> 9;
    if (bin > limit || (bin == limit && !draw->left)) return;
    if (bin == limit) draw->left--;
    qc_code_set(s->g, node, j, qc_code_get(s->g, node, j) + (s->scores[at] & QC_FLIP_UP ? draw->step : -draw->step));
    s->stepped[at >> 3] |= (uint8_t)(1u << (at & 7));
    draw->taken++;
}

/* The bin with the k-th smallest; *k becomes its rank in this bin. If there are fewer than k, all bins are taken. */
static uint32_t bin_of(const uint32_t *histogram, uint32_t *k)
{
    for (uint32_t bin = 0; bin < QC_SAMPLE_BINS; bin++) {
        if (histogram[bin] >= *k) return bin;
        *k -= histogram[bin];
    }
    *k = 0;
    return QC_SAMPLE_BINS - 1;
}

static uint32_t draw_span(QcWeightSample *s, const Span *span, uint32_t k, int32_t step, uint64_t seed)
{
    Draw draw = {.s = s, .seed = seed, .step = step, .left = k};
    memset(s->histogram, 0, QC_SAMPLE_BINS * sizeof *s->histogram);
    walk(&draw, span, count_coarse);
    draw.coarse = bin_of(s->histogram, &draw.left);
    memset(s->histogram, 0, QC_SAMPLE_BINS * sizeof *s->histogram);
    walk(&draw, span, count_fine);
    draw.fine = bin_of(s->histogram, &draw.left);
    walk(&draw, span, take);
    return draw.taken;
}

static uint32_t share_of(float share, uint32_t n)
{
    uint32_t k = (uint32_t)(share * (float)n + 0.5f);
    return k ? k : 1;
}

/* How many of n sampled weights are stepped. The sample stands for the whole network, but at most half of it is
 * stepped: beyond half, scores would decide nothing. */
static uint32_t wanted(const QcWeightSample *s, float share, uint32_t n, int by_layer)
{
    if (by_layer || s->blocks->n == s->g->n_codes) return share_of(share, n);
    uint32_t k = share_of(share, s->g->n_codes), half = share_of(0.5f, n);
    return k < half ? k : half;
}

uint32_t qc_weightsample_propose(QcWeightSample *s, float share, int32_t step, int by_layer, uint64_t seed)
{
    const QcBlockSample *blocks = s->blocks;
    uint32_t taken = 0;
    s->step = step;
    for (Span span = {0, 0}; span.first < blocks->n_blocks; span.first = span.end) {
        uint32_t n = 0;
        for (; span.end < blocks->n_blocks &&
               (!by_layer || blocks->blocks[span.end].layer == blocks->blocks[span.first].layer);
             span.end++)
            n += blocks->blocks[span.end].start == QC_NOT_SAMPLED ? 0 : blocks->blocks[span.end].n;
        if (n) taken += draw_span(s, &span, wanted(s, share, n, by_layer), step, seed);
    }
    return taken;
}

void qc_weightsample_undo(QcWeightSample *s)
{
    for (uint32_t i = qc_block_sample_next(s->blocks, 0); i < s->blocks->n_blocks;
         i = qc_block_sample_next(s->blocks, i + 1)) {
        const QcBlock *block = &s->blocks->blocks[i];
        const QcQNode *node = &s->g->nodes[s->layers[block->layer].node];
        for (uint32_t k = 0; k < block->n; k++) {
            uint32_t at = block->start + k, j = block->first + k;
            if (!(s->stepped[at >> 3] >> (at & 7) & 1)) continue;
            qc_code_set(s->g, node, j, qc_code_get(s->g, node, j) - (s->scores[at] & QC_FLIP_UP ? s->step : -s->step));
        }
    }
    qc_weightsample_keep(s);
}
