/* misslog.h - quantization misses: how often each training example was right and then wrong while the model learned
 * (qc-method(7)).
 *
 * At each observation the model is snapped to b bits and every example is classified. A miss at b bits is an example
 * that was right at one observation of b bits and wrong at the next. Misses add up over bit-widths. An example that was
 * not once right, at any of them, has no misses but is marked (qc_misslog_never_right). A log owns everything
 * through its arena; ids are unique and stay in the order they were given in.
 */
#ifndef QC_CORESET_MISSLOG_H
#define QC_CORESET_MISSLOG_H

#include "../data/dataset.h"
#include "../nn/train.h"

enum { QC_MISS_MAX_BITS = 8 }; /* bit-widths of one log */

typedef struct QcMissLog {
    QcArena arena;
    uint32_t n, n_bits;
    uint8_t bits[QC_MISS_MAX_BITS];          /* [n_bits] 2..8, each once */
    uint32_t observations[QC_MISS_MAX_BITS]; /* [n_bits] made so far at each */
    uint64_t *id;                            /* [n] */
    uint32_t *misses;                        /* [n_bits][n] */
    uint8_t *last;                           /* [n_bits][n] 1: right at the last observation */
    QcProvenance provenance;
    uint8_t digest[QC_DIGEST_BYTES];         /* of the file it was loaded from; zero otherwise */
} QcMissLog; /* all zero = empty and valid to release */

/* "2,3,4,8" -> bits, *n_bits. The sentence names what is wrong with the list (QC_EUSAGE). */
int qc_miss_bits(uint8_t bits[QC_MISS_MAX_BITS], uint32_t *n_bits, const char *text, QcErr *err);

/* A log of n examples without an observation; ids are copied. */
int qc_misslog_init(QcMissLog *log, const uint64_t *ids, uint32_t n, const uint8_t *bits, uint32_t n_bits, QcErr *err);
/* The same for all examples of data, with bit-widths as qc_miss_bits reads them. */
int qc_misslog_begin(QcMissLog *log, const QcDataset *data, const char *bits, QcErr *err);
void qc_misslog_release(QcMissLog *log);

/* One observation of every example at log->bits[bits_index]: right [n], 0 or 1. */
void qc_misslog_observe(QcMissLog *log, uint32_t bits_index, const uint8_t *right);

/* Forgets all bit-widths but these, of which each must be in the log (QC_EUSAGE). */
int qc_misslog_keep(QcMissLog *log, const uint8_t *bits, uint32_t n_bits, QcErr *err);

uint32_t qc_misslog_total(const QcMissLog *log, uint32_t i); /* misses of example i over all bit-widths */
uint32_t qc_misslog_missed(const QcMissLog *log); /* examples with a miss */
int qc_misslog_never_right(const QcMissLog *log, uint32_t i); /* at any bit-width; 0 as long as nothing was observed */

/* A file of kind QC_KIND_MISSLOG: sections "misslog" and "provenance". Reading checks everything. */
int qc_misslog_save(const QcMissLog *log, const char *path, QcErr *err);
int qc_misslog_load(QcMissLog *log, const char *path, QcErr *err);
void qc_misslog_put(QcWriter *w, const QcMissLog *log);           /* all but the provenance: the section, or a
                                                                     checkpoint's part */
int qc_misslog_get(QcMissLog *log, QcCursor *c, QcErr *err);

/* State of the training hook. The caller fills the first six fields and keeps what they point to; the hook owns the
 * others. */
typedef struct QcMissWatch {
    QcMissLog *log;      /* of data's ids, in data's order */
    const QcDataset *data;
    const QcNorm *norm;
    const int32_t *map;  /* the data's labels -> classes (qc_dataset_match) */
    uint32_t every;      /* observe after every so many epochs, and after the last; > 0 */
    int threads;
    float *saved;        /* [n_params] */
    float *logits;       /* [n][classes] */
    uint8_t *right;      /* [n] */
} QcMissWatch;

/* Hooks of QcTrainOptions; ctx is a QcMissWatch. after_epoch leaves the graph as it found it. */
int qc_misslog_after_epoch(void *ctx, QcGraph *g, const QcEpoch *epoch, QcErr *err);
int qc_misslog_save_hook(void *ctx, QcWriter *w, QcErr *err);
int qc_misslog_load_hook(void *ctx, QcCursor *c, QcErr *err); /* refuses a log of other examples or bit-widths */
void qc_misswatch_release(QcMissWatch *watch);                /* the hook's part only */

/* Observes the graph as it stands, at every bit-width. */
int qc_misslog_look(QcMissWatch *watch, QcGraph *g, QcErr *err);

/* For a model that came without a log: observes it as it is, then after each of `epochs` of further training of a clone
 * at a low rate. g is not changed. */
int qc_misslog_by_tuning(QcMissWatch *watch, const QcGraph *g, uint32_t epochs, double rate, uint64_t seed, QcErr *err);

#endif
