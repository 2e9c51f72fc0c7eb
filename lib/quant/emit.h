/* emit.h - float model -> quantized model: Model -> QcQGraph (qc-method(7)).
 *
 * Lowers the graph, measures the range of every tensor on real windows, chooses weight scales, rounds. What cannot be
 * quantized is refused by name.
 */
#ifndef QC_QUANT_EMIT_H
#define QC_QUANT_EMIT_H

#include "../device/qgraph.h"
#include "../nn/graph.h"

/* g: weights as packed codes; all arrays from `arena`. master [g->n_codes] (from the arena): the weights in units of
 * their scale, before rounding. windows [n][h][w][c]: normalized, real (never noise). bits 2, 4, 8 of weights;
 * activation_bits 4 or 8. */
int qc_emit(QcQGraph *g, float **master, const QcGraph *model, const float *windows, uint32_t n, int bits,
            int last_bits, int activation_bits, int threads, QcArena *arena, QcErr *err);

/* Scales that a model has already: by node of the graph. */
typedef struct QcGiven {
    const float *scale;   /* [n_nodes] of the node's value; 0: it has none */
    const uint8_t *zero;  /* [n_nodes] of its codes */
    const uint8_t *bits;  /* [n_nodes] of its codes */
    const float *gain;    /* [n_nodes] GAP, AVGPOOL, ADD, MUL: what the value is multiplied by before it is rounded */
    const uint32_t *first; /* [n_nodes] CONV, LINEAR: where in `step` the scales of its weights begin */
    const float *step;
} QcGiven;

/* A graph without batch norms, whose weights are codes of 8 bits times their steps, as it is: nothing is measured.
 * Values are as of qc_emit. */
int qc_emit_given(QcQGraph *g, const QcGraph *f, const QcGiven *given, QcArena *arena, QcErr *err);

/* Packs clamp(round(master)) into g->codes, layer by layer. */
void qc_pack_masters(QcQGraph *g, const float *master);

#endif
