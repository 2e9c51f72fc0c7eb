/* avx2series.c - long 1-D convolutions with fewer multiplications than taps.
 *
 * vpmaddwd does 16 products and nothing exact on this set does more, so this file multiplies less. R outputs of S taps are S * R products, but
 * only R + S - 1 where the input and the weights are first evaluated as polynomials at R + S - 1 points (Toom and Cook's algorithm, transposed:
 * Winograd, Arithmetic Complexity of Computations, 1980, IV; also known as minimal filtering, F(R, S)). For every point ("leaf") l
 *
 *     m[l][n] = sum over j of (sum over i of INPUT[l][i] * x[R n + S j + i]) * (sum over q of WEIGHT[l][q] * w[S j + q])
 *     y[R n + r] = sum over l of OUTPUT[l][r] * m[l][n]
 *
 * with R = S, so that all j read one stream of transformed inputs. All is exact: transformed values fit 16 bits, and the sums are integers modulo
 * 2^32, in which OUTPUT's odd denominators have inverses; its powers of two are shifted out at the end, which leaves the sum itself as long as
 * |y| < 2^(31 - shift).
 */
#include "avx2tile.h"
#include "mem.h"

enum { POSITIONS = 128, INPUTS = 32, LANES = QC_K_LANES, LEAVES = 7, PER = 4 /* R = S, at most */ };
enum { TAPS = 42, STEPS = 14 /* taps / S, at most */, STREAM = POSITIONS / 3 + 2 + STEPS, AT_ONCE = 35 /* leaves * steps whose weights are held */ };

typedef struct Scheme {
    uint32_t per, leaves, shift; /* per: R = S */
    int16_t input[LEAVES][2 * PER - 1];
    int32_t output[LEAVES][PER];
} Scheme;

/* 1 / 3, 1 / 9 and so on modulo 2^32 */
#define THIRD ((int32_t)0xaaaaaaab)
#define NINTH ((int32_t)0x38e38e39)
#define FIFTEENTH ((int32_t)0xeeeeeeef)
#define FORTYFIFTH ((int32_t)0xa4fa4fa5)
#define TIMES(n, inverse) ((int32_t)((uint32_t)(n) * (uint32_t)(inverse)))

static const Scheme by_three = { /* points 0, 1, -1, 2, infinity */
    .per = 3,
    .leaves = 5,
    .shift = 1,
    .input = {{2, -1, -2, 1, 0}, {0, 2, 1, -1, 0}, {0, -2, 3, -1, 0}, {0, -1, 0, 1, 0}, {0, 2, -1, -2, 1}},
    .output = {{1, 0, 0}, {1, 1, 1}, {THIRD, TIMES(-1, THIRD), THIRD}, {THIRD, TIMES(2, THIRD), TIMES(4, THIRD)}, {0, 0, 2}},
};

static const Scheme by_four = { /* points 0, 1, -1, 2, -2, 1/2, infinity */
    .per = 4,
    .leaves = 7,
    .shift = 3,
    .input = {{4, -8, -5, 10, 1, -2, 0},
              {0, -4, 4, 9, -1, -2, 0},
              {0, -4, 12, -7, -3, 2, 0},
              {0, 2, -3, -4, 3, 2, 0},
              {0, 2, -5, 0, 5, -2, 0},
              {0, 4, 0, -5, 0, 1, 0},
              {0, -4, 8, 5, -10, -1, 2}},
    .output = {{2, 0, 0, 0},
               {TIMES(4, THIRD), TIMES(4, THIRD), TIMES(4, THIRD), TIMES(4, THIRD)},
               {TIMES(4, NINTH), TIMES(-4, NINTH), TIMES(4, NINTH), TIMES(-4, NINTH)},
               {NINTH, TIMES(2, NINTH), TIMES(4, NINTH), TIMES(8, NINTH)},
               {FIFTEENTH, TIMES(-2, FIFTEENTH), TIMES(4, FIFTEENTH), TIMES(-8, FIFTEENTH)},
               {TIMES(32, FORTYFIFTH), TIMES(16, FORTYFIFTH), TIMES(8, FORTYFIFTH), TIMES(4, FORTYFIFTH)},
               {0, 0, 0, 4}},
};

typedef struct Work { /* on the stack */
    _Alignas(32) uint8_t x[(POSITIONS + TAPS + 2 * PER) * INPUTS];   /* rows of the piece's inputs, zeros behind them */
    _Alignas(32) int16_t stream[LEAVES][STREAM * INPUTS + 16];       /* transformed inputs */
    _Alignas(32) int8_t codes[21 * INPUTS * LANES];                  /* of one block of channels, unpacked: [taps][inputs / 4][8][4] */
    _Alignas(32) int16_t w[AT_ONCE * INPUTS * LANES];                /* transformed: [leaves][steps][inputs / 4][8][4] */
    _Alignas(32) int32_t m[LEAVES][(POSITIONS / 3 + 1) * LANES];
    _Alignas(32) int32_t y[(POSITIONS + PER) * LANES];
} Work;

/* What is worked on at once: some positions, inputs and taps. */
typedef struct Piece {
    uint32_t position, positions, groups; /* groups of R outputs */
    uint32_t input, inputs, row;          /* row: inputs rounded up to 4 */
    uint32_t tap, taps, steps;            /* steps of S taps */
} Piece;

/* Of them, the taps whose weights are held at once. */
typedef struct Part {
    uint32_t step, steps, taps;
} Part;

/* ---- inputs ---- */

static void gather_rows(Work *work, const QcKSeries *how, const Piece *p, const Scheme *scheme)
{
    uint32_t rows = (p->groups + p->steps) * scheme->per + scheme->per, there = how->positions + how->taps - 1 - p->position - p->tap;
    const uint8_t *from = how->x + (size_t)(p->position + p->tap) * how->inputs + p->input;
    uint8_t *to = work->x;
    for (uint32_t r = 0; r < rows; r++, to += p->row, from += how->inputs) {
        uint32_t n = r < there ? p->inputs : 0;
        if (n) memcpy(to, from, n);
        memset(to + n, 0, p->row - n);
    }
    memset(to, 0, 16);
}

INLINE __m256i sixteen(const uint8_t *x) { return _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)x)); }

INLINE void evaluate_inputs(Work *work, const Piece *p, int32_t zero_in, const Scheme *scheme, const uint32_t per)
{
    const __m256i zero = _mm256_set1_epi16((int16_t)zero_in);
    uint32_t n = p->groups + p->steps - 1, wide = 2 * per - 1;
    for (uint32_t g = 0; g < n; g++)
        for (uint32_t i = 0; i < p->row; i += 16) {
            const uint8_t *x = work->x + (size_t)g * per * p->row + i;
            __m256i value[2 * PER - 1];
            for (uint32_t k = 0; k < wide; k++) value[k] = _mm256_sub_epi16(sixteen(x + k * p->row), zero);
            for (uint32_t l = 0; l < scheme->leaves; l++) {
                __m256i sum = _mm256_setzero_si256();
                for (uint32_t k = 0; k < wide; k++)
                    sum = _mm256_add_epi16(sum, _mm256_mullo_epi16(value[k], _mm256_set1_epi16(scheme->input[l][k])));
                store(work->stream[l] + (size_t)g * p->row + i, sum);
            }
        }
}

/* ---- weights ---- */

static void gather_codes(Work *work, const QcKSeries *how, const Piece *p, const Part *part, uint32_t o, uint32_t channels, uint32_t per)
{
    int8_t *to = work->codes;
    int32_t sum[LANES];
    QcKCodes codes = how->codes;
    codes.first += o * codes.row + (p->tap + part->step * per) * how->inputs + p->input;
    codes.channels = channels;
    codes.length = p->inputs;
    codes.segments = 1;
    if (p->inputs == how->inputs && p->inputs == p->row) codes.length *= part->taps; /* taps follow each other */
    uint32_t calls = codes.length == p->inputs ? part->taps : 1;
    for (uint32_t k = 0; k < calls; k++, codes.first += how->inputs, to += (size_t)p->row * LANES) qc_avx2_unpack(to, sum, &codes);
    memset(work->codes + (size_t)part->taps * p->row * LANES, 0, (size_t)(part->steps * per - part->taps) * p->row * LANES);
}

INLINE __m256i weights(const int8_t *codes) { return _mm256_cvtepi8_epi16(_mm_load_si128((const void *)codes)); }

INLINE __m256i times(__m256i v, int power) { return _mm256_slli_epi16(v, power); }

/* Three taps at 0, 1, -1, 2 and infinity. */
INLINE void evaluate_three(int16_t *w, size_t leaf, const int8_t *codes, size_t tap)
{
    __m256i a = weights(codes), b = weights(codes + tap), c = weights(codes + 2 * tap), even = _mm256_add_epi16(a, c);
    store(w, a);
    store(w + leaf, _mm256_add_epi16(even, b));
    store(w + 2 * leaf, _mm256_sub_epi16(even, b));
    store(w + 3 * leaf, _mm256_add_epi16(a, times(_mm256_add_epi16(b, times(c, 1)), 1)));
    store(w + 4 * leaf, c);
}

/* Four taps at 0, 1, -1, 2, -2, 1/2 (times 8) and infinity. */
INLINE void evaluate_four(int16_t *w, size_t leaf, const int8_t *codes, size_t tap)
{
    __m256i a = weights(codes), b = weights(codes + tap), c = weights(codes + 2 * tap), d = weights(codes + 3 * tap);
    __m256i even = _mm256_add_epi16(a, c), odd = _mm256_add_epi16(b, d);
    store(w, a);
    store(w + leaf, _mm256_add_epi16(even, odd));
    store(w + 2 * leaf, _mm256_sub_epi16(even, odd));
    even = _mm256_add_epi16(a, times(c, 2)), odd = times(_mm256_add_epi16(b, times(d, 2)), 1);
    store(w + 3 * leaf, _mm256_add_epi16(even, odd));
    store(w + 4 * leaf, _mm256_sub_epi16(even, odd));
    store(w + 5 * leaf, _mm256_add_epi16(d, times(_mm256_add_epi16(c, times(_mm256_add_epi16(b, times(a, 1)), 1)), 1)));
    store(w + 6 * leaf, d);
}

INLINE void evaluate_weights(Work *work, const Piece *p, const Part *part, const uint32_t per)
{
    size_t tap = (size_t)p->row * LANES, leaf = part->steps * tap;
    int16_t *to = work->w;
    for (uint32_t j = 0; j < part->steps; j++)
        for (size_t i = 0; i < tap; i += 16, to += 16) {
            const int8_t *codes = work->codes + j * per * tap + i;
            if (per == 3) evaluate_three(to, leaf, codes, tap);
            else evaluate_four(to, leaf, codes, tap);
        }
}

/* ---- products ---- */

static void multiply(Work *work, const Piece *p, const Part *part, uint32_t leaf, int also)
{
    const int16_t *x = work->stream[leaf] + part->step * p->row, *w = work->w + (size_t)leaf * part->steps * p->row * LANES;
    int32_t *m = work->m[leaf];
    uint32_t steps = part->steps * p->row / 4, n;
    for (uint32_t left = p->groups; left > 0; left -= n, x += (size_t)n * p->row, m += n * LANES) {
        n = tile_size(left);
        tile(m, LANES, x, p->row, w, steps, also, n);
    }
}

/* ---- outputs ---- */

INLINE void interpolate(Work *work, uint32_t groups, const Scheme *scheme, const uint32_t per)
{
    int32_t *y = work->y;
    for (uint32_t n = 0; n < groups; n++)
        for (uint32_t r = 0; r < per; r++, y += LANES) {
            __m256i sum = _mm256_setzero_si256();
            for (uint32_t l = 0; l < scheme->leaves; l++)
                sum = _mm256_add_epi32(sum, _mm256_mullo_epi32(load(work->m[l] + (size_t)n * LANES), _mm256_set1_epi32(scheme->output[l][r])));
            store(y, _mm256_srai_epi32(sum, (int)scheme->shift));
        }
}

/* ---- all of it ---- */

/* m of eight output channels, of all leaves: from a piece whose inputs are evaluated. */
INLINE void multiply_piece(Work *work, const QcKSeries *how, const Piece *p, uint32_t o, const Scheme *scheme, int also, const uint32_t per)
{
    uint32_t channels = least(how->codes.channels - o, LANES), most = AT_ONCE / scheme->leaves;
    Part part;
    for (part.step = 0; part.step < p->steps; part.step += part.steps, also = 1) {
        part.steps = least(p->steps - part.step, most);
        part.taps = least(p->taps - part.step * per, part.steps * per);
        gather_codes(work, how, p, &part, o, channels, per);
        evaluate_weights(work, p, &part, per);
        for (uint32_t l = 0; l < scheme->leaves; l++) multiply(work, p, &part, l, also);
    }
}

/* Eight output channels at some positions; is_open: the inputs, all of which are one piece, are evaluated already. */
INLINE void run_block(Work *work, uint8_t *out, const QcKSeries *how, Piece p, uint32_t o, const Scheme *scheme, int is_open, const uint32_t per)
{
    const uint32_t most = STEPS * 3 / per * per;
    int also = 0;
    for (p.input = 0; p.input < how->inputs; p.input += INPUTS)
        for (p.tap = 0; p.tap < how->taps; p.tap += most) {
            p.inputs = least(how->inputs - p.input, INPUTS);
            p.row = (p.inputs + 3) & ~3u;
            p.taps = least(how->taps - p.tap, most);
            p.steps = (p.taps + per - 1) / per;
            if (!is_open) {
                gather_rows(work, how, &p, scheme);
                evaluate_inputs(work, &p, how->zero_in, scheme, per);
            }
            multiply_piece(work, how, &p, o, scheme, also++, per);
        }
    interpolate(work, p.groups, scheme, per);
    qc_avx2_rescale(out + o, work->y, how->bias + o, how->multiplier + o, how->shift + o, p.positions, least(how->codes.channels - o, LANES), LANES,
                            how->out_step, how->zero, how->low, how->high);
}

INLINE void run_scheme(uint8_t *out, const QcKSeries *how, const Scheme *scheme, const uint32_t per)
{
    Work work;
    uint32_t chunks = (how->positions + POSITIONS - 1) / POSITIONS, n;
    int is_one = how->inputs <= INPUTS && how->taps <= STEPS * 3 / per * per;
    for (uint32_t left = how->positions, t = 0; left > 0; left -= n, t += n, chunks--) {
        n = (left + chunks - 1) / chunks;
        Piece p = {.position = t, .positions = n, .groups = (n + per - 1) / per};
        for (uint32_t o = 0; o < how->codes.channels; o += LANES)
            run_block(&work, out + (size_t)t * how->out_step, how, p, o, scheme, is_one && o > 0, per);
    }
}

static void run_three(uint8_t *out, const QcKSeries *how) { run_scheme(out, how, &by_three, 3); }
static void run_four(uint8_t *out, const QcKSeries *how) { run_scheme(out, how, &by_four, 4); }

int qc_avx2_series(uint8_t *out, const QcKSeries *how)
{
    uint64_t most = (uint64_t)how->taps * how->inputs * 255 * 128; /* |sum| at most */
    if (how->taps < 7 || how->positions < 24 || how->inputs < 4 || most >= 1u << 28) return 0;
#ifdef PER3
    run_three(out, how);
    (void)run_four;
#else
    if (how->taps % 4 == 1) run_three(out, how);
    else run_four(out, how);
#endif
    return 1;
}
