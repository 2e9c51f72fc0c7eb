#include "stream.h"

#include "../kernels/mem.h"

void qc_frames_init(QcFrames *f, const QcQTensor *input, const float *mean, const float *deviation, uint32_t stride,
                    uint8_t *ring)
{
    *f = (QcFrames){.input = input,
                    .mean = mean,
                    .deviation = deviation,
                    .ring = ring,
                    .length = (uint32_t)input->height * input->width,
                    .stride = stride};
    qc_frames_restart(f);
}

int qc_frames_push(QcFrames *f, const float *frame)
{
    uint32_t channels = f->input->channels;
    qc_q_frames(f->ring + (size_t)f->next * channels, frame, 1, channels, f->mean, f->deviation, f->input);
    f->next = f->next + 1 == f->length ? 0 : f->next + 1;
    if (--f->missing) return 0;
    f->missing = f->stride;
    return 1;
}

void qc_frames_window(const QcFrames *f, uint8_t *window)
{
    size_t older = (size_t)(f->length - f->next) * f->input->channels, newer = (size_t)f->next * f->input->channels;
    memcpy(window, f->ring + newer, older);
    memcpy(window + older, f->ring, newer);
}

void qc_frames_restart(QcFrames *f)
{
    f->next = 0;
    f->missing = f->length;
}
