#include "arch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../format/yaml.h"

enum { MAX_KERNELS = QC_MAX_INPUTS - 1 };

typedef struct Inception {
    int64_t filters, depth, bottleneck, residual;
    uint32_t kernels[MAX_KERNELS], n_kernels;
} Inception;

/* A node's name out of a format; good until the next but three. */
static const char *called(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *called(const char *format, ...)
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

/* ---- inception: modules */

static int read_kernels(Inception *a, const QcYaml *map, QcErr *err)
{
    const QcYaml *list = qc_yaml_need(map, "kernels", QC_YAML_LIST, err);
    if (!list) return -1;
    if (!list->n || list->n > MAX_KERNELS) return qc_yaml_fail(err, list, "'kernels' needs 1 to %d sizes", MAX_KERNELS);
    for (uint32_t i = 0; i < list->n; i++) {
        const QcYaml *item = list->items[i];
        char *end = NULL;
        long size = item->kind == QC_YAML_SCALAR ? strtol(item->text, &end, 10) : 0;
        if (!end || *end || size < 1 || size > 1024) return qc_yaml_fail(err, item, "a kernel size must be a whole number from 1 to 1024");
        a->kernels[a->n_kernels++] = (uint32_t)size;
    }
    return 0;
}

static int read_inception(Inception *a, const QcYaml *map, QcErr *err)
{
    static const char *const keys[] = {"filters", "depth", "kernels", "bottleneck", "residual", NULL};
    if (map->kind != QC_YAML_MAP) return qc_yaml_fail(err, map, "'inception' must be a map of keys and values");
    return qc_yaml_known(map, keys, err) || qc_yaml_int(map, "filters", 1, 1024, 32, &a->filters, err) ||
                   qc_yaml_int(map, "depth", 1, 100, 6, &a->depth, err) || qc_yaml_int(map, "bottleneck", 0, 1024, 32, &a->bottleneck, err) ||
                   qc_yaml_int(map, "residual", 0, 100, 3, &a->residual, err) || read_kernels(a, map, err)
               ? -1
               : 0;
}

/* Bottleneck -> parallel convolutions, and pool -> convolution; concat -> batch norm -> ReLU. The bottleneck is left out where there is one channel. */
static int add_module(QcGraph *g, const Inception *a, int module, uint32_t in, QcErr *err)
{
    uint32_t filters = (uint32_t)a->filters, parts[QC_MAX_INPUTS], n = 0;
    int narrow = (int)in, node;
    if (a->bottleneck && g->nodes[in].channels > 1) {
        narrow = qc_graph_conv(g, called("m%d.bottleneck", module), in, (uint32_t)a->bottleneck, qc_window_same_1d(1), 1, 0, err);
        if (narrow < 0) return -1;
    }
    for (uint32_t k = 0; k < a->n_kernels; k++) {
        node = qc_graph_conv(g, called("m%d.conv%u", module, k), (uint32_t)narrow, filters, qc_window_same_1d(a->kernels[k]), 1, 0, err);
        if (node < 0) return -1;
        parts[n++] = (uint32_t)node;
    }
    if ((node = qc_graph_pool(g, called("m%d.pool", module), QC_OP_MAXPOOL, in, qc_window_same_1d(3), 0, err)) < 0 ||
        (node = qc_graph_conv(g, called("m%d.pooled", module), (uint32_t)node, filters, qc_window_same_1d(1), 1, 0, err)) < 0)
        return -1;
    parts[n++] = (uint32_t)node;
    if ((node = qc_graph_concat(g, called("m%d.concat", module), parts, n, err)) < 0 ||
        (node = qc_graph_simple(g, called("m%d.norm", module), QC_OP_BATCHNORM, (uint32_t)node, err)) < 0)
        return -1;
    return qc_graph_simple(g, called("m%d.relu", module), QC_OP_RELU, (uint32_t)node, err);
}

/* ReLU(y + batch norm(1 x 1 convolution of the block's input)) */
static int add_shortcut(QcGraph *g, int block, uint32_t from, uint32_t y, QcErr *err)
{
    int node;
    if ((node = qc_graph_conv(g, called("shortcut%d.conv", block), from, g->nodes[y].channels, qc_window_same_1d(1), 1, 0, err)) < 0 ||
        (node = qc_graph_simple(g, called("shortcut%d.norm", block), QC_OP_BATCHNORM, (uint32_t)node, err)) < 0 ||
        (node = qc_graph_add(g, called("shortcut%d.add", block), y, (uint32_t)node, err)) < 0)
        return -1;
    return qc_graph_simple(g, called("shortcut%d.relu", block), QC_OP_RELU, (uint32_t)node, err);
}

static int build_inception(QcGraph *g, const QcYaml *map, uint32_t classes, QcErr *err)
{
    Inception a = {0};
    if (read_inception(&a, map, err)) return -1;
    if (g->nodes[0].height != 1) return qc_yaml_fail(err, map, "an inception network is for series, not for images of height %u", g->nodes[0].height);
    int node = 0, block_start = 0, blocks = 0;
    for (int module = 0; module < a.depth && node >= 0; module++) {
        node = add_module(g, &a, module, (uint32_t)node, err);
        if (node < 0 || !a.residual || (module + 1) % a.residual) continue;
        block_start = node = add_shortcut(g, blocks++, (uint32_t)block_start, (uint32_t)node, err);
    }
    if (node >= 0) node = qc_graph_simple(g, "gap", QC_OP_GAP, (uint32_t)node, err);
    if (node >= 0) node = qc_graph_linear(g, "fc", (uint32_t)node, classes, 1, err);
    return node < 0 ? -1 : 0;
}

/* ---- layers: one after another */

/* Which operation an item of `layers` asks for: its bare word, or the one key of its map that names an operation. */
static int item_op(const QcYaml *item, const char **key)
{
    for (int op = QC_OP_CONV; op < QC_OP_COUNT; op++) {
        int bare = op == QC_OP_BATCHNORM || op == QC_OP_RELU || op == QC_OP_GAP || op == QC_OP_FLATTEN;
        int keyed = op == QC_OP_CONV || op == QC_OP_LINEAR || op == QC_OP_MAXPOOL || op == QC_OP_AVGPOOL;
        *key = qc_op_names[op];
        if (bare && item->kind == QC_YAML_SCALAR && !strcmp(item->text, *key)) return op;
        if (keyed && item->kind == QC_YAML_MAP && qc_yaml_get(item, *key)) return op;
    }
    return -1;
}

/* Padding of one dimension: "same" for stride 1 unless `pad` says how much on either side. */
static void set_padding(uint32_t *before, uint32_t *after, uint32_t kernel, uint32_t dilation, int64_t pad)
{
    uint32_t whole = (kernel - 1) * dilation;
    *before = pad < 0 ? whole / 2 : (uint32_t)pad;
    *after = pad < 0 ? whole - *before : (uint32_t)pad;
}

/* `pad` -1: "same". Kernel, stride and dilation hold for both dimensions of an image; a series has one. */
static int read_window(QcWindow *w, const QcYaml *item, int64_t kernel, int64_t stride, int64_t pad, uint32_t height, QcErr *err)
{
    int64_t dilation;
    if (qc_yaml_int(item, "stride", 1, 1024, stride, &stride, err) || qc_yaml_int(item, "dilation", 1, 1024, 1, &dilation, err) ||
        qc_yaml_int(item, "pad", 0, 1024, pad, &pad, err))
        return -1;
    *w = qc_window_1d((uint32_t)kernel, (uint32_t)stride, (uint32_t)dilation, 0, 0);
    set_padding(&w->pad_left, &w->pad_right, w->kernel_w, w->dilation_w, pad);
    if (height == 1) return 0;
    w->kernel_h = w->kernel_w;
    w->stride_h = w->stride_w;
    w->dilation_h = w->dilation_w;
    w->pad_top = w->pad_left;
    w->pad_bottom = w->pad_right;
    return 0;
}

static int add_conv(QcGraph *g, const QcYaml *item, const char *name, uint32_t in, QcErr *err)
{
    static const char *const keys[] = {"conv", "kernel", "stride", "dilation", "pad", "groups", "bias", NULL};
    int64_t out, kernel, groups;
    int bias;
    QcWindow w;
    if (qc_yaml_known(item, keys, err) || qc_yaml_int(item, "conv", 1, QC_MAX_DIM, 1, &out, err) || qc_yaml_int(item, "kernel", 1, 1024, 3, &kernel, err) ||
        qc_yaml_int(item, "groups", 1, QC_MAX_DIM, 1, &groups, err) || qc_yaml_flag(item, "bias", 0, &bias, err) ||
        read_window(&w, item, kernel, 1, -1, g->nodes[in].height, err))
        return -1;
    return qc_graph_conv(g, name, in, (uint32_t)out, w, (uint32_t)groups, bias, err);
}

static int add_pool(QcGraph *g, const QcYaml *item, QcOp op, const char *name, uint32_t in, QcErr *err)
{
    static const char *const keys[] = {"maxpool", "avgpool", "stride", "dilation", "pad", NULL};
    int64_t kernel;
    QcWindow w;
    if (qc_yaml_known(item, keys, err) || qc_yaml_int(item, qc_op_names[op], 1, 1024, 2, &kernel, err) ||
        read_window(&w, item, kernel, kernel, 0, g->nodes[in].height, err))
        return -1;
    return qc_graph_pool(g, name, op, in, w, 0, err);
}

static int add_linear(QcGraph *g, const QcYaml *item, const char *name, uint32_t in, QcErr *err)
{
    static const char *const keys[] = {"linear", "bias", NULL};
    int64_t out;
    int bias;
    if (qc_yaml_known(item, keys, err) || qc_yaml_int(item, "linear", 1, QC_MAX_DIM, 1, &out, err) || qc_yaml_flag(item, "bias", 1, &bias, err)) return -1;
    return qc_graph_linear(g, name, in, (uint32_t)out, bias, err);
}

static int add_layer(QcGraph *g, const QcYaml *item, uint32_t number, uint32_t in, QcErr *err)
{
    const char *word;
    int op = item_op(item, &word);
    if (op < 0) return qc_yaml_fail(err, item, "a layer must be one of conv, maxpool, avgpool, linear (with a size), batchnorm, relu, gap, flatten");
    const char *name = called("%u.%s", number, word);
    if (op == QC_OP_CONV) return add_conv(g, item, name, in, err);
    if (op == QC_OP_LINEAR) return add_linear(g, item, name, in, err);
    if (op == QC_OP_MAXPOOL || op == QC_OP_AVGPOOL) return add_pool(g, item, (QcOp)op, name, in, err);
    return qc_graph_simple(g, name, (QcOp)op, in, err);
}

static int build_layers(QcGraph *g, const QcYaml *list, uint32_t classes, QcErr *err)
{
    int node = 0;
    if (list->kind != QC_YAML_LIST) return qc_yaml_fail(err, list, "'layers' must be a list");
    for (uint32_t i = 0; i < list->n; i++) {
        QcErr inner = {0};
        node = add_layer(g, list->items[i], i, (uint32_t)node, &inner);
        if (node >= 0) continue;
        if (strncmp(inner.text, list->items[i]->file, strlen(list->items[i]->file))) /* the graph's own sentence has no place yet */
            return qc_yaml_fail(err, list->items[i], "%.400s", inner.text);
        return qc_fail(err, inner.code, "%s", inner.text);
    }
    return qc_graph_linear(g, "fc", (uint32_t)node, classes, 1, err) < 0 ? -1 : 0;
}

static int build(QcGraph *g, char *name, const QcYaml *root, uint32_t classes, QcErr *err)
{
    static const char *const keys[] = {"name", "inception", "layers", NULL};
    if (root->kind != QC_YAML_MAP) return qc_yaml_fail(err, root, "an architecture must be a map of keys and values");
    if (qc_yaml_known(root, keys, err)) return -1;
    const QcYaml *title = qc_yaml_need(root, "name", QC_YAML_SCALAR, err);
    if (!title) return -1;
    if (!*title->text || strlen(title->text) > QC_NAME_MAX) return qc_yaml_fail(err, title, "'name' must have 1 to %d bytes", QC_NAME_MAX);
    snprintf(name, QC_NAME_MAX + 1, "%s", title->text);
    const QcYaml *inception = qc_yaml_get(root, "inception"), *layers = qc_yaml_get(root, "layers");
    if (!inception == !layers) return qc_yaml_fail(err, root, "an architecture needs either 'inception' or 'layers'");
    return inception ? build_inception(g, inception, classes, err) : build_layers(g, layers, classes, err);
}

int qc_arch_load(QcGraph *g, char *name, const char *path, uint32_t channels, uint32_t height, uint32_t length, uint32_t classes, QcErr *err)
{
    QcYamlDocument document;
    *g = (QcGraph){0};
    if (qc_yaml_load(&document, path, err)) return -1;
    int status = qc_graph_init(g, channels, height, length, err) || build(g, name, document.root, classes, err) || qc_graph_finish(g, err) ? -1 : 0;
    if (status) qc_graph_release(g);
    qc_yaml_release(&document);
    return status;
}
