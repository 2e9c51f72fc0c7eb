#include "rng.h"

#include <math.h>

double qc_rng_normal(QcRng *rng)
{
    double u = ((double)(qc_rng_next(rng) >> 11) + 0.5) * 0x1p-53; /* never 0 or 1 */
    double v = (double)(qc_rng_next(rng) >> 11) * 0x1p-53;
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v); /* Box-Muller */
}
