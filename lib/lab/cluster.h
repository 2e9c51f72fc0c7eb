/* cluster.h - weights that share values: k-means on a line (Han et al., "Deep compression", ICLR 2016). */
#ifndef QC_LAB_CLUSTER_H
#define QC_LAB_CLUSTER_H

#include <stdint.h>

/* centre [k <= 256], ascending; owner [n] of every x with skip[n] = 0 (NULL: all). Centres start evenly spread from the
 * least to the largest x, which Han et al. found best, and follow Lloyd's rule until no owner changes (or 50 times);
 * one that owns nothing stays where it is. Each x belongs to the nearest centre, the lower of equals. */
void qc_cluster_line(float *centre, uint8_t *owner, const float *x, const uint8_t *skip, uint32_t n, uint32_t k);

#endif
