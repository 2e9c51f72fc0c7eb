/* profile.h - a quantized model layer by layer: where the time of a prediction goes, and every layer's integers. */
#ifndef QC_CLI_PROFILE_H
#define QC_CLI_PROFILE_H

#include "../data/dataset.h"
#include "../device/qgraph.h"
#include "kvwriter.h"

/* Runs the first n windows of d, each alone on one thread. Prints for each node its operation, shape, multiply-adds,
 * median time and share of the whole time: a table on stdout, or objects of the JSON. If the core's peak speed could be
 * measured in the same run, it prints the percentage of the peak, too. */
int qc_profile(QcKvWriter *s, const QcQGraph *g, const QcDataset *d, const QcNorm *norm, uint32_t n, QcErr *err);

/* Writes the integers of the first n windows as text, a line for the input and for what each node writes: "WINDOW NODE
 * OPERATION HEIGHTxWIDTHxCHANNELS: q q q ...", in the order [height][width][channels]; the logits as the shortest
 * decimals that give the same floats. */
int qc_dump_layers(const char *path, const QcQGraph *g, const QcDataset *d, const QcNorm *norm, uint32_t n, QcErr *err);

#endif
