/* Reading architectures: what is built of them, and where an error is. */
#include <stdio.h>
#include <string.h>

#include "suite.h"
#include "../../lib/nn/arch.h"

#include "scratch.h"

static QcErr err;

static void expect(int status, const char *words)
{
    ck_assert_int_eq(status, -1);
    ck_assert_msg(strstr(err.text, words) != NULL, "'%s' should say '%s'", err.text, words);
}

static const char *written(const char *text) { return scratch_text("arch.yaml", text); }

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

int main(void)
{
    Suite *suite = suite_create("arch");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, scratch_make, scratch_remove);
    tcase_add_test(all, shipped_architectures_are_read);
    tcase_add_test(all, backbone_parameter_counts_match_papers);
    tcase_add_test(all, shortcut_blocks_are_built);
    tcase_add_test(all, kernels_with_two_dimensions_are_read);
    tcase_add_test(all, arch_errors_have_line_and_column);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
