/* rng.h - random numbers that are the same on every processor.
 *
 * xoshiro256** (Blackman and Vigna, 2018) seeded by splitmix64; integers only, so lib/device may use it. One stream a
 * purpose: qc_rng_seed(seed, stream) with a different `stream` gives an independent sequence.
 * qc_hash64 is the counter-based form: a value that depends on its arguments alone.
 */
#ifndef QC_BASE_RNG_H
#define QC_BASE_RNG_H

#include <stdint.h>

typedef struct QcRng {
    uint64_t s[4];
} QcRng;

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

/* Uniform in 0 .. n-1 (n > 0), without modulo bias to speak of (Lemire's multiplication). */
static inline uint32_t qc_rng_below(QcRng *rng, uint32_t n)
{
    return (uint32_t)(((qc_rng_next(rng) >> 32) * n) >> 32);
}

/* Uniform in [0, 1), 24 bits, exact in float. */
static inline float qc_rng_unit(QcRng *rng) { return (float)(qc_rng_next(rng) >> 40) * 0x1p-24f; }

/* Standard normal: the host's only (libm). */
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
