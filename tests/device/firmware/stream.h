/* stream.h - the labelled batches in a program's image, written by pack_stream. */
#ifndef STREAM_H
#define STREAM_H

#include <stdint.h>

extern const uint32_t stream_batches;
extern const uint32_t stream_starts[]; /* [stream_batches + 1] */
extern const uint32_t stream_index[];  /* where each example stands in the file */
extern const uint16_t stream_label[];
extern const uint64_t stream_id[];
extern const float stream_x[];         /* windows of raw values, [steps][channels] */

#endif
