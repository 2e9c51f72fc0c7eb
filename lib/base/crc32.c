#include "crc32.h"

#include <pthread.h>
#if defined __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#endif

#include "digest.h"

/* --- eight bytes at a time, by tables (Kounavis and Berry, 2005) ------------------------------------------------- */

static uint32_t remainders[8][256]; /* [k][byte] CRC of the byte with k zero bytes after it */

static void make_remainders(void)
{
    for (uint32_t n = 0; n < 256; n++) {
        uint8_t byte = (uint8_t)n;
        remainders[0][n] = ~qc_crc32_add(UINT32_MAX, &byte, 1); /* the CRC without its inversions */
    }
    for (int k = 1; k < 8; k++)
        for (uint32_t n = 0; n < 256; n++)
            remainders[k][n] = remainders[k - 1][n] >> 8 ^ remainders[0][remainders[k - 1][n] & 255];
}

static uint32_t four(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint32_t add_by_tables(uint32_t crc, const uint8_t *in, size_t length)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_remainders);
    crc = ~crc;
    for (; length >= 8; in += 8, length -= 8) {
        uint32_t a = crc ^ four(in), b = four(in + 4);
        crc = remainders[7][a & 255] ^ remainders[6][a >> 8 & 255] ^ remainders[5][a >> 16 & 255] ^
              remainders[4][a >> 24] ^ remainders[3][b & 255] ^ remainders[2][b >> 8 & 255] ^
              remainders[1][b >> 16 & 255] ^ remainders[0][b >> 24];
    }
    return qc_crc32_add(~crc, in, length);
}

#if defined __x86_64__

/* --- by carry-less products (Gopal et al., Intel, 2009) ----------------------------------------------------------
 *
 * A remainder of 128 bits moves over n bits of the input if each half is multiplied by x^n mod P. Four remainders move
 * over 512 bits at a time, side by side, are folded into one, and this into 32 bits. Bits are reflected, as in the CRC.
 */
enum { FOLDED = 64 /* bytes that are folded at a time */ };

__attribute__((target("pclmul,sse4.1"))) static inline __m128i fold(__m128i x, __m128i by, __m128i next)
{
    return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(x, by, 0x00), _mm_clmulepi64_si128(x, by, 0x11)), next);
}

static inline __m128i load(const uint8_t *at) { return _mm_loadu_si128((const __m128i *)(const void *)at); }

/* length: at least FOLDED bytes, a multiple of 16. crc: without its last inversion. */
__attribute__((target("pclmul,sse4.1"))) static uint32_t fold_all(uint32_t crc, const uint8_t *in, size_t length)
{
    const __m128i over_512 = _mm_set_epi64x(0x1c6e41596, 0x154442bd4),
                  over_128 = _mm_set_epi64x(0xccaa009e, 0x1751997d0), over_64 = _mm_set_epi64x(0, 0x163cd6124),
                  barrett = _mm_set_epi64x(0x1f7011641, 0x1db710641), low = _mm_set_epi32(0, -1, 0, -1);
    __m128i x[4];
    for (int k = 0; k < 4; k++) x[k] = load(in + 16 * k);
    x[0] = _mm_xor_si128(x[0], _mm_cvtsi32_si128((int)crc));
    for (in += FOLDED, length -= FOLDED; length >= FOLDED; in += FOLDED, length -= FOLDED)
        for (int k = 0; k < 4; k++) x[k] = fold(x[k], over_512, load(in + 16 * k));
    for (int k = 1; k < 4; k++) x[0] = fold(x[0], over_128, x[k]);
    for (; length; in += 16, length -= 16) x[0] = fold(x[0], over_128, load(in));
    /* 128 bits to 64, to 32, and the remainder by Barrett's reduction */
    __m128i y = _mm_xor_si128(_mm_srli_si128(x[0], 8), _mm_clmulepi64_si128(x[0], over_128, 0x10));
    y = _mm_xor_si128(_mm_srli_si128(y, 4), _mm_clmulepi64_si128(_mm_and_si128(y, low), over_64, 0x00));
    __m128i quotient = _mm_and_si128(_mm_clmulepi64_si128(_mm_and_si128(y, low), barrett, 0x10), low);
    y = _mm_xor_si128(y, _mm_clmulepi64_si128(quotient, barrett, 0x00));
    return (uint32_t)_mm_extract_epi32(y, 1);
}

/* PCLMULQDQ and SSE4.1 are bits 1 and 19 of ECX of leaf 1. */
static int has_products(void)
{
    static int known; /* 1 no, 2 yes; threads that test at the same time store the same value */
    int answer = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (!answer) {
        unsigned a, b, c, d;
        answer = __get_cpuid(1, &a, &b, &c, &d) && (c >> 1 & 1) && (c >> 19 & 1) ? 2 : 1;
        __atomic_store_n(&known, answer, __ATOMIC_RELAXED);
    }
    return answer == 2;
}

#endif

uint32_t qc_crc32_more(uint32_t crc, const void *bytes, size_t length)
{
    const uint8_t *in = bytes;
#if defined __x86_64__
    size_t folded = length / 16 * 16;
    if (folded >= FOLDED && !qc_digest_plain && has_products()) {
        crc = ~fold_all(~crc, in, folded);
        in += folded;
        length -= folded;
    }
#endif
    return add_by_tables(crc, in, length);
}

uint32_t qc_crc32(const void *bytes, size_t length) { return qc_crc32_more(0, bytes, length); }
