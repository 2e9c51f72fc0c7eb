/* emit.h - float model -> quantized model: Model -> QcQGraph (qc-method(7)).
 *
 * Lowers the graph, measures the range of every tensor on real windows, chooses weight scales, rounds. What cannot be quantized is refused by name.
 */
#ifndef QC_QUANT_EMIT_H
#define QC_QUANT_EMIT_H

#include "../device/qgraph.h"
#include "../nn/graph.h"

/* g: weights as packed codes; all arrays from `arena`. latent [g->n_codes] (from the arena): the weights in units of their scale, before rounding.
 * windows [n][h][w][c]: normalised, real (never noise). bits 2, 4, 8 of weights; activation_bits 4 or 8. */
int qc_emit(QcQGraph *g, float **latent, const QcGraph *model, const float *windows, uint32_t n, int bits, int last_bits, int activation_bits, int threads,
            QcArena *arena, QcErr *err);

/* Packs clamp(round(latent)) into g->codes, layer by layer. */
void qc_pack_latents(QcQGraph *g, const float *latent);

#endif
