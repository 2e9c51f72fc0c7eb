/* neon.c - the kernels in 128-bit vectors, for every 64-bit ARM processor and each 32-bit processor that has NEON.
 *
 * NEON has no product of unsigned by signed bytes. So x - 128 is multiplied, which is signed, and 128 times the sum
 * of the weights is added afterwards. At 2 and 4 bits a product is at most 256 and 1024, so that 127 and 31 of them
 * are added in 16 bits. At 8 bits each product is widened at once.
 */
#include "neon.h"

#include <arm_neon.h>

#include "depthloop.h"
#include "mem.h"
#include "momentloop.h"
#include "neonrescale.h"

/* Of two vectors, the sums of neighbours, in order. */
INLINE int32x4_t add_neighbours(int32x4_t a, int32x4_t b)
{
    return vcombine_s32(vpadd_s32(vget_low_s32(a), vget_high_s32(a)), vpadd_s32(vget_low_s32(b), vget_high_s32(b)));
}

/* ---- weights for use ---- */

/* How 16 codes of 2, 4 or 8 bits become bytes: the byte each lies in, how far it is from that byte's top, and back
 * down. */
typedef struct Spread {
    uint8x16_t byte;
    int8x16_t up, down;
} Spread;

static Spread spread_init(uint32_t bits)
{
    uint8_t byte[16];
    int8_t up[16];
    for (uint32_t i = 0; i < 16; i++) {
        byte[i] = (uint8_t)(i * bits / 8);
        up[i] = (int8_t)(8 - bits - i * bits % 8);
    }
    return (Spread){vld1q_u8(byte), vld1q_s8(up), vdupq_n_s8((int8_t)(bits - 8))};
}

INLINE uint8x16_t look_up(uint8x16_t bytes, uint8x16_t at)
{
#ifdef __aarch64__
    return vqtbl1q_u8(bytes, at);
#else
    uint8x8x2_t table = {{vget_low_u8(bytes), vget_high_u8(bytes)}};
    return vcombine_u8(vtbl2_u8(table, vget_low_u8(at)), vtbl2_u8(table, vget_high_u8(at)));
#endif
}

INLINE int8x16_t spread_codes(uint8x16_t packed, const Spread *s)
{
    return vshlq_s8(vshlq_s8(vreinterpretq_s8_u8(look_up(packed, s->byte)), s->up), s->down);
}

/* Every fourth code begins a new 32-byte step of w. */
INLINE void store_steps(int8_t *w, int8x16_t codes, uint32_t steps)
{
    uint32_t words[4];
    vst1q_s8((int8_t *)words, codes);
    for (uint32_t k = 0; k < steps; k++) memcpy(w + (size_t)k * 4 * QC_K_LANES, &words[k], 4);
}

/* `n` codes of one channel from a byte boundary on; returns their sum. bits: a constant at each call. */
INLINE int32_t unpack_bits(int8_t *w, const uint8_t *bytes, uint32_t n, uint32_t bits, const Spread *s)
{
    int32x4_t sum = vdupq_n_s32(0);
    uint32_t i = 0;
    for (; i + 16 <= n; i += 16, bytes += 2 * bits, w += 4 * 4 * QC_K_LANES) {
        uint8_t some[16] = {0};
        memcpy(some, bytes, 2 * bits);
        int8x16_t codes = spread_codes(vld1q_u8(some), s);
        store_steps(w, codes, 4);
        sum = vpadalq_s16(sum, vpaddlq_s8(codes));
    }
    if (i < n) {
        uint8_t some[16] = {0};
        int8_t keep[16] = {0};
        for (uint32_t k = 0; k < ((n - i) * bits + 7) / 8; k++) some[k] = bytes[k];
        for (uint32_t k = 0; k < n - i; k++) keep[k] = -1;
        int8x16_t codes = vandq_s8(spread_codes(vld1q_u8(some), s), vld1q_s8(keep));
        store_steps(w, codes, (n - i + 3) / 4);
        sum = vpadalq_s16(sum, vpaddlq_s8(codes));
    }
    int32x4_t total = add_neighbours(sum, sum);
    return vgetq_lane_s32(total, 0) + vgetq_lane_s32(total, 1);
}

static int32_t unpack_run(int8_t *w, const uint8_t *bytes, uint32_t n, uint32_t bits, const Spread *s)
{
    return bits == 2   ? unpack_bits(w, bytes, n, 2, s)
           : bits == 4 ? unpack_bits(w, bytes, n, 4, s)
                       : unpack_bits(w, bytes, n, 8, s);
}

void qc_neon_unpack(int8_t *w, int32_t *sum, const QcKCodes *codes)
{
    uint32_t bits = (uint32_t)codes->bits, blocks = (codes->channels + QC_K_LANES - 1) / QC_K_LANES,
             run = (codes->length + 3) & ~3u;
    uint64_t first = (uint64_t)codes->first * bits, row = (uint64_t)codes->row * bits,
             length = (uint64_t)codes->length * bits;
    if ((first | (codes->channels > 1 ? row : 0) | (codes->segments > 1 ? length : 0)) % 8) { /* no byte boundaries */
        qc_kernels_scalar.unpack(w, sum, codes);
        return;
    }
    Spread spread = spread_init(bits);
    size_t segment_bytes = (size_t)run * QC_K_LANES, block_bytes = codes->segments * segment_bytes;
    if (codes->channels % QC_K_LANES) {
        memset(w + (blocks - 1) * block_bytes, 0, block_bytes);
        memset(sum + (blocks - 1) * QC_K_LANES, 0, QC_K_LANES * sizeof *sum);
    }
    for (uint32_t o = 0; o < codes->channels; o++) {
        int8_t *lane = w + o / QC_K_LANES * block_bytes + o % QC_K_LANES * 4;
        const uint8_t *bytes = codes->bytes + (first + o * row) / 8;
        sum[o] = 0;
        for (uint32_t s = 0; s < codes->segments; s++)
            sum[o] += unpack_run(lane + s * segment_bytes, bytes + s * length / 8, codes->length, bits, &spread);
    }
}

/* ---- dot products ---- */

INLINE int8x8_t signed_four(const uint8_t *x)
{
    uint32_t four;
    memcpy(&four, x, sizeof four);
    return vreinterpret_s8_u32(vdup_n_u32(four ^ 0x80808080u));
}

/* 128 times the sum of the weights of each lane. */
static void add_offset(int32_t offset[QC_K_LANES], const int8_t *w, uint32_t steps)
{
    int32x4_t sum[4];
    for (int k = 0; k < 4; k++) sum[k] = vdupq_n_s32(0);
    for (; steps > 0; steps--, w += 4 * QC_K_LANES) {
        int8x16_t low = vld1q_s8(w), high = vld1q_s8(w + 16);
        sum[0] = vaddw_s16(sum[0], vget_low_s16(vpaddlq_s8(low)));
        sum[1] = vaddw_s16(sum[1], vget_high_s16(vpaddlq_s8(low)));
        sum[2] = vaddw_s16(sum[2], vget_low_s16(vpaddlq_s8(high)));
        sum[3] = vaddw_s16(sum[3], vget_high_s16(vpaddlq_s8(high)));
    }
    vst1q_s32(offset, vshlq_n_s32(add_neighbours(sum[0], sum[1]), 7));
    vst1q_s32(offset + 4, vshlq_n_s32(add_neighbours(sum[2], sum[3]), 7));
}

/* One block of channels at P positions (a constant at each call). The products of `patience` steps of four bytes are
 * added in 16 bits. */
INLINE void dot_tile(int32_t *acc, const uint8_t *x, const int8_t *w, const int32_t *offset, const QcKDot *how,
                     uint32_t patience, const int P)
{
    int32x4_t wide[2][4];
    for (int p = 0; p < P; p++)
        for (int k = 0; k < 4; k++) wide[p][k] = vdupq_n_s32(0);
    for (uint32_t s = 0; s < how->segments; s++) {
        const uint8_t *from = x + how->segment[s];
        for (uint32_t left = how->run / 4; left > 0;) {
            uint32_t n = left < patience ? left : patience;
            int16x8_t pairs[2][4];
            left -= n;
            for (int p = 0; p < P; p++) {
                int8x8_t four = signed_four(from + (size_t)p * how->step);
                for (int k = 0; k < 4; k++) pairs[p][k] = vmull_s8(vld1_s8(w + 8 * k), four);
            }
            for (from += 4, w += 4 * QC_K_LANES, n--; n > 0; n--, from += 4, w += 4 * QC_K_LANES)
                for (int p = 0; p < P; p++) {
                    int8x8_t four = signed_four(from + (size_t)p * how->step);
                    for (int k = 0; k < 4; k++) pairs[p][k] = vmlal_s8(pairs[p][k], vld1_s8(w + 8 * k), four);
                }
            for (int p = 0; p < P; p++)
                for (int k = 0; k < 4; k++) wide[p][k] = vpadalq_s16(wide[p][k], pairs[p][k]);
        }
    }
    for (int p = 0; p < P; p++) {
        int32_t *to = acc + (size_t)p * how->blocks * QC_K_LANES;
        vst1q_s32(to, vaddq_s32(add_neighbours(wide[p][0], wide[p][1]), vld1q_s32(offset)));
        vst1q_s32(to + 4, vaddq_s32(add_neighbours(wide[p][2], wide[p][3]), vld1q_s32(offset + 4)));
    }
}

static void dot(int32_t *acc, const uint8_t *x, const int8_t *w, const QcKDot *how, int bits)
{
    uint32_t steps = how->segments * (how->run / 4), patience = bits == 2 ? 127 : bits == 4 ? 31 : 1;
    size_t acc_step = (size_t)how->blocks * QC_K_LANES;
    for (uint32_t b = 0; b < how->blocks && how->positions;
         b++, acc += QC_K_LANES, w += (size_t)steps * 4 * QC_K_LANES) {
        int32_t offset[QC_K_LANES];
        uint32_t t = 0;
        add_offset(offset, w, steps);
        for (; t + 2 <= how->positions; t += 2)
            dot_tile(acc + t * acc_step, x + (size_t)t * how->step, w, offset, how, patience, 2);
        if (t < how->positions) dot_tile(acc + t * acc_step, x + (size_t)t * how->step, w, offset, how, patience, 1);
    }
}

/* ---- rescaling ---- */

static void rescale_eight(uint8_t *out, const int32_t *acc, const int32_t *bias, const int32_t *multiplier,
                          const uint8_t *shift, uint32_t positions, uint32_t acc_step, uint32_t out_step,
                          const Range *r)
{
    const Rescale by = rescale_init(bias, multiplier, shift);
    for (uint32_t t = 0; t < positions; t++, acc += acc_step, out += out_step)
        store_eight(out, rescaled(&by, 0, vld1q_s32(acc)), rescaled(&by, 1, vld1q_s32(acc + 4)), r);
}

void qc_neon_rescale(uint8_t *out, const int32_t *acc, const int32_t *bias, const int32_t *multiplier,
                     const uint8_t *shift, uint32_t positions, uint32_t channels, uint32_t acc_step, uint32_t out_step,
                     int32_t zero, int32_t low, int32_t high)
{
    Range r = range_of(zero, low, high);
    uint32_t o = 0;
    for (; o + 8 <= channels; o += 8)
        rescale_eight(out + o, acc + o, bias + o, multiplier + o, shift + o, positions, acc_step, out_step, &r);
    if (o < channels)
        qc_kernels_scalar.rescale(out + o, acc + o, bias + o, multiplier + o, shift + o, positions, channels - o,
                                  acc_step, out_step, zero, low, high);
}

INLINE int32x4_t add_four(int32x4_t a, int32x4_t b, const QcKAdd *how, int64x2_t by)
{
    int64x2_t first = vmull_n_s32(vget_low_s32(a), how->multiplier_a),
              second = vmull_n_s32(vget_high_s32(a), how->multiplier_a);
    return settle(vmlal_n_s32(first, vget_low_s32(b), how->multiplier_b),
                  vmlal_n_s32(second, vget_high_s32(b), how->multiplier_b), by, by);
}

void qc_neon_add(uint8_t *out, const uint8_t *a, const uint8_t *b, uint32_t n, const QcKAdd *how)
{
    uint32_t i = 0;
    Range r = range_of(how->zero, how->low, how->high);
    int64x2_t by = vdupq_n_s64(-(int64_t)how->shift);
    int16x8_t zero_a = vdupq_n_s16((int16_t)how->zero_a), zero_b = vdupq_n_s16((int16_t)how->zero_b);
    for (; i + 8 <= n; i += 8) {
        int16x8_t va = vsubq_s16(vreinterpretq_s16_u16(vmovl_u8(vld1_u8(a + i))), zero_a);
        int16x8_t vb = vsubq_s16(vreinterpretq_s16_u16(vmovl_u8(vld1_u8(b + i))), zero_b);
        int32x4_t low = add_four(vmovl_s16(vget_low_s16(va)), vmovl_s16(vget_low_s16(vb)), how, by);
        int32x4_t high = add_four(vmovl_s16(vget_high_s16(va)), vmovl_s16(vget_high_s16(vb)), how, by);
        store_eight(out + i, low, high, &r);
    }
    if (i < n) qc_kernels_scalar.add(out + i, a + i, b + i, n - i, how);
}

/* ---- sums and maxima ---- */

enum { MASK_CHANNELS = 4, MASK_POSITIONS = 257 }; /* so many times 255 fit 16 bits */

/* 16 columns of x under up to four channels' masks (0 or 1), added to sums. */
static void add_masked(int32_t *sums, const uint8_t *x, const uint8_t *mask, uint32_t positions, uint32_t step,
                       uint32_t mask_step, uint32_t run, uint32_t columns, uint32_t channels)
{
    uint16x8_t low[MASK_CHANNELS], high[MASK_CHANNELS];
    for (int c = 0; c < MASK_CHANNELS; c++) low[c] = high[c] = vdupq_n_u16(0);
    for (uint32_t t = 0; t < positions; t++, x += step, mask += mask_step) {
        uint8x16_t row = vld1q_u8(x);
        for (uint32_t c = 0; c < MASK_CHANNELS; c++) {
            uint8x8_t on = vdup_n_u8(c < channels && mask[c]);
            low[c] = vmlal_u8(low[c], vget_low_u8(row), on);
            high[c] = vmlal_u8(high[c], vget_high_u8(row), on);
        }
    }
    for (uint32_t c = 0; c < channels; c++, sums += run) {
        uint16_t part[16];
        vst1q_u16(part, low[c]);
        vst1q_u16(part + 8, high[c]);
        for (uint32_t i = 0; i < columns; i++) sums[i] += part[i];
    }
}

void qc_neon_masked_sum(int32_t *sums, const uint8_t *x, const uint8_t *mask, uint32_t positions, uint32_t step,
                        uint32_t mask_step, uint32_t run, uint32_t channels)
{
    memset(sums, 0, (size_t)channels * run * sizeof *sums);
    for (uint32_t t = 0; t < positions; t += MASK_POSITIONS)
        for (uint32_t o = 0; o < channels; o += MASK_CHANNELS)
            for (uint32_t i = 0; i < run; i += 16)
                add_masked(sums + (size_t)o * run + i, x + (size_t)t * step + i, mask + (size_t)t * mask_step + o,
                           positions - t < MASK_POSITIONS ? positions - t : MASK_POSITIONS, step, mask_step, run,
                           run - i < 16 ? run - i : 16, channels - o < MASK_CHANNELS ? channels - o : MASK_CHANNELS);
}

void qc_neon_max_rows(uint8_t *out, const uint8_t *x, uint32_t rows, uint32_t step, uint32_t n)
{
    uint32_t i = 0;
    for (; i + 16 <= n; i += 16) {
        uint8x16_t top = vld1q_u8(x + i);
        for (uint32_t k = 1; k < rows; k++) top = vmaxq_u8(top, vld1q_u8(x + (size_t)k * step + i));
        vst1q_u8(out + i, top);
    }
    if (i < n) qc_kernels_scalar.max_rows(out + i, x + i, rows, step, n - i);
}

/* ---- floats: NEON of 32-bit processors flushes what is next to zero, so those keep to their other float registers
 * ---- */

#ifdef __aarch64__
#include "floatloops.h"
#else
static void dense(float *out, const float *in, const float *w, const float *bias, uint32_t n_out, uint32_t n_in,
                  int relu)
{
    qc_kernels_scalar.dense(out, in, w, bias, n_out, n_in, relu);
}

static void fold(float *sum, float *squares, const int32_t *sums, int32_t less, float factor, uint32_t n)
{
    qc_kernels_scalar.fold(sum, squares, sums, less, factor, n);
}

static void add_outer(float *triangle, const float *rows, const float *weight, uint32_t n)
{
    qc_kernels_scalar.add_outer(triangle, rows, weight, n);
}

static void multiply_triangle(float *out, const float *triangle, const float *w, uint32_t n)
{
    qc_kernels_scalar.multiply_triangle(out, triangle, w, n);
}

static void add_scaled(float *y, const float *x, float factor, uint32_t n)
{
    qc_kernels_scalar.add_scaled(y, x, factor, n);
}

static float dot_floats(const float *a, const float *b, uint32_t n)
{
    return qc_kernels_scalar.dot_floats(a, b, n);
}

static float dot_codes(const int8_t *a, const float *b, uint32_t n)
{
    return qc_kernels_scalar.dot_codes(a, b, n);
}
#endif

const QcKernels qc_kernels_neon = {
    "neon",           qc_neon_unpack, dot,  depthwise, qc_neon_rescale,   qc_neon_add, qc_neon_masked_sum,
    qc_neon_max_rows, dense,          fold, add_outer, multiply_triangle, add_scaled,  dot_floats,
    dot_codes,        NULL,           NULL, qc_neon_depthwise, moments};
