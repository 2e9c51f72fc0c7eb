/* tinyfile.h - a model file of the tiny shape that has no graph yet, and labelled windows for it. Include after
 * tiny.h. */
#ifndef QC_TESTS_TINYFILE_H
#define QC_TESTS_TINYFILE_H

#include "../../lib/format/modelfile.h"
#include "../../lib/quant/windows.h"

enum { N = 80 };

static QcModelFile model;
static QcWindows source;
static float source_x[N * TINY_VALUES];
static int32_t source_label[N];

/* A model file of the tiny shape whose channels have means and deviations of their own, and labelled windows: a class
 * shows in the level of a channel. */
static inline void begin(double size)
{
    static char *labels[] = {"a", "b", "c", "d"};
    float mean[] = {1, -2, 0.5f}, deviation[] = {2, 0.5f, 1};
    QcNorm norm = {3, mean, deviation};
    QcErr err;
    ck_assert_msg(!qc_modelfile_init(&model, "tiny", TINY_CHANNELS, 1, TINY_LENGTH, TINY_CLASSES, labels, &norm, &err),
                  "%s", err.text);
    tiny_windows(source_x, N, size, 41);
    for (int i = 0; i < N; i++) {
        source_label[i] = i % TINY_CLASSES;
        for (int v = 0; v < TINY_VALUES; v++)
            source_x[i * TINY_VALUES + v] += (float)(size * (v % TINY_CHANNELS == i % TINY_CLASSES ? 0.9 : -0.3));
    }
    source = (QcWindows){.n = N, .values = TINY_VALUES, .x = source_x, .label = source_label};
}

static inline void end(void) { qc_modelfile_release(&model); }

#endif
