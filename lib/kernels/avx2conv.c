/* avx2conv.c - whole convolutions of 8-bit weights. Weights of 16 output channels are unpacked and widened once; the
 * inputs of up to six positions are gathered from all segments, so that short segments cost no more than long ones.
 * Long series are faster in avx2series.c, weights of 4 and 2 bits in avx2dot.c. */
#include "avx2tile.h"

enum { CHANNELS = 2 * QC_K_LANES, MOST = 640 /* inputs of a position */, TILE = 6, CHUNK = 48 /* positions */ };

typedef struct Panel { /* on the stack */
    _Alignas(32) int16_t w[2][MOST * QC_K_LANES]; /* [inputs / 4][8][4] of each block */
    _Alignas(32) int16_t x[TILE * MOST];
    _Alignas(32) int8_t codes[MOST * CHANNELS];
    _Alignas(32) int32_t sums[CHUNK * CHANNELS];
    int32_t bias[CHANNELS]; /* minus zero_in * sum of the weights */
    uint32_t channel, channels, blocks, inputs;
} Panel;

static void panel_open(Panel *panel, const QcKConv *how)
{
    QcKCodes codes = how->codes;
    int32_t sum[CHANNELS];
    codes.first += panel->channel * codes.row;
    codes.channels = panel->channels;
    qc_avx2_unpack(panel->codes, sum, &codes);
    for (uint32_t b = 0; b < panel->blocks; b++) {
        const int8_t *from = panel->codes + (size_t)b * panel->inputs * QC_K_LANES;
        for (uint32_t i = 0; i < panel->inputs * QC_K_LANES; i += 16)
            store(panel->w[b] + i, _mm256_cvtepi8_epi16(_mm_loadu_si128((const void *)(from + i))));
    }
    for (uint32_t o = 0; o < panel->channels; o++)
        panel->bias[o] = how->bias[panel->channel + o] - how->zero_in * sum[o];
}

/* run % 4 == 0 */
INLINE void widen(int16_t *to, const uint8_t *x, uint32_t run)
{
    uint32_t i = 0;
    for (; i + 16 <= run; i += 16) store(to + i, _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)(x + i))));
    for (; i + 8 <= run; i += 8)
        _mm_storeu_si128((void *)(to + i), _mm_cvtepu8_epi16(_mm_loadl_epi64((const void *)(x + i))));
    if (i < run) {
        int32_t four;
        memcpy(&four, x + i, sizeof four);
        _mm_storel_epi64((void *)(to + i), _mm_cvtepu8_epi16(_mm_cvtsi32_si128(four)));
    }
}

/* panel->sums = the sums of all channels at `positions` positions, the first of which reads x. */
static void sums_run(Panel *panel, const QcKConv *how, const uint8_t *x, uint32_t positions)
{
    const uint32_t lanes = panel->blocks * QC_K_LANES, run = (how->codes.length + 3) & ~3u;
    int32_t *sums = panel->sums;
    for (uint32_t left = positions, n; left > 0; left -= n, sums += (size_t)n * lanes) {
        n = tile_size(left);
        for (uint32_t p = 0; p < n; p++, x += how->step)
            for (uint32_t s = 0; s < how->codes.segments; s++)
                widen(panel->x + p * panel->inputs + s * run, x + how->segment[s], run);
        for (uint32_t b = 0; b < panel->blocks; b++)
            tile(sums + b * QC_K_LANES, lanes, panel->x, panel->inputs, panel->w[b], panel->inputs / 4, 0, n);
    }
}

int qc_avx2_conv(uint8_t *out, const QcKConv *how)
{
    if (qc_avx2_series(out, how)) return 1;
    Panel panel;
    const uint64_t inputs = (uint64_t)how->codes.segments * ((how->codes.length + 3) & ~3u);
    const uint32_t channels = how->codes.channels, positions = how->positions;
    if (how->codes.bits < 8 || how->codes.segments == 1 || inputs > MOST) return 0; /* dot is as fast */
    panel.inputs = (uint32_t)inputs;
    for (panel.channel = 0; panel.channel < channels; panel.channel += CHANNELS) {
        uint32_t o = panel.channel, left = channels - o;
        panel.channels = left < CHANNELS ? left : CHANNELS;
        panel.blocks = (panel.channels + QC_K_LANES - 1) / QC_K_LANES;
        panel_open(&panel, how);
        for (uint32_t row = 0; row < how->rows; row++)
            for (uint32_t t = 0, n; t < positions; t += n) {
                n = least(positions - t, CHUNK);
                sums_run(&panel, how, how->x + (size_t)row * how->row_step + (size_t)t * how->step, n);
                qc_avx2_rescale(out + ((size_t)row * positions + t) * how->out_step + o, panel.sums, panel.bias,
                                how->multiplier + o, how->shift + o, n, panel.channels, panel.blocks * QC_K_LANES,
                                how->out_step, how->zero, how->low, how->high);
            }
    }
    return 1;
}
