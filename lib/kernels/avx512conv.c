/* avx512conv.c - whole convolutions: the weights of 16 or 32 output channels are unpacked once; the sums of up to
 * twelve positions stay in registers, and are rescaled there.
 *
 * A step multiplies four bytes of x, repeated in all lanes, by the next four weights of each channel: vpdpbusd.
 * Every position must load and repeat its own four bytes, which takes a core as long as the multiplication. So two
 * vectors of channels share them. 24 sums, two vectors of weights and some of x fill the 32 registers. In the border
 * around a series, all positions of a tile may read the zero point: its products are computed once for all of them.
 * Tiles are smaller at the border, so that more positions share these products.
 */
#include "avx512.h"
#include "avx512rescale.h"

enum {
    LANES = QC_512_LANES,
    MOST = 12 /* positions */,
    FEW = 6 /* at a border */,
    WEIGHTS = 48 << 10,
    STEPS = WEIGHTS / 4 / LANES
};

/* 16 or 32 output channels, `vectors` of 16; those beyond the last are zeros. */
typedef struct Panel {
    _Alignas(64) int8_t w[WEIGHTS]; /* [segments][steps][vectors][16][4] */
    int32_t acc[MOST * 2 * LANES];  /* [positions][vectors][16], where sums are not rescaled in registers */
    int32_t bias[2 * LANES];        /* less the zero point's share */
    Rescale rescale[2];
    uint32_t channel, channels, vectors;
    __mmask32 there; /* mask of existing channels */
    int is_plain;    /* a shift below 32: rescaled by the scalar kernel */
} Panel;

/* ---- rescaling ---- */

/* Prepares the rescaling of the sums of up to 16 channels; 0 if a shift is below 32, which only the scalar kernel
 * supports. */
INLINE int rescale_lanes(Rescale *r, const QcKConv *how, uint32_t channel, __mmask16 there, __m512i bias)
{
    __m512i shift = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(there, how->shift + channel));
    *r = rescale_init(bias, _mm512_maskz_loadu_epi32(there, how->multiplier + channel), shift);
    return _mm512_mask_cmplt_epi32_mask(there, shift, _mm512_set1_epi32(32)) == 0;
}

/* Unpacks the weights of the panel and prepares the rescaling of its sums. */
static void panel_open(Panel *panel, const QcKConv *how)
{
    panel->there = (__mmask32)(0xffffffffu >> (32 - panel->channels));
    panel->is_plain = 0;
    for (uint32_t v = 0; v < panel->vectors; v++) {
        uint32_t o = panel->channel + v * LANES, left = panel->channels - v * LANES;
        __mmask16 there = (__mmask16)(panel->there >> v * LANES);
        int32_t sum[LANES];
        qc_avx512_unpack(panel->w + v * LANES * 4, (size_t)panel->vectors * LANES * 4, sum, &how->codes, o,
                         left < LANES ? left : LANES);
        __m512i share = _mm512_mullo_epi32(_mm512_loadu_si512(sum), _mm512_set1_epi32(how->zero_in));
        __m512i bias = _mm512_sub_epi32(_mm512_maskz_loadu_epi32(there, how->bias + o), share);
        panel->is_plain |= !rescale_lanes(&panel->rescale[v], how, o, there, bias);
        _mm512_storeu_si512(panel->bias + v * LANES, bias);
    }
}

/* ---- products ---- */

INLINE __m512i repeated(const uint8_t *at)
{
    int32_t four;
    memcpy(&four, at, sizeof four);
    return _mm512_set1_epi32(four);
}

/* Sums have names, as compilers keep arrays in memory. Positions 3, 6 and 9 have pointers of their own, from which
 * others are one or two steps away. */
#define EACH_POSITION(work) \
    work(0) work(1) work(2) work(3) work(4) work(5) work(6) work(7) work(8) work(9) work(10) work(11)
#define DECLARE(p) __m512i sum##p = _mm512_setzero_si512(), more##p = sum##p;
#define ADD_PRODUCTS(p) \
    if (P > p) { \
        __m512i four = repeated((p < 3 ? a : p < 6 ? b : p < 9 ? c : d) + p % 3 * step); \
        sum##p = _mm512_dpbusd_epi32(sum##p, four, w0); \
        if (V > 1) more##p = _mm512_dpbusd_epi32(more##p, four, w1); \
    }
#define KEEP(p) \
    if (P > p) { \
        _mm512_storeu_si512(panel->acc + p * V * LANES, sum##p); \
        if (V > 1) _mm512_storeu_si512(panel->acc + p * V * LANES + LANES, more##p); \
    }
/* Two positions of 32 channels, or four of 16; a missing position repeats the position before it. */
#define SETTLE_TWO(p, q)                                                                                     \
    if (P > p) {                                                                                             \
        __m512i bytes =                                                                                      \
            packed_four(rescaled(sum##p, r), rescaled(more##p, r + 1), rescaled(P > q ? sum##q : sum##p, r), \
                        rescaled(P > q ? more##q : more##p, r + 1), to);                                     \
        _mm256_mask_storeu_epi8(out + p * out_step, there, _mm512_castsi512_si256(bytes));                   \
        if (P > q) _mm256_mask_storeu_epi8(out + q * out_step, there, _mm512_extracti64x4_epi64(bytes, 1));  \
    }
#define SETTLE_FOUR(p, q, s, t)                                                                                      \
    if (P > p) {                                                                                                     \
        __m512i bytes = packed_four(rescaled(sum##p, r), rescaled(P > q ? sum##q : sum##p, r),                       \
                                    rescaled(P > s ? sum##s : sum##p, r), rescaled(P > t ? sum##t : sum##p, r), to); \
        _mm_mask_storeu_epi8(out + p * out_step, (__mmask16)there, _mm512_castsi512_si128(bytes));                   \
        if (P > q) _mm_mask_storeu_epi8(out + q * out_step, (__mmask16)there, _mm512_extracti32x4_epi32(bytes, 1));  \
        if (P > s) _mm_mask_storeu_epi8(out + s * out_step, (__mmask16)there, _mm512_extracti32x4_epi32(bytes, 2));  \
        if (P > t) _mm_mask_storeu_epi8(out + t * out_step, (__mmask16)there, _mm512_extracti32x4_epi32(bytes, 3));  \
    }

/* The steps of a tile at position `at` of a series. Steps that read only border at all positions are not multiplied
 * per position. */
typedef struct Span {
    uint32_t first, end;
} Span;

static Span span_of(const QcKConv *how, uint32_t at, uint32_t positions)
{
    uint32_t steps = (how->codes.length + 3) / 4, from = at * how->step, last = from + (positions - 1) * how->step;
    uint32_t border = (how->positions - 1) * how->step + how->codes.length - how->after; /* start of the border
                                                                                          * after the series */
    Span span = {0, steps};
    if (how->before > last) span.first = (how->before - last) / 4;
    if (how->after && (border - from + 3) / 4 < steps) span.end = (border - from + 3) / 4;
    if (border < from || span.first > span.end) span = (Span){0, steps}; /* more border than series */
    return span;
}

/* P positions of V vectors of channels, from x on. */
INLINE void tile_of(uint8_t *out, Panel *panel, const QcKConv *how, const uint8_t *x, const Span *span, const Clamp *to,
                    const Rescale *r, const int V, const int P)
{
    const size_t step = how->step, out_step = how->out_step;
    const int8_t *w = panel->w + (size_t)span->first * V * LANES * 4;
    EACH_POSITION(DECLARE)
    for (uint32_t s = 0; s < how->codes.segments; s++) {
        const uint8_t *a = x + how->segment[s] + 4 * (size_t)span->first, *b = a + 3 * step, *c = b + 3 * step,
                      *d = c + 3 * step;
        for (uint32_t left = span->end - span->first; left > 0;
             left--, a += 4, b += 4, c += 4, d += 4, w += V * LANES * 4) {
            __m512i w0 = _mm512_load_si512(w), w1 = V > 1 ? _mm512_load_si512(w + LANES * 4) : w0;
            EACH_POSITION(ADD_PRODUCTS)
        }
    }
    if (panel->is_plain) {
        EACH_POSITION(KEEP)
        return;
    }
    const __mmask32 there = panel->there;
    if (V > 1) {
        SETTLE_TWO(0, 1) SETTLE_TWO(2, 3) SETTLE_TWO(4, 5) SETTLE_TWO(6, 7) SETTLE_TWO(8, 9) SETTLE_TWO(10, 11)
    } else {
        SETTLE_FOUR(0, 1, 2, 3) SETTLE_FOUR(4, 5, 6, 7) SETTLE_FOUR(8, 9, 10, 11)
    }
}

#define TILE(P) case P: tile_of(out, panel, how, x, span, to, r, V, P); break;
INLINE void tile(uint8_t *out, Panel *panel, const QcKConv *how, const uint8_t *x, uint32_t positions, const Span *span,
                 const Clamp *to, const Rescale *r, const int V)
{
    switch (positions) {
        TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12)
    }
}

static void tile_one(uint8_t *out, Panel *panel, const QcKConv *how, const uint8_t *x, uint32_t positions,
                     const Span *span, const Clamp *to, const Rescale *r)
{
    tile(out, panel, how, x, positions, span, to, r, 1);
}

static void tile_two(uint8_t *out, Panel *panel, const QcKConv *how, const uint8_t *x, uint32_t positions,
                     const Span *span, const Clamp *to, const Rescale *r)
{
    tile(out, panel, how, x, positions, span, to, r, 2);
}

/* ---- all of it ---- */

/* Rescaling for a tile: the sums of the omitted border steps, which are equal at all positions, are added to the
 * bias. */
static const Rescale *border_rescale(Rescale own[2], const Panel *panel, const QcKConv *how, const Span *span)
{
    const uint32_t steps = (how->codes.length + 3) / 4;
    const __m512i zero = _mm512_set1_epi8((char)how->zero_in);
    if (how->zero_in == 0 || span->end - span->first == steps) return panel->rescale;
    for (uint32_t v = 0; v < panel->vectors; v++) {
        const int8_t *w = panel->w + v * LANES * 4;
        const size_t next = (size_t)panel->vectors * LANES * 4;
        __m512i sum = _mm512_setzero_si512(), more = sum;
        for (uint32_t i = 0; i < span->first; i += 2) {
            sum = _mm512_dpbusd_epi32(sum, zero, _mm512_load_si512(w + i * next));
            if (i + 1 < span->first) more = _mm512_dpbusd_epi32(more, zero, _mm512_load_si512(w + (i + 1) * next));
        }
        for (uint32_t i = span->end; i < steps; i += 2) {
            sum = _mm512_dpbusd_epi32(sum, zero, _mm512_load_si512(w + i * next));
            if (i + 1 < steps) more = _mm512_dpbusd_epi32(more, zero, _mm512_load_si512(w + (i + 1) * next));
        }
        sum = _mm512_add_epi32(sum, more);
        own[v] = panel->rescale[v];
        own[v].add = _mm512_add_epi64(own[v].add, _mm512_mul_epi32(sum, own[v].m));
        own[v].add_odd = _mm512_add_epi64(own[v].add_odd, _mm512_mul_epi32(odd(sum), own[v].m_odd));
    }
    return own;
}

/* n positions of a row of output, from position `at` on. */
static void tile_run(uint8_t *out, Panel *panel, const QcKConv *how, const uint8_t *x, uint32_t at, uint32_t n,
                     const Span *span, const Clamp *to, const Rescale *r)
{
    uint32_t o = panel->channel;
    x += (size_t)at * how->step;
    out += (size_t)at * how->out_step;
    if (panel->vectors == 1) tile_one(out, panel, how, x, n, span, to, r);
    else tile_two(out, panel, how, x, n, span, to, r);
    if (panel->is_plain)
        qc_kernels_scalar.rescale(out, panel->acc, panel->bias, how->multiplier + o, how->shift + o, n, panel->channels,
                                  panel->vectors * LANES, how->out_step, how->zero, how->low, how->high);
}

static void border_run(uint8_t *out, Panel *panel, const QcKConv *how, const uint8_t *x, uint32_t at, uint32_t end,
                       const Clamp *to)
{
    for (; at < end; at += FEW) {
        Rescale own[2];
        const Span span = span_of(how, at, FEW);
        tile_run(out, panel, how, x, at, FEW, &span, to, border_rescale(own, panel, how, &span));
    }
}

/* A row of output. The part without border is cut into nearly equal tiles. */
static void row_run(uint8_t *out, Panel *panel, const QcKConv *how, const uint8_t *x, const Clamp *to)
{
    const Span whole = {0, (how->codes.length + 3) / 4};
    uint32_t few = FEW * how->step, first = 0, end = how->positions, n;
    if (few && !panel->is_plain && (uint64_t)how->before / few * FEW + how->after / few * FEW <= end) {
        first = how->before / few * FEW;
        end -= how->after / few * FEW;
    }
    border_run(out, panel, how, x, 0, first, to);
    for (uint32_t at = first, tiles = (end - first + MOST - 1) / MOST; at < end; at += n, tiles--) {
        n = (end - at + tiles - 1) / tiles;
        tile_run(out, panel, how, x, at, n, &whole, to, panel->rescale);
    }
    border_run(out, panel, how, x, end, how->positions, to);
}

int qc_avx512_conv(uint8_t *out, const QcKConv *how)
{
    Panel panel;
    uint64_t steps = how->codes.segments * (((uint64_t)how->codes.length + 3) / 4);
    if (steps > STEPS) return 0;
    Clamp to = clamp_of(how);
    for (panel.channel = 0; panel.channel < how->codes.channels; panel.channel += panel.channels) {
        uint32_t left = how->codes.channels - panel.channel, most = 2 * steps <= STEPS ? 2 * LANES : LANES;
        panel.channels = left < most ? left : most;
        panel.vectors = (panel.channels + LANES - 1) / LANES;
        panel_open(&panel, how);
        for (uint32_t row = 0; row < how->rows; row++)
            row_run(out + panel.channel + (size_t)row * how->positions * how->out_step, &panel, how,
                    how->x + (size_t)row * how->row_step, &to);
    }
    return 1;
}
