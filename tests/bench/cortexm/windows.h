/* windows.h - labelled windows in a program's image, written by pack_windows. */
#ifndef QC_BENCH_WINDOWS_H
#define QC_BENCH_WINDOWS_H

#include <stdint.h>

extern const uint16_t stream_label[];  /* [MODEL_BATCH] */
extern const uint8_t stream_windows[]; /* [MODEL_BATCH][MODEL_WINDOW] */

#endif
