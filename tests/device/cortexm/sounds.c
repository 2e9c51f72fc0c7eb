/* sounds.c - sounds through the front-ends of fronts.h (tests/device/pack_fronts.c). Prints a line per front-end and
 * sound: digest of all features; the same on the host and on each core. */
#include "fronts.h"

#ifdef BARE
#include "board.h"
#else
#include <stdio.h>
static void say(const char *text) { fputs(text, stdout); }
#endif

enum { FRONTS = sizeof fronts / sizeof *fronts, SOUNDS = 4, FRAMES = 3, WORDS = 4096 + 2 + 128 + 2048 };

static int32_t memory[WORDS];
static float features[QC_FRONT_BANDS_MAX];

/* Noise of a size that differs from frame to frame, a loud square wave, faint noise, silence with clicks. */
static int16_t next_sample(int sound, uint32_t t, uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    int16_t noise = (int16_t)(*state >> 16);
    switch (sound) {
    case 0: return (int16_t)(noise >> (t / 100 % 15));
    case 1: return t / 9 % 2 ? 32767 : -32768;
    case 2: return noise % 3;
    default: return t % 613 ? 0 : noise;
    }
}

static void say_number(uint32_t n, const char *after)
{
    char text[12] = "";
    int at = sizeof text - 1;
    do text[--at] = (char)('0' + n % 10), n /= 10;
    while (n);
    say(text + at);
    say(after);
}

int main(void)
{
    for (int k = 0; k < FRONTS; k++)
        for (int sound = 0; sound < SOUNDS; sound++) {
            const QcFrontEnd *f = fronts[k];
            QcFrontRun run;
            uint32_t digest = 2166136261u, state = 7, frames = 0;
            if (qc_front_words(f) > WORDS) return 1;
            qc_front_init(&run, f, memory);
            for (uint32_t t = 0; frames < FRAMES; t++) {
                if (!qc_front_push(&run, next_sample(sound, t, &state), features)) continue;
                frames++;
                for (uint32_t b = 0; b < qc_front_features(&f->setup); b++) {
                    union {
                        float f;
                        uint32_t u;
                    } v = {.f = features[b]};
                    digest = (digest ^ v.u) * 16777619u;
                }
            }
            say_number((uint32_t)k, " ");
            say_number((uint32_t)sound, " ");
            say_number(digest, "\n");
        }
    return 0;
}
