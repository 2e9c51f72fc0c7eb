/* rivaltable.h - the product's methods, their ablations and their rivals: one file per family of rivals. */
#ifndef QC_LAB_RIVALTABLE_H
#define QC_LAB_RIVALTABLE_H

#include "../live/methodtable.h"

extern const QcMethod qc_method_flip_random, qc_method_flip_greedy; /* flipablation.c */
extern const QcMethod qc_method_labels; /* guessablation.c */
extern const QcMethod qc_method_pseudo, qc_method_t3a, qc_method_oftta, qc_method_lame, qc_method_propagate,
    qc_method_daelm_s, qc_method_daelm_t;
extern const QcMethod qc_method_bn, qc_method_head, qc_method_bn_head, qc_method_proto, qc_method_spsa, qc_method_refit;
extern const QcMethod qc_method_er, qc_method_er_ace, qc_method_der, qc_method_der_pp, qc_method_a_gem, qc_method_camel,
    qc_method_deepc;

extern const QcMethod *const qc_rival_table[]; /* ends with NULL */

/* QcMethod.unsaved of methods that never make a model. */
const char *qc_lab_unsaved(const double *setting);

#endif
