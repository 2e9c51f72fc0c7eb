#include "complete.h"

void qc_calibrate_complete(QcCalibrateOptions *o, int bits)
{
    QcCalibrateOptions defaults = qc_calibrate_defaults(bits);
    if (!(o->phi0 > 0)) o->phi0 = defaults.phi0;
    if (!(o->cap > 0)) o->cap = defaults.cap;
    if (!(o->phi_max > 0)) o->phi_max = defaults.phi_max;
    if (o->by_layer < 0) o->by_layer = defaults.by_layer;
    if (o->temper < 0) o->temper = defaults.temper;
}
