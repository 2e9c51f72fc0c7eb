/* layers.h - the layers that bench-cortexm counts: kernels of InceptionTime, and all layers of MLPerf Tiny's four
 * networks (Banbury et al., 2021). The names are the names in cortexm.tsv. */
#ifndef QC_BENCH_LAYERS_H
#define QC_BENCH_LAYERS_H

#include <stdint.h>

enum { CONVOLUTION, DEPTHWISE, DENSE };

typedef struct Layer {
    const char *name;
    uint8_t kind;
    /* the last four: padding */
    uint16_t height, width, inputs, kernel_h, kernel_w, outputs, stride, top, bottom, left, right;
} Layer;

static const Layer layers[] = {
    {"k39_32-32_125", CONVOLUTION, 1, 125, 32, 1, 39, 32, 1, 0, 0, 19, 19},
    {"k19_32-32_125", CONVOLUTION, 1, 125, 32, 1, 19, 32, 1, 0, 0, 9, 9},
    {"k9_32-32_125", CONVOLUTION, 1, 125, 32, 1, 9, 32, 1, 0, 0, 4, 4},
    {"1x1_128-32_125", CONVOLUTION, 1, 125, 128, 1, 1, 32, 1, 0, 0, 0, 0},
    {"k39_16-16_125", CONVOLUTION, 1, 125, 16, 1, 39, 16, 1, 0, 0, 19, 19},
    {"k19_16-16_125", CONVOLUTION, 1, 125, 16, 1, 19, 16, 1, 0, 0, 9, 9},
    {"k9_16-16_125", CONVOLUTION, 1, 125, 16, 1, 9, 16, 1, 0, 0, 4, 4},
    {"1x1_45-16_125", CONVOLUTION, 1, 125, 45, 1, 1, 16, 1, 0, 0, 0, 0},
    {"1x1_64-16_125", CONVOLUTION, 1, 125, 64, 1, 1, 16, 1, 0, 0, 0, 0},
    {"1x1_45-64_125", CONVOLUTION, 1, 125, 45, 1, 1, 64, 1, 0, 0, 0, 0},
    {"3x3_16-16_32x32", CONVOLUTION, 32, 32, 16, 3, 3, 16, 1, 1, 1, 1, 1},
    {"1x1_64-64_25x5", CONVOLUTION, 25, 5, 64, 1, 1, 64, 1, 0, 0, 0, 0},
    {"10x4_1-64_49x10s2", CONVOLUTION, 49, 10, 1, 10, 4, 64, 2, 4, 5, 1, 1},
    {"dw3x3_64_25x5", DEPTHWISE, 25, 5, 64, 3, 3, 64, 1, 1, 1, 1, 1},
    {"fc_64-12", DENSE, 1, 1, 64, 1, 1, 12, 1, 0, 0, 0, 0},
    {"fc_640-128", DENSE, 1, 1, 640, 1, 1, 128, 1, 0, 0, 0, 0},
    {"dscnn/0", CONVOLUTION, 49, 10, 1, 10, 4, 64, 2, 4, 5, 1, 1},
    {"dscnn/1", DEPTHWISE, 25, 5, 64, 3, 3, 64, 1, 1, 1, 1, 1},
    {"dscnn/2", CONVOLUTION, 25, 5, 64, 1, 1, 64, 1, 0, 0, 0, 0},
    {"dscnn/3", DEPTHWISE, 25, 5, 64, 3, 3, 64, 1, 1, 1, 1, 1},
    {"dscnn/4", CONVOLUTION, 25, 5, 64, 1, 1, 64, 1, 0, 0, 0, 0},
    {"dscnn/5", DEPTHWISE, 25, 5, 64, 3, 3, 64, 1, 1, 1, 1, 1},
    {"dscnn/6", CONVOLUTION, 25, 5, 64, 1, 1, 64, 1, 0, 0, 0, 0},
    {"dscnn/7", DEPTHWISE, 25, 5, 64, 3, 3, 64, 1, 1, 1, 1, 1},
    {"dscnn/8", CONVOLUTION, 25, 5, 64, 1, 1, 64, 1, 0, 0, 0, 0},
    {"dscnn/9", DENSE, 1, 1, 64, 1, 1, 12, 1, 0, 0, 0, 0},
    {"resnet8/10", CONVOLUTION, 32, 32, 3, 3, 3, 16, 1, 1, 1, 1, 1},
    {"resnet8/11", CONVOLUTION, 32, 32, 16, 3, 3, 16, 1, 1, 1, 1, 1},
    {"resnet8/12", CONVOLUTION, 32, 32, 16, 3, 3, 16, 1, 1, 1, 1, 1},
    {"resnet8/13", CONVOLUTION, 32, 32, 16, 3, 3, 32, 2, 0, 1, 0, 1},
    {"resnet8/14", CONVOLUTION, 16, 16, 32, 3, 3, 32, 1, 1, 1, 1, 1},
    {"resnet8/15", CONVOLUTION, 32, 32, 16, 1, 1, 32, 2, 0, 0, 0, 0},
    {"resnet8/16", CONVOLUTION, 16, 16, 32, 3, 3, 64, 2, 0, 1, 0, 1},
    {"resnet8/17", CONVOLUTION, 8, 8, 64, 3, 3, 64, 1, 1, 1, 1, 1},
    {"resnet8/18", CONVOLUTION, 16, 16, 32, 1, 1, 64, 2, 0, 0, 0, 0},
    {"resnet8/19", DENSE, 1, 1, 64, 1, 1, 10, 1, 0, 0, 0, 0},
    {"mobilenet/20", CONVOLUTION, 96, 96, 3, 3, 3, 8, 2, 0, 1, 0, 1},
    {"mobilenet/21", DEPTHWISE, 48, 48, 8, 3, 3, 8, 1, 1, 1, 1, 1},
    {"mobilenet/22", CONVOLUTION, 48, 48, 8, 1, 1, 16, 1, 0, 0, 0, 0},
    {"mobilenet/23", DEPTHWISE, 48, 48, 16, 3, 3, 16, 2, 0, 1, 0, 1},
    {"mobilenet/24", CONVOLUTION, 24, 24, 16, 1, 1, 32, 1, 0, 0, 0, 0},
    {"mobilenet/25", DEPTHWISE, 24, 24, 32, 3, 3, 32, 1, 1, 1, 1, 1},
    {"mobilenet/26", CONVOLUTION, 24, 24, 32, 1, 1, 32, 1, 0, 0, 0, 0},
    {"mobilenet/27", DEPTHWISE, 24, 24, 32, 3, 3, 32, 2, 0, 1, 0, 1},
    {"mobilenet/28", CONVOLUTION, 12, 12, 32, 1, 1, 64, 1, 0, 0, 0, 0},
    {"mobilenet/29", DEPTHWISE, 12, 12, 64, 3, 3, 64, 1, 1, 1, 1, 1},
    {"mobilenet/30", CONVOLUTION, 12, 12, 64, 1, 1, 64, 1, 0, 0, 0, 0},
    {"mobilenet/31", DEPTHWISE, 12, 12, 64, 3, 3, 64, 2, 0, 1, 0, 1},
    {"mobilenet/32", CONVOLUTION, 6, 6, 64, 1, 1, 128, 1, 0, 0, 0, 0},
    {"mobilenet/33", DEPTHWISE, 6, 6, 128, 3, 3, 128, 1, 1, 1, 1, 1},
    {"mobilenet/34", CONVOLUTION, 6, 6, 128, 1, 1, 128, 1, 0, 0, 0, 0},
    {"mobilenet/35", DEPTHWISE, 6, 6, 128, 3, 3, 128, 1, 1, 1, 1, 1},
    {"mobilenet/36", CONVOLUTION, 6, 6, 128, 1, 1, 128, 1, 0, 0, 0, 0},
    {"mobilenet/37", DEPTHWISE, 6, 6, 128, 3, 3, 128, 1, 1, 1, 1, 1},
    {"mobilenet/38", CONVOLUTION, 6, 6, 128, 1, 1, 128, 1, 0, 0, 0, 0},
    {"mobilenet/39", DEPTHWISE, 6, 6, 128, 3, 3, 128, 1, 1, 1, 1, 1},
    {"mobilenet/40", CONVOLUTION, 6, 6, 128, 1, 1, 128, 1, 0, 0, 0, 0},
    {"mobilenet/41", DEPTHWISE, 6, 6, 128, 3, 3, 128, 1, 1, 1, 1, 1},
    {"mobilenet/42", CONVOLUTION, 6, 6, 128, 1, 1, 128, 1, 0, 0, 0, 0},
    {"mobilenet/43", DEPTHWISE, 6, 6, 128, 3, 3, 128, 2, 0, 1, 0, 1},
    {"mobilenet/44", CONVOLUTION, 3, 3, 128, 1, 1, 256, 1, 0, 0, 0, 0},
    {"mobilenet/45", DEPTHWISE, 3, 3, 256, 3, 3, 256, 1, 1, 1, 1, 1},
    {"mobilenet/46", CONVOLUTION, 3, 3, 256, 1, 1, 256, 1, 0, 0, 0, 0},
    {"mobilenet/47", DENSE, 1, 1, 256, 1, 1, 2, 1, 0, 0, 0, 0},
    {"ae/48", DENSE, 1, 1, 640, 1, 1, 128, 1, 0, 0, 0, 0},
    {"ae/49", DENSE, 1, 1, 128, 1, 1, 128, 1, 0, 0, 0, 0},
    {"ae/50", DENSE, 1, 1, 128, 1, 1, 128, 1, 0, 0, 0, 0},
    {"ae/51", DENSE, 1, 1, 128, 1, 1, 128, 1, 0, 0, 0, 0},
    {"ae/52", DENSE, 1, 1, 128, 1, 1, 8, 1, 0, 0, 0, 0},
    {"ae/53", DENSE, 1, 1, 8, 1, 1, 128, 1, 0, 0, 0, 0},
    {"ae/54", DENSE, 1, 1, 128, 1, 1, 128, 1, 0, 0, 0, 0},
    {"ae/55", DENSE, 1, 1, 128, 1, 1, 128, 1, 0, 0, 0, 0},
    {"ae/56", DENSE, 1, 1, 128, 1, 1, 128, 1, 0, 0, 0, 0},
    {"ae/57", DENSE, 1, 1, 128, 1, 1, 640, 1, 0, 0, 0, 0},
};

#endif
