/* head.h - the closed-form head: a last layer in the model's own integer codes, solved from moments of features.
 *
 * Three steps (qc-method(7), "The closed-form head"):
 *   discriminant.c  class means and one scatter of source and stream together, and the linear discriminant that follows
 *                   from them
 *   codefit.c       the integer codes, scales and biases that keep classes furthest apart
 *   head.c          the bias of classes that the stream has not shown, and the temperature of the logits
 * The head knows nothing of the network below it: it reads features [n] u8 with one zero point and one scale. No
 * allocation; floats in a fixed order.
 */
#ifndef QC_DEVICE_HEAD_H
#define QC_DEVICE_HEAD_H

#include "moments.h"
#include "parameters.h"
#include "qgraph.h"
#include "slots.h"

/* Scratch memory grows with features^2 + classes^2, work with classes^2 features. */
enum { QC_HEAD_MAX_FEATURES = 512, QC_HEAD_MAX_CLASSES = 128 };

/* What the head needs to know of the LOGITS node. */
typedef struct QcHeadShape {
    uint32_t features, classes;
    uint32_t bits;        /* of a code: 2, 4, 8 */
    int32_t zero;         /* zero point of the features */
    float step;           /* scale of the features, > 0 */
    int32_t largest_bias; /* qc_largest_bias */
} QcHeadShape;

void qc_head_shape(QcHeadShape *shape, const QcQGraph *g);
/* 1 if the last layer can be solved in closed form: it has a weight for each feature and class, and is not too
 * large. */
int qc_head_fits(const QcQGraph *g);

static inline uint64_t qc_head_code_bytes(const QcHeadShape *s)
{
    return ((uint64_t)s->features * s->classes * s->bits + 7) / 8;
} /* packed */

void qc_last_layer_place(QcLastLayer *layer, const QcHeadShape *shape, QcPlacing *p);
void qc_last_layer_copy(const QcHeadShape *shape, const QcLastLayer *to, const QcLastLayer *from); /* the values */
/* 1: scales and biases are numbers that logits can be made of. */
int qc_last_layer_is_sound(const QcLastLayer *layer, const QcHeadShape *shape);

/* A spare row is a row of the last layer without a class. Its codes are 0 and its bias is the lowest that the layer can
 * have, and its scale is so large that its logit is below any logit that another row can have: no argument of any
 * caller has to say which rows may answer. The row becomes an ordinary row once a head is solved with examples of it.
 */
int qc_is_spare_row(const QcLastLayer *layer, const QcHeadShape *shape, uint32_t k);
/* scale and bias of row k; the codes are the caller's. largest_scale: of the rows that have a class. */
void qc_make_spare_row(QcLastLayer *layer, const QcHeadShape *shape, uint32_t k, float largest_scale);

/* The set that an adapt learns from: n_kept filled slots of the coreset, then labelled windows of the ring. */
typedef struct QcSet {
    const QcSlots *coreset, *ring;
    uint32_t n, n_kept, n_unlabelled;
    uint32_t *row; /* [n + n_unlabelled] slot of the coreset (i < n_kept) or of the ring; last, windows without a
                      label */
} QcSet;

static inline const QcSlots *qc_set_slots(const QcSet *s, uint32_t i) { return i < s->n_kept ? s->coreset : s->ring; }
static inline uint16_t qc_set_label(const QcSet *s, uint32_t i) { return qc_set_slots(s, i)->label[s->row[i]]; }
static inline uint8_t *qc_set_features(const QcSet *s, uint32_t i)
{
    return qc_slot_features(qc_set_slots(s, i), s->row[i]);
}
static inline uint8_t *qc_set_window(const QcSet *s, uint32_t i)
{
    return qc_slot_window(qc_set_slots(s, i), s->row[i]);
}
static inline int qc_set_is_source(const QcSet *s, uint32_t i)
{
    return i < s->n_kept && !(s->coreset->flags[s->row[i]] & QC_SLOT_STREAM);
}
int qc_set_has_source(const QcSet *s, uint32_t row); /* 1: a source example of the class of this row is kept */

/* Scratch of one fit. Nothing in it outlives the fit, so it may lie where activations do. */
typedef struct QcHeadScratch {
    const QcKernels *kernels;
    float *scatter;  /* [n (n + 1) / 2] S; for a while its Cholesky factor */
    float *mean;     /* [classes][n] */
    float *weights;  /* [classes][n] of the real-valued head; then S w of the integer head */
    float *centre;   /* [n] mean of the class means */
    float *row;      /* [n] */
    float *queue;    /* [QC_QUEUE][n] differences on their way into S */
    float *bias;     /* [classes] of the real-valued head; then of the integer head, in logits */
    float *scale;    /* [classes] of the integer head */
    int8_t *codes;   /* [classes][n] of the integer head; of 8 bits: the layer that is solved */
    float *logits;   /* [classes][classes] w_k' mu_l + b_k */
    float *product;  /* [classes][classes] w_k' S w_l */
    float *trial_logits, *trial_product, *column; /* [classes] */
    int8_t *white;   /* [ring][n] whitened features of windows without a label (guess.c, ask.c) */
    float *share;    /* [ring][classes] their responsibilities */
    uint64_t operations; /* multiply-adds of the fit, about */
} QcHeadScratch;

/* ring: rows of white and share. */
void qc_head_scratch_place(QcHeadScratch *s, const QcHeadShape *shape, uint32_t ring, const QcKernels *kernels,
                           QcPlacing *p);

/* What the model knows of the training data's features (driftwatch.h): better means and variances than a few coreset
 * examples have. */
typedef struct QcHeadSource {
    const uint8_t *mean; /* [rows][features] codes */
    const float *weight; /* [features] > 0: 1 / variance within classes */
} QcHeadSource;

/* What a head is solved from. Spare rows without an example have no part in it: class k of the shape is then row
 * rows[k] of the layer. */
typedef struct QcHeadTask {
    const QcHeadShape *shape;  /* classes: of the task */
    uint32_t n_rows, spare;    /* of the layer, >= shape->classes; the last of them are or were spare */
    const uint16_t *rows;      /* [shape->classes] ascending; NULL: each row has a class */
    const uint16_t *class_of;  /* [n_rows] of a row with a class; NULL as rows */
    const QcParameters *parameters;
    const QcHeadSource *source; /* NULL: not known, or not needed */
    int source_of_absent;    /* 1: source counts only for classes that have no source example in the coreset */
    int few_labels;          /* 1: windows wait without a label, and fewer than two windows per class are labelled */
    const QcMoments *stream; /* of all windows learned before the set */
    const QcSet *set;
    int takes_kept;          /* 1: stream examples in the coreset are not in the moments (they are of an earlier
                                session) and count as new */
    int guesses;             /* 1: windows without a label count, too */
    int few_classes;         /* 1: the incoming batch has few classes */
    int expects_unseen;      /* 1: stacking: logits of shown classes are lowered, since others are expected */
    uint32_t average_window; /* labelled examples that a class's mean follows; 0: all */
    uint32_t waited;         /* labelled windows since one was the first of its class */
} QcHeadTask;

/* 1 if example i of the set is to be added to the stream's moments. */
static inline int qc_head_is_new(const QcHeadTask *t, uint32_t i)
{
    return i >= t->set->n_kept || (t->takes_kept && !qc_set_is_source(t->set, i));
}

static inline uint32_t qc_task_row(const QcHeadTask *t, uint32_t k) { return t->rows ? t->rows[k] : k; }
/* The class of the task that example i is of. */
static inline uint32_t qc_task_label(const QcHeadTask *t, uint32_t i)
{
    return t->class_of ? t->class_of[qc_set_label(t->set, i)] : qc_set_label(t->set, i);
}
/* 1 if the stream or the set has an example of a row that counts. */
int qc_task_has_example(const QcHeadTask *t, uint32_t row);

/* 1 if a class without training data has an example: the last rows are or were spare. */
static inline int qc_task_has_new_class(const QcHeadTask *t) { return t->shape->classes > t->n_rows - t->spare; }
/* 1 if training data have shown class k of the task, so the source knows its mean. */
static inline int qc_task_is_trained(const QcHeadTask *t, uint32_t k)
{
    return qc_task_row(t, k) < t->n_rows - t->spare;
}
/* Labelled examples that each window without a label counts as. */
float qc_guess_weight(const QcHeadTask *t);

/* 1 if each class has an example that counts, or a mean of the source. */
int qc_head_can_solve(const QcHeadTask *t);

/* Solves the head into `layer`; right [set.n]: which examples it has right; *loss: on the set, classes balanced. 0 if S
 * is not positive definite, or if the result is not sound; `layer` then holds anything. */
int qc_head_solve(QcLastLayer *layer, uint8_t *right, float *loss, QcHeadScratch *s, const QcHeadTask *t);

/* logits [classes] of features [n] by int8 codes [classes][n]: the same floats as the LOGITS node gives. */
void qc_head_logits(float *logits, const QcHeadShape *shape, const int8_t *codes, const float *scale,
                    const int32_t *bias, const uint8_t *features);

/* Codes of a packed layer as int8 [classes][n]: in `codes`, or the layer's own if they have 8 bits. */
const int8_t *qc_head_unpack(int8_t *codes, const QcLastLayer *layer, const QcHeadShape *shape);

/* count [classes] = examples of each class from example `first` of the set on; returns how many classes there are. With
 * these, each class weighs the same if an example weighs 1 / (classes * count of its class). */
uint32_t qc_set_count(const QcSet *set, uint32_t first, uint32_t *count, uint32_t classes);

/* -ln softmax[label], and the class with the largest logit. */
float qc_cross_entropy(const float *logits, uint16_t label, uint32_t classes);
uint32_t qc_largest(const float *logits, uint32_t classes);

/* ---- between the three files ---- */

/* Fills scatter, mean, weights, bias and centre: a discriminant in features less their centre. 0 if S is not positive
 * definite. */
int qc_discriminant_solve(QcHeadScratch *s, const QcHeadTask *t);
/* For distances: s->mean, each class's stream mean, or its source mean if the stream has not shown it; s->bias
 * [classes], stream examples; s->centre; and instead of the scatter its factor U, S = U'U, with a large ridge. 0
 * if S is not positive definite. */
int qc_discriminant_whiten(QcHeadScratch *s, const QcHeadTask *t);
/* x = U'^-1 x: then S is the unit matrix, and distances count deviations. */
void qc_whiten(const QcKernels *kernels, float *x, float *factor, uint32_t n);
/* s->share: the responsibilities of the classes for the set's windows without a label. 0 if S is not positive definite.
 * All else is scratch afterwards. */
int qc_guess(QcHeadScratch *s, const QcHeadTask *t);
/* How well labels are guessed: the set's labelled windows are guessed as if they had none; the sum of ln(responsibility
 * of their class + QC_LEAST_SHARE). */
#define QC_LEAST_SHARE 0.01f
float qc_guess_score(QcHeadScratch *s, const QcHeadTask *t);
void qc_round_white(int8_t *out, const float *x, uint32_t n); /* i8 in steps of a quarter deviation */
/* less s->centre; s->row is scratch */
void qc_white_features(int8_t *out, QcHeadScratch *s, const QcHeadShape *shape, const uint8_t *features);
/* codes, scale and bias from weights and bias. scatter and mean are set; weights hold S w afterwards. row and queue are
 * scratch. */
void qc_codes_fit(QcHeadScratch *s, const QcHeadShape *shape);

#endif
