/* host.c - the session on the host, and what it must agree with: writes the logits of all windows before it, in the
 * order of the data file, and compares codes, what was learned and coreset after it with "after", the export of what
 * qc-calibrate made.
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

/* A coreset file keeps the order of the slots. */
static int same_slots(const QcSlots *a, const QcSlots *b)
{
    return !memcmp(a->windows, b->windows, (size_t)a->capacity * a->window) &&
           !memcmp(a->feature, b->feature, (size_t)a->capacity * a->features) &&
           !memcmp(a->label, b->label, a->capacity * sizeof *a->label) &&
           !memcmp(a->misses, b->misses, a->capacity * sizeof *a->misses) && !memcmp(a->flags, b->flags, a->capacity) &&
           !memcmp(a->id, b->id, a->capacity * sizeof *a->id);
}

int main(int argc, char **argv)
{
    int wrong = 0;
    if (argc != 2 || model_init() || after_init()) {
        puts("the export and the library do not fit each other");
        return 1;
    }
    const QcLearner *l = &model_learner, *after = &after_learner;
    if (write_logits(argv[1])) return 4;
    if (!memcmp(l->state, after->state, l->head_bytes)) puts("the session has nothing to do"), wrong = 1;
    for (uint32_t b = 0; b < stream_batches; b++) session_batch(b);
    session_digest();
    if (memcmp(l->graph.codes, after->graph.codes, l->graph.nodes[l->graph.n_nodes - 1].code_byte))
        puts("qc-calibrate makes other codes"), wrong = 1;
    if (memcmp(l->state, after->state, l->learned_bytes))
        puts("qc-calibrate makes other last layers, moments or counters"), wrong = 1;
    if (!same_slots(&l->coreset, &after->coreset)) puts("qc-calibrate makes another coreset"), wrong = 1;
    return wrong;
}
