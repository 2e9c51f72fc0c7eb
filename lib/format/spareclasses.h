/* spareclasses.h - rows of a quantized model's last layer that have no class yet (device/head.h).
 *
 * In a model file the names of spare rows are empty and come after all others. A row is taken by a name first; it stays
 * spare for the device until the learner has learned an example of it.
 */
#ifndef QC_FORMAT_SPARECLASSES_H
#define QC_FORMAT_SPARECLASSES_H

#include "../device/head.h"
#include "modelfile.h"

/* Classes with a name; the others are spare. */
uint32_t qc_named_classes(const QcModelFile *m);

/* Appends n spare rows to the model's names and to the last layer of its graph, whose arrays are taken anew from the
 * arena. Fails if no head could be solved for so many classes. */
int qc_add_spare_classes(QcModelFile *m, QcQGraph *g, uint32_t n, QcArena *arena, QcErr *err);

/* The class of a name: >= 0; -1: there is none. */
int32_t qc_class_of_name(const QcModelFile *m, const char *name, size_t length);

/* The class whose name differs from this one in the case of letters (A to Z) alone, or NULL: a slip, no new class. */
const char *qc_class_in_other_case(const QcModelFile *m, const char *name, size_t length);

/* The class of a name; with `takes`, a name that the model does not know takes its first spare row, if there is one,
 * the name is UTF-8 without a zero byte, and it is no class's name in another case. */
int32_t qc_class_of_label(QcModelFile *m, const char *name, size_t length, int takes);

/* Leaves the spare rows out of a model that is in memory, for whoever only predicts: sections "qgraph" and "drift"
 * have named classes alone, section "learned" goes. Nothing happens to a model without spare rows. */
int qc_drop_spare_classes(QcModelFile *m, QcErr *err);

#endif
