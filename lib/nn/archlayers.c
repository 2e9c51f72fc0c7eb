/* `layers`: one after another, with blocks that are repeated or have a shortcut around them. */
#include <string.h>

#include "archparts.h"

/* Which operation an item of `layers` asks for: its bare word, or the one key of its map that names an operation. */
static int item_op(const QcYaml *item, const char **key)
{
    for (int op = QC_OP_CONV; op < QC_OP_COUNT; op++) {
        int bare =
            op == QC_OP_BATCHNORM || op == QC_OP_RELU || op == QC_OP_GAP || op == QC_OP_STD || op == QC_OP_FLATTEN;
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

/* A window of kernel[0] x kernel[1] on an image, of kernel[1] on a series. Stride and dilation hold for both
 * dimensions. `pad` -1: "same". */
static int read_window(QcWindow *w, const QcYaml *item, const int64_t kernel[2], int64_t stride, int64_t pad,
                       uint32_t height, QcErr *err)
{
    int64_t dilation;
    if (qc_yaml_int(item, "stride", 1, 1024, stride, &stride, err) ||
        qc_yaml_int(item, "dilation", 1, 1024, 1, &dilation, err) || qc_yaml_int(item, "pad", 0, 1024, pad, &pad, err))
        return -1;
    *w = qc_window_1d((uint32_t)kernel[1], (uint32_t)stride, (uint32_t)dilation, 0, 0);
    set_padding(&w->pad_left, &w->pad_right, w->kernel_w, w->dilation_w, pad);
    if (height == 1) return 0;
    w->kernel_h = (uint32_t)kernel[0];
    w->stride_h = w->stride_w;
    w->dilation_h = w->dilation_w;
    set_padding(&w->pad_top, &w->pad_bottom, w->kernel_h, w->dilation_h, pad);
    return 0;
}

/* Under `key`: one number for both dimensions, or [height, width]. */
static int read_kernel(int64_t kernel[2], const QcYaml *item, const char *key, int64_t fallback, QcErr *err)
{
    const QcYaml *given = qc_yaml_get(item, key);
    uint32_t n = 2;
    if (given && given->kind == QC_YAML_LIST) {
        if (qc_arch_numbers(kernel, &n, 2, item, key, 1, 1024, err)) return -1;
        return n == 2 ? 0 : qc_yaml_fail(err, given, "'%s' must be a number or [height, width]", key);
    }
    if (qc_yaml_int(item, key, 1, 1024, fallback, &kernel[1], err)) return -1;
    kernel[0] = kernel[1];
    return 0;
}

static int add_conv(QcArch *arch, const QcYaml *item, const char *name, uint32_t in, QcErr *err)
{
    static const char *const keys[] = {"conv", "kernel", "stride", "dilation", "pad", "groups", "bias", NULL};
    int64_t out, kernel[2], groups;
    int bias;
    QcWindow w;
    if (qc_yaml_known(item, keys, err) || qc_yaml_int(item, "conv", 1, QC_MAX_DIM, 1, &out, err) ||
        read_kernel(kernel, item, "kernel", 3, err) ||
        qc_yaml_int(item, "groups", 1, QC_MAX_DIM, 1, &groups, err) || qc_yaml_flag(item, "bias", 0, &bias, err) ||
        read_window(&w, item, kernel, 1, -1, arch->g->nodes[in].height, err))
        return -1;
    return qc_graph_conv(arch->g, name, in, qc_arch_scaled(arch, out), w, (uint32_t)groups, bias, err);
}

/* A convolution of each channel by itself. */
static int add_depthwise(QcArch *arch, const QcYaml *item, uint32_t in, QcErr *err)
{
    static const char *const keys[] = {"depthwise", "stride", "dilation", "pad", "bias", NULL};
    const char *name = qc_arch_name("%u.depthwise", arch->number++);
    uint32_t channels = arch->g->nodes[in].channels;
    int64_t kernel[2];
    int bias;
    QcWindow w;
    if (qc_yaml_known(item, keys, err) || read_kernel(kernel, item, "depthwise", 3, err) ||
        qc_yaml_flag(item, "bias", 0, &bias, err) ||
        read_window(&w, item, kernel, 1, -1, arch->g->nodes[in].height, err))
        return -1;
    return qc_graph_conv(arch->g, name, in, channels, w, channels, bias, err);
}

static int add_pool(QcArch *arch, const QcYaml *item, QcOp op, const char *name, uint32_t in, QcErr *err)
{
    static const char *const keys[] = {"maxpool", "avgpool", "stride", "dilation", "pad", NULL};
    int64_t kernel[2];
    QcWindow w;
    if (qc_yaml_known(item, keys, err) || read_kernel(kernel, item, qc_op_names[op], 2, err) ||
        read_window(&w, item, kernel, kernel[1], 0, arch->g->nodes[in].height, err))
        return -1;
    return qc_graph_pool(arch->g, name, op, in, w, 0, err);
}

static int add_linear(QcArch *arch, const QcYaml *item, const char *name, uint32_t in, QcErr *err)
{
    static const char *const keys[] = {"linear", "bias", NULL};
    int64_t out;
    int bias;
    if (qc_yaml_known(item, keys, err) || qc_yaml_int(item, "linear", 1, QC_MAX_DIM, 1, &out, err) ||
        qc_yaml_flag(item, "bias", 1, &bias, err))
        return -1;
    return qc_graph_linear(arch->g, name, in, qc_arch_scaled(arch, out), bias, err);
}

/* The layers of a block under `key`: at least one. */
static const QcYaml *need_block(const QcYaml *item, const char *key, QcErr *err)
{
    const QcYaml *list = qc_yaml_need(item, key, QC_YAML_LIST, err);
    if (list && !list->n) qc_yaml_fail(err, list, "'%s' needs at least one layer", key);
    return list && list->n ? list : NULL;
}

static int add_repeated(QcArch *arch, const QcYaml *item, uint32_t in, QcErr *err)
{
    static const char *const keys[] = {"repeat", "layers", NULL};
    int64_t times;
    int node = (int)in;
    const QcYaml *list = need_block(item, "layers", err);
    if (!list || qc_yaml_known(item, keys, err) || qc_yaml_int(item, "repeat", 1, 1000, 1, &times, err)) return -1;
    for (int64_t i = 0; i < times && node >= 0; i++) node = qc_arch_layers(arch, list, (uint32_t)node, err);
    return node;
}

/* The window of a 1 x 1 convolution that strides as far as all layers from `in` to `y` together. */
static QcWindow window_around(const QcGraph *g, uint32_t in, uint32_t y)
{
    QcWindow w = qc_window_1d(1, 1, 1, 0, 0);
    for (; y > in; y = g->nodes[y].inputs[0]) {
        const QcNode *node = &g->nodes[y];
        if (node->op != QC_OP_CONV && node->op != QC_OP_MAXPOOL && node->op != QC_OP_AVGPOOL) continue;
        w.stride_h *= node->window.stride_h;
        w.stride_w *= node->window.stride_w;
    }
    return w;
}

/* block(x) + x; where the block strides or changes the channels, x goes through a 1 x 1 convolution and a batch
 * norm. */
static int add_residual(QcArch *arch, const QcYaml *item, uint32_t in, QcErr *err)
{
    static const char *const keys[] = {"residual", NULL};
    QcGraph *g = arch->g;
    uint32_t number = arch->number++;
    const QcYaml *list = need_block(item, "residual", err);
    if (!list || qc_yaml_known(item, keys, err)) return -1;
    int y = qc_arch_layers(arch, list, in, err), x = (int)in;
    if (y < 0) return -1;
    QcWindow w = window_around(g, in, (uint32_t)y);
    if (w.stride_h > 1 || w.stride_w > 1 || g->nodes[y].channels != g->nodes[in].channels) {
        x = qc_graph_conv(g, qc_arch_name("%u.shortcut", number), in, g->nodes[y].channels, w, 1, 0, err);
        if (x >= 0) x = qc_graph_simple(g, qc_arch_name("%u.norm", number), QC_OP_BATCHNORM, (uint32_t)x, err);
    }
    return x < 0 ? -1 : qc_graph_add(g, qc_arch_name("%u.add", number), (uint32_t)y, (uint32_t)x, err);
}

static int add_layer(QcArch *arch, const QcYaml *item, uint32_t in, QcErr *err)
{
    const char *word;
    if (item->kind == QC_YAML_MAP && qc_yaml_get(item, "repeat")) return add_repeated(arch, item, in, err);
    if (item->kind == QC_YAML_MAP && qc_yaml_get(item, "residual")) return add_residual(arch, item, in, err);
    if (item->kind == QC_YAML_MAP && qc_yaml_get(item, "depthwise")) return add_depthwise(arch, item, in, err);
    int op = item_op(item, &word);
    if (op < 0)
        return qc_yaml_fail(err, item,
                            "a layer must be one of conv, depthwise, maxpool, avgpool, linear (with a size), "
                            "batchnorm, relu, gap, std, flatten, residual, repeat");
    const char *name = qc_arch_name("%u.%s", arch->number++, word);
    if (op == QC_OP_CONV) return add_conv(arch, item, name, in, err);
    if (op == QC_OP_LINEAR) return add_linear(arch, item, name, in, err);
    if (op == QC_OP_MAXPOOL || op == QC_OP_AVGPOOL) return add_pool(arch, item, (QcOp)op, name, in, err);
    return qc_graph_simple(arch->g, name, (QcOp)op, in, err);
}

int qc_arch_layers(QcArch *arch, const QcYaml *list, uint32_t in, QcErr *err)
{
    int node = (int)in;
    if (list->kind != QC_YAML_LIST) return qc_yaml_fail(err, list, "'layers' must be a list");
    for (uint32_t i = 0; i < list->n; i++) {
        QcErr inner = {0};
        node = add_layer(arch, list->items[i], (uint32_t)node, &inner);
        if (node >= 0) continue;
        if (strncmp(inner.text, list->items[i]->file,
                    strlen(list->items[i]->file))) /* the graph's own sentence has no place yet */
            return qc_yaml_fail(err, list->items[i], "%.400s", inner.text);
        return qc_fail(err, inner.code, "%s", inner.text);
    }
    return node;
}
