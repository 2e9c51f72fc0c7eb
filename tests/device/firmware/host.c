/* host.c - the session on the host, and what it must agree with: writes the logits of all windows before it, in the order of the data file, and compares codes, last layer and
 * coreset after it with "after", the export of what qc-calibrate made.
 *   host LOGITS */
#include <stdio.h>
#include <string.h>

#include "after.h"
#include "session.h"
#include "stream.h"

void say(const char *text) { fputs(text, stdout); }

static int write_logits(const char *path)
{
    static float logits[65536][MODEL_CLASSES];
    uint32_t n = stream_starts[stream_batches];
    for (uint32_t i = 0; i < n; i++) {
        uint8_t window[MODEL_WINDOW];
        session_quantize(window, i);
        model_predict(logits[stream_index[i]], window);
    }
    FILE *out = fopen(path, "wb");
    if (!out || fwrite(logits, sizeof *logits, n, out) != n) return -1;
    return fclose(out);
}

static int same_slots(const QcSlots *a, const QcSlots *b)
{
    uint32_t found = 0, filled[2] = {0, 0};
    for (uint32_t i = 0; i < a->capacity; i++) {
        filled[0] += !(a->flags[i] & QC_SLOT_EMPTY);
        filled[1] += !(b->flags[i] & QC_SLOT_EMPTY);
        for (uint32_t j = 0; j < b->capacity; j++) /* a coreset file has another order */
            found += !(a->flags[i] & QC_SLOT_EMPTY) && a->id[i] == b->id[j] && a->label[i] == b->label[j] && a->misses[i] == b->misses[j] &&
                     a->flags[i] == b->flags[j] && !memcmp(a->x + i * a->window, b->x + j * b->window, a->window);
    }
    return filled[0] == filled[1] && found == filled[0];
}

int main(int argc, char **argv)
{
    int wrong = 0;
    if (argc != 2 || model_init() || after_init()) {
        puts("the export and the library do not fit each other");
        return 1;
    }
    if (write_logits(argv[1])) return 4;
    if (!memcmp(model_graph.codes, after_graph.codes, model_graph.n_code_bytes)) puts("the session has nothing to do"), wrong = 1;
    for (uint32_t b = 0; b < stream_batches; b++) session_batch(b);
    session_digest();
    if (memcmp(model_graph.codes, after_graph.codes, model_graph.n_code_bytes)) puts("qc-calibrate makes other codes"), wrong = 1;
    if (memcmp(model_graph.scale, after_graph.scale, model_graph.n_channels * sizeof *model_graph.scale) ||
        memcmp(model_graph.bias, after_graph.bias, model_graph.n_channels * sizeof *model_graph.bias)) puts("qc-calibrate makes another last layer"), wrong = 1;
    if (!same_slots(&model_calibrator.slots, &after_calibrator.slots)) puts("qc-calibrate makes another coreset"), wrong = 1;
    return wrong;
}
