/* pack_windows.c - runs on the host: writes the first windows of the stream of pack_stream in the input format of
 * the exported network ("model"), one byte per value, so that they fit into the flash of a board. */
#include <stdio.h>

#include "model.h"
#include "stream.h"

int main(void)
{
    static uint8_t window[MODEL_WINDOW];
    if (model_init()) return 1;
    printf("#include \"windows.h\"\n\nconst uint16_t stream_label[] = {");
    for (uint32_t i = 0; i < MODEL_BATCH; i++) printf("%u, ", stream_label[i]);
    printf("};\n\nconst uint8_t stream_windows[] = {\n");
    for (uint32_t i = 0; i < MODEL_BATCH; i++) {
        model_quantize(window, stream_x + (uint64_t)i * MODEL_WINDOW, MODEL_STEPS);
        for (uint32_t j = 0; j < MODEL_WINDOW; j++) printf("%u,%s", window[j], j % 32 == 31 ? "\n" : "");
    }
    printf("};\n");
    return 0;
}
