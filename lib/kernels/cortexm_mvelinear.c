/* cortexm_mvelinear.c - dense layers on Cortex-M55 and M85, straight from packed codes. */
#include "kernels.h"

#if defined __ARM_FEATURE_MVE && __ARM_ARCH_PROFILE == 'M'

#include "cortexm_mve.h"

/* Sixteen bytes of codes are multiplied by 8 / bits vectors of inputs, which lie one after another: the p-th has those
 * of the codes p, p + 8 / bits and so on, bits p * bits and the following of the bytes. In a byte that is shifted up
 * and masked so that a code is its highest bits, the code counts 2^(8-bits) times. */

typedef struct Sums {
    int32_t products, codes; /* of the inputs and codes; of the codes alone */
} Sums;

/* A vector of inputs by two rows, which are in q0 and q3; q7: mask. */
#define INPUTS(SHIFT, SHIFT1)                                                                                          \
    "vldrb.8 q1, [%[x]], #16\n\t" SHIFT "vand q2, q2, q7\n\tvmladava.s8 %[a], q1, q2\n\tvaddva.s8 %[b], q2\n\t" SHIFT1 \
    "vand q2, q2, q7\n\tvmladava.s8 %[c], q1, q2\n\tvaddva.s8 %[d], q2\n\t"
#define SHIFTED(N) INPUTS("vshl.i8 q2, q0, #" N "\n\t", "vshl.i8 q2, q3, #" N "\n\t")
#define MULTIPLY(MASK, TEXT)                                                                                           \
    __asm__ volatile(MASK "dlstp.8 lr, %[n]\n1:\n\tvldrb.8 q0, [%[w]], #16\n\tvldrb.8 q3, [%[w1]], #16\n\t" TEXT       \
                          "letp lr, 1b"                                                                                \
                     : [a] "+Te"(a), [b] "+Te"(b), [c] "+Te"(c), [d] "+Te"(d), [w] "+r"(w), [w1] "+r"(w1), [x] "+r"(x) \
                     : [n] "r"(n)                                                                                      \
                     : "q0", "q1", "q2", "q3", "q7", "r14", "cc", "memory")

/* Sums of two rows of n bytes. */
static inline void two_rows(Sums sum[2], const int8_t *x, const uint8_t *w, const uint8_t *w1, uint32_t n,
                            uint32_t in_byte)
{
    int32_t a = 0, b = 0, c = 0, d = 0;
    const uint32_t up = in_byte == 1 ? 0 : in_byte == 2 ? 4 : 6;
    if (in_byte == 1)
        MULTIPLY("", "vldrb.8 q1, [%[x]], #16\n\tvmladava.s8 %[a], q1, q0\n\tvaddva.s8 %[b], q0\n\tvmladava.s8 %[c], "
                     "q1, q3\n\tvaddva.s8 %[d], q3\n\t");
    else if (in_byte == 2)
        MULTIPLY("vmov.i8 q7, #0xf0\n\t", SHIFTED("4") INPUTS("vmov q2, q0\n\t", "vmov q2, q3\n\t"));
    else
        MULTIPLY("vmov.i8 q7, #0xc0\n\t",
                 SHIFTED("6") SHIFTED("4") SHIFTED("2") INPUTS("vmov q2, q0\n\t", "vmov q2, q3\n\t"));
    sum[0] = (Sums){a >> up, b >> up}, sum[1] = (Sums){c >> up, d >> up};
}

/* Where the input of code i lies. */
static inline uint32_t place_of(uint32_t i, uint32_t in_byte)
{
    uint32_t byte = i / in_byte;
    return (byte / 16 * in_byte + i % in_byte) * 16 + byte % 16;
}

/* Code by code: what no whole bytes hold. */
static void add_codes(Sums *sum, const int8_t *x, const QcKCodes *c, uint32_t j, uint32_t from, uint32_t end)
{
    const uint32_t bits = (uint32_t)c->bits, in_byte = 8 / bits;
    for (uint32_t i = from; i < end; i++) {
        uint32_t at = j + i;
        int32_t code = (int32_t)((uint32_t)c->bytes[at / in_byte] << (32 - bits - at % in_byte * bits)) >> (32 - bits);
        sum->products += code * x[place_of(i, in_byte)];
        sum->codes += code;
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

int qc_mve_linear(int32_t *sums, const QcKConv *how)
{
    const QcKCodes *c = &how->codes;
    const uint32_t in_byte = 8 / (uint32_t)c->bits, n = c->segments * c->length, whole = n / in_byte;
    const int32_t zero = how->zero_in - 128;
    int8_t *x = how->scratch;
    if (n > 100000 || n + 16 * in_byte > how->scratch_bytes) return 0; /* 2^6 * n * 2 * 128 < 2^31 */
    if (c->segments == 1)
        place_inputs(x, how->x + how->segment[0], n, in_byte);
    else
        for (uint32_t s = 0, i = 0; s < c->segments; s++)
            for (uint32_t k = 0; k < c->length; k++, i++)
                x[place_of(i, in_byte)] = (int8_t)(how->x[how->segment[s] + k] ^ 0x80);
    for (uint32_t o = 0; o < c->channels; o += 2) {
        uint32_t other = o + 1 < c->channels ? o + 1 : o, j0 = c->first + o * c->row, j1 = c->first + other * c->row;
        uint32_t done = (j0 | j1) % in_byte ? 0 : whole * in_byte; /* rows that begin with bytes */
        const uint8_t *w0 = c->bytes + j0 / in_byte, *w1 = c->bytes + j1 / in_byte;
        Sums sum[2] = {{0, 0}, {0, 0}};
        if (done) two_rows(sum, x, w0, w1, whole, in_byte);
        if (done < n) {
            add_codes(&sum[0], x, c, j0, done, n);
            add_codes(&sum[1], x, c, j1, done, n);
        }
        sums[other] = sum[1].products - zero * sum[1].codes;
        sums[o] = sum[0].products - zero * sum[0].codes;
    }
    return 1;
}

#endif
