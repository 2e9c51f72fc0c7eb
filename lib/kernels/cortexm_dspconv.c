/* cortexm_dspconv.c - whole convolutions on Cortex-M4, M7 and M33. Inputs minus their zero point, and weights, are
 * widened to pairs of 16 bits. A tile has as many positions as the scratch memory holds. Then two positions by two
 * channels share their loads.
 */
#include "cortexm_dsp.h"

#if defined __ARM_FEATURE_DSP && __ARM_ARCH_PROFILE == 'M'

#include "cortexm.h"
#include "cortexm_dspconv.h"

/* ---- weights ---- */

/* Two words per group of four codes, `to` and the following groups of two channels by turns. bits is a constant at each
 * call. */
DSP_INLINE void widen_codes(uint32_t *to, const uint8_t *bytes, uint32_t j, uint32_t n, uint32_t bits)
{
    const uint32_t in_word = 32 / bits, sign = bits == 4 ? 0x88888888u : 0xaaaaaaaau,
                   mask = bits == 4 ? 0x000f000fu : 0x00030003u, middle = bits == 4 ? 0x00080008u : 0x00020002u;
    const uint8_t *from = bytes + j / (8 / bits);
    const uint32_t at = j % (8 / bits) * bits;
    for (uint32_t i = 0; i < n; i += in_word, from += 4) {
        uint32_t word = i + in_word <= n ? dsp_load_bits(from, at) : dsp_load_last(bytes, j + i, n - i, bits),
                 left = n - i;
        if (bits == 8) {
            to[0] = dsp_sxtb16(word), to[1] = dsp_sxtb16_odd(word);
            to += 4;
            continue;
        }
        word ^= sign; /* code + 2^(bits-1), which is positive */
        for (uint32_t half = 0; half < 2; half++, word >>= 16) {
            uint32_t pairs = bits == 4 ? dsp_lower_lsl8(word, word) : dsp_lower_lsl12(word, word);
            for (uint32_t k = 0; k < (bits == 4 ? 1 : 2); k++, to += 4, pairs >>= 8) {
                if (left <= half * in_word / 2 + 4 * k) return;
                to[0] = dsp_ssub16(pairs & mask, middle);
                to[1] = dsp_ssub16(pairs >> bits & mask, middle);
            }
        }
    }
}

static void widen_channel(uint32_t *to, const QcKCodes *c, uint32_t j, uint32_t n)
{
    if (c->bits == 8)
        widen_codes(to, c->bytes, j, n, 8);
    else if (c->bits == 4)
        widen_codes(to, c->bytes, j, n, 4);
    else
        widen_codes(to, c->bytes, j, n, 2);
}

/* ---- inputs ---- */

static void widen_inputs(uint32_t *to, const uint8_t *x, uint32_t n, int32_t zero_in)
{
    const uint32_t less = (uint32_t)-zero_in << 16 | ((uint32_t)-zero_in & 0xffffu);
    for (const uint8_t *end = x + n; x < end; x += 4, to += 2) {
        uint32_t four = dsp_load(x);
        to[0] = dsp_uxtab16(less, four);
        to[1] = dsp_uxtab16_odd(less, four);
    }
}

/* The runs of one position side by side, n bytes with those that fill the last word: they lie in the upper half of `to`
 * until they are widened over it. */
static void gather_inputs(uint32_t *to, const uint8_t *x, const QcKConv *how, uint32_t n)
{
    uint8_t *bytes = (uint8_t *)to + n, *next = bytes;
    *(DspWord *)(bytes + n - 4) = 0;
    for (uint32_t s = 0; s < how->codes.segments; s++, next += how->codes.length)
        dsp_copy(next, x + how->segment[s], how->codes.length);
    widen_inputs(to, bytes, n, how->zero_in);
}

/* ---- two positions by two channels ---- */

typedef struct Pair { /* of channels */
    const uint32_t *w;
    int32_t bias[2], multiplier[2], half[2], more[2];
    uint32_t up[2], is_up; /* is_up: one of them is not 0 */
    int32_t zero;
    uint32_t low, high; /* in each byte of a word */
    uint32_t is_one;    /* the second channel repeats the first */
} Pair;

typedef struct Tile {
    const uint32_t *x;
    uint32_t first, n, step; /* positions; step: bytes between them, as widened */
    const uint32_t *segment; /* in bytes of x before it was widened */
    uint32_t segments, run;
    uint32_t before, after; /* zeros at the beginning and the end of the row of positions, in bytes before widening;
                               end: of the whole row */
    uint32_t end;
} Tile;

/* Four taps. */
#define TAPS                                                                                                           \
    "ldrd %[xa], %[xb], [%[x0]], #8\n\tldmia %[w]!, {r8, r9, r10, r11}\n\t"                                            \
    "smlad %[a00], %[xa], r8, %[a00]\n\tsmlad %[a01], %[xa], r10, %[a01]\n\tsmlad %[a00], %[xb], r9, %[a00]\n\tsmlad " \
    "%[a01], %[xb], r11, %[a01]\n\t"                                                                                   \
    "ldrd %[xa], %[xb], [%[x1]], #8\n\t"                                                                               \
    "smlad %[a10], %[xa], r8, %[a10]\n\tsmlad %[a11], %[xa], r10, %[a11]\n\tsmlad %[a10], %[xb], r9, %[a10]\n\tsmlad " \
    "%[a11], %[xb], r11, %[a11]\n\t"
#define MULTIPLY(TEXT)                                                                                     \
    __asm__ volatile(TEXT                                                                                  \
                     : [a00] "+r"(a00), [a01] "+r"(a01), [a10] "+r"(a10), [a11] "+r"(a11), [xa] "=&r"(xa), \
                       [xb] "=&r"(xb), [x0] "+r"(x0), [x1] "+r"(x1), [w] "+r"(w)                           \
                     :                                                                                     \
                     : "r8", "r9", "r10", "r11", "memory")

DSP_INLINE uint32_t code_of(int32_t sum, const Pair *pair, int channel)
{
    int32_t upper = dsp_smmla((uint32_t)sum, (uint32_t)pair->multiplier[channel], pair->half[channel]);
    return dsp_usat8((upper >> pair->more[channel]) + pair->zero);
}

/* One or two positions from t on, counted from the start of the tile's row: out [position][channel]. */
static void square(uint8_t *out, uint32_t out_step, const Tile *tile, const Pair *pair, uint32_t t)
{
    uint32_t is_one = t + 1 == tile->n, next = is_one ? 0 : tile->step, xa, xb, skip = 0, run = tile->run;
    int32_t a00 = pair->bias[0], a01 = pair->bias[1], a10 = a00, a11 = a01;
    const uint32_t *w = pair->w;
    const uint8_t *x = (const uint8_t *)tile->x + t * tile->step;
    if (tile->before | tile->after) { /* one segment, both positions' zeros of which are left out */
        uint32_t at = (tile->first + t) * (tile->step / 2), far = at + next / 2, most = tile->end - tile->after;
        if (far < tile->before) skip = tile->before - far < run ? (tile->before - far) & ~3u : run;
        if (at + run > most) run = at + skip < most ? (most - at + 3) & ~3u : skip;
        w += skip;
    }
    for (uint32_t s = 0; s < tile->segments; s++) {
        const uint8_t *x0 = x + 2 * (tile->segment[s] + skip), *x1 = x0 + next;
        const uint32_t *end = w + (run - skip);
        while (w + 16 <= end) MULTIPLY(TAPS TAPS TAPS TAPS);
        while (w < end) MULTIPLY(TAPS);
    }
    if (pair->is_up) {
        a00 <<= pair->up[0], a10 <<= pair->up[0];
        a01 <<= pair->up[1], a11 <<= pair->up[1];
    }
    uint32_t codes =
        code_of(a00, pair, 0) | code_of(a01, pair, 1) << 8 | code_of(a10, pair, 0) << 16 | code_of(a11, pair, 1) << 24;
    codes = dsp_smaller_bytes(dsp_larger_bytes(codes, pair->low), pair->high);
    if (pair->is_one) {
        out[0] = (uint8_t)codes;
        if (!is_one) out[out_step] = (uint8_t)(codes >> 16);
        return;
    }
    *(DspShort *)out = (uint16_t)codes;
    if (!is_one) *(DspShort *)(out + out_step) = (uint16_t)(codes >> 16);
}

static void pair_open(Pair *pair, uint32_t *w, const QcKConv *how, uint32_t o, uint32_t segments, uint32_t length)
{
    const QcKCodes *c = &how->codes;
    pair->w = w;
    pair->is_one = o + 1 == c->channels;
    pair->zero = how->zero;
    pair->low = (uint32_t)how->low * 0x01010101u;
    pair->high = (uint32_t)how->high * 0x01010101u;
    for (uint32_t k = 0; k < 2; k++) {
        uint32_t channel = pair->is_one ? o : o + k;
        pair->bias[k] = how->bias[channel];
        pair->multiplier[k] = how->multiplier[channel];
        pair->up[k] = cortexm_up(how, channel);
        pair->more[k] = how->shift[channel] + (int32_t)pair->up[k] - 32;
        pair->half[k] = (int32_t)(1u << (pair->more[k] - 1));
        for (uint32_t s = 0, run = (length + 3) & ~3u; s < segments; s++)
            widen_channel(w + s * run + 2 * k, c, c->first + channel * c->row + s * length, length);
    }
    pair->is_up = pair->up[0] | pair->up[1];
}

/* ---- tiles ---- */

static int are_words(const QcKConv *how)
{
    uint32_t any = how->step | how->row_step;
    for (uint32_t s = 0; s < how->codes.segments; s++) any |= how->segment[s];
    return any % 4 == 0;
}

/* All channels at the `rows` rows of one tile. */
static void tile_run(uint8_t *out, const QcKConv *how, Tile *tile, uint32_t rows, uint32_t row_words, uint32_t *w,
                     uint32_t length)
{
    const uint32_t *x = tile->x;
    for (uint32_t o = 0; o < how->codes.channels; o += 2) {
        Pair pair;
        uint8_t *to = out + o;
        pair_open(&pair, w, how, o, tile->segments, length);
        tile->x = x;
        for (uint32_t row = 0; row < rows; row++, tile->x += row_words)
            for (uint32_t t = 0; t < tile->n; t += 2) {
                square(to, how->out_step, tile, &pair, t);
                to += t + 1 < tile->n ? 2 * how->out_step : how->out_step;
            }
    }
}

/* Positions that read their inputs in place. The inputs are widened once for all positions that share them: whole
 * rows if they fit, else parts of a row. */
static int run_in_place(uint8_t *out, const QcKConv *how, uint32_t *x, uint32_t room, uint32_t *w)
{
    const uint32_t run = (how->codes.length + 3) & ~3u, positions = how->positions;
    uint32_t last = 0, rows = 1, some = positions;
    for (uint32_t s = 0; s < how->codes.segments; s++) last = how->segment[s] > last ? how->segment[s] : last;
    uint32_t least = last + run, whole = least + (positions - 1) * how->step;
    if (whole <= room)
        rows = how->row_step ? 1 + (room - whole) / how->row_step : how->rows;
    else if (least <= room)
        some = (1 + (room - least) / how->step) & ~1u;
    if (least > room || (some < positions && some < 8)) return 0;
    Tile tile = {.step = 2 * how->step,
                 .segment = how->segment,
                 .segments = how->codes.segments,
                 .run = run,
                 .before = how->before,
                 .after = how->after,
                 .end = (positions - 1) * how->step + how->codes.length};
    for (uint32_t row = 0, n_rows; row < how->rows; row += n_rows) {
        n_rows = how->rows - row < rows ? how->rows - row : rows;
        for (tile.first = 0; tile.first < positions; tile.first += some) {
            const uint8_t *from = how->x + row * how->row_step + tile.first * how->step;
            tile.n = positions - tile.first < some ? positions - tile.first : some;
            widen_inputs(x, from, (n_rows - 1) * how->row_step + (tile.n - 1) * how->step + least, how->zero_in);
            tile.x = x;
            tile_run(out + (row * positions + tile.first) * how->out_step, how, &tile, n_rows, how->row_step / 2, w,
                     how->codes.length);
        }
    }
    return 1;
}

/* Positions whose inputs are first gathered into one segment. */
static int run_gathered(uint8_t *out, const QcKConv *how, uint32_t *x, uint32_t room, uint32_t *w)
{
    static const uint32_t none = 0;
    const uint32_t length = how->codes.segments * how->codes.length, run = (length + 3) & ~3u,
                   all = how->rows * how->positions;
    uint32_t some = room / run & ~1u;
    if (some == 0 || (some < 8 && some < all)) return 0;
    Tile tile = {.step = 2 * run, .segment = &none, .segments = 1, .run = run};
    for (uint32_t first = 0; first < all; first += some, out += (size_t)some * how->out_step) {
        tile.n = all - first < some ? all - first : some;
        tile.x = x;
        for (uint32_t t = 0; t < tile.n; t++) {
            uint32_t row = (first + t) / how->positions;
            gather_inputs(x + t * run / 2,
                          how->x + row * how->row_step + (first + t - row * how->positions) * how->step, how, run);
        }
        tile_run(out, how, &tile, 1, 0, w, length);
    }
    return 1;
}

int qc_dsp_conv(uint8_t *out, const QcKConv *how)
{
    const QcKCodes *c = &how->codes;
    const uint32_t run = (c->length + 3) & ~3u, gathered = (c->segments * c->length + 3) & ~3u,
                   weights = (c->segments * run > gathered ? c->segments * run : gathered) * 4;
    if (!cortexm_takes(how) || weights >= how->scratch_bytes) return 0;
    uint32_t *w = how->scratch, *x = w + weights / 4, room = (uint32_t)(how->scratch_bytes - weights) / 2;
    if (are_words(how) && run_in_place(out, how, x, room, w)) return 1;
    return run_gathered(out, how, x, room, w);
}

#endif
