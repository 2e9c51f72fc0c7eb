#include "pick.h"

#include "../base/rng.h"

static uint32_t pieces_of(const QcQNode *node) { return (node->channels + QC_PIECE_CHANNELS - 1u) / QC_PIECE_CHANNELS; }

static uint32_t codes_of_piece(const QcQNode *node, uint32_t piece)
{
    uint32_t left = node->channels - piece * QC_PIECE_CHANNELS, row = node->n_codes / node->channels;
    return (left < QC_PIECE_CHANNELS ? left : QC_PIECE_CHANNELS) * row;
}

static void cut(QcPiece *piece, const QcQGraph *g, const QcFlipLayer *layers, uint32_t n_layers)
{
    for (uint32_t l = 0; l < n_layers; l++) {
        const QcQNode *node = &g->nodes[layers[l].node];
        uint32_t row = node->n_codes / node->channels, first = 0;
        for (uint32_t k = 0; k < pieces_of(node); k++, piece++) {
            uint32_t n = codes_of_piece(node, k);
            *piece = (QcPiece){.layer = (uint16_t)l, .channel = (uint16_t)(k * QC_PIECE_CHANNELS), .channels = (uint16_t)(n / row),
                               .first = first, .n = n, .at = QC_NOT_PICKED};
            first += n;
        }
    }
}

void qc_pick_place(QcPick *pick, const QcQGraph *g, const QcFlipLayer *layers, uint32_t n_layers, uint32_t chunk, QcPlacing *p)
{
    *pick = (QcPick){.chunk = chunk ? chunk : QC_PICK_CHUNK};
    for (uint32_t l = 0; l < n_layers; l++) {
        const QcQNode *node = &g->nodes[layers[l].node];
        uint32_t largest = codes_of_piece(node, 0);
        if (largest > pick->chunk) pick->chunk = largest;
        pick->n_pieces += pieces_of(node);
    }
    if (!n_layers) pick->chunk = 0;
    if (pick->chunk > g->n_codes) pick->chunk = g->n_codes;
    qc_placing_part(p, "pieces of the net");
    pick->pieces = qc_placing_take(p, pick->n_pieces * sizeof *pick->pieces);
    pick->order = qc_placing_take(p, pick->n_pieces * sizeof *pick->order);
    if (p->memory) cut(pick->pieces, g, layers, n_layers);
}

void qc_pick_draw(QcPick *pick, uint64_t seed)
{
    QcRng rng = qc_rng_seed(seed, 0);
    uint32_t room = pick->chunk;
    for (uint32_t i = 0; i < pick->n_pieces; i++) pick->order[i] = i;
    qc_rng_shuffle(&rng, pick->order, pick->n_pieces);
    for (uint32_t i = 0; i < pick->n_pieces; i++) {
        QcPiece *piece = &pick->pieces[pick->order[i]];
        int fits = piece->n <= room;
        piece->at = fits ? 0 : QC_NOT_PICKED;
        if (fits) room -= piece->n;
    }
    pick->n = 0;
    for (uint32_t i = 0; i < pick->n_pieces; i++) {
        if (pick->pieces[i].at == QC_NOT_PICKED) continue;
        pick->pieces[i].at = pick->n;
        pick->n += pick->pieces[i].n;
    }
}
