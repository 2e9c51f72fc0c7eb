/* calibrate.h - the on-device step: for every labelled batch forward passes, flips, coreset update (method.md, 4). No gradient is ever computed.
 *
 * With a flip network of no layers nothing is flipped, and flips take no memory: what learns is the last layer, in closed form.
 *
 * All memory is placed beforehand: qc_calibrator_bytes says how much, once and for all batches up to batch_max. The calibrator changes the codes of the
 * graph, scales and biases of its last layer, and its own slots; nothing else. The same model, slots, stream and seed make the same bytes on every processor.
 */
#ifndef QC_DEVICE_CALIBRATE_H
#define QC_DEVICE_CALIBRATE_H

#include "draw.h"
#include "hebb.h"
#include "lda.h"
#include "slots.h"

typedef enum QcChoose {
    QC_CHOOSE_NETWORK, /* by the bit-flip network's score */
    QC_CHOOSE_RANDOM,  /* any weight, direction by the sign of h: what the network is measured against */
    QC_CHOOSE_GREEDY,  /* by |h| relative to its layer */
    QC_CHOOSE_COUNT
} QcChoose;

typedef struct QcCalibrateOptions {
    uint32_t rounds;   /* draws a batch, at most */
    float phi0;        /* share of the weights in the first draw of a batch, at least */
    float cap;         /* above it steps get longer instead of more */
    float phi_max, phi_min;
    float grow, shrink; /* of phi after an accepted and a refused draw */
    float stop;        /* loss on the set at which no more draws are made; 0: never; < 0: QC_STOP where batches end with a last layer in closed form, else temper */
    int by_layer;      /* the share holds in each layer */
    float balance;     /* 0: every example of the set weighs the same .. 1: every class does */
    float prior;       /* the batch's own class frequencies are taken out of its examples' loss, each class counted this much more often than seen; < 0: not */
    float scarce;      /* a batch with at most this share of the classes has the last layer in closed form (lda.h), if that is better, instead of flips; 0: none does */
    int second;        /* 1: other batches end with one beside that of the flips, and the device answers with that which arriving batches speak for */
    float lead;        /* examples by which the latter is taken to be ahead before any batch has spoken; 0 without flips: QC_LEAD_FIRST */
    float rest;        /* an arriving batch of which the second last layer, if it answers, has at least this share right makes no flips; 0: each does */
    float temper;      /* loss on the set at which logits of a last layer in closed form are large enough, and none is wanted for a batch of few classes */
    float unseen;      /* in such a batch logits of classes that the stream has shown are lowered by this share of their margin over those it has not, times the root of the share of the latter; 0: none */
    float ridge, worth; /* of both: lda.h */
    uint32_t recent;   /* the same */
    QcChoose choose;
    QcUpdate update;
    uint32_t chunk;    /* weights that are looked at together (pick.h); 0 = QC_PICK_CHUNK */
    uint64_t seed;
} QcCalibrateOptions;

/* What was measured to work at 2, 4 and 8 bits. */
QcCalibrateOptions qc_calibrate_defaults(int bits);

typedef struct QcCalibrateReport {
    uint32_t n;                       /* of the batch */
    uint32_t right_before, right_after; /* of the batch: test-then-train, and after the step */
    float loss_before, loss_after;    /* on the whole set (coreset and batch) */
    uint32_t draws, accepted, flips;  /* flips that stayed */
    uint32_t forwards;                /* window passes, Hebbian ones included */
    uint32_t gathers;                 /* Hebbian statistics taken of the set */
    uint32_t rested;                  /* 1: the second last layer had enough of it right when it came, and nothing was flipped */
    uint32_t solved;                  /* 1: the last layer in closed form was better, and nothing was flipped */
    uint32_t closed;                  /* 1: the device answers with a second last layer, in closed form, until the next batch */
    uint64_t algebra;                 /* multiply-adds of the closed form, about */
    uint32_t from_source, from_stream, from_batch; /* origin of the slots after the update */
} QcCalibrateReport;

/* Last layers: one; or one that flips have led to and one in closed form, of which the graph has either. */
typedef enum QcHeads { QC_HEADS_ONE, QC_HEADS_FLIPS, QC_HEADS_CLOSED, QC_HEADS_COUNT } QcHeads;
#define QC_STOP 0.3f /* flips learn the rough; the closed form is better at the rest, and cheaper */
#define QC_UNSEEN_PATIENCE 64.0f /* examples of a class shown, on average, up to which those that are not are waited for as much as ever; then less, as their inverse */
#define QC_LEAD_KEPT 0.7f /* of a batch's word on them, by the next batch */
#define QC_LEAD_FIRST 0.5f /* where the one in closed form is taken to be ahead before the first: less than any batch's word */

typedef struct QcCalibrator {
    QcQGraph *g;
    const QcFlip *flip;
    QcCalibrateOptions options;
    uint32_t batch_max, batches; /* batches so far */
    uint64_t seen;               /* stream examples so far */
    float phi;
    QcSlots slots;
    QcQRun run;
    QcHebb hebb;
    QcChoice choice;
    QcLda lda;           /* all zero without one; keeps the last layer that the graph has not */
    QcHeads heads;
    float lead;          /* how many more examples of arriving batches the closed form had right; earlier batches count less */
    uint32_t waited;     /* stream examples since one was the first of its class */
    const uint8_t **x;   /* [capacity + batch_max] the set Z: filled slots, then the batch */
    uint16_t *label;     /* of Z */
    uint8_t *source;     /* of Z: an example of the source */
    uint8_t *right, *last, *ever; /* of Z: right under the accepted model, at the last pass, ever */
    uint16_t *misses;    /* of Z */
    float *weight;       /* of Z, in the loss */
    float *offset;       /* [classes] added to the logits of the batch's examples: ln of relative class frequency */
    uint32_t *count;     /* [classes] */
    float *error;        /* [Z][classes] under the accepted model, once a draw is accepted */
    float *loss;         /* of Z: each one's share of the loss, when last looked at */
    uint32_t *visit;     /* of Z: the order of passes, hardest first */
    float *keys;
    uint32_t n, n_slots; /* of Z; of them slots */
    uint8_t *features;   /* [Z][lda.n] what the last layer reads; in the memory of the flips' statistic */
    int looking;         /* features are kept of what passes */
    uint32_t closed_instead; /* the batch may have the last layer in closed form, and no flips */
} QcCalibrator;

/* 1 where batches with few classes have the last layer in closed form, or others end with it. */
int qc_calibrator_solves(const QcQGraph *g, const QcCalibrateOptions *o);

/* What it needs memory for; qc_calibrator_bytes is the sum. Neither the model nor the batch is counted. */
void qc_calibrator_plan(QcPlan *plan, const QcQGraph *g, const QcFlip *flip, const QcCalibrateOptions *o, uint32_t capacity, uint32_t batch_max);
uint64_t qc_calibrator_bytes(const QcQGraph *g, const QcFlip *flip, const QcCalibrateOptions *o, uint32_t capacity, uint32_t batch_max);
/* memory: 64-byte aligned. Slots are empty afterwards: the caller fills them. */
void qc_calibrator_place(QcCalibrator *c, QcQGraph *g, const QcFlip *flip, const QcKernels *k, const QcCalibrateOptions *o, uint32_t capacity,
                         uint32_t batch_max, void *memory);

/* One labelled batch: x [n][window] u8, n <= batch_max, labels < classes. */
void qc_calibrate_batch(QcCalibrator *c, QcCalibrateReport *report, const uint8_t *x, const uint16_t *labels, const uint64_t *ids, uint32_t n);

#endif
