#include "rivaltable.h"

#include <stddef.h>

const QcMethod *const qc_rival_table[] = {
    &qc_method_qcore,
    &qc_method_closed,
    &qc_method_none,
    &qc_method_labels,
    &qc_method_flip_random,
    &qc_method_flip_greedy,
    &qc_method_bn,
    &qc_method_head,
    &qc_method_bn_head,
    &qc_method_proto,
    &qc_method_pseudo,
    &qc_method_t3a,
    &qc_method_oftta,
    &qc_method_lame,
    &qc_method_propagate,
    &qc_method_daelm_s,
    &qc_method_daelm_t,
    &qc_method_spsa,
    &qc_method_refit,
    &qc_method_er,
    &qc_method_er_ace,
    &qc_method_der,
    &qc_method_der_pp,
    &qc_method_a_gem,
    &qc_method_camel,
    &qc_method_deepc,
    NULL,
};

const char *qc_lab_unsaved(const double *setting)
{
    (void)setting;
    return "it is measured, not made: its answers need more than a model of integers";
}
