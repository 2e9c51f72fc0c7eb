#include "arch.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/share.h"
#include "archparts.h"

const char *qc_arch_name(const char *format, ...)
{
    static _Thread_local char names[4][QC_NAME_MAX + 1];
    static _Thread_local int next;
    char *name = names[next++ % 4];
    va_list args;
    va_start(args, format);
    vsnprintf(name, QC_NAME_MAX + 1, format, args);
    va_end(args);
    return name;
}

uint32_t qc_arch_scaled(const QcArch *arch, int64_t channels)
{
    double scaled = floor((double)channels * arch->width + .5);
    return scaled < 1 ? 1 : scaled > QC_MAX_DIM ? QC_MAX_DIM + 1 : (uint32_t)scaled; /* too many: the graph says so */
}

int qc_arch_numbers(int64_t *values, uint32_t *n, uint32_t room, const QcYaml *map, const char *key, int64_t low,
                    int64_t high, QcErr *err)
{
    const QcYaml *list = qc_yaml_need(map, key, QC_YAML_LIST, err);
    if (!list) return -1;
    if (!list->n || list->n > room) return qc_yaml_fail(err, list, "'%s' needs 1 to %u numbers", key, room);
    for (*n = 0; *n < list->n; ++*n) {
        const QcYaml *item = list->items[*n];
        char *end = NULL;
        long long value = item->kind == QC_YAML_SCALAR ? strtoll(item->text, &end, 10) : 0;
        if (!end || end == item->text || *end || value < low || value > high)
            return qc_yaml_fail(err, item, "each of '%s' must be a whole number from %lld to %lld", key, (long long)low,
                                (long long)high);
        values[*n] = value;
    }
    return 0;
}

int qc_arch_parallel(QcArch *arch, uint32_t *parts, const char *prefix, uint32_t in, uint32_t out,
                     const int64_t *kernels, uint32_t n, QcErr *err)
{
    for (uint32_t k = 0; k < n; k++) {
        int node = qc_graph_conv(arch->g, qc_arch_name("%s.conv%u", prefix, k), in, out,
                                 qc_window_same_1d((uint32_t)kernels[k]), 1, 0, err);
        if (node < 0) return -1;
        parts[k] = (uint32_t)node;
    }
    return 0;
}

int qc_arch_join(QcArch *arch, const char *prefix, const uint32_t *parts, uint32_t n, QcErr *err)
{
    int node = qc_graph_concat(arch->g, qc_arch_name("%s.concat", prefix), parts, n, err);
    if (node >= 0)
        node = qc_graph_simple(arch->g, qc_arch_name("%s.norm", prefix), QC_OP_BATCHNORM, (uint32_t)node, err);
    if (node >= 0) node = qc_graph_simple(arch->g, qc_arch_name("%s.relu", prefix), QC_OP_RELU, (uint32_t)node, err);
    return node;
}

static int build(QcGraph *g, char *name, const QcYaml *root, double width, uint32_t classes, QcErr *err)
{
    static const char *const keys[] = {"name", "width", "inception", "omniscale", "layers", NULL};
    QcArch arch = {.g = g};
    if (root->kind != QC_YAML_MAP) return qc_yaml_fail(err, root, "an architecture must be a map of keys and values");
    if (qc_yaml_known(root, keys, err) || qc_yaml_real(root, "width", .001, 100, 1, &arch.width, err)) return -1;
    if (width > 0) arch.width = width;
    const QcYaml *title = qc_yaml_need(root, "name", QC_YAML_SCALAR, err);
    if (!title) return -1;
    if (!*title->text || strlen(title->text) > QC_NAME_MAX)
        return qc_yaml_fail(err, title, "'name' must have 1 to %d bytes", QC_NAME_MAX);
    snprintf(name, QC_NAME_MAX + 1, "%s", title->text);
    const QcYaml *inception = qc_yaml_get(root, "inception"), *omniscale = qc_yaml_get(root, "omniscale"),
                 *layers = qc_yaml_get(root, "layers");
    if (!!inception + !!omniscale + !!layers != 1)
        return qc_yaml_fail(err, root, "an architecture needs one of 'inception', 'omniscale' and 'layers'");
    int node = inception   ? qc_arch_inception(&arch, inception, err)
               : omniscale ? qc_arch_omniscale(&arch, omniscale, err)
                           : qc_arch_layers(&arch, layers, 0, err);
    return node < 0 || qc_graph_linear(g, "fc", (uint32_t)node, classes, 1, err) < 0 ? -1 : 0;
}

int qc_arch_load(QcGraph *g, char *name, const char *path, double width, uint32_t channels, uint32_t height,
                 uint32_t length, uint32_t classes, QcErr *err)
{
    QcYamlDocument document;
    *g = (QcGraph){0};
    if (qc_yaml_load(&document, path, err)) return -1;
    int status = qc_graph_init(g, channels, height, length, err) ||
                         build(g, name, document.root, width, classes, err) || qc_graph_finish(g, err)
                     ? -1
                     : 0;
    if (status) qc_graph_release(g);
    qc_yaml_release(&document);
    return status;
}

int qc_arch_find(char *path, size_t room, const char *name, QcErr *err)
{
    static const char *const endings[] = {"", ".yaml"};
    for (int i = 0; i < 2; i++)
        if (snprintf(path, room, "%s%s", name, endings[i]) < (int)room && !access(path, R_OK)) return 0;
    if (qc_share_find(path, room, "arch", name)) return 0;
    return qc_fail(err, QC_EIO, "there is no architecture file '%.200s'%s", name,
                   strchr(name, '/') ? "" : ", nor one of that name in share/arch");
}
