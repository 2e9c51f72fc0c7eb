/* pick.h - the weights that are looked at this time: pieces of up to eight output channels, drawn from all layers, as many as memory holds.
 *
 * Their statistic, scores and marks lie one piece after another in arrays of `chunk` weights, so a calibration of any network works in memory of a chosen size. Where all
 * weights fit all are taken; where they do not, another sample is drawn each time. Within a layer the pieces that were drawn follow each other.
 */
#ifndef QC_DEVICE_PICK_H
#define QC_DEVICE_PICK_H

#include "flip.h"
#include "placing.h"

enum {
    QC_PIECE_CHANNELS = 8,     /* of one layer, at most */
    QC_PICK_CHUNK = 20 * 1024, /* weights looked at together, unless told otherwise: 187 KB of statistic and scores */
};
#define QC_NOT_PICKED UINT32_MAX

typedef struct QcPiece {
    uint16_t layer;             /* of the flipper's */
    uint16_t channel, channels; /* first, and how many, of the layer's output channels */
    uint32_t first, n;          /* codes of the layer */
    uint32_t at;                /* where it begins in the arrays of the chunk, or QC_NOT_PICKED */
} QcPiece;

typedef struct QcPick {
    QcPiece *pieces; /* [n_pieces] of all layers, in order */
    uint32_t *order; /* [n_pieces] scratch */
    uint32_t n_pieces;
    uint32_t chunk; /* room, in weights */
    uint32_t n;     /* weights picked */
} QcPick;

/* chunk: raised to the largest piece and lowered to all weights, none where there are no layers; 0: QC_PICK_CHUNK. Nothing is picked until the first draw. */
void qc_pick_place(QcPick *pick, const QcQGraph *g, const QcFlipLayer *layers, uint32_t n_layers, uint32_t chunk, QcPlacing *p);

void qc_pick_draw(QcPick *pick, uint64_t seed);

/* The next piece that was picked from `from` on, n_pieces where there is none. */
static inline uint32_t qc_pick_next(const QcPick *pick, uint32_t from)
{
    while (from < pick->n_pieces && pick->pieces[from].at == QC_NOT_PICKED) from++;
    return from;
}

#endif
