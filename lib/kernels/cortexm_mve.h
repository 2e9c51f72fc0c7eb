/* cortexm_mve.h - the parts of cortexm_mveconv.c and cortexm_mvedepth.c in the table of cortexm_mve.c, and what they
 * share: signed inputs and unpacked codes. */
#ifndef QC_KERNELS_CORTEXM_MVE_H
#define QC_KERNELS_CORTEXM_MVE_H

#include <arm_mve.h>

#include "kernels.h"

int qc_mve_conv(uint8_t *out, const QcKConv *how);
int qc_mve_linear(int32_t *sums, const QcKConv *how);
int qc_mve_depthwise(uint8_t *out, const QcKConv *how);

/* Vectors multiply signed bytes by signed ones: x - 128 is x with its highest bit turned. */
static inline void mve_signed(int8_t *to, const uint8_t *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += 16) {
        mve_pred16_t p = vctp8q(n - i);
        vstrbq_p_u8((uint8_t *)to + i, veorq_u8(vldrbq_z_u8(x + i, p), vdupq_n_u8(0x80)), p);
    }
}

/* Codes of 4 or 2 bits, j and the following, up to 16 of them: those that p has. */
static inline int8x16_t mve_codes(const uint8_t *from, uint8x16_t at, int8x16_t up, uint32_t bits, mve_pred16_t p)
{
    int8x16_t v = vshlq_s8(vreinterpretq_s8_u8(vldrbq_gather_offset_z_u8(from, at, p)), up);
    return bits == 4 ? vshrq_n_s8(v, 4) : vshrq_n_s8(v, 6);
}

/* Where 16 codes from code j on lie: the bytes after the byte of code j, and by how many bits each is shifted up. */
static inline uint8x16_t mve_places(int8x16_t *up, uint32_t j, uint32_t bits)
{
    uint8x16_t place = vidupq_n_u8(bits == 4 ? j % 2 : j % 4, 1);
    int8x16_t within = vreinterpretq_s8_u8(vandq_u8(place, vdupq_n_u8(bits == 4 ? 1 : 3)));
    *up = bits == 4 ? vsubq_s8(vdupq_n_s8(4), vshlq_n_s8(within, 2)) : vsubq_s8(vdupq_n_s8(6), vshlq_n_s8(within, 1));
    return bits == 4 ? vshrq_n_u8(place, 1) : vshrq_n_u8(place, 2);
}

#endif
