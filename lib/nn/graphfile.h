/* graphfile.h - the float graph as section "graph" of a model file. Reading trusts nothing (qc_graph_check). */
#ifndef QC_NN_GRAPHFILE_H
#define QC_NN_GRAPHFILE_H

#include "../format/modelfile.h"
#include "graph.h"

int qc_graph_encode(QcModelFile *m, const QcGraph *g, QcErr *err);
/* A quantized model is refused with a sentence ("... is quantized to 4 bits; a float model is
 * needed"). */
int qc_graph_decode(QcGraph *g, const QcModelFile *m, QcErr *err);

#endif
