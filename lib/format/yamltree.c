/* yamltree.c - what is asked of a YAML tree, and its sentences. yaml.c makes the tree. */
#include "yaml.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/file.h"

int qc_yaml_fail(QcErr *err, const QcYaml *node, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return qc_fail(err, QC_EFORMAT, "%.200s:%u:%u: %s", node->file, node->line, node->column, text);
}
int qc_yaml_load(QcYamlDocument *d, const char *path, QcErr *err)
{
    uint8_t *text;
    size_t length;
    *d = (QcYamlDocument){0};
    if (qc_read_most(path, QC_YAML_MOST, &text, &length, err)) return -1;
    int status = qc_yaml_parse(d, (const char *)text, length, qc_input_name(path), 1, err);
    free(text);
    return status;
}

void qc_yaml_release(QcYamlDocument *d)
{
    if (!d) return;
    qc_arena_release(&d->arena);
    *d = (QcYamlDocument){0};
}

const QcYaml *qc_yaml_get(const QcYaml *map, const char *key)
{
    if (map->kind != QC_YAML_MAP) return NULL;
    for (uint32_t i = 0; i < map->n; i++)
        if (!strcmp(map->keys[i], key)) return map->items[i];
    return NULL;
}

/* The scalar under a key: 1 found, 0 absent, -1 something else lies there. */
static int scalar(const QcYaml *map, const char *key, const QcYaml **node, const char *wanted, QcErr *err)
{
    *node = qc_yaml_get(map, key);
    if (!*node) return 0;
    return (*node)->kind == QC_YAML_SCALAR ? 1 : qc_yaml_fail(err, *node, "%s must be %s", key, wanted);
}

int qc_yaml_int(const QcYaml *map, const char *key, int64_t low, int64_t high, int64_t fallback, int64_t *value,
                QcErr *err)
{
    const QcYaml *node;
    int found = scalar(map, key, &node, "a whole number", err);
    if (found < 0) return -1;
    if (!found) {
        *value = fallback;
        return 0;
    }
    char *end;
    errno = 0;
    long long number = strtoll(node->text, &end, 10);
    if (end == node->text || *end || errno || number < low || number > high)
        return qc_yaml_fail(err, node, "%s must be a whole number from %lld to %lld, not '%.100s'", key, (long long)low,
                            (long long)high, node->text);
    *value = number;
    return 0;
}

int qc_yaml_real(const QcYaml *map, const char *key, double low, double high, double fallback, double *value,
                 QcErr *err)
{
    const QcYaml *node;
    int found = scalar(map, key, &node, "a number", err);
    if (found < 0) return -1;
    if (!found) {
        *value = fallback;
        return 0;
    }
    char *end;
    double number = strtod(node->text, &end);
    if (end == node->text || *end || !isfinite(number) || number < low || number > high)
        return qc_yaml_fail(err, node, "%s must be a number from %g to %g, not '%.100s'", key, low, high, node->text);
    *value = number;
    return 0;
}

int qc_yaml_flag(const QcYaml *map, const char *key, int fallback, int *value, QcErr *err)
{
    const QcYaml *node;
    int found = scalar(map, key, &node, "true or false", err);
    if (found < 0) return -1;
    if (!found)
        *value = fallback;
    else if (!strcmp(node->text, "true") || !strcmp(node->text, "yes") || !strcmp(node->text, "on"))
        *value = 1;
    else if (!strcmp(node->text, "false") || !strcmp(node->text, "no") || !strcmp(node->text, "off"))
        *value = 0;
    else
        return qc_yaml_fail(err, node, "%s must be true or false, not '%.100s'", key, node->text);
    return 0;
}

const QcYaml *qc_yaml_need(const QcYaml *map, const char *key, QcYamlKind kind, QcErr *err)
{
    static const char *const names[] = {"a plain value", "a list", "a map of keys and values"};
    const QcYaml *node = qc_yaml_get(map, key);
    if (!node) qc_yaml_fail(err, map, "%s is missing", key);
    else if (node->kind != kind) qc_yaml_fail(err, node, "%s must be %s", key, names[kind]), node = NULL;
    return node;
}

int qc_yaml_known(const QcYaml *map, const char *const *keys, QcErr *err)
{
    if (map->kind != QC_YAML_MAP) return qc_yaml_fail(err, map, "a map of keys and values is expected here");
    for (uint32_t i = 0; i < map->n; i++) {
        const char *const *key = keys;
        while (*key && strcmp(*key, map->keys[i])) key++;
        if (!*key) return qc_yaml_fail(err, map->items[i]->key, "key '%.100s' is not known here", map->keys[i]);
    }
    return 0;
}
