/* methodtable.h - the product's methods. */
#ifndef QC_LIVE_METHODTABLE_H
#define QC_LIVE_METHODTABLE_H

#include "method.h"

extern const QcMethod qc_method_qcore, qc_method_closed, qc_method_none; /* devicestep.c */

extern const QcMethod *const qc_method_table[]; /* ends with NULL */

#endif
