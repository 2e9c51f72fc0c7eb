/* lda.h - the last layer in closed form: linear discriminant analysis of the last features, kept up over the stream (streaming LDA: Hayes and Kanan, 2020).
 *
 * With mu_k the mean feature of class k and S the scatter of features around their class's mean (Fisher, 1936; regularised as by Friedman, 1989), the logits are
 *
 *   logit_k = mu_k' P x - mu_k' P mu_k / 2,   P = (S + ridge (K / seen)^2 t I)^-1
 *
 * where t is the mean of S's diagonal, K the number of classes and `seen` that of classes with two stream examples: the scatter of few tells little
 * of that of the others. S and the stream's means take one example after another and need no example again; an example of the stream weighs as
 * 1 / recent of its class's mean once there are so many, so that earlier ones, of another person, fade. The coreset's source examples are looked at
 * anew in each batch; their mean of a class counts as `worth` stream examples, and never less than a quarter of the class. The head is then put
 * into the model's own codes (inthead.h), so that the model stays what it was: integers.
 * Features are those integers that the LOGITS node reads, less their zero point. Freestanding, no allocation, floats in a fixed order.
 */
#ifndef QC_DEVICE_LDA_H
#define QC_DEVICE_LDA_H

#include "placing.h"
#include "qgraph.h"
#include "inthead.h"

/* One sum over examples: scatter [n (n + 1) / 2] is a lower triangle, row after row. */
typedef struct QcScatter {
    uint32_t *count; /* [classes] */
    float *mean;     /* [classes][n] */
    float *scatter;
} QcScatter;

typedef struct QcLda {
    QcQGraph *g;
    const QcQNode *node;  /* LOGITS */
    uint32_t n, classes;  /* n: features */
    float ridge, worth;   /* worth: stream examples that the source's mean of a class counts as */
    uint32_t recent;      /* stream examples of a class that its mean follows; 0: all of them alike */
    QcScatter stream;     /* lives as long as the calibrator */
    /* scratch, used from qc_lda_begin to qc_lda_solve */
    QcScatter source;     /* its scatter becomes S */
    float *x;             /* [n] */
    float *factor;        /* [n (n + 1) / 2] of Cholesky */
    float *weights, *bias; /* [classes][n], [classes]: the head in real numbers */
    QcIntHead head;
    uint64_t operations;  /* multiply-adds since qc_lda_begin, about */
    /* the last layer that the graph has not: after solve, as it was before */
    uint8_t *other_codes; /* as packed */
    float *other_scale;   /* [classes] */
    int32_t *other_bias;  /* [classes] */
} QcLda;

/* Scratch grows with the square of both, work with classes^2 features. */
enum { QC_LDA_MAX_FEATURES = 512, QC_LDA_MAX_CLASSES = 128 };
/* 0 where the last layer is too large for this. */
int qc_lda_fits(const QcQGraph *g);
uint32_t qc_lda_code_bytes(const QcLda *l); /* of the last layer's codes, packed */

/* What lives, and (second) what is scratch: that may be memory which others use in between. ridge > 0. */
void qc_lda_place(QcLda *l, QcQGraph *g, float ridge, float worth, uint32_t recent, QcPlacing *p);
void qc_lda_place_scratch(QcLda *l, QcPlacing *p);
void qc_lda_clear(QcLda *l); /* nothing seen of a stream */
/* 0 where what is kept of the stream cannot be: numbers that are none, or too large for features. */
int qc_lda_is_sound(const QcLda *l);

/* A batch: begin, then the features q [n] of source examples and of the batch's, in any order, then solve. */
void qc_lda_begin(QcLda *l);
void qc_lda_see_source(QcLda *l, const uint8_t *q, uint16_t label);
void qc_lda_see_stream(QcLda *l, const uint8_t *q, uint16_t label);
/* Gives the LOGITS node its codes, scales and biases. 0, and nothing changes, while there is a class without any example. */
int qc_lda_solve(QcLda *l);
/* After that: lowers the logit of class k, as far as its bias can say it. */
void qc_lda_lower(QcLda *l, uint32_t k, float amount);
void qc_lda_swap(QcLda *l); /* the graph's last layer and the other */

#endif
