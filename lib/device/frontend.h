/* frontend.h - sound into log-mel bands or MFCC, in integers, so that every processor makes the same features.
 *
 *   sample -> qc_front_push -> 1: a frame of features -> qc_frames_push (stream.h)
 *
 * The definitions are librosa's (McFee et al., 2015), with center=False and samples divided by 32768: power spectrum
 * of a frame under a periodic Hann window, padded with zeros to a power of two; triangular filters on Slaney's mel
 * scale, from 0 to half the rate, each of unit area in Hz; 10 log10 of each band, at least -100 dB. MFCC is the
 * orthonormal DCT-II of the bands, its first coefficients.
 *
 * Frame t has the samples from t x hop on. Features are whole multiples of 1/256 (dB). A frame is scaled to the
 * integers' full range before the transform, so quiet sound is as exact as loud sound: bands within 60 dB of the
 * frame's largest band differ from the definitions in double precision by less than 0.02 dB in frames of up to 2048
 * samples, and by less than 0.05 dB in longer frames (test_frontend.c).
 */
#ifndef QC_DEVICE_FRONTEND_H
#define QC_DEVICE_FRONTEND_H

#include <stdint.h>

enum { QC_FRONT_FFT_MAX = 4096, QC_FRONT_BANDS_MAX = 256, QC_FRONT_FLOOR = -100 /* dB */ };

/* What a user chooses. All zero: no front-end. */
typedef struct QcFrontSetup {
    uint32_t rate; /* samples per second, 1 to 384000 */
    uint32_t frame, hop; /* samples: of a frame, 16 to QC_FRONT_FFT_MAX; from one frame's start to the next, 1 to
                            2^24 */
    uint32_t bands; /* 2 to QC_FRONT_BANDS_MAX */
    uint32_t coefficients; /* of the DCT, up to `bands`; 0: the features are the bands themselves */
} QcFrontSetup;

/* Constants, made on the workstation (format/fronttables.h). A filter has `bins` weights from bin `first` on. */
typedef struct QcFrontEnd {
    QcFrontSetup setup;
    uint32_t fft; /* the power of two that holds a frame, at least 32 */
    const int32_t *cosine; /* [fft / 4 + 1] 2^30 cos(2 pi k / fft) */
    const int32_t *window; /* [frame / 2 + 1] 2^30 times the first half of the window; the second mirrors it */
    const uint16_t *first, *bins; /* [bands] */
    const uint16_t *weight; /* filter after filter; the largest of each filter is 65535 */
    const int32_t *gain; /* [bands] 2^16 x 10 log10(largest weight / 65535), dB */
    const int32_t *dct; /* [bands + 1] 2^30 cos(pi k / (2 bands)) */
    int32_t dct_scale[2]; /* 2^30 sqrt(1 / bands), for coefficient 0; 2^30 sqrt(2 / bands) */
} QcFrontEnd;

typedef struct QcFrontRun {
    const QcFrontEnd *front;
    int32_t *spectrum; /* [fft + 2] real and imaginary parts */
    int32_t *level; /* [bands] 2^16 dB */
    int16_t *ring; /* [frame] the latest samples */
    uint32_t next; /* place in the ring of the next sample; of a full ring the oldest */
    uint32_t missing; /* samples until the next frame is full, >= 1 */
} QcFrontRun;

/* Features of a frame. */
uint32_t qc_front_features(const QcFrontSetup *s);
/* 32-bit words of memory that a run needs. */
uint32_t qc_front_words(const QcFrontEnd *f);
/* memory [qc_front_words]; both are borrowed. */
void qc_front_init(QcFrontRun *run, const QcFrontEnd *f, int32_t *memory);
/* 1: a frame is full, and its features are in features [qc_front_features]; else 0. */
int qc_front_push(QcFrontRun *run, int16_t sample, float *features);
/* After a gap in the sound: the samples before it are no part of a frame any more. */
void qc_front_restart(QcFrontRun *run);

#endif
