/* Building graphs, reading architectures, and graphs in files: valid graphs are read back unchanged, invalid ones
 * are reported. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"
#include "../../lib/base/file.h"
#include "../../lib/base/rng.h"
#include "../../lib/nn/arch.h"
#include "../../lib/nn/graphfile.h"

static QcErr err;

static void expect(int status, const char *words)
{
    ck_assert_int_eq(status, -1);
    ck_assert_msg(strstr(err.text, words) != NULL, "'%s' should say '%s'", err.text, words);
}

START_TEST(node_shapes)
{
    QcGraph g;
    ck_assert_int_eq(qc_graph_init(&g, 3, 10, 12, &err), 0);
    QcWindow w = {3, 4, 2, 3, 1, 2, 1, 0, 2, 1}; /* height (10+1-3)/2+1 = 5; width (12+3-7)/3+1 = 3 */
    ck_assert_int_eq(qc_graph_conv(&g, "conv", 0, 8, w, 1, 1, &err), 1);
    ck_assert_uint_eq(g.nodes[1].height, 5);
    ck_assert_uint_eq(g.nodes[1].width, 3);
    ck_assert_uint_eq(g.nodes[1].n_weight, 8 * 3 * 4 * 3);
    ck_assert_int_eq(qc_graph_simple(&g, "norm", QC_OP_BATCHNORM, 1, &err), 2);
    ck_assert_int_eq(qc_graph_simple(&g, "flat", QC_OP_FLATTEN, 2, &err), 3);
    ck_assert_int_eq(qc_graph_linear(&g, "fc", 3, 2, 1, &err), 4);
    ck_assert_int_eq(qc_graph_finish(&g, &err), 0);
    ck_assert_uint_eq(g.n_params, 288 + 8 + 8 + 8 + 240 + 2);
    ck_assert_uint_eq(g.n_stats, 16);
    ck_assert_uint_eq(g.classes, 2);
    ck_assert_uint_eq(qc_graph_macs(&g), 288 * 15 + 240);
    ck_assert_float_eq(g.params[g.nodes[2].weight], 1);
    ck_assert_float_eq(g.stats[8], 1);
    ck_assert_int_eq(qc_graph_find(&g, "flat"), 3);
    ck_assert_int_eq(qc_graph_find(&g, "nobody"), -1);
    ck_assert_int_eq(qc_graph_check(&g, &err), 0);
    qc_graph_release(&g);
}
END_TEST

START_TEST(builder_errors_name_the_node)
{
    QcGraph g;
    ck_assert_int_eq(qc_graph_init(&g, 0, 1, 10, &err), -1);
    ck_assert_int_eq(qc_graph_init(&g, 4, 1, 10, &err), 0);
    expect(qc_graph_conv(&g, "c", 0, 8, qc_window_1d(11, 1, 1, 0, 0), 1, 0, &err),
           "'c' (conv): a 1 x 11 kernel does not fit");
    expect(qc_graph_conv(&g, "c", 0, 6, qc_window_same_1d(3), 4, 0, &err), "4 groups do not divide");
    expect(qc_graph_conv(&g, "c", 0, 0, qc_window_same_1d(3), 1, 0, &err), "1 to 65535 output channels");
    expect(qc_graph_conv(&g, "c", 0, 8, qc_window_1d(3, 0, 1, 1, 1), 1, 0, &err), "out of range");
    expect(qc_graph_conv(&g, "c", 1, 8, qc_window_same_1d(3), 1, 0, &err), "does not come before it");
    expect(qc_graph_conv(&g, "input", 0, 8, qc_window_same_1d(3), 1, 0, &err), "both named 'input'");
    expect(qc_graph_conv(&g, "", 0, 8, qc_window_same_1d(3), 1, 0, &err), "no name");
    expect(qc_graph_pool(&g, "p", QC_OP_MAXPOOL, 0, qc_window_1d(3, 1, 1, 3, 0), 0, &err), "padding alone");
    expect(qc_graph_pool(&g, "p", QC_OP_AVGPOOL, 0, qc_window_1d(2, 30, 10, 11, 12), 0, &err), "padding alone");
    expect(qc_graph_quant(&g, "q", 0, 0, 0, 8, &err), "scale");
    expect(qc_graph_quant(&g, "q", 0, NAN, 0, 8, &err), "scale");
    expect(qc_graph_quant(&g, "q", 0, 1, 256, 8, &err), "zero point");
    expect(qc_graph_quant(&g, "q", 0, 1, 0, 9, &err), "2 to 8 bits");
    ck_assert_int_eq(qc_graph_conv(&g, "narrow", 0, 4, qc_window_1d(3, 1, 1, 0, 0), 1, 0, &err), 1);
    expect(qc_graph_add(&g, "a", 0, 1, &err), "differ in shape");
    const uint32_t both[] = {0, 1};
    expect(qc_graph_concat(&g, "a", both, 2, &err), "differ in size");
    expect(qc_graph_concat(&g, "a", both, 0, &err), "wrong number of inputs");
    expect(qc_graph_finish(&g, &err), "8 positions"); /* 1 x 8 */
    ck_assert_int_eq(qc_graph_simple(&g, "gap", QC_OP_GAP, 0, &err), 2);
    expect(qc_graph_finish(&g, &err), "'narrow' is used by no other");
    qc_graph_release(&g);
}
END_TEST

static void small_graph(QcGraph *g)
{
    uint32_t parts[] = {1, 2};
    ck_assert_int_eq(qc_graph_init(g, 4, 1, 10, &err), 0);
    ck_assert_int_eq(qc_graph_conv(g, "a", 0, 6, qc_window_1d(3, 2, 1, 1, 1), 2, 1, &err), 1);
    ck_assert_int_eq(qc_graph_pool(g, "b", QC_OP_AVGPOOL, 0, qc_window_1d(2, 2, 1, 0, 0), 1, &err), 2);
    ck_assert_int_eq(qc_graph_concat(g, "both", parts, 2, &err), 3);
    ck_assert_int_eq(qc_graph_simple(g, "norm", QC_OP_BATCHNORM, 3, &err), 4);
    ck_assert_int_eq(qc_graph_simple(g, "relu", QC_OP_RELU, 4, &err), 5);
    g->nodes[5].clip = 6;
    ck_assert_int_eq(qc_graph_quant(g, "quant", 5, .1f, 3, 4, &err), 6);
    ck_assert_int_eq(qc_graph_simple(g, "gap", QC_OP_GAP, 6, &err), 7);
    ck_assert_int_eq(qc_graph_linear(g, "fc", 7, 3, 1, &err), 8);
    ck_assert_int_eq(qc_graph_finish(g, &err), 0);
    qc_graph_reset(g, 9);
}

START_TEST(check_finds_corrupted_fields)
{
    QcGraph g, clone;
    small_graph(&g);
    ck_assert_int_eq(qc_graph_clone(&clone, &g, &err), 0);
    ck_assert_mem_eq(clone.params, g.params, g.n_params * sizeof *g.params);
    ck_assert_int_eq(qc_graph_check(&clone, &err), 0);
    clone.nodes[8].inputs[0] = 8;
    expect(qc_graph_check(&clone, &err), "does not come before it");
    clone.nodes[8].inputs[0] = 5;
    ck_assert_int_eq(qc_graph_check(&clone, &err), -1);
    clone.nodes[8] = g.nodes[8];
    clone.nodes[1].weight++;
    expect(qc_graph_check(&clone, &err), "'a'");
    clone.nodes[1] = g.nodes[1];
    clone.nodes[3].channels++;
    expect(qc_graph_check(&clone, &err), "'both'");
    clone.nodes[3] = g.nodes[3];
    clone.params[clone.n_params - 1] = NAN;
    expect(qc_graph_check(&clone, &err), "'fc' has a parameter that is not finite");
    clone.params[clone.n_params - 1] = 0;
    clone.stats[clone.n_stats - 1] = -1;
    expect(qc_graph_check(&clone, &err), "variance");
    qc_graph_release(&clone);
    qc_graph_release(&g);
}
END_TEST

START_TEST(initial_weights_follow_seed_and_fan_in)
{
    QcGraph g, other;
    small_graph(&g);
    small_graph(&other);
    ck_assert_mem_eq(g.params, other.params, g.n_params * sizeof *g.params);
    qc_graph_reset(&other, 10);
    ck_assert_mem_ne(g.params, other.params, g.n_params * sizeof *g.params);
    qc_graph_release(&g);
    qc_graph_release(&other);
    /* He: variance 2 / fan-in, here 2 / 400, of 40000 draws: the estimate's deviation is .7 % */
    ck_assert_int_eq(qc_graph_init(&g, 400, 1, 1, &err), 0);
    ck_assert_int_eq(qc_graph_linear(&g, "fc", 0, 100, 1, &err), 1);
    ck_assert_int_eq(qc_graph_finish(&g, &err), 0);
    qc_graph_reset(&g, 1);
    double square = 0;
    for (size_t i = 0; i < 40000; i++) square += (double)g.params[i] * (double)g.params[i];
    ck_assert_double_eq_tol(square / 40000, 2. / 400, .03 * 2 / 400);
    ck_assert_float_eq(g.params[40000], 0);
    qc_graph_release(&g);
}
END_TEST

/* ---- architectures */

static char folder[] = "/tmp/qc-graph-XXXXXX";

static const char *written(const char *text)
{
    static char path[64];
    snprintf(path, sizeof path, "%s/arch.yaml", folder);
    ck_assert_int_eq(qc_write_all(path, text, strlen(text), &err), 0);
    return path;
}

static const char *shipped(const char *name)
{
    static char path[4096];
    ck_assert_msg(qc_arch_find(path, sizeof path, name, &err) == 0, "%s", err.text);
    return path;
}

START_TEST(shipped_architectures_are_read)
{
    QcGraph g;
    char name[QC_NAME_MAX + 1];
    setenv("QC_SHARE", "share", 0);
    ck_assert_msg(qc_arch_load(&g, name, shipped("inceptiontime"), 0, 45, 1, 125, 19, &err) == 0, "%s", err.text);
    ck_assert_str_eq(name, "inceptiontime");
    ck_assert_int_eq(qc_graph_check(&g, &err), 0);
    /* by hand: module 0: 45*32*2 + 67*32*32; five more: 128*32*2 + 67*32*32; norms 6*256; shortcuts 45*128 + 128*128 +
     * 2*256; 128*19 + 19 */
    ck_assert_uint_eq(g.n_params,
                      45 * 64 + 5 * 128 * 64 + 6 * 67 * 1024 + 6 * 256 + 45 * 128 + 128 * 128 + 512 + 128 * 19 + 19);
    qc_graph_release(&g);
    ck_assert_int_eq(qc_arch_load(&g, name, shipped("inceptiontime-16x3.yaml"), 0, 1, 1, 50, 2, &err), 0);
    ck_assert_int_eq(qc_graph_find(&g, "m0.bottleneck"), -1); /* one channel needs none */
    ck_assert_int_gt(qc_graph_find(&g, "m1.bottleneck"), 0);
    qc_graph_release(&g);
    ck_assert_int_eq(qc_arch_load(&g, name, shipped("fcn"), 0, 3, 32, 32, 10, &err), 0); /* an image, too */
    ck_assert_uint_eq(g.nodes[1].window.kernel_h, 9);
    ck_assert_uint_eq(g.nodes[1].height, 32);
    qc_graph_release(&g);
    ck_assert_int_eq(qc_arch_load(&g, name, shipped("mlp"), 0, 6, 1, 100, 4, &err), 0);
    ck_assert_uint_eq(g.n_params, 601 * 128 + 129 * 64 + 65 * 4);
    qc_graph_release(&g);
}
END_TEST

static size_t parameters(const char *arch, double width, uint32_t channels, uint32_t height, uint32_t length,
                         uint32_t classes)
{
    QcGraph g;
    char name[QC_NAME_MAX + 1];
    ck_assert_msg(qc_arch_load(&g, name, shipped(arch), width, channels, height, length, classes, &err) == 0, "%s",
                  err.text);
    ck_assert_str_eq(name, arch);
    ck_assert_int_eq(qc_graph_check(&g, &err), 0);
    size_t n = g.n_params;
    qc_graph_release(&g);
    return n;
}

/* Against what is published of them, or the arithmetic of the papers. */
START_TEST(backbone_parameter_counts_match_papers)
{
    setenv("QC_SHARE", "share", 0);
    ck_assert_uint_eq(parameters("resnet18", 0, 3, 224, 224, 1000), 11689512); /* torchvision */
    /* on CIFAR-10, without the large first kernel: 11,173,962 (kuangliu's pytorch-cifar) */
    ck_assert_uint_eq(parameters("resnet18-small", 0, 3, 32, 32, 10), 11173962);
    /* torchvision's vgg16_bn: 14,714,688 in convolutions, 4224 of them biases, which we have not, and 2 * 4224 in batch
     * norms */
    ck_assert_uint_eq(parameters("vgg16", 0, 3, 64, 64, 10), 14714688 - 4224 + 2 * 4224 + 5130);
    /* series: a kernel of 3 weighs 3, not 9 */
    ck_assert_uint_eq(parameters("vgg16", 0, 3, 1, 64, 10), (14714688 - 4224) / 3 + 2 * 4224 + 5130);
    /* a quarter as wide: the first convolution a quarter, the others a sixteenth, the norms a quarter */
    ck_assert_uint_eq(parameters("vgg16", .25, 3, 64, 64, 10),
                      27 * 16 + (14714688 - 4224 - 27 * 64) / 16 + 2 * 1056 + 1290);
    /* MLPerf Tiny's models: 24,908, 78,666 and 221,794, with biases of convolutions and running moments of batch norms,
     * and without batch norms in ResNet8's shortcuts */
    ck_assert_uint_eq(parameters("ds-cnn", 0, 1, 49, 10, 12), 24908 - 576 - 2 * 576);
    ck_assert_uint_eq(parameters("resnet8", 0, 3, 32, 32, 10), 78666 - 336 - 2 * 240 + 2 * 96);
    ck_assert_uint_eq(parameters("mobilenet", 0, 3, 96, 96, 2), 221794 - 2736 - 2 * 2736);
    ck_assert_uint_eq(parameters("fcn-128", 0, 45, 1, 125, 19),
                      8 * 45 * 128 + 5 * 128 * 256 + 3 * 256 * 128 + 2 * 512 + 128 * 19 + 19);
    /* the 24 primes up to 89 are 963 together; 25 sizes, of 1024 / 964 = 1 and 229376 / (964 * 25) = 9 channels, then
     * of 25 */
    ck_assert_uint_eq(parameters("omniscale", 0, 1, 1, 400, 5),
                      964 + 2 * 25 + 964 * 25 * 9 + 2 * 225 + 3 * 225 * 25 + 2 * 50 + 50 * 5 + 5);
    /* of 31 steps, sizes 1, 2, 3, 5, 7: 4 * 1024 / (18 * 4) = 56 and 229376 / (18 * 280) = 45 channels each; of 7
     * steps, 1 alone */
    ck_assert_uint_eq(parameters("omniscale", 0, 4, 1, 31, 2),
                      18 * 4 * 56 + 2 * 280 + 18 * 280 * 45 + 2 * 225 + 3 * 225 * 280 + 2 * 560 + 560 * 2 + 2);
    ck_assert_uint_eq(parameters("omniscale", 0, 1, 1, 7, 2),
                      1024 + 2 * 1024 + 1024 * 224 + 2 * 224 + 3 * 224 * 1024 + 2 * 2048 + 2048 * 2 + 2);
    ck_assert_uint_eq(parameters("inceptiontime-32x3", 0, 45, 1, 125, 19),
                      45 * 64 + 2 * 128 * 64 + 3 * 67 * 1024 + 3 * 256 + 45 * 128 + 256 + 128 * 19 + 19);
    ck_assert_uint_eq(parameters("inceptiontime-short", 0, 45, 1, 40, 19),
                      45 * 64 + 5 * 128 * 64 + 6 * 19 * 1024 + 6 * 256 + 45 * 128 + 128 * 128 + 512 + 128 * 19 + 19);
    /* width wins over the file's; and half of it is the small one that is shipped */
    ck_assert_uint_eq(parameters("inceptiontime-32x3", .5, 45, 1, 125, 19),
                      parameters("inceptiontime-16x3", 0, 45, 1, 125, 19));
}
END_TEST

START_TEST(shortcut_blocks_are_built)
{
    QcGraph g;
    char name[QC_NAME_MAX + 1];
    const char *text = "name: x\nwidth: 2\nlayers:\n  - residual: [{conv: 2, stride: 2}, relu, {residual: [{conv: "
                       "2}]}, {conv: 2, stride: 3}]\n"
                       "  - repeat: 2\n    layers: [relu, {residual: [{conv: 2}, batchnorm]}]\n  - gap\n";
    ck_assert_msg(qc_arch_load(&g, name, written(text), 0, 3, 10, 11, 2, &err) == 0, "%s", err.text);
    const QcNode *shortcut = &g.nodes[qc_graph_find(&g, "0.shortcut")];
    ck_assert_uint_eq(shortcut->inputs[0], 0);
    ck_assert_uint_eq(shortcut->window.stride_h, 6); /* 2 * 3; the inner block has its own, plain one */
    ck_assert_uint_eq(shortcut->window.stride_w, 6);
    ck_assert_uint_eq(shortcut->window.kernel_w, 1);
    ck_assert_uint_eq(shortcut->channels, 4);
    ck_assert_uint_eq(shortcut->height, 2); /* 10, 5, 2 and 11, 6, 2 */
    ck_assert_uint_eq(shortcut->width, 2);
    ck_assert_int_eq(qc_graph_find(&g, "3.shortcut"), -1); /* one shape in and out: added as it is */
    const QcNode *inner = &g.nodes[qc_graph_find(&g, "3.add")];
    ck_assert_uint_eq(inner->inputs[0], (uint32_t)qc_graph_find(&g, "4.conv"));
    ck_assert_uint_eq(inner->inputs[1], (uint32_t)qc_graph_find(&g, "2.relu"));
    ck_assert_int_gt(qc_graph_find(&g, "10.relu"), qc_graph_find(&g, "7.add")); /* 6 to 9, and the same again */
    ck_assert_uint_eq(g.nodes[qc_graph_find(&g, "11.add")].inputs[1], (uint32_t)qc_graph_find(&g, "10.relu"));
    qc_graph_release(&g);
    ck_assert_msg(qc_arch_load(&g, name, written(text), 0, 3, 1, 11, 2, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(g.nodes[qc_graph_find(&g, "0.shortcut")].window.stride_h, 1); /* a series has one dimension */
    qc_graph_release(&g);
}
END_TEST

START_TEST(kernels_with_two_dimensions_are_read)
{
    QcGraph g;
    char name[QC_NAME_MAX + 1];
    const char *text = "name: x\nlayers:\n  - {conv: 4, kernel: [10, 4], stride: 2}\n"
                       "  - {depthwise: [2, 3], stride: 2}\n";
    ck_assert_msg(qc_arch_load(&g, name, written(text), 0, 1, 49, 10, 2, &err) == 0, "%s", err.text);
    const QcNode *conv = &g.nodes[qc_graph_find(&g, "0.conv")], *depth = &g.nodes[qc_graph_find(&g, "1.depthwise")];
    ck_assert_uint_eq(conv->window.kernel_h, 10);
    ck_assert_uint_eq(conv->window.kernel_w, 4);
    ck_assert_uint_eq(conv->height, 25); /* as DS-CNN's: 49 x 10 become 25 x 5 */
    ck_assert_uint_eq(conv->width, 5);
    ck_assert_uint_eq(depth->groups, 4);
    ck_assert_uint_eq(depth->channels, 4);
    ck_assert_uint_eq(depth->window.kernel_h, 2);
    ck_assert_uint_eq(depth->height, 13);
    qc_graph_release(&g);
    ck_assert_msg(qc_arch_load(&g, name, written(text), 0, 3, 1, 11, 2, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(g.nodes[qc_graph_find(&g, "0.conv")].window.kernel_w, 4); /* a series takes the width */
    ck_assert_uint_eq(g.nodes[qc_graph_find(&g, "0.conv")].window.kernel_h, 1);
    qc_graph_release(&g);
}
END_TEST

static void expect_arch(const char *text, const char *place, const char *words)
{
    QcGraph g;
    char name[QC_NAME_MAX + 1], whole[128];
    const char *path = written(text);
    snprintf(whole, sizeof whole, "%s:%s: ", path, place);
    expect(qc_arch_load(&g, name, path, 0, 3, 1, 20, 2, &err), words);
    ck_assert_msg(!strncmp(err.text, whole, strlen(whole)), "'%s' should begin with '%s'", err.text, whole);
}

START_TEST(arch_errors_have_line_and_column)
{
    expect_arch("name: x\n", "1:1", "one of 'inception', 'omniscale' and 'layers'");
    expect_arch("name: x\nlayers: []\ninception: {}\n", "1:1", "one of 'inception', 'omniscale' and 'layers'");
    expect_arch("name: x\ncolour: red\n", "2:1", "colour");
    expect_arch("layers: []\n", "1:1", "name is missing");
    expect_arch("name: x\nlayers:\n  - relu\n  - swish\n", "4:5", "a layer must be one of");
    expect_arch("name: x\nlayers:\n  - conv: 8\n    kernel: 0\n", "4:13", "kernel must be a whole number");
    expect_arch("name: x\nlayers:\n  - conv: 8\n    kernel: [3]\n", "4:13", "a number or [height, width]");
    expect_arch("name: x\nlayers:\n  - conv: 8\n    kernel: [3, 0]\n", "4:17", "each of 'kernel'");
    expect_arch("name: x\nlayers:\n  - {depthwise: 3, groups: 2}\n", "3:20", "groups");
    expect_arch("name: x\nlayers:\n  - conv: 8\n    kern: 3\n", "4:5", "kern");
    expect_arch("name: x\nlayers:\n  - relu\n  - conv: 8\n    kernel: 30\n    pad: 0\n", "4:5", "does not fit");
    expect_arch("name: x\ninception:\n  kernels: [9, x]\n", "3:16",
                "each of 'kernels' must be a whole number from 1 to 1024");
    expect_arch("name: x\ninception:\n  kernels: []\n", "3:12", "'kernels' needs 1 to 8 numbers");
    expect_arch("name: x\ninception:\n  depth: 3\n", "3:3", "kernels is missing");
    expect_arch("name: x\ninception: [1]\n", "2:12", "map");
    expect_arch("- 1\n", "1:1", "map");
    expect_arch("name: x\nwidth: 0\nlayers: []\n", "2:8", "width must be a number");
    expect_arch("name: x\nlayers:\n  - residual: []\n", "3:15", "'residual' needs at least one layer");
    expect_arch("name: x\nlayers:\n  - residual: relu\n", "3:15", "residual");
    expect_arch("name: x\nlayers:\n  - relu\n  - residual: [relu, {conv: 4, kern: 3}]\n", "4:32", "kern");
    expect_arch("name: x\nlayers:\n  - residual: [maxpool: 2, {conv: 4, pad: 0}]\n", "3:5", "differ in shape");
    expect_arch("name: x\nlayers:\n  - residual: [relu]\n    kernel: 3\n", "4:5", "kernel");
    expect_arch("name: x\nlayers:\n  - repeat: 0\n    layers: [relu]\n", "3:13", "repeat must be a whole number");
    expect_arch("name: x\nlayers:\n  - repeat: 3\n", "3:5", "layers is missing");
    expect_arch("name: x\nlayers:\n  - repeat: 3\n    layers: [maxpool: 3]\n", "4:14", "does not fit"); /* 20, 6, 2 */
    expect_arch(
        "name: x\nlayers:\n  - repeat: 1000\n    layers: [{repeat: 1000, layers: [{repeat: 1000, layers: []}]}]\n",
        "4:61", "at least one layer");
    expect_arch("name: x\nlayers:\n  - repeat: 1000\n    layers: [{repeat: 1000, layers: [relu]}]\n", "4:38",
                "4096 nodes");
    expect_arch("name: x\nomniscale: 3\n", "2:12", "map");
    expect_arch("name: x\nomniscale: {weights: [100, -1]}\n", "2:28", "each of 'weights'");
    expect_arch("name: x\nomniscale: {largest: 131, weights: [100]}\n", "2:22",
                "largest must be a whole number from 1 to 130");
}
END_TEST

/* ---- files */

static void write_model(const char *path, const QcGraph *g)
{
    QcModelFile m;
    float mean[4] = {0}, deviation[4] = {1, 1, 1, 1};
    char *labels[] = {"a", "b", "c"};
    QcNorm norm = {4, mean, deviation};
    ck_assert_msg(qc_modelfile_init(&m, "small", 4, 1, 10, 3, labels, &norm, &err) == 0, "%s", err.text);
    ck_assert_msg(qc_graph_encode(&m, g, &err) == 0, "%s", err.text);
    ck_assert_msg(qc_modelfile_save(&m, path, &err) == 0, "%s", err.text);
    qc_modelfile_release(&m);
}

START_TEST(graph_round_trip_gives_same_bytes)
{
    QcGraph g, back;
    QcModelFile m;
    char first[64], second[64];
    uint8_t *a, *b;
    size_t na, nb;
    small_graph(&g);
    snprintf(first, sizeof first, "%s/a.qcm", folder);
    snprintf(second, sizeof second, "%s/b.qcm", folder);
    write_model(first, &g);
    ck_assert_int_eq(qc_modelfile_load(&m, first, &err), 0);
    ck_assert_msg(qc_graph_decode(&back, &m, &err) == 0, "%s", err.text);
    ck_assert_mem_eq(back.params, g.params, g.n_params * sizeof *g.params);
    ck_assert_float_eq(back.nodes[5].clip, 6);
    write_model(second, &back);
    ck_assert_int_eq(qc_read_all(first, &a, &na, &err), 0);
    ck_assert_int_eq(qc_read_all(second, &b, &nb, &err), 0);
    ck_assert_uint_eq(na, nb);
    ck_assert_mem_eq(a, b, na);
    free(a);
    free(b);
    qc_modelfile_release(&m);
    qc_graph_release(&g);
    qc_graph_release(&back);
}
END_TEST

/* The section's bytes changed after the checksums' back: whatever comes out must be an error or a graph that holds. */
START_TEST(mutated_sections_are_refused_or_valid)
{
    QcGraph g;
    QcModelFile m;
    QcCursor section;
    char path[64];
    small_graph(&g);
    snprintf(path, sizeof path, "%s/m.qcm", folder);
    write_model(path, &g);
    ck_assert_int_eq(qc_modelfile_load(&m, path, &err), 0);
    ck_assert_int_eq(qc_container_find(&m.container, "graph", &section), 1);
    size_t length = section.length, refused = 0, rounds = 4000;
    uint8_t *bytes = malloc(length);
    memcpy(bytes, section.bytes, length);
    QcRng rng = qc_rng_seed(3, 3);
    for (size_t round = 0; round < rounds; round++) {
        QcWriter w = {0};
        QcGraph back;
        size_t at = round < 800 ? round % length : qc_rng_below(&rng, (uint32_t)length);
        qc_put_bytes(&w, bytes, round % 7 ? length : at); /* now and then cut short */
        if (round % 7) w.bytes[at] ^= (uint8_t)(1 + qc_rng_below(&rng, 255));
        ck_assert_int_eq(qc_container_add(&m.container, "graph", 0, &w, &err), 0);
        if (qc_graph_decode(&back, &m, &err)) {
            refused++;
            ck_assert_int_gt(strlen(err.text), 0);
            continue;
        }
        ck_assert_int_eq(qc_graph_check(&back, &err), 0);
        qc_graph_release(&back);
    }
    ck_assert_uint_gt(refused, rounds / 7);
    free(bytes);
    qc_modelfile_release(&m);
    qc_graph_release(&g);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 0);
    if (!mkdtemp(folder)) return EXIT_FAILURE;
    tcase_add_test(all, node_shapes);
    tcase_add_test(all, builder_errors_name_the_node);
    tcase_add_test(all, check_finds_corrupted_fields);
    tcase_add_test(all, initial_weights_follow_seed_and_fan_in);
    tcase_add_test(all, shipped_architectures_are_read);
    tcase_add_test(all, backbone_parameter_counts_match_papers);
    tcase_add_test(all, shortcut_blocks_are_built);
    tcase_add_test(all, kernels_with_two_dimensions_are_read);
    tcase_add_test(all, arch_errors_have_line_and_column);
    tcase_add_test(all, graph_round_trip_gives_same_bytes);
    tcase_add_test(all, mutated_sections_are_refused_or_valid);
    suite_add_tcase(suite, all);
    int failed = run_suite(suite);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) || failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
