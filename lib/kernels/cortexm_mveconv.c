/* cortexm_mveconv.c - whole convolutions on Cortex-M55 and M85: sixteen products of signed bytes per instruction.
 * Inputs are made signed in tiles of as many positions as the scratch memory holds; weights of 8 bits are read in
 * place. Four positions share the weights of a channel.
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

/* What four_by_four needs besides the inputs' addresses; its offsets are in the text below. */
typedef struct Block {
    int32_t bias[4];
    const int8_t *w;
    const int32_t *moves, *moves_end; /* what to add to the inputs' addresses after each segment */
    uint32_t length;
    int32_t w_move; /* after each segment */
    uint8_t *out;
    uint32_t out_move;
    int32_t zero, high;
    const int8_t *end; /* of the first position's addresses */
    int32_t multiplier, half, less, low, up;
    uint32_t at[4]; /* of the four outputs */
} Block;

/* There are few registers, so values that the inner loop does not need are in the block. SHIFT: of the sums. */
#define FOUR_BY_FOUR(SHIFT)                                                                                            \
    __asm__ volatile(                                                                                                  \
        "ldr %[a0], [%[k], #56]\n\tvdup.32 q4, %[a0]\n\tldr %[a0], [%[k], #60]\n\tvdup.32 q5, %[a0]\n\tldr %[a0], "    \
        "[%[k], #64]\n\tvdup.32 q6, %[a0]\n\t"                                                                         \
        "ldr %[a0], [%[k], #68]\n\tvdup.32 q7, %[a0]\n"                                                                \
        "1:\n\tldrd %[a0], %[a1], [%[k]]\n\tldrd %[a2], %[a3], [%[k], #8]\n\tldrd %[w], %[move], [%[k], #16]\n"        \
        "2:\n\tldr lr, [%[k], #28]\n\tdlstp.8 lr, lr\n"                                                                \
        "3:\n\tvldrb.8 q0, [%[w]], #16\n\tvldrb.8 q1, [%[x0]], #16\n\tvmladava.s8 %[a0], q0, q1\n\tvldrb.8 q2, "       \
        "[%[x1]], #16\n\tvmladava.s8 %[a1], q0, q2\n\t"                                                                \
        "vldrb.8 q1, [%[x2]], #16\n\tvmladava.s8 %[a2], q0, q1\n\tvldrb.8 q2, [%[x3]], #16\n\tvmladava.s8 %[a3], q0, " \
        "q2\n\tletp lr, 3b\n\t"                                                                                        \
        "ldr lr, [%[move]], #4\n\tadd %[x0], lr\n\tadd %[x1], lr\n\tadd %[x2], lr\n\tadd %[x3], lr\n\t"                \
        "ldr lr, [%[k], #32]\n\tadd %[w], lr\n\tldr lr, [%[k], #24]\n\tcmp %[move], lr\n\tbne 2b\n\t"                  \
        "vmov q0[2], q0[0], %[a0], %[a2]\n\tvmov q0[3], q0[1], %[a1], %[a3]\n\t" SHIFT                                 \
        "vmulh.s32 q0, q0, q4\n\tvadd.i32 q0, q0, q5\n\tvshl.s32 q0, q0, q6\n\t"                                       \
        "ldrd %[a0], %[a1], [%[k], #44]\n\tvadd.i32 q0, q0, %[a0]\n\tvmax.s32 q0, q0, q7\n\tvdup.32 q1, "              \
        "%[a1]\n\tvmin.s32 q0, q0, q1\n\t"                                                                             \
        "add %[a2], %[k], #76\n\tvldrw.32 q1, [%[a2]]\n\tldrd %[a0], %[a1], [%[k], #36]\n\tvstrb.32 q0, [%[a0], "      \
        "q1]\n\tadd %[a0], %[a1]\n\tstr %[a0], [%[k], #36]\n\t"                                                        \
        "ldr lr, [%[k], #52]\n\tcmp %[x0], lr\n\tbne 1b"                                                               \
        : [x0] "+r"(x0), [x1] "+r"(x1), [x2] "+r"(x2), [x3] "+r"(x3), [w] "=&r"(w), [move] "=&r"(move),                \
          [a0] "=&Te"(a0), [a1] "=&Te"(a1), [a2] "=&Te"(a2), [a3] "=&Te"(a3)                                           \
        : [k] "r"(block)                                                                                               \
        : "q0", "q1", "q2", "q4", "q5", "q6", "q7", "r14", "cc", "memory")

/* Groups of four positions. */
static void four_by_four(Block *block, const int8_t *x0, uint32_t step)
{
    const int8_t *x1 = x0 + step, *x2 = x1 + step, *x3 = x2 + step, *w;
    const int32_t *move;
    int32_t a0, a1, a2, a3;
    if (block->up)
        FOUR_BY_FOUR("ldr %[a0], [%[k], #72]\n\tvshl.s32 q0, %[a0]\n\t");
    else
        FOUR_BY_FOUR("");
}

/* The positions from t on that do not fill a group of four, or all positions. */
static void positions_run(uint8_t *out, const QcKConv *how, const Tile *tile, const Channel *channel, uint32_t t)
{
    for (; t < tile->n; t++) {
        int32_t sum = channel->bias;
        const int8_t *w = channel->w, *x = tile->x + t * tile->step;
        for (uint32_t s = 0; s < tile->segments; s++, w += tile->length)
            for (uint32_t i = 0; i < tile->length; i += 16) {
                mve_pred16_t p = vctp8q(tile->length - i);
                sum = vmladavaq_p_s8(sum, vldrbq_z_s8(w + i, p), vldrbq_z_s8(x + tile->segment[s] + i, p), p);
            }
        sum = (int32_t)((uint32_t)sum << channel->up);
        int32_t value =
            (((int32_t)((int64_t)sum * channel->multiplier >> 32) + channel->half) >> -channel->less) + how->zero;
        value = value < how->low ? how->low : value;
        out[t * how->out_step] = (uint8_t)(value > how->high ? how->high : value);
    }
}

/* All positions of a tile's row. moves: as the block wants them. */
static void row_run(uint8_t *out, const QcKConv *how, const Tile *tile, const Channel *channel, Block *block)
{
    uint32_t fours = !tile->step ? 0 : tile->n / 4; /* a step of 0 would never reach the end */
    if (fours) {
        const int8_t *x = tile->x + tile->segment[0];
        block->out = out;
        block->end = x + 4 * fours * tile->step;
        four_by_four(block, x, tile->step);
    }
    if (4 * fours < tile->n) positions_run(out, how, tile, channel, 4 * fours);
}

/* ---- tiles ---- */

static void tile_run(uint8_t *out, const QcKConv *how, Tile *tile, uint32_t rows, int8_t *w, int32_t *moves)
{
    const int8_t *x = tile->x;
    const int32_t read = (int32_t)((tile->length + 15) & ~15u);
    for (uint32_t s = 0; s < tile->segments; s++) {
        int32_t next =
            s + 1 < tile->segments ? (int32_t)tile->segment[s + 1] : (int32_t)(tile->segment[0] + 4 * tile->step);
        moves[s] = next - (int32_t)tile->segment[s] - read;
    }
    for (uint32_t o = 0; o < how->codes.channels; o++) {
        Channel channel;
        channel_open(&channel, w, how, o);
        Block block = {{channel.bias, channel.bias, channel.bias, channel.bias},
                       channel.w,
                       moves,
                       moves + tile->segments,
                       tile->length,
                       (int32_t)tile->length - read,
                       NULL,
                       4 * how->out_step,
                       how->zero,
                       how->high,
                       NULL,
                       channel.multiplier,
                       channel.half,
                       channel.less,
                       how->low,
                       (int32_t)channel.up,
                       {0, how->out_step, 2 * how->out_step, 3 * how->out_step}};
        for (uint32_t row = 0; row < rows; row++) {
            tile->x = x + row * how->row_step;
            row_run(out + o + row * how->positions * how->out_step, how, tile, &channel, &block);
        }
        tile->x = x;
    }
}

/* Positions that read their inputs in place: whole rows if they fit, else parts of a row. */
static int run_in_place(uint8_t *out, const QcKConv *how, int8_t *x, uint32_t room, int8_t *w, int32_t *moves)
{
    const uint32_t length = how->codes.length, positions = how->positions;
    uint32_t last = 0, rows = 1, some = positions;
    for (uint32_t s = 0; s < how->codes.segments; s++) last = how->segment[s] > last ? how->segment[s] : last;
    uint32_t least = last + length, whole = least + (positions - 1) * how->step;
    if (whole <= room)
        rows = how->row_step ? 1 + (room - whole) / how->row_step : how->rows;
    else if (least <= room)
        some = (1 + (room - least) / how->step) & ~3u;
    if (least > room || (some < positions && some < 8)) return 0;
    Tile tile = {.step = how->step, .segment = how->segment, .segments = how->codes.segments, .length = length};
    for (uint32_t row = 0, n_rows; row < how->rows; row += n_rows) {
        n_rows = how->rows - row < rows ? how->rows - row : rows;
        for (uint32_t t = 0; t < positions; t += some) {
            tile.n = positions - t < some ? positions - t : some;
            tile.x = x;
            mve_signed(x, how->x + row * how->row_step + t * how->step,
                       (n_rows - 1) * how->row_step + (tile.n - 1) * how->step + least);
            tile_run(out + (row * positions + t) * how->out_step, how, &tile, n_rows, w, moves);
        }
    }
    return 1;
}

/* Positions whose runs are first gathered side by side, because short runs would use few bytes of a vector. */
static int run_gathered(uint8_t *out, const QcKConv *how, int8_t *x, uint32_t room, int8_t *w, int32_t *moves)
{
    static const uint32_t none = 0;
    const uint32_t length = how->codes.length, all_length = how->codes.segments * length,
                   all = how->rows * how->positions;
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
            for (uint32_t s = 0; s < how->codes.segments; s++, to += length)
                mve_signed(to, from + how->segment[s], length);
        }
        tile_run(out, how, &tile, 1, w, moves);
    }
    return 1;
}

int qc_mve_conv(uint8_t *out, const QcKConv *how)
{
    const QcKCodes *c = &how->codes;
    const uint32_t length = c->segments * c->length, weights = c->bits == 8 ? 0 : (length + 15) & ~15u,
                   used = c->segments * 4 + weights;
    if (used >= how->scratch_bytes || !cortexm_takes(how)) return 0;
    int32_t *moves = how->scratch;
    int8_t *w = (int8_t *)(moves + c->segments), *x = w + weights;
    uint32_t room = (uint32_t)how->scratch_bytes - used, vectors = c->segments * ((c->length + 15) / 16);
    if (c->segments > 1 && 4 * vectors > 5 * ((length + 15) / 16) && run_gathered(out, how, x, room, w, moves))
        return 1;
    return run_in_place(out, how, x, room, w, moves) || run_gathered(out, how, x, room, w, moves);
}

#endif
