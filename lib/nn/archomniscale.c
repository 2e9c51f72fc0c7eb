/* OS-CNN (Tang et al., ICLR 2022): a layer's kernel sizes are 1 and the primes up to a bound. Two such layers see every
 * size of receptive field up to twice the bound, since each even number is a sum of two primes; a last one of sizes 1
 * and 2 adds the odd ones. How many channels a kernel gets follows from a budget of weights. */
#include <stdio.h>

#include "archparts.h"

enum { MAX_LAYERS = 8, LARGEST = 130 }; /* with 1, 32 sizes */

static uint32_t list_kernels(int64_t kernels[QC_MAX_INPUTS], uint32_t largest)
{
    uint32_t n = 0;
    kernels[n++] = 1;
    for (uint32_t size = 2; size <= largest && n < QC_MAX_INPUTS; size++) {
        uint32_t divisor = 2;
        while (divisor * divisor <= size && size % divisor) divisor++;
        if (divisor * divisor > size) kernels[n++] = size;
    }
    return n;
}

static int add_layer(QcArch *arch, int layer, uint32_t in, uint32_t out, const int64_t *kernels, uint32_t n, QcErr *err)
{
    uint32_t parts[QC_MAX_INPUTS];
    char prefix[16];
    snprintf(prefix, sizeof prefix, "s%d", layer);
    return qc_arch_parallel(arch, parts, prefix, in, out, kernels, n, err) ? -1
                                                                           : qc_arch_join(arch, prefix, parts, n, err);
}

int qc_arch_omniscale(QcArch *arch, const QcYaml *map, QcErr *err)
{
    static const char *const keys[] = {"largest", "weights", NULL};
    static const int64_t last_kernels[] = {1, 2};
    const QcNode *input = &arch->g->nodes[0];
    int64_t largest, budget[MAX_LAYERS], kernels[QC_MAX_INPUTS], sum = 0;
    uint32_t n_layers, first = 0;
    if (map->kind != QC_YAML_MAP) return qc_yaml_fail(err, map, "'omniscale' must be a map of keys and values");
    if (qc_yaml_known(map, keys, err) || qc_yaml_int(map, "largest", 1, LARGEST, 89, &largest, err) ||
        qc_arch_numbers(budget, &n_layers, MAX_LAYERS, map, "weights", 1, 1 << 28, err))
        return -1;
    if (input->height != 1)
        return qc_yaml_fail(err, map, "an omni-scale network is for series, not for images of height %u",
                            input->height);
    if (largest > input->width / 4) largest = input->width / 4;
    uint32_t n = list_kernels(kernels, (uint32_t)largest);
    for (uint32_t k = 0; k < n; k++) sum += kernels[k];
    budget[0] *= input->channels;
    int node = 0;
    for (uint32_t layer = 0; layer < n_layers && node >= 0; layer++) {
        int64_t out = budget[layer] / (sum * arch->g->nodes[node].channels);
        node = add_layer(arch, (int)layer, (uint32_t)node, qc_arch_scaled(arch, out), kernels, n, err);
        if (!layer && node >= 0) first = arch->g->nodes[node].channels;
    }
    if (node >= 0) node = add_layer(arch, (int)n_layers, (uint32_t)node, first, last_kernels, 2, err);
    return node < 0 ? -1 : qc_graph_simple(arch->g, "gap", QC_OP_GAP, (uint32_t)node, err);
}
