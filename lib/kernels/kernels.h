/* kernels.h - the table of inner loops of integer inference, flips and the closed-form head. scalar.c is the
 * definition; all other sets give the same bits, only faster.
 *
 * Pure functions: no memory of their own, no failure, no libc but memcpy/memset. Each set is a copy of the set below
 * it, with some functions replaced. Only the files of a set are compiled with its processor flags; dispatch.c, which
 * reads the environment, is compiled without any. Arrays may end anywhere: kernels read and write no byte beyond what
 * the comments allow. Tests and benches walk qc_kernels_available().
 */
#ifndef QC_KERNELS_KERNELS_H
#define QC_KERNELS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

enum { QC_K_LANES = 8 };  /* output channels in a block of packed-for-use weights */
enum { QC_K_SLACK = 64 }; /* bytes after padded input rows that a kernel may read (never needs) */
enum { QC_K_STACK = 64 << 10 }; /* bytes of stack that a kernel of a large processor may take */

/* A convolution seen as dot products: output position t of a row needs `segments` runs of x, each `run` bytes long (run
 * is a multiple of 4; weights beyond the real length are zero), the s-th beginning at x + t * step + segment[s]. 1-D
 * convolution in [time][channel] layout: one run of kernel x channels bytes. */
typedef struct QcKDot {
    uint32_t positions;      /* t = 0 .. positions-1 */
    uint32_t step;           /* bytes between positions */
    uint32_t segments, run;  /* run % 4 == 0 */
    const uint32_t *segment; /* [segments] byte offsets */
    uint32_t blocks;         /* of QC_K_LANES output channels */
} QcKDot;

/* Packed codes of consecutive output channels: two's complement of 2, 4 or 8 bits, code j in bits [j*bits, j*bits +
 * bits) of `bytes`, low bits first. Channel o, segment s holds the codes first + o * row + s * length + (0 ..
 * length-1). */
typedef struct QcKCodes {
    const uint8_t *bytes;
    uint32_t first, row, channels, segments, length; /* row >= segments * length: a part of longer rows may be unpacked
                                                        alone */
    int bits;
} QcKCodes;

/* A convolution from padded input to output codes. Position t of row r reads the runs x + r * row_step + t * step +
 * segment[s] + (0 .. length-1), s < codes.segments, and writes out + (r * positions + t) * out_step + (0 ..
 * channels-1). Of x nothing else is read but up to 3 bytes after a run, where its length is no multiple of 4. */
typedef struct QcKConv {
    const uint8_t *x;
    QcKCodes codes; /* of all output channels */
    const uint32_t *segment;
    uint32_t rows, row_step, positions, step;
    const int32_t *bias, *multiplier; /* [channels], as rescale takes them */
    const uint8_t *shift;
    int32_t zero_in;        /* 0..255, the code of the value 0 in x: sums are of (x - zero_in) * w */
    /* Bytes at x's beginning and end that are zero_in, if that is known: they need not be multiplied. Else 0, and 0 if
     * there are more rows or segments than one. */
    uint32_t before, after;
    uint32_t out_step;
    int32_t zero, low, high;
    void *scratch; /* [scratch_bytes], aligned to 64 bytes: what is written there is lost */
    size_t scratch_bytes;
} QcKConv;

/* How two u8 tensors become one: see add. multipliers in [0, 2^31), shift in 1..62. */
typedef struct QcKAdd {
    int32_t zero_a, zero_b, multiplier_a, multiplier_b, shift, zero, low, high;
} QcKAdd;

typedef struct QcKernels {
    const char *name; /* "scalar", "avx2", "avx512vnni", "neon", "neondot", "dsp", "mve" */

    /* w [blocks][segments * run / 4][8 lanes][4] for dot, where blocks = channels / 8 and run = length / 4 * 4, both
     * rounded up; what is beyond is zero. sum [blocks * 8]: of the weights of each channel. Reads only the bytes that
     * these codes lie in. */
    void (*unpack)(int8_t *w, int32_t *sum, const QcKCodes *codes);

    /* acc[t][blocks * 8] = sum over the runs of x * w, exact int32. x: u8; w: s8, from unpack. bits (2, 4, 8): all
     * -2^(bits-1) <= w < 2^(bits-1), which tells how long 16-bit sums stay exact. x may be read up to QC_K_SLACK bytes
     * beyond the last run. */
    void (*dot)(int32_t *acc, const uint8_t *x, const int8_t *w, const QcKDot *dot, int bits);

    /* Channels that each have a kernel of their own, eight side by side: acc[t][lane] = sum over s < segments of x[t *
     * step + segment[s] + lane] * w[s][lane], exact int32. run and blocks mean nothing here. All eight lanes of x are
     * read. */
    void (*depthwise)(int32_t *acc, const uint8_t *x, const int8_t *w, const QcKDot *dot);

    /* out[t * out_step + o] = clamp((((acc[t][o] + bias[o]) * multiplier[o] + 2^(shift[o]-1)) >> shift[o]) + zero, low,
     * high), 0 <= low <= high <= 255: arithmetic shift of the exact 64-bit product. acc [positions][acc_step];
     * multiplier in [0, 2^31), shift in 1..62; |acc + bias| < 2^31 and is computed in int32 without overflow by
     * contract. Bytes of out between channels and out_step stay. */
    void (*rescale)(uint8_t *out, const int32_t *acc, const int32_t *bias, const int32_t *multiplier,
                    const uint8_t *shift, uint32_t positions, uint32_t channels, uint32_t acc_step, uint32_t out_step,
                    int32_t zero, int32_t low, int32_t high);

    /* out[i] = clamp((((a[i] - zero_a) * multiplier_a + (b[i] - zero_b) * multiplier_b + 2^(shift-1)) >> shift) + zero,
     * low, high), i = 0..n-1. out may be a or b itself. */
    void (*add)(uint8_t *out, const uint8_t *a, const uint8_t *b, uint32_t n, const QcKAdd *how);

    /* sums[o][i] = sum over t of mask[t * mask_step + o] ? x[t * step + i] : 0, i = 0..run-1, o = 0..channels-1, exact;
     * positions * 255 < 2^31. mask bytes: 0 = off, anything else = on. x may be read up to QC_K_SLACK bytes beyond the
     * last run. For one segment, this is the Hebbian statistic in integers (qc-method(7), "Flips"). */
    void (*masked_sum)(int32_t *sums, const uint8_t *x, const uint8_t *mask, uint32_t positions, uint32_t step,
                       uint32_t mask_step, uint32_t run, uint32_t channels);

    /* out[i] = max over k of x[k * step + i], k = 0..rows-1 (rows > 0), i = 0..n-1 */
    void (*max_rows)(uint8_t *out, const uint8_t *x, uint32_t rows, uint32_t step, uint32_t n);

    /* A dense layer for 8 inputs side by side: out[o][lane] = bias[o] + sum over i (ascending) of w[o][i] *
     * in[i][lane], cut at 0 if relu. */
    void (*dense)(float *out, const float *in, const float *w, const float *bias, uint32_t n_out, uint32_t n_in,
                  int relu);

    /* h = factor * (sums[i] - less); sum[i] += h; squares[i] += h * h; i = 0..n-1. The arrays do not overlap. */
    void (*fold)(float *sum, float *squares, const int32_t *sums, int32_t less, float factor, uint32_t n);

    /* Upper triangles of symmetric matrices [n][n] lie row after row: row i has elements i .. n-1, n (n + 1) / 2 in
     * all. triangle += sum over k < 4 of weight[k] rows[k] rows[k]', rows [4][n], added as (0 + 1) + (2 + 3). */
    void (*add_outer)(float *triangle, const float *rows, const float *weight, uint32_t n);

    /* out [n] = S w for the symmetric S of an upper triangle; w [n]. The part of row i right of the diagonal is summed
     * as dot_floats does. */
    void (*multiply_triangle)(float *out, const float *triangle, const float *w, uint32_t n);

    /* y[i] += factor * x[i], i = 0..n-1. The arrays do not overlap. */
    void (*add_scaled)(float *y, const float *x, float factor, uint32_t n);

    /* The sum of a[i] * b[i], i = 0..n-1, in eight partial sums, i modulo 8: ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 +
     * 7)). */
    float (*dot_floats)(const float *a, const float *b, uint32_t n);
    float (*dot_codes)(const int8_t *a, const float *b, uint32_t n);

    /* A whole convolution at once, on sets that know a faster way than unpack, dot and rescale, which define it:
     * returns 1, or 0 with nothing done where they serve as well. NULL: never. May use up to QC_K_STACK bytes of
     * stack. */
    int (*conv)(uint8_t *out, const QcKConv *how);

    /* A dense layer straight from its packed codes: sums[o] = the sum of (x - zero_in) * w over the runs of the one
     * position (rows and positions are 1), exact int32, o < codes.channels. Reads no byte of x beyond a run, and of
     * `how` x, codes, segment, zero_in and scratch. Returns as conv does; NULL: never. */
    int (*linear)(int32_t *sums, const QcKConv *how);

    /* A whole depthwise convolution: as conv, but codes.length is 1, and channel o reads the byte x + r * row_step + t
     * * step + segment[s] + o; all channels' bytes of a run and none beside them. before and after mean nothing.
     * unpack, depthwise and rescale define it. */
    int (*depthwise_conv)(uint8_t *out, const QcKConv *how);

    /* sum[i] = sum over t of x[t * step + i], squares[i] = sum over t of x[t * step + i]^2, i = 0..n-1, t =
     * 0..positions-1. Exact if positions <= 65536. */
    void (*moments)(uint32_t *sum, uint32_t *squares, const uint8_t *x, uint32_t positions, uint32_t step, uint32_t n);
} QcKernels;

extern const QcKernels qc_kernels_scalar;
extern const QcKernels qc_kernels_avx2, qc_kernels_avx512vnni; /* only where compiled for x86-64 */
extern const QcKernels qc_kernels_neon;                        /* only for 64-bit ARM, and 32-bit ARM under Linux */
extern const QcKernels qc_kernels_neondot;                     /* only for 64-bit ARM */
extern const QcKernels qc_kernels_dsp;                         /* only for a Cortex-M with the DSP extension (M4, M7,
                                                                  M33, M55) */
extern const QcKernels qc_kernels_mve;                         /* only for a Cortex-M with vectors of integers (M55,
                                                                  M85) */

/* The best table of a Cortex-M, by the instructions that the compiler may use: lib/kernels has a file for each. Scalar
 * for all other processors. */
#if defined __ARM_ARCH_PROFILE && __ARM_ARCH_PROFILE == 'M' && defined __ARM_FEATURE_MVE
#define QC_KERNELS_CORTEXM qc_kernels_mve
#elif defined __ARM_ARCH_PROFILE && __ARM_ARCH_PROFILE == 'M' && defined __ARM_FEATURE_DSP
#define QC_KERNELS_CORTEXM qc_kernels_dsp
#else
#define QC_KERNELS_CORTEXM qc_kernels_scalar
#endif

/* The best set of this processor, chosen once; QC_ISA=NAME in the environment can only lower it. The host calls this;
 * the device library is handed a table. NULL with *wrong = the name for an unknown or unavailable QC_ISA. */
const QcKernels *qc_kernels_choose(const char **wrong);
/* The sets that this processor can run, scalar first, NULL-terminated. */
const QcKernels *const *qc_kernels_available(void);

#endif
