/* methodtable.h - the methods that there are, one a file. */
#ifndef QC_METHODS_METHODTABLE_H
#define QC_METHODS_METHODTABLE_H

#include "method.h"

extern const QcMethod qc_method_qcore, qc_method_closed, qc_method_none, qc_method_flip_random, qc_method_flip_greedy; /* devicestep.c */
extern const QcMethod qc_method_bn, qc_method_head, qc_method_bn_head, qc_method_proto, qc_method_spsa, qc_method_refit;
extern const QcMethod qc_method_er, qc_method_er_ace, qc_method_der, qc_method_der_pp, qc_method_a_gem, qc_method_camel, qc_method_deepc;

#endif
