/* arch.h - share/arch/NAME.yaml -> graph, for a given input shape and number of classes. Errors carry file, line and
 * column. */
#ifndef QC_NN_ARCH_H
#define QC_NN_ARCH_H

#include "../format/yaml.h"
#include "graph.h"

/* *name (QC_NAME_MAX + 1 bytes) becomes the architecture's name. width > 0 multiplies all numbers of channels but those
 * of input and classes, instead of what the file says; 0: the file's. The graph is finished, not reset. */
int qc_arch_load(QcGraph *g, char *name, const char *path, double width, uint32_t channels, uint32_t height,
                 uint32_t length, uint32_t classes, QcErr *err);

/* Where the architecture `name` lies: the path itself if it is one that can be read; for a bare name (with or
 * without .yaml) also $QC_SHARE/arch, and the share/arch or share/qcore/arch beside the folder of the running program.
 * path [room]. */
int qc_arch_find(char *path, size_t room, const char *name, QcErr *err);

#endif
