/* cortexm.h - which convolutions both tables for Cortex-M can compute. */
#ifndef QC_KERNELS_CORTEXM_H
#define QC_KERNELS_CORTEXM_H

#include "kernels.h"

/* They rescale by the upper word of a product: (v * m + 2^(s-1)) >> s is the upper word for 2^up * v with shift s + up,
 * which is at least 33 then, so that 2^(s+up-1) is a multiple of 2^32 and rounds the upper word alone. */
static inline uint32_t cortexm_up(const QcKConv *how, uint32_t o)
{
    return how->shift[o] < 33 ? 33u - how->shift[o] : 0;
}

/* 1 if no sum leaves 32 bits that way. */
static inline int cortexm_takes(const QcKConv *how)
{
    const QcKCodes *c = &how->codes;
    uint64_t widest = ((uint64_t)c->segments * c->length * 256) << (c->bits - 1);
    for (uint32_t o = 0; o < c->channels; o++) {
        uint32_t up = cortexm_up(how, o), bias = how->bias[o] < 0 ? 0 - (uint32_t)how->bias[o] : (uint32_t)how->bias[o];
        if (up && widest + bias > 0x7fffffffu >> up) return 0;
    }
    return 1;
}

#endif
