/* cortexm_mvelinear.c - dense layers on Cortex-M55 and M85, straight from packed codes. */
#include "kernels.h"

#if defined __ARM_FEATURE_MVE && __ARM_ARCH_PROFILE == 'M'

#include "cortexm_mve.h"

/* Inputs lie in planes: plane p has those of the codes p, p + 8 / bits and so on, which are bits p * bits and the following of the bytes. In a byte that is shifted up and
 * masked so that a code is its highest bits, the code counts 2^(8-bits) times. */

typedef struct Sums {
    int32_t products, codes; /* of the inputs and codes; of the codes alone */
} Sums;

/* A plane of two rows, w of which are in q0 and q3; q7: mask. */
#define PLANE(SHIFT, SHIFT1, X) \
    "vldrb.8 q1, [%[" X "]], #16\n\t" SHIFT "vand q2, q2, q7\n\tvmladava.s8 %[a], q1, q2\n\tvaddva.s8 %[b], q2\n\t" \
    SHIFT1 "vand q2, q2, q7\n\tvmladava.s8 %[c], q1, q2\n\tvaddva.s8 %[d], q2\n\t"
#define ROWS "dlstp.8 lr, %[n]\n1:\n\tvldrb.8 q0, [%[w]], #16\n\tvldrb.8 q3, [%[w1]], #16\n\t"
#define SUMS_AND_ROWS [a] "+Te"(a), [b] "+Te"(b), [c] "+Te"(c), [d] "+Te"(d), [w] "+r"(w), [w1] "+r"(w1)

/* Sums of two rows; n: bytes of each, and of each plane that they are multiplied by. */
static inline void two_rows(Sums sum[2], const int8_t *x, uint32_t plane, const uint8_t *w, const uint8_t *w1, uint32_t n, uint32_t in_byte)
{
    int32_t a = 0, b = 0, c = 0, d = 0;
    const int8_t *x1 = x + plane, *x2 = x1 + plane, *x3 = x2 + plane;
    const uint32_t up = in_byte == 1 ? 0 : in_byte == 2 ? 4 : 6;
    if (in_byte == 1)
        __asm__ volatile(ROWS "vldrb.8 q1, [%[x]], #16\n\tvmladava.s8 %[a], q1, q0\n\tvaddva.s8 %[b], q0\n\tvmladava.s8 %[c], q1, q3\n\tvaddva.s8 %[d], q3\n\tletp lr, 1b"
                         : SUMS_AND_ROWS, [x] "+r"(x) : [n] "r"(n) : "q0", "q1", "q3", "r14", "cc", "memory");
    else if (in_byte == 2)
        __asm__ volatile("vmov.i8 q7, #0xf0\n\t" ROWS PLANE("vshl.i8 q2, q0, #4\n\t", "vshl.i8 q2, q3, #4\n\t", "x") PLANE("vmov q2, q0\n\t", "vmov q2, q3\n\t", "x1") "letp lr, 1b"
                         : SUMS_AND_ROWS, [x] "+r"(x), [x1] "+r"(x1) : [n] "r"(n) : "q0", "q1", "q2", "q3", "q7", "r14", "cc", "memory");
    else
        __asm__ volatile("vmov.i8 q7, #0xc0\n\t" ROWS PLANE("vshl.i8 q2, q0, #6\n\t", "vshl.i8 q2, q3, #6\n\t", "x") PLANE("vshl.i8 q2, q0, #4\n\t", "vshl.i8 q2, q3, #4\n\t", "x1")
                             PLANE("vshl.i8 q2, q0, #2\n\t", "vshl.i8 q2, q3, #2\n\t", "x2") PLANE("vmov q2, q0\n\t", "vmov q2, q3\n\t", "x3") "letp lr, 1b"
                         : SUMS_AND_ROWS, [x] "+r"(x), [x1] "+r"(x1), [x2] "+r"(x2), [x3] "+r"(x3) : [n] "r"(n) : "q0", "q1", "q2", "q3", "q7", "r14", "cc", "memory");
    sum[0] = (Sums){a >> up, b >> up}, sum[1] = (Sums){c >> up, d >> up};
}

/* Code by code: what no whole bytes hold. */
static void add_codes(Sums *sum, const int8_t *x, uint32_t plane, const QcKCodes *c, uint32_t j, uint32_t from, uint32_t end)
{
    const uint32_t bits = (uint32_t)c->bits, in_byte = 8 / bits;
    for (uint32_t i = from; i < end; i++) {
        uint32_t at = j + i;
        int32_t code = (int32_t)((uint32_t)c->bytes[at / in_byte] << (32 - bits - at % in_byte * bits)) >> (32 - bits);
        sum->products += code * x[i % in_byte * plane + i / in_byte];
        sum->codes += code;
    }
}

/* One segment as signed bytes, in planes. */
static void planes_of(int8_t *to, const uint8_t *x, uint32_t n, uint32_t plane, uint32_t in_byte)
{
    const uint8x16_t at = vmulq_n_u8(vidupq_n_u8(0, 1), (uint8_t)in_byte);
    for (uint32_t k = 0; k < in_byte; k++, x++, to += plane)
        for (uint32_t i = 0, some = (n - k + in_byte - 1) / in_byte; k < n && i < some; i += 16) {
            mve_pred16_t p = vctp8q(some - i);
            vstrbq_p_u8((uint8_t *)to + i, veorq_u8(vldrbq_gather_offset_z_u8(x + i * in_byte, at, p), vdupq_n_u8(0x80)), p);
        }
}

static int8_t *inputs_open(int8_t *x, const QcKConv *how, uint32_t plane, uint32_t in_byte)
{
    const QcKCodes *c = &how->codes;
    if (c->segments == 1) planes_of(x, how->x + how->segment[0], c->length, plane, in_byte);
    else
        for (uint32_t s = 0, i = 0; s < c->segments; s++)
            for (uint32_t k = 0; k < c->length; k++, i++) x[i % in_byte * plane + i / in_byte] = (int8_t)(how->x[how->segment[s] + k] ^ 0x80);
    return x;
}

int qc_mve_linear(int32_t *sums, const QcKConv *how)
{
    const QcKCodes *c = &how->codes;
    const uint32_t in_byte = 8 / (uint32_t)c->bits, n = c->segments * c->length, plane = (n + in_byte - 1) / in_byte, whole = n / in_byte;
    const int32_t zero = how->zero_in - 128;
    if (n > 100000 || plane * in_byte > how->scratch_bytes) return 0; /* 2^6 * n * 2 * 128 < 2^31 */
    const int8_t *x = inputs_open(how->scratch, how, plane, in_byte);
    for (uint32_t o = 0; o < c->channels; o += 2) {
        uint32_t other = o + 1 < c->channels ? o + 1 : o, j0 = c->first + o * c->row, j1 = c->first + other * c->row;
        uint32_t done = (j0 | j1) % in_byte ? 0 : whole * in_byte; /* rows that begin with bytes */
        const uint8_t *w0 = c->bytes + j0 / in_byte, *w1 = c->bytes + j1 / in_byte;
        Sums sum[2] = {{0, 0}, {0, 0}};
        if (done) two_rows(sum, x, plane, w0, w1, whole, in_byte);
        if (done < n) {
            add_codes(&sum[0], x, plane, c, j0, done, n);
            add_codes(&sum[1], x, plane, c, j1, done, n);
        }
        sums[other] = sum[1].products - zero * sum[1].codes;
        sums[o] = sum[0].products - zero * sum[0].codes;
    }
    return 1;
}

#endif
