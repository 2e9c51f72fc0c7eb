#include "methodtable.h"

/* A build for the device knows the names of methods with back-propagation, and that it has not got them: they would drag in a library. */
#ifdef QC_DEVICE_BUILD
#define WITH_BACKWARD(method) NULL
#else
#define WITH_BACKWARD(method) &method
#endif

const QcMethodEntry qc_method_table[] = {
    {"qcore", &qc_method_qcore},
    {"closed", &qc_method_closed},
    {"none", &qc_method_none},
    {"flip-random", &qc_method_flip_random},
    {"flip-greedy", &qc_method_flip_greedy},
    {"bn", &qc_method_bn},
    {"head", &qc_method_head},
    {"bn+head", &qc_method_bn_head},
    {"proto", &qc_method_proto},
    {"spsa", &qc_method_spsa},
    {"refit", &qc_method_refit},
    {"er", WITH_BACKWARD(qc_method_er)},
    {"er-ace", WITH_BACKWARD(qc_method_er_ace)},
    {"der", WITH_BACKWARD(qc_method_der)},
    {"der++", WITH_BACKWARD(qc_method_der_pp)},
    {"a-gem", WITH_BACKWARD(qc_method_a_gem)},
    {"camel", WITH_BACKWARD(qc_method_camel)},
    {"deepc", WITH_BACKWARD(qc_method_deepc)},
    {NULL, NULL},
};
