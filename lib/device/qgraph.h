/* qgraph.h - the quantized model in memory and its integer forward pass.
 *
 * Freestanding: no allocation, no libm, no stdio. The struct points into memory that the caller placed (a file's arena,
 * flash, static arrays). On a device nothing of it changes but the last layer, which may lie elsewhere (`last`), and
 * `codes` if bits are flipped. Activations are u8 with a zero point: value = scale * (q - zero), zero = 0 after a
 * ReLU and 2^(bits-1) for signed tensors; a model that came quantized has its own. Weights are packed two's-complement
 * codes: code j of a layer in bits [j*b, j*b+b) of its bytes, low bits first, j = ((o * kernel_h + kh) * kernel_w + kw)
 * * (in/groups) + i. A linear layer is a convolution on a 1 x 1 image. Batch norm and most concats are gone: several
 * convolutions write slices of one tensor. The last node's integers become float logits. Sums, rescaling and so every
 * byte are the same on all processors.
 */
#ifndef QC_DEVICE_QGRAPH_H
#define QC_DEVICE_QGRAPH_H

#include "../kernels/kernels.h"
#include "placing.h"

enum { QC_Q_TABLE_BYTES = 256, QC_Q_MAX_LOOPS = 6 };
enum { QC_Q_STD_PIXELS = 65536, QC_Q_STD_UNIT = 256 };
enum { QC_Q_MAX_TENSORS = 1024, QC_Q_MAX_NODES = 1024, QC_Q_MAX_CLASSES = 4096 };

typedef enum QcQOp {
    QC_Q_CONV, /* in -> slice of out */
    QC_Q_MAXPOOL,
    QC_Q_AVGPOOL, /* rescaled */
    QC_Q_GAP,     /* rescaled */
    QC_Q_ADD,     /* two inputs, each rescaled; optional ReLU */
    QC_Q_COPY,    /* into a slice of a concat, rescaled */
    QC_Q_LOGITS,  /* a CONV on 1 x 1 whose int32 sums are the result: always the last node */
    QC_Q_STD,     /* rescaled */
    QC_Q_TABLE,   /* a table of 256 output codes, one for each input code */
    QC_Q_MUL,     /* product of two inputs, rescaled */
    QC_Q_TURN,    /* the input's codes in another order or shape, or some of them */
    QC_Q_OP_COUNT
} QcQOp;

typedef enum QcQRole { QC_ROLE_BOTTLENECK, QC_ROLE_CONV, QC_ROLE_SHORTCUT, QC_ROLE_LINEAR } QcQRole;

typedef struct QcQTensor {
    uint16_t height, width, channels;
    uint8_t bits;    /* 2..8: values 0 .. 2^bits - 1 */
    uint8_t zero;    /* below 2^bits */
    float scale;     /* > 0 */
    uint32_t offset; /* of its bytes in the activation memory (planned: tensors that live at different times share) */
    uint32_t inference_offset;   /* the same in the plan for predictions alone, where the flipper never looks back; not
                                    in files */
} QcQTensor;

typedef struct QcQNode {
    uint8_t op;            /* QcQOp */
    uint8_t relu;          /* clamp at the output's zero point */
    uint8_t role;          /* QcQRole of CONV and LOGITS: a feature of the bit-flip network */
    uint8_t count_padding; /* AVGPOOL */
    uint8_t code_bits;     /* CONV, LOGITS: 2, 4, 8 if its codes have other bits than the model's; 0: they have not
                              (qc_code_bits) */
    uint16_t in[2];        /* tensor indices; in[1] of ADD and MUL only */
    uint16_t out;          /* tensor index; of LOGITS: unused */
    uint16_t out_channel;  /* first channel of the slice */
    uint16_t channels;     /* channels written */
    uint16_t groups;       /* TURN: loops, 1..QC_Q_MAX_LOOPS */
    uint16_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    uint16_t pad_top, pad_bottom, pad_left, pad_right;
    uint32_t code;      /* CONV, LOGITS: index of its first code among all codes (for the flipper); TURN: number of the
                           first input code that it reads */
    uint32_t code_byte; /* offset of its packed bytes in QcQGraph.codes; of a TABLE's 256 bytes there */
    uint32_t n_codes;   /* channels * kernel_h * kernel_w * in_channels / groups */
    uint32_t channel;   /* CONV, LOGITS: offset into the per-channel arrays; others: offset of their 1 or 2 multipliers
                           there; TURN: of its loops */
} QcQNode;

/* A last layer instead of the model's own: codes packed as the LOGITS node's, scale and bias [classes]. A learner
 * (learner.h) has two and swaps a pointer. */
typedef struct QcLastLayer {
    uint8_t *codes;
    float *scale;
    int32_t *bias;
} QcLastLayer;

typedef struct QcQGraph {
    uint32_t n_tensors, n_nodes, classes;
    uint32_t spare;           /* classes, the last ones, that were not trained: rows that learn them (head.h) */
    uint32_t n_codes, n_code_bytes, n_channels;
    uint8_t bits;             /* of the weights: 2, 4, 8; a layer may have its own */
    const QcQTensor *tensors; /* [n_tensors]; tensor 0 is the input */
    const QcQNode *nodes;     /* [n_nodes], topological */
    uint8_t *codes;           /* [n_code_bytes], mutable */
    float *scale;             /* [n_channels] weight scale of a channel: W = scale * code (1 for non-weights); mutable,
                                 as bias is, for the LOGITS node alone */
    int32_t *bias;            /* [n_channels] in units of scale_in * scale; without the zero point's share, which
                                 changes with codes */
    const int32_t *multiplier; /* [n_channels] Q31, in [0, 2^31) */
    const uint8_t *shift;      /* [n_channels] 1..62: out = (acc * multiplier + half) >> shift */
    uint32_t activation_bytes; /* of one window, planned */
    uint32_t inference_bytes;       /* the same in the inference-only plan; 0: there is none */
    const QcLastLayer *last;   /* what the LOGITS node uses; NULL: its part of codes, scale and bias */
} QcQGraph;

/* How the nodes are defined. m, s: the multiplier and shift of their channel entries. Rescaled means: (value * m +
 * 2^(s-1)) >> s, then + zero of out, clamped to [relu ? zero : 0, 2^bits - 1] of out. What is not of this node's slice
 * of out stays.
 *
 *   CONV     sum of (q - zero_in) * code + bias, rescaled channel by channel; padding is the zero point. |sum + bias| <
 *            2^31 whatever the input.
 *   LOGITS   the same sum over 1 x 1 positions, as float: (float)sum * (scale_in * scale[channel])
 *   GAP      sum of (q - zero_in), rescaled, where m[0] / 2^s = scale_in / (scale_out * count). Pixels * 255 < 2^31.
 *   STD      floor of 256 times the square root of n sum q^2 - (sum q)^2 over the n pixels, which is 256 n standard
 *            deviations; rescaled, where m[0] / 2^s = scale_in / (scale_out * 256 n). n <= QC_Q_STD_PIXELS. Statistics
 *            pooling (Snyder et al., 2018).
 *   AVGPOOL  as GAP; padding counts as value 0. Without count_padding a window clipped by the border divides by what is
 *            inside: the sum becomes sum * (kernel area) / inside, rounded half up, before it is rescaled.
 *   ADD      (q0 - z0) * m[0] + (q1 - z1) * m[1] in 64 bits, rescaled by one shift (the shift of both entries, which
 *            are equal)
 *   COPY     (q - z) * m[0], rescaled
 *   TABLE    out code = table[in code]; entries are at most 2^bits - 1 of out
 *   MUL      (q0 - z0) * (q1 - z1) * m[0], rescaled. Input 1 has the shape of input 0, or 1 x 1 positions that serve
 *            all of them.
 *   TURN     out and in have the same bits, scale and zero. Output code number n (in the order height, width, channels)
 *            is input code number code + sum of index[k] * stride[k], where index[] counts n by the loops, the last one
 *            fastest; loop k has size bias[channel + k] and stride multiplier[channel + k].
 *   MAXPOOL  out and in have the same scale and zero; padding never wins (each window holds at least one pixel) */

/* How a CONV or LOGITS node reads its input: dot products (kernels.h) over the padded input, one output row and one
 * group at a time. The weight codes of output channel o are [segments][length], as they are packed. Output position
 * (row, t), group n reads from x + row * row_step + n * group_step + t * dot.step + dot.segment[s]. A 1 x 1 convolution
 * is one long row, whatever the image. */
typedef struct QcQConv {
    const uint8_t *x; /* padded input, or the tensor itself if nothing is padded; readable QC_K_SLACK bytes beyond
                         its end */
    QcKDot dot;       /* positions: of one row; run: length rounded up to 4; blocks: of one group */
    uint32_t length;  /* codes (and bytes of x) in a segment */
    uint32_t rows, row_step;                     /* of output; row_step: bytes of x between them */
    uint32_t groups, group_step, group_channels; /* bytes of x between groups; output channels of one */
    uint32_t padded_h, padded_w;
    uint32_t band;    /* rows of output per band: x has the padded input of one band */
} QcQConv;

/* Bytes of working memory that a forward pass of one window needs: activations, padded input, a piece of unpacked
 * weights and its sums. Kernels may take QC_K_STACK more of the stack. Lean: of a pass for the logits alone, in less
 * memory, which cannot serve the Hebbian pass (hebb.h). */
uint64_t qc_qgraph_bytes(const QcQGraph *g);
uint64_t qc_qgraph_inference_bytes(const QcQGraph *g);

typedef struct QcQRun {
    const QcQGraph *g;
    const QcKernels *k;
    int inference_only;             /* tensors lie as in the inference-only plan */
    uint8_t *activations; /* [g->activation_bytes, or g->inference_bytes] */
    uint32_t most_padded; /* most bytes of padded input of a band, unless one row of output needs more */
    uint8_t *padded;      /* padded input of a band of rows; of a pool in place: QC_Q_POOL columns of its input and the
                             columns that the next ones need */
    int8_t *weights;      /* QC_Q_PANEL channels of one layer, or a piece of them, unpacked for the kernels */
    uint32_t piece;       /* bytes of one channel there, at most */
    int32_t *sums;        /* their accumulators over QC_Q_CHUNK positions; of pools: sums or maxima of one position */
    int32_t *part;        /* sums of one piece over QC_Q_PART positions */
    uint32_t *segments;   /* offsets for QcKDot, of the node that runs */
    size_t scratch_bytes; /* of weights, sums and part together, which lie side by side: kernels that take a whole
                             convolution use them otherwise */
} QcQRun;

enum { QC_Q_PANEL = 2 * QC_K_LANES, QC_Q_CHUNK = 48, QC_Q_PART = 12, QC_Q_POOL = 16 };

/* Lays a run out in `memory` (64-byte aligned, at least qc_qgraph_bytes; inference_only: qc_qgraph_inference_bytes), or
 * in memory that is placed with other things. */
void qc_qrun_place(QcQRun *run, const QcQGraph *g, const QcKernels *k, void *memory);
void qc_qrun_place_inference(QcQRun *run, const QcQGraph *g, const QcKernels *k, void *memory);
void qc_qrun_lay_out(QcQRun *run, const QcQGraph *g, const QcKernels *k, int inference_only, QcPlacing *p);

/* x: [height][width][channels] of the input tensor's u8; may be qc_qrun_tensor(run, 0) itself, for inputs quantized in
 * place. logits [classes]: float. */
void qc_qrun_forward(QcQRun *run, float *logits, const uint8_t *x);

/* The same, calling `see` for every node when its output has just been written and still lies in memory, and so do the
 * inputs of CONV and LOGITS (a sum or a pool may have written over its own), in order; stops after node `last`; logits
 * are written only if that is the LOGITS node (else they may be NULL). conv: how CONV and LOGITS read their (padded)
 * input; NULL for other nodes and in the inference-only plan, in which images are padded in bands. The Hebbian pass
 * reads layers after later layers ran, and calls qc_qconv_open itself. The sums of inputs where a mask of outputs is
 * on: for group n, row and segment s of a conv, k->masked_sum(sums, conv->x + n * group_step + row * row_step +
 * segment[s], mask of the row's output, positions, step, out tensor's channels, length, group_channels). */
typedef void (*QcQSee)(void *ctx, QcQRun *run, uint32_t node, const QcQConv *conv);
void qc_qrun_forward_seen(QcQRun *run, float *logits, const uint8_t *x, uint32_t last, QcQSee see, void *ctx);

/* The LOGITS node alone, of what lies in its input tensor. */
void qc_qrun_logits(QcQRun *run, float *logits);

/* Fills *conv for a CONV or LOGITS node whose input is in memory now, and pads the input of the first band into
 * run->padded. Valid until the next node runs or is opened. */
void qc_qconv_open(QcQConv *conv, QcQRun *run, const QcQNode *node);

/* Pads the input that n rows of output from `row` on read, with zero points, into run->padded, and returns it. Returns
 * the tensor itself if the node has no padding. */
const uint8_t *qc_qconv_pad(QcQRun *run, const QcQNode *node, uint32_t row, uint32_t n);

/* Fills *conv without a run: all but x and dot.segment, with all rows as one band. */
void qc_qconv_shape(QcQConv *conv, const QcQGraph *g, const QcQNode *node);
/* Sets conv->band: nearly equal bands of rows, whose padded input takes at most `most` bytes each, or single rows. */
void qc_qconv_cut(QcQConv *conv, const QcQNode *node, uint32_t most);

/* Where tensor t lies (valid while it lives). */
static inline uint8_t *qc_qrun_tensor(const QcQRun *run, uint32_t t)
{
    const QcQTensor *tensor = &run->g->tensors[t];
    return run->activations + (run->inference_only ? tensor->inference_offset : tensor->offset);
}

/* Reads a copy of its input with a border around it, not the tensor itself. */
static inline int qc_is_padded(const QcQNode *node)
{
    return (node->pad_top | node->pad_bottom | node->pad_left | node->pad_right) != 0;
}

/* A maximum pool that slides over one row a step at a time: it keeps what it still needs of its input aside, so that
 * its output may take the input's place. */
static inline int qc_is_series_pool(const QcQGraph *g, const QcQNode *node)
{
    return node->op == QC_Q_MAXPOOL && node->kernel_h == 1 && node->stride_w == 1 && g->tensors[node->out].height == 1;
}

static inline int qc_reads_two(const QcQNode *node) { return node->op == QC_Q_ADD || node->op == QC_Q_MUL; }

static inline uint32_t qc_code_bits(const QcQGraph *g, const QcQNode *node)
{
    return node->code_bits ? node->code_bits : g->bits;
}

/* Packed codes, scales and biases of a CONV or LOGITS node, from its first channel on. */
static inline uint8_t *qc_layer_codes(const QcQGraph *g, const QcQNode *node)
{
    return g->last && node->op == QC_Q_LOGITS ? g->last->codes : g->codes + node->code_byte;
}

static inline float *qc_layer_scale(const QcQGraph *g, const QcQNode *node)
{
    return g->last && node->op == QC_Q_LOGITS ? g->last->scale : g->scale + node->channel;
}

static inline int32_t *qc_layer_bias(const QcQGraph *g, const QcQNode *node)
{
    return g->last && node->op == QC_Q_LOGITS ? g->last->bias : g->bias + node->channel;
}

int32_t qc_code_get(const QcQGraph *g, const QcQNode *node, uint32_t j); /* code j of a layer, sign-extended */
void qc_code_set(const QcQGraph *g, const QcQNode *node, uint32_t j, int32_t value);

/* The largest bias with which no sum of a CONV or LOGITS node leaves 32 bits, whatever its codes become. */
int32_t qc_largest_bias(const QcQGraph *g, const QcQNode *node);

/* The scale of the last layer's input times the scale of a row is below this, so that logits, sums of 32 bits in this
 * unit, are finite. */
#define QC_LOGIT_STEP_MOST 1e28f
#define QC_LAST_SCALE_MOST 1e20f /* the scale of a row itself is below this, in files and in states */

/* Input quantization: clamp(round-half-away(x / scale) + zero). x normalized floats [n]. */
void qc_q_input(uint8_t *q, const float *x, uint32_t n, const QcQTensor *input);

/* Raw frames: q [steps][channels], the codes of (x [steps][channels] - mean [channels]) / deviation [channels]. */
void qc_q_frames(uint8_t *q, const float *x, uint32_t steps, uint32_t channels, const float *mean,
                 const float *deviation, const QcQTensor *input);

#endif
