/* rng.h - random numbers that are the same on every processor.
 *
 * xoshiro256** (Blackman and Vigna, 2018) seeded by splitmix64; integers only, so lib/device may use it. One stream per
 * purpose: qc_rng_seed(seed, stream) with a different `stream` gives an independent sequence.
 * qc_hash64 is the counter-based form: a value that depends on its arguments alone.
 */
#ifndef QC_BASE_RNG_H
#define QC_BASE_RNG_H

#include <stdint.h>

typedef struct QcRng {
    uint64_t s[4];
} QcRng;

/* All streams. A name that ends in 0 is the first of a family: the index of its use is added. Never change a
 * value: results would change. */
typedef enum QcStream {
    /* a seed per use */
    QC_STREAM_BLOCKS = 0,         /* device: blocks of weights of a statistic; the seed is drawn */
    QC_STREAM_REHEARSAL = 0,      /* lab: passes over batch and slots; the seed is drawn */
    /* qc-calibrate, the device */
    QC_STREAM_BATCH0 = 0,         /* + batch */
    QC_STREAM_SLOTS = 71,         /* slots of methods off the device */
    QC_STREAM_SPSA = 73,          /* signs and minibatches */
    QC_STREAM_REPLAY = 83,        /* shuffles of rehearsal */
    QC_STREAM_BATCHES = 0x57eea,  /* order of a stream's examples */
    /* qc-train */
    QC_STREAM_NODE0 = 0,          /* + node: its first weights */
    QC_STREAM_EPOCH0 = 0,         /* + epoch: its shuffle */
    /* qc-quantize */
    QC_STREAM_HELD = 53,          /* held-out windows */
    QC_STREAM_TUNING = 71,        /* shuffles */
    QC_STREAM_AUGMENT = 97,       /* drifts of augmentation */
    /* qc-bitflip-train, and qc-synth -d, which must not make the subjects that the network was trained on */
    QC_STREAM_FLIPNET = 99,       /* first weights and shuffles */
    QC_STREAM_SUBJECT0 = 1000,    /* + subject, up to 305 */
    QC_STREAM_SIMULATED0 = 1306,  /* + subject of qc-synth -d, up to 998 */
    QC_STREAM_FEEDBACK0 = 5000,   /* + subject, up to 9999 */
    QC_STREAM_SUBJECT306 = 100000, /* + subject - 306, for subjects from 306 */
    /* qc-split */
    QC_STREAM_SPLIT = 0x5b117
} QcStream;

/* Too large for an enum: random asking, + number of the next window; examples of qc-coreset; examples that qc-train
 * --valid holds out. */
#define QC_STREAM_ASK0 UINT64_C(0x61736b00000000)
#define QC_STREAM_CORESET UINT64_C(0x73616d706c65)
#define QC_STREAM_VALIDATION UINT64_C(0x76616c6964)

static inline uint64_t qc_mix64(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline uint64_t qc_hash64(uint64_t key, uint64_t counter)
{
    return qc_mix64(qc_mix64(key + 0x9e3779b97f4a7c15u) + counter * 0x9e3779b97f4a7c15u);
}

static inline QcRng qc_rng_seed(uint64_t seed, uint64_t stream)
{
    QcRng rng;
    for (int i = 0; i < 4; i++) rng.s[i] = qc_hash64(seed ^ qc_mix64(stream + 1), (uint64_t)i + 1);
    return rng;
}

static inline uint64_t qc_rotl64(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

static inline uint64_t qc_rng_next(QcRng *rng)
{
    uint64_t *s = rng->s, result = qc_rotl64(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = qc_rotl64(s[3], 45);
    return result;
}

/* Uniform in 0 .. n-1 (n > 0), with a bias below 2^-32 n (Lemire's multiplication). */
static inline uint32_t qc_rng_below(QcRng *rng, uint32_t n)
{
    return (uint32_t)(((qc_rng_next(rng) >> 32) * n) >> 32);
}

/* Uniform in [0, 1), 24 bits, exact in float. */
static inline float qc_rng_unit(QcRng *rng) { return (float)(qc_rng_next(rng) >> 40) * 0x1p-24f; }

/* Standard normal; host only, since it needs libm. */
double qc_rng_normal(QcRng *rng);

/* Shuffles items[0..n-1] (Fisher-Yates). */
static inline void qc_rng_shuffle(QcRng *rng, uint32_t *items, uint32_t n)
{
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = qc_rng_below(rng, i), t = items[i - 1];
        items[i - 1] = items[j];
        items[j] = t;
    }
}

#endif
