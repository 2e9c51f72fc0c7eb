/* InceptionTime: modules of wide convolutions side by side, and a shortcut around every few. */
#include <stdio.h>

#include "archparts.h"

enum { MAX_KERNELS = 8 };

typedef struct Inception {
    int64_t filters, depth, bottleneck, residual, kernels[MAX_KERNELS];
    uint32_t n_kernels;
} Inception;

static int read_inception(Inception *a, const QcYaml *map, QcErr *err)
{
    static const char *const keys[] = {"filters", "depth", "kernels", "bottleneck", "residual", NULL};
    if (map->kind != QC_YAML_MAP) return qc_yaml_fail(err, map, "'inception' must be a map of keys and values");
    return qc_yaml_known(map, keys, err) || qc_yaml_int(map, "filters", 1, 1024, 32, &a->filters, err) ||
                   qc_yaml_int(map, "depth", 1, 100, 6, &a->depth, err) ||
                   qc_yaml_int(map, "bottleneck", 0, 1024, 32, &a->bottleneck, err) ||
                   qc_yaml_int(map, "residual", 0, 100, 3, &a->residual, err) ||
                   qc_arch_numbers(a->kernels, &a->n_kernels, MAX_KERNELS, map, "kernels", 1, 1024, err)
               ? -1
               : 0;
}

/* Bottleneck -> parallel convolutions, and pool -> convolution; concat -> batch norm -> ReLU. The bottleneck is left
 * out if there is one channel. */
static int add_module(QcArch *arch, const Inception *a, int module, uint32_t in, QcErr *err)
{
    QcGraph *g = arch->g;
    uint32_t filters = qc_arch_scaled(arch, a->filters), parts[MAX_KERNELS + 1];
    int narrow = (int)in, node;
    if (a->bottleneck && g->nodes[in].channels > 1) {
        uint32_t bottleneck = qc_arch_scaled(arch, a->bottleneck);
        narrow =
            qc_graph_conv(g, qc_arch_name("m%d.bottleneck", module), in, bottleneck, qc_window_same_1d(1), 1, 0, err);
        if (narrow < 0) return -1;
    }
    char prefix[16];
    snprintf(prefix, sizeof prefix, "m%d", module);
    if (qc_arch_parallel(arch, parts, prefix, (uint32_t)narrow, filters, a->kernels, a->n_kernels, err) ||
        (node = qc_graph_pool(g, qc_arch_name("m%d.pool", module), QC_OP_MAXPOOL, in, qc_window_same_1d(3), 0, err)) <
            0 ||
        (node = qc_graph_conv(g, qc_arch_name("m%d.pooled", module), (uint32_t)node, filters, qc_window_same_1d(1), 1,
                              0, err)) < 0)
        return -1;
    parts[a->n_kernels] = (uint32_t)node;
    return qc_arch_join(arch, prefix, parts, a->n_kernels + 1, err);
}

/* ReLU(y + batch norm(1 x 1 convolution of the block's input)) */
static int add_shortcut(QcGraph *g, int block, uint32_t from, uint32_t y, QcErr *err)
{
    int node;
    if ((node = qc_graph_conv(g, qc_arch_name("shortcut%d.conv", block), from, g->nodes[y].channels,
                              qc_window_same_1d(1), 1, 0, err)) < 0 ||
        (node = qc_graph_simple(g, qc_arch_name("shortcut%d.norm", block), QC_OP_BATCHNORM, (uint32_t)node, err)) < 0 ||
        (node = qc_graph_add(g, qc_arch_name("shortcut%d.add", block), y, (uint32_t)node, err)) < 0)
        return -1;
    return qc_graph_simple(g, qc_arch_name("shortcut%d.relu", block), QC_OP_RELU, (uint32_t)node, err);
}

int qc_arch_inception(QcArch *arch, const QcYaml *map, QcErr *err)
{
    Inception a = {0};
    QcGraph *g = arch->g;
    if (read_inception(&a, map, err)) return -1;
    if (g->nodes[0].height != 1)
        return qc_yaml_fail(err, map, "an inception network is for series, not for images of height %u",
                            g->nodes[0].height);
    int node = 0, block_start = 0, blocks = 0;
    for (int module = 0; module < a.depth && node >= 0; module++) {
        node = add_module(arch, &a, module, (uint32_t)node, err);
        if (node < 0 || !a.residual || (module + 1) % a.residual) continue;
        block_start = node = add_shortcut(g, blocks++, (uint32_t)block_start, (uint32_t)node, err);
    }
    return node < 0 ? -1 : qc_graph_simple(g, "gap", QC_OP_GAP, (uint32_t)node, err);
}
