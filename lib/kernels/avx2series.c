/* avx2series.c - long 1-D convolutions with fewer multiplications than taps.
 *
 * vpmaddwd does 16 products, and no exact instruction of this set does more, so this file multiplies less. Five
 * outputs of five taps are 25 products, but only nine if the inputs and the weights are first evaluated as
 * polynomials at nine points (Toom and Cook's algorithm, transposed: Winograd, Arithmetic Complexity of
 * Computations, 1980, IV; minimal filtering, F(5, 5)). The points are 0, 1, -1, 2, -2, 1/2, -1/2, 3 and infinity.
 * For every point ("leaf") l
 *
 *     m[l][n] = sum over j of (sum over i of INPUT[l][i] * x[5 n + 5 j + i]) * (sum over q of POINT[l]^q * w[5 j + q])
 *     y[5 n + r] = sum over l of POINT[l]^r * m[l][n] / DIVISOR[l]
 *
 * so that all j read one stream of transformed inputs. All results are exact. Transformed values fit 16 bits, and
 * the sums are integers modulo 2^32, in which the odd parts of the divisors have inverses. Their powers of two, at
 * most 8, are shifted out at the end, which leaves y itself if |y| < 2^28.
 */
#include "avx2tile.h"
#include "mem.h"

enum { PER = 5, LEAVES = 9, POSITIONS = 125, GROUPS = POSITIONS / PER, INPUTS = 32, LANES = QC_K_LANES };
enum { STEPS = 8, TAPS = STEPS * PER, AT_ONCE = 4 /* steps whose weights are held */ };

/* The coefficients of the product of (z - p) over the other finite points p, times the factor that makes them
 * integers. |x - zero_in| <= 255 gives |sum| < 2^15: the coefficients of one sign add up to at most 100, and the
 * coefficients of all leaves except one to 0. */
static const int16_t input[LEAVES][2 * PER - 1] = {
    {12, -4, -63, 21, 63, -21, -12, 4, 0}, {0, -12, -8, 55, 34, -29, -8, 4, 0},  {0, 12, -16, -47, 68, -5, -16, 4, 0},
    {0, 6, 1, -31, -5, 29, 4, -4, 0},      {0, -6, 5, 29, -25, -19, 20, -4, 0},  {0, 12, 20, -23, -25, 13, 5, -2, 0},
    {0, -12, 28, 7, -35, 7, 7, -2, 0},     {0, -4, 0, 21, 0, -21, 0, 4, 0},      {0, 12, -4, -63, 21, 63, -21, -12, 4},
};

/* 8 / DIVISOR modulo 2^32: 2/3, 2/9, 1/9, 1/45, 1/225, 1/225, 1/315, 1/525, 2 */
static const uint32_t inverse[LEAVES] = {0x55555556u, 0x71c71c72u, 0x38e38e39u, 0xa4fa4fa5u, 0x87654321u,
                                         0x87654321u, 0xf2ff2ff3u, 0x5e991cc5u, 0x00000002u};

typedef struct Work { /* on the stack */
    _Alignas(32) uint8_t x[(POSITIONS + TAPS + 2 * PER) * INPUTS];          /* rows of the piece's inputs, zeros after
                                                                               them */
    _Alignas(32) int16_t stream[LEAVES][(GROUPS + STEPS - 1) * INPUTS + 16]; /* transformed inputs */
    _Alignas(32) int8_t codes[AT_ONCE * PER * INPUTS * LANES];              /* of one block of channels, unpacked:
                                                                               [taps][inputs / 4][8][4] */
    _Alignas(32) int16_t w[LEAVES * AT_ONCE * INPUTS * LANES];              /* transformed: [leaves][steps][inputs /
                                                                               4][8][4] */
    _Alignas(32) int32_t m[LEAVES][GROUPS * LANES];
    _Alignas(32) int32_t y[POSITIONS * LANES];
} Work;

/* The convolution, whose kernel is one run of x: taps of as many inputs as positions lie apart. */
typedef struct Series {
    const QcKConv *conv;
    const uint8_t *x; /* [positions + taps - 1][inputs] */
    QcKCodes codes;
    uint32_t inputs, taps, positions;
} Series;

/* The part of the work in memory at once: some positions, inputs and taps. */
typedef struct Piece {
    uint32_t position, positions, groups; /* groups of five outputs */
    uint32_t input, inputs, row;          /* row: inputs rounded up to 4 */
    uint32_t tap, taps, steps;            /* steps of five taps */
} Piece;

/* The taps of a piece whose weights are in memory at once. */
typedef struct Part {
    uint32_t step, steps, taps;
} Part;

/* ---- inputs ---- */

static void gather_rows(Work *work, const Series *how, const Piece *p)
{
    uint32_t rows = (p->groups + p->steps) * PER, there = how->positions + how->taps - 1 - p->position - p->tap;
    const uint8_t *from = how->x + (size_t)(p->position + p->tap) * how->inputs + p->input;
    if (there > rows) there = rows;
    memset(work->x + (size_t)there * p->row, 0, (size_t)(rows - there) * p->row + 16);
    if (p->row == how->inputs) { /* rows follow each other */
        memcpy(work->x, from, (size_t)there * p->row);
        return;
    }
    for (uint32_t r = 0; r < there; r++, from += how->inputs) {
        memset(work->x + (size_t)r * p->row, 0, p->row);
        memcpy(work->x + (size_t)r * p->row, from, p->inputs);
    }
}

static void evaluate_inputs(Work *work, const Piece *p, int32_t zero_in)
{
    const __m256i zero = _mm256_set1_epi16((int16_t)zero_in);
    for (uint32_t g = 0; g < p->groups + p->steps - 1; g++)
        for (uint32_t i = 0; i < p->row; i += 16) {
            const uint8_t *x = work->x + (size_t)g * PER * p->row + i;
            __m256i value[2 * PER - 1];
            for (uint32_t k = 0; k < 2 * PER - 1; k++)
                value[k] =
                    _mm256_sub_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)(x + k * p->row))), zero);
            for (uint32_t l = 0; l < LEAVES; l++) {
                __m256i sum = _mm256_setzero_si256();
                for (uint32_t k = 0; k < 2 * PER - 1; k++)
                    sum = _mm256_add_epi16(sum, _mm256_mullo_epi16(value[k], _mm256_set1_epi16(input[l][k])));
                store(work->stream[l] + (size_t)g * p->row + i, sum);
            }
        }
}

/* ---- weights ---- */

static void gather_codes(Work *work, const Series *how, const Piece *p, const Part *part, uint32_t o, uint32_t channels)
{
    int8_t *to = work->codes;
    int32_t sum[LANES];
    QcKCodes codes = how->codes;
    codes.first += o * codes.row + (p->tap + part->step * PER) * how->inputs + p->input;
    codes.channels = channels;
    codes.length = p->inputs;
    codes.segments = 1;
    if (p->inputs == how->inputs && p->inputs == p->row) codes.length *= part->taps; /* taps follow each other */
    uint32_t calls = codes.length == p->inputs ? part->taps : 1;
    for (uint32_t k = 0; k < calls; k++, codes.first += how->inputs, to += (size_t)p->row * LANES)
        qc_avx2_unpack(to, sum, &codes);
    uint32_t missing = part->steps * PER - part->taps;
    if (missing) memset(work->codes + (size_t)part->taps * p->row * LANES, 0, (size_t)missing * p->row * LANES);
}

INLINE __m256i weights(const int8_t *codes) { return _mm256_cvtepi8_epi16(_mm_load_si128((const void *)codes)); }

INLINE __m256i plus(__m256i a, __m256i b) { return _mm256_add_epi16(a, b); }
INLINE __m256i twice(__m256i v, int times) { return _mm256_slli_epi16(v, times); }
INLINE __m256i thrice(__m256i v) { return plus(v, plus(v, v)); }

/* At p and -p, from the sums of their even and odd powers. */
INLINE void store_pair(int16_t *w, size_t leaf, __m256i even, __m256i odd)
{
    store(w, plus(even, odd));
    store(w + leaf, _mm256_sub_epi16(even, odd));
}

/* Five taps at all points; at 1/2 and -1/2 times 16. */
INLINE void evaluate_taps(int16_t *w, size_t leaf, const int8_t *codes, size_t tap)
{
    __m256i a = weights(codes), b = weights(codes + tap), c = weights(codes + 2 * tap), d = weights(codes + 3 * tap),
            e = weights(codes + 4 * tap);
    __m256i c4 = twice(c, 2);
    store(w, a);
    store_pair(w + leaf, leaf, plus(plus(a, e), c), plus(b, d));
    store_pair(w + 3 * leaf, leaf, plus(plus(a, c4), twice(e, 4)), twice(plus(b, twice(d, 2)), 1));
    store_pair(w + 5 * leaf, leaf, plus(plus(e, c4), twice(a, 4)), twice(plus(d, twice(b, 2)), 1));
    store(w + 7 * leaf, plus(a, thrice(plus(b, thrice(plus(c, thrice(plus(d, thrice(e)))))))));
    store(w + 8 * leaf, e);
}

static void evaluate_weights(Work *work, const Piece *p, const Part *part)
{
    size_t tap = (size_t)p->row * LANES, leaf = part->steps * tap;
    int16_t *to = work->w;
    for (uint32_t j = 0; j < part->steps; j++)
        for (size_t i = 0; i < tap; i += 16, to += 16) evaluate_taps(to, leaf, work->codes + j * PER * tap + i, tap);
}

/* ---- products ---- */

static void multiply(Work *work, const Piece *p, const Part *part, uint32_t leaf, int also)
{
    const int16_t *x = work->stream[leaf] + part->step * p->row,
                  *w = work->w + (size_t)leaf * part->steps * p->row * LANES;
    int32_t *m = work->m[leaf];
    uint32_t steps = part->steps * p->row / 4, n;
    for (uint32_t left = p->groups; left > 0; left -= n, x += (size_t)n * p->row, m += n * LANES) {
        n = tile_size(left);
        tile(m, LANES, x, p->row, w, steps, also, n);
    }
}

/* ---- outputs ---- */

INLINE __m256i add(__m256i a, __m256i b) { return _mm256_add_epi32(a, b); }
INLINE __m256i doubled(__m256i v, int times) { return _mm256_slli_epi32(v, times); }
INLINE __m256i tripled(__m256i v) { return add(v, add(v, v)); }
INLINE void store_sum(int32_t *y, __m256i eight_times) { store(y, _mm256_srai_epi32(eight_times, 3)); }

static void interpolate(Work *work, uint32_t groups)
{
    int32_t *y = work->y;
    for (uint32_t n = 0; n < groups; n++, y += PER * LANES) {
        __m256i m[LEAVES];
        for (uint32_t l = 0; l < LEAVES; l++)
            m[l] = _mm256_mullo_epi32(load(work->m[l] + (size_t)n * LANES), _mm256_set1_epi32((int32_t)inverse[l]));
        __m256i even1 = add(m[1], m[2]), odd1 = _mm256_sub_epi32(m[1], m[2]), even2 = add(m[3], m[4]),
                odd2 = _mm256_sub_epi32(m[3], m[4]);
        /* three: m[7] times 3 to the power of r */
        __m256i half = add(m[5], m[6]), odd_half = _mm256_sub_epi32(m[5], m[6]), three = m[7];
        store_sum(y, add(add(add(m[0], even1), add(even2, doubled(half, 4))), three));
        three = tripled(three);
        store_sum(y + LANES, add(add(odd1, doubled(odd2, 1)), add(doubled(odd_half, 3), three)));
        three = tripled(three);
        store_sum(y + 2 * LANES, add(add(even1, doubled(add(even2, half), 2)), three));
        three = tripled(three);
        store_sum(y + 3 * LANES, add(add(odd1, doubled(odd2, 3)), add(doubled(odd_half, 1), three)));
        three = tripled(three);
        store_sum(y + 4 * LANES, add(add(add(even1, doubled(even2, 4)), add(half, three)), m[8]));
    }
}

/* ---- all of it ---- */

/* m of eight output channels, of all leaves: from a piece whose inputs are evaluated. */
static void multiply_piece(Work *work, const Series *how, const Piece *p, uint32_t o, int also)
{
    Part part;
    for (part.step = 0; part.step < p->steps; part.step += part.steps, also = 1) {
        part.steps = least(p->steps - part.step, AT_ONCE);
        part.taps = least(p->taps - part.step * PER, part.steps * PER);
        gather_codes(work, how, p, &part, o, least(how->codes.channels - o, LANES));
        evaluate_weights(work, p, &part);
        for (uint32_t l = 0; l < LEAVES; l++) multiply(work, p, &part, l, also);
    }
}

/* Eight output channels at some positions; is_open: the inputs, all of which are one piece, are evaluated already. */
static void run_block(Work *work, uint8_t *out, const Series *how, Piece p, uint32_t o, int is_open)
{
    int also = 0;
    for (p.input = 0; p.input < how->inputs; p.input += INPUTS)
        for (p.tap = 0; p.tap < how->taps; p.tap += TAPS) {
            p.inputs = least(how->inputs - p.input, INPUTS);
            p.row = (p.inputs + 3) & ~3u;
            p.taps = least(how->taps - p.tap, TAPS);
            p.steps = (p.taps + PER - 1) / PER;
            if (!is_open) {
                gather_rows(work, how, &p);
                evaluate_inputs(work, &p, how->conv->zero_in);
            }
            multiply_piece(work, how, &p, o, also++);
        }
    interpolate(work, p.groups);
    const QcKConv *c = how->conv;
    qc_avx2_rescale(out + o, work->y, c->bias + o, c->multiplier + o, c->shift + o, p.positions,
                    least(c->codes.channels - o, LANES), LANES, c->out_step, c->zero, c->low, c->high);
}

int qc_avx2_series(uint8_t *out, const QcKConv *how)
{
    Work work;
    uint32_t inputs = how->step, length = how->codes.length;
    if (how->rows != 1 || how->codes.segments != 1 || !inputs || length % inputs) return 0;
    Series s = {how, how->x + how->segment[0], how->codes, inputs, length / inputs, how->positions};
    uint64_t most = (uint64_t)length * 255 * 128; /* |sum| at most */
    int is_short = s.taps < 7 || s.positions < 24 || inputs < 4;
    int is_narrow = s.codes.bits < 8 && length < 256; /* dot takes twice as many products at once */
    if (is_short || is_narrow || most >= 1u << 28) return 0;
    uint32_t chunks = (s.positions + POSITIONS - 1) / POSITIONS, n;
    int is_one = inputs <= INPUTS && s.taps <= TAPS;
    for (uint32_t left = s.positions, t = 0; left > 0; left -= n, t += n, chunks--) {
        n = (left + chunks - 1) / chunks;
        Piece p = {.position = t, .positions = n, .groups = (n + PER - 1) / PER};
        for (uint32_t o = 0; o < s.codes.channels; o += LANES)
            run_block(&work, out + (size_t)t * how->out_step, &s, p, o, is_one && o > 0);
    }
    return 1;
}
