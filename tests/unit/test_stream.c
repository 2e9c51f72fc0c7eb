/* Frames into windows: the same bytes as from quantizing each window whole, at each stride and after each gap. */
#include "suite.h"
#include "tiny.h"

#include "../../lib/device/stream.h"

enum { FRAMES = 5 * TINY_LENGTH + 3 };

static const float mean[TINY_CHANNELS] = {.1f, -.3f, 2}, deviation[TINY_CHANNELS] = {1, .5f, 3};

static void make_frames(float x[FRAMES][TINY_CHANNELS])
{
    QcRng rng = qc_rng_seed(7, 0);
    for (int t = 0; t < FRAMES; t++)
        for (int c = 0; c < TINY_CHANNELS; c++) x[t][c] = 4 * qc_rng_unit(&rng) - 2;
}

/* _i: kind. Strides below, at and above the length of a window. */
START_TEST(stream_windows_equal_windows_of_whole_recording)
{
    static const uint32_t strides[] = {1, 5, TINY_LENGTH - 1, TINY_LENGTH, TINY_LENGTH + 7, 2 * TINY_LENGTH};
    static float x[FRAMES][TINY_CHANNELS];
    Tiny t;
    make_frames(x);
    tiny_make(&t, (TinyKind)_i, 4, 8, 1);
    const QcQTensor *input = &t.g.tensors[0];
    for (size_t s = 0; s < sizeof strides / sizeof *strides; s++) {
        uint8_t ring[TINY_VALUES], window[TINY_VALUES], whole[TINY_VALUES];
        QcFrames f;
        uint32_t windows = 0;
        qc_frames_init(&f, input, mean, deviation, strides[s], ring);
        for (uint32_t n = 0; n < FRAMES; n++) {
            uint32_t first = windows * strides[s];
            int full = qc_frames_push(&f, x[n]);
            ck_assert_int_eq(full, n + 1 == first + TINY_LENGTH);
            if (!full) continue;
            qc_frames_window(&f, window);
            qc_q_frames(whole, x[first], TINY_LENGTH, TINY_CHANNELS, mean, deviation, input);
            ck_assert_mem_eq(window, whole, sizeof whole);
            windows++;
        }
        ck_assert_uint_eq(windows, (FRAMES - TINY_LENGTH) / strides[s] + 1);
    }
    tiny_release(&t);
}
END_TEST

START_TEST(no_window_spans_a_gap)
{
    static float x[FRAMES][TINY_CHANNELS];
    Tiny t;
    make_frames(x);
    tiny_make(&t, TINY_PLAIN, 4, 8, 1);
    for (uint32_t before = 0; before <= 2 * TINY_LENGTH; before++) {
        uint8_t ring[TINY_VALUES], window[TINY_VALUES], whole[TINY_VALUES];
        QcFrames f;
        qc_frames_init(&f, &t.g.tensors[0], mean, deviation, 3, ring);
        for (uint32_t n = 0; n < before; n++) qc_frames_push(&f, x[n]);
        qc_frames_restart(&f);
        for (uint32_t n = 0; n < TINY_LENGTH; n++)
            ck_assert_int_eq(qc_frames_push(&f, x[before + n]), n + 1 == TINY_LENGTH);
        qc_frames_window(&f, window);
        qc_q_frames(whole, x[before], TINY_LENGTH, TINY_CHANNELS, mean, deviation, &t.g.tensors[0]);
        ck_assert_mem_eq(window, whole, sizeof whole);
    }
    tiny_release(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stream");
    TCase *c = tcase_create("stream");
    tcase_add_loop_test(c, stream_windows_equal_windows_of_whole_recording, 0, TINY_KINDS);
    tcase_add_test(c, no_window_spans_a_gap);
    suite_add_tcase(suite, c);
    return run_suite(suite);
}
