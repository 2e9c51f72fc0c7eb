/* archparts.h - inside an architecture: declarations shared by its readers (inception, omni-scale, layers) and arch.c.
 * Not for other floors.
 *
 * Each reader adds its nodes to arch->g after `in` and returns the last, which arch.c joins to the classes; or -1 with
 * a sentence that has file, line and column where one key is to blame.
 */
#ifndef QC_NN_ARCHPARTS_H
#define QC_NN_ARCHPARTS_H

#include "../format/yaml.h"
#include "graph.h"

typedef struct QcArch {
    QcGraph *g;
    double width;    /* all channels but input and classes are multiplied by it */
    uint32_t number; /* of the next layer of `layers`: its name begins with it */
} QcArch;

int qc_arch_inception(QcArch *arch, const QcYaml *map, QcErr *err);
int qc_arch_omniscale(QcArch *arch, const QcYaml *map, QcErr *err);
int qc_arch_layers(QcArch *arch, const QcYaml *list, uint32_t in, QcErr *err);

/* width * channels, rounded, at least 1 */
uint32_t qc_arch_scaled(const QcArch *arch, int64_t channels);

/* The whole numbers of a list, each in [low, high]: at least one and at most `room` of them. */
int qc_arch_numbers(int64_t *values, uint32_t *n, uint32_t room, const QcYaml *map, const char *key, int64_t low,
                    int64_t high, QcErr *err);

/* Convolutions of these kernels side by side, of `out` channels each and stride 1: PREFIX.conv0 ... into parts [n]. */
int qc_arch_parallel(QcArch *arch, uint32_t *parts, const char *prefix, uint32_t in, uint32_t out,
                     const int64_t *kernels, uint32_t n, QcErr *err);

/* PREFIX.concat of the parts, PREFIX.norm, PREFIX.relu: gives the last. */
int qc_arch_join(QcArch *arch, const char *prefix, const uint32_t *parts, uint32_t n, QcErr *err);

/* A node's name out of a format; good until the next but three. */
const char *qc_arch_name(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
