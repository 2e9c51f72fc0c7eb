#include "session.h"

#include "stream.h"

static uint8_t windows[MODEL_BATCH][MODEL_WINDOW];

/* ---- words ---- */

void say_number(const char *before, uint32_t n)
{
    char text[12];
    int at = sizeof text - 1;
    text[at] = 0;
    do {
        text[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    say(before);
    say(text + at);
}

static void say_hex(const char *before, uint64_t n)
{
    char text[17];
    for (int i = 0; i < 16; i++) text[i] = "0123456789abcdef"[n >> (60 - 4 * i) & 15];
    text[16] = 0;
    say(before);
    say(text);
}

/* FNV-1a, 64 bits (Fowler, Noll and Vo). */
static uint64_t add_digest(uint64_t digest, const void *bytes, uint32_t n)
{
    const uint8_t *from = bytes;
    for (uint32_t i = 0; i < n; i++) digest = (digest ^ from[i]) * 0x100000001b3u;
    return digest;
}

/* ---- the session ---- */

void session_quantize(uint8_t *window, uint32_t example)
{
    /* a moment at a time, as a sensor gives them */
    const float *x = stream_x + (uint64_t)example * MODEL_WINDOW;
    for (uint32_t t = 0; t < MODEL_STEPS; t++) model_quantize(window + t * MODEL_CHANNELS, x + t * MODEL_CHANNELS, 1);
}

void session_batch(uint32_t b)
{
    uint32_t first = stream_starts[b], n = stream_starts[b + 1] - first;
    QcAdaptReport r;
    for (uint32_t i = 0; i < n; i++) session_quantize(windows[i], first + i);
    if (model_calibrate(&r, windows[0], stream_label + first, stream_id + first, n)) {
        say("the batch was refused\n");
        return;
    }
    say_number("batch ", b + 1);
    say_number(" n ", r.n);
    say_number(" right ", r.right_before);
    say_number(" then ", r.right_after);
    say_number(" solved ", r.solved);
    say_number(" refused ", r.refused);
    say_number(" flips ", r.flips);
    say_number(" accepted ", r.accepted);
    say_number(" of ", r.proposals);
    say_number(" forwards ", r.forwards);
    say_number(" loss * 1e6 ", (uint32_t)(r.loss_after * 1e6f));
    say("\n");
}

void session_digest(void)
{
    const QcLearner *l = &model_learner;
    uint64_t empty = 0xcbf29ce484222325u;
    say_hex("state ", add_digest(empty, l->state, l->state_bytes));
    say_hex(" codes ", add_digest(empty, l->graph.codes, l->graph.n_code_bytes));
    say_hex(" last layer ", add_digest(empty, l->graph.last->codes, (uint32_t)qc_head_code_bytes(&l->shape)));
    say("\n");
}
