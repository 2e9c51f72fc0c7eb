/* cortexm_mvelinear.c - dense layers on Cortex-M55 and M85, straight from packed codes. */
#include "kernels.h"

#if defined __ARM_FEATURE_MVE && __ARM_ARCH_PROFILE == 'M'

#include "cortexm_mve.h"
#include "mem.h"

#define MVE_INLINE static inline __attribute__((always_inline))

/* Sixteen bytes of codes are multiplied by 8 / bits vectors of inputs, which lie one after another: the p-th has those
 * of the codes p, p + 8 / bits and so on, bits p * bits and the following of the bytes. In a byte that is shifted up
 * and masked so that a code is its highest bits, the code counts 2^(8-bits) times. */

/* Multiplies a vector of inputs by two rows of codes, which are in q0 and q3. UP shifts the codes of a row into the
 * highest bits of their bytes. */
#define INPUTS(UP)                                                                                            \
    "vldrb.8 q1, [%[x]], #16\n\t" UP("q0") "vmladava.s8 %[a], q1, q2\n\tvaddva.s8 %[b], q2\n\t" UP("q3") \
    "vmladava.s8 %[c], q1, q2\n\tvaddva.s8 %[d], q2\n\t"
#define UP2(ROW) "vshl.i8 q2, " ROW ", #2\n\tvand q2, q2, q7\n\t" /* q7: mask */
#define UP4(ROW) "vshl.i8 q2, " ROW ", #4\n\tvand q2, q2, q7\n\t"
#define LAST4(ROW) "vshl.i8 q2, " ROW ", #4\n\t" /* the lowest codes: no others are left */
#define LAST6(ROW) "vshl.i8 q2, " ROW ", #6\n\t"
#define FIRST(ROW) "vand q2, " ROW ", q7\n\t"
#define MULTIPLY(MASK, TEXT)                                                                                           \
    __asm__ volatile(MASK "dlstp.8 lr, %[n]\n1:\n\tvldrb.8 q0, [%[w]], #16\n\tvldrb.8 q3, [%[w1]], #16\n\t" TEXT       \
                          "letp lr, 1b"                                                                                \
                     : [a] "+Te"(a), [b] "+Te"(b), [c] "+Te"(c), [d] "+Te"(d), [w] "+r"(w), [w1] "+r"(w1), [x] "+r"(x) \
                     : [n] "r"(n)                                                                                      \
                     : "q0", "q1", "q2", "q3", "q7", "r14", "cc", "memory")

/* Sums of (x - zero) * code of two rows of n bytes. in_byte is a constant at each call. */
MVE_INLINE void two_rows(int32_t sum[2], const int8_t *x, const uint8_t *w, const uint8_t *w1, uint32_t n, int32_t zero,
                         const uint32_t in_byte)
{
    int32_t a = 0, b = 0, c = 0, d = 0; /* a, c: sums of x * code of the two rows; b, d: sums of codes */
    const uint32_t up = in_byte == 1 ? 0 : in_byte == 2 ? 4 : 6;
    if (in_byte == 1)
        MULTIPLY("", "vldrb.8 q1, [%[x]], #16\n\tvmladava.s8 %[a], q1, q0\n\tvaddva.s8 %[b], q0\n\tvmladava.s8 %[c], "
                     "q1, q3\n\tvaddva.s8 %[d], q3\n\t");
    else if (in_byte == 2)
        MULTIPLY("vmov.i8 q7, #0xf0\n\t", INPUTS(LAST4) INPUTS(FIRST));
    else
        MULTIPLY("vmov.i8 q7, #0xc0\n\t", INPUTS(LAST6) INPUTS(UP4) INPUTS(UP2) INPUTS(FIRST));
    sum[0] = (a - zero * b) >> up;
    sum[1] = (c - zero * d) >> up;
}

/* Where the input of code i lies. */
static inline uint32_t place_of(uint32_t i, uint32_t in_byte)
{
    uint32_t byte = i / in_byte;
    return (byte / 16 * in_byte + i % in_byte) * 16 + byte % 16;
}

/* Adds the products of the codes from `from` on in each row, one by one: codes that do not fill whole bytes. */
static __attribute__((noinline)) void add_codes(int32_t *sums, const int8_t *x, const QcKCodes *c, uint32_t from,
                                                int32_t zero)
{
    const uint32_t bits = (uint32_t)c->bits, in_byte = 8 / bits, n = c->segments * c->length;
    for (uint32_t o = 0; o < c->channels; o++)
        for (uint32_t i = from; i < n; i++) {
            uint32_t at = c->first + o * c->row + i, up = 32 - bits - at % in_byte * bits;
            int32_t code = (int32_t)((uint32_t)c->bytes[at / in_byte] << up) >> (32 - bits);
            sums[o] += code * (x[place_of(i, in_byte)] - zero);
        }
}

/* One segment. */
static void place_inputs(int8_t *to, const uint8_t *x, uint32_t n, uint32_t in_byte)
{
    const uint8x16_t at = vmulq_n_u8(vidupq_n_u8(0, 1), (uint8_t)in_byte);
    for (uint32_t i = 0; i < n; i += 16 * in_byte)
        for (uint32_t k = 0; k < in_byte; k++, to += 16) {
            mve_pred16_t p = vctp8q(n - i > k ? (n - i - k + in_byte - 1) / in_byte : 0);
            vstrbq_p_u8((uint8_t *)to, veorq_u8(vldrbq_gather_offset_z_u8(x + i + k, at, p), vdupq_n_u8(0x80)), p);
        }
}

/* Sums over the first `whole` (> 0) bytes of each row; each row begins at a byte. */
MVE_INLINE void rows_run(int32_t *sums, const QcKCodes *c, const int8_t *x, uint32_t whole, int32_t zero,
                         const uint32_t in_byte)
{
    const uint8_t *w = c->bytes + c->first / in_byte;
    for (uint32_t left = c->channels, row = c->row / in_byte, n; left; left -= n, w += 2 * row, sums += 2) {
        int32_t sum[2];
        n = left > 1 ? 2 : 1;
        two_rows(sum, x, w, n > 1 ? w + row : w, whole, zero, in_byte);
        if (n > 1) sums[1] = sum[1];
        sums[0] = sum[0];
    }
}

int qc_mve_linear(int32_t *sums, const QcKConv *how)
{
    const QcKCodes *c = &how->codes;
    const uint32_t in_byte = 8 / (uint32_t)c->bits, n = c->segments * c->length;
    const int32_t zero = how->zero_in - 128;
    int8_t *x = how->scratch;
    if (n > 65000 || n + 16 * in_byte > how->scratch_bytes) return 0; /* n * 128 * 255 < 2^31 */
    if (c->segments == 1)
        place_inputs(x, how->x + how->segment[0], n, in_byte);
    else
        for (uint32_t s = 0, i = 0; s < c->segments; s++)
            for (uint32_t k = 0; k < c->length; k++, i++)
                x[place_of(i, in_byte)] = (int8_t)(how->x[how->segment[s] + k] ^ 0x80);
    const uint32_t whole = (c->first | c->row) % in_byte ? 0 : n / in_byte;
    if (!whole) memset(sums, 0, c->channels * sizeof *sums);
    else if (in_byte == 1) rows_run(sums, c, x, whole, zero, 1);
    else if (in_byte == 2) rows_run(sums, c, x, whole, zero, 2);
    else rows_run(sums, c, x, whole, zero, 4);
    if (whole * in_byte < n) add_codes(sums, x, c, whole * in_byte, zero);
    return 1;
}

#endif
