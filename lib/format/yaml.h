/* yaml.h - a YAML document as a tree whose nodes know their line and column (libyaml does the parsing).
 *
 * Nodes are borrowed from the document. Getters fail with "FILE:LINE:COLUMN: ..." sentences. Anchors, aliases and tags
 * are refused; depth, node count and bytes are bounded.
 */
#ifndef QC_FORMAT_YAML_H
#define QC_FORMAT_YAML_H

#include <stdint.h>

#include "../base/arena.h"

typedef enum QcYamlKind { QC_YAML_SCALAR, QC_YAML_LIST, QC_YAML_MAP } QcYamlKind;

typedef struct QcYaml {
    QcYamlKind kind;
    const char *text;             /* scalar */
    uint32_t n;                   /* items of a list, pairs of a map */
    const struct QcYaml **items;  /* [n] items or values */
    const char **keys;            /* [n] of a map; unique */
    const struct QcYaml *key;     /* of a value in a map: where its key stands */
    uint32_t line, column;        /* from 1 */
    const char *file;             /* for messages */
} QcYaml;

typedef struct QcYamlDocument {
    QcArena arena;
    const QcYaml *root;
} QcYamlDocument;

enum { QC_YAML_MOST = 16 << 20 }; /* bytes */
int qc_yaml_load(QcYamlDocument *d, const char *path, QcErr *err);
/* `line`: of `name`, where the text begins; 1 if it is all of it. */
int qc_yaml_parse(QcYamlDocument *d, const char *text, size_t length, const char *name, uint32_t line, QcErr *err);
void qc_yaml_release(QcYamlDocument *d);

const QcYaml *qc_yaml_get(const QcYaml *map, const char *key); /* NULL if there is none */
/* key of a map as a number in [low, high]; `fallback` where absent (for must-have use qc_yaml_need first). */
int qc_yaml_int(const QcYaml *map, const char *key, int64_t low, int64_t high, int64_t fallback, int64_t *value,
                QcErr *err);
int qc_yaml_real(const QcYaml *map, const char *key, double low, double high, double fallback, double *value,
                 QcErr *err);
int qc_yaml_flag(const QcYaml *map, const char *key, int fallback, int *value, QcErr *err);
const QcYaml *qc_yaml_need(const QcYaml *map, const char *key, QcYamlKind kind, QcErr *err);
int qc_yaml_known(const QcYaml *map, const char *const *keys, QcErr *err); /* fails on a key that is not in the
                                                                              NULL-terminated list */
int qc_yaml_fail(QcErr *err, const QcYaml *node, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
