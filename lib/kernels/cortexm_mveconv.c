/* cortexm_mveconv.c - whole convolutions and dense layers on Cortex-M55 and M85: sixteen products of signed bytes an instruction. Inputs are made signed in tiles of as
 * many positions as the scratch memory holds; weights of 8 bits are read where they lie. Four positions share a channel's weights.
 */
#include "kernels.h"

#if defined __ARM_FEATURE_MVE && __ARM_ARCH_PROFILE == 'M'

#include "cortexm.h"
#include "cortexm_mve.h"

/* ---- weights ---- */

/* n codes of a row as bytes, in w unless they are bytes already; their sum. */
static int32_t row_open(const int8_t **row, int8_t *w, const QcKCodes *c, uint32_t j, uint32_t n)
{
    int32_t sum = 0;
    if (c->bits == 8) {
        *row = (const int8_t *)c->bytes + j;
        for (uint32_t i = 0; i < n; i += 16) {
            mve_pred16_t p = vctp8q(n - i);
            sum = vaddvaq_p_s8(sum, vldrbq_z_s8(*row + i, p), p);
        }
        return sum;
    }
    const uint32_t bits = (uint32_t)c->bits;
    const uint8_t *from = c->bytes + j / (8 / bits);
    int8x16_t up;
    const uint8x16_t at = mve_places(&up, j, bits);
    *row = w;
    for (uint32_t i = 0; i < n; i += 16, from += 2 * bits) {
        mve_pred16_t p = vctp8q(n - i);
        int8x16_t v = mve_codes(from, at, up, bits, p);
        vstrbq_p_s8(w + i, v, p);
        sum = vaddvaq_p_s8(sum, v, p);
    }
    return sum;
}

/* ---- four positions by a channel ---- */

typedef struct Channel {
    const int8_t *w;
    int32_t bias, multiplier, half, less; /* less: minus the shift of the upper word */
    uint32_t up;
} Channel;

typedef struct Tile {
    const int8_t *x;
    uint32_t n, step;
    const uint32_t *segment;
    uint32_t segments, length;
} Tile;

static void channel_open(Channel *channel, int8_t *w, const QcKConv *how, uint32_t o)
{
    const QcKCodes *c = &how->codes;
    int32_t sum = row_open(&channel->w, w, c, c->first + o * c->row, c->segments * c->length);
    channel->up = cortexm_up(how, o);
    channel->bias = how->bias[o] - (how->zero_in - 128) * sum;
    channel->multiplier = how->multiplier[o];
    channel->less = 32 - how->shift[o] - (int32_t)channel->up;
    channel->half = (int32_t)(1u << (-channel->less - 1));
}

/* Positions 0 .. n-1 of a tile's row. out: of the first. */
static void row_run(uint8_t *out, const QcKConv *how, const Tile *tile, const Channel *channel)
{
    const uint32_t step = tile->step, length = tile->length, segments = tile->segments, out_step = how->out_step;
    const uint32x4_t at = vmulq_n_u32(vidupq_n_u32(0, 1), out_step);
    const int32x4_t low = vdupq_n_s32(how->low), high = vdupq_n_s32(how->high);
    const int8_t *x = tile->x;
    for (int32_t left = (int32_t)tile->n; left > 0; left -= 4, x += 4 * step, out += 4 * out_step) {
        uint32_t s1 = left > 1 ? step : 0, s2 = left > 2 ? 2 * step : 0, s3 = left > 3 ? 3 * step : 0; /* what is not there is the first once more */
        int32_t a0 = channel->bias, a1 = a0, a2 = a0, a3 = a0;
        const int8_t *w = channel->w;
        for (uint32_t s = 0; s < segments; s++) {
            const int8_t *x0 = x + tile->segment[s], *x1 = x0 + s1, *x2 = x0 + s2, *x3 = x0 + s3, *v = w;
            __asm__ volatile(
                ".p2align 2\n\tdlstp.8 lr, %[n]\n\tvldrb.8 q0, [%[v]], #16\n2:\n\tvldrb.8 q1, [%[x0]], #16\n\tvmladava.s8 %[a0], q0, q1\n\tvldrb.8 q2, [%[x1]], #16\n\t"
                "vmladava.s8 %[a1], q0, q2\n\tvldrb.8 q3, [%[x2]], #16\n\tvmladava.s8 %[a2], q0, q3\n\tvldrb.8 q1, [%[x3]], #16\n\tvmladava.s8 %[a3], q0, q1\n\t"
                "vldrb.8 q0, [%[v]], #16\n\tletp lr, 2b"
                : [v] "+r"(v), [x0] "+r"(x0), [x1] "+r"(x1), [x2] "+r"(x2), [x3] "+r"(x3), [a0] "+Te"(a0), [a1] "+Te"(a1), [a2] "+Te"(a2), [a3] "+Te"(a3)
                : [n] "r"(length)
                : "q0", "q1", "q2", "q3", "memory", "r14");
            w += length;
        }
        int32x4_t a = {a0, a1, a2, a3};
        if (channel->up) a = vshlq_r_s32(a, (int32_t)channel->up);
        a = vaddq_n_s32(vmulhq_s32(a, vdupq_n_s32(channel->multiplier)), channel->half);
        a = vaddq_n_s32(vshlq_r_s32(a, channel->less), how->zero);
        a = vminq_s32(vmaxq_s32(a, low), high);
        vstrbq_scatter_offset_p_s32((int8_t *)out, at, a, vctp32q((uint32_t)left));
    }
}

/* ---- tiles ---- */

static void tile_run(uint8_t *out, const QcKConv *how, Tile *tile, uint32_t rows, int8_t *w)
{
    const int8_t *x = tile->x;
    for (uint32_t o = 0; o < how->codes.channels; o++) {
        Channel channel;
        channel_open(&channel, w, how, o);
        for (uint32_t row = 0; row < rows; row++) {
            tile->x = x + row * how->row_step;
            row_run(out + o + row * how->positions * how->out_step, how, tile, &channel);
        }
        tile->x = x;
    }
}

/* Positions that read their inputs where they lie: whole rows as far as they fit, else parts of one. */
static int run_in_place(uint8_t *out, const QcKConv *how, int8_t *x, uint32_t room, int8_t *w)
{
    const uint32_t length = how->codes.length, positions = how->positions;
    uint32_t last = 0, rows = 1, some = positions;
    for (uint32_t s = 0; s < how->codes.segments; s++) last = how->segment[s] > last ? how->segment[s] : last;
    uint32_t least = last + length, whole = least + (positions - 1) * how->step;
    if (whole <= room) rows = how->row_step ? 1 + (room - whole) / how->row_step : how->rows;
    else if (least <= room) some = (1 + (room - least) / how->step) & ~3u;
    if (least > room || (some < positions && some < 8)) return 0;
    Tile tile = {.step = how->step, .segment = how->segment, .segments = how->codes.segments, .length = length};
    for (uint32_t row = 0, n_rows; row < how->rows; row += n_rows) {
        n_rows = how->rows - row < rows ? how->rows - row : rows;
        for (uint32_t t = 0; t < positions; t += some) {
            tile.n = positions - t < some ? positions - t : some;
            tile.x = x;
            mve_signed(x, how->x + row * how->row_step + t * how->step, (n_rows - 1) * how->row_step + (tile.n - 1) * how->step + least);
            tile_run(out + (row * positions + t) * how->out_step, how, &tile, n_rows, w);
        }
    }
    return 1;
}

/* Positions whose runs are gathered side by side first: short ones fill few of a vector's bytes. */
static int run_gathered(uint8_t *out, const QcKConv *how, int8_t *x, uint32_t room, int8_t *w)
{
    static const uint32_t none = 0;
    const uint32_t length = how->codes.length, all_length = how->codes.segments * length, all = how->rows * how->positions;
    uint32_t some = room / all_length & ~3u;
    if (some == 0) return 0;
    Tile tile = {.step = all_length, .segment = &none, .segments = 1, .length = all_length};
    for (uint32_t first = 0; first < all; first += some, out += (size_t)some * how->out_step) {
        int8_t *to = x;
        tile.n = all - first < some ? all - first : some;
        tile.x = x;
        for (uint32_t t = first; t < first + tile.n; t++) {
            uint32_t row = t / how->positions;
            const uint8_t *from = how->x + row * how->row_step + (t - row * how->positions) * how->step;
            for (uint32_t s = 0; s < how->codes.segments; s++, to += length) mve_signed(to, from + how->segment[s], length);
        }
        tile_run(out, how, &tile, 1, w);
    }
    return 1;
}

int qc_mve_conv(uint8_t *out, const QcKConv *how)
{
    const QcKCodes *c = &how->codes;
    const uint32_t length = c->segments * c->length, weights = c->bits == 8 ? 0 : (length + 15) & ~15u;
    if (weights >= how->scratch_bytes || !cortexm_takes(how)) return 0;
    int8_t *w = how->scratch, *x = w + weights;
    uint32_t room = (uint32_t)how->scratch_bytes - weights, vectors = c->segments * ((c->length + 15) / 16);
    if (c->segments > 1 && 4 * vectors > 5 * ((length + 15) / 16) && run_gathered(out, how, x, room, w)) return 1;
    return run_in_place(out, how, x, room, w) || run_gathered(out, how, x, room, w);
}

/* ---- dense layers ---- */

/* Four rows of bytes: products with x, and the sums of the rows, in acc[0..3] and acc[4..7]. */
static void four_rows(int32_t acc[8], const int8_t *x, const int8_t *w, uint32_t row, uint32_t n)
{
    const int8_t *w1 = w + row, *w2 = w1 + row, *w3 = w2 + row;
    int32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
    for (uint32_t i = 0; i < n; i += 16) {
        mve_pred16_t p = vctp8q(n - i);
        int8x16_t v = vldrbq_z_s8(x + i, p), q0 = vldrbq_z_s8(w + i, p), q1 = vldrbq_z_s8(w1 + i, p), q2 = vldrbq_z_s8(w2 + i, p), q3 = vldrbq_z_s8(w3 + i, p);
        a0 = vmladavaq_s8(a0, q0, v), a1 = vmladavaq_s8(a1, q1, v), a2 = vmladavaq_s8(a2, q2, v), a3 = vmladavaq_s8(a3, q3, v);
        b0 = vaddvaq_s8(b0, q0), b1 = vaddvaq_s8(b1, q1), b2 = vaddvaq_s8(b2, q2), b3 = vaddvaq_s8(b3, q3);
    }
    acc[0] = a0, acc[1] = a1, acc[2] = a2, acc[3] = a3, acc[4] = b0, acc[5] = b1, acc[6] = b2, acc[7] = b3;
}

static void one_row(int32_t *sum, int32_t *of_codes, const int8_t *x, const QcKCodes *c, uint32_t j, uint32_t n)
{
    const uint32_t bits = (uint32_t)c->bits;
    const uint8_t *from = c->bytes + j / (8 / bits);
    int8x16_t up = vdupq_n_s8(0);
    uint8x16_t at = bits == 8 ? vidupq_n_u8(0, 1) : mve_places(&up, j, bits);
    int32_t a = 0, b = 0;
    for (uint32_t i = 0; i < n; i += 16, from += 2 * bits) {
        mve_pred16_t p = vctp8q(n - i);
        int8x16_t v = bits == 8 ? vldrbq_z_s8((const int8_t *)from, p) : mve_codes(from, at, up, bits, p);
        a = vmladavaq_p_s8(a, v, vldrbq_z_s8(x + i, p), p);
        b = vaddvaq_p_s8(b, v, p);
    }
    *sum = a;
    *of_codes = b;
}

int qc_mve_linear(int32_t *sums, const QcKConv *how)
{
    const QcKCodes *c = &how->codes;
    const uint32_t n = c->segments * c->length;
    if (n > how->scratch_bytes) return 0;
    int8_t *x = how->scratch;
    const int32_t zero = how->zero_in - 128;
    for (uint32_t s = 0; s < c->segments; s++) mve_signed(x + s * c->length, how->x + how->segment[s], c->length);
    uint32_t o = 0;
    for (; c->bits == 8 && o + 4 <= c->channels; o += 4) {
        int32_t acc[8];
        four_rows(acc, x, (const int8_t *)c->bytes + c->first + o * c->row, c->row, n);
        for (uint32_t k = 0; k < 4; k++) sums[o + k] = acc[k] - zero * acc[4 + k];
    }
    for (; o < c->channels; o++) {
        int32_t of_codes;
        one_row(&sums[o], &of_codes, x, c, c->first + o * c->row, n);
        sums[o] -= zero * of_codes;
    }
    return 1;
}

#endif
