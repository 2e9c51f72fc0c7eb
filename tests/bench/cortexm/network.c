/* network.c - counts the quantization and the prediction of one random window of raw values by an exported network
 * ("model"). Prints digests of the quantized window and of the logits. */
#include "counted.h"
#include "model.h"

static float raw[MODEL_WINDOW], logits[MODEL_CLASSES];
static uint8_t window[MODEL_WINDOW];

int main(void)
{
    uint32_t state = 1;
    if (model_init()) {
        say("the export and the library do not fit each other\n");
        return 1;
    }
    for (uint32_t i = 0; i < MODEL_WINDOW; i++) raw[i] = (float)((int32_t)random_next(&state) >> 16) * (1.0f / 8192);
    COUNT_START();
    model_quantize(window, raw, MODEL_STEPS);
    COUNT_STOP();
    say("quantize\t");
    say_hex(digest_of(window, MODEL_WINDOW));
    say("\n");
    COUNT_START();
    model_predict(logits, window);
    COUNT_STOP();
    say("predict\t");
    say_hex(digest_of(logits, sizeof logits));
    say("\n# ");
    say_digits(MODEL_MEMORY_BYTES);
    say(" ");
    say_digits(board_stack_peak());
    say("\n");
    return 0;
}
