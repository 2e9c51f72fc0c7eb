/* main.c - a firmware that predicts a live stream: frames in, a line per window out. A product reads its sensor here;
 * under QEMU the frames come from a file on the host (f32, all channels of a frame side by side; i16 for a model of
 * sound), so that its lines can be held against qc-run --raw f32 or i16 with the same file.
 */
#include "board.h"
#include "model.h" /* qc-export -f c -o model.c */

static void say_number(uint32_t n)
{
    char text[11];
    int at = sizeof text - 1;
    text[at] = 0;
    do text[--at] = (char)('0' + n % 10), n /= 10;
    while (n);
    say(text + at);
}

static void say_window(void)
{
    say_number(model_answer.number);
    say("\t");
    say(model_class_names[model_answer.class_index]);
#ifdef MODEL_DRIFT_THRESHOLD
    float drift = model_drift(); /* thousandths, for there is no printf */
    say(drift < 0 ? "\t-" : "\t");
    say_number((uint32_t)(1000 * (drift < 0 ? -drift : drift) + 0.5f));
#endif
    say("\n");
}

#ifdef MODEL_RATE /* the model has a front-end for sound: samples of 16 bits */
static int16_t frame;
#else
static float frame[MODEL_CHANNELS];
#endif

int main(void)
{
    int frames = board_open(FRAMES);
    if (frames < 0 || model_init()) {
        say(frames < 0 ? "the frames cannot be read\n" : "the model and the library do not fit each other\n");
        return 1;
    }
    model_restart(STRIDE);
    while (board_read(frames, &frame, sizeof frame) == sizeof frame)
        if (model_push(frame)) say_window();
    say("# stack ");
    say_number(board_stack_peak());
    say(" static ");
    say_number(board_static_bytes());
    say("\n");
    return 0;
}
