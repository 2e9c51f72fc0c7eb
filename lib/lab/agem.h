/* agem.h - the projection of A-GEM (Chaudhry et al., "Efficient lifelong learning with A-GEM", ICLR 2019). */
#ifndef QC_LAB_AGEM_H
#define QC_LAB_AGEM_H

#include <stdint.h>

/* Where g conflicts with the memory's gradient m (g.m < 0): g -= (g.m / m.m) m, so that to first order the memory's
 * loss does not rise. 1 if it did. */
int qc_agem_project(float *g, const float *m, uint32_t n);

#endif
