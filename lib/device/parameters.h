/* parameters.h - the parameters of the learner in one table: qc-calibrate --tune, the state's identity, exported C and
 * the manual are made from it.
 *
 * A row: X(type, name, default at 2, 4 and 8 bits, smallest, largest, meaning). The types are float and uint32_t. A
 * value that no user needs and no experiment varies is a constant beside the code that uses it.
 */
#ifndef QC_DEVICE_PARAMETERS_H
#define QC_DEVICE_PARAMETERS_H

#include <stdint.h>

#define QC_PARAMETERS(X)                                                                                               \
    X(float, prior_count, 3, 3, 3, 0.01f, 1e6f, "labelled windows that the source mean of a class counts as")          \
    X(uint32_t, average_window, 64, 64, 64, 0, 1000000, "latest windows of a class that its mean follows; 0: all")     \
    X(float, ridge, 0.03f, 0.03f, 0.03f, 1e-6f, 1e6f, "ridge of the scatter, in means of its diagonal")                \
    X(float, temperature_loss, 0.03f, 0.015f, 0.006f, 0, 100, "loss at which the logits are large enough")             \
    X(float, few_class_threshold, 0.5f, 0.5f, 0.5f, 0, 1, "share of the classes up to which a batch has few; 0: none") \
    X(float, stacking_bias, 0.7f, 0.7f, 0.7f, 0, 1, "share of the margin that shown classes lose to unseen ones")      \
    X(float, guard, 0.1f, 0.1f, 0.1f, 0, 1, "loss of accuracy on kept examples that adapt accepts")                    \
    X(uint32_t, update, 1, 1, 1, 0, 3, "coreset rule: 0 misses, 1 balanced, 2 random, 3 reservoir")                    \
    X(uint32_t, ask, 0, 0, 0, 0, 4, "rule of asking: 0 cover, 1 margin, 2 entropy, 3 random, 4 k-center")              \
    X(float, guess_weight, 0.3f, 0.3f, 0.3f, 0, 1, "weight of a window without a label, in labelled ones; 0: none")    \
    X(float, guess_temperature, 4, 4, 4, 0.1f, 1000,                                                                   \
      "temperature of the classes that such windows are guessed to be of")                                             \
    X(float, first_trust, 0, 0, 0, 0, 100,                                                                             \
      "trust in guessed classes before labels have come; 0: without labels nothing is learned")                        \
    X(uint32_t, rounds, 20, 20, 20, 0, 10000, "flips: proposals per batch, at most")                                   \
    X(float, stop_loss, 0.3f, 0.3f, 0.3f, 0, 100, "flips: loss at which no more are proposed")                         \
    X(float, skip_flips, 0.9f, 0.9f, 0.9f, 0, 1, "flips: accuracy of a new batch that skips them; 0: never")           \
    X(float, first_share, 0.01f, 0.05f, 0.2f, 1e-6f, 1, "flips: share of the weights in the first proposal")           \
    X(float, largest_share, 0.3f, 1, 1, 1e-6f, 10, "flips: largest share of the weights")                              \
    X(uint32_t, block_sample, 20480, 20480, 20480, 1, 1000000000,                                                      \
      "flips: weights whose statistic is held at once (9 bytes each)")

typedef struct QcParameters {
#define QC_PARAMETER_FIELD(type, name, at2, at4, at8, low, high, meaning) type name;
    QC_PARAMETERS(QC_PARAMETER_FIELD)
#undef QC_PARAMETER_FIELD
} QcParameters;

/* weight_bits: 2, 4 or 8 (anything else is taken for 8). */
static inline QcParameters qc_parameters_default(int weight_bits)
{
    return (QcParameters){
#define QC_PARAMETER_DEFAULT(type, name, at2, at4, at8, low, high, meaning) \
    .name = weight_bits == 2 ? (type)(at2) : weight_bits == 4 ? (type)(at4) : (type)(at8),
        QC_PARAMETERS(QC_PARAMETER_DEFAULT)
#undef QC_PARAMETER_DEFAULT
    };
}

#endif
