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

/* Where the input of code i lies, counted from the first code of a whole byte. */
static inline uint32_t place_of(uint32_t i, uint32_t in_byte)
{
    uint32_t byte = i / in_byte;
    return (byte / 16 * in_byte + i % in_byte) * 16 + byte % 16;
}

/* Products of the codes from `from` up to `to` of a row, one by one: codes that do not fill whole bytes. */
static __attribute__((noinline)) int32_t add_codes(const QcKConv *how, uint32_t row, uint32_t from, uint32_t to)
{
    const QcKCodes *c = &how->codes;
    const uint32_t bits = (uint32_t)c->bits, in_byte = 8 / bits;
    int32_t sum = 0;
    for (uint32_t i = from; i < to; i++) {
        uint32_t at = c->first + row * c->row + i, up = 32 - bits - at % in_byte * bits;
        int32_t code = (int32_t)((uint32_t)c->bytes[at / in_byte] << up) >> (32 - bits);
        sum += code * (how->x[how->segment[i / c->length] + i % c->length] - how->zero_in);
    }
    return sum;
}

/* n inputs that lie side by side. */
static void place_side_by_side(int8_t *to, const uint8_t *x, uint32_t n, uint32_t in_byte)
{
    const uint8x16_t at = vmulq_n_u8(vidupq_n_u8(0, 1), (uint8_t)in_byte);
    for (uint32_t i = 0; i < n; i += 16 * in_byte)
        for (uint32_t k = 0; k < in_byte; k++, to += 16) {
            mve_pred16_t p = vctp8q(n - i > k ? (n - i - k + in_byte - 1) / in_byte : 0);
            vstrbq_p_u8((uint8_t *)to, veorq_u8(vldrbq_gather_offset_z_u8(x + i + k, at, p), vdupq_n_u8(0x80)), p);
        }
}

/* The inputs from number `head` on. */
static void place_inputs(int8_t *to, const QcKConv *how, uint32_t head, uint32_t n, uint32_t in_byte)
{
    const QcKCodes *c = &how->codes;
    if (c->segments == 1) {
        place_side_by_side(to, how->x + how->segment[0] + head, n - head, in_byte);
        return;
    }
    for (uint32_t i = head; i < n; i++)
        to[place_of(i - head, in_byte)] = (int8_t)(how->x[how->segment[i / c->length] + i % c->length] ^ 0x80);
}

/* Rows `first`, first + step and so on, whose whole bytes begin after `head` codes. */
MVE_INLINE void rows_run(int32_t *sums, const QcKConv *how, const int8_t *x, uint32_t first, uint32_t step,
                         uint32_t head, uint32_t whole, const uint32_t in_byte)
{
    const QcKCodes *c = &how->codes;
    const uint8_t *w = c->bytes + (c->first + first * c->row + head) / in_byte;
    const uint32_t apart = step * c->row / in_byte;
    for (uint32_t o = first; o < c->channels; o += 2 * step, w += 2 * apart) {
        int32_t sum[2];
        const int is_pair = o + step < c->channels;
        two_rows(sum, x, w, is_pair ? w + apart : w, whole, how->zero_in - 128, in_byte);
        sums[o] = sum[0];
        if (is_pair) sums[o + step] = sum[1];
    }
}

/* Rows need not begin at a byte: those that begin alike are taken together. */
int qc_mve_linear(int32_t *sums, const QcKConv *how)
{
    const QcKCodes *c = &how->codes;
    const uint32_t in_byte = 8 / (uint32_t)c->bits, n = c->segments * c->length;
    if (n > 65000 || n + 16 * in_byte > how->scratch_bytes) return 0; /* n * 128 * 255 < 2^31 */
    uint32_t step = 1; /* rows until one begins alike */
    while (step * c->row % in_byte) step *= 2;
    for (uint32_t first = 0; first < step && first < c->channels; first++) {
        uint32_t head = (in_byte - (c->first + first * c->row) % in_byte) % in_byte;
        if (head > n) head = n;
        const uint32_t whole = (n - head) / in_byte, end = head + whole * in_byte;
        int8_t *x = how->scratch;
        if (whole) place_inputs(x, how, head, n, in_byte);
        if (whole && in_byte == 1) rows_run(sums, how, x, first, step, head, whole, 1);
        else if (whole && in_byte == 2) rows_run(sums, how, x, first, step, head, whole, 2);
        else if (whole) rows_run(sums, how, x, first, step, head, whole, 4);
        if (whole && !head && end == n) continue;
        for (uint32_t o = first; o < c->channels; o += step)
            sums[o] = (whole ? sums[o] : 0) + add_codes(how, o, 0, head) + add_codes(how, o, end, n);
    }
    return 1;
}

#endif
