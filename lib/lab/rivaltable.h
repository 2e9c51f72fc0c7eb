/* rivaltable.h - the product's methods, their ablations and their rivals: one file per family of rivals. */
#ifndef QC_LAB_RIVALTABLE_H
#define QC_LAB_RIVALTABLE_H

#include "../live/methodtable.h"

extern const QcMethod qc_method_flip_random, qc_method_flip_greedy; /* flipablation.c */
extern const QcMethod qc_method_bn, qc_method_head, qc_method_bn_head, qc_method_proto, qc_method_spsa, qc_method_refit;
extern const QcMethod qc_method_er, qc_method_er_ace, qc_method_der, qc_method_der_pp, qc_method_a_gem, qc_method_camel,
    qc_method_deepc;

extern const QcMethod *const qc_rival_table[]; /* ends with NULL */

#endif
