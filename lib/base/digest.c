#include "digest.h"

#include <string.h>
#if defined __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#endif

int qc_digest_plain;

static const uint32_t round_constant[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static inline uint32_t rotate(uint32_t x, int k) { return (x >> k) | (x << (32 - k)); }

static void compress_block(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[64];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 |
               block[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >> 3);
        uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >> 10);
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6],
             h = state[7];
    for (int i = 0; i < 64; i++) {
        uint32_t t1 =
            h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + round_constant[i] + w[i];
        uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + t1;
        d = c, c = b, b = a, a = t1 + t2;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

#if defined __x86_64__

/* Intel, SHA extensions: the instructions take the state as ABEF and CDGH, and do two rounds at a time. */
__attribute__((target("sha,sse4.1,ssse3"))) static void compress_x86(uint32_t state[8], const uint8_t *in,
                                                                     size_t blocks)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1),            /* CDAB */
        high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b),         /* EFGH */
        abef = _mm_alignr_epi8(low, high, 8), cdgh = _mm_blend_epi16(high, low, 0xf0);
    for (; blocks--; in += 64) {
        __m128i w[4], abef_before = abef, cdgh_before = cdgh;
        for (int k = 0; k < 4; k++)
            w[k] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(in + 16 * k)), swap);
#pragma GCC unroll 16
        for (int k = 0; k < 16; k++) {
            __m128i x = w[k % 4];
            if (k >= 4) {
                __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(x, w[(k + 1) % 4]),
                                            _mm_alignr_epi8(w[(k + 3) % 4], w[(k + 2) % 4], 4));
                x = w[k % 4] = _mm_sha256msg2_epu32(sum, w[(k + 3) % 4]);
            }
            x = _mm_add_epi32(x, _mm_loadu_si128((const __m128i *)(round_constant + 4 * k)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, x);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(x, 0x0e));
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    low = _mm_shuffle_epi32(abef, 0x1b);  /* FEBA */
    high = _mm_shuffle_epi32(cdgh, 0xb1); /* DCHG */
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(low, high, 0xf0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

/* Bit 29 of EBX of leaf 7; SSSE3 and SSE4.1 are bits 9 and 19 of ECX of leaf 1. */
static int has_sha(void)
{
    static int known; /* 1 no, 2 yes; threads that ask at the same time find the same */
    int answer = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (!answer) {
        unsigned a, b, c, d, e;
        int sse = __get_cpuid(1, &a, &b, &c, &d) && (c >> 9 & 1) && (c >> 19 & 1);
        answer = sse && __get_cpuid_count(7, 0, &a, &b, &e, &d) && (b >> 29 & 1) ? 2 : 1;
        __atomic_store_n(&known, answer, __ATOMIC_RELAXED);
    }
    return answer == 2;
}

#endif

static void compress(uint32_t state[8], const uint8_t *in, size_t blocks)
{
#if defined __x86_64__
    if (!qc_digest_plain && has_sha()) {
        compress_x86(state, in, blocks);
        return;
    }
#endif
    for (; blocks--; in += 64) compress_block(state, in);
}

void qc_digest_init(QcDigest *d)
{
    *d = (QcDigest){
        .state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void qc_digest_add(QcDigest *d, const void *bytes, size_t length)
{
    const uint8_t *in = bytes;
    size_t used = d->length % 64;
    d->length += length;
    if (used) {
        size_t piece = length < 64 - used ? length : 64 - used;
        if (piece) memcpy(d->block + used, in, piece);
        if (used + piece < 64) return;
        compress(d->state, d->block, 1);
        in += piece;
        length -= piece;
    }
    compress(d->state, in, length / 64);
    if (length % 64) memcpy(d->block, in + length / 64 * 64, length % 64);
}

void qc_digest_end(const QcDigest *d, uint8_t out[QC_DIGEST_BYTES])
{
    QcDigest last = *d;
    uint64_t bits = d->length * 8;
    uint8_t tail[72] = {0x80};
    size_t padding = (d->length % 64 < 56 ? 56 : 120) - d->length % 64;
    for (int i = 0; i < 8; i++) tail[padding + i] = (uint8_t)(bits >> (56 - 8 * i));
    qc_digest_add(&last, tail, padding + 8);
    for (int i = 0; i < 32; i++) out[i] = (uint8_t)(last.state[i / 4] >> (24 - 8 * (i % 4)));
}

uint64_t qc_digest_first(const uint8_t *digest)
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++) number = number << 8 | digest[i];
    return number;
}

uint64_t qc_digest_number(const QcDigest *d)
{
    uint8_t digest[QC_DIGEST_BYTES];
    qc_digest_end(d, digest);
    return qc_digest_first(digest);
}

void qc_digest(uint8_t out[QC_DIGEST_BYTES], const void *bytes, size_t length)
{
    QcDigest d;
    qc_digest_init(&d);
    qc_digest_add(&d, bytes, length);
    qc_digest_end(&d, out);
}

void qc_digest_text(char out[QC_DIGEST_TEXT], const uint8_t digest[QC_DIGEST_BYTES])
{
    static const char hex[] = "0123456789abcdef";
    for (int i = 0; i < QC_DIGEST_BYTES; i++) {
        out[2 * i] = hex[digest[i] >> 4];
        out[2 * i + 1] = hex[digest[i] & 15];
    }
    out[2 * QC_DIGEST_BYTES] = 0;
}
