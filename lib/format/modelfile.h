/* modelfile.h - what every model file has, whether float or quantized: labels, normalization, input shape, provenance.
 *
 * A QcModelFile is an open container plus its decoded "meta" section. The graph itself lies in section "graph" (float;
 * coded by lib/nn/graphfile.h) or "qgraph" (quantized; coded by lib/format/qgraphfile.h) with "flip" (bit-flip
 * network) beside it; higher floors decode the section they understand. Programs pass on what they do not change.
 */
#ifndef QC_FORMAT_MODELFILE_H
#define QC_FORMAT_MODELFILE_H

#include "frontfile.h"

/* Windows that a model can take: channels, height and length are 1 to QC_MODEL_DIM_MAX each. */
enum { QC_MODEL_DIM_MAX = 65535 };
static inline int qc_model_can_take(uint32_t channels, uint32_t height, uint32_t length)
{
    return channels - 1 < QC_MODEL_DIM_MAX && height - 1 < QC_MODEL_DIM_MAX && length - 1 < QC_MODEL_DIM_MAX;
}

/* Per-channel normalization, replayed on raw windows by every program: (x - mean[c]) / deviation[c]. */
typedef struct QcNorm {
    uint32_t channels;
    float *mean;      /* [channels] in the data's own units */
    float *deviation; /* [channels] > 0, finite */
} QcNorm;

/* One line for each program that made this file, oldest first. */
typedef struct QcProvenance {
    uint32_t n;
    char **lines; /* "qc-train 0.1 seed=1 threads=2 -a ... ; data=sha256:0123456789abcdef" */
} QcProvenance;

typedef struct QcModelFile {
    QcContainer container;
    QcArena arena;
    char *name;                      /* of the architecture */
    uint32_t channels, height, length; /* of one input window; height 1 for series */
    uint32_t classes;
    char **labels;                   /* [classes], index = class; empty: a spare row (spareclasses.h) */
    QcNorm norm;                     /* norm.channels == channels */
    QcFrontSetup front;              /* that the features were made with, of models of sound; else all zero */
    QcProvenance provenance;
} QcModelFile;

int qc_modelfile_load(QcModelFile *m, const char *path, QcErr *err);
/* The same from a container that was read already. Takes the container over, on failure too: it is then released and
 * empty. */
int qc_modelfile_decode(QcModelFile *m, QcContainer *container, QcErr *err);
/* A new model file without a graph; copies its arguments. Names must be UTF-8. */
int qc_modelfile_init(QcModelFile *m, const char *name, uint32_t channels, uint32_t height, uint32_t length,
                      uint32_t classes, char *const *labels, const QcNorm *norm, QcErr *err);
int qc_modelfile_is_quantized(const QcModelFile *m); /* has section "qgraph" */
/* What a program read, for its line: a role ("model", "data", "coreset") and the file's digest (all zero or NULL: not
 * named). */
typedef struct QcInput {
    const char *role;
    const uint8_t *digest; /* [QC_DIGEST_BYTES] */
} QcInput;

/* Adds "COMMAND ; model=sha256:0123456789abcdef data=sha256:..." with the digest of the file m itself was loaded from
 * first. A command is cut after 1000 bytes. */
int qc_modelfile_stamp(QcModelFile *m, const char *command, const QcInput *inputs, uint32_t n, QcErr *err);
int qc_modelfile_add_provenance(QcModelFile *m, const char *line, QcErr *err);
int qc_modelfile_save(QcModelFile *m, const char *path, QcErr *err); /* codes meta and provenance, then the container */
void qc_modelfile_release(QcModelFile *m);

/* Shared with data files: the coding of provenance. */
void qc_provenance_encode(QcWriter *w, const QcProvenance *p);
int qc_provenance_decode(QcProvenance *p, QcCursor *c, QcArena *arena, QcErr *err);
/* Copies the line. Bytes that are unsafe to print, or no UTF-8, become \xNN (base/text.h): a file with them could not
 * be read. So does the rest of a character that was cut. */
int qc_provenance_add(QcProvenance *p, QcArena *arena, const char *line, QcErr *err);

#endif
