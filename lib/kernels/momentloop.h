/* momentloop.h - moments (kernels.h) as a plain loop, for sets whose compiler vectorizes it. */
#ifndef QC_KERNELS_MOMENTLOOP_H
#define QC_KERNELS_MOMENTLOOP_H

#include <stdint.h>

#include "mem.h"

static void moments(uint32_t *restrict sum, uint32_t *restrict squares, const uint8_t *restrict x, uint32_t positions,
                    uint32_t step, uint32_t n)
{
    memset(sum, 0, n * sizeof *sum);
    memset(squares, 0, n * sizeof *squares);
    for (uint32_t t = 0; t < positions; t++, x += step)
        for (uint32_t i = 0; i < n; i++) {
            sum[i] += x[i];
            squares[i] += (uint32_t)(x[i] * x[i]);
        }
}

#endif
