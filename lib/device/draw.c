#include "draw.h"

#include "../base/rng.h"
#include "../kernels/mem.h"
#include "qmath.h"

void qc_choice_place(QcChoice *c, const QcQGraph *g, const QcFlip *flip, QcPlacing *p)
{
    c->g = g;
    c->flip = flip;
    qc_placing_part(p, "scores of weights");
    c->scores = qc_placing_take(p, g->n_codes);
    qc_placing_part(p, "undo of a draw");
    c->stepped = qc_placing_take(p, (g->n_codes + 7) / 8);
    qc_placing_part(p, "histogram of a draw");
    c->histogram = qc_placing_take(p, QC_CHOICE_BINS * sizeof *c->histogram);
    c->inverse = qc_placing_take(p, 128 * sizeof *c->inverse);
}

void qc_choice_begin(QcChoice *c)
{
    memset(c->scores, QC_FLIP_NEVER, c->g->n_codes);
    memset(c->stepped, 0, (c->g->n_codes + 7) / 8);
    for (int level = 0; level < 128; level++) c->inverse[level] = qc_exp((float)level * 0.17328680f); /* 2^(level / 4) */
}

/* The layers first .. end-1 and where their scores begin. */
typedef struct Span {
    uint32_t first, end, code;
} Span;

static int may_step(const QcChoice *c, const QcQNode *node, uint32_t j, uint8_t byte, int32_t step)
{
    int32_t limit = 1 << (c->g->bits - 1), code = qc_code_get(c->g, node, j) + (byte & QC_FLIP_UP ? step : -step);
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

typedef void (*See)(Draw *draw, const QcQNode *node, uint32_t j, uint32_t code, uint32_t bits);

/* Visits the candidates of a span with their keys. */
static void walk(Draw *draw, const Span *span, See see)
{
    QcChoice *c = draw->c;
    uint32_t code = span->code;
    for (uint32_t l = span->first; l < span->end; l++) {
        const QcQNode *node = &c->g->nodes[c->flip->layers[l].node];
        for (uint32_t j = 0; j < node->n_codes; j++, code++) {
            uint8_t byte = c->scores[code];
            if ((byte & 0x7f) == QC_FLIP_NEVER || !may_step(c, node, j, byte, draw->step)) continue;
            see(draw, node, j, code, key_bits(c, code, byte, draw->seed));
        }
    }
}

static void count_coarse(Draw *draw, const QcQNode *node, uint32_t j, uint32_t code, uint32_t bits)
{
    (void)node, (void)j, (void)code;
    draw->c->histogram[bits >> 20]++;
}

static void count_fine(Draw *draw, const QcQNode *node, uint32_t j, uint32_t code, uint32_t bits)
{
    (void)node, (void)j, (void)code;
    if (bits >> 20 == draw->coarse) draw->c->histogram[(bits >> 9) & 2047]++;
}

static void take(Draw *draw, const QcQNode *node, uint32_t j, uint32_t code, uint32_t bits)
{
    QcChoice *c = draw->c;
    uint32_t limit = draw->coarse << 11 | draw->fine, at = bits >> 9;
    if (at > limit || (at == limit && !draw->left)) return;
    if (at == limit) draw->left--;
    qc_code_set(c->g, node, j, qc_code_get(c->g, node, j) + (c->scores[code] & QC_FLIP_UP ? draw->step : -draw->step));
    c->stepped[code >> 3] |= (uint8_t)(1u << (code & 7));
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

uint32_t qc_choice_draw(QcChoice *c, float share, int32_t step, int by_layer, uint64_t seed)
{
    c->step = step;
    if (!by_layer) {
        Span all = {0, c->flip->n_layers, 0};
        return draw_span(c, &all, share_of(share, c->g->n_codes), step, seed);
    }
    uint32_t taken = 0, code = 0;
    for (uint32_t l = 0; l < c->flip->n_layers; l++) {
        Span layer = {l, l + 1, code};
        uint32_t n = c->g->nodes[c->flip->layers[l].node].n_codes;
        taken += draw_span(c, &layer, share_of(share, n), step, seed);
        code += n;
    }
    return taken;
}

void qc_choice_undo(QcChoice *c)
{
    uint32_t code = 0;
    for (uint32_t l = 0; l < c->flip->n_layers; l++) {
        const QcQNode *node = &c->g->nodes[c->flip->layers[l].node];
        for (uint32_t j = 0; j < node->n_codes; j++, code++) {
            if (!(c->stepped[code >> 3] >> (code & 7) & 1)) continue;
            qc_code_set(c->g, node, j, qc_code_get(c->g, node, j) - (c->scores[code] & QC_FLIP_UP ? c->step : -c->step));
        }
    }
    memset(c->stepped, 0, (c->g->n_codes + 7) / 8);
}
