/* layers.c - runs each layer of layers.h at 8, 4 and 2 bits, with random weights and inputs, through the forward
 * pass of lib/device. Prints a line per run: name, bits, digest of the output. The lines are equal on the host and
 * on each core. -DLAYERS_MATCH='"text"': only layers whose name begins with the text. */
#include "counted.h"
#include "device/qgraph.h"
#include "kernels/mem.h"
#include "layers.h"

#ifndef KERNELS
#define KERNELS qc_kernels_scalar
#endif
#ifndef LAYERS_MATCH
#define LAYERS_MATCH ""
#endif

enum { CHANNELS = 640, CODES = 640 * 128 };
static _Alignas(64) uint8_t memory[256 << 10];
static uint8_t codes[CODES], shift[CHANNELS];
static float scale[CHANNELS];
static int32_t bias[CHANNELS], multiplier[CHANNELS];

static int begins_with(const char *name, const char *text)
{
    while (*text)
        if (*name++ != *text++) return 0;
    return 1;
}

static uint16_t outputs_along(uint32_t size, uint32_t kernel, uint32_t stride, uint32_t padding)
{
    return (uint16_t)((size + padding - kernel) / stride + 1);
}

/* The layer as a graph of one node. */
static void run_layer(const Layer *layer, uint32_t bits)
{
    uint32_t state = 1,
             taps = (uint32_t)layer->kernel_h * layer->kernel_w * (layer->kind == DEPTHWISE ? 1 : layer->inputs),
             log = 0;
    QcQTensor tensors[2] = {{layer->height, layer->width, layer->inputs, 8, 128, 1, 0, 0},
                            {outputs_along(layer->height, layer->kernel_h, layer->stride, layer->top + layer->bottom),
                             outputs_along(layer->width, layer->kernel_w, layer->stride, layer->left + layer->right),
                             layer->outputs, 8, 128, 1, 0, 0}};
    uint32_t n_in = (uint32_t)layer->height * layer->width * layer->inputs,
             n_out = (uint32_t)tensors[1].height * tensors[1].width * layer->outputs;
    tensors[1].offset = tensors[1].inference_offset = (n_in + 63) & ~63u;
    QcQNode node = {.op = QC_Q_CONV,
                    .out = 1,
                    .channels = layer->outputs,
                    .groups = layer->kind == DEPTHWISE ? layer->inputs : 1,
                    .kernel_h = layer->kernel_h,
                    .kernel_w = layer->kernel_w,
                    .stride_h = layer->stride,
                    .stride_w = layer->stride,
                    .dilation_h = 1,
                    .dilation_w = 1,
                    .pad_top = layer->top,
                    .pad_bottom = layer->bottom,
                    .pad_left = layer->left,
                    .pad_right = layer->right,
                    .n_codes = taps * layer->outputs};
    QcQGraph g = {.n_tensors = 2,
                  .n_nodes = 1,
                  .n_codes = node.n_codes,
                  .n_code_bytes = node.n_codes * bits / 8,
                  .n_channels = layer->outputs,
                  .bits = (uint8_t)bits,
                  .tensors = tensors,
                  .nodes = &node,
                  .codes = codes,
                  .scale = scale,
                  .bias = bias,
                  .multiplier = multiplier,
                  .shift = shift};
    g.activation_bytes = g.inference_bytes = tensors[1].offset + n_out;
    while (taps >> (2 * log)) log++;
    random_bytes(codes, CODES, &state);
    for (uint32_t o = 0; o < layer->outputs; o++) {
        bias[o] = (int32_t)(random_next(&state) >> 20) - 2048;
        multiplier[o] = (int32_t)(random_next(&state) >> 2 | 1u << 30);
        shift[o] = (uint8_t)(31 + bits - 1 + log);
    }
    QcQRun run;
    if (qc_qgraph_inference_bytes(&g) > sizeof memory) {
        say("there is not enough memory\n");
        return;
    }
    qc_qrun_place_inference(&run, &g, &KERNELS, memory);
    random_bytes(qc_qrun_tensor(&run, 0), n_in, &state);
    COUNT_START();
    qc_qrun_forward_seen(&run, NULL, qc_qrun_tensor(&run, 0), 0, NULL, NULL);
    COUNT_STOP();
    say(layer->name);
    say("\t");
    say_digits(bits);
    say("\t");
    say_hex(digest_of(qc_qrun_tensor(&run, 1), n_out));
    say("\n");
}

int main(void)
{
    for (uint32_t i = 0; i < sizeof layers / sizeof *layers; i++)
        for (uint32_t bits = 8; bits >= 2; bits /= 2)
            if (begins_with(layers[i].name, LAYERS_MATCH)) run_layer(&layers[i], bits);
    return 0;
}
