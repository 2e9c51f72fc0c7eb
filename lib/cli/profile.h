/* profile.h - a quantized model layer by layer: where the time of a prediction goes, and every layer's integers. */
#ifndef QC_CLI_PROFILE_H
#define QC_CLI_PROFILE_H

#include "../data/dataset.h"
#include "../device/qgraph.h"
#include "sheet.h"

/* Runs the first n windows of d, one after another on one thread, and puts on the sheet (or on stdout as a table, where
 * it is no JSON) for each node its operation, shape, multiply-adds, median time, share of all and, where the core's
 * peak could be measured in the same run, its percentage of that. */
int qc_profile(QcSheet *s, const QcQGraph *g, const QcDataset *d, const QcNorm *norm, uint32_t n, QcErr *err);

/* Writes the integers of the first n windows as text, a line for the input and for what each node writes: "WINDOW NODE
 * OPERATION HEIGHTxWIDTHxCHANNELS: q q q ...", in the order [height][width][channels]; the logits as the shortest
 * decimals that give the same floats. */
int qc_dump_layers(const char *path, const QcQGraph *g, const QcDataset *d, const QcNorm *norm, uint32_t n, QcErr *err);

#endif
