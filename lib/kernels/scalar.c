/* scalar.c - what the kernels mean, in plain C. */
#include "kernels.h"
#include "floatloops.h"
#include "mem.h"

static int32_t code_at(const uint8_t *bytes, uint32_t j, int bits)
{
    uint64_t at = (uint64_t)j * (uint32_t)bits;
    int32_t sign = 1 << (bits - 1), code = (bytes[at / 8] >> (at % 8)) & (2 * sign - 1);
    return (code ^ sign) - sign;
}

static void unpack(int8_t *w, int32_t *sum, const QcKCodes *codes)
{
    uint32_t blocks = (codes->channels + QC_K_LANES - 1) / QC_K_LANES;
    size_t run = (codes->length + 3) & ~3u, block_bytes = codes->segments * run * QC_K_LANES;
    memset(w, 0, blocks * block_bytes);
    memset(sum, 0, blocks * QC_K_LANES * sizeof *sum);
    for (uint32_t o = 0; o < codes->channels; o++) {
        int8_t *lane = w + o / QC_K_LANES * block_bytes + o % QC_K_LANES * 4;
        for (uint32_t s = 0; s < codes->segments; s++) {
            uint32_t first = codes->first + o * codes->row + s * codes->length;
            for (uint32_t i = 0; i < codes->length; i++) {
                int32_t code = code_at(codes->bytes, first + i, codes->bits);
                lane[(s * run + i) / 4 * 32 + i % 4] = (int8_t)code;
                sum[o] += code;
            }
        }
    }
}

static void dot_block(int32_t acc[QC_K_LANES], const uint8_t *x, const int8_t *w, const QcKDot *dot)
{
    for (int lane = 0; lane < QC_K_LANES; lane++) acc[lane] = 0;
    for (uint32_t s = 0; s < dot->segments; s++) {
        const uint8_t *four = x + dot->segment[s];
        for (uint32_t i = 0; i < dot->run; i += 4, four += 4, w += 4 * QC_K_LANES)
            for (int lane = 0; lane < QC_K_LANES; lane++)
                acc[lane] +=
                    four[0] * w[4 * lane] + four[1] * w[4 * lane + 1] + four[2] * w[4 * lane + 2] + four[3] * w[4 * lane + 3];
    }
}

static void dot(int32_t *acc, const uint8_t *x, const int8_t *w, const QcKDot *dot, int bits)
{
    (void)bits;
    size_t block_bytes = (size_t)dot->segments * dot->run * QC_K_LANES;
    for (uint32_t t = 0; t < dot->positions; t++)
        for (uint32_t b = 0; b < dot->blocks; b++, acc += QC_K_LANES)
            dot_block(acc, x + (size_t)t * dot->step, w + b * block_bytes, dot);
}

static void depthwise(int32_t *acc, const uint8_t *x, const int8_t *w, const QcKDot *dot)
{
    for (uint32_t t = 0; t < dot->positions; t++, x += dot->step, acc += QC_K_LANES)
        for (int lane = 0; lane < QC_K_LANES; lane++) {
            acc[lane] = 0;
            for (uint32_t s = 0; s < dot->segments; s++) acc[lane] += x[dot->segment[s] + (uint32_t)lane] * w[s * QC_K_LANES + (uint32_t)lane];
        }
}

/* Rounded half up; >> of a negative number is arithmetic on every compiler we know. */
static uint8_t settle(int64_t product, int32_t shift, int32_t zero, int32_t low, int32_t high)
{
    int64_t value = ((product + ((int64_t)1 << (shift - 1))) >> shift) + zero;
    return (uint8_t)(value < low ? low : value > high ? high : value);
}

static void rescale(uint8_t *out, const int32_t *acc, const int32_t *bias, const int32_t *multiplier, const uint8_t *shift,
                    uint32_t positions, uint32_t channels, uint32_t acc_step, uint32_t out_step, int32_t zero, int32_t low,
                    int32_t high)
{
    for (uint32_t t = 0; t < positions; t++, acc += acc_step, out += out_step)
        for (uint32_t o = 0; o < channels; o++)
            out[o] = settle((int64_t)(acc[o] + bias[o]) * multiplier[o], shift[o], zero, low, high);
}

static void add(uint8_t *out, const uint8_t *a, const uint8_t *b, uint32_t n, const QcKAdd *how)
{
    for (uint32_t i = 0; i < n; i++) {
        int64_t sum = (int64_t)(a[i] - how->zero_a) * how->multiplier_a + (int64_t)(b[i] - how->zero_b) * how->multiplier_b;
        out[i] = settle(sum, how->shift, how->zero, how->low, how->high);
    }
}

static void masked_sum(int32_t *sums, const uint8_t *x, const uint8_t *mask, uint32_t positions, uint32_t step,
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

const QcKernels qc_kernels_scalar = { "scalar", unpack, dot, depthwise, rescale, add, masked_sum, max_rows, dense, fold, NULL };
