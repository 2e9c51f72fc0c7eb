/* weights.h - the parameters of a float graph by name, in the order and layout of PyTorch: the form in which
 * weights go from tool to tool without a graph.
 *
 * A node NAME has NAME.weight and, if it has one, NAME.bias; a batch norm also NAME.running_mean and
 * NAME.running_var. Weights of a convolution are [out][in / groups][height][width], of a graph of series [out][in /
 * groups][width]; of a linear layer [out][in], in being the values of a window in the order channel, height, width. All
 * else is [channels].
 */
#ifndef QC_NN_WEIGHTS_H
#define QC_NN_WEIGHTS_H

#include "../base/nametable.h"
#include "graph.h"

enum { QC_WEIGHT_NAME = QC_NAME_MAX + 1 + 16 };

typedef struct QcWeight {
    char name[QC_WEIGHT_NAME];
    uint32_t rank;
    uint64_t dims[4];
    size_t n;                           /* product of dims */
    size_t rows, height, width, within; /* in the graph it lies as [rows][height][width][within] */
    float *place;                       /* in params or stats of the graph */
} QcWeight;

typedef struct QcWeights {
    QcArena arena;
    QcWeight *list; /* [n], in the order of nodes */
    uint32_t n;
    QcNameTable table;
} QcWeights;

int qc_weights_init(QcWeights *w, QcGraph *g, QcErr *err); /* g must outlive it */
void qc_weights_release(QcWeights *w);
void qc_weight_get(float *out, const QcWeight *w);          /* [n] in the layout of dims */
void qc_weight_set(const QcWeight *w, const float *values); /* the same */

/* Files: name -> array, as float32. Written whole or not at all. */
int qc_weights_save_npz(const QcWeights *w, const char *path, QcErr *err);
int qc_weights_save_safetensors(const QcWeights *w, const char *path, QcErr *err);

/* Fills every parameter from the file's bytes (float16, bfloat16, float32, float64). A name that is missing, an array
 * too many (but NAME.num_batches_tracked), another shape (dimensions of 1 aside) or a value that is not finite:
 * QC_EFORMAT. `name` of the file is for messages. */
int qc_weights_read_npz(QcWeights *w, const uint8_t *bytes, size_t length, const char *name, QcErr *err);
int qc_weights_read_safetensors(QcWeights *w, const uint8_t *bytes, size_t length, const char *name, QcErr *err);

/* For the two readers: the array of this name, NULL: the model has none. */
const QcWeight *qc_weights_find(const QcWeights *w, const char *name);
/* May an array of this name be there without a place in the model? */
int qc_weights_ignores(const char *name);
/* 0 if the shape is the shape of w without its ones; else a sentence. */
int qc_weight_check_shape(const QcWeight *w, const uint64_t *dims, uint32_t rank, const char *file, QcErr *err);
/* 0 if all n values are finite (a running variance: not negative); then they are set. */
int qc_weight_take(const QcWeight *w, const float *values, const char *file, QcErr *err);

#endif
