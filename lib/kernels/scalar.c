/* scalar.c - the definition of the kernels, in plain C. */
#include "scalar.h"
#include "floatloops.h"
#include "mem.h"

/* ---- codes ---- */

static int32_t code_at(const uint8_t *bytes, uint32_t j, uint32_t bits)
{
    uint32_t at = j % (8 / bits) * bits; /* bits divides 8: no code lies in two bytes */
    int32_t sign = 1 << (bits - 1), code = (bytes[j / (8 / bits)] >> at) & (2 * sign - 1);
    return (code ^ sign) - sign;
}

/* Four codes as the bytes of a word, the first in the lowest byte. before: codes of the first byte that come before
 * code j, j % (8 / bits). */
static inline uint32_t four_codes(const uint8_t *bytes, uint32_t j, uint32_t before, uint32_t bits)
{
    if (bits == 8)
        return bytes[j] | (uint32_t)bytes[j + 1] << 8 | (uint32_t)bytes[j + 2] << 16 | (uint32_t)bytes[j + 3] << 24;
    const uint32_t sign = bits == 4 ? 0x08080808u : 0x02020202u;
    const uint8_t *at = bytes + j / (8 / bits);
    uint32_t word = at[0];
    if (bits == 4) {
        word |= (uint32_t)at[1] << 8;
        if (before) word = (word | (uint32_t)at[2] << 16) >> 4 & 0xffffu;
        word = (word | word << 8) & 0x00ff00ffu;
        word = (word | word << 4) & 0x0f0f0f0fu;
    } else {
        if (before) word = (word | (uint32_t)at[1] << 8) >> 2 * before & 0xffu;
        word = (word | word << 12) & 0x000f000fu;
        word = (word | word << 6) & 0x03030303u;
    }
    return ((word ^ sign) + (0x80808080u - sign)) ^
           0x80808080u; /* each code less 2^bits if its sign is set: no byte carries into the next */
}

/* The sum of a word's four signed bytes, and 4 * 128. */
static inline uint32_t sum_of_four(uint32_t word)
{
    word ^= 0x80808080u;
    word = (word & 0x00ff00ffu) + (word >> 8 & 0x00ff00ffu);
    return (word + (word >> 16)) & 0xffffu;
}

static inline void store_four(int8_t *to, uint32_t word)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(__builtin_assume_aligned(to, 4), &word, sizeof word);
#else
    for (int i = 0; i < 4; i++) to[i] = (int8_t)(word >> 8 * i);
#endif
}

/* One segment of one channel, code j and the following, into words 32 bytes apart; returns the sum of its codes. bits
 * is a constant at each call. */
static inline __attribute__((always_inline)) int32_t unpack_segment(int8_t *to, const uint8_t *bytes, uint32_t j,
                                                                    uint32_t length, uint32_t bits)
{
    const uint32_t before = j % (8 / bits);
    uint32_t i = 0, total = 0;
    for (; i + 4 <= length; i += 4, to += 4 * QC_K_LANES) {
        uint32_t word = four_codes(bytes, j + i, before, bits);
        total += sum_of_four(word) - 512;
        store_four(to, word);
    }
    for (; i < length; i += 4, to += 4 * QC_K_LANES) {
        uint32_t word = 0;
        for (uint32_t k = 0; k < 4 && i + k < length; k++) {
            int32_t code = code_at(bytes, j + i + k, bits);
            total += (uint32_t)code;
            word |= (uint32_t)(code & 255) << 8 * k;
        }
        store_four(to, word);
    }
    return (int32_t)total;
}

void qc_scalar_unpack(int8_t *w, int32_t *sum, const QcKCodes *codes)
{
    const uint32_t blocks = (codes->channels + QC_K_LANES - 1) / QC_K_LANES, length = codes->length,
                   segments = codes->segments;
    const size_t segment_bytes = (size_t)((length + 3) & ~3u) * QC_K_LANES, block_bytes = segments * segment_bytes;
    if (codes->channels % QC_K_LANES) memset(w + (blocks - 1) * block_bytes, 0, block_bytes);
    memset(sum, 0, blocks * QC_K_LANES * sizeof *sum);
    for (uint32_t o = 0; o < codes->channels; o++) {
        int8_t *to = w + o / QC_K_LANES * block_bytes + o % QC_K_LANES * 4;
        for (uint32_t s = 0; s < segments; s++, to += segment_bytes) {
            uint32_t j = codes->first + o * codes->row + s * length;
            sum[o] += codes->bits == 8   ? unpack_segment(to, codes->bytes, j, length, 8)
                      : codes->bits == 4 ? unpack_segment(to, codes->bytes, j, length, 4)
                                         : unpack_segment(to, codes->bytes, j, length, 2);
        }
    }
}

/* ---- sums ---- */

/* Sums are locals and arrays do not overlap, so that a compiler keeps them in registers. */

#if defined __thumb__ && !defined __thumb2__
enum { TILE = 1 }; /* eight registers: one position by four channels */
#else
enum { TILE = 2 }; /* two positions by two channels share what they load */
#endif

static inline void dot_four(int32_t *restrict acc, const uint8_t *restrict x, const int8_t *restrict w,
                            const QcKDot *restrict dot)
{
    int32_t a = 0, b = 0, c = 0, d = 0;
    for (uint32_t s = 0; s < dot->segments; s++) {
        const uint8_t *four = x + dot->segment[s], *end = four + dot->run;
        for (; four < end; four += 4, w += 4 * QC_K_LANES) {
            int32_t x0 = four[0], x1 = four[1], x2 = four[2], x3 = four[3];
            a += x0 * w[0] + x1 * w[1] + x2 * w[2] + x3 * w[3];
            b += x0 * w[4] + x1 * w[5] + x2 * w[6] + x3 * w[7];
            c += x0 * w[8] + x1 * w[9] + x2 * w[10] + x3 * w[11];
            d += x0 * w[12] + x1 * w[13] + x2 * w[14] + x3 * w[15];
        }
    }
    acc[0] = a, acc[1] = b, acc[2] = c, acc[3] = d;
}

static inline void dot_square(int32_t *restrict acc, int32_t *restrict more, const uint8_t *restrict x, uint32_t next,
                              const int8_t *restrict w, const QcKDot *restrict dot)
{
    int32_t a = 0, b = 0, c = 0, d = 0;
    for (uint32_t s = 0; s < dot->segments; s++) {
        const uint8_t *x0 = x + dot->segment[s], *x1 = x0 + next, *end = x0 + dot->run;
        for (; x0 < end; x0 += 4, x1 += 4, w += 4 * QC_K_LANES)
            for (int i = 0; i < 4; i++) {
                int32_t w0 = w[i], w1 = w[4 + i];
                a += x0[i] * w0;
                b += x0[i] * w1;
                c += x1[i] * w0;
                d += x1[i] * w1;
            }
    }
    acc[0] = a, acc[1] = b, more[0] = c, more[1] = d;
}

void qc_scalar_dot(int32_t *acc, const uint8_t *x, const int8_t *w, const QcKDot *dot, int bits)
{
    (void)bits;
    const size_t block_bytes = (size_t)dot->segments * dot->run * QC_K_LANES;
    const uint32_t lanes = dot->blocks * QC_K_LANES;
    for (uint32_t t = 0; t < dot->positions; t += TILE, x += (size_t)TILE * dot->step, acc += TILE * lanes) {
        uint32_t is_last = t + 1 == dot->positions; /* then the same position is computed twice */
        for (uint32_t lane = 0; lane < lanes; lane += TILE == 1 ? 4 : 2) {
            const int8_t *four = w + lane / QC_K_LANES * block_bytes + lane % QC_K_LANES * 4;
            int32_t *to = acc + lane;
            if (TILE == 1)
                dot_four(to, x, four, dot);
            else
                dot_square(to, is_last ? to : to + lanes, x, is_last ? 0 : dot->step, four, dot);
        }
    }
}

void qc_scalar_depthwise(int32_t *acc, const uint8_t *x, const int8_t *w, const QcKDot *dot)
{
    const uint32_t *const segment = dot->segment, *const end = segment + dot->segments;
    for (uint32_t t = 0; t < dot->positions; t++, x += dot->step, acc += QC_K_LANES)
        for (uint32_t lane = 0; lane < QC_K_LANES; lane += 4) {
            int32_t a = 0, b = 0, c = 0, d = 0;
            const int8_t *four = w + lane;
            for (const uint32_t *s = segment; s < end; s++, four += QC_K_LANES) {
                const uint8_t *at = x + *s + lane;
                a += at[0] * four[0];
                b += at[1] * four[1];
                c += at[2] * four[2];
                d += at[3] * four[3];
            }
            acc[lane] = a, acc[lane + 1] = b, acc[lane + 2] = c, acc[lane + 3] = d;
        }
}

/* ---- a dense layer ---- */

/* Two channels that share their inputs (or one, twice), codes j0 and j1 and the following; they begin with bytes. bits
 * is a constant at each call. */
static inline __attribute__((always_inline)) void linear_segment(int32_t sum[2], const uint8_t *x, const uint8_t *bytes,
                                                                 uint32_t j0, uint32_t j1, uint32_t length,
                                                                 int32_t zero, uint32_t bits)
{
    const uint32_t in_byte = 8 / bits, up = 32 - bits;
    const uint8_t *w0 = bytes + j0 / in_byte, *w1 = bytes + j1 / in_byte, *end = x + length / in_byte * in_byte;
    int32_t a = sum[0], b = sum[1];
    for (; x < end; x += in_byte) {
        uint32_t p = *w0++, q = *w1++;
        for (uint32_t k = 0; k < in_byte; k++) {
            int32_t value = x[k] - zero;
            a += value * ((int32_t)(p << (up - k * bits)) >> up);
            b += value * ((int32_t)(q << (up - k * bits)) >> up);
        }
    }
    for (uint32_t i = length / in_byte * in_byte; i < length; i++, x++) {
        a += (*x - zero) * code_at(bytes, j0 + i, bits);
        b += (*x - zero) * code_at(bytes, j1 + i, bits);
    }
    sum[0] = a, sum[1] = b;
}

int qc_scalar_linear(int32_t *sums, const QcKConv *how)
{
    const QcKCodes *c = &how->codes;
    const uint32_t bits = (uint32_t)c->bits, in_byte = 8 / bits, length = c->length;
    const int32_t zero = how->zero_in;
    for (uint32_t o = 0; o < c->channels; o += 2) {
        uint32_t other = o + 1 < c->channels ? o + 1 : o;
        int32_t sum[2] = {0, 0};
        for (uint32_t s = 0; s < c->segments; s++) {
            const uint8_t *x = how->x + how->segment[s];
            uint32_t j0 = c->first + o * c->row + s * length, j1 = c->first + other * c->row + s * length;
            if (j0 % in_byte || j1 % in_byte) {
                for (uint32_t i = 0; i < length; i++) {
                    sum[0] += (x[i] - zero) * code_at(c->bytes, j0 + i, bits);
                    sum[1] += (x[i] - zero) * code_at(c->bytes, j1 + i, bits);
                }
            } else if (bits == 8)
                linear_segment(sum, x, c->bytes, j0, j1, length, zero, 8);
            else if (bits == 4)
                linear_segment(sum, x, c->bytes, j0, j1, length, zero, 4);
            else
                linear_segment(sum, x, c->bytes, j0, j1, length, zero, 2);
        }
        sums[other] = sum[1];
        sums[o] = sum[0];
    }
    return 1;
}

/* ---- from sums to codes ---- */

/* Rounds half up; >> of a negative number is arithmetic on all supported compilers. */
static uint8_t requantize(int64_t product, int32_t shift, int32_t zero, int32_t low, int32_t high)
{
    int64_t value = ((product + ((int64_t)1 << (shift - 1))) >> shift) + zero;
    return (uint8_t)(value < low ? low : value > high ? high : value);
}

/* The same for a shift of 33 or more: half of 2^shift is a multiple of 2^32, so that the upper half of the product says
 * all. */
static inline uint8_t requantize_upper(int32_t upper, int32_t half, int32_t more, int32_t zero, int32_t low,
                                       int32_t high)
{
    int32_t value = ((upper + half) >> more) + zero;
    value = value < low ? low : value;
    return (uint8_t)(value > high ? high : value);
}

void qc_scalar_rescale(uint8_t *out, const int32_t *acc, const int32_t *bias, const int32_t *multiplier,
                       const uint8_t *shift, uint32_t positions, uint32_t channels, uint32_t acc_step,
                       uint32_t out_step, int32_t zero, int32_t low, int32_t high)
{
    for (uint32_t o = 0; o < channels; o++, out++, acc++) {
        const int32_t b = bias[o], m = multiplier[o], s = shift[o], more = s - 32;
        const int32_t *a = acc;
        uint8_t *q = out;
        if (s < 33) {
            for (uint32_t t = positions; t; t--, a += acc_step, q += out_step)
                *q = requantize((int64_t)(*a + b) * m, s, zero, low, high);
            continue;
        }
        const int32_t half = (int32_t)(1u << (more - 1));
        for (uint32_t t = positions; t; t--, a += acc_step, q += out_step)
            *q = requantize_upper((int32_t)((int64_t)(*a + b) * m >> 32), half, more, zero, low, high);
    }
}

void qc_scalar_add(uint8_t *out, const uint8_t *a, const uint8_t *b, uint32_t n, const QcKAdd *how)
{
    const int32_t zero_a = how->zero_a, zero_b = how->zero_b, ma = how->multiplier_a, mb = how->multiplier_b,
                  s = how->shift, zero = how->zero, low = how->low, high = how->high;
    const int32_t more = s - 32, half = s < 33 ? 0 : (int32_t)(1u << (more - 1));
    for (uint32_t i = 0; i < n; i++) {
        int64_t sum = (int64_t)(a[i] - zero_a) * ma + (int64_t)(b[i] - zero_b) * mb;
        out[i] = s < 33 ? requantize(sum, s, zero, low, high)
                        : requantize_upper((int32_t)(sum >> 32), half, more, zero, low, high);
    }
}

/* ---- sums and maxima of rows ---- */

void qc_scalar_masked_sum(int32_t *sums, const uint8_t *x, const uint8_t *mask, uint32_t positions, uint32_t step,
                          uint32_t mask_step, uint32_t run, uint32_t channels)
{
    for (uint32_t o = 0; o < channels; o++, sums += run) {
        memset(sums, 0, run * sizeof *sums);
        for (uint32_t t = 0; t < positions; t++) {
            if (!mask[(size_t)t * mask_step + o]) continue;
            const uint8_t *row = x + (size_t)t * step;
            for (uint32_t i = 0; i < run; i++) sums[i] += row[i];
        }
    }
}

static void max_rows(uint8_t *out, const uint8_t *x, uint32_t rows, uint32_t step, uint32_t n)
{
    memcpy(out, x, n);
    for (uint32_t k = 1; k < rows; k++) {
        const uint8_t *row = x + (size_t)k * step;
        for (uint32_t i = 0; i < n; i++)
            if (row[i] > out[i]) out[i] = row[i];
    }
}

void qc_scalar_moments(uint32_t *sum, uint32_t *squares, const uint8_t *x, uint32_t positions, uint32_t step,
                       uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *column = x + i;
        uint32_t first = 0, second = 0;
        for (uint32_t t = positions; t; t--, column += step) first += *column, second += (uint32_t)*column * *column;
        sum[i] = first;
        squares[i] = second;
    }
}

const QcKernels qc_kernels_scalar = {"scalar",
                                     qc_scalar_unpack,
                                     qc_scalar_dot,
                                     qc_scalar_depthwise,
                                     qc_scalar_rescale,
                                     qc_scalar_add,
                                     qc_scalar_masked_sum,
                                     max_rows,
                                     dense,
                                     fold,
                                     add_outer,
                                     multiply_triangle,
                                     add_scaled,
                                     dot_floats,
                                     dot_codes,
                                     NULL,
                                     qc_scalar_linear,
                                     NULL,
                                     qc_scalar_moments};
