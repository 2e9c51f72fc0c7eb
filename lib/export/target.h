/* target.h - what a quantized model costs on a microcontroller: instructions of a window and of an adapt, estimated
 * from the layers by coefficients that QEMU's counts gave (tests/bench/target.sh).
 *
 * An estimate is a sum over the layers: amount of work of a kind times the target's coefficient of that kind. Time is
 * instructions times cycles per instruction over the clock. QEMU counts instructions, not cycles: cycles per
 * instruction of a target are a rule of thumb, and depend on the flash's wait states most of all.
 */
#ifndef QC_EXPORT_TARGET_H
#define QC_EXPORT_TARGET_H

#include "../base/err.h"
#include "../device/frontend.h"
#include "../device/learner.h"

/* Coefficients: instructions per unit of work, but the last four. The name is also the key in a YAML file. */
#define QC_TARGET_WORK(X)                                                                      \
    X(conv_multiply, "multiply-add of a convolution")                                          \
    X(conv_value, "output value of a convolution")                                             \
    X(conv_run, "run of neighbouring inputs that an output value of a convolution reads")      \
    X(conv_input, "input byte that is copied or widened for a convolution")                    \
    X(conv_channel, "output channel of a convolution, each time that its weights are read")    \
    X(conv_unpack_8, "weight of 8 bits that is unpacked for a convolution")                    \
    X(conv_unpack_4, "the same of 4 bits")                                                     \
    X(conv_unpack_2, "the same of 2 bits")                                                     \
    X(depthwise_multiply, "multiply-add of a depthwise convolution")                           \
    X(depthwise_value, "output value of a depthwise convolution")                              \
    X(depthwise_weight, "weight of a depthwise convolution")                                   \
    X(dense_multiply_8, "multiply-add of a dense layer of 8 bits")                             \
    X(dense_multiply_4, "the same of 4 bits")                                                  \
    X(dense_multiply_2, "the same of 2 bits")                                                  \
    X(dense_value, "output value of a dense layer")                                            \
    X(pad_byte, "byte of a padded input")                                                      \
    X(maximum, "value that a maximum pool compares")                                           \
    X(maximum_row, "row of values that a maximum pool compares")                               \
    X(average, "value that a pool of means adds")                                              \
    X(average_value, "output value of a pool of means")                                        \
    X(mean, "input value of a global mean")                                                    \
    X(deviation, "input value of a standard deviation")                                        \
    X(deviation_value, "channel of a standard deviation")                                      \
    X(add, "output value of an addition or a product")                                         \
    X(copy, "value that is copied, looked up or put in another order")                         \
    X(copy_layer, "layer that copies, whose codes have a table")                               \
    X(node, "layer")                                                                           \
    X(quantize, "raw value that is quantized")                                                 \
    X(adapt_scatter, "element of a scatter matrix to which an example is added")               \
    X(adapt_factor, "multiply-add of the matrix's factorization")                              \
    X(adapt_weight, "element of the matrix that a class's weights are multiplied by")          \
    X(adapt_row, "row of the matrix, each time that the two kinds of work above read it")      \
    X(adapt_logit, "multiply-add of an example's logits in an adapt")                          \
    X(adapt_exponential, "class of an example whose loss is taken at a temperature")           \
    X(front_sample, "sample that goes into a front-end")                                       \
    X(front_point, "point of a frame's Fourier transform, window and split included")          \
    X(front_butterfly, "butterfly of the transform")                                           \
    X(front_bin, "bin of the spectrum that a band adds")                                       \
    X(front_band, "band, its logarithm included")                                              \
    X(front_dct, "multiply-add of a coefficient")                                              \
    X(cycles_per_instruction, "cycles that an instruction takes, on the mean")                 \
    X(code_predict, "bytes of code of a firmware that predicts")                               \
    X(code_learn, "bytes of code of a firmware that learns by the last layer")                 \
    X(code_flips, "bytes of code of a firmware that also flips bits")

typedef enum QcTargetKind {
#define QC_TARGET_ENUM(name, what) QC_TARGET_##name,
    QC_TARGET_WORK(QC_TARGET_ENUM)
#undef QC_TARGET_ENUM
    QC_TARGET_COUNT
} QcTargetKind;

/* How the core multiplies: lib/kernels/scalar.c, cortexm_dsp.c or cortexm_mve.c. */
typedef enum QcTargetKernels { QC_TARGET_SCALAR, QC_TARGET_DSP, QC_TARGET_MVE } QcTargetKernels;

typedef struct QcTarget {
    char name[64];
    QcTargetKernels kernels;
    double mhz; /* 0: not given */
    double c[QC_TARGET_COUNT];
} QcTarget;

/* text: "cortex-m4", "cortex-m4@64MHz", "own.yaml" or "own.yaml@64MHz". Wrong use: an unknown name (the message has
 * the known ones), a bad clock. QC_EFORMAT: a YAML file with an unknown key or value. */
int qc_target_open(QcTarget *t, const char *text, QcErr *err);

/* Instructions of quantizing a window of raw values, of predicting it, and of each layer alone: layer [g->n_nodes] or
 * NULL. */
double qc_target_quantize(const QcTarget *t, const QcQGraph *g);
double qc_target_predict(const QcTarget *t, const QcQGraph *g, double *layer);

/* Instructions of a frame of a front-end, its `hop` samples included. */
double qc_target_front(const QcTarget *t, const QcFrontEnd *f);

/* Instructions of an adapt without flips, with a coreset of that many examples and that many labelled windows, if the
 * classes lie apart; few-bit codes of others take more trials. */
double qc_target_adapt(const QcTarget *t, const QcQGraph *g, uint32_t coreset, uint32_t windows);

#endif
