#include "methodtable.h"

#include <stddef.h>

const QcMethod *const qc_method_table[] = {&qc_method_qcore, &qc_method_closed, &qc_method_none, NULL};
