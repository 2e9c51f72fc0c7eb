/* graphshape.h - a node's shape and parameters from its attributes and inputs: the builder, the reader and the checker
 * all use these functions.
 */
#ifndef QC_NN_GRAPHSHAPE_H
#define QC_NN_GRAPHSHAPE_H

#include "graph.h"

enum { QC_MAX_WINDOW_VALUES = 1 << 26 }; /* values of one window at one node */
#define QC_MAX_PARAMS ((size_t)1 << 30)

/* Checks the attributes of `node`, which would be number `index` of g (its inputs must be there already), and sets
 * height, width, channels, n_weight and n_bias. One sentence names the node. */
int qc_graph_shape(const QcGraph *g, QcNode *node, uint32_t index, QcErr *err);

/* Adds a node whose name, inputs and attributes are set (the rest is worked out); gives its index or -1. */
int qc_graph_append(QcGraph *g, QcNode *node, QcErr *err);

/* Sets the offsets of every node's parameters and statistics and the totals. */
int qc_graph_layout(QcGraph *g, QcErr *err);

#endif
