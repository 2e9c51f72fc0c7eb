#include "draw.h"

#include "../base/rng.h"
#include "../kernels/mem.h"
#include "qmath.h"

static size_t marks(const QcPick *pick) { return (pick->chunk + 7) / 8; }

void qc_choice_place(QcChoice *c, const QcQGraph *g, const QcFlipLayer *layers, const QcPick *pick, QcPlacing *p)
{
    c->g = g;
    c->layers = layers;
    c->pick = pick;
    qc_placing_part(p, "scores of weights");
    c->scores = qc_placing_take(p, pick->chunk);
    qc_placing_part(p, "undo of a draw");
    c->stepped = qc_placing_take(p, marks(pick));
    qc_placing_part(p, "histogram of a draw");
    c->histogram = qc_placing_take(p, QC_CHOICE_BINS * sizeof *c->histogram);
    c->inverse = qc_placing_take(p, 128 * sizeof *c->inverse);
}

void qc_choice_begin(QcChoice *c)
{
    memset(c->scores, QC_FLIP_NEVER, c->pick->chunk);
    qc_choice_keep(c);
    for (int level = 0; level < 128; level++) c->inverse[level] = qc_exp((float)level * 0.17328680f); /* 2^(level / 4) */
}

void qc_choice_keep(QcChoice *c) { memset(c->stepped, 0, marks(c->pick)); }

/* Pieces first .. end-1: those of a layer, or of the net. */
typedef struct Span {
    uint32_t first, end;
} Span;

static int may_step(const QcChoice *c, const QcQNode *node, uint32_t j, uint8_t byte, int32_t step)
{
    int32_t limit = 1 << (qc_code_bits(c->g, node) - 1), code = qc_code_get(c->g, node, j) + (byte & QC_FLIP_UP ? step : -step);
    return code >= -limit && code < limit;
}

/* Bits of -ln(u) / score^2: the smaller, the sooner drawn. Positive floats order as their bits do. */
static uint32_t key_bits(const QcChoice *c, uint32_t code, uint8_t byte, uint64_t seed)
{
    float u = ((float)(qc_hash64(seed, code) >> 41) + 0.5f) * 0x1p-23f; /* in (0, 1), never either end */
    return qc_float_bits(-qc_ln(u) * c->inverse[byte & 0x7f]);
}

typedef struct Draw {
    QcChoice *c;
    uint64_t seed;
    int32_t step;
    uint32_t left;              /* still to be taken from the last bin */
    uint32_t coarse, fine;      /* bins of the threshold */
    uint32_t taken;
} Draw;

/* A candidate: weight j of a node, score `at`. */
typedef void (*See)(Draw *draw, const QcQNode *node, uint32_t j, uint32_t at, uint32_t bits);

/* Visits the candidates of a span with their keys. */
static void walk(Draw *draw, const Span *span, See see)
{
    QcChoice *c = draw->c;
    for (uint32_t i = qc_pick_next(c->pick, span->first); i < span->end; i = qc_pick_next(c->pick, i + 1)) {
        const QcPiece *piece = &c->pick->pieces[i];
        const QcQNode *node = &c->g->nodes[c->layers[piece->layer].node];
        for (uint32_t k = 0; k < piece->n; k++) {
            uint32_t j = piece->first + k, at = piece->at + k;
            uint8_t byte = c->scores[at];
            if ((byte & 0x7f) == QC_FLIP_NEVER || !may_step(c, node, j, byte, draw->step)) continue;
            see(draw, node, j, at, key_bits(c, node->code + j, byte, draw->seed));
        }
    }
}

static void count_coarse(Draw *draw, const QcQNode *node, uint32_t j, uint32_t at, uint32_t bits)
{
    (void)node, (void)j, (void)at;
    draw->c->histogram[bits >> 20]++;
}

static void count_fine(Draw *draw, const QcQNode *node, uint32_t j, uint32_t at, uint32_t bits)
{
    (void)node, (void)j, (void)at;
    if (bits >> 20 == draw->coarse) draw->c->histogram[(bits >> 9) & 2047]++;
}

static void take(Draw *draw, const QcQNode *node, uint32_t j, uint32_t at, uint32_t bits)
{
    QcChoice *c = draw->c;
    uint32_t limit = draw->coarse << 11 | draw->fine, bin = bits >> 9;
    if (bin > limit || (bin == limit && !draw->left)) return;
    if (bin == limit) draw->left--;
    qc_code_set(c->g, node, j, qc_code_get(c->g, node, j) + (c->scores[at] & QC_FLIP_UP ? draw->step : -draw->step));
    c->stepped[at >> 3] |= (uint8_t)(1u << (at & 7));
    draw->taken++;
}

/* The bin in which the k-th smallest lies; *k becomes its rank in that bin. All bins taken when there are fewer. */
static uint32_t bin_of(const uint32_t *histogram, uint32_t *k)
{
    for (uint32_t bin = 0; bin < QC_CHOICE_BINS; bin++) {
        if (histogram[bin] >= *k) return bin;
        *k -= histogram[bin];
    }
    *k = 0;
    return QC_CHOICE_BINS - 1;
}

static uint32_t draw_span(QcChoice *c, const Span *span, uint32_t k, int32_t step, uint64_t seed)
{
    Draw draw = {.c = c, .seed = seed, .step = step, .left = k};
    memset(c->histogram, 0, QC_CHOICE_BINS * sizeof *c->histogram);
    walk(&draw, span, count_coarse);
    draw.coarse = bin_of(c->histogram, &draw.left);
    memset(c->histogram, 0, QC_CHOICE_BINS * sizeof *c->histogram);
    walk(&draw, span, count_fine);
    draw.fine = bin_of(c->histogram, &draw.left);
    walk(&draw, span, take);
    return draw.taken;
}

static uint32_t share_of(float share, uint32_t n)
{
    uint32_t k = (uint32_t)(share * (float)n + 0.5f);
    return k ? k : 1;
}

/* Of n weights that are picked. A sample stands for the whole net, but half of it are enough: beyond that, scores would choose nothing. */
static uint32_t wanted(const QcChoice *c, float share, uint32_t n, int by_layer)
{
    if (by_layer || c->pick->n == c->g->n_codes) return share_of(share, n);
    uint32_t k = share_of(share, c->g->n_codes), half = share_of(0.5f, n);
    return k < half ? k : half;
}

uint32_t qc_choice_draw(QcChoice *c, float share, int32_t step, int by_layer, uint64_t seed)
{
    const QcPick *pick = c->pick;
    uint32_t taken = 0;
    c->step = step;
    for (Span span = {0, 0}; span.first < pick->n_pieces; span.first = span.end) {
        uint32_t n = 0;
        for (; span.end < pick->n_pieces && (!by_layer || pick->pieces[span.end].layer == pick->pieces[span.first].layer); span.end++)
            n += pick->pieces[span.end].at == QC_NOT_PICKED ? 0 : pick->pieces[span.end].n;
        if (n) taken += draw_span(c, &span, wanted(c, share, n, by_layer), step, seed);
    }
    return taken;
}

void qc_choice_undo(QcChoice *c)
{
    for (uint32_t i = qc_pick_next(c->pick, 0); i < c->pick->n_pieces; i = qc_pick_next(c->pick, i + 1)) {
        const QcPiece *piece = &c->pick->pieces[i];
        const QcQNode *node = &c->g->nodes[c->layers[piece->layer].node];
        for (uint32_t k = 0; k < piece->n; k++) {
            uint32_t at = piece->at + k, j = piece->first + k;
            if (!(c->stepped[at >> 3] >> (at & 7) & 1)) continue;
            qc_code_set(c->g, node, j, qc_code_get(c->g, node, j) - (c->scores[at] & QC_FLIP_UP ? c->step : -c->step));
        }
    }
    qc_choice_keep(c);
}
