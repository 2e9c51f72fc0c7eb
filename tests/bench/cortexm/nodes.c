/* nodes.c - counts the quantization of one random window of raw values and each layer of the forward pass of an
 * exported network ("model"). Prints a digest of window and logits per count, so that each count has a line. */
#include "counted.h"
#include "kernels/mem.h"
#include "model.h"

#ifndef KERNELS
#define KERNELS qc_kernels_scalar
#endif

extern const QcQGraph model_graph;

static _Alignas(64) uint8_t memory[MODEL_MEMORY_BYTES + 65536];
static float logits[MODEL_CLASSES];
static uint8_t window[MODEL_WINDOW];
static float raw[MODEL_WINDOW];

static void see(void *ctx, QcQRun *run, uint32_t node, const QcQConv *conv)
{
    COUNT_STOP();
    (void)ctx, (void)run, (void)node, (void)conv;
    COUNT_START();
}

int main(void)
{
    uint32_t state = 1;
    QcQRun run;
    for (uint32_t i = 0; i < MODEL_WINDOW; i++) raw[i] = (float)((int32_t)random_next(&state) >> 16) * (1.0f / 8192);
    COUNT_START();
    model_quantize(window, raw, MODEL_STEPS);
    COUNT_STOP();
    qc_qrun_place_inference(&run, &model_graph, &KERNELS, memory);
    memcpy(qc_qrun_tensor(&run, 0), window, sizeof window);
    COUNT_START();
    qc_qrun_forward_seen(&run, logits, qc_qrun_tensor(&run, 0), model_graph.n_nodes - 1, see, NULL);
    COUNT_STOP();
    for (uint32_t i = 0; i < model_graph.n_nodes + 2; i++) {
        say("count\t");
        say_hex(digest_of(window, sizeof window) ^ digest_of(logits, sizeof logits));
        say("\n");
    }
    return 0;
}
